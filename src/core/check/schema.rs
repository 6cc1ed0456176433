//! Validation errors, as one says them to an author.
//!
//! Promises: every error becomes at least one finding with the place it is about, unless
//! a template stands there, whose value nobody knows yet.

use std::collections::HashSet;

use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use rungs_runners::template::is_template;
use serde_json::Value;

use super::{
    at::{At, unknown_key},
    expect,
    node::{Data, join, quoted},
    report::Report,
    suggest,
};
use crate::{Diagnostic, diagnostic::Place};

/// A value being held against a schema.
pub(super) struct Validated<'a> {
    /// The schema, for what its errors leave out.
    pub schema: &'a Value,
    /// The value's tree.
    pub at: &'a At<'a>,
    /// Whether text with `{{` in it stands for a value that is not known yet.
    pub templates: bool,
}

impl Validated<'_> {
    /// Reports what is wrong.
    pub fn report<'e>(
        &self,
        errors: impl IntoIterator<Item = ValidationError<'e>>,
        report: &mut Report<'_>,
    ) {
        for error in errors {
            self.error(&error, report);
        }
    }

    fn error(&self, error: &ValidationError<'_>, report: &mut Report<'_>) {
        if self.is_excused(error) {
            return;
        }
        let at = self.at.find(error.instance_path().as_str());
        match error.kind() {
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                self.unknown_keys(error, &at, unexpected, report);
            }
            Kind::Required { property } => self.missing(error, &at, property, report),
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.no_branch(error, &at, context, report);
            }
            Kind::Type { kind } => {
                let expected = self.around(error).map(|schema| expect::of(self.schema, schema));
                at.expected(&expected.unwrap_or_else(|| types(kind)), report);
            }
            Kind::Constant { expected_value } => {
                not_one_of(&at, &[expected_value.as_ref()], report);
            }
            Kind::Enum { options } => {
                let options: Vec<&Value> = options.as_array().into_iter().flatten().collect();
                not_one_of(&at, &options, report);
            }
            other => {
                let (code, message) = sentence(other, error, &at);
                report.add(Diagnostic::error(code, at.place(), message));
            }
        }
    }

    /// Whether what stands there is a template, or has been reported already.
    fn is_excused(&self, error: &ValidationError<'_>) -> bool {
        let found = self.at.node.find(error.instance_path().as_str());
        match &found.node.data {
            Data::Broken => true,
            Data::Text(text) => self.templates && is_template(text),
            _ => false,
        }
    }

    /// The schema whose keyword an error is about.
    fn around(&self, error: &ValidationError<'_>) -> Option<&Value> {
        let path = error.schema_path().as_str();
        let (around, _) = path.rsplit_once('/')?;
        self.schema.pointer(around).filter(|schema| !schema.is_null())
    }

    fn unknown_keys(
        &self,
        error: &ValidationError<'_>,
        at: &At<'_>,
        unexpected: &[String],
        report: &mut Report<'_>,
    ) {
        let mut known = Vec::new();
        if let Some(schema) = self.around(error) {
            collect_keys(self.schema, schema, 8, &mut known);
        }
        let unexpected: HashSet<&str> = unexpected.iter().map(String::as_str).collect();
        for entry in at.node.entries() {
            let key = entry.key.as_str();
            if unexpected.contains(key) {
                let help = report.suggest(key, "keys", known.iter().copied());
                let place = Place::new(join(&at.pointer, key), entry.key_span.clone());
                report.add(Diagnostic::error("unknown-key", place, unknown_key(key)).help(help));
            }
        }
    }

    fn missing(
        &self,
        error: &ValidationError<'_>,
        at: &At<'_>,
        property: &Value,
        report: &mut Report<'_>,
    ) {
        let key = property.as_str().unwrap_or_default();
        let help = self.around(error).and_then(|s| s.get("properties")?.get(key)).map(|schema| {
            let takes = format!("`{key}` takes {}", expect::of(self.schema, schema));
            match schema.get("description").and_then(Value::as_str) {
                Some(description) => format!("{takes}: {}", quoted(description).trim_matches('`')),
                None => takes,
            }
        });
        let message = format!("the key {} is missing", quoted(key));
        report.add(Diagnostic::error("missing-key", at.key_place(), message).help(help));
    }

    /// None of several schemas fits: says what the one that was probably meant lacks, or
    /// what would fit at all.
    fn no_branch(
        &self,
        error: &ValidationError<'_>,
        at: &At<'_>,
        branches: &[Vec<ValidationError<'static>>],
        report: &mut Report<'_>,
    ) {
        let here = error.instance_path().as_str();
        // A branch that only templates keep from fitting may fit once they are rendered.
        if branches.iter().any(|errors| errors.iter().all(|error| self.is_excused(error))) {
            return;
        }
        let right_shape: Vec<&Vec<ValidationError<'static>>> = branches
            .iter()
            .filter(|errors| !errors.iter().any(|error| is_about_itself(error, here)))
            .collect();
        if let Some((pointer, options)) = discriminator(&right_shape) {
            not_one_of(&self.at.find(&pointer), &options, report);
            return;
        }
        let meant = right_shape.into_iter().min_by_key(|errors| {
            errors.iter().filter(|error| !self.is_excused(error)).map(weight).sum::<usize>()
        });
        if let Some(errors) = meant {
            for error in errors {
                self.error(error, report);
            }
            return;
        }
        let constants: Vec<&Value> = branches.iter().flatten().flat_map(constants).collect();
        let expected = match self.around(error) {
            Some(schema) => expect::of(self.schema, schema),
            None => of_branches(branches),
        };
        if at.node.text().is_some() && constants.iter().any(|constant| constant.is_string()) {
            not_one_of_words(at, &expected, &constants, report);
        } else {
            at.expected(&expected, report);
        }
    }
}

