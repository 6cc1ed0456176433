//! No climb passes the bounds of its sequence: random ladders, answers and events, simulated.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rungs_runners::{Action, DeliveryStatus};
use serde_json::{Value, json};

use super::*;
use crate::{
    Entry, Start, Status,
    happening::Happening,
    simulate::{Answers, Asked, End, Fate, Simulation, What, simulate},
};

fn step(index: usize, count: usize) -> impl Strategy<Value = Value> {
    let to =
        (0..=count).prop_map(move |to| if to == count { "end".into() } else { format!("s{to}") });
    (0..20_u8, 0..400_i64, 0..4_u32, to.clone(), to, 0..6_u8).prop_map(
        move |(kind, amount, times, goto, target, ways)| {
            let (run, config) = runner(kind, amount, times, &goto);
            let quiet = [json!("none"), json!({ "from": "12:00", "to": "14:00" })];
            let mut step = json!({ "id": format!("s{index}"), "run": run, "config": config });
            if run == "Conditional"
                || (matches!(run, "Phone" | "SMS" | "Email" | "WaitForEvent" | "Webhook" | "Start")
                    && ways < 3)
            {
                step["altNext"] = json!(target);
            }
            if let (Some(quiet), "Phone" | "SMS") = (quiet.get(times as usize), run) {
                step["quietHours"] = quiet.clone();
            }
            if ways == 5 && (run != "GoTo" || config["times"].is_number()) {
                step["next"] = json!(goto);
            }
            step
        },
    )
}

fn runner(kind: u8, amount: i64, times: u32, goto: &str) -> (&'static str, Value) {
    let condition = |command: &str| {
        let value = json!({ "type": "get", "value": "n" });
        let compare = json!({ "type": "raw", "value": amount });
        json!({ "lodashCommand": command, "value": value, "compareTo": compare })
    };
    match kind {
        0 | 1 => ("WaitForDuration", json!({ "amount": amount, "unit": "minutes" })),
        2 => ("WaitForDuration", json!({ "amount": amount % 40, "unit": "days" })),
        3 | 4 => {
            let awaited = ["placed", "answered", "completed"][times as usize % 3];
            ("Phone", json!({ "to": "+385911234567", "say": "{{n}}", "await": awaited }))
        }
        5 => ("SMS", json!({ "to": "+385911234567", "message": "{{n}}", "await": "delivered" })),
        6 => ("Email", json!({ "to": "a@example.com", "subject": "a", "text": "b" })),
        7 => ("PubNub", json!({ "channel": "a", "message": "b" })),
        8 | 9 => ("GoTo", json!({ "step": goto, "times": times })),
        10 if times == 0 => ("GoTo", json!({ "step": goto })),
        10 | 11 => {
            let mut goal = condition("gt");
            goal["otherwise"] = json!(["continue", "end", "wait"][times as usize % 3]);
            ("Goal", goal)
        }
        12 => ("Conditional", condition("lt")),
        14 if times == 3 => ("WaitForEvent", json!({ "event": "data" })),
        14 => {
            let unit = ["minutes", "days"][times as usize % 2];
            let timeout = json!({ "amount": amount % 40, "unit": unit });
            ("WaitForEvent", json!({ "event": "other", "timeout": timeout, "fresh": times == 2 }))
        }
        15 => {
            let (days, from) = (["sat", "mon-fri", "sun-sat"][times as usize % 3], amount % 23);
            let (from, to) = (format!("{from}:30"), format!("{}:00", (from * 7 + 2) % 24));
            let mut window =
                json!({ "days": days, "from": from, "to": to, "except": "12-24..01-02" });
            if times == 3 {
                window["calendar"] = json!("office");
            }
            ("WaitForWindow", window)
        }
        16 => ("Webhook", json!({ "url": "https://example.com" })),
        17 => ("Set", json!({ "values": { "n": amount } })),
        18 => ("Start", json!({ "sequence": "any" })),
        19 => {
            let id = if times == 0 { "{{process.id}}" } else { "other" };
            ("Stop", json!({ "process_id": id }))
        }
        _ if times == 3 => ("WaitForDate", json!({ "date": "{{when}}" })),
        _ if times == 2 => {
            ("WaitForDateComparison", json!({ "attribute": "day", "values": [amount % 7] }))
        }
        _ => ("WaitForDateComparison", json!({ "attribute": "hour", "values": [amount % 24] })),
    }
}

