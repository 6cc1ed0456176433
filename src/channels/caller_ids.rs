//! Which number to show to whom: a registry of caller ids by number prefix.
//!
//! Promises: the longest prefix wins. A registry that somebody keeps in the database stands
//! in the place of the configured one, as a whole.
//! Called by: the channels that call and text; the engine, which brings what is kept.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

use rungs_runners::address;
use serde::{Deserialize, Serialize};

/// Caller ids by the longest matching prefix of the number that is rung.
///
/// ```toml
/// [twilio.caller_ids]
/// default = "+14155550100"
/// "+385" = "+38511234567"
/// "+38591" = "+385911234567"
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct CallerIds {
    by_prefix: BTreeMap<String, String>,
    default: Option<String>,
}

impl TryFrom<BTreeMap<String, String>> for CallerIds {
    type Error = String;

    fn try_from(entries: BTreeMap<String, String>) -> Result<Self, String> {
        let mut registry = Self::default();
        for (prefix, number) in entries {
            if prefix == "default" {
                registry.default = Some(sender(&prefix, &number)?);
                continue;
            }
            let number = sender(&prefix, &number)?;
            let digits = digits(&prefix);
            if digits.is_empty() || prefix.chars().any(char::is_alphabetic) {
                return Err(format!(
                    "{prefix:?} is no prefix of numbers; expected such as \"+385\", or \"default\""
                ));
            }
            if registry.by_prefix.insert(digits, number).is_some() {
                return Err(format!("the prefix {prefix:?} is there twice"));
            }
        }
        Ok(registry)
    }
}

impl From<CallerIds> for BTreeMap<String, String> {
    fn from(CallerIds { by_prefix, default }: CallerIds) -> Self {
        let prefixes = by_prefix.into_iter().map(|(digits, number)| (format!("+{digits}"), number));
        prefixes.chain(default.map(|number| ("default".to_owned(), number))).collect()
    }
}

/// What may call or text: a number, a sender id, or the id of a messaging service.
fn sender(prefix: &str, number: &str) -> Result<String, String> {
    let wrong =
        || format!("{number:?}, for {prefix:?}, is neither a phone number nor a sender of texts");
    address::sms_sender(number).ok_or_else(wrong)
}

/// The registry that is in force: the one that is kept, else the configured one.
#[derive(Debug, Default)]
pub struct Registry {
    configured: CallerIds,
    kept: RwLock<Option<CallerIds>>,
}

impl Registry {
    /// The configured one, until something is kept.
    pub fn new(configured: CallerIds) -> Self {
        Self { configured, kept: RwLock::default() }
    }

    /// Puts what is kept in force; `None`: what is configured.
    pub fn keep(&self, kept: Option<CallerIds>) {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = kept;
    }

    /// The one in force, and whether it is kept in the database.
    pub fn in_force(&self) -> (CallerIds, bool) {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().map_or_else(|| (self.configured.clone(), false), |kept| (kept.clone(), true))
    }

    /// The caller id for a call or a message to `to`.
    pub fn for_number(&self, to: &str) -> Option<String> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().unwrap_or(&self.configured).for_number(to).map(str::to_owned)
    }
}

impl CallerIds {
    /// The caller id for a call or a message to `to`.
    pub fn for_number(&self, to: &str) -> Option<&str> {
        let to = digits(to);
        (1..=to.len())
            .rev()
            .find_map(|length| self.by_prefix.get(to.get(..length)?))
            .or(self.default.as_ref())
            .map(String::as_str)
    }
}

/// The digits of a number in international form: `+385 (91) 1` and `0038591 1` are alike.
fn digits(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix("00") {
        Some(international) if !number.trim_start().starts_with('+') => international.to_owned(),
        _ => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(entries: &[(&str, &str)]) -> Result<CallerIds, String> {
        let own = |(prefix, number): &(&str, &str)| ((*prefix).to_owned(), (*number).to_owned());
        entries.iter().map(own).collect::<BTreeMap<_, _>>().try_into()
    }

    #[test]
    fn the_longest_prefix_wins_and_the_default_takes_the_rest() {
        let registry =
            registry(&[("+385", "home"), ("+38591", "mobile"), ("+1", "usa"), ("default", "any")])
                .unwrap();
        for (to, from) in [
            ("+385911234567", "mobile"),
            ("+385 91 123-4567", "mobile"),
            ("00385911234567", "mobile"),
            ("+38514567890", "home"),
            ("+14155550100", "usa"),
            ("+44207946000", "any"),
            ("sip:desk@example.com", "any"),
            ("", "any"),
        ] {
            assert_eq!(registry.for_number(to), Some(from), "to {to}");
        }
    }

    #[test]
    fn without_a_default_a_foreign_number_has_no_caller_id() {
        let registry = registry(&[("+385", "home")]).unwrap();
        assert_eq!(registry.for_number("+14155550100"), None);
        assert_eq!(registry.for_number("+38"), None);
        assert_eq!(CallerIds::default().for_number("+1"), None);
    }

    #[test]
    fn what_is_no_prefix_is_refused_by_name() {
        assert!(registry(&[("croatia", "abc")]).unwrap_err().contains("\"croatia\""));
        assert!(registry(&[("", "abc")]).unwrap_err().contains("no prefix"));
        assert!(registry(&[("+385", "abc"), ("385", "def")]).unwrap_err().contains("twice"));
        let number = registry(&[("+385", "")]).unwrap_err();
        assert!(number.contains("\"+385\", is neither"), "{number}");
    }

    #[test]
    fn what_is_kept_stands_in_the_place_of_what_is_configured_as_a_whole() {
        let configured =
            registry(&[("+385", "+38511234567"), ("default", "+14155550100")]).unwrap();
        let in_force = Registry::new(configured.clone());
        assert_eq!(in_force.for_number("+38591").as_deref(), Some("+38511234567"));
        in_force.keep(Some(registry(&[("+1", "+12125550100")]).unwrap()));
        assert_eq!(in_force.for_number("+38591"), None);
        assert_eq!(in_force.for_number("+1415").as_deref(), Some("+12125550100"));
        in_force.keep(None);
        assert_eq!(in_force.in_force(), (configured, false));
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        let written = r#"{"+385":"+38511234567","+38591":"Rungs","default":"+14155550100"}"#;
        let read: CallerIds = serde_json::from_str(written).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), written);
    }
}
