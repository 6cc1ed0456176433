//! `show`: where a process stands, whom it reached, and why (not).

use std::fmt::Write;

use chrono::{DateTime, Utc};
use rungs_core::{Process, Status};
use serde_json::{Value, json};

use crate::{
    channels::console::{clean, describe},
    clock::Clock,
    store::{Store, entity::delivery, processes::Filter},
};

use super::{
    Context, Failure, Result,
    failure::count,
    open,
    output::{self, BAD, BOLD, DIM, GOOD, STEP, WARN, table},
    timeline::{Line, Reader, Teller},
    view, words,
};

/// Earlier bearers of the id that are named.
const MOST_EARLIER: u64 = 10;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The process's id, or the key of one of those that bore it.
    id: String,
}

/// Everything there is to show.
struct Shown {
    process: Process,
    deliveries: Vec<delivery::Model>,
    lines: Vec<Line>,
    /// Others that bear or bore the same id.
    others: Vec<Process>,
    now: DateTime<Utc>,
}

pub(super) async fn show(args: &Args, context: &Context) -> Result<()> {
    let store = open::looked_at(&context.config()?).await?;
    let shown = read(&store, &args.id).await?;
    if context.output.is_json() {
        output::json(&shown.json())?;
    } else {
        output::text(shown.text())?;
    }
    Ok(())
}

async fn read(store: &Store, id: &str) -> Result<Shown> {
    let found = match store.process(id).await? {
        Some(process) => Some(process),
        None => store.process_by_key(id).await?,
    };
    let process = found
        .ok_or_else(|| Failure::refused(format!("no process bears the id `{}`", clean(id))))?;
    let filter = Filter { process_id: Some(process.process_id.clone()), ..Filter::default() };
    let mut others = store.processes(&filter, MOST_EARLIER).await?;
    others.retain(|other| other.key != process.key);
    Ok(Shown {
        deliveries: store.deliveries_of(&process.key).await?,
        lines: Reader::default().read(store, &process.key).await?,
        process,
        others,
        now: Clock::System.now(),
    })
}

impl Shown {
    fn json(&self) -> Value {
        let mut json = view::summary(&self.process);
        json["data"] = json!(self.process.data);
        json["steps"] = self.process.state.steps.clone();
        json["events"] = self.process.state.events.clone();
        json["deliveries"] = self.deliveries.iter().map(view::delivery).collect();
        json["history"] = self.lines.iter().map(Line::json).collect();
        json["others"] = self.others.iter().map(view::summary).collect();
        json
    }

    fn text(&self) -> String {
        let parts = [Some(self.head()), self.steps(), self.deliveries(), self.history()];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
    }

    fn head(&self) -> String {
        let Process { process_id, sequence, version, timezone, started_at, .. } = &self.process;
        let started = words::moment(*started_at, *timezone);
        let ago = words::duration(self.now - *started_at);
        let mut head = vec![
            ("process", format!("{BOLD}{}{BOLD:#}", clean(process_id))),
            ("sequence", format!("{}, version {version}", clean(sequence))),
            ("status", self.status()),
            ("started", format!("{started} {timezone} {DIM}({ago} ago){DIM:#}")),
        ];
        if let Some(ended_at) = self.process.ended_at {
            let took = words::duration(ended_at - *started_at);
            let ended = words::moment(ended_at, *timezone);
            head.push(("ended", format!("{ended} {DIM}(after {took}){DIM:#}")));
        }
        head.push(("data", clean(&json!(self.process.data).to_string())));
        for other in &self.others {
            let at = words::moment(other.started_at, *timezone);
            head.push((
                "also",
                format!("{} {DIM}{}, {at}{DIM:#}", other.key, other.status.as_str()),
            ));
        }
        let lines: Vec<String> =
            head.iter().map(|(name, what)| format!("{DIM}{name:<9}{DIM:#} {what}")).collect();
        lines.join("\n")
    }

