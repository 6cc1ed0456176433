//! What is to happen to a process that is run or simulated: `+7m:order.status=confirmed`.

use std::str::FromStr;

use chrono::TimeDelta;
use rungs_runners::data;
use serde_json::{Value, json};

/// The type of events that carry a value and no name.
const DATA: &str = "data";

/// Something that is to happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// How long after the start.
    pub after: TimeDelta,
    /// The event's type.
    pub r#type: String,
    /// What is merged into the process's data.
    pub data: Value,
    /// In words.
    pub says: String,
}

impl Happening {
    /// An event of any type, with what it brings.
    ///
    /// # Errors
    /// Why no process could be told that.
    pub fn event(after: TimeDelta, name: &str, data: Value) -> Result<Self, String> {
        if name.trim().is_empty() {
            return Err("an event needs a type".to_owned());
        }
        if !data.is_object() && !data.is_null() {
            return Err("the data of an event are a mapping".to_owned());
        }
        possible(&data)?;
        Ok(Self { after, r#type: name.trim().to_owned(), data, says: name.trim().to_owned() })
    }

    /// Whether it puts a value into the data, and is no event with a type of its own.
    pub fn is_value(&self) -> bool {
        self.r#type == DATA
    }
}

impl FromStr for Happening {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (after, what) = text.split_once(':').ok_or(
            "expected a time, a colon and what happens, such as +7m:order.status=confirmed",
        )?;
        let after = duration(after)
            .ok_or_else(|| format!("`{after}` is no time such as +90s, +7m, +1h30m or +2d"))?;
        let what = what.trim();
        let (r#type, data) = match what.split_once('=') {
            _ if is_named_with_data(what) => named(what)?,
            Some((path, value)) => (DATA.to_owned(), nested(path.trim(), value.trim())?),
            None if what.is_empty() => return Err("nothing happens after the colon".to_owned()),
            None => (what.to_owned(), Value::Null),
        };
        possible(&data)?;
        Ok(Self { after, r#type, data, says: spaced(what) })
    }
}

/// `order.status = confirmed`, however it was written.
fn spaced(what: &str) -> String {
    match what.split_once('=') {
        Some((path, value)) if !is_named_with_data(what) => {
            format!("{} = {}", path.trim(), value.trim())
        }
        _ => what.to_owned(),
    }
}

/// What no process could be told is refused here already, and not in the middle of a climb.
fn possible(data: &Value) -> Result<(), String> {
    data::check_depth(data)?;
    match data.as_object().and_then(data::reserved) {
        Some(name) => Err(format!("`{name}` is a reserved name")),
        None => Ok(()),
    }
}

/// `acknowledged {"by": "ana"}`: a name, and after it an object.
fn is_named_with_data(what: &str) -> bool {
    what.split_once('{').is_some_and(|(name, _)| !name.trim().is_empty() && !name.contains('='))
}

fn named(what: &str) -> Result<(String, Value), String> {
    let (name, _) = what.split_once('{').unwrap_or((what, ""));
    let data = what.get(name.len()..).unwrap_or_default();
    let data = serde_json::from_str(data)
        .map_err(|error| format!("`{data}` is no JSON such as {{\"by\": \"ana\"}}: {error}"))?;
    Ok((name.trim().to_owned(), data))
}

/// `{order: {status: "confirmed"}}` for `order.status` and `confirmed`.
fn nested(path: &str, value: &str) -> Result<Value, String> {
    if path.split('.').any(|key| key.is_empty() || key.trim() != key) {
        return Err(format!("`{path}` is no path such as order.status"));
    }
    if path.split('.').count() > data::DEEPEST {
        return Err(format!("it nests more than {} deep", data::DEEPEST));
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
    Ok(path.rsplit('.').fold(value, |inner, key| json!({ key: inner })))
}

/// Numbers with units, one after the other: `1h30m`.
pub fn duration(text: &str) -> Option<TimeDelta> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let mut rest = text;
    let mut millis = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit: f64 = match unit {
            "ms" => 1.0,
            "s" => 1e3,
            "m" | "min" => 6e4,
            "h" => 3.6e6,
            "d" => 8.64e7,
            "w" => 6.048e8,
            _ => return None,
        };
        millis += number.parse::<f64>().ok()? * unit;
        rest = after;
    }
    // A thousand years: beyond it moments have no dates any more.
    (!text.is_empty() && millis <= 3.2e13)
        .then(|| TimeDelta::try_milliseconds(millis as i64))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Happening, String> {
        text.parse()
    }

    #[test]
    fn what_no_process_could_be_told_does_not_happen() {
        for deep in [70, 20_000] {
            let wrong = read(&format!("+1m:{}b=1", "a.".repeat(deep))).unwrap_err();
            assert_eq!(wrong, "it nests more than 64 deep");
        }
        let wrong = read(&format!("+1m:said {{\"a\": {}{}}}", "[".repeat(80), "]".repeat(80)));
        assert_eq!(wrong.unwrap_err(), "it nests more than 64 deep");
        assert_eq!(read("+1m:process.id=x").unwrap_err(), "`process` is a reserved name");
        assert!(read(&format!("+1m:{}b=1", "a.".repeat(60))).is_ok());
    }

    #[test]
    fn a_value_goes_to_its_place_in_the_data() {
        let one = read("+7m:order.status=confirmed").unwrap();
        assert_eq!(one.after, TimeDelta::minutes(7));
        assert_eq!(
            (one.r#type.as_str(), one.data),
            ("data", json!({"order": {"status": "confirmed"}}))
        );
        assert_eq!(one.says, "order.status = confirmed");
        assert_eq!(read("+1s:count=3").unwrap().data, json!({"count": 3}));
        let spaced = read("+7m: order.status =  confirmed ").unwrap();
        assert_eq!(spaced, read("+7m:order.status=confirmed").unwrap());
        assert_eq!(read("+7m: acknowledged").unwrap(), read("+7m:acknowledged").unwrap());
        assert_eq!(read("+1s:note=a=b:c").unwrap().data, json!({"note": "a=b:c"}));
        assert_eq!(read("+1s:gone=null").unwrap().data, json!({"gone": null}));
    }

    #[test]
    fn an_event_may_have_nothing_but_a_name() {
        let one = read("+1h30m:acknowledged").unwrap();
        assert_eq!((one.after, one.r#type.as_str()), (TimeDelta::minutes(90), "acknowledged"));
        assert_eq!(one.data, Value::Null);
    }

    #[test]
    fn an_event_may_have_a_name_and_data() {
        let one = read(r#"+7m:acknowledged {"by": "ana", "note": "a=b"}"#).unwrap();
        assert_eq!(one.r#type, "acknowledged");
        assert_eq!(one.data, json!({"by": "ana", "note": "a=b"}));
        assert_eq!(read(r#"+1s:a={"b": 1}"#).unwrap().data, json!({"a": {"b": 1}}));
        assert!(read("+1s:acknowledged {by: ana}").unwrap_err().contains("is no JSON"));
    }

    #[test]
    fn times_have_units() {
        for (text, millis) in
            [("500ms", 500), ("+1.5s", 1_500), ("2d", 172_800_000), ("1w", 604_800_000)]
        {
            let one = read(&format!("{text}:x")).unwrap();
            assert_eq!(one.after.num_milliseconds(), millis, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (text, expected) in [
            ("order.status=confirmed", "a colon"),
            ("7:x", "no time"),
            (":x", "no time"),
            ("+:x", "no time"),
            ("+7y:x", "no time"),
            ("+1.2.3s:x", "no time"),
            ("99999999999999w:x", "no time"),
            ("+7m:", "nothing happens"),
            ("+7m:=x", "no path"),
            ("+7m:a..b=x", "no path"),
            ("+7m:a .b=x", "no path"),
            ("+7m: ", "nothing happens"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
