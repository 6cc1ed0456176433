//! A mail as it goes over the wire: pure.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use lettre::{
    Message,
    address::Envelope,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use rungs_runners::builtin::email;

/// A mail, composed.
pub(super) struct Mail {
    /// Its `Message-ID`.
    pub id: String,
    /// Whom the server is told about: blind copies too.
    pub envelope: Envelope,
    /// Headers and body: without blind copies.
    pub content: Vec<u8>,
}

/// Composes the mail `request` of the delivery `id`; the error is why it cannot be.
pub(super) fn compose(
    request: &email::Mail,
    sender: Option<&Mailbox>,
    id: &str,
    now: DateTime<Utc>,
) -> Result<Mail, String> {
    let from = match request.from.as_deref().filter(|from| !from.trim().is_empty()) {
        Some(from) => mailbox(from)?,
        None => sender.cloned().ok_or("no sender: neither the step nor smtp.from names one")?,
    };
    let id = format!("<{id}@{}>", from.email.domain());
    let mut builder = Message::builder()
        .message_id(Some(id.clone()))
        .date(SystemTime::from(now))
        .subject(one_line(&request.subject))
        // RFC 3834: so that nobody's vacation notice answers.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".into(),
        ))
        .from(from);
    for address in &request.to {
        builder = builder.to(mailbox(address)?);
    }
    for address in &request.cc {
        builder = builder.cc(mailbox(address)?);
    }
    for address in &request.bcc {
        builder = builder.bcc(mailbox(address)?);
    }
    for address in &request.reply_to {
        builder = builder.reply_to(mailbox(address)?);
    }
    let message = match (request.text.clone(), request.html.clone()) {
        (Some(text), Some(html)) => {
            builder.multipart(MultiPart::alternative_plain_html(text, html))
        }
        (None, Some(html)) => builder.singlepart(SinglePart::html(html)),
        (text, None) => builder.singlepart(SinglePart::plain(text.unwrap_or_default())),
    };
    let message = message.map_err(|error| match error {
        lettre::error::Error::MissingTo => "there is nobody to write to".to_owned(),
        error => error.to_string(),
    })?;
    Ok(Mail { id, envelope: message.envelope().clone(), content: message.formatted() })
}

/// `ana@example.com` or `Ana <ana@example.com>`.
pub(super) fn mailbox(address: &str) -> Result<Mailbox, String> {
    let address = address.trim();
    if address.chars().any(char::is_control) {
        return Err(format!("{address:?} is no mail address: it has control characters in it"));
    }
    address.parse().map_err(|error| format!("{address:?} is no mail address: {error}"))
}

/// A header is one line, whatever a template put into it.
fn one_line(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request() -> email::Mail {
        email::Mail {
            from: Some("Rungs <rungs@example.com>".into()),
            to: vec!["Ana Anić <ana@example.com>".into()],
            cc: vec![],
            bcc: vec![],
            reply_to: vec![],
            subject: "Orders".into(),
            text: Some("Two orders wait.".into()),
            html: None,
        }
    }

    fn compose_at_noon(request: &email::Mail) -> Result<(Mail, String), String> {
        let mail = compose(request, None, "d1", "2026-03-29T12:00:00Z".parse().unwrap())?;
        let text = String::from_utf8(mail.content.clone()).expect("mail is ASCII");
        Ok((mail, text))
    }

    /// The headers' names, unfolded.
    fn headers(mail: &str) -> Vec<&str> {
        let (head, _) = mail.split_once("\r\n\r\n").expect("a head");
        head.split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split_once(':').expect("a header").0)
            .collect()
    }

    #[test]
    fn a_mail_bears_the_deliverys_id_and_the_time_it_was_given() {
        let (mail, text) = compose_at_noon(&request()).unwrap();
        assert_eq!(mail.id, "<d1@example.com>");
        assert!(
            text.contains("\r\nMessage-ID: <d1@example.com>\r\n")
                || text.starts_with("Message-ID: <d1@example.com>\r\n"),
            "{text}"
        );
        assert!(text.contains("Date: Sun, 29 Mar 2026 12:00:00 +0000\r\n"), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated\r\n"), "{text}");
    }

    #[test]
    fn text_and_html_are_alternatives() {
        let html = Some("<p>Two orders wait.</p>".to_owned());
        let (_, both) = compose_at_noon(&email::Mail { html: html.clone(), ..request() }).unwrap();
        assert!(both.contains("Content-Type: multipart/alternative;"), "{both}");
        let plain = both.find("text/plain").expect("text");
        assert!(plain < both.find("text/html").expect("html"), "the better one comes last");
        let (_, only) = compose_at_noon(&email::Mail { html, text: None, ..request() }).unwrap();
        assert!(only.contains("Content-Type: text/html"), "{only}");
    }

    #[test]
    fn a_blind_copy_is_in_the_envelope_only() {
        let bcc = vec!["boss@example.com".to_owned()];
        let (mail, text) = compose_at_noon(&email::Mail { bcc, ..request() }).unwrap();
        let to: Vec<String> = mail.envelope.to().iter().map(ToString::to_string).collect();
        assert_eq!(to, ["ana@example.com", "boss@example.com"]);
        assert!(!text.to_lowercase().contains("bcc") && !text.contains("boss@"), "{text}");
    }

    #[test]
    fn what_is_no_address_is_named() {
        let to = |address: &str| email::Mail { to: vec![address.to_owned()], ..request() };
        for address in ["", "ana", "ana@", "@example.com", "a@b@c", "ana@exam ple.com"] {
            let reason = compose_at_noon(&to(address)).err().expect(address);
            assert!(reason.contains(&format!("{address:?} is no mail address")), "{reason}");
        }
        let reason = compose_at_noon(&email::Mail { to: vec![], ..request() }).err().unwrap();
        assert_eq!(reason, "there is nobody to write to");
        let reason = compose_at_noon(&email::Mail { from: None, ..request() }).err().unwrap();
        assert!(reason.starts_with("no sender"), "{reason}");
    }

    proptest! {
        /// Whatever a template makes of the texts: the same headers, the same recipients.
        #[test]
        fn no_text_can_add_a_header_or_a_recipient(
            subject in injection(), text in injection(), name in injection(), address in injection(),
        ) {
            let plain = compose_at_noon(&request()).unwrap();
            let texts = email::Mail { subject, text: Some(text), ..request() };
            let (mail, content) = compose_at_noon(&texts).unwrap();
            prop_assert_eq!(headers(&content), headers(&plain.1));
            prop_assert_eq!(mail.envelope.to().len(), 1);

            for to in [format!("{name} <ana@example.com>"), address] {
                let Ok((mail, content)) = compose_at_noon(&email::Mail { to: vec![to], ..request() })
                else { continue };
                prop_assert_eq!(headers(&content), headers(&plain.1));
                prop_assert_eq!(mail.envelope.to().len(), 1);
            }
        }
    }

    fn injection() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("\r\n".to_owned()),
            Just("\n".to_owned()),
            Just("\r".to_owned()),
            Just("\r\n\r\n".to_owned()),
            Just("Bcc: eve@example.com".to_owned()),
            Just("<eve@example.com>, ".to_owned()),
            Just("\u{85}\u{2028}=?utf-8?q?=0A?=".to_owned()),
            any::<String>(),
        ];
        proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }
}
