//! What SQLite and PostgreSQL write differently.
//!
//! Bulk statements take all their rows as one JSON parameter, so that their text is
//! constant and prepared once, however many rows there are.

use super::{Result, StoreError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// The type of a column in a bulk parameter.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    Text,
    BigInt,
    Integer,
    Boolean,
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::BigInt => "bigint",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }
}

impl Dialect {
    pub(super) fn of(url: &str) -> Result<Self> {
        match url.split(':').next().unwrap_or_default() {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" | "postgresql" => Ok(Self::Postgres),
            _ => Err(StoreError::Address("expected sqlite:FILE or postgres://...".to_owned())),
        }
    }

    /// A relation `r` with these columns, from a JSON list of objects in parameter `$1`.
    pub(super) fn relation(self, columns: &[(&str, Column)]) -> String {
        match self {
            Self::Postgres => {
                let columns: Vec<String> =
                    columns.iter().map(|(name, of)| format!("{name} {}", of.name())).collect();
                format!("json_to_recordset($1::json) AS r({})", columns.join(", "))
            }
            Self::Sqlite => {
                let columns: Vec<String> = columns
                    .iter()
                    .map(|(name, _)| format!("value->>'$.{name}' AS {name}"))
                    .collect();
                format!("(SELECT {} FROM json_each($1)) AS r", columns.join(", "))
            }
        }
    }

    /// `SELECT columns` of up to `$2` processes that are due at `$1` and not held by somebody
    /// else: the most urgent first, and of those the longest overdue. Each priority is
    /// looked up for itself, so that the index gives just what is due, in order.
    pub(super) fn due_processes(self, columns: &str) -> String {
        let lock = self.for_update_skip_locked();
        let due = |priority: u8, most: &str| {
            format!(
                "due{priority} AS (SELECT {columns} FROM processes
                   WHERE status = 'active' AND priority = {priority} AND due_at <= $1
                   ORDER BY due_at LIMIT {most}{lock})"
            )
        };
        let rest = |taken: &str| format!("(SELECT $2 - ({taken}))");
        let taken = ["(SELECT COUNT(*) FROM due0)", "(SELECT COUNT(*) FROM due1)"];
        let each = [due(0, "$2"), due(1, &rest(taken[0])), due(2, &rest(&taken.join(" + ")))];
        format!(
            "WITH {} SELECT * FROM due0 UNION ALL SELECT * FROM due1 UNION ALL SELECT * FROM due2",
            each.join(", ")
        )
    }

    /// The texts in a JSON list in parameter `$1`, for use with `IN`.
    pub(super) fn list(self) -> &'static str {
        match self {
            Self::Postgres => "(SELECT json_array_elements_text($1::json))",
            Self::Sqlite => "(SELECT value FROM json_each($1))",
        }
    }

    /// Locks the rows a `SELECT` found, where rows can be locked. On SQLite the whole
    /// transaction is alone.
    pub(super) fn for_update(self) -> &'static str {
        match self {
            Self::Postgres => " FOR UPDATE",
            Self::Sqlite => "",
        }
    }

    /// The same, passing by rows that somebody else holds.
    pub(super) fn for_update_skip_locked(self) -> &'static str {
        match self {
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
            Self::Sqlite => "",
        }
    }
}
