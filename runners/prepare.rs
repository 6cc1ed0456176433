//! From a raw config to something that can be visited quickly.
//!
//! Promises: templates are parsed, and a config without any is read, once, when the
//! sequence is checked; a visit renders what is a template and nothing else.
//! Called by: rungs-core, which knows runners only as [`Kind`]s and [`Prepared`] steps.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{
    AltNext, Explained, Failure, Jump, Outcome, Problem, Runner, Scope, Template, Visit,
    remote::{self, Remote},
    template::is_template,
};

/// A runner, as the check and the core know it: its type is forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What `run:` says.
    pub name: &'static str,
    /// Whether it takes `altNext`.
    pub alt_next: AltNext,
    /// Whether it writes deliveries.
    pub delivers: bool,
    /// Whether its deliveries are questions: a step of it goes on once it has an answer, so
    /// it is asked until there is one, and to ask again does no harm.
    pub asks: bool,
    /// Whether it is a goal.
    pub goal: bool,
    /// Config keys that may not be templates.
    pub literal: &'static [&'static str],
    /// JSON Schema of the config.
    pub schema: fn() -> Value,
    prepare: Prepare,
}

/// A config that is ready, or what is wrong with it.
type Ready = Result<Box<dyn Prepared>, Vec<Problem>>;

/// How a config is read.
#[derive(Debug, Clone, Copy)]
enum Prepare {
    /// By a type.
    Typed(fn(&Value) -> Ready),
    /// By nobody here: any object will do.
    Remote(Remote),
}

impl Kind {
    /// The kind of the runner `R`.
    pub const fn of<R: Runner>() -> Self {
        Self {
            name: R::NAME,
            alt_next: R::ALT_NEXT,
            delivers: R::DELIVERS,
            asks: false,
            goal: R::GOAL,
            literal: R::LITERAL,
            schema: || schemars::schema_for!(R::Config).to_value(),
            prepare: Prepare::Typed(prepare::<R>),
        }
    }

    /// The kind of a runner that lives elsewhere.
    pub fn remote(remote: Remote) -> Self {
        Self {
            name: remote.name,
            alt_next: AltNext::Optional,
            delivers: true,
            asks: true,
            goal: false,
            literal: &[],
            schema: || json!({ "type": "object" }),
            prepare: Prepare::Remote(remote),
        }
    }

    /// Reads a config that fits the schema.
    ///
    /// # Errors
    /// Every problem that the schema could not see.
    pub fn prepare(&self, config: &Value) -> Result<Box<dyn Prepared>, Vec<Problem>> {
        match self.prepare {
            Prepare::Typed(prepare) => prepare(config),
            Prepare::Remote(remote) => remote::prepare(remote, config),
        }
    }
}

/// A step's config, ready for visits.
pub trait Prepared: Send + Sync {
    /// See [`Runner::visit`].
    ///
    /// # Errors
    /// As there, and a template that does not render, or renders to what is no config.
    fn visit(&self, visit: &Visit<'_>) -> Result<Outcome, Failure>;

    /// See [`Runner::achieved`].
    ///
    /// # Errors
    /// As for `visit`.
    fn achieved(&self, scope: &Scope<'_>) -> Result<bool, Failure>;

    /// See [`Runner::explain`].
    ///
    /// # Errors
    /// As for `visit`.
    fn explain(&self, _visit: &Visit<'_>) -> Result<Explained, Failure> {
        Ok(Explained::default())
    }

    /// See [`Runner::rests`].
    fn rests(&self) -> bool;

    /// See [`Runner::jump`].
    fn jump(&self) -> Option<Jump<'_>>;

    /// Each variable its templates read, with the JSON pointer of the string it stands in.
    fn variables(&self) -> Vec<(String, Vec<String>)>;
}

fn prepare<R: Runner>(config: &Value) -> Ready {
    let mut problems = Vec::new();
    let rendering = Node::parse(config, "", false, R::HTML, &mut problems);
    let unrendered = serde_json::from_value::<R::Config>(config.clone());
    match &unrendered {
        Ok(config) => problems.extend(R::check(config)),
        Err(error) if matches!(rendering, Node::Fixed(_)) => {
            problems.push(Problem::at("", error.to_string()));
        }
        Err(_) => problems.extend(check_the_rest::<R>(config)),
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Box::new(Step::<R> { unrendered: unrendered.ok(), rendering }))
}

/// Checks what stands there literally, where a template stands for something other than
/// text: a `1` stands in for each template, since it can be read as text, number and
/// boolean, and what is said of a stand-in does not count.
fn check_the_rest<R: Runner>(config: &Value) -> Vec<Problem> {
    let mut places = Vec::new();
    let Ok(config) = serde_json::from_value::<R::Config>(stand_in(config, "", &mut places)) else {
        return Vec::new();
    };
    let mut problems = R::check(&config);
    problems.retain(|problem| {
        !places.iter().any(|place| {
            problem.pointer.strip_prefix(place).is_some_and(|r| r.is_empty() || r.starts_with('/'))
        })
    });
    problems
}

fn stand_in(value: &Value, pointer: &str, places: &mut Vec<String>) -> Value {
    match value {
        Value::String(text) if is_template(text) => {
            places.push(pointer.to_owned());
            Value::from("1")
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| stand_in(item, &format!("{pointer}/{index}"), places))
            .collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, item)| {
                let pointer = format!("{pointer}/{}", escape(key));
                (key.clone(), stand_in(item, &pointer, places))
            })
            .collect(),
        plain => plain.clone(),
    }
}

