//! What the documentation demands of a request, and how Twilio refuses.

use std::collections::HashMap;

use axum::{
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use url::Url;

use super::{ACCOUNT, TOKEN, field};

type Form = [(String, String)];

/// What a call may be made with.
const CALL: &[&str] = &[
    "To",
    "From",
    "Url",
    "Twiml",
    "Timeout",
    "MachineDetection",
    "AsyncAmd",
    "AsyncAmdStatusCallback",
    "AsyncAmdStatusCallbackMethod",
    "StatusCallback",
    "StatusCallbackMethod",
    "StatusCallbackEvent",
];

/// What a message may be made with.
const MESSAGE: &[&str] = &["To", "From", "MessagingServiceSid", "Body", "StatusCallback"];

/// A refusal in Twilio's words.
pub struct Refusal {
    /// Of HTTP.
    pub status: u16,
    /// Twilio's own.
    pub code: u32,
    /// What is wrong.
    pub message: String,
}

impl Refusal {
    pub fn new(status: u16, code: u32, message: &str) -> Self {
        Self { status, code, message: message.to_owned() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": self.status,
        });
        (StatusCode::from_u16(self.status).expect("a status"), axum::Json(body)).into_response()
    }
}

fn bad(code: u32, message: &str) -> Result<(), Refusal> {
    Err(Refusal::new(400, code, message))
}

/// Basic authentication as the account whose resource it is.
pub fn authenticate(account: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    let expected = format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{TOKEN}")));
    if headers.get("authorization").is_none_or(|given| given != expected.as_str()) {
        return Err(Refusal::new(401, 20003, "Authenticate"));
    }
    if account != ACCOUNT {
        return Err(Refusal::new(404, 20404, "The requested resource was not found"));
    }
    Ok(())
}

/// A request that makes something.
pub fn check(path: &str, headers: &HeaderMap, form: &Form) -> Result<(), Refusal> {
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok());
    if content_type != Some("application/x-www-form-urlencoded") {
        return bad(20001, "expected application/x-www-form-urlencoded");
    }
    let known = match path {
        "Calls.json" => CALL,
        "Messages.json" => MESSAGE,
        _ => return Err(Refusal::new(404, 20404, "The requested resource was not found")),
    };
    // Twilio ignores what it does not know; here it would hide a typing error.
    for (name, _) in form {
        let count = form.iter().filter(|(other, _)| other == name).count();
        if !known.contains(&name.as_str()) || (count > 1 && name != "StatusCallbackEvent") {
            return bad(20001, &format!("{name} is unknown, or there {count} times"));
        }
    }
    match field(form, "To") {
        None | Some("") => return bad(21201, "No 'To' number is specified"),
        Some(to) if !is_callable(to) => {
            return bad(21211, &format!("The 'To' number {to} is not a valid phone number."));
        }
        Some(_) => {}
    }
    callback(form, "StatusCallback")?;
    if path == "Calls.json" { call(form) } else { message(form) }
}

/// A request that lists something. Gives how many are wanted at most.
pub fn check_list(path: &str, query: &HashMap<String, String>) -> Result<usize, Refusal> {
    if !["Calls.json", "Messages.json"].contains(&path) {
        return Err(Refusal::new(404, 20404, "The requested resource was not found"));
    }
    if let Some(name) =
        query.keys().find(|name| !["To", "From", "PageSize"].contains(&name.as_str()))
    {
        return Err(Refusal::new(400, 20001, &format!("{name} is no filter that is known here")));
    }
    let size = query.get("PageSize").map_or(Ok(50), |size| size.parse());
    match size {
        Ok(size @ 1..=1000) => Ok(size),
        _ => Err(Refusal::new(400, 20006, "Page size must be between 1 and 1000")),
    }
}

fn call(form: &Form) -> Result<(), Refusal> {
    let one_of = |name, values: &[&str]| match field(form, name) {
        Some(value) if !values.contains(&value) => bad(20001, &format!("Invalid {name}: {value}")),
        _ => Ok(()),
    };
    if field(form, "From").is_none_or(|from| !is_callable(from)) {
        return bad(21212, "The 'From' number is not a valid phone number");
    }
    match (field(form, "Url"), field(form, "Twiml")) {
        (Some(url), None) if is_absolute(url) => {}
        (Some(_), None) => return bad(21205, "Url is not a valid URL"),
        (None, Some(twiml)) => document(twiml)?,
        _ => return bad(21205, "Exactly one of Url and Twiml is required"),
    }
    let timeout = field(form, "Timeout").map(str::parse::<u32>);
    if timeout.is_some_and(|timeout| !matches!(timeout, Ok(1..=600))) {
        return bad(20001, "Timeout must be between 1 and 600");
    }
    one_of("MachineDetection", &["Enable", "DetectMessageEnd"])?;
    one_of("AsyncAmd", &["true", "false"])?;
    one_of("AsyncAmdStatusCallbackMethod", &["POST", "GET"])?;
    one_of("StatusCallbackMethod", &["POST", "GET"])?;
    callback(form, "AsyncAmdStatusCallback")?;
    let events = form.iter().filter(|(name, _)| name == "StatusCallbackEvent");
    for (_, event) in events {
        if !["initiated", "ringing", "answered", "completed"].contains(&event.as_str()) {
            return bad(21626, &format!("Invalid StatusCallbackEvent: {event}"));
        }
    }
    Ok(())
}

fn message(form: &Form) -> Result<(), Refusal> {
    match (field(form, "From"), field(form, "MessagingServiceSid")) {
        (Some(from), None) if is_callable(from) || is_sender_name(from) => {}
        (None, Some(sid)) if sid.len() == 34 && sid.starts_with("MG") => {}
        (Some(_), None) => return bad(21212, "Invalid 'From' Phone Number"),
        _ => return bad(21603, "A 'From' phone number is required"),
    }
    match field(form, "Body").map(|body| body.chars().count()) {
        None | Some(0) => bad(21602, "Message body is required."),
        Some(1..=1600) => Ok(()),
        Some(_) => bad(21617, "The concatenated message body exceeds the 1600 character limit"),
    }
}

/// TwiML: XML with a `Response` of verbs; a `Say` with something to say.
fn document(twiml: &str) -> Result<(), Refusal> {
    if twiml.chars().count() > 4000 {
        return bad(21241, "Twiml exceeds 4000 characters");
    }
    let Ok(document) = roxmltree::Document::parse(twiml) else {
        return bad(12100, "Document parse failure");
    };
    let root = document.root_element();
    let says = |node: roxmltree::Node<'_, '_>| {
        node.has_tag_name("Say") && node.text().is_some_and(|text| !text.trim().is_empty())
    };
    if !root.has_tag_name("Response") || !root.children().all(says) {
        return bad(12200, "Schema validation warning");
    }
    Ok(())
}

fn callback(form: &Form, name: &str) -> Result<(), Refusal> {
    match field(form, name) {
        Some(url) if !is_absolute(url) => {
            bad(21609, &format!("The {name} URL {url} is not a valid URL."))
        }
        _ => Ok(()),
    }
}

fn is_absolute(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// E.164, or a SIP address or client.
fn is_callable(number: &str) -> bool {
    if let Some(digits) = number.strip_prefix('+') {
        return (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit());
    }
    number.starts_with("sip:") || number.starts_with("client:")
}

/// Up to eleven letters and digits, not all of them digits.
fn is_sender_name(from: &str) -> bool {
    (1..=11).contains(&from.len())
        && from.chars().all(|char| char.is_ascii_alphanumeric() || char == ' ')
        && from.chars().any(char::is_alphabetic)
}
