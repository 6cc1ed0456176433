//! What a call says, as TwiML.

use std::fmt::Write as _;

/// `<Response><Say>text</Say></Response>`: well-formed whatever `text` contains.
pub(super) fn say(text: &str, voice: Option<&str>, language: Option<&str>) -> String {
    let mut twiml = String::from("<Response><Say");
    for (name, value) in [("voice", voice), ("language", language)] {
        if let Some(value) = value {
            let _ = write!(twiml, " {name}=\"{}\"", escape(value));
        }
    }
    let _ = write!(twiml, ">{}</Say></Response>", escape(text));
    twiml
}

/// For text and for attributes in double quotes. Characters that XML 1.0 cannot carry
/// even escaped are dropped: nobody could hear them either.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // A parser would turn these into plain spaces or line ends.
            '\t' => escaped.push_str("&#9;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text, voice and language that a parser hears.
    fn hear(twiml: &str) -> (String, Option<String>, Option<String>) {
        let document = roxmltree::Document::parse(twiml).expect("well-formed");
        let say = document.root_element().first_element_child().expect("a Say");
        assert_eq!(
            (document.root_element().tag_name().name(), say.tag_name().name()),
            ("Response", "Say")
        );
        let attribute = |name| say.attribute(name).map(str::to_owned);
        (say.text().unwrap_or_default().to_owned(), attribute("voice"), attribute("language"))
    }

    #[test]
    fn a_plain_sentence_stays_readable() {
        assert_eq!(
            say("Two orders.", Some("alice"), Some("en-GB")),
            "<Response><Say voice=\"alice\" language=\"en-GB\">Two orders.</Say></Response>"
        );
    }

    #[test]
    fn a_restaurant_cannot_name_itself_out_of_the_sentence() {
        let name = "Tom & Jerry's</Say><Dial>+1900</Dial><Say>\u{0}\u{8}";
        assert_eq!(
            hear(&say(name, Some("\"><x"), None)).0,
            name.trim_end_matches(char::is_control)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_heard_as_it_is_written(text in any::<String>(), voice in any::<String>()) {
            let possible = |text: &str| -> String {
                let impossible = |c: &char| {
                    (*c < ' ' && !"\t\n\r".contains(*c)) || matches!(*c, '\u{fffe}' | '\u{ffff}')
                };
                text.chars().filter(|c| !impossible(c)).collect()
            };
            let heard = hear(&say(&text, Some(&voice), None));
            prop_assert_eq!(heard, (possible(&text), Some(possible(&voice)), None));
        }
    }
}
