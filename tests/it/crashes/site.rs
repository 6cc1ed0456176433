//! Where programs run, again and again: their settings, their ports, and Twilio.

use std::{
    net::TcpListener,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rungs::store::entity::delivery;
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::FIVE_TEXTS;
use crate::fakes::twilio::{ACCOUNT, FakeTwilio, TOKEN};

/// A `rungs` that is killed when it is dropped.
pub struct Program {
    child: Child,
    what: What,
}

/// What a program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// API and evaluator, on the site's port with this number.
    Serve(usize),
    /// An evaluator that ends once nothing is due.
    Evaluate,
}

impl From<Child> for Program {
    /// A server that was started in another way.
    fn from(child: Child) -> Self {
        Self { child, what: What::Serve(0) }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SIGKILL, as by an out-of-memory killer.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A database, ports, and a provider.
pub struct Site {
    pub url: String,
    pub ports: Vec<u16>,
    pub twilio: FakeTwilio,
    pub http: reqwest::Client,
    /// Settings beside the usual ones.
    pub settings: Vec<(&'static str, String)>,
}

impl Site {
    /// With so many ports for APIs.
    pub async fn over(url: &str, apis: usize) -> Self {
        let twilio = FakeTwilio::start().await;
        // So that a blow falls between what it took and what is written down of it.
        twilio.takes_its_time(Duration::from_millis(50));
        // All are held until all are found, so that no two are the same.
        let held: Vec<TcpListener> =
            (0..apis).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports = held.iter().map(|held| held.local_addr().unwrap().port()).collect();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Self { url: url.to_owned(), ports, twilio, http, settings: vec![] }
    }

    pub fn command(&self, program: &str, port: u16) -> Command {
        let mut command = Command::new(program);
        let address = format!("127.0.0.1:{port}");
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
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    pub fn start(&self, what: What) -> Program {
        let port = match what {
            What::Serve(number) => self.ports[number],
            What::Evaluate => self.ports[0],
        };
        let mut command = self.command(env!("CARGO_BIN_EXE_rungs"), port);
        match what {
            What::Serve(_) => command.arg("serve"),
            What::Evaluate => command.args(["evaluate", "--drain"]),
        };
        Program { child: command.spawn().unwrap(), what }
    }

    /// Kills a program and starts it again.
    pub fn kill(&self, program: &mut Program) {
        let what = program.what;
        // The dead one has to let go of the database before the next can take it.
        let _ = program.child.kill();
        let _ = program.child.wait();
        *program = self.start(what);
    }

    /// Starts a program again that has ended by itself.
    pub fn tend(&self, program: &mut Program) {
        if program.child.try_wait().unwrap().is_some() {
            *program = self.start(program.what);
        }
    }

    /// How `rungs audit` ends, and what it says.
    pub fn audit(&self) -> (ExitStatus, String) {
        let mut command = self.command(env!("CARGO_BIN_EXE_rungs"), self.ports[0]);
        let output = command.arg("audit").stdout(Stdio::piped()).output().unwrap();
        (output.status, String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Waits until an API answers.
    pub async fn ready(&self, number: usize) {
        let url = format!("http://127.0.0.1:{}/healthz", self.ports[number]);
        for _ in 0..1_200 {
            if self.http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("serve does not answer");
    }

    /// Asks until some API answers other than that the database is in trouble.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        for attempt in 0..2_400 {
            let port = self.ports[attempt % self.ports.len()];
            let url = format!("http://127.0.0.1:{port}{path}");
            if let Ok(answer) = self.http.post(url).json(body).send().await {
                let status = answer.status().as_u16();
                if let Ok(body) = answer.json().await
                    && status != 503
                {
                    return (status, body);
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("nobody answers {path}");
    }

    pub async fn publish(&self) {
        let url = format!("http://127.0.0.1:{}/v1/sequences/five-texts", self.ports[0]);
        let put = self.http.put(url).header("content-type", "application/yaml").body(FIVE_TEXTS);
        assert!(put.send().await.unwrap().status().is_success());
    }

    /// Starts these processes; one that was started and of which nobody heard is started
    /// again, which changes nothing.
    pub async fn begin(&self, numbers: std::ops::Range<usize>) {
        let processes: Vec<Value> = numbers
            .map(|number| {
                let data = json!({ "phone": super::phone(number) });
                json!({ "sequence": "five-texts", "process_id": format!("p{number}"), "data": data })
            })
            .collect();
        let (status, answer) =
            self.post("/v1/processes/batch", &json!({ "processes": processes })).await;
        assert_eq!(status, 200, "{answer:#}");
    }

    /// Waits until no process is active any more, and no question is open, tending what ends
    /// by itself. Whoever was to ask, and was killed, leaves its question for a minute.
    pub async fn over_and_done(&self, programs: &mut [Program]) {
        for _ in 0..1_800 {
            for program in &mut *programs {
                self.tend(program);
            }
            if self.active().await == Some(json!([])) && self.in_question().await == 0 {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("some processes never end: {:#?}", self.active().await);
    }

    /// Deliveries, also of processes that were stopped, of which it is still asked whether
    /// they arrived.
    async fn in_question(&self) -> u64 {
        let db = sea_orm::Database::connect(&self.url).await.unwrap();
        let asked = delivery::Column::Status.eq("in-doubt");
        let asked = asked.and(delivery::Column::DueAt.is_not_null());
        let under_way = delivery::Column::Status.eq("sending");
        let open = delivery::Entity::find().filter(under_way.or(asked));
        let count = open.count(&db).await.unwrap();
        db.close().await.unwrap();
        count
    }

    async fn active(&self) -> Option<Value> {
        let url = format!("http://127.0.0.1:{}/v1/processes?status=active", self.ports[0]);
        let answer = self.http.get(url).send().await.ok()?.error_for_status().ok()?;
        let page: Value = answer.json().await.ok()?;
        Some(page["processes"].clone())
    }
}
