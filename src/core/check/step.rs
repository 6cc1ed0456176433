//! One step: its keys, its runner, its config. Where its targets lead is looked at when
//! all steps are known.

use rungs_runners::{Kind, Prepared};

use super::{
    at::At,
    calendars::Almanac,
    config::Schemas,
    delivering::{self, Delivering},
    node::{Data, Node, quoted},
    quiet,
    report::Report,
};
use crate::{Diagnostic, diagnostic::Place};

const KEYS: [&str; 10] = [
    "id",
    "run",
    "config",
    "next",
    "altNext",
    "onFailure",
    "retry",
    "inDoubt",
    "lateness",
    "quietHours",
];

/// What stands for a target past the last step.
pub(super) const END: &str = "end";

/// A step as far as it could be read.
pub(super) struct Draft<'a> {
    /// The step itself.
    pub at: At<'a>,
    /// Its id, where that is one; not yet whether it is the only one.
    pub id: Option<Word<'a>>,
    /// Its runner, where that is known.
    pub kind: Option<Kind>,
    /// Its config, where that is in order.
    pub prepared: Option<Box<dyn Prepared>>,
    /// `next`.
    pub next: Link<'a>,
    /// `altNext`.
    pub alt_next: Link<'a>,
    /// What it says of its deliveries.
    pub delivering: Delivering,
    /// Its own quiet hours, where it says something of them.
    pub quiet: Option<quiet::Said>,
}

impl Draft<'_> {
    /// Where the step says what it jumps to; the step itself where that cannot be told.
    pub fn jump_place(&self) -> Place {
        let target = self.prepared.as_ref().and_then(|prepared| prepared.jump());
        let literal = self.kind.map_or(&[][..], |kind| kind.literal);
        let config = self.at.field("config");
        let mut fields = literal.iter().filter_map(|key| config.as_ref()?.field(key));
        let named = target.and_then(|jump| fields.find(|field| field.node.text() == Some(jump.to)));
        named.unwrap_or_else(|| self.at.clone()).place()
    }

    /// How often a jump is taken that has a bound, and where the step says so.
    pub fn times(&self) -> Option<(u64, Place)> {
        self.kind.filter(|kind| kind.literal.contains(&"times"))?;
        let times = self.at.field("config")?.field("times")?;
        match &times.node.data {
            Data::Number(number) => Some((number.as_u64()?, times.place())),
            _ => None,
        }
    }
}

/// A word of the author's and where it stands.
#[derive(Clone)]
pub(super) struct Word<'a> {
    /// The word.
    pub text: &'a str,
    /// Where.
    pub place: Place,
}

/// A key that names a step.
pub(super) enum Link<'a> {
    /// It is not there.
    Absent,
    /// It is there and no name, which has been reported.
    Broken,
    /// It names one.
    To(Word<'a>),
}

impl Link<'_> {
    /// Where the name stands.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::To(word) => Some(word.place.clone()),
            Self::Absent | Self::Broken => None,
        }
    }
}

/// Reads a step.
pub(super) fn read<'a>(
    at: At<'a>,
    kinds: &[Kind],
    almanac: &Almanac,
    schemas: &mut Schemas,
    report: &mut Report<'_>,
) -> Option<Draft<'a>> {
    if !at.is_mapping(report) {
        return None;
    }
    let id = id(&at, report);
    let kind = kind(&at, kinds, report);
    let config_keys = kind.map(|kind| schemas.keys(&kind)).unwrap_or_default();
    let hint = |key: &str| {
        config_keys.iter().any(|known| known == key).then(|| "move it under `config:`".to_owned())
    };
    at.refuse_unknown_keys(&KEYS, hint, report);
    let prepared = kind.and_then(|kind| config(&at, &kind, schemas, report));
    if let Some(prepared) = &prepared {
        check_among(&at, prepared.as_ref(), almanac, report);
    }
    let delivers = kind.is_none_or(|kind| kind.delivers);
    let is_held = kind.is_none_or(|kind| kind.delivers && !kind.asks);
    if let Some(kind) = kind.filter(|_| !is_held) {
        quiet::refuse(&at, &kind, report);
    }
    if let Some(kind) = kind.filter(|kind| !kind.delivers) {
        refuse_on_quiet(&at, &kind, kinds, report);
    }
    if let Some(kind) = kind.filter(|kind| kind.asks) {
        refuse_doubt(&at, &kind, report);
    }
    Some(Draft {
        quiet: if is_held { quiet::read(&at, almanac, report) } else { None },
        next: link(&at, "next", report),
        alt_next: link(&at, "altNext", report),
        delivering: if delivers { delivering::read(&at, report) } else { Delivering::default() },
        at,
        id,
        kind,
        prepared,
    })
}

