//! Tiny sequences, and what the check says of each: rule, line, column, and a part of the
//! message.

use rungs_runners::{AltNext, Failure, Jump, Outcome, Problem, Runner, Visit, builtin};
use schemars::JsonSchema;
use serde::Deserialize;

use super::*;

mod config;
mod fragments;
mod graph;
mod junk;
mod rendering;
mod shape;
mod source;

/// The runners that come with Rungs, and those below.
fn kinds() -> Vec<Kind> {
    let own = [
        Kind::of::<Nap>(),
        Kind::of::<Shout>(),
        Kind::of::<Choose>(),
        Kind::of::<Reach>(),
        Kind::of::<Picky>(),
        Kind::of::<Leap>(),
    ];
    builtin::KINDS.iter().copied().chain(own).collect()
}

/// Asserts what the check says of a source, and nothing else.
#[track_caller]
fn says(source: &str, expected: &[(&str, usize, usize, &str)]) {
    let checked = check(source, &kinds());
    let matches = checked.diagnostics.len() == expected.len()
        && checked.diagnostics.iter().zip(expected).all(|(found, (code, line, column, part))| {
            (found.code, found.line, found.column) == (*code, *line, *column)
                && found.message.contains(part)
        });
    assert!(matches, "expected {expected:#?}\n\nfound\n{}", shown(source, &checked));
    assert_eq!(checked.sequence.is_none(), checked.has_errors());
}

/// As [`says`], for the steps of a sequence: their first line is the third.
#[track_caller]
fn says_of_steps(steps: &str, expected: &[(&str, usize, usize, &str)]) {
    says(&with_steps(steps), expected);
}

/// As [`says`], for a config of `Picky`: it stands on line 4, from column 34.
#[track_caller]
fn says_of_config(config: &str, expected: &[(&str, usize, &str)]) {
    let at_4: Vec<_> =
        expected.iter().map(|(code, column, part)| (*code, 4, 33 + column, *part)).collect();
    says(&with_steps(&format!("\n  - {{ id: a, run: Picky, config: {config} }}")), &at_4);
}

/// The helps of a source's diagnostics.
fn helps(source: &str) -> Vec<String> {
    check(source, &kinds()).diagnostics.into_iter().filter_map(|found| found.help).collect()
}

fn with_steps(steps: &str) -> String {
    format!("sequence: x\nsteps:\n{steps}")
}

/// `count` times what `each` makes of its number, in one text.
fn times(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect::<Vec<_>>().concat()
}

fn shown(source: &str, checked: &Checked) -> String {
    let each = checked.diagnostics.iter().map(|d| {
        let source = if source.len() > 10_000 { "" } else { source };
        let rendered = crate::render(d, "x.yml", source, false);
        format!("{}:{} {rendered}", d.line, d.column)
    });
    each.collect::<Vec<_>>().join("\n")
}

macro_rules! runner {
    ($(#[$doc:meta])* $name:ident, $config:ty, { $($item:item)* }) => {
        $(#[$doc])*
        struct $name;

        impl Runner for $name {
            const NAME: &'static str = stringify!($name);
            type Config = $config;

            $($item)*

            fn visit(_: &Self::Config, _: &Visit<'_>) -> Result<Outcome, Failure> {
                Ok(Outcome::next("visited"))
            }
        }
    };
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

runner!(
    /// Waits.
    Nap, Nothing, {
        fn rests(_: Option<&Nothing>) -> bool {
            true
        }
    }
);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "the check is after its schema")]
struct ShoutConfig {
    to: String,
    say: Option<String>,
    language: Option<String>,
    ring_for: Option<u32>,
}

runner!(
    /// Reaches somebody, whatever the number.
    Shout, ShoutConfig, {
        const ALT_NEXT: AltNext = AltNext::Optional;
        const DELIVERS: bool = true;

        fn rests(_: Option<&ShoutConfig>) -> bool {
            true
        }
    }
);

runner!(
    /// Decides at once.
    Choose, Nothing, {
        const ALT_NEXT: AltNext = AltNext::Required;

        fn rests(_: Option<&Nothing>) -> bool {
            false
        }
    }
);

runner!(
    /// A goal.
    Reach, Nothing, {
        const GOAL: bool = true;

        fn rests(_: Option<&Nothing>) -> bool {
            true
        }
    }
);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LeapConfig {
    to: String,
    #[serde(default)]
    only_once: bool,
}

runner!(
    /// Jumps, and says nothing of which key it goes by.
    Leap, LeapConfig, {
        fn rests(_: Option<&LeapConfig>) -> bool {
            false
        }

        fn jump(config: &LeapConfig) -> Option<Jump<'_>> {
            Some(Jump { to: &config.to, always: !config.only_once })
        }
    }
);

/// Every shape of a value that a runner's config may have.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "the check is after its schema")]
struct PickyConfig {
    text: Option<String>,
    number: Option<f64>,
    count: Option<u8>,
    big: Option<u32>,
    flag: Option<bool>,
    unit: Option<Unit>,
    addresses: Option<Addresses>,
    operand: Option<Operand>,
    tree: Option<Tree>,
    #[schemars(length(min = 1))]
    values: Option<Vec<i64>>,
    fixed: Option<Unit>,
    forbidden: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Unit {
    Minutes,
    Hours,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the check is after its schema")]
enum Addresses {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "type", content = "value", rename_all = "lowercase", deny_unknown_fields)]
#[expect(dead_code, reason = "the check is after its schema")]
enum Operand {
    Get(String),
    Raw(serde_json::Value),
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the check is after its schema")]
enum Tree {
    All(AllOf),
    Leaf(Leaf),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the check is after its schema")]
struct AllOf {
    all: Vec<Tree>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "the check is after its schema")]
struct Leaf {
    command: String,
    value: Operand,
}

runner!(
    /// Takes everything, if it is right.
    Picky, PickyConfig, {
        const LITERAL: &'static [&'static str] = &["fixed"];

        fn rests(_: Option<&PickyConfig>) -> bool {
            true
        }

        fn check(config: &PickyConfig) -> Vec<Problem> {
            let forbidden = config.forbidden.iter().map(|text| {
                Problem::at("/forbidden", format!("{text} is out of the question")).help("leave it")
            });
            forbidden.collect()
        }
    }
);
