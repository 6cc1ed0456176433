//! From a raw config to something that can be visited quickly.
//!
//! Promises: templates are parsed, and a config without any is read, once, when the
//! sequence is checked; a visit renders what is a template and nothing else.
//! Called by: rungs-core, which knows runners only as [`Kind`]s and [`Prepared`] steps.

use chrono_tz::Tz;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{
    AltNext, AnsweredBy, Explained, Failure, Jump, LetsBy, Outcome, Problem, Runner, Scope, Stay,
    Template, Visit,
    hours::Calendars,
    remote::{self, Remote},
    template::{Use, is_template},
};

mod typed;

pub(crate) use typed::{is_looked_up, literal};

/// A runner, as the check and the core know it: its type is forgotten.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question that the check asks")]
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
    /// Whether what it asks may be refused for good.
    pub may_be_refused: bool,
    /// Who answers in JSON, beside how the delivery ended.
    pub answered_by: AnsweredBy,
    /// Whether what it delivers may disturb somebody.
    pub disturbs: bool,
    /// Whether it is told of every event.
    pub listens: bool,
    /// Whether it is a goal.
    pub goal: bool,
    /// The config key whose names and values it merges into the data.
    pub writes: Option<&'static str>,
    /// Config keys under which values are looked up with their types.
    pub typed: &'static [&'static str],
    /// Config keys that may not be templates.
    pub literal: &'static [&'static str],
    /// JSON Schema of the config.
    pub schema: fn() -> Value,
    /// What it does, in Markdown: the comment on the runner's type.
    pub about: fn() -> String,
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
            disturbs: R::DISTURBS,
            listens: R::LISTENS,
            asks: R::ASKS,
            may_be_refused: R::MAY_BE_REFUSED,
            answered_by: R::ANSWERED_BY,
            goal: R::GOAL,
            writes: R::WRITES,
            typed: R::TYPED,
            literal: R::LITERAL,
            schema: || schemars::schema_for!(R::Config).to_value(),
            about: about::<R>,
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
            may_be_refused: true,
            answered_by: AnsweredBy::Nobody,
            disturbs: false,
            listens: false,
            goal: false,
            writes: None,
            typed: &[],
            literal: &[],
            schema: || json!({ "type": "object" }),
            about: || REMOTE.to_owned(),
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

/// What is known of a runner that lives elsewhere.
const REMOTE: &str = "A runner of your own, named in the configuration: it is asked, and what it \
                      answers moves the process.";

fn about<R: Runner>() -> String {
    let schema = schemars::schema_for!(R).to_value();
    schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
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

    /// See [`Runner::hears`].
    ///
    /// # Errors
    /// As for `visit`.
    fn hears(&self, _event: &str, _here: bool, _scope: &Scope<'_>) -> Result<bool, Failure> {
        Ok(false)
    }

    /// See [`Runner::check_among`].
    fn check_among(&self, _zone: Option<Tz>, _calendars: &Calendars) -> Vec<Problem> {
        Vec::new()
    }

    /// See [`Runner::explain`].
    ///
    /// # Errors
    /// As for `visit`.
    fn explain(&self, _visit: &Visit<'_>) -> Result<Explained, Failure> {
        Ok(Explained::default())
    }

    /// See [`Runner::rests`].
    fn rests(&self) -> bool;

    /// See [`Runner::takes_alt_next`].
    fn takes_alt_next(&self) -> bool {
        true
    }

    /// For what it listens, as it is written: what stands under [`Runner::LISTENS_FOR`].
    fn listens_for(&self) -> &[Value] {
        &[]
    }

    /// See [`Runner::lets_by`].
    fn lets_by(&self) -> Option<LetsBy> {
        None
    }

    /// See [`Runner::stay`].
    fn stay(&self, zone: Option<Tz>, calendars: &Calendars) -> Stay;

    /// See [`Runner::jump`].
    fn jump(&self) -> Option<Jump<'_>>;

    /// Each variable its templates read, with the JSON pointer of the string it stands in.
    fn variables(&self) -> Vec<(String, Vec<String>)> {
        self.uses().into_iter().map(|(pointer, path, _)| (pointer, path)).collect()
    }

    /// The same, with what the template makes of each.
    fn uses(&self) -> Vec<(String, Vec<String>, Use)>;
}

