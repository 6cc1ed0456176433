//! The console: prints what would have been sent.
//!
//! Promises: nothing leaves. What is printed cannot move the cursor or recolour the
//! terminal, whatever a template put into it.
//! Stands in for every channel that is not configured, so that a first run needs no
//! account.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    sync::Arc,
};

use async_trait::async_trait;
use rungs_runners::{
    Answer, DeliveryStatus,
    builtin::{
        email::Mail,
        phone::{Call, CallContent},
        process::{Act, CHANNEL},
        pubnub::Publication,
        sms::Sms,
        webhook::Request,
    },
    quote::turns,
    remote::Question,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Channel, Heard, Outgoing, SendError, Sent};

/// Where the console prints a block of lines, without the last line's end.
pub type Print = Arc<dyn Fn(&str) + Send + Sync>;

/// Prints on stderr. If that is closed, nobody is there to be told.
pub(super) fn stderr() -> Print {
    Arc::new(|block| drop(writeln!(io::stderr().lock(), "{block}")))
}

/// How the console behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What becomes of a printed call.
    pub calls: CallFate,
}

/// What becomes of a printed call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallFate {
    /// Nobody picks up: nobody is there to do so.
    #[default]
    NoAnswer,
    /// Somebody picks up and listens to the end.
    Answered,
    /// The line is busy.
    Busy,
    /// The callee declines.
    Rejected,
    /// An answering machine picks up.
    Machine,
    /// The call cannot be put through.
    Failed,
}

impl CallFate {
    /// In words.
    pub fn words(self) -> &'static str {
        self.story().0
    }

    /// In words, and the statuses that follow `sent`.
    fn story(self) -> (&'static str, &'static [DeliveryStatus]) {
        match self {
            Self::NoAnswer => ("nobody answers", &[DeliveryStatus::NoAnswer]),
            Self::Answered => ("answered", &[DeliveryStatus::Answered, DeliveryStatus::Completed]),
            Self::Busy => ("busy", &[DeliveryStatus::Busy]),
            Self::Rejected => ("rejected", &[DeliveryStatus::Rejected]),
            Self::Machine => ("a machine answers", &[DeliveryStatus::Machine]),
            Self::Failed => ("fails", &[DeliveryStatus::Failed]),
        }
    }
}

impl Config {
    /// What to tell the operator of a channel that is only printed.
    pub(super) fn notice(self, channel: &str) -> String {
        let more = if channel == "phone" {
            format!(" (every call: {})", self.calls.story().0)
        } else {
            String::new()
        };
        format!("{channel} is not configured: what it would send is printed here instead{more}")
    }
}

/// The console in the place of one channel.
pub struct Console {
    channel: &'static str,
    config: Config,
    print: Print,
}

impl Console {
    /// Stands in for `channel`.
    pub fn new(channel: &'static str, config: Config, print: Print) -> Self {
        Self { channel, config, print }
    }

    fn act(&self, outgoing: &Outgoing) -> Result<(String, Sent), SendError> {
        match self.channel {
            "phone" => {
                let (words, statuses) = self.config.calls.story();
                let shown = format!("{} ({words})", show_call(&outgoing.read()?));
                Ok((shown, sent(DeliveryStatus::Sent, statuses)))
            }
            "sms" => Ok((show_sms(&outgoing.read()?), sent(DeliveryStatus::Delivered, &[]))),
            "email" => Ok((show_mail(&outgoing.read()?), sent(DeliveryStatus::Sent, &[]))),
            "pubnub" => Ok((show_publication(&outgoing.read()?), sent(DeliveryStatus::Sent, &[]))),
            "webhook" => Ok(act_webhook(&outgoing.read()?)),
            _ => Ok((clean(&outgoing.request.to_string()), sent(DeliveryStatus::Sent, &[]))),
        }
    }
}

#[async_trait]
impl Channel for Console {
    fn name(&self) -> &'static str {
        "console"
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Sent, SendError> {
        let (shown, sent) = self.act(outgoing)?;
        let (process, step) = (clean(&outgoing.process_id), clean(&outgoing.step));
        (self.print)(&format!("{} [{process}, {step}] {shown}", self.channel));
        Ok(sent)
    }
}

