//! What must hold when a run is over and everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    acts::Acts,
    ledger::{Broken, Ledger},
    provider::Taken,
    replay::{Kept, cursor_history_and_deliveries_agree},
    scenario::{Deed, Scenario, What},
    seen::Seen,
    world::{Base, Ran},
};

/// The climbs of a run by `process_id`, each process that bore it for itself.
pub type Climbs = BTreeMap<String, Vec<Vec<String>>>;

/// Looks at everything that a run has left behind.
pub async fn hold(scenario: &Scenario, base: &Base, ran: &Ran) -> Result<Climbs, Broken> {
    let Ran { ledger, seen, .. } = ran;
    every_delivery_was_attempted_or_withdrawn_in_time(seen)?;
    nothing_was_taken_twice_unless_it_was_in_doubt(ledger)?;
    no_text_was_adopted_that_is_anothers(ledger, seen)?;
    what_became_of_a_delivery_is_written_down(ledger, seen)?;
    every_answered_start_has_its_process(ledger, seen)?;
    let all = Kept::all(base).await;
    what_was_in_doubt_was_looked_for_before_it_was_repeated(ledger, seen, &all)?;
    every_event_is_kept_once_and_by_its_own_process(scenario, ledger, &all)?;
    let acts = Acts::of(&all);
    acts.each_is_done_once(&all)?;
    let mut climbs = Climbs::new();
    for kept in &all {
        let id = &kept.process.process_id;
        let climber = scenario.processes.iter().find(|climber| climber.id == *id);
        let data = match climber {
            Some(climber) => climber.data.clone(),
            None => acts.data_of(kept)?,
        };
        let climb = cursor_history_and_deliveries_agree(kept, data, ledger)?;
        climbs.entry(id.clone()).or_default().push(climb);
    }
    Ok(climbs)
}

fn every_delivery_was_attempted_or_withdrawn_in_time(seen: &Seen) -> Result<(), Broken> {
    for delivery in seen.deliveries.values() {
        let process = seen.process_of(delivery).map_or("none", |process| process.status.as_str());
        let fine = match delivery.status.as_str() {
            // It will be, once the process goes on.
            "pending" => process == "paused",
            "sending" => false,
            // It is left at that.
            "in-doubt" => !delivery.is_open(),
            "skipped" => delivery.late_at.is_some(),
            "failed" if delivery.attempts == 0 => delivery.late_at.is_some(),
            "cancelled" => delivery.withdrawn,
            _ => delivery.attempts > 0,
        };
        if !fine {
            return Err(Broken::new(
                "every_delivery_was_attempted_or_withdrawn_in_time",
                format!("{delivery:#?} of a process that is {process}"),
            ));
        }
    }
    Ok(())
}

/// A provider takes a delivery again only if nobody could know of the first time.
fn nothing_was_taken_twice_unless_it_was_in_doubt(ledger: &Ledger) -> Result<(), Broken> {
    let mut certain: BTreeMap<&str, Vec<&Taken>> = BTreeMap::new();
    for taken in &ledger.taken {
        if !is_doubtful(ledger, taken) {
            certain.entry(&taken.delivery).or_default().push(taken);
        }
    }
    match certain.into_values().find(|taken| taken.len() > 1) {
        None => Ok(()),
        Some(taken) => Err(Broken::new(
            "nothing_was_taken_twice_unless_it_was_in_doubt",
            format!("{taken:#?}"),
        )),
    }
}

fn is_doubtful(ledger: &Ledger, taken: &Taken) -> bool {
    let attempt = i32::try_from(taken.attempt).unwrap();
    ledger.doubtful.contains(&(taken.delivery.clone(), attempt))
}

/// Where the provider can be searched, it was, and did not have it; or it gave no answer for so
/// long that the step's `inDoubt` decided.
fn what_was_in_doubt_was_looked_for_before_it_was_repeated(
    ledger: &Ledger,
    seen: &Seen,
    all: &[Kept],
) -> Result<(), Broken> {
    let anothers = |taken: &Taken| {
        seen.deliveries.values().any(|delivery| {
            delivery.id != taken.delivery
                && delivery.provider_id.as_ref() == Some(&taken.provider_id)
        })
    };
    for (first, again) in twice(ledger).filter(|(first, _)| first.channel != "email") {
        let begun = ledger.begun.iter().find(|begun| {
            begun.delivery == again.delivery && i32::try_from(again.attempt) == Ok(begun.attempt)
        });
        let begun = begun.map_or(0, |begun| begun.tick);
        let rows = all.iter().flat_map(|kept| &kept.deliveries);
        let log = rows.filter(|row| row.id == again.delivery).map(|row| row.log.as_str()).next();
        let excused = first.tick > begun
            || ledger.hidden.contains(&first.provider_id)
            || anothers(first)
            || log.is_some_and(|log| log.contains("\"unanswered\""));
        if !excused {
            return Err(Broken::new(
                "what_was_in_doubt_was_looked_for_before_it_was_repeated",
                format!("{first:#?}\nand again {again:#?}\nlog: {log:?}"),
            ));
        }
    }
    Ok(())
}

