//! The language server, on stdin and stdout: parses, asks `rungs_core::editor` and the check,
//! renders.
//!
//! Promises: stdout carries the protocol and nothing else. Whatever a client sends, it is answered
//! or passed over, and never ends the program; what cannot even be told apart as messages ends it
//! after a while. It ends with its client. Of a document that changes, the newest version is
//! checked, once nobody types.
//! Does not: decide what is right or what may stand where; write files.
//! Called by: the command line (`lsp`).

use std::{
    collections::BTreeSet,
    io::{BufRead, Write},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use lsp_server::{ErrorCode, Message, Notification, Request, Response};
use rungs_core::editor::Vocabulary;
use rungs_runners::Kind;
use serde_json::json;

mod answers;
mod check;
mod desk;
mod frame;
mod hello;
mod position;
mod rename;

use desk::Desk;
use frame::{Incoming, Unreadable};
use position::Encoding;

/// How long nobody types before a document is checked.
const PAUSE: Duration = Duration::from_millis(60);
/// How many messages may come meanwhile before it is checked nevertheless.
const PATIENCE: usize = 50;
/// How many messages in a row may be none.
const GARBAGE: usize = 100;
/// How many messages may wait.
const WAITING: usize = 256;

/// How the conversation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// As the protocol wants it.
    Properly,
    /// The client went away.
    Left,
    /// What came was no protocol; why.
    Garbage(String),
}

/// Serves one client, to the end of the conversation.
pub(crate) fn serve(
    kinds: &[Kind],
    input: impl BufRead + Send + 'static,
    output: impl Write,
) -> Ended {
    let (sender, receiver) = sync_channel(WAITING);
    // It ends with its input, or when nobody listens to it any more.
    thread::spawn(move || listen(input, &sender));
    let mut server = Server {
        output,
        desk: Desk::new(Vocabulary::of(kinds)),
        stage: Stage::Strange,
        changed: BTreeSet::new(),
        since: 0,
        garbage: 0,
    };
    server.converse(&receiver)
}

fn listen(mut input: impl BufRead, sender: &SyncSender<Incoming>) {
    while let Some(incoming) = frame::read(&mut input) {
        if sender.send(incoming).is_err() {
            return;
        }
    }
}

/// How far the conversation is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The client has not said what it can do.
    Strange,
    Open,
    /// It has said that it will end.
    Closing,
}

struct Server<W> {
    output: W,
    desk: Desk,
    stage: Stage,
    /// Documents that are to be checked.
    changed: BTreeSet<String>,
    /// How many messages have come since the first of them changed.
    since: usize,
    /// How many messages in a row were none.
    garbage: usize,
}

/// The client cannot be written to any more.
struct Gone;

impl<W: Write> Server<W> {
    fn converse(&mut self, receiver: &Receiver<Incoming>) -> Ended {
        loop {
            let incoming = match self.next(receiver) {
                Ok(incoming) => incoming,
                Err(RecvTimeoutError::Timeout) => {
                    if self.check().is_err() {
                        return Ended::Left;
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return Ended::Left,
            };
            match self.take(incoming) {
                Ok(None) => {}
                Ok(Some(ended)) => return ended,
                Err(Gone) => return Ended::Left,
            }
        }
    }

    /// The next message; or a timeout, when it is time to check what changed.
    fn next(&mut self, receiver: &Receiver<Incoming>) -> Result<Incoming, RecvTimeoutError> {
        if self.changed.is_empty() {
            self.since = 0;
            return receiver.recv().map_err(|_| RecvTimeoutError::Disconnected);
        }
        self.since += 1;
        if self.since > PATIENCE {
            self.since = 0;
            return Err(RecvTimeoutError::Timeout);
        }
        receiver.recv_timeout(PAUSE)
    }

    fn check(&mut self) -> Result<(), Gone> {
        let changed = std::mem::take(&mut self.changed);
        for published in self.desk.publish(&changed) {
            self.notify("textDocument/publishDiagnostics", json!(published))?;
        }
        Ok(())
    }

    fn take(&mut self, incoming: Incoming) -> Result<Option<Ended>, Gone> {
        match incoming {
            Incoming::Message(message) => {
                self.garbage = 0;
                match message {
                    Message::Request(request) => self.request(request).map(|()| None),
                    Message::Notification(notification) => Ok(self.notification(notification)),
                    // Nothing is asked of clients.
                    Message::Response(_) => Ok(None),
                }
            }
            Incoming::Unreadable(unreadable) => self.unreadable(unreadable),
        }
    }

    fn unreadable(&mut self, unreadable: Unreadable) -> Result<Option<Ended>, Gone> {
        self.garbage += 1;
        let Unreadable { code, why } = unreadable;
        tracing::warn!("what the editor sent cannot be read: {why}");
        if self.garbage > GARBAGE {
            return Ok(Some(Ended::Garbage(why)));
        }
        let error = json!({ "code": code as i32, "message": why });
        frame::write(&mut self.output, &json!({ "jsonrpc": "2.0", "id": null, "error": error }))
            .map(|()| None)
            .map_err(|_| Gone)
    }

    fn request(&mut self, request: Request) -> Result<(), Gone> {
        let Request { id, method, params } = request;
        let answer = match (self.stage, method.as_str()) {
            (Stage::Strange, "initialize") => self.initialize(params),
            (Stage::Strange, _) => {
                Err(answers::Wrong::new(ErrorCode::ServerNotInitialized, "say `initialize` first"))
            }
            (Stage::Open, "shutdown") => {
                self.stage = Stage::Closing;
                Ok(json!(null))
            }
            (Stage::Open, "initialize") => {
                Err(answers::Wrong::new(ErrorCode::InvalidRequest, "that has been said already"))
            }
            (Stage::Open, _) => answers::answer(&self.desk, &method, params),
            (Stage::Closing, _) => {
                Err(answers::Wrong::new(ErrorCode::InvalidRequest, "the end has been agreed on"))
            }
        };
        let response = match answer {
            Ok(result) => Response { id, response_result: Ok(result) },
            Err(wrong) => Response::new_err(id, wrong.code as i32, wrong.message),
        };
        Message::Response(response).write(&mut self.output).map_err(|_| Gone)
    }

    fn initialize(
        &mut self,
        params: serde_json::Value,
    ) -> Result<serde_json::Value, answers::Wrong> {
        let params = answers::parsed(params)?;
        self.desk.encoding = Encoding::agreed(&params);
        self.stage = Stage::Open;
        Ok(json!(hello::hello(self.desk.encoding)))
    }

    fn notification(&mut self, notification: Notification) -> Option<Ended> {
        let Notification { method, params } = notification;
        match (self.stage, method.as_str()) {
            (Stage::Closing, "exit") => return Some(Ended::Properly),
            (_, "exit") => return Some(Ended::Left),
            (Stage::Open, method) => match self.desk.hear(method, params) {
                Ok(changed) => self.changed.extend(changed),
                // A notification has no answer.
                Err(wrong) => tracing::warn!("{method}: {}", wrong.message),
            },
            _ => {}
        }
        None
    }

    fn notify(&mut self, method: &str, params: serde_json::Value) -> Result<(), Gone> {
        let notification = Notification { method: method.to_owned(), params };
        Message::Notification(notification).write(&mut self.output).map_err(|_| Gone)
    }
}