    fn status(&self) -> String {
        let Process { status, cursor, due_at, reason, timezone, .. } = &self.process;
        let at = cursor.as_deref().map_or(String::new(), |step| format!(" at {}", clean(step)));
        let why = reason.as_deref().map_or(String::new(), |why| format!(": {}", clean(why)));
        match (status, due_at) {
            (Status::Active, Some(due_at)) => {
                let when = words::seen_from(*due_at, self.now, *timezone);
                format!("active{at}, due {when} {DIM}({}){DIM:#}", words::until(*due_at, self.now))
            }
            (Status::Active, None) => format!("active{at}, waits for news"),
            (Status::Failed, _) => format!("{BAD}failed{BAD:#}{at}{why}"),
            (Status::Completed, _) => format!("{GOOD}completed{GOOD:#}{at}{why}"),
            (status, _) => format!("{WARN}{}{WARN:#}{at}{why}", status.as_str()),
        }
    }

    /// What templates see as `steps`.
    fn steps(&self) -> Option<String> {
        let Value::Object(steps) = &self.process.state.steps else { return None };
        if steps.is_empty() {
            return None;
        }
        let text = |result: &Value, key: &str| match result.get(key) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => clean(text),
            Some(other) => clean(&other.to_string()),
        };
        let head = ["step", "stays", "action", "status", "error"].map(str::to_owned).to_vec();
        let rows: Vec<Vec<String>> = std::iter::once(head)
            .chain(steps.iter().map(|(step, result)| {
                let cells = ["visits", "action", "status", "error"];
                std::iter::once(clean(step))
                    .chain(cells.iter().map(|key| text(result, key)))
                    .collect()
            }))
            .collect();
        Some(table(&rows))
    }

    fn deliveries(&self) -> Option<String> {
        if self.deliveries.is_empty() {
            return None;
        }
        let mut text = format!("{BOLD}deliveries{BOLD:#}");
        for delivery in &self.deliveries {
            let _ = write!(text, "\n  {}", self.delivery(delivery));
        }
        Some(text)
    }

    fn delivery(&self, delivery: &delivery::Model) -> String {
        let described = describe(&delivery.channel, &view::request(delivery));
        let attempts = count(usize::try_from(delivery.attempts).unwrap_or(0), "attempt");
        let mut text = format!(
            "{STEP}{}{STEP:#}  {} {}\n      {BOLD}{}{BOLD:#} after {attempts}",
            clean(&delivery.step),
            clean(&delivery.channel),
            described.replace('\n', "\n  "),
            clean(&delivery.status),
        );
        if let Some(error) = &delivery.error {
            let _ = write!(text, ", {WARN}{}{WARN:#}", clean(error));
        }
        if let Some(answer) = view::answer(delivery) {
            let why = answer.message.map(|message| format!(": {}", clean(&message)));
            let _ = write!(text, ", {}{}", answer.action.as_str(), why.unwrap_or_default());
        }
        if let (Some(at), "pending") = (view::millis(delivery.due_at), delivery.status.as_str()) {
            let when = words::seen_from(at, self.now, self.process.timezone);
            let long = words::until(at, self.now);
            let what = if is_held(delivery) { "held by quiet hours until" } else { "to be tried" };
            let _ = write!(text, ", {what} {when} ({long})");
        }
        let _ = write!(text, "\n      {DIM}id {}", delivery.id);
        if let Some(provider_id) = &delivery.provider_id {
            let _ = write!(text, ", the provider's {}", clean(provider_id));
        }
        let _ = write!(text, "{DIM:#}");
        text
    }

    fn history(&self) -> Option<String> {
        let Value::Object(steps) = &self.process.state.steps else { return None };
        let mut teller = Teller::new(&self.process, steps.keys().map(String::as_str));
        let told: Vec<String> = self.lines.iter().filter_map(|line| teller.tell(line)).collect();
        Some(told.join("\n"))
    }
}

/// Whether a pending delivery waits for the end of quiet hours, and for nothing else.
fn is_held(delivery: &delivery::Model) -> bool {
    let last = view::log(delivery).pop();
    let is_put_off = delivery.due_at > Some(delivery.created_at);
    let is_held = last.map_or(is_put_off, |line| line.what == "held");
    delivery.quiet.is_some() && is_held
}
