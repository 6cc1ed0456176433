//! `http`: the whole API, behind API Gateway's HTTP API or a function URL.

use std::sync::Arc;

use lambda_runtime::Error;

use crate::{
    api::{self, ApiState},
    channels::twilio::Callbacks,
    config::Config,
    engine::Engine,
};

/// Answers requests.
pub(super) async fn serve(engine: Arc<Engine>, config: &Config) -> Result<(), Error> {
    let state = ApiState {
        engine,
        api_keys: config.api_keys.clone(),
        roesc: config.roesc.clone(),
        callbacks: config.twilio.as_ref().and_then(Callbacks::new),
    };
    lambda_http::run(api::router(state)).await
}