/// Whether an error says that the value itself is of the wrong kind.
fn is_about_itself(error: &ValidationError<'_>, here: &str) -> bool {
    error.instance_path().as_str() == here
        && matches!(error.kind(), Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. })
}

/// How much speaks against a branch being the one that was meant.
fn weight(error: &ValidationError<'static>) -> usize {
    match error.kind() {
        Kind::Constant { .. } | Kind::Enum { .. } => 100,
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            10 * unexpected.len()
        }
        Kind::Required { .. } => 5,
        _ => 3,
    }
}

/// Where every branch wants another constant, that place decides between them.
fn discriminator<'e>(
    branches: &[&'e Vec<ValidationError<'static>>],
) -> Option<(String, Vec<&'e Value>)> {
    let (first, rest) = branches.split_first()?;
    first.iter().find_map(|error| {
        let path = error.instance_path().as_str();
        let mut options = constants(error);
        if options.is_empty() || rest.is_empty() {
            return None;
        }
        for errors in rest {
            let same = errors.iter().filter(|e| e.instance_path().as_str() == path);
            let more: Vec<&Value> = same.flat_map(constants).collect();
            if more.is_empty() {
                return None;
            }
            options.extend(more);
        }
        Some((path.to_owned(), options))
    })
}

fn constants<'e>(error: &'e ValidationError<'_>) -> Vec<&'e Value> {
    match error.kind() {
        Kind::Constant { expected_value } => vec![expected_value.as_ref()],
        Kind::Enum { options } => options.as_array().into_iter().flatten().collect(),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            context.iter().flatten().flat_map(|error| constants(error)).collect()
        }
        _ => Vec::new(),
    }
}

