//! The program as people and scripts meet it: what it prints where, and how it ends.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

use serde_json::Value;

mod backup;
mod bounds;
mod cases;
mod desk;
mod fragments;
mod fuzz;
mod import;
#[cfg(feature = "aws")]
mod lambda_runner;
mod moves;
mod own_runners;
mod queue;
mod ready;
mod simulate;
#[cfg(feature = "otel")]
mod traces;
mod watch;

use desk::{Desk, PHONE, Said, Server, in_order, signal};

#[test]
fn a_ladder_is_climbed_before_ones_eyes_until_somebody_confirms() {
    let desk = Desk::new();
    let timeline = desk.ask(&[
        "run",
        "ladder.yml",
        "--data",
        PHONE,
        "--speed",
        "600000",
        "--event",
        "+2h:order.status=confirmed",
    ]);
    in_order(
        &timeline,
        &[
            "started",
            "grace",
            "waits until",
            "(3 min)",
            "grace",
            "next",
            "ring",
            "phone to +385911234567: \"Orders are waiting.\"",
            "ring",
            "sent",
            "ring",
            "no-answer",
            "settle",
            "waits until",
            "(5 h)",
            "event",
            "order.status = confirmed",
            "confirmed",
            "goal achieved",
            "completed, 2 h after its start",
        ],
    );
    assert!(!timeline.contains('\u{1b}'), "colours are for terminals: {timeline:?}");
    let left: Vec<_> = fs::read_dir(&desk.0).unwrap().collect();
    assert_eq!(left.len(), 2, "nothing but the sequences is there: {left:?}");
}

#[test]
fn a_run_for_machines_is_a_line_of_json_for_each_thing_that_happens() {
    let desk = Desk::new();
    desk.put("call.data.json", r#"{"phone": "+385911234567", "date": "2020-01-01"}"#);
    let lines = desk.ask(&["run", "call.yml", "--format", "json", "--calls", "answered"]);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["at"].is_string()), "{lines:#?}");
    let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], *kinds.last().unwrap()), ("started", "completed"));
    let wrote = lines.iter().find(|line| line["kind"] == "wrote").unwrap();
    assert_eq!(wrote["request"]["to"], "+385911234567");
    let reported: Vec<&Value> =
        lines.iter().filter(|line| line["kind"] == "reported").map(|line| &line["what"]).collect();
    assert_eq!(reported, ["sent", "answered", "completed"]);
}

#[test]
fn a_run_says_how_it_ended_by_its_exit_code() {
    let desk = Desk::new();
    let data = r#"{"phone": "+385911234567", "date": "soon"}"#;
    let failed = desk.say(&["run", "call.yml", "--data", data]);
    assert_eq!(failed.code, Some(1), "{failed:#?}");
    assert!(failed.out.contains("failed: step `later`"), "{failed:#?}");

    let stuck = desk.say(&["run", "ladder.yml", "--data", PHONE, "--speed", "300000"]);
    stuck.refuses(3, &["waits at `confirmed` for an event", "--event"]);

    desk.say(&["run", "ladder.yml"]).refuses(1, &["phone", "required", "--data"]);
    desk.say(&["run", "ladder.yml", "--data", "{"]).refuses(2, &["`{` is no JSON", "@FILE"]);
    desk.say(&["run", "ladder.yml", "--event", "7:x"]).refuses(2, &["+7m"]);
    desk.say(&["run", "ladder.yml", "--speed", "0"]).refuses(2, &["--speed"]);
    desk.say(&["run", "nowhere.yml"]).refuses(1, &["nowhere.yml: No such file"]);
}

#[test]
fn a_run_that_is_interrupted_ends_at_once() {
    let desk = Desk::new();
    let mut child = desk.command(&["run", "ladder.yml", "--data", PHONE]).spawn().unwrap();
    let mut timeline = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(timeline.any(|line| line.unwrap().contains("waits until")));
    signal(&child, "INT");
    let said = Said::of(child.wait_with_output().unwrap());
    said.refuses(130, &["interrupted"]);
}

