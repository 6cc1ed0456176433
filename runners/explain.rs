//! How a runner explains itself, beyond the clause that a visit leaves in the history: its
//! condition clause by clause, and how it came to a moment.
//!
//! Promises: pure and bounded: values are cut where they become long to read, and a
//! condition of a thousand clauses tells [`MOST_CLAUSES`] of them.
//! Called by: rungs-core, for `explain`; runners, which make it.

use serde::Serialize;

/// Clauses of one condition that are told.
pub const MOST_CLAUSES: usize = 100;

/// What a runner adds to what it answers. Most add nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Explained {
    /// The condition it goes by, and how far it is from true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Clause>,
    /// Of what becomes of its delivery, what it waits for: `to be answered`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaits: Option<&'static str>,
    /// How it came to a moment, a sentence each without a full stop.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arithmetic: Vec<String>,
}

/// A condition, or a part of one, with what it sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clause {
    /// Whether it is as it should be for the whole to hold: inside a `not`, what is not so.
    pub holds: bool,
    /// The same in words: `order.status is "pending", wants eq "confirmed"`.
    pub says: String,
    /// A predicate, with what it looks at.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub test: Option<Test>,
    /// What it is made of, if it is no predicate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<Clause>,
}

/// A predicate, with what it looks at. Values are JSON; of a long one the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Test {
    /// lodash's name of it.
    pub command: &'static str,
    /// Whether it shall not be so: it stands inside a `not`.
    pub negated: bool,
    /// Where the value is looked for; nothing, if it stands there itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The value that is there; nothing, if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sees: Option<String>,
    /// What it is compared with, if it is and that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wants: Option<String>,
}

impl Clause {
    /// The clause and those below it, a line each; those below are indented.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.tell(0, &mut lines);
        lines
    }

    fn tell(&self, depth: usize, lines: &mut Vec<String>) {
        let mark = if self.holds { "✓" } else { "✗" };
        lines.push(format!("{}{mark} {}", "  ".repeat(depth), self.says));
        for clause in &self.of {
            clause.tell(depth + 1, lines);
        }
    }

    /// How many predicates it has that are as they should be, and how many in all.
    pub fn count(&self) -> (usize, usize) {
        if self.test.is_some() {
            return (usize::from(self.holds), 1);
        }
        self.of.iter().map(Self::count).fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    }
}
