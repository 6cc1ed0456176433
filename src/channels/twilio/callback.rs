//! What Twilio says of calls and messages: by callback, and as a resource that is asked for.
//!
//! Promises: pure. Whatever a callback contains gives a [`Heard`] or nothing, never an
//! error: an unknown status is no news.
//! Called by: intake, with the request of the delivery that the callback's address names;
//! the channels, with answers of the API.

use rungs_runners::{DeliveryStatus, builtin::phone::Call};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{Config, signature};
use crate::channels::{Heard, Sent};

/// The form fields of a callback, in the order in which they came.
pub type Form = [(String, String)];

/// Accepts callbacks for one account.
pub struct Callbacks {
    token: SecretString,
    public: Url,
}

/// A callback that nobody who knows the auth token has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("X-Twilio-Signature is missing or does not fit the request")]
pub struct Unsigned;

impl Callbacks {
    /// Where callbacks come in; `None` without a `public_url`.
    pub fn new(config: &Config) -> Option<Self> {
        let public = config.public_url.clone()?;
        Some(Self { token: config.auth_token.clone(), public })
    }

    /// Where Twilio reports on the delivery `id`: `resource` is `Calls` or `Messages`.
    pub(super) fn address(public: &Url, resource: &str, id: &str) -> String {
        let public = public.as_str().trim_end_matches('/');
        format!("{public}/callbacks/twilio/{}/{id}", resource.to_ascii_lowercase())
    }

    /// Believes a callback or not. `path` is the request's, with its query, as it came
    /// (`/callbacks/twilio/calls/...`); the host is ours to say, not the request's.
    ///
    /// # Errors
    /// [`Unsigned`], to be answered with 403.
    pub fn verify(&self, path: &str, form: &Form, signature: Option<&str>) -> Result<(), Unsigned> {
        let url = format!("{}{path}", self.public.as_str().trim_end_matches('/'));
        let signature = signature.ok_or(Unsigned)?;
        if signature::is_valid(self.token.expose_secret(), &url, form, signature) {
            Ok(())
        } else {
            Err(Unsigned)
        }
    }
}

/// What a callback says of a call. `request` is what was sent.
pub fn call(form: &Form, request: &Value) -> Option<Heard> {
    CallNews {
        sid: field(form, "CallSid"),
        status: field(form, "CallStatus"),
        answered_by: field(form, "AnsweredBy"),
        sip: field(form, "SipResponseCode"),
        code: field(form, "ErrorCode"),
        message: field(form, "ErrorMessage"),
    }
    .heard(detects(request))
}

/// What a call's resource says of it. `request` is what was sent.
pub(super) fn call_resource(answer: &Map<String, Value>, request: &Value) -> Option<Heard> {
    let texts = Texts::of(answer);
    CallNews {
        sid: texts.get("sid"),
        status: texts.get("status"),
        answered_by: texts.get("answered_by"),
        sip: None,
        code: texts.get("error_code"),
        message: texts.get("error_message"),
    }
    .heard(detects(request))
}

/// What a callback says of a message.
pub fn message(form: &Form) -> Option<Heard> {
    message_heard(
        field(form, "MessageSid").or_else(|| field(form, "SmsSid")),
        field(form, "MessageStatus").or_else(|| field(form, "SmsStatus")),
        field(form, "ErrorCode"),
        field(form, "ErrorMessage"),
    )
}

/// What a message's resource says of it.
pub(super) fn message_resource(answer: &Map<String, Value>) -> Option<Heard> {
    let texts = Texts::of(answer);
    let text = |name| texts.get(name);
    message_heard(text("sid"), text("status"), text("error_code"), text("error_message"))
}

/// A call that is there, whatever its resource says of it.
pub(super) fn call_found(answer: &Map<String, Value>, request: &Value) -> Heard {
    call_resource(answer, request).unwrap_or_else(|| there(answer))
}

/// A message that is there, whatever its resource says of it.
pub(super) fn message_found(answer: &Map<String, Value>) -> Heard {
    message_resource(answer).unwrap_or_else(|| there(answer))
}

