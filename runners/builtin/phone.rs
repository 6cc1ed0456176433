//! `Phone`: ring somebody.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AltNext, DeliveryStatus, Failure, NewDelivery, Outcome, Problem, Runner, Visit};

use super::notify;

/// Rings somebody and says something.
///
/// ```yaml
/// - id: ring
///   run: Phone
///   config:
///     to: "{{restaurant.phone}}"
///     from: "+38511234567"       # else the caller id that is registered for `to`
///     say: "You have {{order.count}} new orders."
///     voice: alice               # Twilio's name of a voice
///     language: en-GB
///     # url: https://...         # TwiML from there, in place of `say`
///     ringFor: 30                # seconds until nobody answers
///     detectMachine: true        # an answering machine counts as nobody
///     await: answered            # placed (default) | answered | completed
///   altNext: text-manager        # busy, no answer, rejected, machine, failed
/// ```
pub struct Phone;

/// What the `phone` channel is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The number to ring, as the provider takes it.
    pub to: String,
    /// The caller id; `None` leaves it to the registry.
    pub from: Option<String>,
    /// What to say, or where the provider finds out.
    pub content: CallContent,
    /// Seconds to let it ring.
    pub ring_for: Option<u32>,
    /// Whether to find out if a machine picked up.
    pub detect_machine: bool,
}

/// What the callee hears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CallContent {
    /// Words to be spoken.
    Say {
        /// The words.
        text: String,
        /// The provider's name of a voice.
        voice: Option<String>,
        /// BCP 47.
        language: Option<String>,
    },
    /// Address of a TwiML document.
    Url(String),
}

/// The config of `Phone`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    to: String,
    from: Option<String>,
    say: Option<String>,
    url: Option<String>,
    voice: Option<String>,
    language: Option<String>,
    ring_for: Option<u32>,
    #[serde(default)]
    detect_machine: bool,
    #[serde(default)]
    r#await: Await,
}

/// What a `Phone` step waits for.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Await {
    /// The provider took the call.
    #[default]
    Placed,
    /// Somebody picked up.
    Answered,
    /// The call has ended.
    Completed,
}

impl Runner for Phone {
    const NAME: &'static str = "Phone";
    const ALT_NEXT: AltNext = AltNext::Optional;
    const DELIVERS: bool = true;
    type Config = Config;

    fn rests(_: Option<&Config>) -> bool {
        true
    }

    fn check(_config: &Config) -> Vec<Problem> {
        Vec::new()
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let awaited = match config.r#await {
            Await::Placed => DeliveryStatus::Sent,
            Await::Answered => DeliveryStatus::Answered,
            Await::Completed => DeliveryStatus::Completed,
        };
        Ok(notify::follow(visit, awaited, || config.call()))
    }
}

impl Config {
    fn call(&self) -> Result<NewDelivery, String> {
        let content = match (&self.say, &self.url) {
            (Some(text), _) => CallContent::Say {
                text: text.clone(),
                voice: self.voice.clone(),
                language: self.language.clone(),
            },
            (None, Some(url)) => CallContent::Url(url.clone()),
            (None, None) => return Err("there is nothing to say".into()),
        };
        let call = Call {
            to: self.to.clone(),
            from: self.from.clone(),
            content,
            ring_for: self.ring_for,
            detect_machine: self.detect_machine,
        };
        Ok(NewDelivery {
            channel: "phone",
            request: serde_json::to_value(call).unwrap_or_default(),
        })
    }
}
