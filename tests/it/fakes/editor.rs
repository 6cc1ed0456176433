//! An editor for tests: pygls' client, which speaks the protocol as others wrote it.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use super::python::python;

/// The version that the tests were written against.
const PYGLS: &str = "pygls==2.1.1";

/// An editor with a language server of its own. Both end when this is dropped.
pub struct Editor {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Editor {
    /// An editor in `folder`, which knows these encodings of positions.
    pub fn open(folder: &Path, encodings: &[&str]) -> (Self, Value) {
        let mut process = Command::new(python(PYGLS))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fakes/editor_client.py"))
            .args([env!("CARGO_BIN_EXE_rungs"), "lsp", "--stdio"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the editor starts");
        let stdin = process.stdin.take().expect("its stdin");
        let stdout = BufReader::new(process.stdout.take().expect("its stdout"));
        let mut editor = Self { process, stdin, stdout };
        let general = if encodings.is_empty() {
            json!({})
        } else {
            json!({ "general": { "positionEncodings": encodings } })
        };
        let hello = editor.ask(
            "initialize",
            &json!({ "processId": null, "rootUri": null, "capabilities": general }),
        );
        editor.tell("initialized", &json!({}));
        (editor, hello)
    }

    /// A request and its answer.
    pub fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.say(&json!({ "ask": method, "params": params }))
    }

    /// A notification.
    pub fn tell(&mut self, method: &str, params: &Value) {
        self.say(&json!({ "tell": method, "params": params }));
    }

    /// What is wrong with a version of a file, once that is told.
    pub fn shown(&mut self, uri: &str, version: impl Into<Option<i32>>) -> Vec<Value> {
        let shown = self.say(&json!({ "shown": uri, "version": version.into() }));
        shown["diagnostics"].as_array().expect("a list").clone()
    }

    /// Ends the conversation properly; the server's exit code.
    pub fn leave(mut self) -> i64 {
        self.say(&json!({ "leave": true })).as_i64().expect("a code")
    }

    fn say(&mut self, command: &Value) -> Value {
        writeln!(self.stdin, "{command}").and_then(|()| self.stdin.flush()).expect("it listens");
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("its stdout is open");
        serde_json::from_str(&line).expect("an answer; its stderr says why there is none")
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
