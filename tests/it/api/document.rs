//! The API's description of itself.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::Value;

use super::Server;

/// Every route of a description.
pub(super) fn routes(document: &Value) -> Vec<(Method, String)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let methods: Vec<&String> = item.as_object().unwrap().keys().collect();
        methods
            .into_iter()
            .map(|method| (method.to_uppercase().parse().unwrap(), path.clone()))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[tokio::test]
async fn every_route_is_described_in_openapi_3_1() {
    let document = Server::start().await.get("/openapi.json").await.ok(200);
    assert_eq!(document["openapi"], "3.1.0");
    let routes: HashSet<String> =
        routes(&document).iter().map(|(method, path)| format!("{method} {path}")).collect();
    let expected = [
        "GET /v1/sequences",
        "PUT /v1/sequences/{name}",
        "GET /v1/sequences/{name}",
        "GET /v1/sequences/{name}/versions/{version}",
        "POST /v1/processes",
        "GET /v1/processes",
        "POST /v1/processes/batch",
        "GET /v1/processes/{process_id}",
        "GET /v1/processes/{process_id}/history",
        "GET /v1/processes/{process_id}/deliveries",
        "GET /v1/processes/{process_id}/explain",
        "POST /v1/processes/{process_id}/events",
        "POST /v1/processes/{process_id}/stop",
        "POST /v1/processes/{process_id}/pause",
        "POST /v1/processes/{process_id}/resume",
        "GET /v1/caller-ids",
        "PUT /v1/caller-ids",
        "DELETE /v1/caller-ids",
        "POST /v1/requests",
        "POST /callbacks/twilio/calls/{delivery}",
        "POST /callbacks/twilio/messages/{delivery}",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /openapi.json",
    ];
    assert_eq!(routes, expected.map(str::to_owned).into());
}

#[tokio::test]
async fn every_operation_has_its_own_name_its_parameters_and_its_problems() {
    let document = Server::start().await.get("/openapi.json").await.ok(200);
    let mut names = HashSet::new();
    for (method, path) in routes(&document) {
        let operation = &document["paths"][&path][method.as_str().to_lowercase()];
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name} is there twice");
        assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{name}");
        let in_path: Vec<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let no_parameters = Vec::new();
        let declared: Vec<&str> = operation["parameters"]
            .as_array()
            .unwrap_or(&no_parameters)
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(declared, in_path, "{name}");
        let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
        assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem", "{name}");
        let is_callback = path.starts_with("/callbacks/");
        assert_eq!(operation["security"] == serde_json::json!([]), is_callback, "{name}");
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let document = Server::start().await.get("/openapi.json").await.ok(200);
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20, "{references:?}");
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let kinds = document["components"]["schemas"]["Kind"]["enum"].as_array().unwrap();
    assert!(kinds.contains(&"/problems/unknown-sequence".into()), "{kinds:?}");
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if key == "$ref" => references.push(text.clone()),
                    value => collect(value, references),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}