struct Step<R: Runner> {
    /// The config with its templates unrendered, where that is a config at all.
    unrendered: Option<R::Config>,
    rendering: Node,
}

impl<R: Runner> Step<R> {
    fn with_config<T>(
        &self,
        scope: &Scope<'_>,
        then: impl FnOnce(&R::Config) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match (&self.rendering, &self.unrendered) {
            (Node::Fixed(_), Some(config)) => then(config),
            (rendering, _) => then(&read(rendering.render(scope)?)?),
        }
    }
}

fn read<C: DeserializeOwned>(config: Value) -> Result<C, Failure> {
    serde_path_to_error::deserialize(config).map_err(|error| {
        let (path, error) = (error.path().to_string(), error.inner());
        let key = if path == "." { String::new() } else { format!(".{path}") };
        Failure::because(format!(
            "config{key}: once its templates are rendered it does not fit: {error}"
        ))
    })
}

impl<R: Runner> Prepared for Step<R> {
    fn visit(&self, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        self.with_config(visit.scope, |config| R::visit(config, visit))
    }

    fn achieved(&self, scope: &Scope<'_>) -> Result<bool, Failure> {
        self.with_config(scope, |config| R::achieved(config, scope))
    }

    fn explain(&self, visit: &Visit<'_>) -> Result<Explained, Failure> {
        self.with_config(visit.scope, |config| R::explain(config, visit))
    }

    fn rests(&self) -> bool {
        R::rests(self.unrendered.as_ref())
    }

    fn jump(&self) -> Option<Jump<'_>> {
        self.unrendered.as_ref().and_then(R::jump)
    }

    fn variables(&self) -> Vec<(String, Vec<String>)> {
        let mut found = Vec::new();
        self.rendering.variables("", &mut found);
        found
    }
}

/// A config value: fixed, or with templates somewhere inside.
pub(crate) enum Node {
    Fixed(Value),
    Template(Template),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    pub(crate) fn parse(
        value: &Value,
        pointer: &str,
        html: bool,
        html_keys: &[&str],
        problems: &mut Vec<Problem>,
    ) -> Self {
        match value {
            Value::String(text) if is_template(text) => match Template::parse(text, html) {
                Ok(template) => Self::Template(template),
                Err(error) => {
                    problems.push(Problem::at(
                        pointer,
                        format!("this template does not parse: {error}"),
                    ));
                    Self::Fixed(Value::Null)
                }
            },
            Value::Array(items) => {
                let items = items.iter().enumerate().map(|(index, item)| {
                    Self::parse(item, &format!("{pointer}/{index}"), html, html_keys, problems)
                });
                Self::folded(Self::List(items.collect()), value)
            }
            Value::Object(entries) => {
                let entries = entries.iter().map(|(key, item)| {
                    let html = html || (pointer.is_empty() && html_keys.contains(&key.as_str()));
                    let pointer = format!("{pointer}/{}", escape(key));
                    (key.clone(), Self::parse(item, &pointer, html, html_keys, problems))
                });
                Self::folded(Self::Object(entries.collect()), value)
            }
            plain => Self::Fixed(plain.clone()),
        }
    }

    /// A list or object without a template in it is fixed as a whole.
    fn folded(node: Self, value: &Value) -> Self {
        let fixed = match &node {
            Self::List(items) => items.iter().all(|item| matches!(item, Self::Fixed(_))),
            Self::Object(entries) => entries.iter().all(|(_, item)| matches!(item, Self::Fixed(_))),
            _ => false,
        };
        if fixed { Self::Fixed(value.clone()) } else { node }
    }

    pub(crate) fn render(&self, scope: &Scope<'_>) -> Result<Value, Failure> {
        Ok(match self {
            Self::Fixed(value) => value.clone(),
            Self::Template(template) => Value::String(
                template
                    .render(scope)
                    .map_err(|error| Failure::because(format!("config: {error}")))?,
            ),
            Self::List(items) => {
                Value::Array(items.iter().map(|item| item.render(scope)).collect::<Result<_, _>>()?)
            }
            Self::Object(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, item)| Ok((key.clone(), item.render(scope)?)))
                    .collect::<Result<Map<_, _>, Failure>>()?,
            ),
        })
    }

    pub(crate) fn variables(&self, pointer: &str, found: &mut Vec<(String, Vec<String>)>) {
        match self {
            Self::Fixed(_) => {}
            Self::Template(template) => {
                found.extend(
                    template.variables().into_iter().map(|path| (pointer.to_owned(), path)),
                );
            }
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.variables(&format!("{pointer}/{index}"), found);
                }
            }
            Self::Object(entries) => {
                for (key, item) in entries {
                    item.variables(&format!("{pointer}/{}", escape(key)), found);
                }
            }
        }
    }
}

/// A key, as a JSON pointer spells it.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
