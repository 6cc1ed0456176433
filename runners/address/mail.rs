//! Mail addresses.

use email_address::EmailAddress;

/// A mail address, alone or after a name: `ana@example.com`, `Ana <ana@example.com>`.
///
/// It comes out on one line, with the name in quotation marks where it needs them.
pub fn mailbox(text: &str) -> Option<String> {
    let text = one_line(text);
    let (name, address) = match text.strip_suffix('>') {
        Some(rest) => rest.rsplit_once('<')?,
        None => ("", text.as_str()),
    };
    let name = unquoted(name.trim());
    // Blanks in the quotation marks are no part of a name either.
    let (name, address) = (name.trim(), address.trim());
    let (user, domain) = address.rsplit_once('@')?;
    let is_address =
        EmailAddress::is_valid_local_part(user) && EmailAddress::is_valid_domain(domain);
    is_address.then(|| match quoted_name(name) {
        None => address.to_owned(),
        Some(name) => format!("{name} <{address}>"),
    })
}

/// The text on one line: each run of blanks and control characters becomes a blank.
pub fn one_line(text: &str) -> String {
    let blank = |char: char| char.is_whitespace() || char.is_control();
    text.split(blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The entries of a list as a template renders one, or as people write one: separated by
/// commas or semicolons, perhaps in square brackets. Those in the quotation marks of a
/// name separate nothing, and empty entries are none.
pub fn split(text: &str) -> Vec<&str> {
    let text = text.trim();
    let text = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let (mut quoted, mut escaped) = (false, false);
    text.split(|char: char| {
        let literal = std::mem::take(&mut escaped);
        match char {
            _ if literal => false,
            '\\' => {
                escaped = quoted;
                false
            }
            '"' => {
                quoted = !quoted;
                false
            }
            char => !quoted && (char == ',' || char == ';'),
        }
    })
    .map(str::trim)
    .filter(|entry| !entry.is_empty())
    .collect()
}

/// The name inside quotation marks.
fn unquoted(name: &str) -> String {
    let Some(inner) = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return name.to_owned();
    };
    let mut escaped = false;
    let meant = |char: &char| {
        escaped = *char == '\\' && !escaped;
        !escaped
    };
    inner.chars().filter(meant).collect()
}

/// The name as it stands before an address; `None` if there is none.
fn quoted_name(name: &str) -> Option<String> {
    let plain = |char: char| char.is_alphanumeric() || char == ' ' || char == '-';
    if name.is_empty() {
        None
    } else if name.chars().all(plain) {
        Some(name.to_owned())
    } else {
        Some(format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_stands_alone_or_after_a_name() {
        for (written, read) in [
            ("ana@example.com", "ana@example.com"),
            (" <ana@example.com> ", "ana@example.com"),
            ("Ana <ana@example.com>", "Ana <ana@example.com>"),
            ("Ana Šarić  < ana@example.com >", "Ana Šarić <ana@example.com>"),
            ("\"Šarić, Ana\" <ana@example.com>", "\"Šarić, Ana\" <ana@example.com>"),
            ("Šarić, Ana <ana@example.com>", "\"Šarić, Ana\" <ana@example.com>"),
            (r#""Ana \"the\" \\ Boss" <a@b.hr>"#, r#""Ana \"the\" \\ Boss" <a@b.hr>"#),
            ("\" \" <root@localhost>", "root@localhost"),
            ("\" Ana \" <ana@example.com>", "Ana <ana@example.com>"),
            ("root@localhost", "root@localhost"),
            ("ana+orders@žito.hr", "ana+orders@žito.hr"),
        ] {
            assert_eq!(mailbox(written).as_deref(), Some(read), "{written}");
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            "ana",
            "ana@",
            "@example.com",
            "ana@@example.com",
            "ana@exa mple.com",
            "Ana <ana>",
            "<>",
            ">",
            "a@b>",
            "a <b@c",
            "ana@.com",
            "{{mail}}",
            "a@b, c@d",
        ] {
            assert_eq!(mailbox(text), None, "{text}");
        }
    }

    #[test]
    fn a_header_cannot_be_smuggled_in() {
        assert_eq!(mailbox("ana@example.com\r\nBcc: eve@example.com"), None);
        assert_eq!(
            mailbox("Ana\r\nBcc: eve@example.com\r\n <ana@example.com>").as_deref(),
            Some("\"Ana Bcc: eve@example.com\" <ana@example.com>")
        );
        assert_eq!(one_line(" Orders\r\nX-Evil: 1\0\u{85}\t! "), "Orders X-Evil: 1 !");
    }

    #[test]
    fn a_rendered_list_is_split_where_it_is_one() {
        assert_eq!(split("a@b, c@d;e@f,,"), ["a@b", "c@d", "e@f"]);
        assert_eq!(split("[a@b, c@d]"), ["a@b", "c@d"]);
        assert_eq!(
            split(r#""Doe, \"J\", John" <j@d>, a@b"#),
            [r#""Doe, \"J\", John" <j@d>"#, "a@b"]
        );
        assert_eq!(split(" , ,"), Vec::<&str>::new());
        assert_eq!(split("ana@[10.0.0.1]"), ["ana@[10.0.0.1]"]);
    }

    proptest! {
        #[test]
        fn any_text_is_answered_and_read_again_as_itself(
            text in "\\PC*|[\"a-c\\\\ ]{0,9}<?[a-c.]{0,3}@[a-c.]{0,3}>?",
        ) {
            if let Some(once) = mailbox(&text) {
                prop_assert_eq!(mailbox(&once), Some(once.clone()));
                prop_assert!(!once.chars().any(char::is_control));
                prop_assert_eq!(split(&once), [once.as_str()]);
            }
        }
    }
}
