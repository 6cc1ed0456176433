//! `migrate`: brings the schema up to date, on PostgreSQL before the first command.

use serde_json::json;

use super::{Context, Result, failure::count, open};

pub(super) async fn migrate(context: &Context) -> Result<()> {
    let store = open::connect(&open::options(&context.config()?)).await?;
    let pending = store.pending_migrations().await?;
    store.migrate().await?;
    let text = match pending {
        0 => "the schema is up to date".to_owned(),
        pending => format!("{} run; the schema is up to date", count(pending, "migration")),
    };
    Ok(context.output.answer(&json!({ "migrations": pending }), text)?)
}