/// Each delivery that a provider took, and took again.
pub fn twice(ledger: &Ledger) -> impl Iterator<Item = (&Taken, &Taken)> {
    ledger.taken.iter().enumerate().filter_map(|(at, again)| {
        let before = ledger.taken[..at].iter();
        before.rev().find(|taken| taken.delivery == again.delivery).map(|first| (first, again))
    })
}

/// The words of every text of the simulation are its own, so that a text which is looked for
/// is that text or none.
fn no_text_was_adopted_that_is_anothers(ledger: &Ledger, seen: &Seen) -> Result<(), Broken> {
    for taken in ledger.taken.iter().filter(|taken| taken.channel == "sms") {
        let mut rows = seen.deliveries.values();
        let row = rows.find(|row| row.provider_id.as_ref() == Some(&taken.provider_id));
        if row.is_some_and(|row| row.id != taken.delivery) {
            return Err(Broken::new(
                "no_text_was_adopted_that_is_anothers",
                format!("{taken:#?} became {row:#?}"),
            ));
        }
    }
    Ok(())
}

/// What the provider says is what we say.
fn what_became_of_a_delivery_is_written_down(ledger: &Ledger, seen: &Seen) -> Result<(), Broken> {
    for taken in ledger.taken.iter().filter(|taken| !is_doubtful(ledger, taken)) {
        let twice = ledger.taken.iter().filter(|it| it.delivery == taken.delivery).count() > 1;
        let row = seen.deliveries.get(&taken.delivery);
        // A process that was on its way to hear of it for too long.
        let silent = row.is_some_and(|row| row.status == "failed" && row.attempts > 0);
        if !twice && !silent && row.is_none_or(|row| row.status != taken.end().as_str()) {
            return Err(Broken::new(
                "what_became_of_a_delivery_is_written_down",
                format!("{taken:#?} stands as {row:#?}"),
            ));
        }
    }
    Ok(())
}

fn every_answered_start_has_its_process(ledger: &Ledger, seen: &Seen) -> Result<(), Broken> {
    match ledger.starts.iter().find(|key| !seen.processes.contains_key(*key)) {
        None => Ok(()),
        Some(key) => Err(Broken::new("every_answered_start_has_its_process", key)),
    }
}

/// What was told to one process is kept by that process, and once however often it was said.
fn every_event_is_kept_once_and_by_its_own_process(
    scenario: &Scenario,
    ledger: &Ledger,
    all: &[Kept],
) -> Result<(), Broken> {
    let broken =
        |what: String| Err(Broken::new("every_event_is_kept_once_and_by_its_own_process", what));
    let mut kept: BTreeSet<(&str, &str)> = BTreeSet::new();
    for one in all {
        let mut ids = BTreeSet::new();
        for event in &one.events {
            let told = |deed: &&Deed| {
                let What::Event { id, r#type, data } = &deed.what else { return false };
                deed.process == one.process.process_id
                    && (id, *r#type, data.to_string())
                        == (&event.id, event.r#type.as_str(), event.data.clone())
            };
            if !scenario.deeds.iter().any(|deed| told(&deed)) || !ids.insert(&event.id) {
                return broken(format!("{} keeps {event:#?}", one.process.process_id));
            }
            kept.insert((&one.process.process_id, &event.id));
        }
    }
    let lost =
        |(process, event): &&(String, String)| !kept.contains(&(process.as_str(), event.as_str()));
    match ledger.events.keys().find(lost) {
        None => Ok(()),
        Some((process, event)) => broken(format!("{event} of {process} was answered, and is lost")),
    }
}

/// A run with faults takes the way of a run without, except where something was in doubt.
pub fn the_climb_is_that_of_a_run_without_faults(
    ran: &Ran,
    climbs: &Climbs,
    calm: &Ran,
    calm_climbs: &Climbs,
) -> Result<usize, Broken> {
    let mut compared = 0;
    for (id, calm_climb) in calm_climbs {
        if ran.ledger.shaken.contains(id) || calm.ledger.shaken.contains(id) {
            continue;
        }
        // A start that was tried again after its process had ended starts another.
        for climb in climbs.get(id).into_iter().flatten() {
            compared += 1;
            // Some climb for ever: they have come as far as they have come.
            let calm_climb = &calm_climb[0];
            let common = climb.len().min(calm_climb.len());
            let ended = |climb: &[String]| {
                climb.last().is_some_and(|last| last == "completed" || last == "failed")
            };
            let differ = climb[..common] != calm_climb[..common]
                || (ended(climb) && calm_climb.len() > common)
                || (ended(calm_climb) && climb.len() > common);
            if differ {
                return Err(Broken::new(
                    "the_climb_is_that_of_a_run_without_faults",
                    format!("{id} climbed {climb:#?}\nand without faults {calm_climb:#?}"),
                ));
            }
        }
    }
    Ok(compared)
}
