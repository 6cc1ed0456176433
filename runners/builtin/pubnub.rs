//! `PubNub`: publish a message to a channel that programs listen to.

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    AltNext, DeliveryStatus, Failure, Outcome, Problem, Runner, Sends, Stay, Visit, quote::quoted,
};

use super::notify::{self, Composed};

/// Publishes a message to a channel of PubNub.
///
/// ```yaml
/// - id: tell-the-screen
///   run: PubNub
///   config:
///     channel: "orders-{{restaurant.id}}"
///     message: { order: "{{order.id}}", waiting: true }   # any JSON; default {}
///     store: false                                        # whether PubNub keeps it
///   altNext: ring                                         # refused, failed
/// ```
#[derive(JsonSchema)]
pub struct PubNub;

/// What the `pubnub` channel is asked to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Publication {
    /// The channel's name, not yet encoded.
    pub channel: String,
    /// Any JSON.
    pub message: Value,
    /// Whether PubNub keeps it for those who come later.
    pub store: bool,
}

/// The config of `PubNub`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// The channel's name.
    channel: String,
    /// What to publish: any JSON.
    #[serde(default = "nothing")]
    message: Value,
    /// Whether PubNub keeps it for those who come later.
    #[serde(default)]
    store: bool,
}

fn nothing() -> Value {
    Value::Object(Map::new())
}

/// The longest name of a channel, in characters.
const LONGEST: usize = 92;
/// The longest message that PubNub takes, in bytes of JSON, with room for the rest of the
/// request.
const MOST: usize = 31 * 1024;

impl Runner for PubNub {
    const NAME: &'static str = "PubNub";
    const ALT_NEXT: AltNext = AltNext::Optional;
    const DELIVERS: bool = true;
    type Config = Config;

    fn rests(_: Option<&Config>) -> bool {
        true
    }

    fn stay(_: Option<&Config>, _: Option<Tz>) -> Stay {
        let sends = Sends::One { channel: "pubnub", person: false };
        Stay { sends, ..Stay::message("pubnub", DeliveryStatus::Sent) }
    }

    fn check(config: &Config) -> Vec<Problem> {
        let help = "write 1 to 92 characters, without spaces and without any of , / \\ *";
        let channel =
            notify::check_address("/channel", &config.channel, is_channel, "PubNub channel", help);
        channel.into_iter().collect()
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        Ok(notify::follow(visit, DeliveryStatus::Sent, || {
            Composed::new("pubnub", &config.publication()?)
        }))
    }
}

/// Whether PubNub takes it for one channel, as its documentation says.
pub fn is_channel(name: &str) -> bool {
    let is_wrong = |c: char| c.is_whitespace() || c.is_control() || ",/\\*".contains(c);
    !name.is_empty() && name.chars().count() <= LONGEST && !name.contains(is_wrong)
}

impl Config {
    fn publication(&self) -> Result<Publication, String> {
        let Self { channel, message, store } = self;
        if !is_channel(channel) {
            return Err(format!("{} is no channel of PubNub", quoted(channel)));
        }
        let length = message.to_string().len();
        if length > MOST {
            return Err(format!("the message has {length} bytes; at most {MOST} are published"));
        }
        Ok(Publication { channel: channel.clone(), message: message.clone(), store: *store })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::builtin::trial::{Trial, problems};

    fn trial() -> Trial {
        Trial::at("2026-05-04T10:00").data(json!({
            "restaurant": "galija",
            "order": 1042,
            "long": "x".repeat(32 * 1024),
        }))
    }

    #[test]
    fn the_screen_is_told() {
        let config = json!({
            "channel": "orders-{{restaurant}}",
            "message": { "order": "{{order}}", "lines": ["{{restaurant}}", 2, null] },
            "store": true,
        });
        let delivery = trial().visit::<PubNub>(&config).unwrap().deliver.unwrap();
        assert_eq!(delivery.channel, "pubnub");
        let expected = Publication {
            channel: "orders-galija".into(),
            message: json!({ "order": "1042", "lines": ["galija", 2, null] }),
            store: true,
        };
        assert_eq!(serde_json::from_value::<Publication>(delivery.request).unwrap(), expected);
    }

    #[test]
    fn without_a_message_an_empty_object_is_published_and_not_kept() {
        let outcome = trial().visit::<PubNub>(&json!({ "channel": "orders" })).unwrap();
        let request = outcome.deliver.unwrap().request;
        assert_eq!(request, json!({ "channel": "orders", "message": {}, "store": false }));
    }

    #[test]
    fn what_cannot_be_published_does_not_stop_the_ladder() {
        for (config, reason) in [
            (json!({ "channel": "{{nobody}}" }), "\"\" is no channel of PubNub"),
            (json!({ "channel": "a/{{restaurant}}" }), "\"a/galija\" is no channel of PubNub"),
            (json!({ "channel": "a", "message": "{{long}}" }), "at most 31744 are published"),
        ] {
            let outcome = trial().visit::<PubNub>(&config).unwrap();
            assert!(outcome.deliver.is_none());
            assert!(outcome.failed.is_some_and(|told| told.contains(reason)), "{config}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        for (config, pointer) in [
            (json!({ "channel": "two,of,them" }), "/channel"),
            (json!({ "channel": "" }), "/channel"),
            (json!({ "channel": "ž".repeat(93) }), "/channel"),
            (json!({ "channel": "a", "store": 1 }), "/store"),
            (json!({ "message": {} }), ""),
        ] {
            let found = problems::<PubNub>(&config);
            assert_eq!(found.len(), 1, "{config}: {found:?}");
            assert_eq!(found[0].pointer, pointer, "{config}");
        }
        for channel in ["ž".repeat(92), "a.b:c-d_e".into(), "{{x}}, /".into()] {
            assert_eq!(problems::<PubNub>(&json!({ "channel": channel })), []);
        }
    }
}
