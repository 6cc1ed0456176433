//! What may stand where: the schema of sequences, followed along the way to a place.

use rungs_runners::Kind;
use serde_json::Value;

use super::{
    Form, Page,
    path::{Crumb, Part},
};
use crate::{files::is_path, outline::Node, schema};

/// How many references and branches of a schema are followed at one place.
const HOPS: usize = 24;
/// How many schemas may hold at one place.
const MOST: usize = 200;

/// What may stand in sequences and in cases.
pub struct Vocabulary {
    kinds: Vec<Kind>,
    sequence: Value,
    fragment: Value,
    cases: Value,
}

impl Vocabulary {
    /// That of these runners.
    pub fn of(kinds: &[Kind]) -> Self {
        Self {
            kinds: kinds.to_vec(),
            sequence: schema::schema(kinds),
            fragment: schema::fragment(kinds),
            cases: schema::cases(),
        }
    }

    /// The runners there are.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The runner of that name.
    pub(super) fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }
}

impl Page<'_> {
    /// The schemas that hold for `node`, to which `path` leads.
    pub(super) fn schemas(&self, path: &[Crumb<'_>], node: &Node) -> Vec<&Value> {
        let (root, path) = self.root(path);
        follow(root, path, node)
    }

    /// As [`keys_of`], for these schemas of `node`.
    pub(super) fn keys<'v>(
        &'v self,
        path: &[Crumb<'_>],
        schemas: &[&'v Value],
    ) -> Vec<(&'v str, Vec<&'v Value>)> {
        keys_of(self.root(path).0, schemas)
    }

    /// The schema that says what may stand at the end of `path`, and the rest of the way from
    /// where it begins: that of a fragment's parameters in the config of a step that runs one.
    fn root<'p, 't>(&self, path: &'p [Crumb<'t>]) -> (&Value, &'p [Crumb<'t>]) {
        if let [
            Crumb { part: Part::Key("steps"), .. },
            Crumb { part: Part::Item, .. },
            Crumb { part: Part::Key("config"), node: step },
            rest @ ..,
        ] = path
            && self.form == Form::Sequence
            && let Some(parameters) =
                step.word("run").and_then(|run| self.fragments.parameters(run))
        {
            return (parameters, rest);
        }
        let vocabulary = self.vocabulary;
        let root = match self.form {
            Form::Sequence if self.outline.entry("fragment").is_some() => &vocabulary.fragment,
            Form::Sequence => &vocabulary.sequence,
            Form::Cases => &vocabulary.cases,
        };
        (root, path)
    }
}

/// The schemas of `root` that hold for `node`, to which `path` leads.
fn follow<'v>(root: &'v Value, path: &[Crumb<'_>], node: &Node) -> Vec<&'v Value> {
    let mut here = Vec::new();
    let first = path.first().map_or(node, |crumb| crumb.node);
    expand(root, root, first, &mut here, HOPS);
    for (index, crumb) in path.iter().enumerate() {
        let next = path.get(index + 1).map_or(node, |crumb| crumb.node);
        let mut below = Vec::new();
        for schema in &here {
            for inner in inside(schema, crumb.part) {
                expand(root, inner, next, &mut below, HOPS);
            }
        }
        here = below;
    }
    here
}

/// The keys of what these schemas, parts of `root`, hold for, each with the schemas of its value.
/// A key that one of them rules out is none.
pub(super) fn keys_of<'v>(
    root: &'v Value,
    schemas: &[&'v Value],
) -> Vec<(&'v str, Vec<&'v Value>)> {
    let mut ruled_out = Vec::new();
    let mut found: Vec<(&str, Vec<&Value>)> = Vec::new();
    let properties = |schema: &&'v Value| schema.get("properties").and_then(Value::as_object);
    for (key, schema) in schemas.iter().filter_map(properties).flatten() {
        if *schema == Value::Bool(false) {
            ruled_out.push(key);
            continue;
        }
        let mut inner = Vec::new();
        expand(root, schema, &Node::nothing(0), &mut inner, HOPS);
        match found.iter_mut().find(|(known, _)| known == key) {
            Some((_, schemas)) => schemas.extend(inner),
            None => found.push((key, inner)),
        }
    }
    found.retain(|(key, _)| !ruled_out.iter().any(|out| out == key));
    found
}

/// The keys that must be there.
pub(super) fn required<'v>(schemas: &[&'v Value]) -> Vec<&'v str> {
    let lists = schemas.iter().filter_map(|schema| schema.get("required")?.as_array());
    lists.flatten().filter_map(Value::as_str).collect()
}

