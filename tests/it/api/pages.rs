//! Lists, page by page, while others go on writing.

use rungs::store::sequences::NewSequence;
use rungs_core::Process;
use serde_json::Value;

use super::{Server, insert, process};

/// Every row of a list, and how long its pages were.
async fn walk(server: &Server, path: &str, list: &str) -> (Vec<Value>, Vec<usize>) {
    let (mut rows, mut lengths) = (Vec::new(), Vec::new());
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("{path}{cursor}")).await.ok(200);
        let on_page = page[list].as_array().unwrap();
        lengths.push(on_page.len());
        rows.extend(on_page.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (rows, lengths),
        }
    }
}

fn many(numbers: std::ops::Range<usize>) -> Vec<Process> {
    numbers.map(|number| process(&format!("{number:03}"), &format!("order-{number}"))).collect()
}

#[tokio::test]
async fn a_hundred_and_twenty_processes_are_listed_without_gap_or_repeat() {
    let server = Server::start().await;
    insert(&server, &many(0..120)).await;
    let expected: Vec<String> = (0..120).rev().map(|number| format!("order-{number}")).collect();
    for (limit, lengths) in
        [(7, [vec![7; 17], vec![1]].concat()), (60, vec![60, 60]), (200, vec![120])]
    {
        let (rows, seen) =
            walk(&server, &format!("/v1/processes?limit={limit}"), "processes").await;
        let ids: Vec<&str> = rows.iter().map(|row| row["process_id"].as_str().unwrap()).collect();
        assert_eq!((ids, seen), (expected.iter().map(String::as_str).collect(), lengths));
    }
    let (rows, lengths) = walk(&server, "/v1/processes?status=active", "processes").await;
    assert_eq!((rows.len(), lengths), (120, vec![50, 50, 20]));
}

#[tokio::test]
async fn processes_born_between_two_pages_shift_nothing() {
    let server = Server::start().await;
    insert(&server, &many(0..10)).await;
    let first = server.get("/v1/processes?limit=5").await.ok(200);
    insert(&server, &many(10..20)).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server.get(&format!("/v1/processes?limit=5&cursor={cursor}")).await.ok(200);
    let ids = |page: &Value| {
        let rows = page["processes"].as_array().unwrap();
        rows.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&first), ["009", "008", "007", "006", "005"]);
    assert_eq!(ids(&second), ["004", "003", "002", "001", "000"]);
}

#[tokio::test]
async fn lists_are_narrowed_by_status_sequence_and_id() {
    let server = Server::start().await;
    let other = Process { sequence: "invoices".to_owned(), ..process("103", "invoice") };
    insert(&server, &[process("100", "a"), process("101", "b"), other]).await;
    server.post("/v1/processes/a/stop", &serde_json::json!({})).await.ok(200);
    insert(&server, &[process("104", "a")]).await;
    for (query, keys) in [
        ("", vec!["104", "103", "101", "100"]),
        ("status=stopped", vec!["100"]),
        ("process_id=a", vec!["104", "100"]),
        ("process_id=a&status=active", vec!["104"]),
        ("sequence=invoices", vec!["103"]),
        ("sequence=none", vec![]),
    ] {
        let page = server.get(&format!("/v1/processes?{query}")).await.ok(200);
        let rows = page["processes"].as_array().unwrap();
        let found: Vec<&str> = rows.iter().map(|row| row["key"].as_str().unwrap()).collect();
        assert_eq!(found, keys, "{query}");
    }
}

#[tokio::test]
async fn versions_of_sequences_are_listed_by_name_the_newest_first() {
    let server = Server::start().await;
    for (name, source) in [("b", "1"), ("a", "1"), ("b", "2"), ("inline-1", "1")] {
        let new = NewSequence { name, source, hash: source, inline: name.starts_with("inline") };
        server.engine.store.publish(&new, server.engine.clock.now()).await.unwrap();
    }
    let (rows, lengths) = walk(&server, "/v1/sequences?limit=2", "sequences").await;
    let versions: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {}", row["name"].as_str().unwrap(), row["version"]))
        .collect();
    assert_eq!((versions, lengths), (vec!["a 1".into(), "b 2".into(), "b 1".into()], vec![2, 1]));
    assert_eq!(rows[0]["created_at"], "2026-03-02T08:00:00.000Z");

    for (path, source) in
        [("b", "2"), ("b?version=1", "1"), ("b/versions/1", "1"), ("b/versions/2", "2")]
    {
        let answer = server.get(&format!("/v1/sequences/{path}")).await.ok(200);
        assert_eq!((&answer["name"], &answer["source"]), (&"b".into(), &source.into()), "{path}");
    }
    server.get("/v1/sequences/b?version=3").await.problem(404, "unknown-sequence");
}

#[tokio::test]
async fn history_is_read_page_by_page() {
    let server = Server::start().await;
    insert(&server, &[process("1", "a")]).await;
    for _ in 0..5 {
        for change in ["pause", "resume"] {
            server.post(&format!("/v1/processes/a/{change}"), &Value::Null).await.ok(200);
        }
    }
    let (all, lengths) = walk(&server, "/v1/processes/a/history?", "history").await;
    assert_eq!(lengths, [11]);
    let kinds: Vec<&str> = all.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds[..3], ["started", "paused", "resumed"]);
    for limit in 1..=12 {
        let path = format!("/v1/processes/a/history?limit={limit}");
        assert_eq!(walk(&server, &path, "history").await.0, all, "{limit} a page");
    }
}
