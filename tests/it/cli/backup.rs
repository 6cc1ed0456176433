//! Copies of the database, and their way back. Under load: `crashes/backups.rs`.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use sea_orm::ConnectionTrait;
use serde_json::Value;

use super::{Desk, Server, signal};

/// A desk with a process, and a copy of it.
fn desk_with_a_copy() -> Desk {
    let desk = Desk::new();
    desk.ask(&["apply", "call.yml"]);
    desk.ask(&["start", "call", "--id", "before", "--data", r#"{"date": "2999-01-01"}"#]);
    let answer = desk.ask_json(&["backup", "copy.db"]);
    assert_eq!(answer["bytes"].as_u64(), Some(fs::metadata(path(&desk, "copy.db")).unwrap().len()));
    desk.ask(&["start", "call", "--id", "after", "--data", r#"{"date": "2999-01-01"}"#]);
    desk
}

fn path(desk: &Desk, file: &str) -> PathBuf {
    desk.0.path().join(file)
}

/// Ids of live processes, sorted.
fn live(desk: &Desk) -> Vec<String> {
    let said = desk.ask(&["--format", "json", "ps"]);
    let ids = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut ids: Vec<String> = ids.map(|one| one["process_id"].as_str().unwrap().into()).collect();
    ids.sort();
    ids
}

/// What of databases lies on the desk.
fn files(desk: &Desk) -> Vec<String> {
    let files = fs::read_dir(desk.0.path()).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files.filter(|name| name.contains(".db")).collect();
    files.sort();
    files
}

#[test]
fn a_copy_takes_the_place_of_the_database_which_is_kept() {
    let desk = desk_with_a_copy();
    let answer = desk.ask_json(&["restore", "copy.db"]);
    assert_eq!(live(&desk), ["before"]);
    let replaced = answer["replaced"].as_str().unwrap();
    assert!(replaced.contains("rungs.db.replaced-"), "{answer:#}");
    // That, too, is a whole database: back again.
    desk.ask(&["restore", replaced]);
    assert_eq!(live(&desk), ["after", "before"]);
    // Whoever opened the database last may have left its log; what is closed has none.
    let strange = |name: &String| {
        let is_log = ["-wal", "-shm", "-journal"].iter().any(|ending| name.ends_with(ending));
        name.contains("partial") || (is_log && !name.starts_with("rungs.db-"))
    };
    let strange: Vec<String> = files(&desk).into_iter().filter(strange).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[test]
fn a_copy_is_put_where_there_is_no_database_yet() {
    let (desk, elsewhere) = (desk_with_a_copy(), Desk::new());
    let copy = path(&desk, "copy.db");
    let answer = elsewhere.ask_json(&["restore", copy.to_str().unwrap()]);
    assert_eq!(answer["replaced"], Value::Null);
    assert_eq!(live(&elsewhere), ["before"]);
}

#[test]
fn nothing_is_written_over_unless_that_is_wanted() {
    let desk = desk_with_a_copy();
    desk.say(&["backup", "copy.db"]).refuses(1, &["copy.db is there already", "--force"]);
    for force in [&[][..], &["--force"]] {
        desk.say(&[&["backup", "rungs.db"], force].concat()).refuses(1, &["the database itself"]);
    }
    desk.say(&["backup", "nowhere/copy.db"]).refuses(1, &["nowhere/copy.db"]);
    desk.ask(&["backup", "--force", "copy.db"]);
    desk.ask(&["restore", "copy.db"]);
    assert_eq!(live(&desk), ["after", "before"]);
    desk.say(&["restore", "rungs.db"]).refuses(1, &["the database itself"]);
    assert!(!files(&desk).iter().any(|name| name.contains("partial")));
}

#[test]
fn who_may_not_read_the_database_may_not_read_its_copy() {
    let desk = desk_with_a_copy();
    fs::set_permissions(path(&desk, "rungs.db"), fs::Permissions::from_mode(0o600)).unwrap();
    desk.ask(&["backup", "private.db"]);
    let mode = fs::metadata(path(&desk, "private.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_database_that_somebody_works_on_is_not_replaced() {
    let desk = desk_with_a_copy();
    let server = desk.serve();
    desk.say(&["restore", "copy.db"]).refuses(1, &["another `rungs serve`", "stop it first"]);
    assert_eq!(server.end(), Some(0));
    // A command that runs now and then holds no lock, but has it open.
    let url = format!("sqlite:{}", path(&desk, "rungs.db").display());
    let other = sea_orm::Database::connect(url).await.unwrap();
    other.execute_unprepared("SELECT COUNT(*) FROM processes").await.unwrap();
    desk.say(&["restore", "copy.db"]).refuses(1, &["another program has", "rungs.db open"]);
    assert_eq!(live(&desk), ["after", "before"]);
    other.close().await.unwrap();
    desk.ask(&["restore", "copy.db"]);
    assert_eq!(live(&desk), ["before"]);
}

/// The power fails while it serves: what it had committed lies in the log beside its file.
#[test]
fn the_log_of_what_was_replaced_does_not_come_back() {
    let desk = desk_with_a_copy();
    let server = desk.serve();
    desk.ask(&["start", "call", "--id", "in-the-log", "--data", r#"{"date": "2999-01-01"}"#]);
    signal(&server.child, "KILL");
    drop::<Server>(server);
    assert!(desk.has("rungs.db-wal"), "{:?}", files(&desk));
    let answer = desk.ask_json(&["restore", "copy.db"]);
    assert_eq!(live(&desk), ["before"]);
    desk.ask(&["restore", answer["replaced"].as_str().unwrap()]);
    assert_eq!(live(&desk), ["after", "before", "in-the-log"]);
}

#[tokio::test]
async fn what_is_no_whole_copy_is_refused_and_nothing_changes() {
    let desk = desk_with_a_copy();
    let copy = fs::read(path(&desk, "copy.db")).unwrap();
    desk.put("words.db", "this is no database, and much too short for one");
    desk.put("empty.db", "");
    desk.put("half.db", &copy[..copy.len() / 2]);
    let mut damaged = copy.clone();
    damaged[4096 * 3..4096 * 5].fill(0xa5);
    desk.put("damaged.db", damaged);
    let cases = [
        ("nowhere.db", "there is no nowhere.db"),
        ("words.db", "no database of Rungs"),
        ("empty.db", "no database of Rungs"),
        ("half.db", "half.db is"),
        ("damaged.db", "damaged.db is"),
    ];
    for (file, words) in cases {
        desk.say(&["restore", file]).refuses(1, &[file, words]);
    }

    let other = format!("sqlite:{}?mode=rwc", path(&desk, "other.db").display());
    let other = sea_orm::Database::connect(other).await.unwrap();
    other.execute_unprepared("CREATE TABLE songs (name TEXT)").await.unwrap();
    other.close().await.unwrap();
    desk.say(&["restore", "other.db"]).refuses(1, &["other.db", "none of its tables"]);

    let newer = format!("sqlite:{}", path(&desk, "copy.db").display());
    let newer = sea_orm::Database::connect(newer).await.unwrap();
    newer
        .execute_unprepared("INSERT INTO seaql_migrations VALUES ('m9000_later', 1)")
        .await
        .unwrap();
    newer
        .execute_unprepared("UPDATE schema_compatibility SET needed = 'm9000_later'")
        .await
        .unwrap();
    newer.close().await.unwrap();
    desk.say(&["restore", "copy.db"]).refuses(1, &["newer than this program"]);

    assert_eq!(live(&desk), ["after", "before"]);
    assert!(!files(&desk).iter().any(|name| name.contains("partial") || name.contains("replaced")));
}

#[test]
fn of_postgresql_it_is_said_what_does_it() {
    let desk = Desk::new();
    desk.put("copy.dump", "");
    desk.put("rungs.toml", "[database]\nurl = 'postgres://u:hush@db/rungs'");
    for (command, words) in
        [("backup", "pg_dump --format=custom --file=copy.dump"), ("restore", "pg_restore")]
    {
        let said = desk.say(&[command, "copy.dump"]);
        said.refuses(1, &[words, "postgres://u@db/rungs"]);
        assert!(!said.err.contains("hush"), "{said:#?}");
    }
    desk.put("rungs.toml", "");
    desk.say(&["backup", "copy.db"]).refuses(1, &["there is no database at rungs.db"]);
    assert!(!desk.has("rungs.db") && !desk.has("copy.db"));
}
