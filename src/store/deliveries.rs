//! Dispatch's side of the outbox: begin attempts, and write down what became of them.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use rungs_core::{DeliveryRecord, Remedy, Report, Retry};
use rungs_runners::{DeliveryStatus, hours::Quiet};
use sea_orm::{DatabaseTransaction, EntityTrait, FromQueryResult, Value};
use serde_json::json;

use super::{
    Result, Store, StoreError,
    bulk::Bulk,
    clean,
    cycle::models,
    dialect::{Column, Dialect},
    entity::delivery,
};

/// An attempt that has begun.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct Begun {
    /// The delivery's id.
    pub id: String,
    /// The process's key.
    pub process_key: String,
    /// The caller's id of the process.
    pub process_id: String,
    /// The step.
    pub step: String,
    /// JSON of what to send.
    pub request: String,
    /// The number of this attempt, from 1.
    pub attempts: i32,
    /// Until when it belongs to whoever began it, in Unix milliseconds.
    pub lease_until: Option<i64>,
    /// It has not begun: its quiet hours may have. [`Report::Quiet`] looks at them.
    pub is_held: bool,
}

/// A delivery after its reports, for whoever logs and counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The delivery's id.
    pub id: String,
    /// The caller's id of the process.
    pub process_id: String,
    /// The step that wrote it.
    pub step: String,
    /// Its channel.
    pub channel: String,
    /// How far it had come before.
    pub before: DeliveryStatus,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// What went wrong last.
    pub error: Option<String>,
}

impl Store {
    /// A delivery.
    ///
    /// # Errors
    /// The database's.
    pub async fn delivery(&self, id: &str) -> Result<Option<delivery::Model>> {
        Ok(delivery::Entity::find_by_id(id.to_owned()).one(self.reader().await).await?)
    }

    /// Begins attempts of up to `most` deliveries of a channel.
    /// The most urgent leave first, and of those the longest due. Those whose quiet hours may
    /// have come do not begin; they are handed out to be told so.
    ///
    /// This is the last look before sending: a delivery begins only while it is not late,
    /// and its process is active and has heard everything there is to hear. Once it has begun, a stop comes
    /// too late for it; a stop that was committed before keeps it from beginning.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_attempts(
        &self,
        channel: &str,
        most: u64,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Vec<Begun>> {
        let due = self.may_begin("due", "d.id", "", "$3");
        self.begin_due(&due, channel, most, now, lease_until).await
    }

    /// The same for a channel that asks for many at once: deliveries of one step of one version
    /// of a sequence, that of the most urgent.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_attempts_of_a_step(
        &self,
        channel: &str,
        most: u64,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Vec<Begun>> {
        let urgent = self.may_begin("urgent", "p.sequence, p.version, d.step", "", "1");
        let alike = "JOIN urgent u ON u.sequence = p.sequence AND u.version = p.version
                       AND u.step = d.step";
        let due = self.may_begin("due", "d.id", alike, "$3");
        self.begin_due(&format!("{urgent}, {due}"), channel, most, now, lease_until).await
    }

