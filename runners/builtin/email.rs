//! `Email`: write to somebody.

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AltNext, DeliveryStatus, Failure, Outcome, Problem, Runner, Stay, Visit, address,
    lenient::{self, OneOrMany},
    quote::quoted,
    template::is_template,
};

use super::notify::{self, Composed};

/// Writes a mail.
///
/// ```yaml
/// - id: mail-manager
///   run: Email
///   config:
///     to: ["{{restaurant.email}}", "Ana <ana@example.com>"]    # or one
///     cc: "{{restaurant.owners}}"       # one template may also give several
///     bcc: archive@example.com
///     replyTo: orders@example.com
///     from: Orders <orders@example.com> # else the channel's own sender
///     subject: "Orders are waiting at {{restaurant.name}}"
///     text: "{{order.count}} orders are waiting."
///     html: "<p><b>{{order.count}}</b> orders are waiting.</p>"
///   altNext: ring-owner                 # refused, failed
/// ```
///
/// `text`, `html` or both: then the reader's program chooses. What templates insert into
/// `html` is escaped. Entries that render to nothing are dropped, those that are no
/// address are left out and named in the history; a mail to nobody is undelivered.
#[derive(JsonSchema)]
pub struct Email;

/// What the `email` channel is asked to do.
///
/// Addresses are `ana@example.com` or `Ana <ana@example.com>`; they and the subject are
/// one line each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// The sender; `None` leaves it to the channel's configuration.
    pub from: Option<String>,
    /// Whom it is for.
    pub to: Vec<String>,
    /// Who else gets it.
    pub cc: Vec<String>,
    /// Who gets it unseen.
    pub bcc: Vec<String>,
    /// Where answers go.
    pub reply_to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: Option<String>,
    /// The body as HTML.
    pub html: Option<String>,
}

/// The config of `Email`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// The sender; else the channel's own.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    from: Option<String>,
    /// Whom it is for: an address or a list of them.
    #[schemars(schema_with = "lenient::texts_schema")]
    to: OneOrMany<String>,
    /// Who else gets it.
    #[serde(default)]
    #[schemars(schema_with = "lenient::texts_schema")]
    cc: OneOrMany<String>,
    /// Who gets it unseen.
    #[serde(default)]
    #[schemars(schema_with = "lenient::texts_schema")]
    bcc: OneOrMany<String>,
    /// Where answers go.
    #[serde(default)]
    #[schemars(schema_with = "lenient::texts_schema")]
    reply_to: OneOrMany<String>,
    /// The subject.
    #[serde(default)]
    subject: String,
    /// The body as plain text.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    text: Option<String>,
    /// The body as HTML.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    html: Option<String>,
}

const HOW: &str = "write it as ana@example.com, or Ana <ana@example.com>";

impl Runner for Email {
    const NAME: &'static str = "Email";
    const ALT_NEXT: AltNext = AltNext::Optional;
    const DELIVERS: bool = true;
    const HTML: &'static [&'static str] = &["html"];
    type Config = Config;

    fn rests(_: Option<&Config>) -> bool {
        true
    }

    fn stay(_: Option<&Config>, _: Option<Tz>) -> Stay {
        Stay::message("email", DeliveryStatus::Sent)
    }

    fn check(config: &Config) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(from) = &config.from {
            problems.extend(check_mailbox("/from", from));
        }
        if config.to.as_slice().is_empty() {
            problems.push(Problem::at("/to", "there is nobody to write to"));
        }
        for (pointer, list) in [
            ("/to", &config.to),
            ("/cc", &config.cc),
            ("/bcc", &config.bcc),
            ("/replyTo", &config.reply_to),
        ] {
            problems.extend(list.places(pointer).flat_map(|(at, text)| check_entries(&at, text)));
        }
        if config.text.is_none() && config.html.is_none() {
            problems
                .push(Problem::at("", "the mail is empty").help("write `text`, `html` or both"));
        }
        problems
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        Ok(notify::follow(visit, DeliveryStatus::Sent, || config.compose()))
    }
}

fn check_mailbox(pointer: &str, text: &str) -> Option<Problem> {
    let is_one = |text: &str| address::mailbox(text).is_some();
    notify::check_address(pointer, text, is_one, "mail address", HOW)
}

/// Checks a string of a list, which may hold several addresses itself.
fn check_entries(pointer: &str, text: &str) -> Vec<Problem> {
    if is_template(text) {
        return Vec::new();
    }
    let entries = address::split(text);
    if entries.is_empty() {
        return vec![Problem::at(pointer, "there is no mail address").help(HOW)];
    }
    entries.into_iter().filter_map(|entry| check_mailbox(pointer, entry)).collect()
}

impl Config {
    fn compose(&self) -> Result<Composed, String> {
        let mut left_out = Vec::new();
        let to = mailboxes(&self.to, &mut left_out);
        if to.is_empty() {
            return Err(match left_out.first() {
                Some(entry) => format!("{} is no mail address", quoted(entry)),
                None => "there is nobody to write to".into(),
            });
        }
        if self.text.is_none() && self.html.is_none() {
            return Err("the mail is empty".into());
        }
        let from = self.from.as_deref().map(|from| {
            address::mailbox(from)
                .ok_or_else(|| format!("the sender {} is no mail address", quoted(from)))
        });
        let mail = Mail {
            from: from.transpose()?,
            to,
            cc: mailboxes(&self.cc, &mut left_out),
            bcc: mailboxes(&self.bcc, &mut left_out),
            reply_to: mailboxes(&self.reply_to, &mut left_out),
            subject: address::one_line(&self.subject),
            text: self.text.clone(),
            html: self.html.clone(),
        };
        Ok(Composed::new("email", &mail)?.without(left_out))
    }
}

