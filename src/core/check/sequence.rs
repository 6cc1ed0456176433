//! The top of a source: its keys, and all the steps together.

use std::collections::BTreeMap;

use rungs_runners::{Kind, Template};
use serde_json::Value;

use super::{
    at::At,
    calendars::{self, Almanac},
    config::Schemas,
    delivering::{self, Delivering, one_of},
    fragment::{self, Item},
    graph, input, moved,
    node::{Data, Node, quoted},
    quiet,
    report::Report,
    step::{self, Draft},
    targets::{self, Way, Ways},
    timezone, variables,
};
use crate::{
    Diagnostic, Files, Retry, Sequence, Step,
    process::Priority,
    sequence::{Input, Target},
};

const KEYS: [&str; 10] = [
    "sequence",
    "description",
    "timezone",
    "priority",
    "calendars",
    "quietHours",
    "defaults",
    "input",
    "moved",
    "steps",
];

const PRIORITIES: [(&str, Priority); 3] =
    [("high", Priority::High), ("normal", Priority::Normal), ("low", Priority::Low)];

/// How many steps a sequence may have.
pub(super) const STEPS: usize = 1000;

/// The keys of a sequence beside its steps.
struct Top {
    name: Option<String>,
    description: Option<String>,
    timezone: Option<Template>,
    priority: Priority,
    defaults: Delivering,
    input: Option<Input>,
    almanac: Almanac,
    quiet: quiet::Said,
}

/// Reads a sequence; `None` if there was an error anywhere.
pub(super) fn read<'a>(
    root: &Node,
    files: &'a Files,
    kinds: &[Kind],
    report: &mut Report<'a>,
) -> Option<Sequence> {
    let at = At::root(root);
    at.refuse_unknown_keys(&KEYS, |_| None, report);
    let calendars = calendars::read(&at, files, report);
    let zone = at.field("timezone").as_ref().and_then(timezone::literal);
    let top = top(&at, Almanac { calendars, zone }, report);
    let items = list(&at, report).map(|steps| fragment::expand(steps, files, kinds, report));
    let items = items.unwrap_or_default();
    let steps = steps(&items, kinds, &top.almanac, report);
    let positions = targets::positions(&steps, report);
    let ways = targets::ways(&steps, &positions, report);
    let moved = moved::read(&at, &positions, report);
    graph::check(&steps, &ways, &top.almanac, top.defaults.fail_on_failure == Some(true), report);
    let zone = at.field("timezone");
    variables::check(&steps, zone.as_ref().zip(top.timezone.as_ref()), top.input.as_ref(), report);
    if report.has_errors() { None } else { built(top, moved, steps, &ways) }
}

/// A sequence as it is written, its fragments expanded.
pub(super) fn written<'a>(
    root: &Node,
    files: &'a Files,
    kinds: &[Kind],
    report: &mut Report<'a>,
) -> Value {
    let at = At::root(root);
    let items = list(&at, report).map(|steps| fragment::expand(steps, files, kinds, report));
    let steps: Vec<Value> = items.iter().flatten().map(|item| item.node.to_json()).collect();
    let mut written = root.to_json();
    written["steps"] = Value::Array(steps);
    written
}

/// Reads a fragment by itself, as if a sequence had nothing but its steps. The calendars that
/// it names are for the sequences that use it to have.
pub(super) fn read_fragment<'a>(
    root: &Node,
    files: &'a Files,
    kinds: &[Kind],
    report: &mut Report<'a>,
) {
    let almanac = Almanac { calendars: calendars::assumed(root), zone: None };
    let items = fragment::alone(root, files, kinds, report);
    let steps = steps(&items, kinds, &almanac, report);
    let positions = targets::positions(&steps, report);
    let ways = targets::ways(&steps, &positions, report);
    // What the sequences that use it say of failures is not known here.
    graph::check(&steps, &ways, &almanac, true, report);
    variables::check(&steps, None, None, report);
}

fn top(at: &At<'_>, almanac: Almanac, report: &mut Report<'_>) -> Top {
    Top {
        name: name(at, "sequence", "such as `sequence: order-escalation`", report),
        description: at
            .field("description")
            .and_then(|field| field.text(report))
            .map(str::to_owned),
        timezone: at.field("timezone").and_then(|field| timezone::read(&field, report)),
        priority: at
            .field("priority")
            .and_then(|field| one_of(&field, &PRIORITIES, report))
            .unwrap_or_default(),
        defaults: at
            .field("defaults")
            .map(|field| delivering::defaults(&field, report))
            .unwrap_or_default(),
        input: at.field("input").and_then(|field| {
            let input = input::read(&field, report)?;
            input::defaults(&field, &input, false, report);
            Some(input)
        }),
        quiet: quiet::read(at, &almanac, report).flatten(),
        almanac,
    }
}

