//! Clients that are none, or wish the server ill.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

/// A server, and what stands between it and a client: bytes.
struct Wire {
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Wire {
    fn new() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_rungs"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = process.stdin.take();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        Self { process, stdin, stdout }
    }

    /// One that has been greeted.
    fn open() -> Self {
        let mut wire = Self::new();
        wire.ask("initialize", &json!({ "capabilities": {} }));
        wire
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn say(&mut self, message: &Value) {
        let body = message.to_string();
        self.send(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    fn tell(&mut self, method: &str, params: &Value) {
        self.say(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.say(&json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }));
        loop {
            let heard = self.hear();
            if heard["id"] == 7 {
                return heard;
            }
        }
    }

    /// The next message, whatever it is.
    fn hear(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert_ne!(self.stdout.read_line(&mut line).unwrap(), 0, "it has ended");
            match line.trim().strip_prefix("Content-Length: ") {
                Some(number) => length = number.parse().unwrap(),
                None => break assert_eq!(line, "\r\n", "stdout is for the protocol alone"),
            }
        }
        let mut body = vec![0; length];
        self.stdout.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// What is told of a document next.
    fn shown(&mut self) -> Value {
        loop {
            let heard = self.hear();
            if heard["method"] == "textDocument/publishDiagnostics" {
                return heard["params"].clone();
            }
        }
    }

    /// The client goes away. How the server ends, and what it has said to the operator.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.stdin.take());
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.process.wait().unwrap().code(), said)
    }
}

const URI: &str = "file:///nowhere/ladder.yml";

fn open(wire: &mut Wire, text: &str) {
    let document = json!({ "uri": URI, "languageId": "yaml", "version": 1, "text": text });
    wire.tell("textDocument/didOpen", &json!({ "textDocument": document }));
}

#[test]
fn it_is_greeted_first_and_left_properly() {
    let mut wire = Wire::new();
    wire.tell("textDocument/didOpen", &json!({}));
    assert_eq!(wire.ask("textDocument/hover", &json!({}))["error"]["code"], -32002);
    assert!(wire.ask("initialize", &json!({ "capabilities": {} }))["result"].is_object());
    assert_eq!(wire.ask("initialize", &json!({ "capabilities": {} }))["error"]["code"], -32600);
    assert_eq!(wire.ask("shutdown", &Value::Null)["result"], Value::Null);
    assert_eq!(wire.ask("textDocument/hover", &json!({}))["error"]["code"], -32600);
    wire.tell("exit", &Value::Null);
    assert_eq!(wire.end(), (Some(0), String::new()));
}

#[test]
fn it_ends_with_its_client() {
    assert_eq!(Wire::new().end().0, Some(1));
    assert_eq!(Wire::open().end().0, Some(1));
    let mut wire = Wire::open();
    wire.send(b"Content-Length: 1000\r\n\r\n{");
    assert_eq!(wire.end().0, Some(1));
    let mut wire = Wire::open();
    wire.tell("exit", &Value::Null);
    assert_eq!(wire.end().0, Some(1));
}

#[test]
fn whatever_comes_the_next_request_is_answered() {
    let mut wire = Wire::open();
    for (bytes, code) in [
        ("Content-Length: 5\r\n\r\n{\"a\":", -32700),
        ("Content-Length: 2\r\n\r\n[]", -32600),
        ("Content-Length: many\r\n\r\n", -32700),
        ("GET / HTTP/1.1\r\n\r\n", -32700),
    ] {
        wire.send(bytes.as_bytes());
        let heard = wire.hear();
        assert_eq!(
            (&heard["id"], &heard["error"]["code"]),
            (&Value::Null, &json!(code)),
            "{bytes}"
        );
    }
    assert_eq!(wire.ask("no/such", &json!({}))["error"]["code"], -32601);
    assert_eq!(wire.ask("textDocument/hover", &json!({ "x": 1 }))["error"]["code"], -32602);
    wire.tell("no/such", &json!({ "x": 1 }));
    wire.tell("$/cancelRequest", &json!({ "id": 3 }));
    wire.tell("textDocument/didChange", &json!({ "what": "ever" }));
    let change = json!({ "textDocument": { "uri": URI, "version": 2 }, "contentChanges": [] });
    wire.tell("textDocument/didChange", &change);
    wire.say(&json!({ "jsonrpc": "2.0", "id": 3, "result": null }));
    let nowhere =
        json!({ "textDocument": { "uri": URI }, "position": { "line": 0, "character": 0 } });
    assert_eq!(wire.ask("textDocument/hover", &nowhere)["result"], Value::Null);
    let (code, said) = wire.end();
    assert_eq!(code, Some(1));
    assert!(said.contains("is not open") && !said.contains("panicked"), "{said}");
}

