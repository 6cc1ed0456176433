//! Mail, against a real server.

use rungs::channels::{Channels, Config, smtp};
use rungs_runners::{DeliveryStatus, builtin::email::Mail};

use super::{DELIVERY, doubtful, refused, send, send_with, temporary};
use crate::fakes::smtp::{Demands, MailServer, Message};

fn config(smtp: smtp::Config) -> Config {
    Config { smtp: Some(smtp), ..Config::default() }
}

fn mail_to(to: &[&str]) -> Mail {
    Mail {
        from: None,
        to: to.iter().map(|to| (*to).to_owned()).collect(),
        cc: vec![],
        bcc: vec![],
        reply_to: vec![],
        subject: "Orders are waiting".into(),
        text: Some("Two orders wait.\n".into()),
        html: None,
    }
}

impl Message {
    fn head(&self) -> &str {
        self.raw.split_once("\r\n\r\n").expect("a head and a body").0
    }

    fn has_header(&self, header: &str) -> bool {
        self.head().split("\r\n").any(|line| line == header)
    }
}

#[tokio::test]
async fn a_mail_arrives_with_the_deliverys_id_and_both_bodies() {
    let mut server = MailServer::start();
    let mail = Mail {
        from: Some("Kod Mame <orders@kodmame.example>".into()),
        to: vec!["Ana Anić <ana@example.com>".into(), "ivo@example.com".into()],
        cc: vec!["cc@example.com".into()],
        bcc: vec!["boss@example.com".into()],
        reply_to: vec!["desk@kodmame.example".into()],
        subject: "Narudžba čeka".into(),
        text: Some("Dvije narudžbe čekaju.".into()),
        html: Some("<p>Dvije narudžbe čekaju.</p>".into()),
    };
    let sent = send(&config(server.config()), "email", &mail).await.unwrap();
    assert_eq!(sent.status, DeliveryStatus::Sent);
    assert_eq!(sent.then, []);
    let id = format!("<{DELIVERY}@kodmame.example>");
    assert_eq!(sent.provider_id.as_deref(), Some(id.as_str()));

    let message = server.message();
    assert_eq!(message.from, "orders@kodmame.example");
    assert_eq!(
        message.to,
        ["ana@example.com", "ivo@example.com", "cc@example.com", "boss@example.com"]
    );
    assert!(message.has_header(&format!("Message-ID: {id}")), "{}", message.head());
    assert!(message.has_header("Date: Sun, 29 Mar 2026 12:00:00 +0000"), "{}", message.head());
    assert!(message.has_header("Reply-To: desk@kodmame.example"), "{}", message.head());
    assert!(message.has_header("Cc: cc@example.com"), "{}", message.head());
    assert!(message.head().contains("multipart/alternative"), "{}", message.head());
    assert!(!message.raw.contains("boss@example.com"), "a blind copy is seen: {}", message.raw);
    assert!(message.raw.is_ascii(), "so that any server takes it");
}

#[tokio::test]
async fn the_connection_is_upgraded_before_anybody_introduces_themselves() {
    let login = Some(("rungs", "hush-hush"));
    let mut server = MailServer::demanding(Demands { security: "starttls", login });
    send(&config(server.config()), "email", &mail_to(&["ana@example.com"])).await.unwrap();
    let message = server.message();
    assert!(message.tls);
    assert_eq!(message.user.as_deref(), Some("rungs"));
}