/// The name of a sequence or of a fragment, which stands under a key of that name.
pub(super) fn name(
    at: &At<'_>,
    key: &str,
    example: &str,
    report: &mut Report<'_>,
) -> Option<String> {
    let field = at.required(key, example, report)?;
    let text = field.text(report)?;
    let is_name = text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if !is_name {
        let message = format!("{} cannot be the name of a {key}", quoted(text));
        report.add(
            Diagnostic::error("name", field.place(), message).help(
                "up to 100 letters, digits, `-`, `_` and `.`, beginning with a letter or a digit"
                    .to_owned(),
            ),
        );
    }
    is_name.then(|| text.to_owned())
}

/// The list of steps, no longer than it may be.
pub(super) fn list<'a>(at: &At<'a>, report: &mut Report<'_>) -> Option<&'a [Node]> {
    const EXAMPLE: &str = "steps:\n  - id: ring\n    run: Phone";
    let field = at.required("steps", "a list of steps, each with `id` and `run`", report)?;
    let Data::List(items) = &field.node.data else {
        field.expected("a list of steps", report);
        return None;
    };
    if items.is_empty() {
        let message = "a sequence needs at least one step";
        report.add(
            Diagnostic::error("no-steps", field.key_place(), message).help(EXAMPLE.to_owned()),
        );
    }
    if let Some(one_too_many) = items.get(STEPS) {
        let place = crate::diagnostic::Place::new(
            format!("{}/{STEPS}", field.pointer),
            one_too_many.span.clone(),
        );
        let message = format!("a sequence has at most {STEPS} steps, and this has {}", items.len());
        report.add(Diagnostic::error("too-large", place, message));
    }
    Some(items.get(..STEPS).unwrap_or(items))
}

/// The steps, in order; `None` in place of one that is no mapping.
fn steps<'a>(
    items: &'a [Item<'_>],
    kinds: &[Kind],
    almanac: &Almanac,
    report: &mut Report<'_>,
) -> Vec<Option<Draft<'a>>> {
    let mut schemas = Schemas::default();
    let each = items.iter().map(|Item { node, pointer }| {
        let at = At { node, pointer: pointer.clone(), key_span: None };
        step::read(at, kinds, almanac, &mut schemas, report)
    });
    each.collect()
}

/// Everything is there, or there was an error.
fn built(
    top: Top,
    moved: BTreeMap<String, String>,
    steps: Vec<Option<Draft<'_>>>,
    ways: &[Ways],
) -> Option<Sequence> {
    let mut built = Vec::with_capacity(steps.len());
    let count = steps.len();
    for (position, (draft, ways)) in steps.into_iter().zip(ways).enumerate() {
        let draft = draft?;
        let delivering = draft.delivering.or(top.defaults);
        let (kind, has_alt_next) = (draft.kind?, ways.alt_next.is_some());
        built.push(Step {
            id: draft.id?.text.to_owned(),
            kind,
            config: draft.prepared?,
            // A step that always jumps has no `next` to take.
            next: ways.next.map_or(Some(targets::below(position, count)), target)?,
            alt_next: match ways.alt_next {
                Some(way) => Some(target(way)?),
                None => None,
            },
            // Without an answer there is no `next`.
            fail_on_failure: delivering.fail_on_failure.unwrap_or(kind.asks && !has_alt_next),
            retry: delivering.retry.or(kind.asks.then(Retry::without_end)),
            // To ask again does no harm, and is the only way to know.
            in_doubt: delivering.in_doubt.filter(|_| !kind.asks).unwrap_or_default(),
            lateness: delivering.lateness,
            quiet: draft.quiet.unwrap_or_else(|| top.quiet.clone().filter(|_| kind.disturbs)),
        });
    }
    let goals = built.iter().enumerate().filter(|(_, step)| step.kind.goal).map(|(at, _)| at);
    let listeners = built.iter().enumerate().filter(|(_, step)| step.kind.listens);
    let listeners = listeners.map(|(at, _)| at).collect();
    Some(Sequence {
        name: top.name?,
        description: top.description,
        timezone: top.timezone,
        priority: top.priority,
        input: top.input,
        moved,
        goals: goals.collect(),
        listeners,
        calendars: top.almanac.calendars,
        positions: built.iter().enumerate().map(|(at, step)| (step.id.clone(), at)).collect(),
        steps: built,
    })
}

fn target(way: Way) -> Option<Target> {
    match way {
        Way::To(target) => Some(target),
        Way::Unknown => None,
    }
}