fn there(answer: &Map<String, Value>) -> Heard {
    let provider_id = answer.get("sid").and_then(Value::as_str).map(str::to_owned);
    Heard { provider_id, status: DeliveryStatus::Sent, error: None }
}

/// What the answer to a creation amounts to: it was taken, and what it says beyond that.
pub(super) fn sent(answer: &Map<String, Value>, heard: Option<Heard>) -> Sent {
    let provider_id = answer.get("sid").and_then(Value::as_str).map(str::to_owned);
    let further = heard.filter(|heard| heard.status != DeliveryStatus::Sent);
    let then = further.into_iter().collect();
    Sent { then, ..Sent::taken(provider_id, DeliveryStatus::Sent) }
}

/// What is said of a call, by either way.
struct CallNews<'a> {
    sid: Option<&'a str>,
    status: Option<&'a str>,
    answered_by: Option<&'a str>,
    sip: Option<&'a str>,
    code: Option<&'a str>,
    message: Option<&'a str>,
}

impl CallNews<'_> {
    /// With `detecting`, "somebody picked up" is not said before a person is known to be
    /// there: `AnsweredBy` says so, in a callback of its own that carries no `CallStatus`.
    fn heard(&self, detecting: bool) -> Option<Heard> {
        let (status, error) = match (self.answered_by, self.status) {
            (None, None) => return None,
            (None, Some(status)) => self.plain(status, detecting)?,
            (Some("human"), None) => (DeliveryStatus::Answered, None),
            (Some("human"), Some(status)) => self.plain(status, false)?,
            // An escalation that stops at a machine has failed; one that rings somebody
            // else as well has not. So a doubt counts as nobody.
            (Some("unknown"), _) => (
                DeliveryStatus::Machine,
                Some("it could not be told whether a person or a machine answered".to_owned()),
            ),
            (Some(machine), _) => (DeliveryStatus::Machine, Some(format!("answered by {machine}"))),
        };
        Some(Heard { provider_id: self.sid.map(str::to_owned), status, error })
    }

    /// A `CallStatus` that nothing more is known of.
    fn plain(&self, status: &str, detecting: bool) -> Option<(DeliveryStatus, Option<String>)> {
        let unreached = |status| {
            let status = if self.is_declined() { DeliveryStatus::Rejected } else { status };
            (status, self.trouble())
        };
        Some(match status {
            "queued" | "initiated" | "ringing" => (DeliveryStatus::Sent, None),
            "in-progress" | "answered" if detecting => (DeliveryStatus::Sent, None),
            "in-progress" | "answered" => (DeliveryStatus::Answered, None),
            // Said only of calls that were answered. While detecting, no word of who it was
            // means that the call ended before it was known, or that this provider does
            // not detect: a call that was taken either way.
            "completed" => (DeliveryStatus::Completed, None),
            "busy" => unreached(DeliveryStatus::Busy),
            "no-answer" => unreached(DeliveryStatus::NoAnswer),
            "failed" => unreached(DeliveryStatus::Failed),
            "canceled" => (DeliveryStatus::Failed, Some("cancelled at the provider".into())),
            _ => return None,
        })
    }

    /// SIP: 403 Forbidden, 603 Decline, 607 Unwanted, 608 Rejected.
    fn is_declined(&self) -> bool {
        matches!(self.sip, Some("403" | "603" | "607" | "608"))
    }

    fn trouble(&self) -> Option<String> {
        let sip = self.sip.map(|code| format!("SIP {code}"));
        let parts: Vec<String> = error(self.code, self.message).into_iter().chain(sip).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

fn message_heard(
    sid: Option<&str>,
    status: Option<&str>,
    code: Option<&str>,
    text: Option<&str>,
) -> Option<Heard> {
    let (status, error) = match status? {
        "accepted" | "scheduled" | "queued" | "sending" | "sent" => (DeliveryStatus::Sent, None),
        "delivered" | "read" => (DeliveryStatus::Delivered, None),
        "undelivered" => (DeliveryStatus::Undelivered, error(code, text)),
        "failed" => (DeliveryStatus::Failed, error(code, text)),
        "canceled" => (DeliveryStatus::Failed, Some("cancelled at the provider".into())),
        _ => return None,
    };
    Some(Heard { provider_id: sid.map(str::to_owned), status, error })
}

fn error(code: Option<&str>, text: Option<&str>) -> Option<String> {
    match (code.filter(|code| *code != "0"), text) {
        (Some(code), Some(text)) => Some(format!("code {code}: {text}")),
        (Some(code), None) => {
            Some(format!("code {code} (https://www.twilio.com/docs/errors/{code})"))
        }
        (None, Some(text)) => Some(text.to_owned()),
        (None, None) => None,
    }
}

/// Whether the call was to find out if a machine picks up.
fn detects(request: &Value) -> bool {
    Call::deserialize(request).is_ok_and(|call| call.detect_machine)
}

/// The last value wins, as it does where a form becomes a map; an empty one says nothing.
fn field<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    let value = form.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    value.filter(|value| !value.is_empty())
}

