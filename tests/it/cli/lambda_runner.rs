//! A runner that is a Lambda function, from a program with AWS's own settings.

use serde_json::{Value, json};

use super::Desk;
use crate::fakes::lambda::{ARN, FakeLambda, Mood};

const CREDIT: &str = include_str!("../../../examples/credit.yml");

/// A desk with a `rungs` that knows the function under `arn`.
fn desk(arn: &str) -> Desk {
    let desk = Desk::new();
    desk.put("rungs.toml", format!("[runners.CreditCheck]\nlambda = '{arn}'\n"));
    desk.put("credit.yml", CREDIT);
    desk
}

fn command(desk: &Desk, url: &str, args: &[&str]) -> std::process::Command {
    let mut command = desk.command(args);
    command
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "hush-hush")
        .env("AWS_ENDPOINT_URL_LAMBDA", url);
    command
}

/// Climbs the ladder, and gives what was told.
async fn climb(desk: &Desk, fake: &FakeLambda) -> String {
    let data = r#"{"order": {"id": 7, "total": 120}}"#;
    let args = ["run", "credit.yml", "--speed", "100000", "--data", data];
    let mut command = command(desk, &fake.url, &args);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_invoked_with_what_is_posted_elsewhere() {
    let fake = FakeLambda::start().await;
    let told = climb(&desk(ARN), &fake).await;
    assert!(told.contains("→ next: fine"), "{told}");
    let event: Value = fake.invoked().remove(0);
    assert_eq!(event["config"], json!({ "most": 500 }));
    let visit = &event["runners"][0];
    assert_eq!(visit["data"], json!({ "order": { "id": 7, "total": 120 } }));
    assert_eq!((&visit["step"], &visit["attempt"]), (&"check".into(), &1.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_fails_or_is_not_there_is_invoked_again() {
    let fake = FakeLambda::start().await;
    for (mood, reason) in [
        (Mood::Throws, "the function failed (Unhandled): order is undefined"),
        (Mood::Throttled, "Rate Exceeded."),
        (Mood::Broken, "temporary: "),
    ] {
        fake.next(mood);
        let told = climb(&desk(ARN), &fake).await;
        assert!(told.contains(reason) && told.contains("→ next: fine"), "{mood:?}: {told}");
        assert!(!told.contains("hush"), "{told}");
        assert_eq!(fake.invoked().last().unwrap()["runners"][0]["attempt"], 2);
    }
    let desk = desk(&format!("{ARN}-gone"));
    desk.put("once.yml", CREDIT.replace("config: { most: 500 }", "retry: { attempts: 1 }"));
    let output = command(&desk, &fake.url, &["run", "once.yml", "--data", "{}"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("Function not found"), "{told}");
}

#[test]
fn an_arn_that_is_none_is_told_at_the_start() {
    for arn in ["credit", "arn:aws:sqs:eu-west-1:123456789012:function:credit", "arn:aws:lambda"] {
        desk(arn).say(&["evaluate"]).refuses(1, &["runners.CreditCheck.lambda: expected an ARN"]);
    }
    let desk = Desk::new();
    desk.put(
        "rungs.toml",
        format!("[runners.Own]\nlambda = '{ARN}'\nsecret = 'not-of-any-use-here'"),
    );
    desk.say(&["evaluate"]).refuses(1, &["runners.Own.secret", "decided by AWS"]);
}
