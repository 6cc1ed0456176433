//! A real mail server for tests: aiosmtpd.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use rungs::channels::smtp;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::python::python;

/// The version that the tests were written against.
const AIOSMTPD: &str = "aiosmtpd==1.4.6";

/// What the server demands.
#[derive(Default, Clone, Copy)]
pub struct Demands {
    /// How the connection must be protected: `plain` if empty, `starttls` or `tls`.
    pub security: &'static str,
    /// Who must introduce themselves, and how.
    pub login: Option<(&'static str, &'static str)>,
}

/// A mail server. It ends when this is dropped.
pub struct MailServer {
    demands: Demands,
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    port: u16,
    certificate: TempDir,
}

/// A message that the server took.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Headers and body as they came over the wire.
    pub raw: String,
    /// Whether the connection was encrypted.
    pub tls: bool,
    /// Who had introduced themselves.
    pub user: Option<String>,
    /// The client's port: the same for messages over one connection.
    pub peer: u16,
}

impl MailServer {
    /// A server that takes anything from anybody, unprotected.
    pub fn start() -> Self {
        Self::demanding(Demands::default())
    }

    /// A server that insists.
    pub fn demanding(demands: Demands) -> Self {
        let certificate = certify();
        let mut command = Command::new(python(AIOSMTPD));
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fakes/smtp_server.py"));
        if !demands.security.is_empty() {
            command.args(["--security", demands.security]);
            command.arg("--cert").arg(certificate.path().join("cert.pem"));
            command.arg("--key").arg(certificate.path().join("key.pem"));
        }
        if let Some((username, password)) = demands.login {
            command.args(["--username", username, "--password", password]);
        }
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the mail server starts");
        let mut stdout = BufReader::new(process.stdout.take().expect("its stdout"));
        let first = line(&mut stdout);
        let port = first["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port");
        let stdin = process.stdin.take();
        Self { demands, process, stdin, stdout, port, certificate }
    }

    /// How to reach it, as the program is configured.
    pub fn config(&self) -> smtp::Config {
        let security =
            if self.demands.security.is_empty() { "plain" } else { self.demands.security };
        let mut config = json!({
            "host": "localhost",
            "port": self.port,
            "security": security,
            "from": "Rungs <rungs@example.com>",
            "timeout": 10.0,
        });
        if security != "plain" {
            config["ca_file"] = json!(self.certificate.path().join("cert.pem"));
        }
        if let Some((username, password)) = self.demands.login {
            config["username"] = json!(username);
            config["password"] = json!(password);
        }
        serde_json::from_value(config).expect("a configuration")
    }

    /// Every message that it took since this was asked last.
    pub fn messages(&mut self) -> Vec<Message> {
        let stdin = self.stdin.as_mut().expect("open until dropped");
        stdin.write_all(b"so far\n").and_then(|()| stdin.flush()).expect("the server listens");
        let mut messages = Vec::new();
        loop {
            let line = line(&mut self.stdout);
            if line.get("sync").is_some() {
                return messages;
            }
            messages.push(serde_json::from_value(line).expect("a message"));
        }
    }

    /// The only message that it took since this was asked last.
    pub fn message(&mut self) -> Message {
        let mut messages = self.messages();
        assert_eq!(messages.len(), 1, "messages: {messages:#?}");
        messages.remove(0)
    }

    /// Ends the server, and with it every connection.
    pub fn stop(&mut self) {
        drop(self.stdin.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn line(stdout: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    stdout.read_line(&mut line).expect("the mail server's stdout is open");
    serde_json::from_str(&line).expect("a line of JSON; its stderr says why there is none")
}

/// A directory with a certificate for `localhost` that signs itself, and its key.
fn certify() -> TempDir {
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a pair");
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("cert.pem"), pair.cert.pem()).expect("a certificate");
    fs::write(dir.path().join("key.pem"), pair.signing_key.serialize_pem()).expect("a key");
    dir
}
