//! Messages on a stream: a head with their length, and JSON.
//!
//! Promises: no more is kept than [`MOST`], whatever a head promises; after a message that cannot
//! be read, the next one is.

use std::io::{self, BufRead, Read, Write};

use lsp_server::{ErrorCode, Message};
use serde_json::Value;

/// How many bytes a message may have.
const MOST: u64 = 64 * 1024 * 1024;
/// How many bytes a line of a head may have.
const LINE: u64 = 4 * 1024;

/// What came.
pub(super) enum Incoming {
    Message(Message),
    Unreadable(Unreadable),
}

/// Why it is no message.
pub(super) struct Unreadable {
    pub code: ErrorCode,
    pub why: String,
}

/// The next message; `None` when the stream has ended.
pub(super) fn read(input: &mut impl BufRead) -> Option<Incoming> {
    let length = match head(input)? {
        Ok(length) => length,
        Err(why) => return Some(unreadable(ErrorCode::ParseError, why)),
    };
    if length > MOST {
        io::copy(&mut input.take(length), &mut io::sink()).ok()?;
        let why = format!("a message of {length} bytes; it may have {MOST}");
        return Some(unreadable(ErrorCode::InvalidRequest, why));
    }
    let mut body = Vec::new();
    let read = input.take(length).read_to_end(&mut body).ok()?;
    if read as u64 != length {
        return None;
    }
    Some(parsed(&body))
}

/// The length that a head says, which ends with an empty line.
fn head(input: &mut impl BufRead) -> Option<Result<u64, String>> {
    let (mut length, mut is_empty) = (None, true);
    loop {
        let mut line = Vec::new();
        if input.take(LINE).read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if line.is_empty() && !is_empty {
            let missing = || "a head without a Content-Length".to_owned();
            return Some(length.unwrap_or_else(|| Err(missing())));
        }
        is_empty &= line.is_empty();
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            let number = value.trim().parse::<u64>();
            length = Some(number.map_err(|_| "a Content-Length that is no number".to_owned()));
        }
    }
}

fn parsed(body: &[u8]) -> Incoming {
    let value = match serde_json::from_slice::<Value>(body) {
        Ok(value) => value,
        Err(error) => {
            return unreadable(ErrorCode::ParseError, format!("this is no JSON: {error}"));
        }
    };
    serde_json::from_value(value).map_or_else(
        |_| {
            let why = "this is no request, notification or response".to_owned();
            unreadable(ErrorCode::InvalidRequest, why)
        },
        Incoming::Message,
    )
}

fn unreadable(code: ErrorCode, why: String) -> Incoming {
    Incoming::Unreadable(Unreadable { code, why })
}

/// Writes what has no type of its own: an answer to nobody knows what.
pub(super) fn write(output: &mut impl Write, value: &Value) -> io::Result<()> {
    let body = value.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a stream: the method of each message, or why it is none.
    fn heard(stream: &[u8]) -> Vec<String> {
        let mut input = io::Cursor::new(stream);
        let mut all = Vec::new();
        while let Some(incoming) = read(&mut input) {
            all.push(match incoming {
                Incoming::Message(Message::Notification(heard)) => heard.method,
                Incoming::Message(other) => format!("{other:?}"),
                Incoming::Unreadable(unreadable) => unreadable.why,
            });
        }
        all
    }

    fn framed(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn after_what_cannot_be_read_comes_what_can() {
        let fine = framed(r#"{"jsonrpc":"2.0","method":"fine"}"#);
        for (broken, why) in [
            (framed("{"), "this is no JSON"),
            (framed("[1]"), "this is no request"),
            (framed("\u{fffd}"), "this is no JSON"),
            (framed(&"[".repeat(100_000)), "this is no JSON"),
            ("Content-Length: many\r\n\r\n".to_owned(), "no number"),
            ("Content-Length: -1\r\n\r\n".to_owned(), "no number"),
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "without a Content-Length"),
            (format!("{}\r\n\r\n", "x".repeat(100_000)), "without a Content-Length"),
        ] {
            let all = heard(format!("{fine}{broken}{fine}").as_bytes());
            assert_eq!(all.len(), 3, "{broken:.40}: {all:?}");
            assert!(all[1].contains(why), "{all:?}");
            assert_eq!((&*all[0], &*all[2]), ("fine", "fine"));
        }
    }

    #[test]
    fn a_length_that_nobody_could_keep_is_not_kept() {
        let all = heard(format!("Content-Length: {}\r\n\r\nabc", u64::MAX).as_bytes());
        assert_eq!(all.len(), 1);
        assert!(all[0].contains("it may have"), "{all:?}");
        assert_eq!(heard(b"Content-Length: 60000000\r\n\r\nabc"), [""; 0]);
    }
}