#[tokio::test]
async fn tls_may_begin_with_the_first_byte() {
    let mut server = MailServer::demanding(Demands { security: "tls", login: None });
    send(&config(server.config()), "email", &mail_to(&["ana@example.com"])).await.unwrap();
    assert!(server.message().tls);
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_nothing() {
    for security in ["tls", "starttls"] {
        let mut server = MailServer::demanding(Demands { security, login: None });
        let mut smtp = server.config();
        smtp.ca_file = None;
        let reason = temporary(send(&config(smtp), "email", &mail_to(&["ana@example.com"])).await);
        assert!(reason.to_lowercase().contains("certificate"), "{security}: {reason}");
        assert!(server.messages().is_empty());
    }
}

#[tokio::test]
async fn a_server_that_offers_no_tls_gets_nothing_in_plain_text() {
    let mut server = MailServer::start();
    let mut smtp = server.config();
    smtp.security = smtp::Security::Starttls;
    let reason = refused(send(&config(smtp), "email", &mail_to(&["ana@example.com"])).await);
    assert!(reason.contains("STARTTLS is not supported"), "{reason}");
    assert!(server.messages().is_empty());
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_repeated_in_the_reason() {
    let login = Some(("rungs", "hush-hush"));
    let server = MailServer::demanding(Demands { security: "starttls", login });
    let mut smtp = server.config();
    smtp.password = Some("open-sesame".to_owned().into());
    let reason = refused(send(&config(smtp), "email", &mail_to(&["ana@example.com"])).await);
    assert!(reason.contains("535"), "{reason}");
    assert!(!reason.contains("sesame"), "{reason}");
}

#[tokio::test]
async fn the_servers_codes_decide_whether_it_is_tried_again() {
    let mut server = MailServer::start();
    let channels = Channels::open(&config(server.config())).unwrap();
    for (recipient, code) in [("busy@example.com", "451"), ("full@example.com", "452")] {
        let reason = temporary(send_with(&channels, "email", &mail_to(&[recipient])).await);
        assert!(reason.contains(code), "{reason}");
    }
    for (recipient, code) in [("nobody@example.com", "550"), ("spam@example.com", "554")] {
        let reason = refused(send_with(&channels, "email", &mail_to(&[recipient])).await);
        assert!(reason.contains(code), "{reason}");
    }
    assert!(server.messages().is_empty());
    send_with(&channels, "email", &mail_to(&["ana@example.com"])).await.unwrap();
    assert_eq!(server.message().to, ["ana@example.com"]);
}

#[tokio::test]
async fn one_wrong_address_does_not_keep_the_mail_from_the_others() {
    let mut server = MailServer::start();
    let to = ["nobody@example.com", "ana@example.com"];
    let sent = send(&config(server.config()), "email", &mail_to(&to)).await.unwrap();
    let note = sent.then[0].error.as_deref().unwrap();
    assert!(note.starts_with("nobody@example.com: ") && note.contains("550"), "{note}");
    assert_eq!(sent.then[0].status, DeliveryStatus::Sent);
    assert_eq!(server.message().to, ["ana@example.com"]);
}

#[tokio::test]
async fn before_the_message_silence_leaves_nothing_and_after_it_nobody_knows() {
    let mut server = MailServer::start();
    let mut smtp = server.config();
    smtp.timeout = 1.0;
    let channels = Channels::open(&config(smtp)).unwrap();

    let reason = temporary(send_with(&channels, "email", &mail_to(&["deaf@example.com"])).await);
    assert!(reason.contains("did not answer within 1s"), "{reason}");
    assert!(server.messages().is_empty());

    let reason = doubtful(send_with(&channels, "email", &mail_to(&["silent@example.com"])).await);
    assert!(reason.contains("did not answer within 1s"), "{reason}");
    doubtful(send_with(&channels, "email", &mail_to(&["cut@example.com"])).await);
    assert_eq!(server.messages().len(), 2, "it had taken both");

    send_with(&channels, "email", &mail_to(&["ana@example.com"])).await.unwrap();
    assert_eq!(server.message().to, ["ana@example.com"], "on a connection of its own");
}

#[tokio::test]
async fn a_connection_serves_one_mail_after_the_other() {
    let mut server = MailServer::start();
    let channels = Channels::open(&config(server.config())).unwrap();
    for to in ["ana@example.com", "ivo@example.com", "eva@example.com"] {
        send_with(&channels, "email", &mail_to(&[to])).await.unwrap();
    }
    let peers: Vec<u16> = server.messages().iter().map(|message| message.peer).collect();
    assert_eq!(peers, [peers[0]; 3], "one connection");
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again_and_a_kept_connection_does_not_matter() {
    let mut server = MailServer::start();
    let channels = Channels::open(&config(server.config())).unwrap();
    send_with(&channels, "email", &mail_to(&["ana@example.com"])).await.unwrap();
    server.stop();
    let reason = temporary(send_with(&channels, "email", &mail_to(&["ana@example.com"])).await);
    assert!(reason.contains("refused"), "{reason}");
}

#[tokio::test]
async fn no_subject_body_or_name_becomes_a_header_a_recipient_or_a_second_mail() {
    let mut server = MailServer::start();
    let channels = Channels::open(&config(server.config())).unwrap();
    let eve = "\r\nBcc: eve@example.com\r\n\r\n.\r\nMAIL FROM:<eve@example.com>\r\n";
    let smuggled = "one\n.\nMAIL FROM:<eve@example.com>\r.\rtwo\r\n.\r\nRSET\r\n";
    let mail = Mail {
        subject: format!("Orders{eve}"),
        text: Some(format!("{smuggled}{eve}")),
        ..mail_to(&["ana@example.com"])
    };
    send_with(&channels, "email", &mail).await.unwrap();
    let message = server.message();
    assert_eq!((message.from.as_str(), message.to.len()), ("rungs@example.com", 1));
    assert!(!message.head().contains("\r\nBcc"), "{}", message.head());

    for address in [
        format!("ana@example.com{eve}"),
        format!("Ana{eve} <ana@example.com>"),
        "ana@example.com>\r\nRCPT TO:<eve@example.com".to_owned(),
    ] {
        let reason = refused(send_with(&channels, "email", &mail_to(&[&address])).await);
        assert!(reason.contains("is no mail address"), "{reason}");
    }
    assert!(server.messages().is_empty());
}