#[test]
fn a_reader_who_has_read_enough_is_no_error() {
    let desk = Desk::new();
    let mut child =
        desk.command(&["run", "ladder.yml", "--data", PHONE, "--speed", "60000"]).spawn().unwrap();
    drop(child.stdout.take());
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(0), "{said:#?}");
}

#[test]
fn a_check_says_everything_that_is_wrong_with_every_file() {
    let desk = Desk::new();
    desk.put("bad.yml", "sequence: bad\nsteps:\n  - id: a\n    run: Phon\n  - id: a\n    nxt: b\n");
    desk.put("junk.yml", [0xff, 0x00, 0x80]);
    desk.put("huge.yml", "#".repeat(2 * 1024 * 1024));
    let files = ["ladder.yml", "bad.yml", "junk.yml", "huge.yml", "nowhere.yml", "."];
    let said = desk.say(&[&["check"], &files[..]].concat());
    said.refuses(1, &["6 files checked"]);
    for words in [
        "bad.yml:4:10",
        "there is no runner `Phon`",
        "did you mean `Phone`",
        "bad.yml:5:",
        "bad.yml:6:5",
        "junk.yml",
        "huge.yml: it is larger than 1 MiB",
        "nowhere.yml: No such file",
        ".: is a directory",
    ] {
        assert!(said.out.contains(words), "no {words:?} in:\n{}", said.out);
    }
    let lines = desk.say(&[&["check", "--format", "json"], &files[..]].concat());
    let lines = lines.out.lines().map(|line| serde_json::from_str(line).unwrap());
    let (bounds, lines): (Vec<Value>, Vec<Value>) =
        lines.partition(|line: &Value| line.get("bounds").is_some());
    assert!(bounds.len() == 1 && bounds[0]["file"] == "ladder.yml", "{bounds:?}");
    assert!(lines.iter().all(|line| line["severity"] == "error" && line["file"] != "ladder.yml"));
    let runner = lines.iter().find(|line| line["code"] == "unknown-runner").unwrap();
    assert_eq!((&runner["file"], &runner["line"]), (&"bad.yml".into(), &4.into()));
}

#[test]
fn a_check_reads_stdin_and_is_content_with_what_is_right() {
    let desk = Desk::new();
    let said = desk.say(&["check", "ladder.yml", "call.yml"]);
    said.refuses(0, &["2 files checked, nothing to say"]);
    let mut child = desk.command(&["check", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"sequence: x").unwrap();
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("the key `steps` is missing"), "{said:#?}");
}

#[test]
fn why_was_i_not_called() {
    let desk = Desk::new();
    desk.ask(&["apply", "call.yml"]);
    let data = r#"{"phone": "+385911234567", "date": "soon"}"#;
    let id = desk.ask(&["start", "call", "--id", "order-1", "--data", data]);
    assert_eq!(id, "order-1\n", "stdout has the id alone, for scripts");
    let tally = desk.ask_json(&["evaluate", "--drain"]);
    assert_eq!((&tally["attempts"], &tally["failed"]), (&1.into(), &1.into()));

    let shown = desk.ask(&["show", "order-1"]);
    in_order(
        &shown,
        &[
            "order-1",
            "call, version 1",
            "failed at later",
            "\"soon\" is no date",
            "ring",
            "altNext",
            "no-answer",
            "deliveries",
            "phone to +385911234567: \"Hello.\"",
            "no-answer after 1 attempt",
            "started",
            "» phone to +385911234567",
            "· no-answer",
            "altNext",
            "failed: step `later`",
        ],
    );
    let shown = desk.ask_json(&["show", "order-1"]);
    assert_eq!(shown["deliveries"][0]["status"], "no-answer");
    assert_eq!(shown["deliveries"][0]["log"][0]["what"], "sent");
    assert_eq!(shown["history"][0]["kind"], "started");
    let listed = desk.ask_json(&["ps"]);
    assert_eq!((&listed["process_id"], &listed["status"]), (&"order-1".into(), &"failed".into()));
}