#[test]
fn a_stream_that_is_no_protocol_ends_it_with_a_reason() {
    let mut wire = Wire::new();
    let garbage = "what is this?\r\n\r\n".repeat(200);
    let _ = wire.stdin.as_mut().unwrap().write_all(garbage.as_bytes());
    let (code, said) = wire.end();
    assert_eq!(code, Some(1));
    assert!(said.contains("no language server protocol"), "{said}");
}

#[test]
fn places_that_are_none_are_brought_inside() {
    let mut wire = Wire::open();
    open(&mut wire, "sequence: a\n");
    wire.shown();
    let far = json!({ "line": 4_000_000_000_u32, "character": 4_000_000_000_u32 });
    let change = json!({
        "textDocument": { "uri": URI, "version": 2 },
        "contentChanges": [
            { "range": { "start": far, "end": { "line": 0, "character": 99 } }, "text": "b\n" },
            { "range": { "start": far, "end": far }, "text": "steps: []\n" },
        ],
    });
    wire.tell("textDocument/didChange", &change);
    let shown = wire.shown();
    assert_eq!(shown["version"], 2);
    assert_eq!(shown["diagnostics"][0]["code"], "no-steps", "{shown}");
    for method in ["completion", "hover", "definition", "prepareRename", "documentHighlight"] {
        let place = json!({ "textDocument": { "uri": URI }, "position": far });
        let answer = wire.ask(&format!("textDocument/{method}"), &place);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
    }
}

#[test]
fn a_document_larger_than_any_sequence_is_refused_in_a_sentence() {
    let mut wire = Wire::open();
    open(&mut wire, &format!("sequence: a\nsteps:\n{}", "  - id: x\n".repeat(1_000_000)));
    let shown = wire.shown();
    assert_eq!(shown["diagnostics"][0]["code"], "too-large", "{shown}");
    for top in ["{\n  \"sequence\": \"a\",\n  \"steps\": []", "fragment: a", "cases:"] {
        let mut wire = Wire::open();
        open(&mut wire, &format!("{top}\n{}", "\n          ".repeat(100_000)));
        let shown = wire.shown();
        assert_eq!(shown["diagnostics"][0]["code"], "too-large", "{top}: {shown}");
    }
    let place =
        json!({ "textDocument": { "uri": URI }, "position": { "line": 2, "character": 4 } });
    assert_eq!(wire.ask("textDocument/completion", &place)["result"], Value::Null);
}

#[test]
fn of_a_document_that_changes_at_every_key_the_newest_version_is_checked() {
    let mut wire = Wire::open();
    let step = |n: usize| {
        format!("  - id: s{n}\n    run: WaitForDuration\n    config: {{ amount: 1, unit: days }}\n")
    };
    let steps: String = (0..1000).map(step).collect();
    open(&mut wire, &format!("sequence: a\nsteps:\n{steps}"));
    for version in 2..40 {
        let start = json!({ "line": 0, "character": 10 });
        let change = json!({
            "textDocument": { "uri": URI, "version": version },
            "contentChanges": [{ "range": { "start": start, "end": start }, "text": "a" }],
        });
        wire.tell("textDocument/didChange", &change);
    }
    let mut versions = Vec::new();
    while versions.last() != Some(&json!(39)) {
        versions.push(wire.shown()["version"].clone());
    }
    assert!(versions.len() <= 3, "{versions:?}");
}
