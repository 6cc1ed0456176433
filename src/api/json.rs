//! JSON into what a handler expects, with the place of what does not fit.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, error::Category};

use super::problem::{Kind, Place, Problem};
use crate::intake::read;

/// Objects and lists inside each other.
const DEEPEST: usize = 64;

const NO_OBJECT: &str = "expected an object";

/// Reads a body, which is an object.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if let Some((line, column)) = too_deep(body) {
        let place = Place {
            line: Some(line),
            column: Some(column),
            message: format!("expected at most {DEEPEST} objects and lists inside each other"),
            ..Place::default()
        };
        let detail = format!("line {line}, column {column}: {}", place.message);
        return Err(Problem::new(Kind::NestedTooDeeply, detail).with(vec![place]));
    }
    // A derived `Deserialize` takes a list for an object, field by field: nobody means that.
    if body.trim_ascii_start().first() != Some(&b'{') {
        serde_json::from_slice::<IgnoredAny>(body).map_err(|error| problem("", &error))?;
        return Err(Problem::invalid("", NO_OBJECT));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = read(&mut json).map_err(|(path, error)| problem(&path, &error))?;
    json.end().map_err(|error| problem("", &error))?;
    Ok(value)
}

/// Reads a part of a body, which is an object too.
pub(super) fn part<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    if !value.is_object() {
        return Err(Problem::invalid("", NO_OBJECT));
    }
    read(value).map_err(|(path, error)| problem(&path, &error))
}

fn problem(pointer: &str, error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let (line, column) = (error.line(), error.column());
    let message = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let known = line > 0;
    let mut place = Place {
        line: known.then_some(line),
        column: known.then_some(column),
        message: message.to_owned(),
        ..Place::default()
    };
    if error.classify() != Category::Data {
        let detail = format!("line {line}, column {column}: {message}");
        return Problem::new(Kind::MalformedBody, detail).with(vec![place]);
    }
    place.pointer = Some(pointer.to_owned());
    Problem::invalid(pointer, message).with(vec![place])
}

/// Line and column of the bracket that is one too many.
fn too_deep(body: &[u8]) -> Option<(usize, usize)> {
    let (mut depth, mut line, mut column) = (0_usize, 1, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in body {
        // The bytes of a character beyond its first do not count.
        column += usize::from(byte & 0xc0 != 0x80);
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'\n' => (line, column) = (line + 1, 0),
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Some((line, column));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1))
    }

    #[test]
    fn sixty_four_levels_are_taken_and_sixty_five_are_not() {
        assert!(parse::<Value>(nested(64).as_bytes()).is_ok());
        assert!(parse::<Value>(nested(65).as_bytes()).is_err());
        assert!(parse::<Value>("[".repeat(1_000_000).as_bytes()).is_err());
        assert_eq!(too_deep(format!("{{\n\"š\": {}", nested(64)).as_bytes()), Some((2, 73)));
    }

    #[test]
    fn brackets_inside_of_texts_do_not_count() {
        let text = format!(r#"{{"a": ["{}", "\"{}", "\\"]}}"#, "[".repeat(100), "{".repeat(100));
        assert!(parse::<Value>(text.as_bytes()).is_ok());
    }

    #[test]
    fn only_an_object_is_an_object() {
        #[derive(Debug, serde::Deserialize)]
        struct Pair {
            _a: Option<i32>,
            _b: Option<i32>,
        }
        assert!(parse::<Pair>(b" {}").is_ok());
        for body in ["[1, 2]", "null", "3", "\"a\"", "[", ""] {
            assert!(parse::<Pair>(body.as_bytes()).is_err(), "{body}");
        }
        assert!(part::<Pair>(serde_json::json!([1, 2])).is_err());
    }
}
