//! `Webhook`: send an HTTP request to a server.

use chrono_tz::Tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::notify::{self, Composed};
use crate::{
    AltNext, AnsweredBy, DeliveryStatus, Explained, Failure, Outcome, Problem, Runner, Stay, Visit,
    data,
    prepare::{is_looked_up, literal},
    quote::quoted,
    template::is_template,
};

/// Sends an HTTP request, and keeps what is answered.
///
/// ```yaml
/// - id: hook
///   run: Webhook
///   config:
///     url: "https://hooks.example.com/orders/{{url order.id}}"   # one part, whatever is in it
///     method: POST                         # GET | POST (default) | PUT | PATCH | DELETE
///     headers: { X-Restaurant: "{{restaurant.id}}" }
///     body:                                # a mapping or a list is sent as JSON, a text as it is
///       order: { type: get, value: order } # any value, with its type
///       waiting: true
///     await: answered                      # sent (default): any 2xx is enough
///   altNext: ring                          # refused, failed, or no JSON in the answer
/// ```
///
/// With `await: answered` the answer is read: its JSON is `steps.hook.answer`, its status
/// `steps.hook.httpStatus`. Answers of 408, 429 and 5xx are tried again, as `retry` says, under
/// the same `Idempotency-Key`. Which servers are reached, and with what secrets, is the
/// operator's: `[webhook]` in `rungs.toml`.
#[derive(JsonSchema)]
pub struct Webhook;

/// What the `webhook` channel is asked to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where.
    pub url: String,
    /// Headers, by name.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub headers: Map<String, Value>,
    /// A text is sent as it is, `null` is no body, and all else is JSON.
    #[serde(skip_serializing_if = "Value::is_null", default)]
    pub body: Value,
    /// Whether its answer is to be read.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub answer: bool,
}

/// A method of HTTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Looks something up; has no body.
    Get,
    /// Tells something.
    #[default]
    Post,
    /// Puts something in a place.
    Put,
    /// Changes something.
    Patch,
    /// Removes something.
    Delete,
}

impl Method {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// The config of `Webhook`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// An address that begins with `https://` or `http://`.
    url: String,
    /// The method.
    #[serde(default)]
    method: Method,
    /// Headers, by name. Secrets have their place in `rungs.toml`.
    #[serde(default)]
    #[schemars(schema_with = "headers_schema")]
    headers: Map<String, Value>,
    /// A mapping or a list is sent as JSON, a text as it is. `{ type: get, value: PATH }`
    /// stands for the value at a path.
    #[serde(default)]
    #[schemars(schema_with = "body_schema")]
    body: Value,
    /// What the step waits for.
    #[serde(default)]
    r#await: Await,
}

/// What a `Webhook` step waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Await {
    /// The server took the request, with a status of 2xx.
    #[default]
    Sent,
    /// Its answer: JSON, which is kept.
    Answered,
}

fn headers_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] } })
}

fn body_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "object", "array"] })
}

/// The longest address, in bytes.
const LONGEST_URL: usize = 8 * 1024;
/// The most headers, and bytes in their values.
const MOST_HEADERS: usize = 50;
const LONGEST_HEADERS: usize = 16 * 1024;
/// What Rungs or the connection says itself.
const OWN_HEADERS: [&str; 9] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "idempotency-key",
    "rungs-signature",
    "rungs-timestamp",
];
/// What is a secret, if it stands in a sequence.
const SECRET_HEADERS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

impl Runner for Webhook {
    const NAME: &'static str = "Webhook";
    const ALT_NEXT: AltNext = AltNext::Optional;
    const DELIVERS: bool = true;
    const DISTURBS: bool = false;
    const ANSWERED_BY: AnsweredBy = AnsweredBy::Server;
    const TYPED: &'static [&'static str] = &["body"];
    type Config = Config;

    fn rests(_: Option<&Config>) -> bool {
        true
    }

    /// Its answer comes with the attempt: no provider can fall silent.
    fn stay(_: Option<&Config>, _: Option<Tz>) -> Stay {
        Stay::request("webhook")
    }

    fn check(config: &Config) -> Vec<Problem> {
        let Config { url, method, headers, body, .. } = config;
        let mut problems = Vec::new();
        if !is_template(url)
            && let Err(wrong) = check_url(url)
        {
            let message = format!("{} is no address to send to: {wrong}", quoted(url));
            problems.push(
                Problem::at("/url", message).help("such as `https://hooks.example.com/orders`"),
            );
        }
        for (name, value) in headers {
            problems.extend(check_header(name, value));
        }
        // What templates make of it is seen when they are rendered.
        let texts = headers.values().filter_map(header_text).filter(|it| !is_template(it));
        if let Some(wrong) = too_much(headers.len(), texts.map(|text| text.len()).sum()) {
            problems.push(Problem::at("/headers", wrong));
        }
        if *method == Method::Get && !body.is_null() {
            let problem = Problem::at("/body", "a request with the method GET has no body");
            problems.push(problem.help("leave it out, or say `method: POST`"));
        }
        if !is_looked_up(body) {
            let wrong = data::check_size(literal(body)).err();
            problems.extend(wrong.map(|reason| Problem::at("/body", reason)));
        }
        problems
    }

    fn explain(config: &Config, _: &Visit<'_>) -> Result<Explained, Failure> {
        let awaits = match config.r#await {
            Await::Sent => "to be taken by its server",
            Await::Answered => "to be answered",
        };
        Ok(Explained { awaits: Some(awaits), ..Explained::default() })
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let awaited = match config.r#await {
            Await::Sent => DeliveryStatus::Sent,
            Await::Answered => DeliveryStatus::Completed,
        };
        let outcome =
            notify::follow(visit, awaited, || Composed::new("webhook", &config.request()?));
        let answer = visit.delivery.and_then(|delivery| delivery.answer.as_ref());
        let message = answer.and_then(|answer| answer.message.clone());
        match (outcome.action, message) {
            (crate::Action::Next, Some(message)) => Ok(Outcome::next(message)),
            _ => Ok(outcome),
        }
    }
}

