//! `SMS`: text somebody.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AltNext, DeliveryStatus, Explained, Failure, Outcome, Problem, Runner, Visit, address, lenient,
    quote::quoted, template::is_template,
};

use super::notify::{self, Composed};

/// Texts somebody.
///
/// ```yaml
/// - id: text-manager
///   run: SMS
///   config:
///     to: "{{restaurant.manager}}"
///     message: "Orders are waiting at {{restaurant.name}}."
///     from: Rungs                # a number, a sender id of up to 11 characters, or the id
///                                # of a messaging service (MG...); else the registered one
///     await: delivered           # sent (default) | delivered
///   altNext: mail-manager        # undelivered, failed
/// ```
pub struct SMS;

/// What the `sms` channel is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sms {
    /// The sender; `None` leaves it to the registry.
    pub from: Option<String>,
    /// The number to text, as the provider takes it.
    pub to: String,
    /// The words.
    pub message: String,
}

/// The config of `SMS`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// The number to text.
    to: String,
    /// The sender; else the one that is registered for `to`.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    from: Option<String>,
    /// What to write.
    message: String,
    /// What the step waits for.
    #[serde(default)]
    r#await: Await,
}

/// What an `SMS` step waits for.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Await {
    /// The provider took the message.
    #[default]
    Sent,
    /// It reached the phone.
    Delivered,
}

/// The longest message that Twilio takes, in characters.
const LONGEST: usize = 1600;

impl Runner for SMS {
    const NAME: &'static str = "SMS";
    const ALT_NEXT: AltNext = AltNext::Optional;
    const DELIVERS: bool = true;
    type Config = Config;

    fn rests(_: Option<&Config>) -> bool {
        true
    }

    fn check(config: &Config) -> Vec<Problem> {
        let is_number = |text: &str| address::phone_number(text).is_some();
        let to = notify::check_address(
            "/to",
            &config.to,
            is_number,
            "phone number",
            "write it as +385911234567, with the country code",
        );
        let from = config.from.as_ref().and_then(|from| {
            let help = "write a phone number, up to 11 letters and digits, or the id of a \
                        messaging service (MG...)";
            let is_sender = |text: &str| address::sms_sender(text).is_some();
            notify::check_address("/from", from, is_sender, "sender of a text", help)
        });
        let message = if is_template(&config.message) { None } else { config.unsendable() };
        let message = message.map(|reason| Problem::at("/message", reason));
        [to, from, message].into_iter().flatten().collect()
    }

    fn explain(config: &Config, _: &Visit<'_>) -> Result<Explained, Failure> {
        let awaits = match config.r#await {
            Await::Sent => "to be sent",
            Await::Delivered => "to reach the phone",
        };
        Ok(Explained { awaits: Some(awaits), ..Explained::default() })
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let awaited = match config.r#await {
            Await::Sent => DeliveryStatus::Sent,
            Await::Delivered => DeliveryStatus::Delivered,
        };
        Ok(notify::follow(visit, awaited, || Composed::new("sms", &config.sms()?)))
    }
}

impl Config {
    /// Why the message cannot be sent, if it cannot.
    fn unsendable(&self) -> Option<String> {
        if self.message.trim().is_empty() {
            return Some("the message is empty".into());
        }
        let length = self.message.chars().count();
        (length > LONGEST)
            .then(|| format!("the message has {length} characters; at most {LONGEST} are sent"))
    }

    fn sms(&self) -> Result<Sms, String> {
        let to = address::phone_number(&self.to)
            .ok_or_else(|| format!("{} is no phone number", quoted(&self.to)))?;
        let from = self.from.as_deref().map(|from| {
            address::sms_sender(from)
                .ok_or_else(|| format!("{} is no sender of a text", quoted(from)))
        });
        match self.unsendable() {
            Some(reason) => Err(reason),
            None => Ok(Sms { from: from.transpose()?, to, message: self.message.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::builtin::trial::{Trial, problems};

    fn trial() -> Trial {
        Trial::at("2026-05-04T10:00").data(json!({
            "manager": "+385 91 123-4567",
            "name": "Kod Ane",
            "long": "ž".repeat(1601),
        }))
    }

    #[test]
    fn the_manager_is_texted() {
        let outcome = trial().visit::<SMS>(&json!({
            "to": "{{manager}}", "from": "{{sender}}", "message": "Orders wait at {{name}} <&>.",
        }));
        let delivery = outcome.unwrap().deliver.unwrap();
        assert_eq!(delivery.channel, "sms");
        let expected = Sms {
            from: None,
            to: "+385911234567".into(),
            message: "Orders wait at Kod Ane <&>.".into(),
        };
        assert_eq!(serde_json::from_value::<Sms>(delivery.request).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_sent_does_not_stop_the_ladder() {
        for (to, from, message, reason) in [
            ("{{nobody}}", "Rungs", "Hi", "\"\" is no phone number"),
            ("{{name}}", "Rungs", "Hi", "\"Kod Ane\" is no phone number"),
            ("112", "{{long}}", "Hi", "is no sender of a text"),
            ("112", "Rungs", "{{nothing}} ", "the message is empty"),
            ("112", "Rungs", "{{long}}", "has 1601 characters; at most 1600 are sent"),
        ] {
            let config = json!({ "to": to, "from": from, "message": message });
            let outcome = trial().visit::<SMS>(&config).unwrap();
            assert!(outcome.deliver.is_none());
            assert!(outcome.failed.is_some_and(|told| told.contains(reason)), "{config}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        for (config, pointer) in [
            (json!({ "to": "nobody", "message": "Hi" }), "/to"),
            (json!({ "to": "sip:ana@example.com", "message": "Hi" }), "/to"),
            (json!({ "to": "112", "from": "Šibenik", "message": "Hi" }), "/from"),
            (json!({ "to": "112", "message": " " }), "/message"),
            (json!({ "to": "112", "message": "a".repeat(1601) }), "/message"),
            (json!({ "to": "112", "message": "Hi", "await": "answered" }), "/await"),
            (json!({ "to": "112" }), ""),
        ] {
            let found = problems::<SMS>(&config);
            assert_eq!(found.len(), 1, "{config}: {found:?}");
            assert_eq!(found[0].pointer, pointer, "{config}");
        }
        for message in ["a".repeat(1600), format!("{{{{x}}}}{}", "a".repeat(1600))] {
            assert_eq!(problems::<SMS>(&json!({ "to": "{{x}}", "message": message })), []);
        }
    }
}
