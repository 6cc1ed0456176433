//! What the program tells whoever watches over it.

use std::{fs, process::Command};

use serde_json::Value;

use super::{Desk, Said, in_order};
use crate::fakes::watcher::FakeWatcher;

const PHONE: &str = r#"{"phone": "+385911234567"}"#;

/// Does to the database what only a defect, or another version, would.
async fn sabotage(desk: &Desk, sql: &str) {
    use sea_orm::ConnectionTrait;
    let url = format!("sqlite:{}", desk.0.path().join("rungs.db").display());
    let raw = sea_orm::Database::connect(url).await.unwrap();
    assert!(raw.execute_unprepared(sql).await.unwrap().rows_affected() > 0, "{sql}");
    raw.close().await.unwrap();
}

#[tokio::test]
async fn an_audit_finds_what_is_overdue_and_says_so_by_its_exit_code() {
    let desk = Desk::new();
    desk.ask(&["apply", "ladder.yml"]);
    desk.ask(&["start", "ladder", "--id", "order-1", "--data", PHONE]);
    assert_eq!(desk.ask(&["audit"]), "nothing is forgotten, orphaned or overdue\n");
    let clean = desk.ask_json(&["audit"]);
    assert_eq!(clean["overdue"], serde_json::json!({ "count": 0, "first": [] }));

    sabotage(&desk, "UPDATE processes SET due_at = due_at - 90000").await;
    let said = desk.say(&["audit"]);
    said.refuses(1, &["1 process due for more than a minute", "rungs serve"]);
    in_order(
        &said.out,
        &["found", "id", "sequence", "step", "overdue", "order-1", "ladder", "1 min 3"],
    );
    let said = desk.say(&["--format", "json", "audit", "--limit", "1"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    let found: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(found["overdue"]["first"][0]["process_id"], "order-1");

    desk.ask(&["evaluate"]);
    desk.ask(&["audit"]);
}

#[tokio::test]
async fn an_audit_of_a_database_that_is_not_there_or_not_ones_own_says_why() {
    let desk = Desk::new();
    desk.say(&["audit"]).refuses(1, &["there is no database at rungs.db"]);
    assert!(!desk.has("rungs.db"));

    desk.ask(&["migrate"]);
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 1)";
    sabotage(&desk, newer).await;
    desk.ask(&["audit"]);
    sabotage(&desk, "UPDATE schema_compatibility SET needed = 'm9999_later'").await;
    desk.say(&["audit"]).refuses(1, &["its schema is newer than this program"]);

    fs::write(desk.0.path().join("rungs.db"), "this is no database").unwrap();
    desk.say(&["audit"]).refuses(1, &["rungs.db cannot be reached"]);
    let nobody = ["--config", "elsewhere.toml", "audit"];
    desk.say(&nobody).refuses(1, &["elsewhere.toml"]);
    desk.say(&["audit", "--limit", "0"]).refuses(2, &["--limit"]);
}

/// The watcher hears of each round as long as all is well, and its secret is in no log.
#[tokio::test]
async fn an_evaluation_tells_the_watcher_that_all_is_well() {
    let (desk, watcher) = (Desk::new(), FakeWatcher::start().await);
    let evaluate = |url: String| {
        let mut command: Command = desk.command(&["evaluate"]);
        command.env("RUNGS_HEARTBEAT_URL", url).env("RUNGS_LOG", "trace");
        tokio::task::spawn_blocking(move || Said::of(command.output().unwrap()))
    };
    let quiet = |said: &Said| assert!(!format!("{said:?}").contains("hush"), "{said:#?}");

    let said = evaluate(watcher.url().to_owned()).await.unwrap();
    assert_eq!((said.code, watcher.heard()), (Some(0), 1), "{said:#?}");
    quiet(&said);

    watcher.answers(500);
    let said = evaluate(watcher.url().to_owned()).await.unwrap();
    assert_eq!((said.code, watcher.heard()), (Some(0), 2), "{said:#?}");
    assert!(said.err.contains("the heartbeat was not heard"), "{said:#?}");
    quiet(&said);

    // Nobody is there.
    let address = watcher.url().to_owned();
    drop(watcher);
    let said = evaluate(address).await.unwrap();
    assert_eq!(said.code, Some(0), "{said:#?}");
    quiet(&said);

    let said = evaluate("hush".to_owned()).await.unwrap();
    said.refuses(1, &["heartbeat.url: expected an address"]);
    quiet(&said);
}
