//! A queue that is gone, credentials that expire, a database that is away: told once, and over
//! by itself.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::json;
use tokio::time::sleep;

use super::{Counter, of_group, start, until};
use crate::{
    databases::{Cluster, Kind},
    fakes::sqs::Sqs,
};

/// A `serve`, and what it has logged. It is killed when it is dropped.
struct Server {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(counter: &Counter) -> Self {
        let mut command = counter.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let (log, lines) = (Arc::default(), BufReader::new(child.stderr.take().unwrap()).lines());
        let sink: Arc<Mutex<Vec<String>>> = Arc::clone(&log);
        thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| sink.lock().unwrap().push(line))
        });
        Self { child, log }
    }

    fn said(&self, words: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|line| line.contains(words)).count()
    }

    async fn says(&self, words: &str) {
        for _ in 0..1_200 {
            if self.said(words) > 0 {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not say {words:?}: {:#?}", self.log.lock().unwrap());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn has(counter: &Counter, process_id: &str) -> bool {
    counter.store().await.process(process_id).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_follows_its_queue_and_ends_while_it_waits_for_messages() {
    let sqs = Sqs::start();
    let queue = sqs.queue("orders.fifo", 30, json!({})).await;
    let counter = Counter::on(Kind::Sqlite, &queue).await;
    let mut server = Server::start(&counter);
    server.says("listening").await;
    for id in ["a", "b"] {
        queue.send(&of_group(id, &[start(id, "ring")])).await;
        until("it is called", async || {
            let process = counter.store().await.process(id).await.unwrap();
            process.is_some_and(|process| process.status.as_str() == "completed")
        })
        .await;
    }
    let pid = server.child.id().to_string();
    std::process::Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap();
    until("it ends", async || server.child.try_wait().unwrap().is_some()).await;
    server.says("ended").await;
    assert_eq!(queue.length().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_gone_is_told_of_once_and_followed_again_once_it_is_there() {
    let sqs = Sqs::start();
    let queue = sqs.queue("orders.fifo", 30, json!({})).await;
    let counter = Counter::on(Kind::Sqlite, &queue).await;
    queue.delete().await;
    let server = Server::start(&counter);
    server.says("create it, or let RUNGS_SQS_QUEUE_URL name another").await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(server.said("no messages are taken in"), 1, "{:#?}", server.log.lock().unwrap());

    let queue = sqs.queue("orders.fifo", 30, json!({})).await;
    queue.send(&of_group("a", &[start("a", "listen")])).await;
    server.says("messages are taken in again").await;
    assert!(has(&counter, "a").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_refused_are_told_of_and_read_again() {
    let sqs = Sqs::start();
    let queue = sqs.queue("orders.fifo", 30, json!({})).await;
    let mut counter = Counter::on(Kind::Sqlite, &queue).await;
    queue.send(&of_group("a", &[start("a", "listen")])).await;
    let (id, secret) = sqs.lock().await;

    let file = counter.directory.path().join("credentials");
    let write = |id: &str, secret: &str| {
        let text =
            format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
        fs::write(&file, text).unwrap();
    };
    write("AKIAEXPIRED", "hush1");
    counter
        .settings
        .retain(|(name, _)| !name.starts_with("AWS_ACCESS") && !name.starts_with("AWS_SECRET"));
    counter.set("AWS_SHARED_CREDENTIALS_FILE", file.display());
    let server = Server::start(&counter);
    server.says("renew AWS's credentials").await;
    assert!(!has(&counter, "a").await);
    write(&id, &secret);
    server.says("messages are taken in again").await;
    assert!(has(&counter, "a").await);
    assert_eq!(server.said("hush1") + server.said(&secret), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_no_message_comes_closer_to_the_dead_letters() {
    let sqs = Sqs::start();
    let (queue, dead) = sqs.queue_with_dead_letters(1, 2).await;
    let cluster = Cluster::start(&[]);
    let mut counter = Counter::on(Kind::Postgres, &queue).await;
    counter.database.url = cluster.url("postgres");
    let said = counter.run(&["migrate"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    counter.run(&["apply", "listen.yml"]);
    let server = Server::start(&counter);
    server.says("listening").await;

    cluster.stop_immediately();
    for number in 0..20 {
        let id = format!("p{number}");
        queue.send(&of_group(&id, &[start(&id, "listen")])).await;
    }
    server.says("no messages are taken in").await;
    sleep(Duration::from_secs(5)).await;
    cluster.start_again();
    server.says("messages are taken in again").await;
    until("all are taken in", async || queue.length().await == 0).await;
    assert_eq!(dead.length().await, 0);
    for number in 0..20 {
        assert!(has(&counter, &format!("p{number}")).await);
    }
    assert_eq!(server.said("no messages are taken in"), 1);
}
