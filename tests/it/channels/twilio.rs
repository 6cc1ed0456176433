//! Calls and messages, against a Twilio that is as strict as its documentation.

use std::time::Duration;

use chrono::TimeDelta;
use rungs::{
    channels::{Channels, Config, Enquiry, Heard, Search, SendError, Sent, caller_ids::CallerIds},
    clock::Clock,
};
use rungs_runners::{
    DeliveryStatus,
    builtin::{
        phone::{Call, CallContent},
        sms::Sms,
    },
};
use serde::Serialize;
use tokio::net::TcpListener;

mod callbacks;

use super::{DELIVERY, doubtful, outgoing, refused, send, send_with, temporary};
use crate::fakes::twilio::{FakeTwilio, Fate, Mood, Resource, field};

fn config(fake: &FakeTwilio) -> Config {
    Config { twilio: Some(fake.config(Some("https://rungs.example/in"))), ..Config::default() }
}

/// A configuration that gives up soon.
fn impatient(fake: &FakeTwilio) -> Config {
    let mut config = config(fake);
    config.twilio.as_mut().unwrap().timeout = 0.5;
    config
}

fn call() -> Call {
    Call {
        to: "+385911234567".into(),
        from: None,
        content: CallContent::Say { text: "Two orders.".into(), voice: None, language: None },
        ring_for: None,
        detect_machine: false,
    }
}

fn sms() -> Sms {
    Sms { from: None, to: "+385911234567".into(), message: "Orders & more <are> waiting.".into() }
}

