//! A step that runs a fragment: its keys, its arguments, and the fragment in its place.

use std::rc::Rc;

use rungs_runners::{Template, template::is_template};
use serde_json::Value;

use super::{
    DEPTH, Expander, SEPARATOR,
    arguments::Arguments,
    file::Fragment,
    list::{Exit, List},
    substitute::Substitution,
};
use crate::{
    Diagnostic,
    check::{
        at::At,
        delivering,
        node::{Data, Node, join, quoted},
        parts::Part,
        schema::Validated,
        step,
    },
    diagnostic::Place,
    start::fill_defaults,
};

const KEYS: [&str; 5] = ["id", "run", "config", "next", "altNext"];

impl<'a> Expander<'_, 'a> {
    /// Puts a fragment in the place of the step that runs it; `None` if something is wrong with
    /// the step, or with the fragment as a whole.
    pub(super) fn call(
        &mut self,
        step: &Node,
        run: &str,
        list: &List<'_>,
        position: usize,
        pointer: String,
    ) -> Option<()> {
        let at = At { node: step, pointer, key_span: None };
        at.refuse_unknown_keys(&KEYS, hint, self.report);
        let id = match step::id(&at, self.report) {
            Some(id) if list.prefix.is_empty() => Some(id.text.to_owned()),
            Some(_) => at.field("id").and_then(|id| match self.own_id(id.node, id.pointer, list) {
                Data::Text(full) => Some(full),
                _ => None,
            }),
            None => None,
        };
        let mut exit = |key: &str| {
            let named = at.field(key)?;
            named.text(self.report);
            Some(Exit {
                to: self.exit(named.node, named.pointer.clone(), list),
                is_elsewhere: true,
            })
        };
        let alt_next = exit("altNext");
        let next = exit("next").unwrap_or_else(|| list.below(position));
        let of_run = format!("{}/run", at.pointer);
        let (id, fragment) = id.zip(self.fragment(step, run, list.path, of_run))?;
        self.alt_next_fits(&at, &fragment);
        let place = at.field("run").map(|field| field.place()).unwrap_or_default();
        if !self.may_open(&fragment, place) {
            return None;
        }
        let arguments = self.arguments(&at, &fragment);
        let own = at.field("id").and_then(|id| id.node.text()).unwrap_or("?");
        let prefix = format!("{id}{SEPARATOR}");
        let part = Part::file(fragment.path, fragment.text)
            .used_by(self.report.user(step.span.start, own))
            .prefixed(&prefix);
        let base = self.report.include(part);
        let mut substitution = Substitution {
            arguments: arguments.as_ref(),
            known: fragment.known.as_deref(),
            prefix: &prefix,
            shift: base.saturating_sub(fragment.base),
            bytes: &mut self.bytes,
        };
        let each = fragment.steps().iter().enumerate();
        let steps: Vec<Node> =
            each.map(|(at, step)| substitution.step(step, at, self.report)).collect();
        let inner = List {
            entries: self.entries(&steps, &prefix, fragment.path),
            alt_next: Some(alt_next.unwrap_or_else(|| next.clone())),
            steps: &steps,
            path: fragment.path,
            end: next,
            prefix,
        };
        self.open.push(fragment.path);
        self.list(&inner);
        self.open.pop();
        Some(())
    }

    /// A fragment that never leaves that way makes an `altNext` a mistake.
    fn alt_next_fits(&mut self, at: &At<'_>, fragment: &Fragment<'_>) {
        let leaves = fragment.steps().is_empty() || fragment.leaves_by_alt_next();
        if at.field("altNext").is_some() && !leaves {
            let message = "this fragment never leaves by `altNext`";
            let help = "leave it out, or name `altNext` in a step of the fragment".to_owned();
            let place = at.place_of_key("altNext");
            self.report.add(Diagnostic::error("never-taken", place, message).help(help));
        }
    }

    /// Whether there is room for one more, and it is not within itself.
    fn may_open(&mut self, fragment: &Rc<Fragment<'a>>, place: Place) -> bool {
        if let Some(first) = self.open.iter().position(|open| *open == fragment.path) {
            let around = self.open.iter().skip(first).chain([&fragment.path]);
            let way = around.copied().collect::<Vec<_>>().join(" → ");
            let message = format!("this fragment uses itself: {way}");
            self.report.add(Diagnostic::error("fragment-cycle", place, message));
            return false;
        }
        if self.open.len() >= DEPTH {
            let message = format!("fragments use each other at most {DEPTH} deep");
            self.report.add(Diagnostic::error("too-large", place, message));
            return false;
        }
        let nodes: usize = fragment.steps().iter().map(Node::count).sum();
        if let Some(rest) = self.nodes.checked_sub(nodes) {
            self.nodes = rest;
        } else {
            let most = super::NODES;
            self.full(place, format!("with its fragments this has more than {most} values"));
        }
        !self.is_full
    }

    /// What a step gives for the parameters; `None` if something is wrong with it.
    fn arguments(&mut self, at: &At<'_>, fragment: &Fragment<'_>) -> Option<Arguments> {
        let before = self.report.len();
        let empty = Node { data: Data::Mapping(Vec::new()), span: at.node.span.clone() };
        let config = match at.field("config") {
            Some(field) if field.node.data == Data::Null => At { node: &empty, ..field },
            Some(field) => field,
            None => {
                let key_span = at.field("run").and_then(|run| run.key_span);
                At { node: &empty, pointer: format!("{}/config", at.pointer), key_span }
            }
        };
        if !config.is_mapping(self.report) {
            return None;
        }
        self.unknown(&config, fragment);
        self.templates(config.node, &config.pointer);
        let mut given = config.node.to_json();
        if let Some(parameters) = &fragment.parameters {
            fill_defaults(&mut given, &parameters.schema);
            Validated { schema: &parameters.schema, at: &config, templates: true }
                .report(parameters.validator.iter_errors(&given), self.report);
        }
        let Value::Object(values) = given else { return None };
        let is_well = self.report.len() == before && !config.node.is_broken();
        let given = config.node.clone();
        is_well.then_some(Arguments { values, given, pointer: config.pointer })
    }

    fn unknown(&mut self, config: &At<'_>, fragment: &Fragment<'_>) {
        let Some(known) = &fragment.known else { return };
        // The schema says it itself.
        let schema = fragment.parameters.as_ref().map(|input| &input.schema);
        if schema.is_some_and(|schema| schema.get("additionalProperties").is_some()) {
            return;
        }
        for entry in config.node.entries().iter().filter(|entry| !known.contains(&entry.key)) {
            let known = known.iter().map(String::as_str);
            let help = self.report.suggest(&entry.key, "parameters", known);
            let message = format!("the fragment has no parameter {}", quoted(&entry.key));
            let place = Place::new(join(&config.pointer, &entry.key), entry.key_span.clone());
            self.report.add(Diagnostic::error("unknown-parameter", place, message).help(help));
        }
    }

    /// A template that does not parse is told where it stands, and not where it is put.
    fn templates(&mut self, node: &Node, pointer: &str) {
        match &node.data {
            Data::Text(text) if is_template(text) => {
                if let Err(error) = Template::parse(text, false) {
                    let message = format!("this template does not parse: {error}");
                    let place = Place::new(pointer, node.span.clone());
                    self.report.add(Diagnostic::error("config", place, message));
                }
            }
            Data::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.templates(item, &format!("{pointer}/{at}"));
                }
            }
            Data::Mapping(entries) => {
                for entry in entries {
                    self.templates(&entry.value, &join(pointer, &entry.key));
                }
            }
            _ => {}
        }
    }
}

fn hint(key: &str) -> Option<String> {
    let is_delivering = delivering::KEYS.contains(&key) || key == "quietHours";
    is_delivering.then(|| "it belongs on the steps of the fragment".to_owned())
}
