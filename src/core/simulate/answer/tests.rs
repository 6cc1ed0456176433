//! Answers as they are written, and what cannot be one.

use super::*;

#[test]
fn an_answer_names_a_step_and_perhaps_a_stay_and_a_time() {
    let read = |text: &str| text.parse::<Answer>().unwrap();
    let answered = Fate::of(DeliveryStatus::Answered);
    assert_eq!(
        read("ring=answered"),
        Answer { step: "ring".into(), stay: None, fate: answered, said: None }
    );
    let one = read("ring#2=no-answer+1m30s");
    assert_eq!((one.stay, one.fate.after), (Some(2), Some(TimeDelta::seconds(90))));
}

#[test]
fn an_answer_in_json_may_have_commas_and_takes_its_time() {
    let text = r#"ring=busy,hook={"a":[1,2],"b":"x,y=z"}+20s,hook#2=[],text=failed"#;
    let read = several(text).unwrap();
    let said: Vec<_> = read.iter().map(|one| (one.step.as_str(), one.said.clone())).collect();
    let expected = [
        ("ring", None),
        ("hook", Some(json!({ "a": [1, 2], "b": "x,y=z" }))),
        ("hook", Some(json!([]))),
        ("text", None),
    ];
    assert_eq!(said, expected);
    assert_eq!(read[1].fate.after, Some(TimeDelta::seconds(20)));
    assert_eq!((read[2].stay, read[1].fate.status), (Some(2), DeliveryStatus::Completed));
    for (text, expected) in [
        (r#"hook={"a":1"#, "is no JSON"),
        (r#"hook={"a":1}soon"#, "is no answer"),
        ("a=busy,", "is no answer such as"),
        ("", "is no answer such as"),
    ] {
        let error = several(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    for (text, expected) in [
        ("ring", "no answer such as"),
        ("=answered", "names no step"),
        ("ring#0=answered", "counts from 1"),
        ("ring#x=answered", "counts from 1"),
        ("ring=answred", "did you mean `answered`"),
        ("ring=maybe", "expected one of sent, answered"),
        ("ring=pending", "is no answer"),
        ("ring=answered+soon", "no time"),
    ] {
        let error = text.parse::<Answer>().unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
