//! The floor: the same rows, written by bare prepared bulk statements.
//!
//! What an engineer would write who has nothing else to do: constant statements, prepared
//! once, a thousand rows in each, taken from arrays (PostgreSQL) or bound one by one (SQLite,
//! where that was twice as fast as a JSON list), and no row read while it is measured.

use chrono::{DateTime, Utc};
use rungs_core::{Advanced, Delivery, Entry, Process};
use sea_orm::sqlx::{
    self, AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{databases::Kind, place::Place};

/// Rows in one statement, and so in one transaction.
pub const BATCH: usize = 1_000;

/// A column of a batch.
pub enum Column {
    Text(Vec<String>),
    Number(Vec<i64>),
}

/// A statement over a relation `r` with these columns.
pub struct Statement {
    pub sql: &'static str,
    pub names: &'static [&'static str],
    pub columns: Vec<Column>,
}

/// A bare connection.
pub enum Floor {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Floor {
    pub async fn connect(place: &Place) -> Self {
        match place.kind {
            Kind::Sqlite => {
                let options = place.url.parse::<SqliteConnectOptions>().expect("an address");
                let options = options
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .pragma("cache_size", "-65536")
                    .pragma("temp_store", "MEMORY");
                Self::Sqlite(SqliteConnection::connect_with(&options).await.expect("SQLite"))
            }
            Kind::Postgres => {
                Self::Postgres(PgConnection::connect(&place.url).await.expect("PostgreSQL"))
            }
        }
    }

    /// These statements, in one transaction.
    pub async fn write(&mut self, statements: Vec<Statement>) {
        match self {
            Self::Sqlite(connection) => {
                connection.execute("BEGIN IMMEDIATE").await.expect("a transaction");
                for statement in statements {
                    let sql = statement.sql(Kind::Sqlite);
                    let mut query = sqlx::query(AssertSqlSafe(sql));
                    for row in 0..statement.len() {
                        for column in &statement.columns {
                            query = match column {
                                Column::Text(values) => query.bind(&values[row]),
                                Column::Number(values) => query.bind(values[row]),
                            };
                        }
                    }
                    query.execute(&mut *connection).await.expect("rows");
                }
                connection.execute("COMMIT").await.expect("a commit");
            }
            Self::Postgres(connection) => {
                connection.execute("BEGIN").await.expect("a transaction");
                for statement in statements {
                    let sql = statement.sql(Kind::Postgres);
                    let mut query = sqlx::query(AssertSqlSafe(sql));
                    for column in statement.columns {
                        query = match column {
                            Column::Text(values) => query.bind(values),
                            Column::Number(values) => query.bind(values),
                        };
                    }
                    query.execute(&mut *connection).await.expect("rows");
                }
                connection.execute("COMMIT").await.expect("a commit");
            }
        }
    }
    /// One process and the history of its birth, in a commit of its own: in one round trip
    /// on PostgreSQL.
    pub async fn birth(&mut self, process: &Process) {
        let data = serde_json::to_string(&process.data).expect("data");
        let state = serde_json::to_string(&process.state).expect("a state");
        let at = process.started_at.timestamp_millis();
        macro_rules! process {
            ($sql:expr) => {
                sqlx::query($sql)
                    .bind(&process.key)
                    .bind(&process.process_id)
                    .bind(&process.sequence)
                    .bind(&process.cursor)
                    .bind(&data)
                    .bind(&state)
                    .bind(at)
            };
        }
        match self {
            Self::Sqlite(connection) => {
                connection.execute("BEGIN IMMEDIATE").await.expect("a transaction");
                process!(BIRTH).execute(&mut *connection).await.expect("a row");
                sqlx::query("INSERT INTO history (process_key, at, entries) VALUES ($1, $2, $3)")
                    .bind(&process.key)
                    .bind(at)
                    .bind(STARTED)
                    .execute(&mut *connection)
                    .await
                    .expect("a row");
                connection.execute("COMMIT").await.expect("a commit");
            }
            Self::Postgres(connection) => {
                process!(BIRTH_WITH_HISTORY)
                    .bind(STARTED)
                    .execute(&mut *connection)
                    .await
                    .expect("rows");
            }
        }
    }
}

const STARTED: &str = r#"[{"kind":"started"}]"#;
const BIRTH: &str = "
    INSERT INTO processes (key, process_id, sequence, version, status, cursor, timezone, data,
      state, due_at, woken, started_at)
    VALUES ($1, $2, $3, 1, 'active', $4, 'UTC', $5, $6, $7, FALSE, $7)";
const BIRTH_WITH_HISTORY: &str = "
    WITH born AS (
      INSERT INTO processes (key, process_id, sequence, version, status, cursor, timezone, data,
        state, due_at, woken, started_at)
      VALUES ($1, $2, $3, 1, 'active', $4, 'UTC', $5, $6, $7, FALSE, $7) RETURNING key)
    INSERT INTO history (process_key, at, entries) SELECT key, $7, $8 FROM born";

impl Statement {
    fn sql(&self, kind: Kind) -> String {
        let relation = match kind {
            Kind::Sqlite => {
                let columns: Vec<String> = (1..)
                    .zip(self.names)
                    .map(|(number, name)| format!("column{number} AS {name}"))
                    .collect();
                let row = format!("({})", vec!["?"; self.names.len()].join(","));
                let rows = vec![row.as_str(); self.len()].join(",");
                format!("(SELECT {} FROM (VALUES {rows})) AS r", columns.join(", "))
            }
            Kind::Postgres => {
                let arrays: Vec<String> = (self.columns.iter().enumerate())
                    .map(|(index, column)| format!("${}::{}[]", index + 1, column.of()))
                    .collect();
                format!("unnest({}) AS r({})", arrays.join(", "), self.names.join(", "))
            }
        };
        self.sql.replace("ROWS", &relation)
    }

