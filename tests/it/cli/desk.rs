//! Where the tests of the program sit: a directory to use it in, what it said, and a server.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// Rings until somebody confirms, twice at most.
const LADDER: &str = "
sequence: ladder
timezone: Europe/Zagreb
input: { type: object, required: [phone] }
steps:
  - id: grace
    run: WaitForDuration
    config: { amount: 3, unit: minutes }
  - id: ring
    run: Phone
    config: { to: '{{phone}}', say: 'Orders are waiting.', await: answered }
  - id: settle
    run: WaitForDuration
    config: { amount: 5, unit: hours }
  - id: again
    run: GoTo
    config: { step: ring, times: 1 }
  - id: confirmed
    run: Goal
    config:
      lodashCommand: eq
      value: { type: get, value: order.status }
      compareTo: { type: raw, value: confirmed }
";

/// Rings at once, then waits for the date that its data names.
const CALL: &str = "
sequence: call
steps:
  - id: ring
    run: Phone
    config: { to: '{{phone}}', say: 'Hello.', await: answered }
  - id: later
    run: WaitForDate
    config: { date: '{{date}}' }
";

pub(super) const PHONE: &str = r#"{"phone": "+385911234567"}"#;

/// A directory in which somebody uses the program.
pub(super) struct Desk(pub(super) TempDir);

/// What the program said, and how it ended.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl Desk {
    pub(super) fn new() -> Self {
        let desk = Self(TempDir::new().unwrap());
        desk.put("ladder.yml", LADDER);
        desk.put("call.yml", CALL);
        desk
    }

    pub(super) fn put(&self, file: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.path().join(file), content).unwrap();
    }

    pub(super) fn has(&self, file: &str) -> bool {
        self.0.path().join(file).exists()
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rungs"));
        command.args(args).current_dir(&self.0).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(super) fn say(&self, args: &[&str]) -> Said {
        Said::of(self.command(args).output().unwrap())
    }

    /// Says it and gives what it answered on stdout. It must have worked.
    pub(super) fn ask(&self, args: &[&str]) -> String {
        let said = self.say(args);
        assert_eq!(said.code, Some(0), "{args:?}: {said:#?}");
        said.out
    }

    pub(super) fn ask_json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ask(&[&["--format", "json"], args].concat())).unwrap()
    }

    /// A server on a port of the system's choice, once it listens.
    pub(super) fn serve(&self) -> Server {
        let mut server = Server::start(self.command(&["serve", "--listen", "127.0.0.1:0"]));
        server.wait_for("listening on http://127.0.0.1:");
        server
    }
}

impl Said {
    pub(super) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// It ended with `code`, and said each of `words` on stderr.
    pub(super) fn refuses(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in {self:#?}");
        }
        assert!(!self.err.contains("panicked"), "{self:#?}");
    }
}

pub(super) struct Server {
    pub(super) child: Child,
    pub(super) log: BufReader<std::process::ChildStderr>,
}

impl Server {
    pub(super) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, log }
    }

    /// Reads the log up to a line with `words`.
    pub(super) fn wait_for(&mut self, words: &str) -> String {
        let mut read = String::new();
        loop {
            let mut line = String::new();
            let length = self.log.read_line(&mut line).unwrap();
            assert!(length > 0, "the server ended before it said {words:?}:\n{read}");
            if line.contains(words) {
                return line;
            }
            read += &line;
        }
    }

    /// Ends it in order.
    pub(super) fn end(mut self) -> Option<i32> {
        signal(&self.child, "TERM");
        self.wait_for("ended");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, unless its test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// The words stand in the text, in this order.
pub(super) fn in_order(text: &str, words: &[&str]) {
    let mut rest = text;
    for word in words {
        let Some(at) = rest.find(word) else { panic!("no {word:?} after its place in:\n{text}") };
        rest = &rest[at + word.len()..];
    }
}