/// The addresses of a list, each once; what is none is added to `left_out`.
fn mailboxes(list: &OneOrMany<String>, left_out: &mut Vec<String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for entry in list.as_slice().iter().flat_map(|text| address::split(text)) {
        match address::mailbox(entry) {
            Some(mailbox) if found.contains(&mailbox) => {}
            Some(mailbox) => found.push(mailbox),
            None => left_out.push(entry.to_owned()),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::builtin::trial::{Trial, problems};

    fn trial() -> Trial {
        Trial::at("2026-05-04T10:00").data(json!({
            "restaurant": {
                "name": "Ana & Sons\r\nBcc: eve@example.com",
                "email": "ana@example.com",
                "owners": ["\"Šarić, Ivo\" <ivo@example.com>", "eva@example.com"],
            },
        }))
    }

    fn written(config: &Value) -> (Mail, String) {
        let outcome = trial().visit::<Email>(config).unwrap();
        let delivery = outcome.deliver.unwrap_or_else(|| panic!("{}", outcome.message));
        assert_eq!(delivery.channel, "email");
        (serde_json::from_value(delivery.request).unwrap(), outcome.message.into_owned())
    }

    #[test]
    fn the_manager_gets_a_mail_with_both_bodies() {
        let (mail, message) = written(&json!({
            "from": "Orders <orders@example.com>",
            "to": ["{{restaurant.email}}", "{{restaurant.email}}", "{{restaurant.second}}"],
            "cc": "{{restaurant.owners}}",
            "bcc": "a@example.com, b@example.com",
            "replyTo": "{{nobody}}",
            "subject": "Orders at {{restaurant.name}}",
            "text": "At {{restaurant.name}}",
            "html": "<p>{{restaurant.name}}</p>",
        }));
        let expected = Mail {
            from: Some("Orders <orders@example.com>".into()),
            to: vec!["ana@example.com".into()],
            cc: vec!["\"Šarić, Ivo\" <ivo@example.com>".into(), "eva@example.com".into()],
            bcc: vec!["a@example.com".into(), "b@example.com".into()],
            reply_to: vec![],
            subject: "Orders at Ana & Sons Bcc: eve@example.com".into(),
            text: Some("At Ana & Sons\r\nBcc: eve@example.com".into()),
            html: Some("<p>Ana &amp; Sons\r\nBcc: eve@example.com</p>".into()),
        };
        assert_eq!(mail, expected);
        assert_eq!(message, "written, to be sent");
    }

    #[test]
    fn one_wrong_address_does_not_keep_the_mail_from_the_others() {
        let (mail, message) = written(&json!({
            "to": ["{{restaurant.name}}", "{{restaurant.email}}"], "text": "Hi",
        }));
        assert_eq!(mail.to, ["ana@example.com"]);
        assert!(message.contains(r#"left out "Ana & Sons\r\nBcc: eve@example.com""#), "{message}");
    }

    #[test]
    fn a_mail_that_cannot_be_written_does_not_stop_the_ladder() {
        for (config, reason) in [
            (json!({ "to": "{{nobody}}", "text": "Hi" }), "there is nobody to write to"),
            (json!({ "to": "Ana {{nobody}}", "text": "Hi" }), "\"Ana\" is no mail address"),
            (json!({ "to": "a@b.hr", "text": " {{nothing}}" }), "the mail is empty"),
            (
                json!({ "to": "a@b.hr", "from": "Me {{nobody}}", "text": "Hi" }),
                "the sender \"Me \" is no mail address",
            ),
        ] {
            let outcome = trial().visit::<Email>(&config);
            assert_eq!(outcome, Ok(Outcome::undelivered(reason)), "{config}");
        }
    }

    #[test]
    fn a_copy_alone_reaches_nobody() {
        let outcome = trial().visit::<Email>(&json!({
            "to": "{{nobody}}", "bcc": "archive@example.com", "text": "Hi",
        }));
        assert_eq!(outcome, Ok(Outcome::undelivered("there is nobody to write to")));
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        for (config, pointer) in [
            (json!({ "to": "ana", "text": "Hi" }), "/to"),
            (json!({ "to": ["a@b.hr", "ana"], "text": "Hi" }), "/to/1"),
            (json!({ "to": [], "text": "Hi" }), "/to"),
            (json!({ "to": "", "text": "Hi" }), "/to"),
            (json!({ "to": "a@b.hr", "cc": ["c d"], "text": "Hi" }), "/cc/0"),
            (json!({ "to": "a@b.hr", "bcc": "a@b.hr, x", "text": "Hi" }), "/bcc"),
            (json!({ "to": "a@b.hr", "replyTo": "x", "text": "Hi" }), "/replyTo"),
            (json!({ "to": "a@b.hr", "from": "a@b.hr, c@d.hr", "text": "Hi" }), "/from"),
            (json!({ "to": "a@b.hr", "subject": "Hi" }), ""),
            (json!({ "to": "a@b.hr", "body": "Hi", "text": "Hi" }), ""),
            (json!({ "to": [5], "text": "Hi" }), "/to/0"),
        ] {
            let found = problems::<Email>(&config);
            assert_eq!(found.len(), 1, "{config}: {found:?}");
            assert_eq!(found[0].pointer, pointer, "{config}");
        }
        let fine = json!({ "to": "Ana <{{mail}}>", "from": "{{from}}", "html": "{{body}}" });
        assert_eq!(problems::<Email>(&fine), []);
    }
}
