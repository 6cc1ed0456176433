//! Phone numbers, and what else a call or a text can go to or come from.

/// A phone number without its separators.
///
/// `+` and 2 to 15 digits (E.164), or 3 to 15 digits as they are dialled locally, short
/// codes among them. Blanks, hyphens, dots, slashes and brackets may separate them; the
/// `(0)` of `+385 (0)1 234`, which nobody dials after a country code, is dropped.
pub fn phone_number(text: &str) -> Option<String> {
    let text = text.trim();
    let (plus, rest) = match text.strip_prefix('+') {
        Some(rest) => ("+", rest.replacen("(0)", "", 1)),
        None => ("", text.to_owned()),
    };
    let separator = |char: char| " \u{a0}\u{202f}-\u{2010}\u{2011}–./()".contains(char);
    let digits: String = rest.chars().filter(|char| !separator(*char)).collect();
    let least = if plus.is_empty() { 3 } else { 2 };
    let is_number =
        (least..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("{plus}{digits}"))
}

/// What a call can go to or come from: a phone number, `sip:ana@example.com` or
/// `client:ana`.
pub fn callee(text: &str) -> Option<String> {
    let text = text.trim();
    let Some((scheme, rest)) = text.split_once(':') else { return phone_number(text) };
    let has_parts = match scheme.to_ascii_lowercase().as_str() {
        "sip" | "sips" => {
            rest.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        }
        "client" => !rest.is_empty(),
        _ => false,
    };
    let plain = |char: char| !char.is_whitespace() && !char.is_control();
    (has_parts && rest.chars().all(plain))
        .then(|| format!("{}:{rest}", scheme.to_ascii_lowercase()))
}

/// What a text can come from: a phone number, a sender id of up to 11 letters, digits and
/// blanks, or the id of a messaging service.
pub fn sms_sender(text: &str) -> Option<String> {
    let text = text.trim();
    if is_messaging_service(text) || is_sender_id(text) {
        return Some(text.to_owned());
    }
    phone_number(text)
}

/// Whether this is the id of a Twilio messaging service: `MG` and 32 hexadecimal digits.
pub fn is_messaging_service(text: &str) -> bool {
    text.strip_prefix("MG")
        .is_some_and(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_sender_id(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b" +-_&".contains(&byte);
    (1..=11).contains(&text.len())
        && text.bytes().all(known)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_read_as_people_write_it() {
        for (written, dialled) in [
            ("+385911234567", "+385911234567"),
            (" +385 91 123-4567 ", "+385911234567"),
            ("+385 (0)91 / 123.45.67", "+385911234567"),
            ("+1 (212) 555–0100", "+12125550100"),
            ("+385\u{a0}91\u{202f}1234567", "+385911234567"),
            ("091 1234 567", "0911234567"),
            ("(01) 234-567", "01234567"),
            ("112", "112"),
        ] {
            assert_eq!(phone_number(written).as_deref(), Some(dialled), "{written}");
        }
    }

    #[test]
    fn what_nobody_could_dial_is_no_number() {
        for text in [
            "",
            "+",
            "+1",
            "11",
            "nobody",
            "1-800-FLOWERS",
            "+1234567890123456",
            "1234567890123456",
            "+385+91",
            "385 91+",
            "٠٩١١٢٣٤",
            "+385911234567\nx",
            "12,34",
            "{{phone}}",
            "sip:a@b",
        ] {
            assert_eq!(phone_number(text), None, "{text}");
        }
    }

    #[test]
    fn a_call_may_go_to_a_sip_address_or_a_client() {
        for (text, to) in [
            ("sip:ana@example.com", Some("sip:ana@example.com")),
            ("SIP:ana@example.com;transport=tls", Some("sip:ana@example.com;transport=tls")),
            ("client:ana", Some("client:ana")),
            ("+385 91 1234567", Some("+385911234567")),
            ("sip:ana", None),
            ("sip:@example.com", None),
            ("client:", None),
            ("client:a b", None),
            ("mailto:a@b", None),
        ] {
            assert_eq!(callee(text).as_deref(), to, "{text}");
        }
    }

    #[test]
    fn a_text_may_come_from_a_name_or_a_messaging_service() {
        let service = "MG0123456789abcdef0123456789ABCDEF";
        for (text, from) in [
            ("Rungs", Some("Rungs")),
            (" Pizza & Co ", Some("Pizza & Co")),
            (service, Some(service)),
            ("+385 91 1234567", Some("+385911234567")),
            ("60123", Some("60123")),
            ("MGM Grand", Some("MGM Grand")),
            ("Twelve chars", None),
            ("Šibenik", None),
            ("12", None),
            ("a@b", None),
            ("", None),
            ("MG0123", Some("MG0123")),
        ] {
            assert_eq!(sms_sender(text).as_deref(), from, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered_and_read_again_as_itself(text in "\\PC*|[+0-9 ()a-z:@.-]{0,20}") {
            for read in [phone_number, callee, sms_sender] {
                if let Some(once) = read(&text) {
                    prop_assert_eq!(read(&once), Some(once.clone()));
                    prop_assert!(!once.chars().any(char::is_control));
                }
            }
        }
    }
}