/// What the first of them that says something says of what it is for.
pub(super) fn description<'v>(schemas: &[&'v Value]) -> Option<&'v str> {
    schemas.iter().find_map(|schema| schema.get("description")?.as_str())
}

/// The default, where one is said.
pub(super) fn default<'v>(schemas: &[&'v Value]) -> Option<&'v Value> {
    schemas.iter().find_map(|schema| schema.get("default")).filter(|value| !value.is_null())
}

/// The values that are listed, each with what it means, where that is said.
pub(super) fn values<'v>(schemas: &[&'v Value]) -> Vec<(&'v Value, Option<&'v str>)> {
    let mut found: Vec<(&Value, Option<&str>)> = Vec::new();
    let mut add = |value: &'v Value, about: Option<&'v str>| {
        if !value.is_null() && !found.iter().any(|(known, _)| *known == value) {
            found.push((value, about));
        }
    };
    for schema in schemas {
        if let Some(value) = schema.get("const") {
            add(value, schema.get("description").and_then(Value::as_str));
        }
        for value in schema.get("enum").and_then(Value::as_array).into_iter().flatten() {
            add(value, None);
        }
        if schema.get("type").is_some_and(|of| *of == "boolean") {
            add(&Value::Bool(true), None);
            add(&Value::Bool(false), None);
        }
    }
    found
}

/// Whether a mapping may stand there.
pub(super) fn is_object(schemas: &[&Value]) -> bool {
    schemas.iter().any(|schema| schema.get("properties").is_some())
}

/// What holds one step further inside.
pub(super) fn inside<'v>(schema: &'v Value, part: Part<'_>) -> Vec<&'v Value> {
    match part {
        Part::Item => schema.get("items").into_iter().collect(),
        Part::Key(key) => {
            let listed = schema.get("properties").and_then(|properties| properties.get(key));
            let other = || schema.get("additionalProperties").filter(|more| more.is_object());
            listed.or_else(other).into_iter().collect()
        }
    }
}

/// A schema, and all that it refers to and consists of, as far as that holds for `node`.
pub(super) fn expand<'v>(
    root: &'v Value,
    schema: &'v Value,
    node: &Node,
    out: &mut Vec<&'v Value>,
    hops: usize,
) {
    if hops == 0 || out.len() >= MOST {
        return;
    }
    out.push(schema);
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|at| at.strip_prefix('#'));
    if let Some(target) = target.and_then(|pointer| root.pointer(pointer)) {
        expand(root, target, node, out, hops - 1);
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for branch in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            expand(root, branch, node, out, hops - 1);
        }
    }
    if let Some(condition) = schema.get("if") {
        let way = if holds(condition, node) { "then" } else { "else" };
        if let Some(branch) = schema.get(way) {
            expand(root, branch, node, out, hops - 1);
        }
    }
}

/// Whether a mapping has what a condition asks for: constants, or the path of a fragment.
fn holds(condition: &Value, node: &Node) -> bool {
    let properties = condition.get("properties").and_then(Value::as_object);
    properties.is_some_and(|properties| {
        properties.iter().all(|(key, wanted)| {
            let Some(word) = node.word(key) else { return false };
            match wanted.get("const").and_then(Value::as_str) {
                Some(constant) => word == constant,
                None => wanted.get("pattern").is_some_and(|p| *p == schema::PATH) && is_path(word),
            }
        })
    })
}