/// Reads an address, and says why nothing can be sent there.
///
/// # Errors
/// In a few words.
pub fn check_url(text: &str) -> Result<Url, &'static str> {
    if text.len() > LONGEST_URL {
        return Err("it is longer than 8192 bytes");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("it has spaces or control characters");
    }
    let url = Url::parse(text).map_err(|_| "it cannot be read")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it does not begin with https:// or http://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it has a user's name or a password, which belong into `rungs.toml`");
    }
    if url.host().is_none() {
        return Err("it names no host");
    }
    Ok(url)
}

fn check_header(name: &str, value: &Value) -> Option<Problem> {
    let at = |wrong: String| Some(Problem::at(format!("/headers/{name}"), wrong));
    if let Some(wrong) = wrong_name(name) {
        return at(format!("{} {wrong}", quoted(name)));
    }
    let text = header_text(value)?;
    if is_template(&text) {
        return None;
    }
    if let Some(wrong) = wrong_value(&text) {
        return at(format!("the value of {} {wrong}", quoted(name)));
    }
    if SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        let message = format!("{} is a secret, and a sequence is no place for one", quoted(name));
        let help =
            "the operator gives it in rungs.toml: [webhook.hosts.\"HOST\"] headers = { ... }";
        return at(message).map(|problem| problem.help(help));
    }
    None
}

/// Why a text can be the name of no header of a request.
fn wrong_name(name: &str) -> Option<&'static str> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || name.len() > 100 || !name.chars().all(is_token) {
        return Some("is no name of a header");
    }
    let is_own = OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str());
    is_own.then_some("is a header that Rungs gives itself")
}

/// Why a text can be the value of no header: one that breaks the line would be two headers.
fn wrong_value(value: &str) -> Option<&'static str> {
    value.chars().any(|c| c.is_control() && c != '\t').then_some("has control characters")
}

/// Why so many headers, or so many bytes in them, are too much.
fn too_much(headers: usize, bytes: usize) -> Option<String> {
    (headers > MOST_HEADERS || bytes > LONGEST_HEADERS)
        .then(|| format!("more than {MOST_HEADERS} headers, or {LONGEST_HEADERS} bytes in them"))
}

/// A header's value as it is sent.
pub fn header_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