fn prepare<R: Runner>(config: &Value) -> Ready {
    let mut problems = Vec::new();
    let rendering = rendering::<R>(config, &mut problems);
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
    let listens_for =
        R::LISTENS_FOR.iter().map(|key| config.get(key).cloned().unwrap_or_default()).collect();
    Ok(Box::new(Step::<R> { unrendered: unrendered.ok(), rendering, listens_for }))
}

fn rendering<R: Runner>(config: &Value, problems: &mut Vec<Problem>) -> Node {
    let Value::Object(entries) = config else {
        return Node::parse(config, "", false, R::HTML, problems);
    };
    let mut typed = typed::Typed::new(problems);
    let entries = entries.iter().map(|(key, item)| {
        let (pointer, html) = (format!("/{}", escape(key)), R::HTML.contains(&key.as_str()));
        let node = if R::TYPED.contains(&key.as_str()) {
            typed.parse(item, &pointer)
        } else {
            Node::parse(item, &pointer, html, &[], typed.problems())
        };
        (key.clone(), node)
    });
    Node::folded(Node::Object(entries.collect()), config)
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
    listens_for: Vec<Value>,
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

    fn hears(&self, event: &str, here: bool, scope: &Scope<'_>) -> Result<bool, Failure> {
        self.with_config(scope, |config| R::hears(config, event, here, scope))
    }

    fn check_among(&self, zone: Option<Tz>, calendars: &Calendars) -> Vec<Problem> {
        let check = |config| R::check_among(config, zone, calendars);
        self.unrendered.as_ref().map_or_else(Vec::new, check)
    }

    fn explain(&self, visit: &Visit<'_>) -> Result<Explained, Failure> {
        self.with_config(visit.scope, |config| R::explain(config, visit))
    }

    fn rests(&self) -> bool {
        R::rests(self.unrendered.as_ref())
    }

    fn takes_alt_next(&self) -> bool {
        self.unrendered.as_ref().is_none_or(R::takes_alt_next)
    }

    fn listens_for(&self) -> &[Value] {
        &self.listens_for
    }

    fn lets_by(&self) -> Option<LetsBy> {
        R::lets_by(self.unrendered.as_ref())
    }

    fn stay(&self, zone: Option<Tz>, calendars: &Calendars) -> Stay {
        R::stay_among(self.unrendered.as_ref(), zone, calendars)
    }

    fn jump(&self) -> Option<Jump<'_>> {
        self.unrendered.as_ref().and_then(R::jump)
    }

    fn uses(&self) -> Vec<(String, Vec<String>, Use)> {
        let mut found = Vec::new();
        self.rendering.uses("", &mut found);
        found
    }
}

/// A config value: fixed, or with templates somewhere inside.
pub(crate) enum Node {
    Fixed(Value),
    Template(Template),
    /// A value that is looked up.
    Found(typed::Found),
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
            Self::Found(found) => found.render(scope)?,
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

    pub(crate) fn uses(&self, pointer: &str, found: &mut Vec<(String, Vec<String>, Use)>) {
        match self {
            Self::Fixed(_) => {}
            Self::Template(template) => {
                found.extend(
                    template
                        .uses()
                        .iter()
                        .map(|(path, used)| (pointer.to_owned(), path.clone(), *used)),
                );
            }
            Self::Found(one) => one.uses(pointer, found),
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.uses(&format!("{pointer}/{index}"), found);
                }
            }
            Self::Object(entries) => {
                for (key, item) in entries {
                    item.uses(&format!("{pointer}/{}", escape(key)), found);
                }
            }
        }
    }
}

/// A key, as a JSON pointer spells it.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
