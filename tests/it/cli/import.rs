//! `rungs import roesc`, from a PostgreSQL as roesc leaves it.

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::{Desk, Said, in_order};
use crate::databases::{Database, Kind};

/// roesc's schema, as its own script makes it.
const SCHEMA: &str = "
    CREATE TABLE process (
      id character varying(40) NOT NULL,
      at bigint NOT NULL,
      notifications character varying(2048) NOT NULL,
      CONSTRAINT process_pkey PRIMARY KEY (id)
    );
    CREATE INDEX idx_process_at ON process USING btree (at);
    CREATE TABLE property (
      property_key character varying(128) NOT NULL,
      property_value character varying(2048) NOT NULL,
      CONSTRAINT property_pkey PRIMARY KEY (property_key)
    );";

/// Rows as roesc writes them: a vector where it was inserted, a sequence where it was updated.
const ROWS: &str = r#"
    INSERT INTO process VALUES
      ('galija', 32503680000, '[{:channel "phone", :at 32503680000, :phone-number "+385911234567"} {:channel "email", :at 32503680060, :email "kuhar@example.com"}]'),
      ('konoba 🍕', 32503680001, '({:channel "pubnub", :at 32503680001, :pubnub-channel "ch-1"})'),
      ('lucky', 32503680002, '[{:channel "phone", :at 32503680002.5M, :phone-number "+385917654321"}]'),
      ('broken', 32503680003, '[{:channel "phone", :at'),
      ('fax', 32503680004, '[{:channel "fax", :at 32503680004}]');
    INSERT INTO property VALUES ('caller-id-registry', '{
        "+385": "+3851111111",
        "default": "+12569065677"
    }')"#;

async fn run(url: &str, sql: &str) {
    let db = sea_orm::Database::connect(url).await.unwrap();
    db.execute_unprepared(sql).await.unwrap();
    db.close().await.unwrap();
}

/// The program's answer as JSON, and its exit code.
fn import(desk: &Desk, arguments: &[&str]) -> (Option<i32>, Value) {
    let said = desk.say(&[&["--format", "json", "import", "roesc"], arguments].concat());
    let report = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:#?}"));
    (said.code, report)
}

fn figures(report: &Value) -> [&Value; 3] {
    ["started", "live", "before"].map(|key| &report[key])
}

#[tokio::test]
async fn a_deployment_of_roesc_moves_over_and_what_is_broken_is_named() {
    let (roesc, desk) = (Database::fresh(Kind::Postgres).await, Desk::new());
    run(&roesc.url, SCHEMA).await;
    run(&roesc.url, ROWS).await;
    let database = ["--database", roesc.url.as_str()];

    // First somebody looks, and nothing is made by it.
    let said = desk.say(&[&["import", "roesc", "--dry-run"], &database[..]].concat());
    said.refuses(
        1,
        &["process broken: notifications: it is no EDN", "process fax: notifications/0/channel"],
    );
    in_order(
        &said.out,
        &[
            "process",
            "galija",
            "2",
            "3000-01-01 00:00:00",
            "+385911234567",
            "started",
            "konoba",
            "ch-1",
            "3 processes would be started, 0 live here already, 0 brought before, 2 refused",
            "the registry of caller ids would be kept",
        ],
    );
    assert!(!desk.has("rungs.db"));

    let (code, report) = import(&desk, &database);
    assert_eq!((code, figures(&report)), (Some(1), [&json!(3), &json!(0), &json!(0)]));
    assert_eq!(report["caller_ids"], "kept");
    assert_eq!(report["refused"].as_array().unwrap().len(), 2);
    assert_eq!(report["processes"][2]["next_at"], "3000-01-01T00:00:02.500Z");
    let shown = desk.ask_json(&["show", "konoba 🍕"]);
    assert_eq!(
        (&shown["status"], &shown["data"]["notifications"][0]["to"]),
        (&json!("active"), &json!("ch-1"))
    );
    assert_eq!(desk.ask_json(&["caller-ids"])["caller_ids"]["+385"], "+3851111111");

    // Again, also after one has ended and the broken ones were mended.
    desk.ask(&["stop", "galija"]);
    run(&roesc.url, "DELETE FROM process WHERE id = 'fax'").await;
    let mended = "UPDATE process SET notifications = '[{:channel \"phone\", :at 32503680003, :phone-number \"+385911234567\"}]' WHERE id = 'broken'";
    run(&roesc.url, mended).await;
    let (code, report) = import(&desk, &database);
    assert_eq!((code, figures(&report)), (Some(0), [&json!(1), &json!(0), &json!(3)]));
    let (code, report) = import(&desk, &database);
    assert_eq!((code, figures(&report)), (Some(0), [&json!(0), &json!(0), &json!(4)]));
    assert_eq!(report["caller_ids"], "before");
    assert_eq!(desk.ask_json(&["show", "galija"])["status"], "stopped");
}

/// Rungs in the place of roesc, with nothing but roesc's own variables.
#[tokio::test]
async fn roescs_own_variables_say_where_it_all_is() {
    let (roesc, desk) = (Database::fresh(Kind::Postgres).await, Desk::new());
    run(&roesc.url, SCHEMA).await;
    run(&roesc.url, ROWS).await;
    let url = url::Url::parse(&roesc.url).unwrap();
    let rungs = |arguments: &[&str]| {
        let mut command = desk.command(arguments);
        command.env("DB_HOST", "127.0.0.1").env("DB_PORT", url.port().unwrap().to_string());
        command.env("DB_NAME", url.path().trim_start_matches('/')).env("DB_USER", "rungs");
        Said::of(command.output().unwrap())
    };
    let said = rungs(&["import", "roesc"]);
    said.refuses(1, &["process broken", "process fax"]);
    assert!(said.out.contains("3 processes started"), "{said:#?}");
    assert!(!desk.has("rungs.db"), "it all is in one PostgreSQL");
    assert!(rungs(&["ps"]).out.contains("galija"));
}

#[tokio::test]
async fn what_is_no_database_of_roesc_is_refused_in_one_line() {
    let (other, desk) = (Database::fresh(Kind::Postgres).await, Desk::new());
    let import = |url: &str| desk.say(&["import", "roesc", "--database", url]);
    import(&other.url).refuses(1, &["there is no table `process`"]);
    import("sqlite:rungs.db").refuses(2, &["roesc's database is a PostgreSQL"]);
    import("postgres://u:hush@127.0.0.1:1/roesc")
        .refuses(1, &["roesc's database, postgres://u@127.0.0.1:1/roesc"]);
    desk.say(&["import", "roesc"]).refuses(2, &["--database"]);
    assert!(!desk.has("rungs.db"));
}
