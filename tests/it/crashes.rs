//! Real programs that are killed, and databases that go away.
//!
//! These are the only tests that wait in real time: what they try is what happens between
//! processes of the operating system.

use std::{
    collections::HashMap,
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    databases::{Cluster, Database, Kind},
    fakes::twilio::{ACCOUNT, FakeTwilio, TOKEN},
};

/// Texts five times, a second apart. The body says which of the five it is.
const FIVE_TEXTS: &str = r#"
sequence: five-texts
steps:
  - { id: wait, run: WaitForDuration, config: { amount: 1, unit: second } }
  - id: text
    run: SMS
    config: { to: "{{phone}}", message: "{{steps.text.visits}}" }
  - { id: again, run: GoTo, config: { step: wait, times: 4 } }
"#;

/// A `rungs serve` that is killed when it is dropped.
struct Serve(Child);

impl Drop for Serve {
    fn drop(&mut self) {
        // SIGKILL, as by an out-of-memory killer.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where a `serve` runs, again and again.
struct Site {
    url: String,
    port: u16,
    twilio: FakeTwilio,
    http: reqwest::Client,
}

impl Site {
    async fn over(url: &str) -> Self {
        let twilio = FakeTwilio::start().await;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Self { url: url.to_owned(), port, twilio, http }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let address = format!("127.0.0.1:{}", self.port);
        command
            .env("RUNGS_DATABASE_URL", &self.url)
            .env("RUNGS_PUBLIC_URL", format!("http://{address}"))
            .env("RUNGS_LISTEN", address)
            .env("RUNGS_TWILIO_ACCOUNT_SID", ACCOUNT)
            .env("RUNGS_TWILIO_AUTH_TOKEN", TOKEN)
            .env("RUNGS_TWILIO_BASE_URL", self.twilio.config(None).base_url.as_str())
            .env("RUNGS_CALLER_IDS", r#"{"default": "+14155550100"}"#)
            .env("RUNGS_TWILIO_TIMEOUT", "1")
            .env("RUNGS_LEASE_SECONDS", "3")
            .env("RUNGS_LOG", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    fn serve(&self) -> Serve {
        let mut command = self.command(env!("CARGO_BIN_EXE_rungs"));
        Serve(command.arg("serve").spawn().unwrap())
    }

    async fn ready(&self) {
        for _ in 0..600 {
            if self.get("/healthz").await.is_some() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("serve does not answer");
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let response = self.http.get(url).send().await.ok()?;
        response
            .error_for_status()
            .ok()?
            .text()
            .await
            .ok()
            .map(|text| serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn publish(&self) {
        let url = format!("http://127.0.0.1:{}/v1/sequences/five-texts", self.port);
        let put = self.http.put(url).header("content-type", "application/yaml").body(FIVE_TEXTS);
        assert!(put.send().await.unwrap().status().is_success());
    }

    async fn start(&self, count: usize) {
        let processes: Vec<Value> = (0..count)
            .map(|number| {
                let data = json!({ "phone": phone(number) });
                json!({ "sequence": "five-texts", "process_id": format!("p{number}"), "data": data })
            })
            .collect();
        let url = format!("http://127.0.0.1:{}/v1/processes/batch", self.port);
        let post = self.http.post(url).json(&json!({ "processes": processes }));
        assert!(post.send().await.unwrap().status().is_success());
    }

    /// Waits until no process is active any more.
    async fn over_and_done(&self) {
        for _ in 0..1_200 {
            let active = self.get("/v1/processes?status=active&limit=1").await;
            if active.is_some_and(|page| page["processes"] == json!([])) {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("some processes never end: {:#?}", self.get("/v1/processes?status=active").await);
    }

    /// How often each text of each process was taken. Each of them at least once.
    fn every_text_left(&self, count: usize) -> usize {
        let mut texts: HashMap<(String, String), usize> = HashMap::new();
        for message in self.twilio.messages() {
            let field = |name| message.field(name).unwrap().to_owned();
            *texts.entry((field("To"), field("Body"))).or_default() += 1;
        }
        for number in 0..count {
            for body in ["1", "2", "3", "4", "5"] {
                let text = (phone(number), body.to_owned());
                assert!(texts.contains_key(&text), "never sent: {text:?}");
            }
        }
        assert_eq!(texts.len(), count * 5, "and nothing else");
        texts.values().map(|times| times - 1).sum()
    }

    /// Every process has completed.
    async fn all_completed(&self, count: usize) {
        let mut cursor = String::new();
        let mut completed = 0;
        loop {
            let path = format!("/v1/processes?status=completed&limit=200{cursor}");
            let page = self.get(&path).await.unwrap();
            completed += page["processes"].as_array().unwrap().len();
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(completed, count);
    }
}

fn phone(number: usize) -> String {
    format!("+3859100{number:05}")
}

/// A thousand processes of five texts each; `serve` is killed twenty times.
async fn killed_twenty_times(url: &str) -> usize {
    const KILLS: usize = 20;
    const PROCESSES: usize = 1_000;
    let site = Site::over(url).await;
    let mut serve = site.serve();
    site.ready().await;
    site.publish().await;
    site.start(PROCESSES).await;
    for kill in 0..KILLS {
        // Uneven pauses, so that the blows fall into different moments of a cycle.
        sleep(Duration::from_millis(220 + (kill as u64 * 137) % 400)).await;
        drop(serve);
        serve = site.serve();
        site.ready().await;
    }
    site.over_and_done().await;
    site.all_completed(PROCESSES).await;
    let doubles = site.every_text_left(PROCESSES);
    // At the moment of a kill no more than this can have been taken and not written down.
    assert!(doubles <= KILLS * 16, "{doubles} doubles");
    drop(serve);
    doubles
}

#[tokio::test]
async fn nothing_is_lost_when_serve_is_killed_on_sqlite() {
    let database = Database::fresh(Kind::Sqlite).await;
    let doubles = killed_twenty_times(&database.url).await;
    eprintln!("SQLite: {doubles} of 5000 texts were sent twice after 20 kills");
}

#[tokio::test]
async fn nothing_is_lost_when_serve_is_killed_on_postgres() {
    let database = Database::fresh(Kind::Postgres).await;
    let doubles = killed_twenty_times(&database.url).await;
    eprintln!("PostgreSQL: {doubles} of 5000 texts were sent twice after 20 kills");
}

#[tokio::test]
async fn a_database_may_go_away_for_ten_seconds_and_come_back() {
    const PROCESSES: usize = 200;
    let cluster = Cluster::start(&[]);
    let site = Site::over(&cluster.url("postgres")).await;
    let serve = site.serve();
    site.ready().await;
    site.publish().await;
    site.start(PROCESSES).await;
    sleep(Duration::from_millis(1_500)).await;

    cluster.stop_immediately();
    sleep(Duration::from_secs(5)).await;
    let url = format!("http://127.0.0.1:{}/v1/processes/p1", site.port);
    let away = site.http.get(&url).send().await.unwrap();
    assert_eq!(away.status(), 503, "callers are told");
    assert!(away.headers().contains_key("retry-after"));
    sleep(Duration::from_secs(5)).await;
    cluster.start_again();

    site.over_and_done().await;
    site.all_completed(PROCESSES).await;
    assert_eq!(site.every_text_left(PROCESSES), 0, "results were held until it was back");
    drop(serve);
}

/// The disk is full: what was answered with 201 is kept, everything else is answered with
/// 503, and the program lives on.
#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_answered() {
    let database = Database::fresh(Kind::Sqlite).await;
    let site = Site::over(&database.url).await;
    // No file may grow beyond this many blocks of 512 bytes.
    let script = r#"trap '' XFSZ; ulimit -f 3000; exec "$0" serve"#;
    let mut command = site.command("sh");
    let full = Serve(command.args(["-c", script, env!("CARGO_BIN_EXE_rungs")]).spawn().unwrap());
    site.ready().await;
    site.publish().await;

    let filler = "x".repeat(20_000);
    let mut answered = Vec::new();
    let mut refused = 0;
    for number in 0..400 {
        let data = json!({ "phone": phone(number), "filler": filler });
        let id = format!("p{number}");
        let body = json!({ "sequence": "five-texts", "process_id": id, "data": data });
        let url = format!("http://127.0.0.1:{}/v1/processes", site.port);
        match site.http.post(url).json(&body).send().await.unwrap().status().as_u16() {
            201 => answered.push(id),
            503 => refused += 1,
            other => panic!("{other}"),
        }
        if refused == 5 {
            break;
        }
    }
    assert_eq!(refused, 5, "the disk was never full: {} were taken", answered.len());
    assert!(site.get("/healthz").await.is_some(), "the program lives on");
    drop(full);

    let serve = site.serve();
    site.ready().await;
    site.over_and_done().await;
    site.all_completed(answered.len()).await;
    drop(serve);
}
