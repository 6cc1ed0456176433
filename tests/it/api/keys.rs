//! Who may come in.

use reqwest::Method;
use secrecy::SecretString;

use super::{Answer, Server, document};

async fn locked() -> Server {
    let keys = ["first key", "second"].map(SecretString::from);
    Server::start_with(|state| state.api_keys = keys.to_vec()).await
}

#[tokio::test]
async fn every_route_but_callbacks_needs_a_key() {
    let server = locked().await;
    let document = Answer::of(server.request(Method::GET, "/openapi.json").bearer_auth("second"))
        .await
        .ok(200);
    let routes = document::routes(&document);
    for (method, path) in routes.iter().chain([&(Method::GET, "/nowhere".to_owned())]) {
        let path = &path.replace("{version}", "1").replace(['{', '}'], "");
        let bare = Answer::of(server.request(method.clone(), path)).await;
        if path.starts_with("/callbacks/") {
            assert_ne!(bare.status, 401, "{method} {path}");
            continue;
        }
        let problem = bare.problem(401, "unauthorized");
        assert_eq!(problem["detail"], "expected `Authorization: Bearer <key>`", "{path}");
        assert_eq!(bare.header("www-authenticate"), "Bearer realm=\"rungs\"");
        let wrong = Answer::of(server.request(method.clone(), path).bearer_auth("third")).await;
        wrong.problem(401, "unauthorized");
        let right = Answer::of(server.request(method.clone(), path).bearer_auth("first key")).await;
        assert_ne!(right.status, 401, "{method} {path}");
    }
}

#[tokio::test]
async fn only_a_whole_key_under_the_right_scheme_opens() {
    let server = locked().await;
    for (shown, status) in [
        ("Bearer second", 200),
        ("bearer  second ", 200),
        ("Bearer secon", 401),
        ("Bearer second2", 401),
        ("Bearer SECOND", 401),
        ("Bearer ", 401),
        ("Bearer", 401),
        ("Basic second", 401),
        ("second", 401),
        ("", 401),
    ] {
        let request = server.request(Method::GET, "/healthz").header("authorization", shown);
        assert_eq!(Answer::of(request).await.status, status, "{shown:?}");
    }
    server.get("/healthz?key=second").await.problem(401, "unauthorized");
}

#[tokio::test]
async fn without_keys_nobody_is_asked_for_one() {
    let server = Server::start().await;
    server.get("/v1/processes").await.ok(200);
    let request = server.request(Method::GET, "/v1/processes").bearer_auth("whatever");
    Answer::of(request).await.ok(200);
}

#[tokio::test]
async fn without_keys_pages_of_other_sites_are_kept_out() {
    let server = Server::start().await;
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let request = server.request(Method::POST, "/v1/processes/p/stop").header("origin", origin);
        Answer::of(request).await.problem(403, "foreign-origin");
    }
    let own = server.url.trim_end_matches('/');
    let request = server.request(Method::GET, "/v1/processes").header("origin", own);
    Answer::of(request).await.ok(200);
}
