//! A plan as people read it.

use std::{collections::BTreeMap, fmt::Write};

use chrono::{DateTime, Utc};
use rungs_core::{
    Process, Status,
    contacts::{Contact, Difference},
    moving::Stranded,
    plan::{Change, Changes, Edit, StepChange},
};
use serde_json::Value;

use crate::{
    channels::console::{clean, describe},
    cli::{
        failure::count,
        output::{BAD, BOLD, DIM, GOOD, STEP, WARN, table},
        words,
    },
    intake::{Group, Outlook, Plan},
};

use super::Sum;

/// Contacts of one process that are told.
const MOST_CONTACTS: usize = 10;
/// Lines of a text that are told on each side.
const MOST_LINES: usize = 12;
/// The longest value that is told on one line, in characters.
const WIDEST: usize = 70;

/// All of it. With `each`, every process that was looked at.
pub(super) fn told(plan: &Plan, file: &str, each: bool) -> String {
    let mut told = head(plan, file);
    if let Some(changes) = &plan.changes {
        let _ = write!(told, "{}", changed(changes));
    }
    let live = live(plan);
    if !live.is_empty() {
        let _ = write!(told, "\n\n{live}");
    }
    if !plan.outlooks.is_empty() {
        let _ = write!(told, "\n\n{}", outlooks(plan));
    }
    if each {
        for outlook in &plan.outlooks {
            let _ = write!(told, "\n\n{}", process(outlook));
        }
    }
    told
}

fn head(plan: &Plan, file: &str) -> String {
    let name = format!("{STEP}{}{STEP:#}", plan.name);
    let version = plan.version;
    match (plan.published, &plan.changes) {
        (None, _) => format!("{name}: new, would be published as version {version}"),
        (Some(published), _) if plan.is_published() => {
            format!("{name}: no changes, version {published} says the same as {file}")
        }
        (Some(published), Some(changes)) if changes.is_empty() => format!(
            "{name}: would be published as version {version}, which says what version \
             {published} says in other words or with other comments"
        ),
        (Some(published), _) => {
            format!("{name}: would be published as version {version}, after {published}")
        }
    }
}

fn changed(changes: &Changes) -> String {
    let mut told = String::new();
    for edit in &changes.sequence {
        let _ = write!(told, "\n{}", edited(edit, "  "));
    }
    for step in &changes.steps {
        let _ = write!(told, "\n{}", stepped(step));
        for edit in &step.edits {
            let _ = write!(told, "\n{}", edited(edit, "      "));
        }
    }
    told
}

fn stepped(step: &StepChange) -> String {
    let StepChange { id, runner, change, was, place, .. } = step;
    let (id, runner) = (clean(id), clean(runner));
    match change {
        Change::Added => format!("  {GOOD}+ {id}{GOOD:#}  {DIM}{runner}{DIM:#}"),
        Change::Removed => format!("  {BAD}- {id}{BAD:#}  {DIM}{runner}{DIM:#}"),
        Change::Changed => {
            let was = was.as_ref().map_or(String::new(), |was| format!(", was {}", clean(was)));
            let place = place
                .map_or(String::new(), |(from, to)| format!(", moved from place {from} to {to}"));
            format!("  {WARN}~ {id}{WARN:#}  {DIM}{runner}{DIM:#}{was}{place}")
        }
    }
}

fn edited(Edit { path, from, to }: &Edit, indent: &str) -> String {
    let path = clean(path);
    match (from, to) {
        (Some(from), Some(to)) => match (text(from), text(to)) {
            (Some(from), Some(to)) => format!("{indent}{path}:{}", lines(from, to, indent)),
            _ => format!("{indent}{path}: {} {DIM}→{DIM:#} {}", value(from), value(to)),
        },
        (None, Some(to)) => format!("{indent}{GOOD}+ {path}{GOOD:#}: {}", value(to)),
        (from, _) => {
            let from = from.as_ref().map_or(String::new(), value);
            format!("{indent}{BAD}- {path}{BAD:#}: {from}")
        }
    }
}

/// A text that is better read line by line.
fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| text.contains('\n') || text.chars().count() > WIDEST)
}

/// The lines of two texts that are not the same, without those around them.
fn lines(from: &str, to: &str, indent: &str) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.lines().collect(), to.lines().collect());
    let same = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
    let shorter = from.len().min(to.len()) - same;
    let ends = from.iter().rev().zip(to.iter().rev()).take(shorter);
    let same_at_end = ends.take_while(|(from, to)| from == to).count();
    let mut told = String::new();
    for (sign, lines) in [('-', &from), ('+', &to)] {
        let style = if sign == '-' { BAD } else { GOOD };
        let until = lines.len() - same_at_end;
        let differ = lines.get(same..until).unwrap_or_default();
        for line in differ.iter().take(MOST_LINES) {
            let _ = write!(told, "\n{indent}  {style}{sign} {}{style:#}", clean(line));
        }
        if differ.len() > MOST_LINES {
            let more = count(differ.len() - MOST_LINES, "more line");
            let _ = write!(told, "\n{indent}  {style}{sign} … {more}{style:#}");
        }
    }
    told
}