fn source() -> impl Strategy<Value = String> {
    let zone = prop::sample::select(vec![None, Some("Europe/Zagreb"), Some("UTC")]);
    let quiet = prop::sample::select(vec![
        Value::Null,
        json!({ "from": "22:00", "to": "07:00" }),
        json!({ "from": "16:30", "to": "09:00", "days": "fri-sun", "calendar": "office" }),
        json!({ "calendar": "office", "timezone": "Asia/Tokyo" }),
        json!({ "calendar": "abroad", "from": "00:00", "to": "01:00" }),
    ]);
    (1..9_usize, zone, quiet)
        .prop_flat_map(|(count, zone, quiet)| {
            let steps: Vec<_> = (0..count).map(|index| step(index, count)).collect();
            steps.prop_map(move |steps| {
                let mut sequence = json!({ "sequence": "any", "steps": steps, "calendars": {
                    "office": { "hours": { "mon-fri": "08:00-16:00", "sat": "10:00-12:00" },
                        "holidays": ["12-25", "2026-05-01..2026-05-20"] },
                    "abroad": { "timezone": "America/New_York", "hours": { "mon-fri": "08:00-16:00" } },
                } });
                if !quiet.is_null() {
                    sequence["quietHours"] = quiet.clone();
                }
                if let Some(zone) = zone {
                    sequence["timezone"] = json!(zone);
                }
                sequence.to_string()
            })
        })
}

/// What becomes of each delivery: how far it comes, and in how many seconds.
#[derive(Debug, Clone)]
struct Whims(Vec<(usize, i64)>, usize);

impl Answers for Whims {
    fn answer(&mut self, asked: &Asked<'_>) -> Fate {
        use DeliveryStatus::{Answered, Busy, Completed, Delivered, Failed, Sent, Undelivered};
        let ends = match asked.channel {
            "phone" => [Answered, Completed, Busy, Sent],
            "sms" => [Delivered, Sent, Undelivered, Failed],
            _ => [Sent, Sent, Failed, Failed],
        };
        if asked.channel == "process" {
            let seconds = self.0.first().map_or(0, |(_, seconds)| seconds % 120);
            return Fate { after: Some(TimeDelta::seconds(seconds)), ..Fate::of(Completed) };
        }
        let (end, seconds) = self.0.get(self.1 % self.0.len()).copied().unwrap_or_default();
        self.1 += 1;
        let after = Some(TimeDelta::seconds(seconds));
        Fate { after, ..Fate::of(ends[end % ends.len()]) }
    }
}

fn begin(at: DateTime<Utc>) -> Start {
    Start {
        key: "01900000-0000-7000-8000-000000000001".into(),
        process_id: "p".into(),
        version: 1,
        data: json!({ "n": 1, "when": "2026-11-24T10:00:00Z" }),
        default_timezone: chrono_tz::Tz::America__New_York,
        now: at,
    }
}