/// The fields of a resource as texts, whether they are strings or numbers.
struct Texts(Vec<(String, String)>);

impl Texts {
    fn of(answer: &Map<String, Value>) -> Self {
        let text = |(name, value): (&String, &Value)| match value {
            Value::String(text) => Some((name.clone(), text.clone())),
            Value::Number(number) => Some((name.clone(), number.to_string())),
            _ => None,
        };
        Self(answer.iter().filter_map(text).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        field(&self.0, name)
    }
}

#[cfg(test)]
mod tests {
    use rungs_runners::DeliveryStatus::{
        Answered, Busy, Completed, Delivered, Failed, Machine, NoAnswer, Rejected, Sent as Taken,
        Undelivered,
    };
    use serde_json::json;

    use super::*;

    fn form(text: &str) -> Vec<(String, String)> {
        url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
    }

    fn request(detect: bool) -> Value {
        json!({ "to": "+385911234567", "from": null, "content": { "say": { "text": "Hello",
            "voice": null, "language": null } }, "ringFor": null, "detectMachine": detect })
    }

    fn call_says(text: &str, detect: bool) -> Option<(DeliveryStatus, Option<String>)> {
        call(&form(text), &request(detect)).map(|heard| (heard.status, heard.error))
    }

    #[test]
    fn every_call_status_of_the_documentation_is_understood() {
        for (said, status) in [
            ("queued", Taken),
            ("initiated", Taken),
            ("ringing", Taken),
            ("in-progress", Answered),
            ("completed", Completed),
            ("busy", Busy),
            ("no-answer", NoAnswer),
            ("failed", Failed),
            ("canceled", Failed),
        ] {
            let heard = call(&form(&format!("CallSid=CA1&CallStatus={said}")), &request(false));
            let heard = heard.expect(said);
            assert_eq!(
                (heard.provider_id.as_deref(), heard.status),
                (Some("CA1"), status),
                "{said}"
            );
        }
    }

    #[test]
    fn while_detecting_only_a_person_counts_as_an_answer() {
        let status = |text: &str| call_says(text, true).map(|(status, _)| status);
        assert_eq!(status("CallStatus=in-progress"), Some(Taken));
        assert_eq!(status("AnsweredBy=human&MachineDetectionDuration=2400"), Some(Answered));
        assert_eq!(status("CallStatus=in-progress&AnsweredBy=human"), Some(Answered));
        assert_eq!(status("CallStatus=completed&AnsweredBy=human"), Some(Completed));
        for machine in ["machine_start", "machine_end_beep", "fax", "unknown"] {
            assert_eq!(status(&format!("AnsweredBy={machine}")), Some(Machine), "{machine}");
            let ended = format!("CallStatus=completed&AnsweredBy={machine}");
            assert_eq!(status(&ended), Some(Machine), "{machine}");
        }
        assert_eq!(status("CallStatus=no-answer"), Some(NoAnswer));
    }

