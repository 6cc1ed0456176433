//! What processes have written: all of it, the last of it, or what is still under way.
//!
//! Promises: reads only, and through indexes; what is asked for of many processes is read in
//! portions.
//! Called by: intake, the API and the command line, for who looks at processes.

use std::collections::{BTreeMap, HashMap};

use rungs_core::Process;
use rungs_runners::DeliveryStatus;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use serde_json::Value;

use super::{
    Result, Store,
    entity::delivery::{Column, Entity, Model},
};

/// Processes, or deliveries, that are asked for at once.
const PORTION: usize = 500;

impl Store {
    /// Every delivery a process wrote, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn deliveries_of(&self, key: &str) -> Result<Vec<Model>> {
        let query = of(key).order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
        Ok(query.all(self.reader().await).await?)
    }

    /// The last `most` deliveries that a process wrote, oldest first, and how many it wrote.
    ///
    /// # Errors
    /// The database's.
    pub async fn last_deliveries_of(&self, key: &str, most: u64) -> Result<(Vec<Model>, u64)> {
        let query = of(key).order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
        let mut rows = query.limit(most).all(self.reader().await).await?;
        rows.reverse();
        let many = match rows.len() as u64 {
            few if few < most => few,
            _ => of(key).count(self.reader().await).await?,
        };
        Ok((rows, many))
    }

    /// By the keys of their processes, deliveries of which more will be heard, and those of which
    /// the process has not heard the end.
    ///
    /// # Errors
    /// The database's.
    pub async fn under_way(&self, processes: &[Process]) -> Result<HashMap<String, Vec<Model>>> {
        let mut found = BTreeMap::new();
        for portion in processes.chunks(PORTION) {
            let keys = portion.iter().map(|process| process.key.as_str());
            let begins = Column::Status.is_in(["pending", "sending"]);
            let is_asked_about = Condition::all()
                .add(Column::Status.is_in(["sent", "answered", "in-doubt"]))
                .add(Column::DueAt.is_not_null());
            let open = Condition::any().add(begins).add(is_asked_about);
            let query = Entity::find().filter(Column::ProcessKey.is_in(keys)).filter(open);
            self.keep(query, &mut found).await?;
        }
        let unheard: Vec<&str> = processes.iter().flat_map(unheard).collect();
        for portion in unheard.chunks(PORTION) {
            let query = Entity::find().filter(Column::Id.is_in(portion.iter().copied()));
            self.keep(query, &mut found).await?;
        }
        let mut of_each: HashMap<String, Vec<Model>> = HashMap::new();
        for row in found.into_values() {
            of_each.entry(row.process_key.clone()).or_default().push(row);
        }
        Ok(of_each)
    }

    async fn keep(
        &self,
        query: Select<Entity>,
        found: &mut BTreeMap<(i64, String), Model>,
    ) -> Result<()> {
        let rows = query.all(self.reader().await).await?;
        found.extend(rows.into_iter().map(|row| ((row.created_at, row.id.clone()), row)));
        Ok(())
    }
}

fn of(key: &str) -> Select<Entity> {
    Entity::find().filter(Column::ProcessKey.eq(key))
}

/// Deliveries of which a process knows, and not how they ended.
fn unheard(process: &Process) -> impl Iterator<Item = &str> {
    let results = process.state.steps.as_object().into_iter().flat_map(|steps| steps.values());
    results.filter_map(|result| {
        let text = |key: &str| result.get(key).and_then(Value::as_str);
        let status = text("status").and_then(DeliveryStatus::parse);
        text("delivery").filter(|_| status.is_none_or(|status| !status.is_final()))
    })
}
