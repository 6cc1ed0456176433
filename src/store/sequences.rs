//! Sequences: immutable versions under a name.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::ExprTrait,
};
use serde_json::json;

use super::{Result, Store, entity::sequence};

/// A shared inline sequence is marked as used again after this, in milliseconds: each mark is
/// a commit, and the sweep spares what is younger than the retention time.
const REFRESH_AFTER: i64 = 60 * 60 * 1000;

/// What became of a sequence that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its version.
    pub version: i32,
    /// False if the newest version says the same already.
    pub changed: bool,
}

/// A sequence to keep.
#[derive(Debug, Clone)]
pub struct NewSequence<'a> {
    /// Its name.
    pub name: &'a str,
    /// As it was given.
    pub source: &'a str,
    /// SHA-256 of the source, in hex.
    pub hash: &'a str,
    /// Comes with a process.
    pub inline: bool,
}

impl Store {
    /// Keeps a sequence as the next version of its name, unless the newest says the same.
    ///
    /// # Errors
    /// The database's.
    pub async fn publish(&self, new: &NewSequence<'_>, now: DateTime<Utc>) -> Result<Published> {
        let tx = self.begin().await?;
        let newest = sequence::Entity::find()
            .filter(sequence::Column::Name.eq(new.name))
            .order_by_desc(sequence::Column::Version)
            .one(&tx)
            .await?;
        if let Some(same) = newest.as_ref().filter(|newest| newest.hash == new.hash) {
            let version = same.version;
            if new.inline && now.timestamp_millis() - same.created_at > REFRESH_AFTER {
                // It is about to be used again: the sweep shall not take it from under a start.
                let mut same: sequence::ActiveModel = same.clone().into();
                same.created_at = Set(now.timestamp_millis());
                same.update(&tx).await?;
                self.commit(tx).await?;
            }
            return Ok(Published { version, changed: false });
        }
        let version = newest.map_or(1, |newest| newest.version + 1);
        let model = sequence::ActiveModel {
            name: Set(new.name.to_owned()),
            version: Set(version),
            source: Set(new.source.to_owned()),
            hash: Set(new.hash.to_owned()),
            inline: Set(new.inline),
            created_at: Set(now.timestamp_millis()),
        };
        match model.insert(&tx).await {
            Ok(_) => self.commit(tx).await?,
            // Somebody published the same name in the same moment: look again.
            Err(error) if is_conflict(&error) => {
                tx.rollback().await?;
                return Box::pin(self.publish(new, now)).await;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Published { version, changed: true })
    }

    /// A version of a sequence; without a version, the newest.
    ///
    /// # Errors
    /// The database's.
    pub async fn sequence(
        &self,
        name: &str,
        version: Option<i32>,
    ) -> Result<Option<sequence::Model>> {
        self.sequence_on(self.reader().await, name, version).await
    }

    /// The newest version of a sequence: asked for with others, in one statement.
    ///
    /// # Errors
    /// The database's.
    pub async fn newest_version(&self, name: &str) -> Result<Option<i32>> {
        let work = |names: Vec<Arc<str>>| {
            async move {
                match self.newest_versions(&names).await {
                    Ok(known) => names.iter().map(|name| Ok(known.get(&**name).copied())).collect(),
                    Err(error) => vec![Err(error); names.len()],
                }
            }
            .boxed()
        };
        self.newest.call(Arc::from(name), work).await
    }

    async fn newest_versions(&self, names: &[Arc<str>]) -> Result<HashMap<String, i32>> {
        let names: BTreeSet<&str> = names.iter().map(|name| &**name).collect();
        let sql = format!(
            "SELECT name, MAX(version) FROM sequences WHERE name IN {} GROUP BY name",
            self.dialect.list()
        );
        let rows = self.rows(self.reader().await, &sql, [json!(names).to_string().into()]).await?;
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
    }

    pub(super) async fn sequence_on(
        &self,
        db: &impl sea_orm::ConnectionTrait,
        name: &str,
        version: Option<i32>,
    ) -> Result<Option<sequence::Model>> {
        let mut query = sequence::Entity::find().filter(sequence::Column::Name.eq(name));
        if let Some(version) = version {
            query = query.filter(sequence::Column::Version.eq(version));
        }
        Ok(query.order_by_desc(sequence::Column::Version).one(db).await?)
    }

    /// Published sequences by name, newest version first; `after` is the name and version
    /// of the last one seen.
    ///
    /// # Errors
    /// The database's.
    pub async fn sequences(
        &self,
        after: Option<(&str, i32)>,
        most: u64,
    ) -> Result<Vec<sequence::Model>> {
        let mut query = sequence::Entity::find().filter(sequence::Column::Inline.eq(false));
        if let Some((name, version)) = after {
            query =
                query.filter(sequence::Column::Name.gt(name).or(
                    sequence::Column::Name.eq(name).and(sequence::Column::Version.lt(version)),
                ));
        }
        Ok(query
            .order_by_asc(sequence::Column::Name)
            .order_by_desc(sequence::Column::Version)
            .limit(most)
            .all(self.reader().await)
            .await?)
    }
}

fn is_conflict(error: &sea_orm::DbErr) -> bool {
    matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_)))
}
