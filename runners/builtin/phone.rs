//! `Phone`: ring somebody.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AltNext, DeliveryStatus, Explained, Failure, Outcome, Problem, Runner, Visit, address, lenient,
    quote::quoted,
};

use super::notify::{self, Composed};

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
///     ringFor: 30                # seconds until nobody answers: 5 to 600
///     detectMachine: true        # an answering machine counts as nobody
///     await: answered            # placed (default) | answered | completed
///   altNext: text-manager        # busy, no answer, rejected, machine, failed
/// ```
///
/// `to` and `from` are phone numbers (`+385 91 123 4567`, or digits as they are dialled
/// locally), `sip:...` or `client:...`.
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
    /// The number to ring.
    to: String,
    /// The caller id; else the one that is registered for `to`.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    from: Option<String>,
    /// What to say.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    say: Option<String>,
    /// In place of `say`: the address of a TwiML document.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    url: Option<String>,
    /// The voice that says it.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    voice: Option<String>,
    /// The language in which it is said, such as `en-GB`.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    language: Option<String>,
    /// Seconds to let it ring.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    #[schemars(range(min = *RING_FOR.start(), max = *RING_FOR.end()))]
    ring_for: Option<i64>,
    /// Whether an answering machine counts as nobody.
    #[serde(default, deserialize_with = "lenient::boolean")]
    detect_machine: bool,
    /// What the step waits for.
    #[serde(default)]
    r#await: Await,
}

/// For how many seconds a provider lets it ring. What a template renders beyond that is
/// brought inside.
const RING_FOR: RangeInclusive<i64> = 5..=600;

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

    fn check(config: &Config) -> Vec<Problem> {
        config.addresses().chain(config.content_problems()).collect()
    }

    fn explain(config: &Config, _: &Visit<'_>) -> Result<Explained, Failure> {
        let awaits = match config.r#await {
            Await::Placed => "to be placed",
            Await::Answered => "to be answered",
            Await::Completed => "to end",
        };
        Ok(Explained { awaits: Some(awaits), ..Explained::default() })
    }

    fn visit(config: &Config, visit: &Visit<'_>) -> Result<Outcome, Failure> {
        let awaited = match config.r#await {
            Await::Placed => DeliveryStatus::Sent,
            Await::Answered => DeliveryStatus::Answered,
            Await::Completed => DeliveryStatus::Completed,
        };
        Ok(notify::follow(visit, awaited, || Composed::new("phone", &config.call()?)))
    }
}

impl Config {
    fn addresses(&self) -> impl Iterator<Item = Problem> {
        let number = |pointer, text: &str| {
            let help = "write it as +385911234567, with the country code";
            let is_one = |text: &str| address::callee(text).is_some();
            notify::check_address(pointer, text, is_one, "phone number", help)
        };
        let url = self.url.as_ref().and_then(|url| {
            let help = "write it as https://example.com/hello.xml";
            notify::check_address("/url", url, address::is_web_address, "web address", help)
        });
        let from = self.from.as_ref().and_then(|from| number("/from", from));
        [number("/to", &self.to), from, url].into_iter().flatten()
    }

    fn content_problems(&self) -> Vec<Problem> {
        match (&self.say, &self.url) {
            (Some(_), None) => Vec::new(),
            (None, None) => {
                vec![Problem::at("", "there is nothing to say").help("write `say` or `url`")]
            }
            (Some(_), Some(_)) => {
                vec![
                    Problem::at("/url", "there is `say` as well")
                        .help("keep one of them: what `url` answers is all that is said"),
                ]
            }
            (None, Some(_)) => [("/voice", &self.voice), ("/language", &self.language)]
                .into_iter()
                .filter(|(_, value)| value.is_some())
                .map(|(pointer, _)| {
                    Problem::at(pointer, "it belongs to `say`, and there is none")
                        .help("a TwiML document names its voices itself")
                })
                .collect(),
        }
    }

