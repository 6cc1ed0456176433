//! What a visit can see: the process's data, with `process`, `steps` and `events`
//! beside it.
//!
//! Promises: a lookup borrows and copies nothing. One merged value, which templates and
//! JSONPath need, is made at the first of them and kept for the whole scope.

use std::cell::OnceCell;

use handlebars::Context;
use serde_json::{Map, Value};

/// Names beside the data that no data may take.
pub const RESERVED: [&str; 3] = ["process", "steps", "events"];

/// The values a step's config may refer to.
pub struct Scope<'a> {
    data: &'a Map<String, Value>,
    about: Box<dyn Fn() -> Value + 'a>,
    process: OnceCell<Value>,
    steps: &'a Value,
    events: &'a Value,
    /// What `event` names, where a condition looks at one.
    event: Option<&'a Value>,
    context: OnceCell<Context>,
}

impl<'a> Scope<'a> {
    /// A scope over a process's data. `process` is made only when something asks for it.
    pub fn new(
        data: &'a Map<String, Value>,
        process: impl Fn() -> Value + 'a,
        steps: &'a Value,
        events: &'a Value,
    ) -> Self {
        Self {
            data,
            about: Box::new(process),
            process: OnceCell::new(),
            steps,
            events,
            event: None,
            context: OnceCell::new(),
        }
    }

    /// The same, with `event` naming this one. It is no reserved name: data of that name is
    /// hidden by it here, and nowhere else.
    pub fn with_event<'b>(&'b self, event: &'b Value) -> Scope<'b> {
        Scope {
            data: self.data,
            about: Box::new(|| self.root("process").cloned().unwrap_or_default()),
            process: OnceCell::new(),
            steps: self.steps,
            events: self.events,
            event: Some(event),
            context: OnceCell::new(),
        }
    }

    /// The process's data, without the names beside it.
    pub fn data(&self) -> &Map<String, Value> {
        self.data
    }

    /// The value under a top-level name.
    pub fn root(&self, name: &str) -> Option<&Value> {
        match name {
            "process" => Some(self.process.get_or_init(&self.about)),
            "steps" => Some(self.steps),
            "events" => Some(self.events),
            "event" if self.event.is_some() => self.event,
            _ => self.data.get(name),
        }
    }

    /// Everything as one JSON object.
    pub fn value(&self) -> &Value {
        self.context().data()
    }

    /// Everything, as templates take it.
    pub fn context(&self) -> &Context {
        self.context.get_or_init(|| {
            let mut all = self.data.clone();
            for name in RESERVED {
                if let Some(value) = self.root(name) {
                    all.insert(name.to_owned(), value.clone());
                }
            }
            if let Some(event) = self.event {
                all.insert("event".to_owned(), event.clone());
            }
            Context::from(Value::Object(all))
        })
    }
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope").field("data", &self.data).finish_non_exhaustive()
    }
}