fn sent(status: DeliveryStatus, then: &[DeliveryStatus]) -> Sent {
    let heard = |status: &DeliveryStatus| Heard { provider_id: None, status: *status, error: None };
    Sent { then: then.iter().map(heard).collect(), ..Sent::taken(None, status) }
}

/// What a request says and to whom, in words; a mail's body on lines of its own.
pub fn describe(channel: &str, request: &Value) -> String {
    let shown = match channel {
        "phone" => Call::deserialize(request).map(|call| show_call(&call)),
        "sms" => Sms::deserialize(request).map(|sms| show_sms(&sms)),
        "email" => Mail::deserialize(request).map(|mail| show_mail(&mail)),
        "pubnub" => Publication::deserialize(request).map(|it| show_publication(&it)),
        "webhook" => Request::deserialize(request).map(|it| show_webhook(&it)),
        CHANNEL => Act::deserialize(request).map(|it| show_act(&it)),
        // The history outlives a question that was asked anew.
        _ if request.is_null() => Ok(String::new()),
        // Its config, and not all the data.
        _ => Question::deserialize(request).map(|it| clean(&it.config.to_string())),
    };
    shown.unwrap_or_else(|_| clean(&request.to_string()))
}

fn show_call(call: &Call) -> String {
    let says = match &call.content {
        CallContent::Say { text, .. } => format!("\"{}\"", clean(text)),
        CallContent::Url(url) => format!("TwiML from {}", clean(url)),
    };
    format!("{}: {says}", route(call.from.as_deref(), &call.to))
}

fn show_sms(sms: &Sms) -> String {
    format!("{}: \"{}\"", route(sms.from.as_deref(), &sms.to), clean(&sms.message))
}

fn show_mail(mail: &Mail) -> String {
    let mut shown = route(mail.from.as_deref(), &mail.to.join(", "));
    for (label, addresses) in [("cc", &mail.cc), ("bcc", &mail.bcc), ("reply to", &mail.reply_to)] {
        if !addresses.is_empty() {
            let _ = write!(shown, ", {label} {}", clean(&addresses.join(", ")));
        }
    }
    let _ = write!(shown, ": \"{}\"", clean(&mail.subject));
    match (&mail.text, &mail.html) {
        (Some(body), _) | (None, Some(body)) => {
            for line in body.lines() {
                let _ = write!(shown, "\n    | {}", clean(line));
            }
        }
        (None, None) => {}
    }
    shown
}

fn show_publication(publication: &Publication) -> String {
    let Publication { channel, message, .. } = publication;
    format!("to {}: {}", clean(channel), clean(&message.to_string()))
}

/// Nobody is there to answer, so an answer is empty.
fn act_webhook(request: &Request) -> (String, Sent) {
    if !request.answer {
        return (show_webhook(request), sent(DeliveryStatus::Sent, &[]));
    }
    let kept = json!({ "httpStatus": 200, "answer": null });
    let answer = Answer::keeping(kept.as_object().cloned().unwrap_or_default(), None);
    (format!("{} (answered with nothing)", show_webhook(request)), Sent::answered(answer))
}

fn show_webhook(request: &Request) -> String {
    let shown = format!("{} {}", request.method.as_str(), clean(&request.url));
    match &request.body {
        Value::Null => shown,
        Value::String(text) => format!("{shown}: \"{}\"", clean(text)),
        json => format!("{shown}: {}", clean(&json.to_string())),
    }
}

fn show_act(act: &Act) -> String {
    match act {
        Act::Start { sequence, process_id, data } => {
            let id = process_id.as_deref().map_or(String::new(), |id| format!(" as {}", clean(id)));
            let data = Value::Object(data.clone()).to_string();
            format!("start {}{id}: {}", clean(sequence), clean(&data))
        }
        Act::Stop { process_id } => format!("stop {}", clean(process_id)),
    }
}

fn route(from: Option<&str>, to: &str) -> String {
    match from {
        Some(from) => format!("to {} from {}", clean(to), clean(from)),
        None => format!("to {}", clean(to)),
    }
}

/// `text` on one line, with control characters spelled out.
pub fn clean(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, char| {
        if char.is_control() || turns(char) {
            line.extend(char.escape_default());
        } else {
            line.push(char);
        }
        line
    })
}