    fn len(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }
}

impl Column {
    fn of(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "bigint",
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Number(values) => values.len(),
        }
    }
}

/// The rows that a cycle writes of processes which come to a wait: cursors and history.
pub fn waits(advanced: &[Advanced], now: DateTime<Utc>) -> Vec<Statement> {
    vec![cursors(advanced), history(advanced, now)]
}

/// The cursors of processes that stand at a wait.
pub fn cursors(advanced: &[Advanced]) -> Statement {
    let text = |of: fn(&Advanced) -> String| Column::Text(advanced.iter().map(of).collect());
    Statement {
        sql: "UPDATE processes SET status = r.status, cursor = r.cursor, state = r.state,
                due_at = r.due_at, woken = FALSE FROM ROWS WHERE processes.key = r.key",
        names: &["key", "status", "cursor", "state", "due_at"],
        columns: vec![
            text(|one| one.process.key.clone()),
            text(|one| one.process.status.as_str().to_owned()),
            text(|one| one.process.cursor.clone().unwrap_or_default()),
            text(|one| serde_json::to_string(&one.process.state).expect("a state")),
            Column::Number(
                advanced
                    .iter()
                    .map(|one| one.process.due_at.map_or(0, |at| at.timestamp_millis()))
                    .collect(),
            ),
        ],
    }
}

/// What happened to them.
pub fn history(advanced: &[Advanced], now: DateTime<Utc>) -> Statement {
    let entries = |one: &Advanced| serde_json::to_string(&one.history).expect("a history");
    Statement {
        sql: "INSERT INTO history (process_key, at, entries)
                SELECT r.process_key, r.at, r.entries FROM ROWS",
        names: &["process_key", "at", "entries"],
        columns: vec![
            Column::Text(advanced.iter().map(|one| one.process.key.clone()).collect()),
            Column::Number(advanced.iter().map(|_| now.timestamp_millis()).collect()),
            Column::Text(advanced.iter().map(entries).collect()),
        ],
    }
}

