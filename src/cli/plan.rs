//! `plan`: what `apply` would do, and what moving would do to the processes that live.
//!
//! Promises: changes nothing. Every error of every file is said.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use rungs_core::{contacts::Contact, is_fragment, moving::Stranded, process::iso};
use serde_json::{Value, json};

use crate::{
    engine::Engine,
    intake::{self, Group, Look, Outlook, Plan},
};

use super::{
    Context, Failure, Result,
    failure::rendered,
    input::{Names, Source},
    open,
    output::{self, talk},
    test,
};

mod text;

pub(super) use text::differences;

/// Processes that are looked at one by one, unless another number is said.
const SAMPLE: u64 = 1_000;
/// The most that may be asked for.
const MOST: u64 = 100_000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Sequences in YAML or JSON; `-` is stdin. Cases (NAME.test.yml) and
    /// fragments are passed by.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Tell of each process that is looked at, and not only how many there are.
    #[arg(long)]
    list: bool,
    /// Look at this live process alone.
    #[arg(long, value_name = "ID", conflicts_with_all = ["list", "sample"])]
    process: Option<String>,
    /// How many processes of older versions are looked at one by one.
    #[arg(long, value_name = "N", default_value_t = SAMPLE,
        value_parser = clap::value_parser!(u64).range(..=MOST))]
    sample: u64,
}

pub(super) async fn plan(args: &Args, context: &Context) -> Result<()> {
    let config = context.config()?;
    let mut sources = Vec::new();
    for path in args.files.iter().filter(|path| !test::is_cases(path)) {
        let source = Source::read(path).map_err(Failure::refused)?;
        if !is_fragment(&source.text()) {
            sources.push(source);
        }
    }
    if sources.is_empty() {
        let why = "these are cases, which are tried, and fragments, which go along with sequences";
        return Err(Failure::refused(format!("{why}: there is nothing to plan")));
    }
    let engine = open::intake(&config, open::looked_at(&config).await?)?;
    let look = args.process.clone().map_or(Look::Some(args.sample), Look::One);
    let each = args.list || args.process.is_some();
    let only = match &args.process {
        Some(id) => sequence_of(&engine, id).await?,
        None => None,
    };
    let (mut broken, mut passed_by, mut names) = (Vec::new(), 0, Names::default());
    for (number, source) in sources.iter().enumerate() {
        // What is wrong is said as `check` says it: in the file in which it stands.
        let checked = source.check(&engine.kinds);
        if checked.has_errors() {
            broken.push(Failure::sequence(&checked.diagnostics, &source.file, &source.text()));
            continue;
        }
        let name = checked.sequence.as_ref().map(|sequence| &sequence.name);
        if sources.len() > 1 && only.is_some() && name != only.as_ref() {
            passed_by += 1;
            continue;
        }
        if let Some(Err(twice)) = name.map(|name| names.take(name, &source.file)) {
            broken.push(twice);
            continue;
        }
        match intake::plan(&engine, &source.bundle(), &look).await {
            Ok(plan) => {
                if !checked.diagnostics.is_empty() {
                    talk(rendered(&checked.diagnostics, &source.file, &source.text()).trim_end());
                }
                if context.output.is_json() {
                    output::json(&shown(&plan, &source.file, each))?;
                } else {
                    let gap = if number > 0 { "\n" } else { "" };
                    output::text(format!("{gap}{}", text::told(&plan, &source.file, each)))?;
                }
            }
            Err(refusal) => broken.push(Failure::of(refusal, &source.file)),
        }
    }
    if let Some(name) = only.filter(|_| passed_by == sources.len()) {
        let message = format!("the process is one of `{name}`, which none of these files is");
        return Err(Failure::refused(message));
    }
    let Some(last) = broken.pop() else { return Ok(()) };
    for failure in broken {
        failure.report();
    }
    Err(last)
}

/// The sequence that a process climbs, where it is known.
async fn sequence_of(engine: &Engine, id: &str) -> Result<Option<String>> {
    Ok(engine.store.process(id).await?.map(|process| process.sequence))
}

