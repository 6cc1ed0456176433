//! `moved:`, the steps that bear another id since an earlier version.
//!
//! Promises: what comes out leads from an id that no step bears to one that a step does, so
//! that a process which stands at the old one has a place to go, and only one.

use std::collections::{BTreeMap, HashMap};

use super::{at::At, node::quoted, report::Report, step::is_id};
use crate::Diagnostic;

/// How many steps may have been renamed: each line is for processes of earlier versions, and
/// a sequence has at most as many steps.
const MOST: usize = 1000;

/// Reads the map; `positions` are the steps there are.
pub(super) fn read(
    at: &At<'_>,
    positions: &HashMap<&str, usize>,
    report: &mut Report<'_>,
) -> BTreeMap<String, String> {
    let mut moved = BTreeMap::new();
    let Some(field) = at.field("moved") else { return moved };
    if !field.is_mapping(report) {
        return moved;
    }
    let entries = field.node.entries();
    if entries.len() > MOST {
        let message =
            format!("at most {MOST} steps may have moved, and here are {}", entries.len());
        report.add(Diagnostic::error("too-large", field.key_place(), message));
    }
    for entry in entries.iter().take(MOST) {
        let Some(to) = field.field(&entry.key) else { continue };
        let place = field.place_of_key(&entry.key);
        if positions.contains_key(entry.key.as_str()) {
            let message =
                format!("{} is a step of this sequence, so it has not moved", quoted(&entry.key));
            let help = "on the left stands the id of an earlier version, on the right that of \
                        now; give the new step another id, or take this line out";
            report.add(Diagnostic::error("moved", place, message).help(help.to_owned()));
            continue;
        }
        if !is_id(&entry.key) {
            let message = format!("{} was never the id of a step", quoted(&entry.key));
            report.add(Diagnostic::error("id", place, message));
            continue;
        }
        let Some(text) = to.text(report) else { continue };
        if positions.contains_key(text) {
            moved.insert(entry.key.clone(), text.to_owned());
            continue;
        }
        // Steps of a fragment that could not be read are not known to be missing.
        if text.contains("--") && report.has_errors() {
            continue;
        }
        let message = format!("there is no step {}", quoted(text));
        let mut known: Vec<(&str, usize)> = positions.iter().map(|(id, at)| (*id, *at)).collect();
        known.sort_by_key(|(_, position)| *position);
        let known = known.into_iter().map(|(id, _)| id);
        report.add(
            Diagnostic::error("unknown-step", to.place(), message)
                .help(report.suggest(text, "steps", known)),
        );
    }
    moved
}
