//! Handlebars templates in the strings of a config.
//!
//! Promises: a template is parsed once; a missing value renders as nothing; text is
//! escaped only where the runner says that it is HTML.

use std::sync::LazyLock;

use handlebars::{Handlebars, RenderContext, Renderable, StringOutput};

use crate::Scope;

mod helpers;
mod limits;
mod variables;

/// Whether a string is a template rather than plain text.
pub fn is_template(text: &str) -> bool {
    text.contains("{{")
}

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    parsed: handlebars::Template,
    html: bool,
}

static PLAIN: LazyLock<Handlebars<'static>> = LazyLock::new(|| engine(handlebars::no_escape));
static HTML: LazyLock<Handlebars<'static>> = LazyLock::new(|| engine(handlebars::html_escape));

fn engine(escape: fn(&str) -> String) -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.register_escape_fn(escape);
    helpers::register(&mut engine);
    engine
}

impl Template {
    /// Parses a template; with `html`, what it inserts is escaped.
    ///
    /// # Errors
    /// What is wrong with the text, and where in it; or that it is too large.
    pub fn parse(text: &str, html: bool) -> Result<Self, TemplateError> {
        limits::check(text)?;
        match handlebars::Template::compile(text) {
            Ok(parsed) => {
                let template = Self { parsed, html };
                variables::unknown_helper(&template.parsed, &PLAIN)
                    .map_or(Ok(template), |message| Err(TemplateError::plain(message)))
            }
            Err(error) => Err(TemplateError {
                message: error.reason().to_string(),
                line: error.pos().map(|(line, _)| line),
                column: error.pos().map(|(_, column)| column),
            }),
        }
    }

    /// Renders the template over a scope.
    ///
    /// # Errors
    /// A helper that could not do its work, with the reason.
    pub fn render(&self, scope: &Scope<'_>) -> Result<String, TemplateError> {
        let engine: &Handlebars<'_> = if self.html { &HTML } else { &PLAIN };
        let mut output = StringOutput::new();
        self.parsed
            .render(engine, scope.context(), &mut RenderContext::new(None), &mut output)
            .map_err(|error| TemplateError::plain(error.reason().to_string()))?;
        output.into_string().map_err(|error| TemplateError::plain(error.to_string()))
    }

    /// The paths of the variables it reads from the top of the scope, in order of
    /// appearance: `{{restaurant.phone}}` gives `["restaurant", "phone"]`. Variables
    /// inside `each` and `with`, which look somewhere else, are left out.
    pub fn variables(&self) -> Vec<Vec<String>> {
        variables::of(&self.parsed)
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
