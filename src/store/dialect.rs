//! What SQLite and PostgreSQL write differently.
//!
//! Statements over many rows have a text that does not depend on their number, so that each
//! is prepared once.

use sea_orm::{Value, sea_query::ArrayType};

use super::{Result, StoreError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// The type of a column of a bulk statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Text,
    /// Text, or nothing.
    MaybeText,
    BigInt,
    /// A number, or nothing.
    MaybeBigInt,
    Integer,
    Boolean,
}

/// Stand for nothing in an array, whose library knows no `NULL`: a control character, and a
/// number that is no moment.
const NO_TEXT: &str = "\u{1f}";
const NO_NUMBER: i64 = i64::MIN;

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Text | Self::MaybeText => "text",
            Self::BigInt | Self::MaybeBigInt => "bigint",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }

    /// These cells as one array.
    pub(super) fn array(self, cells: Vec<Value>) -> Value {
        let (of, nothing): (_, Option<Value>) = match self {
            Self::Text => (ArrayType::String, None),
            Self::MaybeText => (ArrayType::String, Some(NO_TEXT.into())),
            Self::BigInt => (ArrayType::BigInt, None),
            Self::MaybeBigInt => (ArrayType::BigInt, Some(NO_NUMBER.into())),
            Self::Integer => (ArrayType::Int, None),
            Self::Boolean => (ArrayType::Bool, None),
        };
        let cells = match nothing {
            None => cells,
            Some(nothing) => {
                let filled = |cell: Value| {
                    let is_nothing = matches!(cell, Value::String(None) | Value::BigInt(None));
                    if is_nothing { nothing.clone() } else { cell }
                };
                cells.into_iter().map(filled).collect()
            }
        };
        Value::Array(of, Some(Box::new(cells)))
    }

    /// A cell of an array, as it was meant.
    fn cell(self, name: &str) -> String {
        match self {
            Self::MaybeText => format!("NULLIF({name}, U&'\\001f') AS {name}"),
            Self::MaybeBigInt => format!("NULLIF({name}, '{NO_NUMBER}'::bigint) AS {name}"),
            _ => name.to_owned(),
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

    /// A relation `r` with these columns, from an array of each in `$1`, `$2` and so on.
    pub(super) fn arrays(columns: &[(&str, Column)]) -> String {
        let cells: Vec<String> = columns.iter().map(|(name, of)| of.cell(name)).collect();
        let arrays: Vec<String> = (1..)
            .zip(columns)
            .map(|(number, (_, of))| format!("${number}::{}[]", of.name()))
            .collect();
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        format!(
            "(SELECT {} FROM unnest({}) AS u({})) AS r",
            cells.join(", "),
            arrays.join(", "),
            names.join(", ")
        )
    }

    /// A relation `r` with these columns and so many rows, from as many parameters.
    pub(super) fn values(columns: &[(&str, Column)], rows: usize) -> String {
        let names: Vec<String> = (1..)
            .zip(columns)
            .map(|(number, (name, _))| format!("column{number} AS {name}"))
            .collect();
        let row = format!("({})", vec!["?"; columns.len()].join(","));
        format!(
            "(SELECT {} FROM (VALUES {})) AS r",
            names.join(", "),
            vec![row.as_str(); rows].join(",")
        )
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

    /// The whole numbers in a JSON list in parameter `$1`, for use with `IN`: as numbers, so that
    /// an index by number serves.
    pub(super) fn numbers(self) -> &'static str {
        match self {
            Self::Postgres => "(SELECT json_array_elements_text($1::json)::bigint)",
            Self::Sqlite => "(SELECT CAST(value AS INTEGER) FROM json_each($1))",
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
