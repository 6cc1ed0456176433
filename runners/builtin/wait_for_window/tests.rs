use serde_json::{Value, json};

use super::*;
use crate::{
    builtin::trial::{Trial, problems},
    hours::{Calendar, Holiday, Occasion},
};

fn zagreb(now: &'static str) -> Trial {
    Trial::at(now).zone(Tz::Europe__Zagreb)
}

fn office() -> Value {
    json!({ "days": "mon-fri", "from": "09:00", "to": "17:00" })
}

fn business() -> Calendar {
    Calendar {
        hours: Some(vec![Window {
            days: "mon-fri".parse().unwrap(),
            from: "10:00".parse().unwrap(),
            to: "12:00".parse().unwrap(),
            except: vec![],
        }]),
        holidays: vec![Holiday {
            when: Occasion::Dates("05-01".parse().unwrap()),
            name: Some("Labour Day".to_owned()),
        }],
        ..Calendar::default()
    }
}

#[test]
fn nobody_is_rung_on_friday_evening() {
    let trial = zagreb("2026-05-01T18:00");
    let outcome = trial.visit::<WaitForWindow>(&office());
    trial.assert_waits(&outcome, "2026-05-04T09:00", "until Mon 2026-05-04 09:00 CEST");
    assert_eq!(
        zagreb("2026-05-04T09:00").visit::<WaitForWindow>(&office()),
        Ok(Outcome::next("open until Mon 2026-05-04 17:00 CEST"))
    );
}

#[test]
fn everything_may_come_out_of_templates() {
    let data = json!({ "days": ["tue", 3], "opens": "08:30", "off": ["2026-05-05"], "tz": "UTC" });
    let trial = zagreb("2026-05-04T10:00").data(data);
    let outcome = trial.visit::<WaitForWindow>(&json!({
        "days": "{{days}}", "from": "{{opens}}", "to": "{{closes}}", "except": ["{{off}}"],
        "timezone": "{{tz}}",
    }));
    // Without an end it is the day's, and Tuesday is left out.
    trial.assert_waits(&outcome, "2026-05-06T08:30Z", "until Wed 2026-05-06 08:30 UTC");
}

#[test]
fn a_holiday_of_the_calendar_is_named() {
    let trial = zagreb("2026-05-01T10:30").calendar("business", business());
    let config = json!({ "from": "11:00", "to": "20:00", "calendar": "business" });
    let outcome = trial.visit::<WaitForWindow>(&config);
    trial.assert_waits(
        &outcome,
        "2026-05-04T11:00",
        "until Mon 2026-05-04 11:00 CEST: today is Labour Day",
    );
}

#[test]
fn what_templates_render_to_may_fail_the_process() {
    for (data, config, reason) in [
        (json!({ "d": "someday" }), json!({ "days": "{{d}}" }), "days: \"someday\" is no day"),
        (json!({ "t": "25:00" }), json!({ "from": "{{t}}" }), "from: \"25:00\" is no time of day"),
        (
            json!({ "t": "09:00" }),
            json!({ "from": "{{t}}", "to": "09:00" }),
            "to: it ends at 09:00",
        ),
        (json!({ "z": "Atlantis" }), json!({ "days": "mon", "timezone": "{{z}}" }), "no time zone"),
        (
            json!({ "x": "01-01..12-31" }),
            json!({ "days": "mon", "except": "{{x}}" }),
            "does not open within ten years",
        ),
    ] {
        let outcome = zagreb("2026-05-04T10:00").data(data).visit::<WaitForWindow>(&config);
        let Err(failure) = outcome else { panic!("{config} went on") };
        assert!(failure.0.contains(reason), "{config}: {failure}");
    }
}

#[test]
fn what_cannot_be_is_refused_at_its_place() {
    for (config, pointer, message) in [
        (json!({}), "", "always open"),
        (json!({ "days": ["mon", "fnord"] }), "/days/1", "is no day"),
        (json!({ "days": 7 }), "/days", "is no day"),
        (json!({ "from": "9" }), "/from", "is no time of day"),
        (json!({ "from": "24:00" }), "/from", "write 00:00"),
        (json!({ "to": "24:01" }), "/to", "is no time of day"),
        (json!({ "from": "09:00", "to": "09:00" }), "/to", "never or always"),
        (json!({ "days": "mon", "except": ["2026-02-30"] }), "/except/0", "is no date"),
        (json!({ "days": "mon", "except": "01-01..12-31" }), "/except", "never opens"),
        (json!({ "days": "mon", "timezone": "Europe/Zagrb" }), "/timezone", "no time zone"),
    ] {
        let found = problems::<WaitForWindow>(&config);
        let told: Vec<_> = found.iter().map(|one| (one.pointer.as_str(), &one.message)).collect();
        assert_eq!(told.len(), 1, "{config}: {told:?}");
        assert!(told[0].0 == pointer && told[0].1.contains(message), "{config}: {told:?}");
    }
}

#[test]
fn what_is_good_passes() {
    for config in [
        office(),
        json!({ "days": ["mon", 2, "fri-sun"] }),
        json!({ "days": "mon, wed" }),
        json!({ "from": "22:00", "to": "06:00" }),
        json!({ "from": "00:00", "to": "24:00", "days": 0 }),
        json!({ "except": ["12-25"] }),
        json!({ "calendar": "business" }),
        json!({ "from": "{{opens}}", "to": "{{opens}}", "days": "{{days}}" }),
    ] {
        assert_eq!(problems::<WaitForWindow>(&config), [], "{config}");
    }
}

#[test]
fn a_calendar_must_be_there_and_open_in_the_window() {
    let calendars = Calendars::from([("business".to_owned(), business())]);
    let among = |config: Value| {
        let step = crate::Kind::of::<WaitForWindow>().prepare(&config).unwrap();
        step.check_among(Some(Tz::UTC), &calendars)
    };
    assert_eq!(among(json!({ "calendar": "business" })), []);
    let found = among(json!({ "calendar": "busines" }));
    assert_eq!(found[0].help.as_deref(), Some("did you mean `business`?"));
    let found = among(json!({ "calendar": "business", "days": "sat" }));
    assert_eq!(found[0].message, "this window is never open while `business` is");
}