/// What the branches want, from their errors alone.
fn of_branches(branches: &[Vec<ValidationError<'static>>]) -> String {
    let words: Vec<String> = branches
        .iter()
        .flatten()
        .flat_map(|error| match error.kind() {
            Kind::Type { kind } => vec![types(kind)],
            _ => constants(error).into_iter().map(expect::constant).collect(),
        })
        .collect();
    expect::any_of(&words)
}

fn types(kind: &TypeKind) -> String {
    let words: Vec<String> = match kind {
        TypeKind::Single(one) => vec![*one],
        TypeKind::Multiple(several) => several.iter().collect::<Vec<JsonType>>(),
    }
    .into_iter()
    .filter_map(|of_type| expect::word(&of_type.to_string()))
    .collect();
    expect::any_of(&words)
}

fn not_one_of(at: &At<'_>, options: &[&Value], report: &mut Report<'_>) {
    let mut words: Vec<String> = Vec::new();
    for word in options.iter().filter(|value| !value.is_null()).map(|value| expect::constant(value))
    {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    not_one_of_words(at, &expect::any_of(&words), options, report);
}

fn not_one_of_words(at: &At<'_>, expected: &str, options: &[&Value], report: &mut Report<'_>) {
    let words: Vec<&str> = options.iter().filter_map(|option| option.as_str()).collect();
    let help = at.node.text().and_then(|text| {
        if words.len() > expect::RECITED {
            return report.suggest(text, "words", words);
        }
        suggest::nearest(text, words).map(|meant| format!("did you mean `{meant}`?"))
    });
    let message = format!("expected {expected}, found {}", at.node.describe());
    report.add(Diagnostic::error("not-one-of", at.place(), message).help(help));
}

/// The names of the keys that a schema knows.
fn collect_keys<'s>(root: &'s Value, schema: &'s Value, depth: usize, keys: &mut Vec<&'s str>) {
    let schema = expect::resolved(root, schema);
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        keys.extend(
            properties
                .keys()
                .map(String::as_str)
                .filter(|key| !keys.contains(key))
                .collect::<Vec<_>>(),
        );
    }
    if depth == 0 {
        return;
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        for part in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
            collect_keys(root, part, depth - 1, keys);
        }
    }
}

/// The other keywords, in a sentence each.
fn sentence(kind: &Kind, error: &ValidationError<'_>, at: &At<'_>) -> (&'static str, String) {
    let found = at.node.describe();
    let range = |expected: String| ("out-of-range", format!("expected {expected}, found {found}"));
    match kind {
        Kind::Minimum { limit } => range(format!("at least {limit}")),
        Kind::Maximum { limit } => range(format!("at most {limit}")),
        Kind::ExclusiveMinimum { limit } => range(format!("more than {limit}")),
        Kind::ExclusiveMaximum { limit } => range(format!("less than {limit}")),
        Kind::MultipleOf { multiple_of } => range(format!("a multiple of {multiple_of}")),
        Kind::MinLength { limit: 1 } => range("some text".into()),
        Kind::MinLength { limit } => range(format!("at least {limit} characters")),
        Kind::MaxLength { limit } => range(format!("at most {limit} characters")),
        Kind::MinItems { limit: 1 } => ("out-of-range", "expected at least one entry".into()),
        Kind::MinItems { limit } => ("out-of-range", format!("expected at least {limit} entries")),
        Kind::MaxItems { limit } => ("out-of-range", format!("expected at most {limit} entries")),
        Kind::MinProperties { limit } => {
            ("out-of-range", format!("expected at least {limit} keys"))
        }
        Kind::MaxProperties { limit } => ("out-of-range", format!("expected at most {limit} keys")),
        Kind::UniqueItems => ("invalid-value", "an entry stands here twice".into()),
        Kind::Pattern { pattern } => (
            "invalid-value",
            format!("expected something that matches {}, found {found}", quoted(pattern)),
        ),
        Kind::Format { format } => {
            ("invalid-value", format!("expected a valid {format}, found {found}"))
        }
        Kind::OneOfMultipleValid { .. } => {
            ("invalid-value", "this fits several of the forms it may have; say only one".into())
        }
        _ => ("invalid-value", error.to_string()),
    }
}