    /// Deliveries of a channel that are due, and whose quiet hours may have come: those that
    /// [`Store::begin_attempts`] would hand out to be told so, without the others.
    ///
    /// # Errors
    /// The database's.
    pub async fn quiet_may_have_come(
        &self,
        channel: &str,
        most: u64,
        now: DateTime<Utc>,
    ) -> Result<Vec<String>> {
        // The priorities are named so that the index serves.
        let sql = "SELECT id FROM deliveries
                   WHERE status = 'pending' AND channel = $1 AND priority IN (0, 1, 2)
                     AND due_at <= $2 AND quiet_at <= $2
                   LIMIT $3";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let values = [channel.into(), now.timestamp_millis().into(), most.into()];
        let rows = self.rows(self.reader().await, sql, values).await?;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    /// The table `name`: up to `most` deliveries of the channel `$1` that may begin at `$2`.
    /// Each priority is looked up for itself, so that the index gives just what is due, in
    /// order, however many wait for a later hour.
    fn may_begin(&self, name: &str, columns: &str, join: &str, most: &str) -> String {
        // The process's row is locked as well: an event that is being written at this
        // moment must be heard first.
        let lock = match self.dialect {
            Dialect::Postgres => " FOR UPDATE OF d, p SKIP LOCKED",
            Dialect::Sqlite => "",
        };
        let of = |priority: u8, most: &str| {
            format!(
                "{name}{priority} AS (
             SELECT {columns} FROM deliveries d JOIN processes p ON p.key = d.process_key {join}
             WHERE d.status = 'pending' AND d.channel = $1 AND d.due_at <= $2
               AND d.priority = {priority} AND (d.late_at IS NULL OR d.late_at > $2)
               AND p.status = 'active' AND NOT p.woken AND (p.due_at IS NULL OR p.due_at > $2)
             ORDER BY d.due_at LIMIT {most}{lock})"
            )
        };
        let taken = |priority: u8| format!("(SELECT COUNT(*) FROM {name}{priority})");
        let (two, three) = (
            format!("(SELECT {most} - {})", taken(0)),
            format!("(SELECT {most} - {} - {})", taken(0), taken(1)),
        );
        let each = [of(0, most), of(1, &two), of(2, &three)].join(", ");
        format!(
            "{each}, {name} AS (SELECT * FROM {name}0 UNION ALL SELECT * FROM {name}1
             UNION ALL SELECT * FROM {name}2)"
        )
    }

    /// Begins attempts of what `due` says.
    async fn begin_due(
        &self,
        due: &str,
        channel: &str,
        most: u64,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Vec<Begun>> {
        let sql = format!(
            "WITH {due}
             UPDATE deliveries SET
               status = CASE WHEN quiet_at <= $2 THEN 'pending' ELSE 'sending' END,
               attempts = CASE WHEN quiet_at <= $2 THEN attempts ELSE attempts + 1 END,
               begun_at = CASE WHEN quiet_at <= $2 THEN begun_at ELSE $2 END,
               lease_until = CASE WHEN quiet_at <= $2 THEN lease_until ELSE $4 END
             WHERE id IN (SELECT id FROM due)
             RETURNING id, process_key, step, request, attempts, lease_until,
               (status = 'pending') AS is_held,
               (SELECT process_id FROM processes WHERE key = process_key) AS process_id"
        );
        let values = [
            channel.into(),
            now.timestamp_millis().into(),
            i64::try_from(most).unwrap_or(i64::MAX).into(),
            lease_until.timestamp_millis().into(),
        ];
        models(&self.rows_alone(&sql, values).await?)
    }

    /// Tells deliveries their reports and makes processes due that should hear of it.
    /// Returns those of the deliveries that are known.
    ///
    /// # Errors
    /// The database's.
    pub async fn report(
        &self,
        reports: Vec<(String, Report)>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Told>> {
        if reports.is_empty() {
            return Ok(Vec::new());
        }
        let tx = self.begin().await?;
        let told = self.report_on(&tx, reports, now).await?;
        self.commit(tx).await?;
        Ok(told)
    }

    pub(super) async fn report_on(
        &self,
        tx: &DatabaseTransaction,
        reports: Vec<(String, Report)>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Told>> {
        let mut by_id: HashMap<String, Vec<Report>> = HashMap::new();
        for (id, report) in reports {
            by_id.entry(id).or_default().push(report);
        }
        let records = self.lock(tx, &by_id.keys().collect::<Vec<_>>()).await?;
        let mut rows = Bulk::new(REPORTED, records.len());
        let mut told = Vec::with_capacity(records.len());
        let mut woken = Vec::new();
        for Locked { mut record, process_id, had_news } in records {
            let before = record.status;
            let reports = by_id.remove(&record.id).unwrap_or_default();
            let mut news = false;
            for report in reports {
                news |= record.take(report, now);
            }
            if news {
                woken.push((record.process_key.clone(), told_at(&record, now)));
            }
            rows.push(row(&record, news || had_news));
            told.push(Told {
                id: record.id,
                process_id,
                step: record.step,
                channel: record.channel,
                before,
                status: record.status,
                error: record.error,
            });
        }
        self.write_records(tx, rows).await?;
        self.wake(tx, &woken).await?;
        Ok(told)
    }

    /// Reads deliveries for a change.
    async fn lock(&self, tx: &DatabaseTransaction, ids: &[&String]) -> Result<Vec<Locked>> {
        let ids = json!(ids).to_string();
        let (list, lock) = (self.dialect.list(), self.dialect.for_update());
        if self.dialect == Dialect::Postgres {
            let sql = format!(
                "SELECT key FROM processes
                 WHERE key IN (SELECT process_key FROM deliveries WHERE id IN {list})
                 ORDER BY key{lock}"
            );
            self.rows(tx, &sql, [ids.clone().into()]).await?;
        }
        let sql = format!("SELECT {RECORD} FROM deliveries WHERE id IN {list} ORDER BY id{lock}");
        let rows: Vec<Row> = models(&self.rows(tx, &sql, [ids.into()]).await?)?;
        let mut records = Vec::with_capacity(rows.len());
        for Row { delivery, process_id } in rows {
            let had_news = delivery.news;
            let process_id = process_id.unwrap_or_default();
            match read(delivery) {
                Ok(record) => records.push(Locked { record, process_id, had_news }),
                // One row that a newer program wrote must not keep the others from it.
                Err(error) => {
                    tracing::error!(process = process_id, %error, "a report is dropped");
                }
            }
        }
        Ok(records)
    }

    async fn write_records(&self, tx: &DatabaseTransaction, rows: Bulk<11>) -> Result<()> {
        let sql = "UPDATE deliveries SET status = r.status, due_at = r.due_at,
                     quiet_at = r.quiet_at, lease_until = r.lease_until, provider_id = r.provider_id, error = r.error,
                     log = r.log, news = r.news, settled_at = r.settled_at,
                     answer = COALESCE(r.answer, deliveries.answer)
                   FROM ROWS WHERE deliveries.id = r.id";
        self.run_bulk(tx, sql, rows).await
    }

    /// Makes processes due, each at a moment of its own.
    async fn wake(
        &self,
        tx: &DatabaseTransaction,
        woken: &[(String, DateTime<Utc>)],
    ) -> Result<()> {
        if woken.is_empty() {
            return Ok(());
        }
        let mut moments: BTreeMap<&str, i64> = BTreeMap::new();
        for (key, at) in woken {
            let at = at.timestamp_millis();
            moments.entry(key).and_modify(|first| *first = at.min(*first)).or_insert(at);
        }
        let mut bulk = Bulk::new(WOKEN, moments.len());
        for (key, at) in moments {
            bulk.push([key.into(), at.into()]);
        }
        let sql = "UPDATE processes SET woken = TRUE,
                     due_at = CASE WHEN due_at IS NULL OR due_at > r.at THEN r.at ELSE due_at END
                   FROM ROWS WHERE processes.key = r.key AND status IN ('active', 'paused')";
        self.run_bulk(tx, sql, bulk).await
    }
}

/// A delivery that nobody else changes.
struct Locked {
    record: DeliveryRecord,
    /// The caller's id of its process.
    process_id: String,
    /// Its process has yet to hear of it.
    had_news: bool,
}

const WOKEN: &[(&str, Column); 2] = &[("key", Column::Text), ("at", Column::BigInt)];

/// What a report looks at: all but what is sent and what was answered, which may be long.
const RECORD: &str = "id, process_key, step, channel, retry, in_doubt, late_at, late_then, status,
    quiet, quiet_at, attempts, due_at, begun_at, lease_until, withdrawn, provider_id, error, log, news,
    created_at, settled_at, priority, '' AS request, NULL AS answer,
    (SELECT process_id FROM processes WHERE key = process_key) AS process_id";

#[derive(FromQueryResult)]
struct Row {
    #[sea_orm(nested)]
    delivery: delivery::Model,
    process_id: Option<String>,
}

/// When a process is told of a delivery: at once. Of one that was late, at the moment when
/// it became so, since the ladder has been late since then, and what it does next is, too.
fn told_at(record: &DeliveryRecord, now: DateTime<Utc>) -> DateTime<Utc> {
    let is_late = record.log.last().is_some_and(|line| line.what == "late");
    record.late.filter(|_| is_late).map_or(now, |(late_at, _)| late_at.min(now))
}

/// What a report writes.
const REPORTED: &[(&str, Column); 11] = &[
    ("id", Column::Text),
    ("status", Column::Text),
    ("due_at", Column::MaybeBigInt),
    ("quiet_at", Column::MaybeBigInt),
    ("lease_until", Column::MaybeBigInt),
    ("provider_id", Column::MaybeText),
    ("error", Column::MaybeText),
    ("log", Column::Text),
    ("news", Column::Boolean),
    ("settled_at", Column::MaybeBigInt),
    ("answer", Column::MaybeText),
];

fn row(record: &DeliveryRecord, news: bool) -> [Value; 11] {
    let millis = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp_millis());
    [
        record.id.as_str().into(),
        record.status.as_str().into(),
        millis(record.due_at).into(),
        millis(record.quiet_at).into(),
        millis(record.lease_until).into(),
        record.provider_id.as_deref().map(clean).into(),
        record.error.as_deref().map(clean).into(),
        serde_json::to_string(&record.log).unwrap_or_else(|_| "[]".to_owned()).into(),
        news.into(),
        millis(record.settled_at).into(),
        record.answer.as_ref().and_then(|answer| serde_json::to_string(answer).ok()).into(),
    ]
}

/// A delivery as the core knows it.
///
/// # Errors
/// What cannot be read: a newer program may have written it.
pub fn read(row: delivery::Model) -> Result<DeliveryRecord> {
    let unreadable = |what: &str| {
        StoreError::Unreadable(format!("delivery {}: its {what} cannot be read", row.id))
    };
    let moment = |at: Option<i64>| at.and_then(DateTime::from_timestamp_millis);
    let remedy = |text: &Option<String>| text.as_deref().and_then(Remedy::parse);
    // What a newer program calls it is at least no reason to send it late.
    let late = moment(row.late_at).map(|at| (at, remedy(&row.late_then).unwrap_or(Remedy::Fail)));
    let retry = match &row.retry {
        Some(text) => serde_json::from_str(text).map_err(|_| unreadable("retry"))?,
        None => Retry::default(),
    };
    // Hours that cannot be read are none, or it would be held for ever.
    let quiet: Option<Quiet> =
        row.quiet.as_deref().and_then(|text| serde_json::from_str(text).ok());
    Ok(DeliveryRecord {
        status: DeliveryStatus::parse(&row.status).ok_or_else(|| unreadable("status"))?,
        attempts: u32::try_from(row.attempts).unwrap_or(0),
        retry,
        in_doubt: remedy(&row.in_doubt).unwrap_or_default(),
        late,
        quiet_at: moment(row.quiet_at).filter(|_| quiet.is_some()),
        quiet,
        begun_at: moment(row.begun_at),
        due_at: moment(row.due_at),
        lease_until: moment(row.lease_until),
        withdrawn: row.withdrawn,
        answer: row.answer.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        log: serde_json::from_str(&row.log).map_err(|_| unreadable("log"))?,
        created_at: moment(Some(row.created_at)).unwrap_or_default(),
        settled_at: moment(row.settled_at),
        id: row.id,
        process_key: row.process_key,
        step: row.step,
        channel: row.channel,
        provider_id: row.provider_id,
        error: row.error,
    })
}