    fn call(&self) -> Result<Call, String> {
        let number = |text: &str| {
            address::callee(text).ok_or_else(|| format!("{} is no phone number", quoted(text)))
        };
        let content = match (&self.say, &self.url) {
            (Some(text), _) => CallContent::Say {
                text: text.clone(),
                voice: self.voice.clone(),
                language: self.language.clone(),
            },
            (None, Some(url)) if address::is_web_address(url) => CallContent::Url(url.clone()),
            (None, Some(url)) => return Err(format!("{} is no web address", quoted(url))),
            (None, None) => return Err("there is nothing to say".into()),
        };
        let seconds = self.ring_for.map(|s| s.clamp(*RING_FOR.start(), *RING_FOR.end()));
        Ok(Call {
            to: number(&self.to)?,
            from: self.from.as_deref().map(number).transpose()?,
            content,
            ring_for: seconds.and_then(|seconds| u32::try_from(seconds).ok()),
            detect_machine: self.detect_machine,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::builtin::trial::{Trial, problems};

    fn trial() -> Trial {
        Trial::at("2026-05-04T10:00").data(json!({
            "restaurant": { "phone": "+385 (0)91 123-4567", "name": "Kod Ane" },
            "order": { "count": 3 },
        }))
    }

    fn written(config: &Value) -> Call {
        let outcome = trial().visit::<Phone>(config).unwrap();
        let delivery = outcome.deliver.unwrap_or_else(|| panic!("{}", outcome.message));
        assert_eq!(delivery.channel, "phone");
        serde_json::from_value(delivery.request).unwrap()
    }

    #[test]
    fn the_restaurant_is_rung_and_told_of_its_orders() {
        let call = written(&json!({
            "to": "{{restaurant.phone}}",
            "say": "Hello, {{restaurant.name}} has {{order.count}} new orders.",
            "language": "en-GB",
            "ringFor": "{{order.ringFor}}",
            "detectMachine": "{{order.byHuman}}",
        }));
        let content = CallContent::Say {
            text: "Hello, Kod Ane has 3 new orders.".into(),
            voice: None,
            language: Some("en-GB".into()),
        };
        let to = "+385911234567".to_owned();
        assert_eq!(call, Call { to, from: None, content, ring_for: None, detect_machine: false });
    }

    #[test]
    fn a_twiml_document_may_speak_instead() {
        let call = written(&json!({
            "to": "client:ana",
            "from": "+385 1 123 4567",
            "url": "https://example.com/hello?orders={{order.count}}",
        }));
        assert_eq!(call.to, "client:ana");
        assert_eq!(call.from.as_deref(), Some("+38511234567"));
        assert_eq!(call.content, CallContent::Url("https://example.com/hello?orders=3".into()));
    }

    #[test]
    fn a_rendered_time_to_ring_is_brought_inside_what_a_provider_takes() {
        for (rendered, seconds) in
            [("1", Some(5)), ("30", Some(30)), ("9999", Some(600)), ("-1", Some(5)), ("", None)]
        {
            let trial = Trial::at("2026-05-04T10:00").data(json!({ "seconds": rendered }));
            let outcome = trial.visit::<Phone>(&json!({
                "to": "112", "say": "Hello", "ringFor": "{{seconds}}", "detectMachine": "true",
            }));
            let request = outcome.unwrap().deliver.unwrap().request;
            let call: Call = serde_json::from_value(request).unwrap();
            assert_eq!((call.ring_for, call.detect_machine), (seconds, true), "{rendered}");
        }
    }

    #[test]
    fn a_number_that_is_none_does_not_stop_the_ladder() {
        for (config, reason) in [
            (json!({ "to": "{{nobody}}", "say": "Hi" }), "\"\" is no phone number"),
            (json!({ "to": "{{restaurant.name}}", "say": "Hi" }), "\"Kod Ane\" is no phone number"),
            (
                json!({ "to": "112", "from": "{{restaurant.name}}", "say": "Hi" }),
                "\"Kod Ane\" is no phone number",
            ),
            (json!({ "to": "112", "say": " {{nothing}} " }), "there is nothing to say"),
            (json!({ "to": "112", "url": "{{order.count}}" }), "\"3\" is no web address"),
        ] {
            let outcome = trial().visit::<Phone>(&config);
            assert_eq!(outcome, Ok(Outcome::undelivered(reason)), "{config}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        for (config, pointer) in [
            (json!({ "to": "nobody", "say": "Hi" }), "/to"),
            (json!({ "to": "112", "from": "nobody", "say": "Hi" }), "/from"),
            (json!({ "to": "112" }), ""),
            (json!({ "to": "112", "say": "" }), ""),
            (json!({ "to": "112", "say": "Hi", "url": "https://example.com" }), "/url"),
            (json!({ "to": "112", "url": "example.com" }), "/url"),
            (json!({ "to": "112", "url": "https://example.com", "voice": "alice" }), "/voice"),
            (json!({ "to": "112", "url": "https://example.com", "language": "en" }), "/language"),
            (json!({ "to": "112", "say": "Hi", "ringFor": 4 }), "/ringFor"),
            (json!({ "to": "112", "say": "Hi", "ringFor": 601 }), "/ringFor"),
            (json!({ "to": "112", "say": "Hi", "ringFor": "30" }), "/ringFor"),
            (json!({ "to": "112", "say": "Hi", "detectMachine": "yes" }), "/detectMachine"),
            (json!({ "to": "112", "say": "Hi", "await": "done" }), "/await"),
            (json!({ "to": 112, "say": "Hi" }), "/to"),
            (json!({ "to": "nobody", "say": "{{x}}", "ringFor": "{{y}}" }), "/to"),
        ] {
            let found = problems::<Phone>(&config);
            assert_eq!(found.len(), 1, "{config}: {found:?}");
            assert_eq!(found[0].pointer, pointer, "{config}");
        }
        let fine = json!({ "to": "{{a}}", "from": "{{b}}", "url": "{{c}}", "ringFor": "{{d}}" });
        assert_eq!(problems::<Phone>(&fine), []);
    }
}
