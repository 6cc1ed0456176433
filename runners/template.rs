//! Handlebars templates in the strings of a config.
//!
//! Promises: a template is parsed once, and whatever could be seen to be wrong with it is
//! seen then; a missing value renders as nothing; text is escaped only where the runner
//! says that it is HTML. Texts, nesting and what is rendered are bounded.

use std::{io, sync::LazyLock};

use handlebars::{Handlebars, Output, RenderContext, RenderError, Renderable};

pub use variables::{ENTRY, Use};

use crate::Scope;

mod compile;
mod helpers;
mod lists;
mod moment;
mod plain;
mod rounds;
mod usage;
mod variables;

pub use usage::{HelperName, names as helpers};

/// Bytes that a template may render to.
const MOST_RENDERED: usize = 1024 * 1024;

/// Whether a string is a template rather than plain text.
pub fn is_template(text: &str) -> bool {
    text.contains("{{")
}

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    parsed: handlebars::Template,
    /// The same, where it only inserts values.
    pieces: Option<Vec<plain::Piece>>,
    uses: Vec<(Vec<String>, Use)>,
    html: bool,
}

static PLAIN: LazyLock<Handlebars<'static>> = LazyLock::new(|| engine(handlebars::no_escape));
static HTML: LazyLock<Handlebars<'static>> = LazyLock::new(|| engine(handlebars::html_escape));

fn engine(escape: fn(&str) -> String) -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.register_escape_fn(escape);
    helpers::register(&mut engine);
    rounds::register(&mut engine);
    lists::register(&mut engine);
    engine
}

impl Template {
    /// Parses a template; with `html`, what it inserts is escaped.
    ///
    /// # Errors
    /// What is wrong with the text, and where in it.
    pub fn parse(text: &str, html: bool) -> Result<Self, TemplateError> {
        let mut parsed = compile::compile(text)?;
        usage::check(&parsed)?;
        let uses = variables::of(&parsed);
        let pieces = plain::of(&parsed);
        rounds::counted(&mut parsed);
        Ok(Self { parsed, pieces, uses, html })
    }

    /// Renders the template over a scope.
    ///
    /// # Errors
    /// A helper that could not do its work, with the reason.
    pub fn render(&self, scope: &Scope<'_>) -> Result<String, TemplateError> {
        let escape = if self.html { handlebars::html_escape } else { handlebars::no_escape };
        let short = self.pieces.as_ref();
        let short = short.and_then(|pieces| plain::render(pieces, scope, escape, MOST_RENDERED));
        if let Some(text) = short {
            return Ok(text);
        }
        let engine: &Handlebars<'_> = if self.html { &HTML } else { &PLAIN };
        let rendered = match render(&self.parsed, engine, scope) {
            Err(error) if lists::is_why(error.reason()) => {
                render(&lists::careful(&self.parsed), engine, scope)
            }
            rendered => rendered,
        };
        rendered.map_err(|error| TemplateError::plain(error.reason().to_string()))
    }

    /// The paths of the variables it reads from the top of the scope, in order of
    /// appearance: `{{restaurant.phone}}` gives `["restaurant", "phone"]`. Variables
    /// inside `each` and `with`, which look somewhere else, are left out.
    pub fn variables(&self) -> Vec<Vec<String>> {
        self.uses.iter().map(|(path, _)| path.clone()).collect()
    }

    /// The same, with what it makes of each.
    pub fn uses(&self) -> &[(Vec<String>, Use)] {
        &self.uses
    }
}

fn render(
    template: &handlebars::Template,
    engine: &Handlebars<'_>,
    scope: &Scope<'_>,
) -> Result<String, RenderError> {
    let mut output = Rendered(String::new());
    rounds::begin();
    template.render(engine, scope.context(), &mut RenderContext::new(None), &mut output)?;
    Ok(output.0)
}

/// What has been rendered so far: loops in loops over much data must come to an end.
struct Rendered(String);

impl Output for Rendered {
    fn write(&mut self, text: &str) -> io::Result<()> {
        if self.0.len() + text.len() > MOST_RENDERED {
            let reason = format!("it renders to more than {MOST_RENDERED} bytes");
            return Err(io::Error::other(reason));
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// A template that does not parse, or does not render.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// What is wrong.
    pub message: String,
    /// Line within the template, from 1.
    pub line: Option<usize>,
    /// Column within that line, from 1.
    pub column: Option<usize>,
}

impl TemplateError {
    fn plain(message: String) -> Self {
        Self { message, line: None, column: None }
    }
}
