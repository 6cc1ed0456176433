//! What a runner answers: a list, as Sequencer reads it, with an entry for each visit.
//!
//! Promises: an entry that is wrong is no answer to its own visit, and spoils no other. Pure.

use std::collections::HashMap;

use rungs_runners::{Action, Answer, data};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::LONGEST_PAUSE;

/// The longest message that is kept, in characters.
const LONGEST_MESSAGE: usize = 500;

/// An answer to one visit, or why there is none.
pub(super) type Answered = Result<Answer, String>;

/// What was answered.
#[derive(Debug, PartialEq)]
pub(super) struct Answers {
    /// For each visit that was asked about, in that order.
    pub each: Vec<Answered>,
    /// How many entries are about none of them.
    pub strangers: usize,
}

/// What an entry is about.
#[derive(Deserialize)]
struct About {
    id: String,
}

/// What an entry says.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Entry {
    action: Value,
    message: Value,
    data: Value,
    retry_after: Value,
}

/// Reads an answer to these visits: their ids, and the data that each was asked with.
///
/// # Errors
/// Why it answers none of them.
pub(super) fn read(body: &[u8], asked: &[(&str, &Map<String, Value>)]) -> Result<Answers, String> {
    let entries: Vec<&RawValue> =
        serde_json::from_slice(body).map_err(|error| unreadable(body, &error, "a list in JSON"))?;
    let places: HashMap<&str, usize> =
        asked.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
    let mut given: Vec<Vec<&RawValue>> = vec![Vec::new(); asked.len()];
    let mut strangers = 0;
    for entry in entries {
        let about = serde_json::from_str::<About>(entry.get()).ok();
        let place = about.and_then(|about| places.get(about.id.as_str()).copied());
        match place.and_then(|place| given.get_mut(place)) {
            Some(given) => given.push(entry),
            None => strangers += 1,
        }
    }
    let each = asked.iter().zip(given).map(|((_, data), given)| match given.as_slice() {
        [] if strangers > 0 => Err(format!(
            "the answer leaves it out, and speaks of {strangers} it was not asked about"
        )),
        [] => Err("the answer leaves it out".to_owned()),
        [entry] => answer(entry.get(), data),
        _ => Err(format!("the answer speaks of it {} times", given.len())),
    });
    Ok(Answers { each: each.collect(), strangers })
}

/// Why an answer is not what was expected.
pub(in crate::channels) fn unreadable(
    body: &[u8],
    error: &serde_json::Error,
    expected: &str,
) -> String {
    let begins = String::from_utf8_lossy(body.get(..64).unwrap_or(body)).trim_start().to_owned();
    match begins.chars().next() {
        None => format!("the answer is empty; expected {expected}"),
        Some('<') => format!("the answer is HTML or XML; expected {expected}"),
        Some(_) if error.is_data() => "the answer is JSON, but no list".to_owned(),
        Some(_) if error.to_string().contains("recursion limit") => {
            "the answer has lists and mappings too deep in each other".to_owned()
        }
        Some(_) => {
            format!("the answer is no JSON (line {}, column {})", error.line(), error.column())
        }
    }
}

fn answer(entry: &str, asked_with: &Map<String, Value>) -> Answered {
    let entry: Entry = serde_json::from_str(entry)
        .map_err(|error| format!("its entry cannot be read: {error}"))?;
    Ok(Answer {
        action: action(&entry.action)?,
        message: message(entry.message),
        pause: pause(&entry.retry_after)?,
        data: patch(entry.data, asked_with)?,
        result: None,
        at: 0,
    })
}

fn action(action: &Value) -> Result<Action, String> {
    const ACTIONS: [Action; 3] = [Action::Next, Action::Noop, Action::AltNext];
    let known = ACTIONS.into_iter().find(|known| action.as_str() == Some(known.as_str()));
    known.ok_or_else(|| {
        let found: String = action.to_string().chars().take(100).collect();
        format!("its `action` is {found}; expected \"next\", \"noop\" or \"altNext\"")
    })
}

/// Sequencer logs whatever it is.
fn message(message: Value) -> Option<String> {
    let text = match message {
        Value::Null => return None,
        Value::String(text) => text,
        other => other.to_string(),
    };
    Some(text.chars().take(LONGEST_MESSAGE).collect()).filter(|text: &String| !text.is_empty())
}

/// In milliseconds.
#[expect(clippy::cast_sign_loss, reason = "it is not negative")]
fn pause(seconds: &Value) -> Result<Option<u64>, String> {
    if seconds.is_null() {
        return Ok(None);
    }
    match seconds.as_f64().filter(|seconds| seconds.is_finite() && *seconds >= 0.0) {
        Some(seconds) => Ok(Some((seconds.min(LONGEST_PAUSE) * 1000.0) as u64)),
        None => Err("its `retryAfter` is no number of seconds".to_owned()),
    }
}

