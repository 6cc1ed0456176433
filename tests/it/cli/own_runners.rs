//! Runners of one's own: in Rust, as a program that has them; in Python and Node, as the
//! samples that come with the documentation.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rungs::{channels::remote::signature, clock::Clock};
use serde_json::{Value, json};

use super::{Desk, Said};

const SECRET: &str = "hush-hush-hush-hush";
const CREDIT: &str = include_str!("../../../examples/credit.yml");

fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file)
}

/// A sample that runs until it is dropped.
struct Receiver {
    child: Child,
    url: String,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Receiver {
    fn start(interpreter: &str, file: &str) -> Self {
        let mut command = Command::new(interpreter);
        command.arg(example(file)).env("RUNGS_SECRET", SECRET).env("PORT", "0");
        let mut child = command.stdout(Stdio::piped()).spawn().expect(interpreter);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect("where it listens").to_owned();
        Self { child, url }
    }

    /// A desk whose `rungs` knows it.
    fn desk(&self) -> Desk {
        let desk = Desk::new();
        let url = &self.url;
        let settings = format!("[runners.CreditCheck]\nurl = '{url}'\nsecret = '{SECRET}'\n");
        desk.put("rungs.toml", settings);
        desk.put("credit.yml", CREDIT);
        desk
    }

    /// Posts a visit, signed `seconds` ago with `secret`, and gives the status.
    async fn post(&self, body: &str, seconds: i64, secret: &str, signed: &str) -> (u16, Value) {
        let timestamp = Clock::System.now().timestamp() - seconds;
        let request = reqwest::Client::new()
            .post(&self.url)
            .header(signature::TIMESTAMP, timestamp)
            .header(signature::SIGNATURE, signature::sign(secret, timestamp, signed.as_bytes()))
            .body(body.to_owned());
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

fn climb(desk: &Desk, data: &str) -> String {
    let said = desk.say(&["run", "credit.yml", "--speed", "100000", "--data", data]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.out
}

async fn a_sample_verifies_and_answers(interpreter: &str, file: &str) {
    // Whoever comes first installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let receiver = Receiver::start(interpreter, file);
    let desk = receiver.desk();
    let checked = desk.ask(&["check", "credit.yml"]);
    assert!(checked.contains("waits until `CreditCheck` answers"), "{checked}");
    let told = climb(&desk, r#"{"order": {"id": 7, "total": 120}}"#);
    assert!(told.contains("→ next: 120 is fine"), "{told}");
    assert!(told.contains(r#"{"order":"7","granted":"120"}"#), "{told}");
    let told = climb(&desk, r#"{"order": {"id": 8, "total": 900}}"#);
    assert!(told.contains("↘ altNext: 900 is too much"), "{told}");
    assert!(told.contains("Order 8 is beyond its credit."), "{told}");
    let args = ["run", "credit.yml", "--speed", "100000", "--data", "{}"];
    let told = desk.ask(&[&args[..], &["--event", "+7m:order.total=3"]].concat());
    assert!(told.contains("no total yet") && told.contains("3 is fine"), "{told}");

    let visit =
        json!({ "id": "1", "config": { "most": "5" }, "data": { "order": { "total": 5 } } });
    let body = json!({ "config": {}, "runners": [visit] }).to_string();
    let (status, answer) = receiver.post(&body, 200, SECRET, &body).await;
    assert_eq!(
        (status, &answer[0]["id"], &answer[0]["action"]),
        (200, &"1".into(), &"next".into())
    );
    let again = body.replace(r#""total":5"#, r#""total":6"#);
    let (_, second) = receiver.post(&again, 0, SECRET, &again).await;
    assert_eq!(second, answer, "the same visit gets the same answer");
    for (body, seconds, secret, signed) in [
        (&body, 0, "another-secret-of-16", &body),
        (&body, 400, SECRET, &body),
        (&body, -400, SECRET, &body),
        (&again, 0, SECRET, &body),
    ] {
        assert_eq!(receiver.post(body, seconds, secret, signed).await.0, 401, "{seconds} {secret}");
    }
    let unsigned = reqwest::Client::new().post(&receiver.url).body(body).send().await.unwrap();
    assert_eq!(unsigned.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sample_verifies_and_answers() {
    a_sample_verifies_and_answers("python3", "receiver.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_sample_verifies_and_answers() {
    a_sample_verifies_and_answers("node", "receiver.mjs").await;
}

/// The example in Rust, built as this test was.
fn quorum() -> PathBuf {
    let rungs = Path::new(env!("CARGO_BIN_EXE_rungs"));
    let built = rungs.parent().unwrap();
    let profile = match built.file_name().and_then(|name| name.to_str()).unwrap() {
        "debug" => "dev",
        other => other,
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["build", "--quiet", "--locked", "--example", "quorum", "--profile", profile]);
    cargo.arg("--target-dir").arg(built.parent().unwrap());
    // Other features would make another library, and this one anew the next time.
    for (feature, is_on) in [("otel", cfg!(feature = "otel")), ("aws", cfg!(feature = "aws"))] {
        if is_on {
            cargo.args(["--features", feature]);
        }
    }
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    built.join("examples/quorum")
}

fn say(program: &Path, desk: &Desk, args: &[&str]) -> Said {
    let mut command = Command::new(program);
    command.args(args).current_dir(&desk.0).env_clear().stdin(Stdio::null());
    Said::of(command.output().unwrap())
}

#[test]
fn a_program_with_a_runner_of_its_own_has_every_command_and_knows_it() {
    let (program, desk) = (quorum(), Desk::new());
    let sequence = example("quorum.yml");
    let sequence = sequence.to_str().unwrap();
    let checked = say(&program, &desk, &["check", sequence]);
    assert_eq!(checked.code, Some(0), "{checked:#?}");
    desk.say(&["check", sequence]).refuses(1, &["1 file checked: 1 error"]);

    let text = include_str!("../../../examples/quorum.yml");
    desk.put("nobody.yml", text.replace("count: 2", "count: 0"));
    let checked = say(&program, &desk, &["check", "nobody.yml"]);
    assert!(checked.out.contains("nobody would have to agree"), "{checked:#?}");

    let run = ["run", sequence, "--speed", "100000", "--event", "+2m:ack"];
    let ran = say(&program, &desk, &[&run[..], &["--event", "+3m:ack"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains("→ next: 2 of 2 came"), "{}", ran.out);
    let ran = say(&program, &desk, &run);
    assert!(ran.out.contains("↘ altNext: 1 of 2 came"), "{}", ran.out);

    // Also what is published and stored.
    for args in [&["apply", sequence][..], &["start", "quorum", "--id", "q"], &["evaluate"]] {
        let said = say(&program, &desk, args);
        assert_eq!(said.code, Some(0), "{said:#?}");
    }
    assert!(say(&program, &desk, &["show", "q"]).out.contains("0 of 2 came"));
    desk.put(
        "rungs.toml",
        format!("[runners.Quorum]\nurl = 'http://127.0.0.1:1'\nsecret = '{SECRET}'"),
    );
    say(&program, &desk, &["ps"]).refuses(1, &["runners.Quorum", "a runner of that name already"]);
}

#[test]
fn a_runner_that_is_configured_wrongly_is_told_before_anything_else() {
    let desk = Desk::new();
    for (settings, words) in [
        ("[runners.Phone]\nurl = 'http://a.example'", "runners.Phone: the runner `Phone` comes"),
        ("[runners.Own]\nurl = 'http://a.example'", "runners.Own.secret: expected at least 16"),
        ("[runners.Own]\nurl = 'a.example'", "URL"),
        ("[runners.Own]\nlamda = 'arn'", "lamda"),
    ] {
        desk.put("rungs.toml", settings);
        desk.say(&["evaluate"]).refuses(1, &[words]);
    }
}
