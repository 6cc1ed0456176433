//! The file of a fragment: its shape, and how it is checked alone.

use rungs_runners::Kind;
use serde_json::{Map, Value, json};

use super::{
    Expander, Item,
    arguments::Arguments,
    list::{ALT_NEXT, Exit, List},
    substitute::Substitution,
};
use crate::{
    Diagnostic, Files,
    check::{
        at::At,
        input,
        node::{Data, Entry, Node},
        parts::Part,
        report::Report,
        sequence, source,
    },
    diagnostic::UsedBy,
    sequence::Input,
};

const KEYS: [&str; 4] = ["fragment", "description", "parameters", "steps"];

/// A fragment that was read.
pub(super) struct Fragment<'a> {
    pub path: &'a str,
    pub text: &'a str,
    /// Where the spans of its steps begin.
    pub base: usize,
    root: Node,
    /// The parameters it takes; none if it takes any.
    pub known: Option<Vec<String>>,
    /// What its parameters must look like.
    pub parameters: Option<Input>,
}

/// Whether a text is meant as a fragment, whatever is wrong with it.
pub(in crate::check) fn is_fragment(root: &Node) -> bool {
    root.entry("fragment").is_some() && root.entry("sequence").is_none()
}

impl<'a> Fragment<'a> {
    /// Reads a file; `None` if it cannot be used, which has been reported.
    pub fn read(
        path: &'a str,
        text: &'a str,
        used_by: Vec<UsedBy>,
        report: &mut Report<'a>,
    ) -> Option<Self> {
        let part = Part::file(path, text).used_by(used_by);
        let (base, root) = source::read_included(part, "fragment", report)?;
        Self::of(path, text, base, root, report)
    }

    fn of(
        path: &'a str,
        text: &'a str,
        base: usize,
        root: Node,
        report: &mut Report<'a>,
    ) -> Option<Self> {
        let at = At::root(&root);
        if root.entry("fragment").is_none() && root.entry("sequence").is_some() {
            let message = "this is a sequence, and a step runs fragments only";
            report.add(
                Diagnostic::error("fragment", at.place_of_key("sequence"), message)
                    .help("a fragment begins with `fragment: its-name`, then `steps:`".to_owned()),
            );
            return None;
        }
        at.refuse_unknown_keys(&KEYS, hint, report);
        sequence::name(&at, "fragment", "such as `fragment: ring-kitchen`", report);
        if let Some(field) = at.field("description") {
            field.text(report);
        }
        let parameters = at.field("parameters").and_then(|field| parameters(&field, report));
        sequence::list(&at, report)?;
        let known = known(&root);
        Some(Self { path, text, base, root, known, parameters })
    }

    /// Whether one of its steps names `altNext`, the way out.
    pub fn leaves_by_alt_next(&self) -> bool {
        let is_way_out = |entry: &Entry| entry.value.text() == Some(ALT_NEXT);
        self.steps().iter().any(|step| {
            let names = |key: &str| step.entry(key).is_some_and(is_way_out);
            let config = step.entry("config").map_or(&[][..], |config| config.value.entries());
            names("next") || names(ALT_NEXT) || config.iter().any(is_way_out)
        })
    }

    /// Its steps, as they are written.
    pub fn steps(&self) -> &[Node] {
        match self.root.entry("steps").map(|entry| &entry.value.data) {
            Some(Data::List(steps)) => steps,
            _ => &[],
        }
    }
}

fn hint(key: &str) -> Option<String> {
    let of_sequence = ["timezone", "priority", "defaults", "input", "calendars", "quietHours"];
    of_sequence.contains(&key).then(|| "that is for the sequences that use it to say".to_owned())
}

/// The schema under `parameters:`.
fn parameters(at: &At<'_>, report: &mut Report<'_>) -> Option<Input> {
    if let Some(of_type) = at.field("type")
        && of_type.node.text().is_some_and(|of_type| of_type != "object")
    {
        let message = "parameters have names, so they are an object";
        report.add(
            Diagnostic::error("input", of_type.place(), message).help("type: object".to_owned()),
        );
        return None;
    }
    let before = report.len();
    let parameters = input::read(at, report)?;
    input::defaults(at, &parameters, true, report);
    (report.len() == before).then_some(parameters)
}

/// The names of the parameters; none if there may be others.
fn known(root: &Node) -> Option<Vec<String>> {
    let Some(parameters) = root.entry("parameters").map(|entry| &entry.value) else {
        return Some(Vec::new());
    };
    let more = parameters.entry("additionalProperties").map(|entry| &entry.value.data);
    if more.is_some_and(|more| *more != Data::Bool(false)) || parameters.is_broken() {
        return None;
    }
    let listed = parameters.entry("properties").map_or(&[][..], |entry| entry.value.entries());
    Some(listed.iter().map(|entry| entry.key.clone()).collect())
}

/// The steps that a fragment comes to by itself, with something for each of its parameters.
pub(in crate::check) fn alone<'a>(
    root: &Node,
    files: &'a Files,
    kinds: &[Kind],
    report: &mut Report<'a>,
) -> Vec<Item<'static>> {
    let Some(fragment) = Fragment::of("", report.source, 0, root.clone(), report) else {
        return Vec::new();
    };
    let given = Node::of_json(&Value::Null, &(0..0));
    let arguments = Arguments { values: samples(&fragment), given, pointer: String::new() };
    let mut expander = Expander::new(files, kinds, report);
    let mut substitution = Substitution {
        arguments: Some(&arguments),
        known: fragment.known.as_deref(),
        prefix: "",
        shift: 0,
        bytes: &mut expander.bytes,
    };
    let each = fragment.steps().iter().enumerate();
    let steps: Vec<Node> =
        each.map(|(at, step)| substitution.step(step, at, expander.report)).collect();
    let list = List {
        prefix: String::new(),
        path: "",
        end: Exit::to("end"),
        alt_next: Some(Exit::to("end")),
        entries: expander.entries(&steps, "", ""),
        steps: &steps,
    };
    expander.list(&list);
    let items = expander.items.into_iter();
    items.map(|(node, pointer)| Item { node: std::borrow::Cow::Owned(node), pointer }).collect()
}

/// A value for each parameter: its default, something of its type, or else a variable that
/// nobody knows anything of.
fn samples(fragment: &Fragment<'_>) -> Map<String, Value> {
    let none = Map::new();
    let properties = fragment
        .parameters
        .as_ref()
        .and_then(|input| input.schema.get("properties")?.as_object())
        .unwrap_or(&none);
    let names = fragment.known.iter().flatten();
    names.map(|name| (name.clone(), sample(name, properties.get(name)))).collect()
}

fn sample(name: &str, schema: Option<&Value>) -> Value {
    let of = |key: &str| schema.and_then(|schema| schema.get(key));
    let listed = |key: &str| of(key)?.as_array()?.first().cloned();
    let given = of("default").or_else(|| of("const")).cloned();
    given.or_else(|| listed("examples")).or_else(|| listed("enum")).unwrap_or_else(|| {
        match of("type").and_then(Value::as_str) {
            Some("integer" | "number") => of("minimum").cloned().unwrap_or_else(|| json!(1)),
            Some("boolean") => json!(true),
            _ => json!(format!("{{{{param.{name}}}}}")),
        }
    })
}