fn only(made: Vec<Resource>) -> Resource {
    assert_eq!(made.len(), 1, "{made:#?}");
    made.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_call_says_its_words_and_names_its_delivery_in_the_callback() {
    let fake = FakeTwilio::start().await;
    let content = CallContent::Say {
        text: "Tom & Jerry's has <3> \"orders\".\u{0}".into(),
        voice: Some("alice".into()),
        language: Some("en-GB".into()),
    };
    let call = Call { content, ring_for: Some(30), ..call() };
    let sent = send(&config(&fake), "phone", &call).await.unwrap();

    let made = only(fake.calls());
    assert_eq!(
        sent,
        Sent {
            provider_id: Some(made.sid.clone()),
            status: DeliveryStatus::Sent,
            then: vec![],
            answer: None,
        }
    );
    let callback = format!("https://rungs.example/in/callbacks/twilio/calls/{DELIVERY}");
    let fields = [
        ("To", "+385911234567"),
        ("From", "+38515550100"),
        (
            "Twiml",
            "<Response><Say voice=\"alice\" language=\"en-GB\">Tom &amp; Jerry's has &lt;3&gt; \
             &quot;orders&quot;.</Say></Response>",
        ),
        ("Timeout", "30"),
        ("StatusCallback", &callback),
        ("StatusCallbackMethod", "POST"),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
    ];
    let form: Vec<_> = made.form.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(form, fields);
}

#[tokio::test]
async fn a_call_may_find_out_what_to_say_elsewhere() {
    let fake = FakeTwilio::start().await;
    let content = CallContent::Url("https://kodmame.example/twiml".into());
    send(&config(&fake), "phone", &Call { content, ..call() }).await.unwrap();
    let made = only(fake.calls());
    assert_eq!(made.field("Url"), Some("https://kodmame.example/twiml"));
    assert_eq!(made.field("Twiml"), None);
}

#[tokio::test]
async fn a_text_comes_from_the_registry_the_step_or_a_messaging_service() {
    let fake = FakeTwilio::start().await;
    let channels = Channels::open(&config(&fake)).unwrap();
    let service = "MG0123456789abcdef0123456789abcdef";
    for (from, to) in [
        (None, "+385911234567"),
        (None, "+4479460000"),
        (Some("Rungs"), "+1415"),
        (Some(service), "+1"),
    ] {
        let to = format!("{to:0<12}");
        let sms = Sms { from: from.map(str::to_owned), to, ..sms() };
        send_with(&channels, "sms", &sms).await.unwrap();
    }
    let senders: Vec<_> = fake
        .messages()
        .iter()
        .map(|made| {
            let field = |name| made.field(name).map(str::to_owned);
            (field("From"), field("MessagingServiceSid"))
        })
        .collect();
    let own = |text: &str| Some(text.to_owned());
    assert_eq!(
        senders,
        [
            (own("+38515550100"), None),
            (own("+14155550100"), None),
            (own("Rungs"), None),
            (None, own(service)),
        ]
    );
    let first = &fake.messages()[0];
    assert_eq!(first.field("Body"), Some("Orders & more <are> waiting."));
    let callback = format!("https://rungs.example/in/callbacks/twilio/messages/{DELIVERY}");
    assert_eq!(first.field("StatusCallback"), Some(callback.as_str()));
}

#[tokio::test]
async fn without_a_caller_id_nothing_is_asked_of_the_provider() {
    let fake = FakeTwilio::start().await;
    let mut config = config(&fake);
    config.twilio.as_mut().unwrap().caller_ids = CallerIds::default();
    for from in [None, Some(" ".to_owned())] {
        let reason = refused(send(&config, "phone", &Call { from, ..call() }).await);
        assert!(reason.contains("no caller id for +385911234567"), "{reason}");
    }
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn a_refusal_is_final_and_carries_the_providers_own_words() {
    let fake = FakeTwilio::start().await;
    let channels = Channels::open(&config(&fake)).unwrap();
    let nowhere = Call { to: "nobody".into(), ..call() };
    let reason = refused(send_with(&channels, "phone", &nowhere).await);
    assert_eq!(
        reason,
        "HTTP 400 Bad Request, code 21211: The 'To' number nobody is not a valid phone number. \
         (https://www.twilio.com/docs/errors/21211)"
    );

    fake.next(Mood::Refusal(400, 21610, "Attempt to send to unsubscribed recipient"));
    let unsubscribed = send_with(&channels, "sms", &sms()).await.unwrap_err();
    assert!(
        matches!(unsubscribed, SendError::Refused { status: DeliveryStatus::Rejected, .. }),
        "{unsubscribed:?}"
    );
    fake.next(Mood::Html(404));
    let reason = refused(send_with(&channels, "phone", &call()).await);
    assert_eq!(reason, "HTTP 404 Not Found: <html><h1>Hello from the proxy</h1></html>");
    assert!(fake.calls().is_empty() && fake.messages().is_empty());
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_never_shown() {
    let fake = FakeTwilio::start().await;
    let mut config = config(&fake);
    config.twilio.as_mut().unwrap().auth_token = "open-sesame".to_owned().into();
    let reason = refused(send(&config, "phone", &call()).await);
    assert!(reason.contains("401") && reason.contains("20003"), "{reason}");
    assert!(!reason.contains("sesame"), "{reason}");
}

#[tokio::test]
async fn a_provider_that_is_busy_is_left_alone_as_long_as_it_asks() {
    let fake = FakeTwilio::start().await;
    let channels = Channels::open(&config(&fake)).unwrap();
    for (mood, expected) in [
        (Mood::TooMany("7"), Some(7)),
        (Mood::TooMany("Sun, 29 Mar 2026 12:01:00 GMT"), Some(60)),
        (Mood::Unavailable, None),
    ] {
        fake.next(mood.clone());
        match send_with(&channels, "phone", &call()).await {
            Err(SendError::Temporary { retry_after, .. }) => {
                assert_eq!(retry_after, expected.map(Duration::from_secs), "{mood:?}");
            }
            other => panic!("{mood:?} gave {other:?}"),
        }
    }
    assert!(fake.calls().is_empty());
    send_with(&channels, "phone", &call()).await.unwrap();
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_got_nothing() {
    let fake = FakeTwilio::start().await;
    let mut config = config(&fake);
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    config.twilio.as_mut().unwrap().base_url = format!("http://{closed}").parse().unwrap();
    let reason = temporary(send(&config, "phone", &call()).await);
    assert!(reason.contains("refused"), "{reason}");
}

#[tokio::test]
async fn once_the_request_has_left_only_an_answer_ends_the_doubt() {
    let fake = FakeTwilio::start().await;
    let channels = Channels::open(&impatient(&fake)).unwrap();
    for (mood, is_taken) in [
        (Mood::HangUpBefore, false),
        (Mood::HangUpAfter, true),
        (Mood::HalfAnAnswer, true),
        (Mood::Silence, true),
        (Mood::Html(200), false),
        (Mood::Html(502), false),
        (Mood::Huge, false),
    ] {
        let before = fake.calls().len();
        fake.next(mood.clone());
        doubtful(send_with(&channels, "phone", &call()).await);
        assert_eq!(fake.calls().len() - before, usize::from(is_taken), "{mood:?}");
        let sid = fake.requests().pop().unwrap().sid;
        assert_eq!(sid.is_some(), is_taken, "{mood:?}");
    }
    let requests = fake.requests();
    assert_eq!(requests.len(), 7, "nothing was tried again on the way");
    for request in requests {
        assert_eq!((request.method, &*request.path), ("POST", "Calls.json"));
        assert_eq!(field(&request.form, "To"), Some("+385911234567"));
    }
}

#[tokio::test]
async fn a_request_of_another_shape_is_refused() {
    let fake = FakeTwilio::start().await;
    let reason = refused(send(&config(&fake), "phone", &sms()).await);
    assert!(reason.starts_with("the request is malformed"), "{reason}");
    assert!(fake.requests().is_empty());
}

/// What the provider says when it is asked.
async fn ask(fake: &FakeTwilio, name: &str, request: &impl Serialize, sid: &str) -> Heard {
    let config = Config { twilio: Some(fake.config(None)), ..Config::default() };
    let channels = Channels::open(&config).unwrap();
    let asks = channels.get(name).unwrap().channel.asks().expect("Twilio can be asked");
    assert!(!asks.is_called_back(), "there is no public address");
    let outgoing = outgoing(request);
    let enquiry = Enquiry { provider_id: sid, request: &outgoing.request, now: outgoing.now };
    asks.status(&enquiry).await.unwrap()
}

#[tokio::test]
async fn without_a_public_address_the_status_is_asked_for() {
    let fake = FakeTwilio::start().await;
    let config = Config { twilio: Some(fake.config(None)), ..Config::default() };
    for (fate, status) in [
        (Fate::PickedUp, DeliveryStatus::Answered),
        (Fate::Answered, DeliveryStatus::Completed),
        (Fate::Busy, DeliveryStatus::Busy),
        (Fate::NoAnswer, DeliveryStatus::NoAnswer),
        (Fate::NoSuchNumber, DeliveryStatus::Failed),
    ] {
        let sid = send(&config, "phone", &call()).await.unwrap().provider_id.unwrap();
        assert_eq!(ask(&fake, "phone", &call(), &sid).await.status, DeliveryStatus::Sent);
        assert!(fake.happens(&sid, fate).is_empty(), "nobody asked for callbacks");
        assert_eq!(ask(&fake, "phone", &call(), &sid).await.status, status, "{fate:?}");
    }
    for (fate, status, code) in [
        (Fate::Undelivered, DeliveryStatus::Undelivered, 30003),
        (Fate::Unsent, DeliveryStatus::Failed, 30008),
    ] {
        let sid = send(&config, "sms", &sms()).await.unwrap().provider_id.unwrap();
        fake.happens(&sid, fate);
        let heard = ask(&fake, "sms", &sms(), &sid).await;
        assert_eq!(heard.status, status);
        let link = format!("https://www.twilio.com/docs/errors/{code}");
        assert_eq!(heard.error, Some(format!("code {code} ({link})")));
    }
}

#[tokio::test]
async fn a_machine_that_is_asked_for_is_found_out_by_asking_too() {
    let fake = FakeTwilio::start().await;
    let config = Config { twilio: Some(fake.config(None)), ..Config::default() };
    let detecting = Call { detect_machine: true, ..call() };
    for (fate, status) in
        [(Fate::PickedUp, DeliveryStatus::Answered), (Fate::Machine, DeliveryStatus::Machine)]
    {
        let sid = send(&config, "phone", &detecting).await.unwrap().provider_id.unwrap();
        fake.happens(&sid, fate);
        assert_eq!(ask(&fake, "phone", &detecting, &sid).await.status, status, "{fate:?}");
    }
    assert_eq!(fake.calls()[0].field("MachineDetection"), Some("Enable"));
    assert_eq!(fake.calls()[0].field("AsyncAmd"), None, "there is nobody to tell");
}

#[tokio::test]
async fn asking_leaves_no_doubt() {
    let fake = FakeTwilio::start().await;
    let channels = Channels::open(&impatient(&fake)).unwrap();
    let sid = send_with(&channels, "phone", &call()).await.unwrap().provider_id.unwrap();
    let asks = channels.get("phone").unwrap().channel.asks().unwrap();
    assert!(asks.is_called_back());
    let outgoing = outgoing(&call());
    let enquiry = Enquiry { provider_id: &sid, request: &outgoing.request, now: outgoing.now };
    for mood in [Mood::HangUpAfter, Mood::Silence, Mood::Unavailable, Mood::TooMany("3")] {
        fake.next(mood.clone());
        let error = asks.status(&enquiry).await.unwrap_err();
        assert!(matches!(error, SendError::Temporary { .. }), "{mood:?} gave {error:?}");
    }
    for unknown in ["CA00000000000000000000000000000bad", "../Messages/SM1", ""] {
        let error = asks.status(&Enquiry { provider_id: unknown, ..enquiry }).await.unwrap_err();
        assert!(matches!(error, SendError::Refused { .. }), "{unknown:?} gave {error:?}");
    }
}

async fn found(channels: &Channels, name: &str, request: &impl Serialize) -> Vec<String> {
    let outgoing = outgoing(request);
    let search = Search { request: &outgoing.request, since: outgoing.now, now: outgoing.now };
    let searches = channels.get(name).unwrap().channel.searches().unwrap();
    let found = searches.search(&search).await.unwrap();
    found.into_iter().map(|heard| heard.provider_id.unwrap()).collect()
}

#[tokio::test]
async fn what_a_lost_answer_was_about_is_found_by_sender_recipient_words_and_time() {
    let fake = FakeTwilio::start().await;
    let clock = Clock::standing_at(outgoing(&call()).now - TimeDelta::minutes(1));
    fake.goes_by(&clock);
    let channels = Channels::open(&config(&fake)).unwrap();
    let other_words = Sms { message: "Something else.".into(), ..sms() };
    let other_number = Sms { to: "+385922222222".into(), ..sms() };
    let other_sender = Sms { from: Some("+14155550111".into()), ..sms() };
    send_with(&channels, "sms", &sms()).await.unwrap();
    clock.set(outgoing(&call()).now);
    for unlike in [&other_words, &other_number, &other_sender] {
        send_with(&channels, "sms", unlike).await.unwrap();
    }
    assert!(found(&channels, "sms", &sms()).await.is_empty(), "the first was too early");
    assert!(found(&channels, "phone", &call()).await.is_empty());

    fake.next(Mood::HangUpAfter);
    doubtful(send_with(&channels, "sms", &sms()).await);
    fake.next(Mood::Html(502));
    doubtful(send_with(&channels, "phone", &call()).await);
    fake.next(Mood::HangUpAfter);
    doubtful(send_with(&channels, "phone", &call()).await);

    let sids: Vec<String> = fake.messages().into_iter().map(|made| made.sid).collect();
    assert_eq!(found(&channels, "sms", &sms()).await, sids[4..]);
    let sids: Vec<String> = fake.calls().into_iter().map(|made| made.sid).collect();
    assert_eq!(found(&channels, "phone", &call()).await, sids);
}

#[tokio::test]
async fn a_search_that_is_not_answered_says_nothing_of_what_is_there() {
    let fake = FakeTwilio::start().await;
    let channels = Channels::open(&impatient(&fake)).unwrap();
    let outgoing = outgoing(&sms());
    let search = Search { request: &outgoing.request, since: outgoing.now, now: outgoing.now };
    let searches = channels.get("sms").unwrap().channel.searches().unwrap();
    for mood in [Mood::HangUpAfter, Mood::Silence, Mood::Unavailable, Mood::Html(200), Mood::Huge] {
        fake.next(mood.clone());
        let error = searches.search(&search).await.unwrap_err();
        assert!(matches!(error, SendError::Temporary { .. }), "{mood:?} gave {error:?}");
    }
    fake.next(Mood::Refusal(403, 20006, "Access Denied"));
    let error = searches.search(&search).await.unwrap_err();
    assert!(matches!(error, SendError::Refused { .. }), "{error:?}");
}
