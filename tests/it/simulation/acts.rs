//! What steps do to other processes: each that was answered has happened, once, and nothing
//! else has.

use rungs::store::entity::delivery;
use rungs_core::Status;
use rungs_runners::{
    Answer,
    builtin::process::{self, Act, CHANNEL},
};
use serde_json::Value;

use super::{ledger::Broken, replay::Kept};

/// Everything that steps have asked for.
pub struct Acts(Vec<Asked>);

struct Asked {
    /// The process that asked.
    by: String,
    act: Act,
    answer: Option<Answer>,
}

impl Acts {
    pub fn of(all: &[Kept]) -> Self {
        let rows = all.iter().flat_map(|kept| kept.deliveries.iter().map(move |row| (kept, row)));
        let acts = rows.filter(|(_, row)| row.channel == CHANNEL);
        Self(
            acts.map(|(kept, row)| Asked {
                by: kept.process.process_id.clone(),
                act: serde_json::from_str(&row.request).unwrap(),
                answer: answer(row),
            })
            .collect(),
        )
    }

    /// As many processes of a name were started, and stopped, as were answered to be.
    pub fn each_is_done_once(&self, all: &[Kept]) -> Result<(), Broken> {
        for Asked { by, act, .. } in &self.0 {
            let (id, there) = match act {
                Act::Start { process_id, .. } => {
                    let id = process_id.as_ref().expect("each has one");
                    (id, count(all, |kept| kept.process.process_id == *id))
                }
                Act::Stop { process_id } => {
                    let reason = Some(process::by(by));
                    let is_it = |kept: &Kept| {
                        let process = &kept.process;
                        process.process_id == *process_id
                            && process.status == Status::Stopped
                            && process.reason == reason
                    };
                    (process_id, count(all, is_it))
                }
            };
            let done = self.0.iter().filter(|asked| match (&asked.act, act) {
                (Act::Start { .. }, Act::Start { .. }) => asked.did("started", id),
                (Act::Stop { .. }, Act::Stop { .. }) => asked.by == *by && asked.did("stopped", id),
                _ => false,
            });
            let done = done.count();
            if done != there {
                let what = format!("{act:?} was done {done} times, and there are {there}");
                return Err(Broken::new("each_act_is_done_once", what));
            }
        }
        Ok(())
    }

    /// What a process was started with that a step has started.
    pub fn data_of(&self, kept: &Kept) -> Result<Value, Broken> {
        let process = &kept.process;
        let tag = process.data.get("tag");
        let found = self.0.iter().find_map(|asked| match &asked.act {
            Act::Start { data, .. }
                if asked.did("started", &process.process_id) && data.get("tag") == tag =>
            {
                Some(Value::Object(data.clone()))
            }
            _ => None,
        });
        found.ok_or_else(|| Broken::new("nobody_else_is_started", format!("{process:#?}")))
    }
}

impl Asked {
    /// Whether this was answered, of this process.
    fn did(&self, what: &str, process_id: &str) -> bool {
        let result = self.answer.as_ref().and_then(|answer| answer.result.as_ref());
        result.is_some_and(|result| {
            result.get(what) == Some(&Value::Bool(true))
                && result.get("process_id").and_then(Value::as_str) == Some(process_id)
        })
    }
}

/// What is written down of an act that was done.
pub fn answer(row: &delivery::Model) -> Option<Answer> {
    let answer = row.answer.as_deref().filter(|_| row.channel == CHANNEL)?;
    Some(serde_json::from_str(answer).unwrap())
}

fn count(all: &[Kept], is_it: impl Fn(&Kept) -> bool) -> usize {
    all.iter().filter(|kept| is_it(kept)).count()
}