fn value(value: &Value) -> String {
    let text = clean(&value.to_string());
    match text.char_indices().nth(WIDEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

fn live(plan: &Plan) -> String {
    let sum = |groups: &mut dyn Iterator<Item = &Group>| {
        usize::try_from(groups.map(|group| group.standing.count).sum::<u64>()).unwrap_or(0)
    };
    let (all, older) = (sum(&mut plan.standing.iter()), sum(&mut plan.older()));
    if all == 0 {
        return String::new();
    }
    let here = all - older;
    let mut told = format!("{BOLD}{} live{BOLD:#}", count(all, "process"));
    if here > 0 {
        let _ = write!(told, ", {here} of them on version {}", plan.version);
    }
    if older == 0 {
        return told;
    }
    let can = plan.older().filter(|group| group.lands.is_ok()).count();
    let is_somebody_stuck = plan.outlooks.iter().any(|outlook| outlook.lands.is_err());
    let those = match can {
        0 => "none of them",
        some if some < plan.older().count() || is_somebody_stuck => "those that can",
        _ => "them",
    };
    let _ = write!(
        told,
        "; {older} on older versions, where they stay.\n`rungs apply --move` would move {those}:\n"
    );
    let head = ["version", "stands at", "live", "would stand at"].map(str::to_owned).to_vec();
    let rows = plan.older().map(|Group { standing, lands }| {
        let lands = lands.as_ref().map_or_else(nowhere, |step| clean(step));
        vec![
            standing.version.to_string(),
            clean(&standing.cursor),
            standing.count.to_string(),
            lands,
        ]
    });
    told + &table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

fn nowhere(why: &Stranded) -> String {
    format!("stays: {}", clean(&why.to_string()))
}

/// Why processes cannot move: how many for which reason, and what it is with one of them.
fn stranded(plan: &Plan) -> String {
    let mut reasons: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for outlook in &plan.outlooks {
        if let Err(why) = &outlook.lands {
            let id = &outlook.process.process_id;
            let such = || format!("{}: {}", clean(id), clean(&why.to_string()));
            reasons.entry(why.code()).or_insert_with(|| (0, such())).0 += 1;
        }
    }
    let mut told = String::new();
    for (code, (stay, such)) in reasons {
        let hint = if code == "data" { "; `--force` moves them all the same" } else { "" };
        let _ = write!(told, "\n  {} could not{hint}, such as {such}", count(stay, "process"));
    }
    told
}

fn outlooks(plan: &Plan) -> String {
    let looked_at = plan.outlooks.len();
    let sum = Sum::of(&plan.outlooks);
    let mut told = format!(
        "Of {} looked at one by one, {} can move",
        count(looked_at, "process"),
        sum.move_over
    );
    if sum.differ == 0 {
        if sum.move_over > 0 {
            told += ", and would reach the same people at the same times, if they answer as usual";
        }
        return told + "." + &stranded(plan);
    }
    let _ = write!(
        told,
        ". If people answer as usual, {} of these would do something else:",
        sum.differ
    );
    for (style, counts, what) in [
        (GOOD, &sum.reach, "would send more"),
        (BAD, &sum.spare, "would send less"),
        (WARN, &sum.shifted, "would send at another time"),
        (WARN, &sum.reworded, "would say something else"),
    ] {
        for ((step, channel), number) in counts {
            let (step, channel) = (clean(step), clean(channel));
            let _ = write!(
                told,
                "\n  {style}{step}{style:#} {DIM}({channel}){DIM:#}: {} {what}",
                count(*number, "process")
            );
        }
    }
    told + &stranded(plan)
}

fn process(outlook: &Outlook) -> String {
    let Outlook { process, lands, difference, next_before, next_after } = outlook;
    let Process { process_id, version, cursor, .. } = process;
    let at = clean(cursor.as_deref().unwrap_or_default());
    let lands = lands.as_ref().map_or_else(nowhere, |step| format!("→ {}", clean(step)));
    let paused = match process.status {
        Status::Paused => ", paused",
        _ => "",
    };
    let mut told =
        format!("{BOLD}{}{BOLD:#}  version {version}{paused}, at {at} {lands}", clean(process_id));
    if outlook.lands.is_err() {
        return told;
    }
    let next = |next: &Option<Contact>| {
        next.as_ref().map_or("nobody".to_owned(), |contact| short(contact, process))
    };
    if !paused.is_empty() {
        told += "\n  if somebody resumed it now:";
    }
    let _ = write!(told, "\n  next:     {}", next(next_before));
    let _ = write!(told, "\n  if moved: {}", next(next_after));
    told + &differences(difference, process)
}

/// Contacts that differ, in the process's zone.
pub(in crate::cli) fn differences(difference: &Difference, process: &Process) -> String {
    let Difference { only_before, only_after, shifted, reworded } = difference;
    let plain = |contacts: &[Contact]| -> Vec<String> {
        contacts.iter().take(MOST_CONTACTS).map(|contact| short(contact, process)).collect()
    };
    let moved = |(contact, was): &(Contact, DateTime<Utc>)| {
        let was = words::seen_from(*was, contact.at, process.timezone);
        format!("{} {DIM}instead of {was}{DIM:#}", short(contact, process))
    };
    let mut told = String::new();
    for (style, sign, lines, number) in [
        (BAD, "-", plain(only_before), only_before.len()),
        (GOOD, "+", plain(only_after), only_after.len()),
        (WARN, "~", shifted.iter().take(MOST_CONTACTS).map(moved).collect(), shifted.len()),
        (WARN, "≠", plain(reworded), reworded.len()),
    ] {
        for line in lines {
            let _ = write!(told, "\n  {style}{sign}{style:#} {line}");
        }
        if number > MOST_CONTACTS {
            let more = number - MOST_CONTACTS;
            let _ = write!(told, "\n  {style}{sign}{style:#} … and {more} more");
        }
    }
    told
}

fn short(contact: &Contact, process: &Process) -> String {
    let Contact { at, step, channel, request } = contact;
    let described = describe(channel, request);
    let first = described.lines().next().unwrap_or_default();
    let (day, time) = (words::day(*at, process.timezone), words::time(*at, process.timezone));
    format!("{DIM}{day}{DIM:#} {time}  {STEP}{}{STEP:#}  {} {first}", clean(step), clean(channel))
}