/// For machines.
fn shown(plan: &Plan, file: &str, each: bool) -> Value {
    let standing: Vec<Value> = plan.standing.iter().map(group).collect();
    let live: u64 = plan.standing.iter().map(|group| group.standing.count).sum();
    let sum = Sum::of(&plan.outlooks);
    let mut shown = json!({
        "file": file,
        "sequence": plan.name,
        "published": plan.published,
        "version": plan.version,
        "changed": !plan.is_published(),
        "changes": plan.changes,
        "live": live,
        "live_on_older_versions": plan.older().map(|group| group.standing.count).sum::<u64>(),
        "standing": standing,
        "looked_at": plan.outlooks.len(),
        "would_move": sum.move_over,
        "would_differ": sum.differ,
        "would_reach": sum.reach.iter().map(by_step).collect::<Vec<_>>(),
        "would_not_reach": sum.spare.iter().map(by_step).collect::<Vec<_>>(),
        "at_another_time": sum.shifted.iter().map(by_step).collect::<Vec<_>>(),
        "would_say_otherwise": sum.reworded.iter().map(by_step).collect::<Vec<_>>(),
    });
    if each {
        shown["processes"] = plan.outlooks.iter().map(outlook).collect();
    }
    shown
}

fn group(group: &Group) -> Value {
    let mut shown = lands(&group.lands);
    shown["version"] = json!(group.standing.version);
    shown["step"] = json!(group.standing.cursor);
    shown["live"] = json!(group.standing.count);
    shown
}

fn lands(lands: &std::result::Result<String, Stranded>) -> Value {
    match lands {
        Ok(step) => json!({ "lands": step }),
        Err(why) => json!({ "lands": null, "code": why.code(), "why": why.to_string() }),
    }
}

fn by_step(((step, channel), processes): &((String, String), usize)) -> Value {
    json!({ "step": step, "channel": channel, "processes": processes })
}

fn outlook(outlook: &Outlook) -> Value {
    let mut shown = lands(&outlook.lands);
    let contacts = |all: &[Contact]| all.iter().map(contact).collect::<Vec<_>>();
    shown["process_id"] = json!(outlook.process.process_id);
    shown["version"] = json!(outlook.process.version);
    shown["status"] = json!(outlook.process.status.as_str());
    shown["step"] = json!(outlook.process.cursor);
    shown["next"] = json!(outlook.next_before.as_ref().map(contact));
    shown["next_if_moved"] = json!(outlook.next_after.as_ref().map(contact));
    shown["would_reach"] = json!(contacts(&outlook.difference.only_after));
    shown["would_not_reach"] = json!(contacts(&outlook.difference.only_before));
    shown["at_another_time"] =
        json!(outlook.difference.shifted.iter().map(shifted).collect::<Vec<_>>());
    shown["would_say_otherwise"] = json!(contacts(&outlook.difference.reworded));
    shown
}

/// A contact for machines.
pub(super) fn contact(contact: &Contact) -> Value {
    json!({
        "at": iso(contact.at),
        "step": contact.step,
        "channel": contact.channel,
        "to": contact.to(),
        "request": contact.request,
    })
}

/// A contact at another time, and when it was.
pub(super) fn shifted((now, was): &(Contact, DateTime<Utc>)) -> Value {
    let mut shown = contact(now);
    shown["was_at"] = json!(iso(*was));
    shown
}

/// What moving would do to those that were looked at, in numbers.
#[derive(Default)]
struct Sum {
    move_over: usize,
    differ: usize,
    /// Processes that would reach somebody whom they would not have, by step and channel.
    reach: Vec<((String, String), usize)>,
    /// Those that would not reach somebody.
    spare: Vec<((String, String), usize)>,
    shifted: Vec<((String, String), usize)>,
    reworded: Vec<((String, String), usize)>,
}

impl Sum {
    fn of(outlooks: &[Outlook]) -> Self {
        let mut sum = Self::default();
        for outlook in outlooks {
            sum.move_over += usize::from(outlook.lands.is_ok());
            sum.differ += usize::from(!outlook.difference.is_empty());
            let difference = &outlook.difference;
            let shifted: Vec<Contact> =
                difference.shifted.iter().map(|(contact, _)| contact.clone()).collect();
            for (contacts, counts) in [
                (&difference.only_after, &mut sum.reach),
                (&difference.only_before, &mut sum.spare),
                (&shifted, &mut sum.shifted),
                (&difference.reworded, &mut sum.reworded),
            ] {
                let mut steps: Vec<(String, String)> = contacts
                    .iter()
                    .map(|contact| (contact.step.clone(), contact.channel.clone()))
                    .collect();
                steps.sort();
                steps.dedup();
                for step in steps {
                    match counts.iter_mut().find(|(known, _)| *known == step) {
                        Some((_, count)) => *count += 1,
                        None => counts.push((step, 1)),
                    }
                }
            }
        }
        sum
    }
}