impl Config {
    fn request(&self) -> Result<Request, String> {
        let Self { url, method, headers, body, r#await } = self;
        check_url(url).map_err(|wrong| format!("the url {}: {wrong}", quoted(url)))?;
        let mut bytes = 0;
        for (name, value) in headers {
            let text = header_text(value)
                .ok_or_else(|| format!("the header {} is no text", quoted(name)))?;
            if let Some(wrong) = wrong_name(name) {
                return Err(format!("the header {} {wrong}", quoted(name)));
            }
            if let Some(wrong) = wrong_value(&text) {
                return Err(format!("the value of the header {} {wrong}", quoted(name)));
            }
            bytes += text.len();
        }
        if let Some(wrong) = too_much(headers.len(), bytes) {
            return Err(wrong);
        }
        data::check_size(body).map_err(|reason| format!("the body: {reason}"))?;
        if *method == Method::Get && !body.is_null() {
            return Err("a request with the method GET has no body".to_owned());
        }
        Ok(Request {
            method: *method,
            url: url.clone(),
            headers: headers.clone(),
            body: body.clone(),
            answer: *r#await == Await::Answered,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        Answer,
        builtin::trial::{Trial, problems},
    };

    const URL: &str = "https://hooks.example.com/orders";

    fn trial() -> Trial {
        Trial::at("2026-05-04T10:00").data(json!({
            "order": { "id": 7, "count": 2 },
            "evil": "a\r\nX-Admin: 1",
            "file": "file:///etc/passwd",
            "long": "x".repeat(data::MOST),
        }))
    }

    #[test]
    fn a_request_has_what_the_author_wrote_with_its_types() {
        let config = json!({
            "url": "https://hooks.example.com/orders/{{order.id}}",
            "method": "PUT",
            "headers": { "X-Order": "{{order.id}}", "X-Version": 2 },
            "body": { "order": { "type": "get", "value": "order" }, "id": "{{order.id}}" },
            "await": "answered",
        });
        let delivery = trial().visit::<Webhook>(&config).unwrap().deliver.unwrap();
        assert_eq!(delivery.channel, "webhook");
        let expected = json!({
            "method": "PUT",
            "url": "https://hooks.example.com/orders/7",
            "headers": { "X-Order": "7", "X-Version": 2 },
            "body": { "order": { "id": 7, "count": 2 }, "id": "7" },
            "answer": true,
        });
        assert_eq!(delivery.request, expected);
        let least = trial().visit::<Webhook>(&json!({ "url": URL })).unwrap().deliver.unwrap();
        assert_eq!(least.request, json!({ "method": "POST", "url": URL }));
    }

    #[test]
    fn it_goes_on_once_what_it_awaits_came() {
        let sent = trial().delivery(DeliveryStatus::Sent, None);
        let visit = |trial: &Trial, awaited: &str| {
            trial.visit::<Webhook>(&json!({ "url": URL, "await": awaited })).unwrap()
        };
        assert_eq!(visit(&sent, "sent"), Outcome::next("sent"));
        assert_eq!(visit(&sent, "answered").action, crate::Action::Noop);
        let answer = Answer::keeping(Map::new(), Some("HTTP 200 OK".into()));
        assert_eq!(visit(&trial().answered(answer), "answered"), Outcome::next("HTTP 200 OK"));
        let refused = trial().delivery(DeliveryStatus::Failed, Some("HTTP 404 Not Found"));
        let outcome = visit(&refused, "sent");
        assert_eq!(outcome, Outcome::undelivered("failed: HTTP 404 Not Found"));
    }

    #[test]
    fn what_data_make_impossible_does_not_stop_the_ladder() {
        for (config, reason) in [
            (json!({ "url": "{{file}}" }), "does not begin with https://"),
            (json!({ "url": "{{nobody}}" }), "cannot be read"),
            (json!({ "url": "https://a.example/{{evil}}" }), "control characters"),
            (json!({ "url": URL, "headers": { "X-A": "{{evil}}" } }), "control characters"),
            (json!({ "url": URL, "body": "{{long}}" }), "more than 262144 bytes"),
        ] {
            let outcome = trial().visit::<Webhook>(&config).unwrap();
            assert!(outcome.deliver.is_none());
            assert!(outcome.failed.is_some_and(|told| told.contains(reason)), "{config}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        for (more, pointer) in [
            (json!({ "url": "hooks.example.com" }), "/url"),
            (json!({ "url": "ftp://hooks.example.com" }), "/url"),
            (json!({ "url": "https://ana:hush@hooks.example.com" }), "/url"),
            (json!({ "url": "https://" }), "/url"),
            (json!({ "method": "SEND" }), "/method"),
            (json!({ "method": "GET", "body": {} }), "/body"),
            (json!({ "body": 7 }), "/body"),
            (json!({ "headers": { "X A": "1" } }), "/headers/X A"),
            (json!({ "headers": { "X-A": "1\r\nX-B: 2" } }), "/headers/X-A"),
            (json!({ "headers": { "X-A": ["1"] } }), "/headers/X-A"),
            (json!({ "headers": { "Content-Length": "1" } }), "/headers/Content-Length"),
            (json!({ "headers": { "authorization": "Bearer hush" } }), "/headers/authorization"),
            (json!({ "headers": { "X-A": "x".repeat(20_000) } }), "/headers"),
            (
                json!({ "headers": (0..51).map(|n| (format!("X-{n}"), json!(n))).collect::<Map<_, _>>() }),
                "/headers",
            ),
            (json!({ "await": "delivered" }), "/await"),
        ] {
            let mut config = json!({ "url": URL });
            config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let found = problems::<Webhook>(&config);
            assert_eq!(found.len(), 1, "{config}: {found:?}");
            assert_eq!(found[0].pointer, pointer, "{config}");
        }
        let fine = json!({ "url": "{{url}}", "method": "{{method}}", "headers": { "Authorization": "Bearer {{token}}" } });
        assert_eq!(problems::<Webhook>(&fine), []);
    }
}
