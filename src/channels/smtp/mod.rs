//! Mail, over SMTP.
//!
//! Promises: the delivery's id is the `Message-ID`; nothing in a request can add a header
//! or a recipient; who gets a blind copy is in the envelope only. Trouble before the
//! message itself was begun leaves nothing; after that, only the server's answer ends
//! the doubt.
//! Does not: know what becomes of a mail that the server took.
//! Called by: the engine, as a [`Channel`].

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use lettre::{
    message::Mailbox,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, TlsParameters},
    },
};
use rungs_runners::DeliveryStatus;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Channel, Heard, Misconfigured, Outgoing, SendError, Sent, Shared};

mod mail;
mod session;

use session::{Server, Sessions};

/// A mail server that takes mail from us.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name.
    pub host: String,
    /// Its port; the security's usual one without it.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// Who we are, if the server wants to know.
    #[serde(default)]
    pub username: Option<String>,
    /// And the proof of it.
    #[serde(default)]
    pub password: Option<SecretString>,
    /// The sender where the step names none: `Rungs <rungs@example.com>`.
    #[serde(default)]
    pub from: Option<String>,
    /// Seconds that the server may take for each part of a conversation.
    #[serde(default = "patience")]
    pub timeout: f64,
    /// A PEM file with a certificate that is trusted beside the public ones.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// How a connection to the mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Begins in plain text and must be upgraded before anything is said. Port 587.
    #[default]
    Starttls,
    /// TLS from the first byte. Port 465.
    Tls,
    /// None. Port 25.
    Plain,
}

fn patience() -> f64 {
    30.0
}

impl Config {
    /// What the operator should know of a configuration that is not wrong.
    pub(super) fn notice(&self) -> Option<String> {
        (self.security == Security::Plain && self.password.is_some())
            .then(|| "smtp: with security = \"plain\" the password travels readably".into())
    }

    fn server(&self) -> Result<Server, Misconfigured> {
        let wrong = |key: &str, reason: String| Misconfigured::new(format!("smtp.{key}"), reason);
        let timeout = Duration::try_from_secs_f64(self.timeout)
            .ok()
            .filter(|timeout| !timeout.is_zero())
            .ok_or_else(|| wrong("timeout", "expected seconds, more than 0".into()))?;
        let credentials = match (&self.username, &self.password) {
            (Some(username), Some(password)) => {
                Some(Credentials::new(username.clone(), password.expose_secret().to_owned()))
            }
            (None, None) => None,
            (Some(_), None) => return Err(wrong("password", "a username needs one".into())),
            (None, Some(_)) => return Err(wrong("username", "a password needs one".into())),
        };
        let tls = match self.security {
            Security::Plain => None,
            Security::Starttls | Security::Tls => Some(self.tls()?),
        };
        let port = self.port.unwrap_or(match self.security {
            Security::Starttls => 587,
            Security::Tls => 465,
            Security::Plain => 25,
        });
        let (host, security) = (self.host.clone(), self.security);
        Ok(Server { host, port, security, tls, credentials, timeout })
    }

    fn tls(&self) -> Result<TlsParameters, Misconfigured> {
        let mut tls = TlsParameters::builder(self.host.clone());
        if let Some(path) = &self.ca_file {
            let place = || format!("smtp.ca_file {}", path.display());
            let pem = std::fs::read(path)
                .map_err(|error| Misconfigured::new(place(), error.to_string()))?;
            let root = Certificate::from_pem(&pem)
                .map_err(|error| Misconfigured::new(place(), error.to_string()))?;
            tls = tls.add_root_certificate(root);
        }
        tls.build_rustls().map_err(|error| Misconfigured::new("smtp.host", error.to_string()))
    }

    fn sender(&self) -> Result<Option<Mailbox>, Misconfigured> {
        let sender = self.from.as_deref().map(mail::mailbox).transpose();
        sender.map_err(|reason| Misconfigured::new("smtp.from", reason))
    }
}

/// Opens the `email` channel.
pub(super) fn open(
    config: &super::Config,
    _: &Shared,
) -> Result<Option<Arc<dyn Channel>>, Misconfigured> {
    let Some(config) = &config.smtp else { return Ok(None) };
    Ok(Some(Arc::new(Smtp { sender: config.sender()?, sessions: Sessions::new(config.server()?) })))
}

/// The `email` channel.
struct Smtp {
    sender: Option<Mailbox>,
    sessions: Sessions,
}

#[async_trait]
impl Channel for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Sent, SendError> {
        let request = outgoing.read()?;
        let mail = mail::compose(&request, self.sender.as_ref(), &outgoing.id, outgoing.now)
            .map_err(SendError::failed)?;
        let refused = self.sessions.deliver(&mail).await?;
        let note = |error| Heard { provider_id: None, status: DeliveryStatus::Sent, error };
        Ok(Sent {
            then: refused.into_iter().map(|reason| note(Some(reason))).collect(),
            ..Sent::taken(Some(mail.id), DeliveryStatus::Sent)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_with(lines: &str) -> Result<(), Misconfigured> {
        let config = toml::from_str(&format!("[smtp]\nhost = \"mail.example\"\n{lines}"))
            .expect("TOML of the right shape");
        let shared = Shared { http: reqwest::Client::new(), caller_ids: Arc::default() };
        open(&config, &shared).map(|channel| assert!(channel.is_some()))
    }

    #[test]
    fn what_could_not_work_is_refused_by_its_place() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        open_with("from = \"Rungs <rungs@example.com>\"").unwrap();
        for (lines, place) in [
            ("username = \"u\"", "smtp.password"),
            ("password = \"p\"", "smtp.username"),
            ("timeout = 0.0", "smtp.timeout"),
            ("from = \"nobody\"", "smtp.from"),
            ("ca_file = \"/no/such/file\"", "smtp.ca_file /no/such/file"),
        ] {
            assert_eq!(open_with(lines).unwrap_err().place, place, "{lines}");
        }
    }
}
