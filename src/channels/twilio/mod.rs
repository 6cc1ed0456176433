//! Twilio, and whatever else speaks its API (Somleng): calls and messages.
//!
//! Promises: a request carries the delivery's id in its `StatusCallback`; a callback is
//! believed only with a valid signature ([`Callbacks`]); whatever the provider answers is
//! sorted into the four ways of [`SendError`] and [`Sent`](super::Sent).
//! Does not: know in which order callbacks come, or whether one comes twice
//! (`DeliveryStatus::after` makes that harmless).
//! Called by: the engine, as a [`Channel`]; intake, to read callbacks.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::{Channel, Misconfigured, Shared, caller_ids::CallerIds};

mod account;
pub mod callback;
mod calls;
mod messages;
pub mod signature;
mod twiml;

use account::Account;
pub use callback::{Callbacks, Unsigned};

/// An account at Twilio, or at a provider that speaks its API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The account's SID.
    pub account_sid: String,
    /// Authenticates requests, and signs callbacks.
    pub auth_token: SecretString,
    /// Where the API is.
    #[serde(default = "twilio")]
    pub base_url: Url,
    /// Where callbacks reach this server from outside. Without it, statuses are asked for.
    #[serde(default)]
    pub public_url: Option<Url>,
    /// Who calls whom, where the step does not say and no registry is kept in the database.
    #[serde(default)]
    pub caller_ids: CallerIds,
    /// Seconds until an answer is given up.
    #[serde(default = "patience")]
    pub timeout: f64,
}

/// Twilio itself. A constant address, so parsing it cannot fail; if it did, opening
/// the channel would say so, since the fallback is no web address.
fn twilio() -> Url {
    Url::parse("https://api.twilio.com").unwrap_or_else(|_| unreachable!("a constant address"))
}

fn patience() -> f64 {
    20.0
}

impl Config {
    /// What the operator should know of a configuration that is not wrong.
    pub(super) fn notice(&self) -> Option<String> {
        self.public_url.is_none().then(|| {
            "twilio has no public_url: it cannot call back, so statuses are asked for".into()
        })
    }

    fn timeout(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.timeout).ok().filter(|timeout| !timeout.is_zero())
    }

    /// Everything that serde cannot see.
    fn check(&self) -> Result<(), Misconfigured> {
        let wrong =
            |key: &str, reason: &str| Err(Misconfigured::new(format!("twilio.{key}"), reason));
        let is_sid = |char: char| char.is_ascii_alphanumeric() || char == '-';
        if self.account_sid.is_empty() || !self.account_sid.chars().all(is_sid) {
            return wrong("account_sid", "expected letters and digits, such as AC0123...");
        }
        let addresses =
            [("base_url", Some(&self.base_url)), ("public_url", self.public_url.as_ref())];
        for (key, url) in addresses {
            if url.is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
                return wrong(key, "expected an address that begins with https:// or http://");
            }
            if url.is_some_and(|url| url.query().is_some() || url.fragment().is_some()) {
                return wrong(key, "expected an address without ? and #");
            }
        }
        if self.timeout().is_none() {
            return wrong("timeout", "expected seconds, more than 0");
        }
        Ok(())
    }
}

/// Opens the `phone` channel.
pub(super) fn calls(
    config: &super::Config,
    shared: &Shared,
) -> Result<Option<Arc<dyn Channel>>, Misconfigured> {
    let account = account(config, shared)?;
    Ok(account.map(|account| Arc::new(calls::Calls::new(account)) as Arc<dyn Channel>))
}

/// Opens the `sms` channel.
pub(super) fn messages(
    config: &super::Config,
    shared: &Shared,
) -> Result<Option<Arc<dyn Channel>>, Misconfigured> {
    let account = account(config, shared)?;
    Ok(account.map(|account| Arc::new(messages::Messages::new(account)) as Arc<dyn Channel>))
}

fn account(config: &super::Config, shared: &Shared) -> Result<Option<Account>, Misconfigured> {
    let Some(config) = &config.twilio else { return Ok(None) };
    config.check()?;
    Ok(Some(Account::new(config.clone(), shared)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str) -> Result<(), Misconfigured> {
        let config = format!("account_sid = \"AC1\"\nauth_token = \"t\"\n{line}");
        toml::from_str::<Config>(&config).expect("TOML of the right shape").check()
    }

    #[test]
    fn the_default_is_twilio_itself() {
        check("").unwrap();
        assert_eq!(twilio().as_str(), "https://api.twilio.com/");
    }

    #[test]
    fn what_could_not_work_is_refused_by_its_place() {
        for (line, place) in [
            ("base_url = \"ftp://api.twilio.com\"", "twilio.base_url"),
            ("public_url = \"mailto:a@b.example\"", "twilio.public_url"),
            ("public_url = \"https://r.example/?a=1\"", "twilio.public_url"),
            ("timeout = 0.0", "twilio.timeout"),
            ("timeout = -1.0", "twilio.timeout"),
            ("timeout = nan", "twilio.timeout"),
        ] {
            assert_eq!(check(line).unwrap_err().place, place, "{line}");
        }
    }
}
