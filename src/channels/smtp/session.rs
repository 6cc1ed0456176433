//! Conversations with the mail server, in the order that matters: up to the message
//! itself nothing has left; once it was begun, only an answer tells.
//!
//! lettre's own pool has no time limit on answers, and puts a connection back in the
//! middle of a conversation when its caller gives up. So the connections are lettre's,
//! and the few lines that keep them are here: one that met any trouble is dropped.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, TlsParameters},
    commands::{Data, Mail as MailFrom, Rcpt},
    extension::{ClientId, Extension, MailBodyParameter, MailParameter},
};

use super::{Security, mail::Mail};
use crate::channels::{SendError, http::explain};

/// Connections that are kept for the next mail.
const KEPT: usize = 4;

/// The mail server, and how to talk to it.
pub(super) struct Server {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub tls: Option<TlsParameters>,
    pub credentials: Option<Credentials>,
    pub timeout: Duration,
}

/// The server with the connections that are kept to it.
pub(super) struct Sessions {
    server: Server,
    idle: Mutex<Vec<AsyncSmtpConnection>>,
}

impl Sessions {
    pub fn new(server: Server) -> Self {
        Self { server, idle: Mutex::new(Vec::new()) }
    }

    /// Hands over a mail. Gives the recipients that were refused for good, with the
    /// server's reason, if there were others that were not.
    pub async fn deliver(&self, mail: &Mail) -> Result<Vec<String>, SendError> {
        let mut connection = self.connection().await?;
        let refused = self.before(envelope(&mut connection, mail)).await?;
        self.message(connection.message(&mail.content)).await?;
        self.keep(connection);
        Ok(refused)
    }

    /// A kept connection that still answers, or a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, SendError> {
        while let Some(mut connection) = self.kept() {
            let alive = tokio::time::timeout(self.server.timeout, connection.test_connected());
            if alive.await.unwrap_or(false) {
                return Ok(connection);
            }
        }
        self.before(async { self.server.connect().await.map_err(|error| sort(&error)) }).await
    }

    fn kept(&self) -> Option<AsyncSmtpConnection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT && !connection.has_broken() {
            idle.push(connection);
        }
    }

    /// Something that comes before the message: without an answer, nothing left.
    async fn before<T>(
        &self,
        part: impl Future<Output = Result<T, SendError>>,
    ) -> Result<T, SendError> {
        let given_up = |_| SendError::temporary(self.silence());
        tokio::time::timeout(self.server.timeout, part).await.map_err(given_up)?
    }

    /// The message: without an answer, nobody knows.
    async fn message<T>(
        &self,
        part: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, SendError> {
        match tokio::time::timeout(self.server.timeout, part).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.status().is_some() => Err(sort(&error)),
            Ok(Err(error)) => Err(SendError::InDoubt { reason: explain(&error) }),
            Err(_) => Err(SendError::InDoubt { reason: self.silence() }),
        }
    }

    fn silence(&self) -> String {
        format!("{} did not answer within {:?}", self.server.host, self.server.timeout)
    }
}

impl Server {
    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let hello = ClientId::default();
        let at_once = self.tls.clone().filter(|_| self.security == Security::Tls);
        let address = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, None, &hello, at_once, None).await?;
        if let Some(tls) = self.tls.clone().filter(|_| self.security == Security::Starttls) {
            connection.starttls(tls, &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

/// Sender, recipients, and the announcement of the message. A recipient that is refused
/// for good does not keep the mail from the others.
async fn envelope(
    connection: &mut AsyncSmtpConnection,
    mail: &Mail,
) -> Result<Vec<String>, SendError> {
    let mut options = Vec::new();
    let server = connection.server_info();
    let mut addresses = mail.envelope.to().iter().chain(mail.envelope.from());
    if !addresses.all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
        if !server.supports_feature(Extension::SmtpUtfEight) {
            let reason = "an address is not ASCII, and the mail server takes no others";
            return Err(SendError::failed(reason));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    if !mail.content.is_ascii() && server.supports_feature(Extension::EightBitMime) {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let sender = MailFrom::new(mail.envelope.from().cloned(), options);
    connection.command(sender).await.map_err(|error| sort(&error))?;

    let mut refused = Vec::new();
    for recipient in mail.envelope.to() {
        if let Err(error) = connection.command(Rcpt::new(recipient.clone(), Vec::new())).await {
            if !error.is_permanent() {
                return Err(sort(&error));
            }
            refused.push(format!("{recipient}: {}", explain(&error)));
        }
    }
    if refused.len() == mail.envelope.to().len() {
        return Err(SendError::failed(refused.join("; ")));
    }
    connection.command(Data).await.map_err(|error| sort(&error))?;
    Ok(refused)
}

/// Sorts an error that leaves no doubt.
fn sort(error: &Error) -> SendError {
    let reason = explain(error);
    if error.is_permanent() || error.is_client() {
        SendError::failed(reason)
    } else {
        SendError::temporary(reason)
    }
}
