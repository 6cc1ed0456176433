//! The HTTP door.
//!
//! Promises: it holds no logic. A handler parses, calls one thing in `intake` or `store`,
//! and renders. Whatever goes wrong is answered with problem+json, and `/openapi.json`
//! describes all of it.
//! Does not: check what is asked for; that is intake's, whichever door it comes through.
//! Called by: `serve`, and tests.

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use axum::{
    Extension, Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use crate::{channels::twilio::Callbacks, config::Roesc, engine::Engine};

mod auth;
mod body;
mod callbacks;
mod caller_ids;
mod changes;
mod explain;
mod health;
mod history;
mod json;
mod openapi;
mod paging;
mod problem;
mod processes;
mod requests;
mod sequences;
mod show;
mod span;
mod starts;

pub use auth::{MayNotListen, check_listen};

use problem::{Kind, Problem, Trouble};

/// How long requests that are under way may take once the server shall end.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the API is made of.
pub struct ApiState {
    /// What it opens on.
    pub engine: Arc<Engine>,
    /// Keys that callers show; without any, everybody may come in.
    pub api_keys: Vec<SecretString>,
    /// What roesc's requests leave open.
    pub roesc: Roesc,
    /// Believes Twilio's callbacks, where there are any.
    pub callbacks: Option<Callbacks>,
}

/// What handlers share.
struct Shared {
    engine: Arc<Engine>,
    keys: auth::Keys,
    roesc: Roesc,
    callbacks: Option<Callbacks>,
    /// No migration waits. Once that is so, it stays so for this program.
    migrated: AtomicBool,
}

type Api = Arc<Shared>;

/// The API.
pub fn router(state: ApiState) -> Router {
    let api = Arc::new(Shared {
        engine: state.engine,
        keys: auth::Keys::new(&state.api_keys),
        roesc: state.roesc,
        callbacks: state.callbacks,
        migrated: AtomicBool::new(false),
    });
    let (routes, document) = OpenApiRouter::with_openapi(openapi::begin())
        .merge(sequences::routes())
        .merge(starts::routes())
        .merge(processes::routes())
        .merge(history::routes())
        .merge(explain::routes())
        .merge(changes::routes())
        .merge(requests::routes())
        .merge(caller_ids::routes())
        .merge(callbacks::routes())
        .merge(health::routes())
        .merge(openapi::routes())
        .split_for_parts();
    frame(routes.layer(Extension(openapi::finish(document))), &api).with_state(api)
}

/// Serves the API until `shutdown`, then ends what is under way.
///
/// # Errors
/// The listener's.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let serving = axum::serve(listener, router(state))
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let patience = async {
        shutdown.cancelled().await;
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        served = serving.into_future() => served,
        () = patience => {
            let waited = PATIENCE.as_secs();
            tracing::warn!(waited, "the server ends while requests are under way");
            Ok(())
        }
    }
}

/// What is around every route: who may come in, and what becomes of what goes wrong.
fn frame(routes: Router<Api>, api: &Api) -> Router<Api> {
    routes
        .fallback(async || Problem::new(Kind::NotFound, "there is nothing at this path"))
        .method_not_allowed_fallback(async |request: Request| {
            let detail = format!("the path does not take {}", request.method());
            Problem::new(Kind::MethodNotAllowed, detail)
        })
        .layer(middleware::from_fn_with_state(Arc::clone(api), auth::authorise))
        .layer(middleware::from_fn_with_state(Arc::clone(api), report))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::new(Kind::InternalError, "a defect of this program; the log says more")
                .into_response()
        }))
        .layer(span::layer())
}

/// Tells the operator, once, what the caller is not told.
async fn report(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    if let Some(Trouble(error)) = response.extensions().get() {
        api.engine.metrics.database_error();
        tracing::error!(%method, path, error, "the database is in trouble, the caller was told so");
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::StatusCode, routing::get};
    use tower::ServiceExt;

    use super::*;
    use crate::{
        channels::{self, Channels},
        clock::Clock,
        engine,
        store::{self, Store},
    };

    async fn defect() {
        panic!("a defect");
    }

    #[tokio::test]
    async fn a_defect_in_a_handler_is_answered_and_takes_nobody_along() {
        let options = store::Options {
            url: "sqlite::memory:".to_owned(),
            max_connections: 1,
            acquire_timeout: Duration::from_secs(10),
        };
        let store = Store::connect(&options).await.unwrap();
        let channels = Channels::open(&channels::Config::default()).unwrap();
        let engine = Engine::new(store, Clock::System, channels, engine::Options::default());
        let api = Arc::new(Shared {
            engine,
            keys: auth::Keys::new(&[]),
            roesc: Roesc::default(),
            callbacks: None,
            migrated: AtomicBool::new(false),
        });
        let routes = Router::new().route("/defect", get(defect));
        let app = frame(routes, &api).with_state(api);
        for _ in 0..2 {
            let request = Request::get("/defect").body(Body::empty()).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(response.headers()["content-type"], problem::CONTENT_TYPE);
        }
    }
}
