//! What may happen to a call or a message, and the callbacks that tell of it.

use rungs::channels::twilio::signature;

use super::{ACCOUNT, Resource, TOKEN};

/// What happens to a call or a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A person picks up, and listens to the end.
    Answered,
    /// A person picks up, and is still listening.
    PickedUp,
    /// An answering machine picks up.
    Machine,
    /// Something picks up that could be either.
    Unclear,
    /// The line is busy.
    Busy,
    /// It rings until the time is over.
    NoAnswer,
    /// The callee declines.
    Declined,
    /// There is no such number.
    NoSuchNumber,
    /// The message arrives.
    Delivered,
    /// The message is sent, and does not arrive.
    Undelivered,
    /// The message cannot be sent.
    Unsent,
}

impl Fate {
    /// Whether this is what happens to calls, rather than to messages.
    pub fn befalls_calls(self) -> bool {
        !matches!(self, Self::Delivered | Self::Undelivered | Self::Unsent)
    }
}

/// A callback that is ready to be made.
#[derive(Debug, Clone)]
pub struct Callback {
    /// Where to.
    pub url: String,
    /// What it says.
    pub form: Vec<(String, String)>,
    /// Its `X-Twilio-Signature`.
    pub signature: String,
}

impl Callback {
    fn new(url: &str, fields: &[(&str, &str)]) -> Self {
        let form: Vec<(String, String)> =
            fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let signature = signature::sign(TOKEN, url, &form);
        Self { url: url.to_owned(), form, signature }
    }
}

/// `fate` happens: the resource ends up in its last state, and the callbacks that it
/// asked for tell how.
pub fn befall(made: &mut Resource, fate: Fate) -> Vec<Callback> {
    let ended = |status, sip| {
        vec![Part::Call("initiated", ""), Part::Call("ringing", ""), Part::Call(status, sip)]
    };
    let picked_up = |by| {
        let mut parts = ended("in-progress", "");
        parts.push(Part::AnsweredBy(by));
        parts
    };
    let parts = match fate {
        Fate::PickedUp => picked_up("human"),
        Fate::Answered => [picked_up("human"), vec![Part::Call("completed", "200")]].concat(),
        Fate::Machine => {
            [picked_up("machine_start"), vec![Part::Call("completed", "200")]].concat()
        }
        Fate::Unclear => [picked_up("unknown"), vec![Part::Call("completed", "200")]].concat(),
        Fate::Busy => ended("busy", "486"),
        Fate::NoAnswer => ended("no-answer", "487"),
        Fate::Declined => ended("busy", "603"),
        Fate::NoSuchNumber => ended("failed", "404"),
        Fate::Delivered => vec![Part::Message("sent", None), Part::Message("delivered", None)],
        Fate::Undelivered => {
            vec![Part::Message("sent", None), Part::Message("undelivered", Some(30003))]
        }
        Fate::Unsent => vec![Part::Message("failed", Some(30008))],
    };
    parts.into_iter().filter_map(|part| part.happens(made)).collect()
}

/// One part of a fate.
#[derive(Clone, Copy)]
enum Part {
    /// A call's status, and SIP's code for it if it is the last.
    Call(&'static str, &'static str),
    /// It is known who answered.
    AnsweredBy(&'static str),
    /// A message's status, and Twilio's code for what went wrong.
    Message(&'static str, Option<u32>),
}

impl Part {
    /// Happens, and gives the callback for it if one was asked for.
    fn happens(self, made: &mut Resource) -> Option<Callback> {
        match self {
            Self::Call(status, sip) => {
                assert!(made.is_call(), "{} is no call", made.sid);
                made.status = status;
                progress(made, sip)
            }
            Self::AnsweredBy(by) => {
                made.field("MachineDetection")?;
                made.answered_by = Some(by);
                detection(made, by)
            }
            Self::Message(status, code) => {
                assert!(!made.is_call(), "{} is no message", made.sid);
                made.status = status;
                made.error_code = code;
                receipt(made)
            }
        }
    }
}

/// The callback about a call's progress, if its event was asked for.
fn progress(made: &mut Resource, sip: &str) -> Option<Callback> {
    let event = match made.status {
        "initiated" | "ringing" => made.status,
        "in-progress" => "answered",
        _ => "completed",
    };
    let asked = |(name, value): &(String, String)| name == "StatusCallbackEvent" && value == event;
    let by_default = event == "completed";
    if !made.form.iter().any(asked) && !by_default {
        return None;
    }
    let sequence = made.sequence.to_string();
    made.sequence += 1;
    let mut fields = vec![
        ("AccountSid", ACCOUNT),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", &made.sid),
        ("CallStatus", made.status),
        ("CallbackSource", "call-progress-events"),
        ("Direction", "outbound-api"),
        ("From", made.field("From")?),
        ("SequenceNumber", &sequence),
        ("To", made.field("To")?),
    ];
    if event == "completed" {
        let duration = if made.status == "completed" { "12" } else { "0" };
        fields.extend([("CallDuration", duration), ("SipResponseCode", sip)]);
    }
    Some(Callback::new(made.field("StatusCallback")?, &fields))
}

/// The callback about who answered, if asynchronous detection was asked for.
fn detection(made: &Resource, by: &str) -> Option<Callback> {
    made.field("AsyncAmd").filter(|value| *value == "true")?;
    let fields = [
        ("AccountSid", ACCOUNT),
        ("AnsweredBy", by),
        ("CallSid", &made.sid),
        ("MachineDetectionDuration", "2400"),
    ];
    Some(Callback::new(made.field("AsyncAmdStatusCallback")?, &fields))
}

/// The callback about a message.
fn receipt(made: &Resource) -> Option<Callback> {
    let code = made.error_code.map(|code| code.to_string());
    let mut fields = vec![
        ("AccountSid", ACCOUNT),
        ("ApiVersion", "2010-04-01"),
        ("MessageSid", &made.sid),
        ("MessageStatus", made.status),
        ("SmsSid", &made.sid),
        ("SmsStatus", made.status),
        ("To", made.field("To")?),
    ];
    fields.extend(code.as_deref().map(|code| ("ErrorCode", code)));
    fields.extend(made.field("From").map(|from| ("From", from)));
    Some(Callback::new(made.field("StatusCallback")?, &fields))
}
