//! Which number to show to whom: a registry of caller ids by number prefix.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Caller ids by the longest matching prefix of the number that is rung.
///
/// ```toml
/// [twilio.caller_ids]
/// default = "+14155550100"
/// "+385" = "+38511234567"
/// "+38591" = "+385911234567"
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
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
                registry.default = Some(number);
                continue;
            }
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
            registry(&[("+385", "home"), ("+38591", "mobile"), ("+1", "us"), ("default", "any")])
                .unwrap();
        for (to, from) in [
            ("+385911234567", "mobile"),
            ("+385 91 123-4567", "mobile"),
            ("00385911234567", "mobile"),
            ("+38514567890", "home"),
            ("+14155550100", "us"),
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
        assert!(registry(&[("croatia", "x")]).unwrap_err().contains("\"croatia\""));
        assert!(registry(&[("", "x")]).unwrap_err().contains("no prefix"));
        assert!(registry(&[("+385", "x"), ("385", "y")]).unwrap_err().contains("twice"));
    }
}