#[test]
fn a_process_is_paused_told_something_and_stopped() {
    let desk = Desk::new();
    desk.ask(&["apply", "ladder.yml"]);
    assert!(desk.ask(&["apply", "ladder.yml"]).contains("version 1, unchanged"));
    let start = ["start", "ladder", "--id", "p", "--data", PHONE];
    assert_eq!(desk.ask_json(&start)["new"], true);
    assert_eq!(desk.ask_json(&start)["new"], false);
    desk.ask(&["evaluate"]);
    let listed = desk.ask(&["ps"]);
    in_order(&listed, &["due in", "p", "ladder v1", "active", "grace", "2 min "]);

    let answer = |status: &str, changed: bool| serde_json::json!({ "process_id": "p", "status": status, "changed": changed });
    assert_eq!(desk.ask_json(&["pause", "p"]), answer("paused", true));
    assert_eq!(desk.ask_json(&["pause", "p"]), answer("paused", false));
    assert_eq!(desk.ask_json(&["resume", "p"]), answer("active", true));
    let event = ["event", "p", "seen", "--data", r#"{"by": "Ana"}"#, "--id", "e-1"];
    assert_eq!(desk.ask_json(&event)["new"], true);
    assert_eq!(desk.ask_json(&event)["new"], false);
    desk.ask(&["evaluate"]);
    assert_eq!(desk.ask_json(&["show", "p"])["data"]["by"], "Ana");
    assert_eq!(desk.ask_json(&["stop", "p", "--reason", "found"]), answer("stopped", true));
    assert_eq!(desk.ask_json(&["stop", "p"]), answer("stopped", false));

    assert!(!desk.ask(&["ps"]).contains("ladder"), "what was stopped is not in the usual list");
    assert!(desk.ask(&["ps", "--all"]).contains("stopped"));
    desk.say(&["resume", "p"]).refuses(1, &["the process is stopped"]);
    desk.say(&["event", "p", "late"]).refuses(1, &["the process is stopped"]);
    desk.say(&["stop", "q"]).refuses(1, &["no process bears the id `q`"]);
    desk.say(&["show", "q"]).refuses(1, &["no process bears the id `q`"]);
    desk.say(&["start", "nothing"]).refuses(1, &["there is no sequence `nothing`"]);
}

#[test]
fn sequences_are_published_together_or_not_at_all() {
    let desk = Desk::new();
    desk.put("bad.yml", "sequence: bad\nsteps: []\n");
    desk.say(&["apply", "ladder.yml", "bad.yml"])
        .refuses(1, &["bad.yml:2:", "nothing was published"]);
    assert!(!desk.ask(&["sequences"]).contains("ladder"));
}

#[test]
fn commands_work_beside_a_server_on_the_same_file() {
    let desk = Desk::new();
    let mut server = desk.serve();
    desk.ask(&["apply", "call.yml"]);
    let data = r#"{"phone": "+385911234567", "date": "2999-01-01"}"#;
    desk.ask(&["start", "call", "--id", "order-1", "--data", data]);
    server.wait_for("phone [order-1, ring] to +385911234567");
    assert!(desk.ask(&["ps"]).contains("order-1"));
    desk.ask(&["stop", "order-1"]);

    let pid = format!("process {}", server.child.id());
    let second = desk.say(&["serve", "--listen", "127.0.0.1:0"]);
    second.refuses(1, &["another `rungs serve`", &pid, "rungs.db"]);
    assert_eq!(second.err.lines().count(), 1, "{second:#?}");
    assert_eq!(server.end(), Some(0));
    // Nothing of the first one stands in the way of the next.
    assert_eq!(desk.serve().end(), Some(0));
}

#[test]
fn a_server_that_others_could_reach_wants_a_key() {
    let desk = Desk::new();
    desk.say(&["serve", "--listen", "0.0.0.0:0"]).refuses(1, &["RUNGS_API_KEYS"]);
    assert!(!desk.has("rungs.db"));
}

#[test]
fn a_server_logs_json_where_machines_read_it() {
    let desk = Desk::new();
    desk.ask(&["apply", "call.yml"]);
    let mut command = desk.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("RUNGS_LOG_FORMAT", "json").env("RUNGS_LOG", "rungs=debug");
    command.env("RUNGS_CONSOLE_CALLS", "answered");
    let mut server = Server::start(command);
    let line: Value = serde_json::from_str(&server.wait_for("listening")).unwrap();
    assert_eq!(line["level"], "INFO");

    // Each fact is one flat line with the ids that it speaks of.
    let data = r#"{"phone": "+385911234567", "date": "2999-01-01"}"#;
    desk.ask(&["start", "call", "--id", "order-1", "--data", data]);
    let mut line: Value = Value::Null;
    for (message, fields) in [
        ("a delivery was written", &["sequence", "step", "delivery", "channel"][..]),
        ("sent", &["step", "delivery", "provider", "attempt"]),
        ("a delivery went on", &["step", "delivery", "channel", "status"]),
        ("a step was visited", &["sequence", "step", "runner", "action"]),
    ] {
        line =
            serde_json::from_str(&server.wait_for(&format!("\"message\":\"{message}\""))).unwrap();
        assert_eq!(line["process"], "order-1", "{line:#}");
        assert!(fields.iter().all(|name| line.get(name).is_some()), "{line:#}");
    }
    assert!(line.as_object().unwrap().values().all(|value| !value.is_object()), "{line:#}");
    assert_eq!(server.end(), Some(0));
}

#[test]
fn who_only_looks_makes_no_database() {
    let desk = Desk::new();
    for command in [&["ps"][..], &["show", "p"], &["stop", "p"], &["sequences"]] {
        desk.say(command).refuses(1, &["there is no database at rungs.db"]);
    }
    assert!(!desk.has("rungs.db"));
    desk.put("rungs.db", "");
    for command in [&["ps"][..], &["explain", "p"], &["plan", "ladder.yml"], &["audit"]] {
        desk.say(command).refuses(1, &["is none of Rungs'", "`rungs migrate`"]);
    }
    assert!(desk.ask(&["migrate"]).contains("the schema is up to date"));
    assert!(desk.has("rungs.db"));
    assert_eq!(desk.ask_json(&["migrate"])["migrations"], 0);
}

#[test]
fn what_is_wrong_with_the_configuration_is_one_line() {
    let desk = Desk::new();
    let with = |name: &str, value: &str| {
        Said::of(desk.command(&["evaluate"]).env(name, value).output().unwrap())
    };
    for (name, value, words) in [
        ("RUNGS_TIMEZONE", "Zagreb", "Zagreb"),
        ("RUNGS_LOG", "rungs=loud", "RUNGS_LOG"),
        ("RUNGS_DATABASE_URL", "mysql://u:hush@h/d", "expected sqlite:FILE or postgres://"),
        ("RUNGS_SMS_PER_SECOND", "0", "limits.sms"),
    ] {
        let said = with(name, value);
        said.refuses(1, &[words]);
        assert!(!said.err.contains("hush"), "{said:#?}");
    }
    desk.put("rungs.toml", "listne = 'x'");
    desk.say(&["ps"]).refuses(1, &["listne"]);
    let checked = desk.say(&["check", "ladder.yml"]);
    assert_eq!(checked.code, Some(0), "a check needs no configuration");
    assert!(checked.err.contains("no runners of the configuration are known"), "{checked:#?}");
    desk.say(&["--config", "elsewhere.toml", "ps"]).refuses(1, &["elsewhere.toml"]);
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let desk = Desk::new();
    for args in [&["climb"][..], &["run"], &["ps", "--status", "asleep"], &["check"]] {
        desk.say(args).refuses(2, &["error:"]);
    }
    assert!(desk.ask(&["--help"]).contains("First steps"));
}
