//! What providers tell us by themselves.

use rungs_core::Report;

use crate::{
    channels::{
        Heard,
        twilio::{Callbacks, callback},
    },
    engine::Engine,
    store::StoreError,
};

/// A callback of Twilio, as it came.
#[derive(Debug, Clone)]
pub struct Callback<'a> {
    /// `calls` or `messages`.
    pub resource: &'a str,
    /// The delivery's id, from the path.
    pub delivery: &'a str,
    /// Path and query, as they were requested.
    pub path: &'a str,
    /// The form's fields, in order.
    pub form: Vec<(String, String)>,
    /// `X-Twilio-Signature`.
    pub signature: Option<&'a str>,
}

/// Why a callback is not believed.
#[derive(Debug, thiserror::Error)]
pub enum CallbackRefused {
    /// It is not from the provider.
    #[error("the signature is missing or wrong")]
    Unsigned,
    /// No provider is configured that would call back.
    #[error("no provider calls back here")]
    NotExpected,
    /// The database is in trouble; the provider calls again.
    #[error("the database is in trouble: {0}")]
    Store(#[from] StoreError),
}

/// Takes in a callback of Twilio. A callback about a delivery that is not known, or that
/// says nothing new, is fine: providers repeat themselves.
///
/// # Errors
/// It is not believed.
pub async fn twilio(
    engine: &Engine,
    callbacks: Option<&Callbacks>,
    callback: Callback<'_>,
) -> Result<(), CallbackRefused> {
    let callbacks = callbacks.ok_or(CallbackRefused::NotExpected)?;
    callbacks
        .verify(callback.path, &callback.form, callback.signature)
        .map_err(|_| CallbackRefused::Unsigned)?;
    let Some(delivery) = engine.store.delivery(callback.delivery).await? else { return Ok(()) };
    let heard = match callback.resource {
        "calls" => {
            let request = serde_json::from_str(&delivery.request).unwrap_or_default();
            callback::call(&callback.form, &request)
        }
        _ => callback::message(&callback.form),
    };
    let Some(Heard { provider_id, status, error }) = heard else { return Ok(()) };
    let report = Report::Heard { status, provider_id, error, asked: false };
    engine.report(vec![(delivery.id, report)], engine.clock.now()).await?;
    engine.wake.evaluator();
    Ok(())
}