fn patch(
    patch: Value,
    asked_with: &Map<String, Value>,
) -> Result<Option<Map<String, Value>>, String> {
    data::check_size(&patch).map_err(|reason| format!("its `data`: {reason}"))?;
    let patch = match patch {
        Value::Null => return Ok(None),
        Value::Object(patch) => patch,
        _ => return Err("its `data` is no object".to_owned()),
    };
    if let Some(name) = data::reserved(&patch) {
        return Err(format!("its `data` has `{name}`, which is a reserved name"));
    }
    let mut merged = asked_with.clone();
    data::merge(&mut merged, &patch);
    if data::length(&merged) > data::MOST {
        return Err(format!("with its `data` the process's would pass {} bytes", data::MOST));
    }
    Ok(Some(patch).filter(|patch| !patch.is_empty()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The answers to visits `a`, `b` and `c`, of which the process has these data.
    fn read(body: &[u8]) -> Result<Answers, String> {
        let data = json!({ "order": 7 }).as_object().unwrap().clone();
        super::read(body, &[("a", &data), ("b", &data), ("c", &data)])
    }

    fn next() -> Answer {
        Answer { action: Action::Next, message: None, data: None, result: None, pause: None, at: 0 }
    }

    /// What is wrong with an entry for `b`, beside two that are not.
    fn wrong(entry: &str) -> String {
        let body =
            format!(r#"[{{"id":"a","action":"next"}},{entry},{{"id":"c","action":"next"}}]"#);
        let Answers { mut each, .. } = read(body.as_bytes()).expect(entry);
        assert_eq!((&each[0], &each[2]), (&Ok(next()), &Ok(next())), "{entry}");
        each.remove(1).expect_err(entry)
    }

    #[test]
    fn each_visit_gets_its_own_answer_in_whatever_order() {
        let answers = read(
            br#"[{"id":"c","action":"noop","message":"not yet","retryAfter":1.5},
                 {"id":"a","action":"next","data":{"score":3,"order":null},"extra":[1]},
                 {"id":"b","action":"altNext","message":null,"data":null,"retryAfter":null}]"#,
        );
        let Answers { each, strangers } = answers.unwrap();
        assert_eq!(strangers, 0);
        let patch = json!({ "score": 3, "order": null }).as_object().unwrap().clone();
        assert_eq!(each[0].as_ref().unwrap().data, Some(patch));
        assert_eq!(each[1].as_ref().unwrap().action, Action::AltNext);
        let noop = each[2].as_ref().unwrap();
        assert_eq!((noop.message.as_deref(), noop.pause), (Some("not yet"), Some(1_500)));
    }

    #[test]
    fn an_entry_that_is_wrong_is_no_answer_and_spoils_no_other() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let large = "x".repeat(data::MOST);
        for (entry, part) in [
            (r#"{"id":"b"}"#.to_owned(), "`action` is null"),
            (r#"{"id":"b","action":"stop"}"#.to_owned(), "`action` is \"stop\""),
            (r#"{"id":"b","action":"NEXT"}"#.to_owned(), "`action` is \"NEXT\""),
            (r#"{"id":"b","action":["next"]}"#.to_owned(), "expected \"next\", \"noop\" or"),
            (r#"{"id":"b","action":"noop","retryAfter":"soon"}"#.to_owned(), "retryAfter"),
            (r#"{"id":"b","action":"noop","retryAfter":-1}"#.to_owned(), "retryAfter"),
            (r#"{"id":"b","action":"next","data":[1]}"#.to_owned(), "`data` is no object"),
            (r#"{"id":"b","action":"next","data":{"steps":1}}"#.to_owned(), "reserved name"),
            (format!(r#"{{"id":"b","action":"next","data":{{"a":{deep}}}}}"#), "cannot be read"),
            (format!(r#"{{"id":"b","action":"next","data":{{"a":"{large}"}}}}"#), "bytes"),
            (r#"{"id":"b","action":"next","message":"\ud800"}"#.to_owned(), "cannot be read"),
            (r#"{"id":"b","action":"next"},{"id":"b","action":"next"}"#.to_owned(), "2 times"),
            (r#"{"id":"x","action":"next"}"#.to_owned(), "leaves it out, and speaks of 1"),
            (r#"{"action":"next"}"#.to_owned(), "leaves it out, and speaks of 1"),
            (r#"{"id":7,"action":"next"}"#.to_owned(), "leaves it out, and speaks of 1"),
            ("null,7,[]".to_owned(), "leaves it out, and speaks of 3"),
        ] {
            let said = wrong(&entry);
            assert!(said.contains(part), "{said:?} of {entry:.200}");
        }
    }

    #[test]
    fn what_is_no_list_answers_nobody() {
        for (body, part) in [
            (&b""[..], "empty"),
            (b" \n", "empty"),
            (b"<html><body>502 Bad Gateway</body></html>", "HTML"),
            (b"{\"runners\":[]}", "no list"),
            (b"null", "no list"),
            (b"OK", "no JSON"),
            (b"[{\"id\":\"a\",", "no JSON"),
            (b"[{\"id\":\"\xff\"}]", "no JSON"),
        ] {
            let said = read(body).unwrap_err();
            assert!(said.contains(part), "{said:?} of {:?}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn a_message_may_be_anything_and_is_cut() {
        let long = "ž".repeat(1_000);
        assert_eq!(message(json!(long)).unwrap().chars().count(), LONGEST_MESSAGE);
        assert_eq!(message(json!({ "a": 1 })).as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(message(json!("")), None);
    }
}