fn events() -> impl Strategy<Value = Vec<Happening>> {
    let event = (0..30_000_i64, -10..500_i64).prop_map(|(minutes, n)| Happening {
        after: TimeDelta::minutes(minutes),
        r#type: "data".into(),
        data: json!({ "n": n }),
        says: String::new(),
    });
    prop::collection::vec(event, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_climb_passes_the_bounds(
        source in source(),
        whims in prop::collection::vec((0..4_usize, 0..7_000_i64), 1..12),
        happenings in events(),
        begins_at in 1_767_225_600..1_830_000_000_i64,
    ) {
        let Some(sequence) = check(&source, KINDS).sequence else { return Ok(()) };
        let bounds = bounds(&sequence);
        // What goes round without end is gone round ten thousand times: a few will do.
        let endless = bounds.life.since.as_ref().is_some_and(|since| since.does.contains("back"));
        if endless && begins_at % 50 != 0 {
            return Ok(());
        }
        let start = begin(DateTime::from_timestamp(begins_at, 0).unwrap());
        let climb = simulate(&sequence, start, &happenings, &mut Whims(whims, 0)).unwrap();
        holds(&sequence, &climb, &bounds)
            .map_err(|reason| TestCaseError::fail(format!("{reason}\n{source}\n{bounds:#?}")))?;
    }
}

/// The deliveries of a climb: when, and through which channel.
fn deliveries(climb: &Simulation) -> Vec<(u64, String)> {
    let began_at = climb.process.started_at;
    let written = climb.lines.iter().filter_map(|line| match &line.what {
        What::Wrote { channel, .. } if *channel != "process" => {
            Some((millis(line.at - began_at), channel.to_string()))
        }
        _ => None,
    });
    written.collect()
}

fn is_person(channel: &str) -> bool {
    !["pubnub", "webhook", "process"].contains(&channel)
}

fn millis(duration: TimeDelta) -> u64 {
    u64::try_from(duration.num_milliseconds()).unwrap()
}

fn holds(sequence: &Sequence, climb: &Simulation, bounds: &Bounds) -> Result<(), String> {
    let within = |what: &str, found: u64, most: &Most| match most.most {
        Some(most) if found > most => Err(format!("{what}: {found} is more than {most}")),
        _ => Ok(()),
    };
    let written = deliveries(climb);
    within("messages", written.len() as u64, &bounds.messages)?;
    for (_, channel) in &written {
        let of_channel = written.iter().filter(|(_, other)| other == channel).count() as u64;
        let (_, most) = bounds.channels.iter().find(|(name, _)| name == channel).unwrap();
        within(channel, of_channel, most)?;
    }
    match climb.end {
        End::Ended => {
            within("life", millis(climb.ended_at - climb.process.started_at), &bounds.life)?;
        }
        End::Waits | End::Endless if bounds.life.most.is_none() => {}
        End::Waits | End::Endless => return Err("it lives on".to_owned()),
    }
    first(sequence, climb, bounds, &written)
}

fn first(
    sequence: &Sequence,
    climb: &Simulation,
    bounds: &Bounds,
    written: &[(u64, String)],
) -> Result<(), String> {
    let contact = written.iter().find(|(_, channel)| is_person(channel));
    let by_goal = |line: &&crate::simulate::Line| match &line.what {
        What::Did(Entry::Achieved { .. }) => true,
        What::Did(Entry::Visited { step, action: Action::Next, .. }) => {
            let step = &sequence.steps[sequence.position(step).unwrap()];
            let stay = step.config.stay(None, &sequence.calendars);
            step.kind.goal && (stay.ends || stay.rest != Stay::none().rest)
        }
        _ => false,
    };
    let until = |line: &&crate::simulate::Line| !matches!(&line.what, What::Wrote { channel, .. } if is_person(channel));
    if climb.lines.iter().take_while(until).any(|line| by_goal(&line)) {
        return Ok(());
    }
    let Some(first) = &bounds.first_contact else {
        return contact.map_or(Ok(()), |_| Err("it reaches somebody".to_owned()));
    };
    match contact {
        Some((at, _)) if *at < first.earliest => Err(format!("{at} is too early")),
        Some((at, _)) if first.latest.most.is_some_and(|latest| *at > latest) => {
            Err(format!("{at} is too late"))
        }
        None if climb.process.status == Status::Completed && first.nobody.is_none() => {
            Err("it ended, and nobody was reached".to_owned())
        }
        _ => Ok(()),
    }
}

/// What the bounds say is not only never passed: there are climbs that come to it.
#[test]
fn climbs_of_the_shipped_ladder_come_to_its_bounds() {
    let sequence = shipped("order-escalation");
    let bounds = bounds(&sequence);
    let data = json!({
        "restaurant": { "name": "a", "phone": "112", "manager": "113" }, "order": { "count": 1 },
    });
    let come_to = |end: usize| {
        let start = Start { data: data.clone(), ..begin(DateTime::UNIX_EPOCH) };
        simulate(&sequence, start, &[], &mut Whims(vec![(end, 0)], 0)).unwrap()
    };
    let (answered, busy) = (come_to(0), come_to(2));
    assert_eq!(deliveries(&busy).len() as u64, bounds.messages.most.unwrap());
    let lived = millis(answered.ended_at - answered.process.started_at);
    assert_eq!(lived, bounds.waits.most.unwrap());
}
