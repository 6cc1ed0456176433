//! What `--what-if` found.

use rungs_core::{
    Status,
    simulate::{Cut, End, Explored, Way},
};
use rungs_runners::builtin::process::CHANNEL;
use serde_json::{Value, json};

use crate::{
    channels::console::clean,
    cli::{
        Output, Result,
        failure::count,
        output::{self, BOLD, DIM, WARN, talk},
        words,
    },
};

/// Answers of one climb that are shown in its row.
const MOST_ANSWERS: usize = 12;

pub(super) fn tell(explored: &Explored, output: Output) -> Result<()> {
    if output.is_json() {
        for way in &explored.ways {
            output::json(&document(way))?;
        }
        return Ok(());
    }
    let mut ways: Vec<&Way> = explored.ways.iter().collect();
    ways.sort_by_key(|way| way.length);
    let head = ["length", "contacts", "ends", "answers"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(ways.into_iter().map(row)).collect();
    output::text(output::table(&rows))?;
    let climbs = match explored.ways.len() {
        1 => "1 climb".to_owned(),
        ways => format!("{ways} different climbs"),
    };
    let tried = count(explored.tried, "combination");
    talk(&format!("\n{BOLD}{climbs}{BOLD:#}{DIM} of {tried}{DIM:#}"));
    if let Some(cut) = explored.cut {
        let why = match cut {
            Cut::Combinations => "--most tries more of them.",
            Cut::Lines => "They are too long for more of them; --answer takes some away.",
        };
        talk(&format!("{WARN}There are more combinations.{WARN:#} {why}"));
    }
    for step in &explored.unvaried {
        let step = clean(step);
        talk(&format!(
            "{WARN}What `{step}` answers is not varied.{WARN:#} --answer {step}={{...}} says it."
        ));
    }
    Ok(())
}

fn row(way: &Way) -> Vec<String> {
    let mut answers: Vec<String> = way
        .answers
        .iter()
        .take(MOST_ANSWERS)
        .map(|(step, _, _, status)| format!("{} {status}", clean(step)))
        .collect();
    if way.answers.len() > MOST_ANSWERS {
        answers.push(format!("{} more", way.answers.len() - MOST_ANSWERS));
    }
    let contacts = way.answers.iter().filter(|(_, _, channel, _)| channel != CHANNEL).count();
    vec![
        words::duration(way.length),
        contacts.to_string(),
        ends(way),
        if answers.is_empty() { "nobody is contacted".to_owned() } else { answers.join(", ") },
    ]
}

fn ends(way: &Way) -> String {
    let cursor = clean(way.cursor.as_deref().unwrap_or_default());
    match (way.end, way.status) {
        (End::Ended, Status::Completed) => "completed".to_owned(),
        (End::Ended, status) => format!("{} at {cursor}", status.as_str()),
        (End::Waits, _) => format!("waits at {cursor}"),
        (End::Endless, _) => format!("never, at {cursor}"),
    }
}

fn document(way: &Way) -> Value {
    let answers: Vec<Value> = way
        .answers
        .iter()
        .map(|(step, stay, channel, status)| {
            json!({ "step": step, "stay": stay, "channel": channel, "status": status })
        })
        .collect();
    json!({
        "seconds": way.length.as_seconds_f64(),
        "status": way.status.as_str(),
        "end": match way.end { End::Ended => "ended", End::Waits => "waits", End::Endless => "endless" },
        "cursor": way.cursor,
        "combinations": way.combinations,
        "answers": answers,
    })
}