/// Processes that are born, and the history of their birth.
pub fn births(born: &[Process], now: DateTime<Utc>) -> Vec<Statement> {
    let text = |of: fn(&Process) -> String| Column::Text(born.iter().map(of).collect());
    let started = serde_json::to_string(&[Entry::Started]).expect("a history");
    vec![
        Statement {
            sql: "INSERT INTO processes (key, process_id, sequence, version, status, cursor,
                    timezone, data, state, due_at, woken, started_at)
                  SELECT r.key, r.process_id, r.sequence, 1, 'active', r.cursor, 'UTC', r.data,
                    r.state, r.at, FALSE, r.at FROM ROWS",
            names: &["key", "process_id", "sequence", "cursor", "data", "state", "at"],
            columns: vec![
                text(|one| one.key.clone()),
                text(|one| one.process_id.clone()),
                text(|one| one.sequence.clone()),
                text(|one| one.cursor.clone().unwrap_or_default()),
                text(|one| serde_json::to_string(&one.data).expect("data")),
                text(|one| serde_json::to_string(&one.state).expect("a state")),
                Column::Number(born.iter().map(|_| now.timestamp_millis()).collect()),
            ],
        },
        Statement {
            sql: "INSERT INTO history (process_key, at, entries)
                    SELECT r.process_key, r.at, r.entries FROM ROWS",
            names: &["process_key", "at", "entries"],
            columns: vec![
                text(|one| one.key.clone()),
                Column::Number(born.iter().map(|_| now.timestamp_millis()).collect()),
                Column::Text(vec![started; born.len()]),
            ],
        },
    ]
}

/// The deliveries that a cycle wrote.
pub fn deliveries(advanced: &[Advanced], now: DateTime<Utc>) -> Statement {
    let wrote: Vec<_> =
        advanced.iter().filter_map(|one| Some((one, one.deliveries.first()?))).collect();
    let text =
        |of: fn(&(&Advanced, &Delivery)) -> String| Column::Text(wrote.iter().map(of).collect());
    Statement {
        sql: "INSERT INTO deliveries (id, process_key, step, channel, request, status, attempts,
                due_at, withdrawn, log, news, created_at)
              SELECT r.id, r.process_key, r.step, r.channel, r.request, 'pending', 0, r.at, FALSE,
                '[]', FALSE, r.at FROM ROWS",
        names: &["id", "process_key", "step", "channel", "request", "at"],
        columns: vec![
            text(|(_, delivery)| delivery.id.clone()),
            text(|(one, _)| one.process.key.clone()),
            text(|(_, delivery)| delivery.step.clone()),
            text(|(_, delivery)| delivery.what.channel.to_owned()),
            text(|(_, delivery)| delivery.what.request.to_string()),
            Column::Number(wrote.iter().map(|_| now.timestamp_millis()).collect()),
        ],
    }
}

fn ids(wrote: &[Advanced]) -> Column {
    Column::Text(wrote.iter().flat_map(|one| &one.deliveries).map(|one| one.id.clone()).collect())
}

/// Attempts begin.
pub fn attempts(wrote: &[Advanced]) -> Statement {
    Statement {
        sql: "UPDATE deliveries SET status = 'sending', attempts = 1, lease_until = 1790000000000
                FROM ROWS WHERE deliveries.id = r.id",
        names: &["id"],
        columns: vec![ids(wrote)],
    }
}

/// What came of them.
pub fn results(wrote: &[Advanced]) -> Statement {
    let log = r#"[{"at":"2026-11-23T09:00:00Z","status":"delivered"}]"#;
    Statement {
        sql: "UPDATE deliveries SET status = 'delivered', lease_until = NULL, due_at = NULL,
                log = r.log, settled_at = 1790000000000 FROM ROWS WHERE deliveries.id = r.id",
        names: &["id", "log"],
        columns: vec![ids(wrote), Column::Text(vec![log.to_owned(); wrote.len()])],
    }
}

/// The processes that hear of it.
pub fn woken(wrote: &[Advanced]) -> Statement {
    Statement {
        sql: "UPDATE processes SET woken = TRUE, due_at = 1790000000000
                FROM ROWS WHERE processes.key = r.key",
        names: &["key"],
        columns: vec![Column::Text(wrote.iter().map(|one| one.process.key.clone()).collect())],
    }
}
