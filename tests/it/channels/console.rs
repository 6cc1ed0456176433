//! The console in the place of every channel.

use std::sync::{Arc, Mutex};

use rungs::channels::{Channels, Config, Print, Sent, console::CallFate};
use rungs_runners::{
    DeliveryStatus,
    builtin::{
        email::Mail,
        phone::{Call, CallContent},
        sms::Sms,
    },
};
use serde::Serialize;

use super::send_with;

/// Sends through an unconfigured channel. Gives what was printed, and what was reported.
async fn print(config: &Config, name: &str, request: &impl Serialize) -> (String, Sent) {
    let printed = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&printed);
    let sink: Print = Arc::new(move |block| sink.lock().unwrap().push(block.to_owned()));
    let channels = Channels::open_printing(config, &sink).unwrap();
    let sent = send_with(&channels, name, request).await.unwrap();
    let printed = printed.lock().unwrap().join("\n---\n");
    (printed, sent)
}

fn call(text: &str) -> Call {
    Call {
        to: "+385911234567".into(),
        from: None,
        content: CallContent::Say { text: text.into(), voice: None, language: None },
        ring_for: None,
        detect_machine: false,
    }
}

fn then(sent: &Sent) -> Vec<DeliveryStatus> {
    sent.then.iter().map(|heard| heard.status).collect()
}

#[tokio::test]
async fn a_call_is_printed_and_placed_and_then_nobody_answers() {
    let (printed, sent) = print(&Config::default(), "phone", &call("Two orders.")).await;
    assert_eq!(
        printed,
        "phone [order-1042, ring] to +385911234567: \"Two orders.\" (nobody answers)"
    );
    assert_eq!(sent.status, DeliveryStatus::Sent, "so that `await: placed` goes on");
    assert_eq!(then(&sent), [DeliveryStatus::NoAnswer]);
}

#[tokio::test]
async fn somebody_answers_if_the_configuration_says_so() {
    let mut config = Config::default();
    for (fate, statuses) in [
        (CallFate::Answered, vec![DeliveryStatus::Answered, DeliveryStatus::Completed]),
        (CallFate::Busy, vec![DeliveryStatus::Busy]),
        (CallFate::Machine, vec![DeliveryStatus::Machine]),
    ] {
        config.console.calls = fate;
        let (_, sent) = print(&config, "phone", &call("Two orders.")).await;
        assert_eq!(then(&sent), statuses, "{fate:?}");
    }
}

#[tokio::test]
async fn a_text_is_delivered_and_a_mail_is_sent() {
    let sms = Sms {
        from: Some("Rungs".into()),
        to: "+385911234567".into(),
        message: "Orders are waiting.".into(),
    };
    let (printed, sent) = print(&Config::default(), "sms", &sms).await;
    assert_eq!(
        printed,
        "sms [order-1042, ring] to +385911234567 from Rungs: \"Orders are waiting.\""
    );
    assert_eq!((sent.status, then(&sent)), (DeliveryStatus::Delivered, vec![]));

    let mail = Mail {
        from: None,
        to: vec!["ana@example.com".into(), "ivo@example.com".into()],
        cc: vec![],
        bcc: vec!["boss@example.com".into()],
        reply_to: vec![],
        subject: "Orders".into(),
        text: Some("Dear Ana,\n\ntwo orders.".into()),
        html: Some("<p>Dear Ana</p>".into()),
    };
    let (printed, sent) = print(&Config::default(), "email", &mail).await;
    assert_eq!(
        printed,
        "email [order-1042, ring] to ana@example.com, ivo@example.com, bcc boss@example.com: \
         \"Orders\"\n    | Dear Ana,\n    | \n    | two orders."
    );
    assert_eq!((sent.status, then(&sent)), (DeliveryStatus::Sent, vec![]));
}

#[tokio::test]
async fn nothing_that_is_printed_can_steer_the_terminal() {
    let (printed, _) = print(&Config::default(), "phone", &call("\u{1b}[2J\r\nphone [x]")).await;
    assert!(printed.contains(r#""\u{1b}[2J\r\nphone [x]""#), "{printed}");
    assert!(!printed.contains(char::is_control), "{printed:?}");
}
