//! Sequences that are made of several files, from the folder to the process that climbs.

use std::{fs, os::unix::fs::symlink, process::Command, time::Duration};

use serde_json::Value;

use super::{Desk, Said, in_order};

const ORDERS: &str = r#"
sequence: orders
steps:
  - id: kitchen
    run: ./shared/ring.yml
    config: { phone: "{{phone}}" }
    altNext: nobody
  - { id: settle, run: WaitForDuration, config: { amount: 1, unit: hours }, next: end }
  - { id: nobody, run: SMS, config: { to: "{{phone}}", message: Nobody picks up. } }
"#;

const RING: &str = r#"
fragment: ring
parameters: { required: [phone], properties: { phone: { type: string } } }
steps:
  - { id: grace, run: WaitForDuration, config: { amount: 3, unit: minutes } }
  - id: call
    run: Phone
    config: { to: "{{param.phone}}", say: Orders are waiting., await: answered }
    altNext: altNext
"#;

const PHONE: &str = r#"{"phone": "+385911234567"}"#;

fn desk() -> Desk {
    let desk = Desk::new();
    fs::create_dir(desk.0.path().join("shared")).unwrap();
    desk.put("orders.yml", ORDERS);
    desk.put("shared/ring.yml", RING);
    desk
}

/// Whatever stands in a folder, nobody waits for it.
fn soon(desk: &Desk, args: &[&str]) -> Said {
    let mut child = desk.command(args).spawn().unwrap();
    for _ in 0..1_000 {
        if child.try_wait().unwrap().is_some() {
            return Said::of(child.wait_with_output().unwrap());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    panic!("{args:?} hangs");
}

#[test]
fn a_process_climbs_the_files_that_were_there_when_its_version_was_published() {
    let desk = desk();
    desk.ask(&["check", "orders.yml", "shared/ring.yml"]);
    assert_eq!(desk.ask_json(&["apply", "orders.yml", "shared/ring.yml"])["version"], 1);
    assert_eq!(desk.ask_json(&["apply", "orders.yml"])["changed"], false);
    desk.ask(&["start", "orders", "--id", "old", "--data", PHONE]);

    desk.put("shared/ring.yml", RING.replace("grace", "patience"));
    assert_eq!(desk.ask_json(&["apply", "orders.yml"])["version"], 2);
    desk.ask(&["start", "orders", "--id", "new", "--data", PHONE]);

    fs::remove_file(desk.0.path().join("shared/ring.yml")).unwrap();
    desk.ask(&["evaluate"]);
    in_order(&desk.ask(&["show", "old"]), &["kitchen--grace", "waits until"]);
    in_order(&desk.ask(&["show", "new"]), &["kitchen--patience", "waits until"]);
    desk.say(&["apply", "orders.yml"]).refuses(1, &["there is no such file", "nothing was"]);
}

#[test]
fn a_run_goes_through_the_steps_of_a_fragment() {
    let desk = desk();
    let told = desk.ask(&["run", "orders.yml", "--data", PHONE, "--speed", "600000"]);
    in_order(
        &told,
        &["kitchen--grace", "waits until", "kitchen--call", "no-answer", "nobody", "completed"],
    );
    assert!(desk.ask(&["diagram", "orders.yml"]).contains("kitchen--call"));
    let told = desk.ask(&[
        "simulate",
        "orders.yml",
        "--data",
        PHONE,
        "--answer",
        "kitchen--call=answered",
    ]);
    in_order(&told, &["kitchen--call", "answered", "settle", "completed"]);
    desk.put(
        "orders.test.yml",
        format!("given: {{ data: {PHONE} }}\ncases: [{{ case: a, then: [+3m: kitchen--call, +3m 30s: nobody, +3m 30s: completed] }}]"),
    );
    desk.ask(&["test", "orders.test.yml"]);
}

#[test]
fn what_is_wrong_in_a_fragment_is_told_in_its_file() {
    let desk = desk();
    desk.put("shared/ring.yml", RING.replace("minutes", "minuts"));
    let told = desk.say(&["check", "orders.yml"]);
    assert_eq!(told.code, Some(1));
    in_order(&told.out, &["did you mean `minutes`", "used by step `kitchen`, orders.yml:4:5"]);
    assert!(told.out.contains("--> shared/ring.yml:5:67"), "{}", told.out);

    fs::create_dir(desk.0.path().join("elsewhere")).unwrap();
    let told = Said::of(
        desk.command(&["--format", "json", "check", "../orders.yml"])
            .current_dir(desk.0.path().join("elsewhere"))
            .output()
            .unwrap(),
    );
    let found: Value = serde_json::from_str(told.out.lines().next().unwrap()).unwrap();
    assert_eq!(found["file"], "../shared/ring.yml");
    assert_eq!((&found["line"], &found["code"]), (&5.into(), &"not-one-of".into()));
    assert_eq!(found["used_by"][0]["file"], "../orders.yml");

    let alone = desk.say(&["check", "shared/ring.yml"]);
    assert!(alone.out.contains("--> shared/ring.yml:5:67"), "{alone:#?}");
    desk.say(&["apply", "shared/ring.yml"]).refuses(1, &["nothing to publish"]);
    desk.say(&["simulate", "shared/ring.yml"]).refuses(1, &["this is a fragment"]);
}

#[test]
fn no_file_hangs_it_or_leads_out_of_the_folder() {
    let desk = desk();
    let shared = desk.0.path().join("shared");
    let outside = Desk::new();
    outside.put("secret.yml", "fragment: secret\nsteps: []");
    symlink(outside.0.path().join("secret.yml"), shared.join("link.yml")).unwrap();
    symlink("/dev/zero", shared.join("zero.yml")).unwrap();
    fs::create_dir(shared.join("folder.yml")).unwrap();
    let fifo = Command::new("mkfifo").arg(shared.join("fifo.yml")).status().unwrap();
    assert!(fifo.success());
    desk.put("shared/large.yml", "#".repeat(2 << 20));
    desk.put("shared/bytes.yml", [0xff, 0xfe]);
    desk.put("shared/self.yml", "fragment: f\nsteps: [{ id: a, run: ./self.yml }]");
    for (path, told) in [
        ("./shared/link.yml", "lies outside of"),
        ("./shared/zero.yml", "lies outside of"),
        ("./shared/folder.yml", "no regular file"),
        ("./shared/fifo.yml", "no regular file"),
        ("./shared/large.yml", "larger than 1 MiB"),
        ("./shared/bytes.yml", "not UTF-8"),
        ("./shared/self.yml", "uses itself"),
        ("./shared/nothing.yml", "no such file"),
        ("../../../../../../../../etc/hostname", "lies outside of"),
        ("./shared/ring.yml/x", "cannot be read"),
        ("./", "no path of a file"),
        ("/etc/hostname", "there is no runner"),
    ] {
        desk.put("wrong.yml", format!("sequence: s\nsteps: [{{ id: a, run: {path} }}]"));
        for command in ["check", "simulate", "apply"] {
            let said = soon(&desk, &[command, "wrong.yml"]);
            assert_eq!(said.code, Some(1), "{path}: {said:#?}");
            assert!(format!("{}{}", said.out, said.err).contains(told), "{path}: {said:#?}");
        }
    }
}

#[test]
fn a_calendar_comes_along_from_the_nearest_folder_that_has_it() {
    let desk = desk();
    fs::create_dir_all(desk.0.path().join("teams/north")).unwrap();
    fs::create_dir(desk.0.path().join("calendars")).unwrap();
    desk.put("calendars/hours.yml", "hours: {}\n");
    let step = "{ id: a, run: PubNub, config: { channel: c, message: { calendar: hours } } }";
    desk.put("teams/north/s.yml", format!("sequence: s\nsteps: [{step}]"));
    desk.ask(&["apply", "teams/north/s.yml"]);
    assert_eq!(desk.ask_json(&["apply", "teams/north/s.yml"])["changed"], false);
    desk.put("calendars/hours.yml", "hours: { monday: closed }\n");
    assert_eq!(desk.ask_json(&["apply", "teams/north/s.yml"])["version"], 2);
}