/// What an id may be.
pub(super) const IDS: &str = "up to 100 letters, digits, `-` and `_`, beginning with a letter";

/// The id of a step.
pub(super) fn id<'a>(at: &At<'a>, report: &mut Report<'_>) -> Option<Word<'a>> {
    let field =
        at.required("id", "each step needs a name of its own, such as `id: ring`", report)?;
    let text = field.text(report)?;
    let place = field.place();
    let Some(message) = wrong_id(text) else { return Some(Word { text, place }) };
    report.add(Diagnostic::error("id", place, message).help(IDS.to_owned()));
    None
}

/// Why a text cannot be an id.
pub(super) fn wrong_id(text: &str) -> Option<String> {
    if text == END {
        return Some("`end` is where a sequence ends, and cannot be the id of a step".to_owned());
    }
    (!is_id(text)).then(|| format!("{} cannot be the id of a step", quoted(text)))
}

/// Whether a text can be the id of a step, apart from `end`.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

fn kind(at: &At<'_>, kinds: &[Kind], report: &mut Report<'_>) -> Option<Kind> {
    let names = || kinds.iter().map(|kind| kind.name);
    let known = names().collect::<Vec<_>>().join(", ");
    let field = at.required("run", &format!("known runners: {known}"), report)?;
    let name = field.text(report)?;
    let kind = kinds.iter().find(|kind| kind.name == name).copied();
    if kind.is_none() {
        report.add(
            Diagnostic::error(
                "unknown-runner",
                field.place(),
                format!("there is no runner {}", quoted(name)),
            )
            .help(if is_file(name) {
                Some(format!("the path of a fragment begins with `./` or `../`: `./{name}`"))
            } else {
                report.suggest(name, "runners", names())
            }),
        );
    }
    kind
}

/// Whether a runner's name is a path that lacks its beginning.
fn is_file(name: &str) -> bool {
    [".yml", ".yaml"].iter().any(|ending| name.ends_with(ending)) && !name.starts_with('/')
}

fn config(
    at: &At<'_>,
    kind: &Kind,
    schemas: &mut Schemas,
    report: &mut Report<'_>,
) -> Option<Box<dyn Prepared>> {
    // Nothing under `config:`, or no `config:` at all, is a config without keys.
    let empty = Node { data: Data::Mapping(Vec::new()), span: at.node.span.clone() };
    let field = match at.field("config") {
        Some(field) if field.node.data == Data::Null => At { node: &empty, ..field },
        Some(field) => field,
        None => At {
            node: &empty,
            pointer: format!("{}/config", at.pointer),
            key_span: at.key_span.clone(),
        },
    };
    if !field.is_mapping(report) {
        return None;
    }
    schemas.prepare(kind, &field, report)
}

/// What is wrong with a config among the calendars there are.
fn check_among(at: &At<'_>, prepared: &dyn Prepared, almanac: &Almanac, report: &mut Report<'_>) {
    for problem in prepared.check_among(almanac.zone, &almanac.calendars) {
        let place = at.find(&format!("/config{}", problem.pointer)).place();
        report.add(Diagnostic::error("calendar", place, problem.message).help(problem.help));
    }
}

fn link<'a>(at: &At<'a>, key: &str, report: &mut Report<'_>) -> Link<'a> {
    let Some(field) = at.field(key) else { return Link::Absent };
    match field.text(report) {
        Some(text) => Link::To(Word { text, place: field.place() }),
        None => Link::Broken,
    }
}

/// A question of which nobody knows whether it arrived is asked again.
fn refuse_doubt(at: &At<'_>, kind: &Kind, report: &mut Report<'_>) {
    if at.field("inDoubt").is_some() {
        let message =
            format!("`{}` is asked until it answers, so it takes no `inDoubt`", kind.name);
        report.add(Diagnostic::error("no-doubt", at.place_of_key("inDoubt"), message).help(
            "leave it out; what it asks has an id, under which it is asked again".to_owned(),
        ));
    }
}

/// `onFailure`, `retry`, `inDoubt` and `lateness` are about deliveries.
fn refuse_on_quiet(at: &At<'_>, kind: &Kind, kinds: &[Kind], report: &mut Report<'_>) {
    let delivering: Vec<&str> =
        kinds.iter().filter(|kind| kind.delivers).map(|kind| kind.name).collect();
    for key in delivering::KEYS {
        if at.field(key).is_some() {
            let message =
                format!("`{}` sends nothing that could fail, so it takes no `{key}`", kind.name);
            report.add(
                Diagnostic::error("no-delivery", at.place_of_key(key), message)
                    .help(format!("it belongs on {}", delivering.join(", "))),
            );
        }
    }
}