    #[test]
    fn a_person_who_was_heard_of_stays_one_when_the_call_ends_without_a_word() {
        let heard = |text| call_says(text, true).expect(text).0;
        let after = Taken.after(heard("AnsweredBy=human")).after(heard("CallStatus=completed"));
        assert_eq!(after, Completed);
    }

    #[test]
    fn who_declines_has_rejected_and_the_code_is_kept() {
        let sip = |code: &str| Some(format!("SIP {code}"));
        let says = |text| call_says(text, false);
        assert_eq!(says("CallStatus=busy&SipResponseCode=603"), Some((Rejected, sip("603"))));
        assert_eq!(says("CallStatus=failed&SipResponseCode=403"), Some((Rejected, sip("403"))));
        assert_eq!(says("CallStatus=busy&SipResponseCode=486"), Some((Busy, sip("486"))));
        assert_eq!(says("CallStatus=failed&SipResponseCode=404"), Some((Failed, sip("404"))));
        assert_eq!(
            says("CallStatus=failed&ErrorCode=32005&ErrorMessage=SIP%3A%20timed%20out"),
            Some((Failed, Some("code 32005: SIP: timed out".into())))
        );
    }

    #[test]
    fn every_message_status_of_the_documentation_is_understood() {
        for (said, status) in [
            ("accepted", Taken),
            ("queued", Taken),
            ("sending", Taken),
            ("sent", Taken),
            ("delivered", Delivered),
            ("read", Delivered),
            ("undelivered", Undelivered),
            ("failed", Failed),
            ("canceled", Failed),
        ] {
            let heard =
                message(&form(&format!("MessageSid=SM1&MessageStatus={said}"))).expect(said);
            assert_eq!(
                (heard.provider_id.as_deref(), heard.status),
                (Some("SM1"), status),
                "{said}"
            );
        }
        let failed = message(&form("SmsSid=SM1&SmsStatus=undelivered&ErrorCode=30003")).unwrap();
        assert_eq!(
            failed.error.as_deref(),
            Some("code 30003 (https://www.twilio.com/docs/errors/30003)")
        );
    }

    #[test]
    fn a_callback_that_says_nothing_is_no_news() {
        for text in ["", "CallSid=CA1", "CallStatus=", "CallStatus=dreaming", "AnsweredBy="] {
            assert_eq!(call_says(text, false), None, "{text}");
            assert_eq!(message(&form(text)), None, "{text}");
        }
    }

    #[test]
    fn a_resource_says_the_same_as_a_callback() {
        let answer = json!({ "sid": "CA1", "status": "in-progress", "answered_by": null });
        let answer = answer.as_object().unwrap();
        assert_eq!(call_resource(answer, &request(false)).unwrap().status, Answered);
        assert_eq!(call_resource(answer, &request(true)).unwrap().status, Taken);
        let answer = json!({ "sid": "SM1", "status": "undelivered", "error_code": 30003,
            "error_message": "Unreachable" });
        let heard = message_resource(answer.as_object().unwrap()).unwrap();
        assert_eq!(heard.status, Undelivered);
        assert_eq!(heard.error.as_deref(), Some("code 30003: Unreachable"));
    }

    #[test]
    fn a_callback_is_believed_for_our_own_address_only() {
        let config: Config = toml::from_str(
            "account_sid = \"AC1\"\nauth_token = \"12345\"\npublic_url = \"https://r.example/in/\"",
        )
        .unwrap();
        let callbacks = Callbacks::new(&config).unwrap();
        let address = Callbacks::address(config.public_url.as_ref().unwrap(), "Calls", "d1");
        assert_eq!(address, "https://r.example/in/callbacks/twilio/calls/d1");

        let form = form("CallSid=CA1&CallStatus=completed");
        let signature = signature::sign("12345", &address, &form);
        let path = "/callbacks/twilio/calls/d1";
        assert_eq!(callbacks.verify(path, &form, Some(&signature)), Ok(()));
        assert_eq!(callbacks.verify(path, &form, None), Err(Unsigned));
        assert_eq!(
            callbacks.verify("/callbacks/twilio/calls/d2", &form, Some(&signature)),
            Err(Unsigned)
        );
    }
}
