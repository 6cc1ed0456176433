use std::sync::LazyLock;

use proptest::prelude::*;
use rungs_runners::builtin::KINDS;
use serde_json::json;

use super::*;

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::of(KINDS));

const LADDER: &str = "\
sequence: ladder
input:
  type: object
  properties:
    phone: { type: string, description: Whom to ring. }
    order: { $ref: '#/$defs/order' }
  $defs:
    order: { properties: { status: { enum: [new, confirmed] } } }
steps:
  - id: ring
    run: Phone
    config: { to: '{{phone}}', say: 'It is {{order.status}}' }
    altNext: text
  - id: nap
    run: WaitForDuration
    config: { amount: 3, unit: minutes }
  - id: text
    run: SMS
    config: { to: '{{phone}}', message: 'Rang: {{steps.ring.status}}' }
  - id: again
    run: GoTo
    config: { step: ring, times: 2 }
  - id: done
    run: Goal
    config: { lodashCommand: eq, value: { type: get, value: steps.ring.status }, compareTo: { type: raw, value: answered } }
";

/// A source in which `¦` marks the place.
fn at(marked: &str) -> (String, usize) {
    let place = marked.find('¦').expect("a mark");
    (marked.replace('¦', ""), place)
}

fn completions(marked: &str) -> Vec<Completion> {
    let (source, place) = at(marked);
    complete(&Page::new(Form::Sequence, &source, &VOCABULARY), place)
}

fn labels(marked: &str) -> String {
    completions(marked).into_iter().map(|one| one.label).collect::<Vec<_>>().join(" ")
}

/// The ladder with something in place of its end.
fn ladder(end: &str) -> String {
    format!("{LADDER}  - id: new\n{end}")
}

/// What becomes of a source when the completion of that label is taken.
fn taken(marked: &str, label: &str) -> String {
    let (mut source, _) = at(marked);
    let completion = completions(marked).into_iter().find(|one| one.label == label).expect("there");
    source.replace_range(completion.replaces, &completion.text);
    source
}

#[test]
fn the_keys_of_a_step_are_those_that_its_runner_takes() {
    let all = "run config next altNext quietHours onFailure retry inDoubt lateness";
    assert_eq!(labels(&ladder("    ¦")), all);
    assert_eq!(labels(&ladder("    run: Phone\n    n¦\n")), all.replacen("run ", "", 1));
    assert_eq!(labels(&ladder("    run: GoTo\n    ne¦\n    config: {}\n")), "next");
    assert_eq!(labels("steps:\n  - ¦"), format!("id {all}"));
    assert_eq!(taken("steps:\n  - i¦\n", "id"), "steps:\n  - id: \n");
    assert_eq!(taken("steps:\n  - id: a\n    r¦: x\n", "run"), "steps:\n  - id: a\n    run: x\n");
    assert_eq!(taken("steps:\n  - id: a\n  ¦\n", "id"), "steps:\n  - id: a\n  - id: \n");
    let top =
        "sequence steps description timezone priority calendars quietHours input defaults moved";
    for source in ["¦", "seq¦", "# a comment\n\n¦"] {
        assert_eq!(labels(source), top, "{source}");
    }
}

#[test]
fn the_keys_of_a_config_are_the_runners_own_and_those_that_must_be_there_come_first() {
    let phone = "from say url voice language ringFor detectMachine await";
    assert_eq!(labels(&ladder("    run: Phone\n    config:\n      ¦")), format!("to {phone}"));
    assert_eq!(labels(&ladder("    run: Phone\n    config: { to: '1', ¦ }")), phone);
    assert_eq!(labels(&ladder("    run: Phone\n    config: { to: '1', ¦\n  - id: b")), phone);
    assert_eq!(
        labels(&ladder("    config:\n      un¦\n    run: WaitForDuration\n")),
        "amount unit"
    );
    assert_eq!(labels(&ladder("    run: Fax\n    config:\n      ¦")), "");
    let amount = &completions(&ladder("    run: WaitForDuration\n    config: { ¦ }"))[0];
    assert!(amount.required && amount.about.as_deref() == Some("How many of the unit."));
}

#[test]
fn values_that_are_listed_are_completed() {
    assert_eq!(
        labels(&ladder("    run: Phone\n    config: { await: ¦ }")),
        "placed answered completed"
    );
    assert_eq!(labels(&ladder("    run: Phone\n    config: { detectMachine: ¦")), "true false");
    assert!(
        labels(&ladder("    run: WaitForDuration\n    config:\n      unit: ¦")).contains("minutes")
    );
    assert_eq!(labels("priority: ¦\nsequence: a"), "high normal low");
    assert!(labels("timezone: Eur¦").contains("Europe/Zagreb"));
    let runners = completions(&ladder("    run: ¦"));
    assert_eq!(runners.len(), KINDS.len());
    assert!(runners.iter().all(|one| one.about.as_ref().is_some_and(|a| a.contains("```yaml"))));
}

#[test]
fn steps_are_completed_where_they_are_named() {
    let steps = "ring nap text again done new end";
    for end in
        ["    next: ¦", "    run: Phone\n    altNext: x¦\n", "    run: GoTo\n    config: { step: ¦"]
    {
        assert_eq!(labels(&ladder(end)), steps, "{end}");
    }
    assert_eq!(labels(&ladder("    run: Phone\n    config: { to: ¦ }")), "");
}

#[test]
fn variables_come_from_input_from_an_example_and_from_what_stands_beside_the_data() {
    let say = |tag: &str| ladder(&format!("    run: Phone\n    config: {{ say: \"{tag}"));
    assert!(labels(&say("{{¦}}\" }")).starts_with("phone order process steps events and date "));
    assert_eq!(labels(&say("{{order.¦")), "status");
    assert_eq!(labels(&say("{{upper order.s¦}} \"")), "status");
    assert_eq!(labels(&say("{{steps.¦}}")), "ring nap text again done new");
    assert_eq!(labels(&say("{{steps.ring.¦}}")), "status error action visits at delivery");
    assert_eq!(labels(&say("{{process.¦}}")), "id sequence version timezone startedAt");
    assert_eq!(labels(&say("{{#¦}}")), "each if raw unless with");
    assert_eq!(labels(&say("{{phone}} ¦")), "");
    let operand = "    run: Conditional\n    config: { value: { type: get, value: order.¦ } }";
    assert_eq!(labels(&ladder(operand)), "status");

    let (source, place) = at(&say("{{order.¦}}"));
    let example = json!({ "order": { "status": "new", "count": 2 } });
    let page = Page { example: Some(&example), ..Page::new(Form::Sequence, &source, &VOCABULARY) };
    let found = complete(&page, place);
    let details: Vec<_> = found.iter().map(|one| (&*one.label, one.detail.as_deref())).collect();
    assert_eq!(details, [("status", Some("new | confirmed")), ("count", Some("such as 2"))]);
}

#[test]
fn a_case_speaks_of_the_steps_that_reach_somebody() {
    let labels = |marked: &str| {
        let (source, place) = at(marked);
        let page = Page { subject: Some(LADDER), ..Page::new(Form::Cases, &source, &VOCABULARY) };
        let found = complete(&page, place).into_iter().map(|one| one.label);
        found.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(labels("cases:\n  - case: a\n    when:\n      ri¦\n"), "ring text");
    assert_eq!(labels("cases:\n  - case: a\n    when: { ¦ }\n"), "ring text");
    assert_eq!(
        labels("cases:\n  - case: a\n    then:\n      - +3m: ¦\n"),
        "ring text completed failed waits at "
    );
    assert_eq!(labels("cases:\n  - case: a\n    ¦\n"), "then given when");
    assert_eq!(labels("given:\n  ¦"), "data with at timezone");
}

#[test]
fn a_step_that_runs_a_fragment_gives_it_what_that_takes() {
    let fragment = "fragment: reach\nparameters:\n  required: [message]\n  properties:\n    phone: { type: string, description: Who. }\n    message: { type: string }\nsteps:\n  - { id: text, run: SMS }\n  - { id: ring, run: Phone, config: { to: '{{param.¦}}' } }\n";
    let (fragment_text, place) = at(fragment);
    let labels = |page: &Page<'_>, place: usize| {
        let found = complete(page, place).into_iter().map(|one| one.label);
        found.collect::<Vec<_>>().join(" ")
    };
    let of_fragment = Page::new(Form::Sequence, &fragment_text, &VOCABULARY);
    assert_eq!(labels(&of_fragment, place), "phone message");
    let (text, place) = at("fragment: a\nsteps: []\n¦");
    let page = Page::new(Form::Sequence, &text, &VOCABULARY);
    assert_eq!(labels(&page, place), "description parameters");
    let (text, place) = at("steps:\n  - id: a\n    run: ./b.yml\n    ¦");
    let page = Page::new(Form::Sequence, &text, &VOCABULARY);
    assert_eq!(labels(&page, place), "config next altNext");

    let files = |source: &str| {
        crate::Files::gather(source, |wanted| match wanted {
            crate::Wanted::Fragment(path) => {
                Some(crate::File { path: path.clone(), text: Ok(fragment_text.clone()) })
            }
            crate::Wanted::Calendar(_) => None,
        })
    };
    let sequence = |end: &str| {
        at(&format!("sequence: s\nsteps:\n  - id: shop\n    run: ./shared/reach.yml\n    {end}\n"))
    };
    let (source, place) = sequence("config: { ¦ }");
    let page = Page::new(Form::Sequence, &source, &VOCABULARY).with_files(files(&source));
    assert_eq!(labels(&page, place), "message phone");
    let (source, place) = sequence("config: { ph¦one: '{{x}}' }");
    let page = Page::new(Form::Sequence, &source, &VOCABULARY).with_files(files(&source));
    assert_eq!(hover(&page, place).unwrap().text, "`phone`: string\n\nWho.");
    let (source, place) = sequence("config: { message: '{{steps.¦}}' }");
    let page = Page::new(Form::Sequence, &source, &VOCABULARY).with_files(files(&source));
    assert_eq!(labels(&page, place), "shop--text shop--ring");

    let (cases, place) =
        at("cases:\n  - case: a\n    when: { shop--ring: busy }\n    then: [ { +1m: ¦ } ]\n");
    let page = Page::new(Form::Cases, &cases, &VOCABULARY)
        .with(Some(&source), None)
        .with_files(files(&source));
    assert_eq!(labels(&page, place), "shop--text shop--ring completed failed waits at ");
    let renamed = renamed(&page, "shop", "store").unwrap();
    assert_eq!(renamed.len(), 1);
    assert_eq!(&cases[renamed[0].clone()], "shop");
}

fn told(marked: &str) -> String {
    let (source, place) = at(marked);
    let page = Page::new(Form::Sequence, &source, &VOCABULARY);
    hover(&page, place).map_or(String::new(), |hover| hover.text)
}

/// The ladder with the mark before the last place that says so.
fn mark(text: &str) -> String {
    let place = LADDER.rfind(text).expect("it is there");
    format!("{}¦{}", &LADDER[..place], &LADDER[place..])
}

#[test]
fn whatever_has_a_meaning_says_so() {
    assert!(told(&mark("WaitForDuration")).starts_with("Waits for a while, counted from when"));
    assert_eq!(told(&mark("amount")), "`amount`: number\n\nHow many of the unit.");
    assert!(told(&mark("altNext")).contains("The id of a step, or `end`"));
    assert_eq!(told(&mark("phone}}', message")), "`phone`: string\n\nWhom to ring.");
    assert_eq!(told(&mark("ring, times")), told(&mark("ring.status }, c")));
    assert!(told(&mark("ring, times")).starts_with("```yaml\nid: ring\nrun: Phone\nconfig: {"));
    assert_eq!(told(&mark("ring\n")), "Step `ring`; referred to 3 times");
    assert_eq!(told(&mark("It is")), "");
    assert!(
        told("steps: [{ id: a, run: Phone, config: { await: ¦answered } }]").contains("picked up")
    );
    // An editor may ask for any byte, also for one in the middle of a letter.
    let letters = "steps: [{ id: a, run: Phone, config: { say: 'žžž {{žž.ž}} žžž' } }]";
    let page = Page::new(Form::Sequence, letters, &VOCABULARY);
    for at in 0..=letters.len() {
        let _ = (hover(&page, at), complete(&page, at), name_at(&page, at));
    }
}

fn rename(form: Form, source: &str, id: &str, new: &str) -> Result<String, Refused> {
    let page = Page::new(form, source, &VOCABULARY);
    let mut text = source.to_owned();
    for span in renamed(&page, id, new)?.into_iter().rev() {
        text.replace_range(span, new);
    }
    Ok(text)
}

#[test]
fn a_step_is_renamed_however_its_results_are_written() {
    let operand = |of: &str, path: &str| {
        format!("steps: [{{ id: ring }}, {{ if: {{ type: {of}, value: {path} }} }}]")
    };
    for path in [
        "steps.ring.status",
        "\"['steps'].ring.status\"",
        "'[\"steps\"][\"ring\"].status'",
        "[steps, ring, status]",
    ] {
        let source = operand("get", path);
        let renamed = rename(Form::Sequence, &source, "ring", "call").unwrap();
        assert_eq!(renamed, source.replace("ring", "call"), "{path}");
    }
    for path in [
        "\"$['steps']['ring']['status']\"",
        "\"$['steps'].ring.status\"",
        "'$[''steps''][''ring''].status'",
        "\"$.steps[\\\"ring\\\"].status\"",
        "\"$.steps[ 'ring' ].status\"",
        "'$ .steps .ring .status'",
    ] {
        let source = operand("jsonpath", path);
        let renamed = rename(Form::Sequence, &source, "ring", "call").unwrap();
        assert_eq!(renamed, source.replace("ring", "call"), "{path}");
    }
    for tag in [
        "{{steps.ring.status}}",
        "{{steps/ring/status}}",
        "{{@root/steps/ring/status}}",
        "{{steps.[ring].status}}",
        "{{lookup steps 'ring'}}",
        "{{lookup @root.steps 'ring'}}",
        "{{#if (lookup (lookup steps \"ring\") 'status')}}x{{/if}}",
    ] {
        let source = format!(
            "steps: [{{ id: ring }}, {{ config: {{ say: '{}' }} }}]",
            tag.replace('\'', "''")
        );
        let renamed = rename(Form::Sequence, &source, "ring", "call").unwrap();
        assert_eq!(renamed, source.replace("ring", "call"), "{tag}");
    }
    let several = operand("jsonpath", "\"$.steps['nap', 'ring'].status\"");
    let renamed = rename(Form::Sequence, &several, "ring", "call").unwrap();
    assert_eq!(renamed, several.replace("ring", "call"));
    let lines = "steps:\n  - id: ring\n    config: { say: \"{{#if (eq\n      steps.ring.status 'x')}}y{{/if}}\" }\n";
    let renamed = rename(Form::Sequence, lines, "ring", "call").unwrap();
    assert_eq!(renamed, lines.replace("ring", "call"));
    for data in [
        "{ type: raw, value: { type: get, value: steps.ring } }",
        "{ type: get, value: steps.ring, more: 1 }",
    ] {
        let source = format!("steps: [{{ id: ring }}, {{ a: {data} }}]");
        let renamed = rename(Form::Sequence, &source, "ring", "call").unwrap();
        assert_eq!(renamed, source.replacen("ring", "call", 1), "{data}");
    }
    let beside = "steps: [{ id: ring }, { if: { value: { type: jsonpath, value: \"$.x\" }, compareTo: { type: get, value: steps.ring.status } } }]";
    assert!(rename(Form::Sequence, beside, "ring", "ring-1").is_ok());
    for other in [
        "{{default x 'steps.ring'}}",
        "{{my.steps.ring}}",
        "{{stepsring}}",
        "{{steps 'ring'}}",
        "{{mysteps.ring}}",
    ] {
        let source = format!("steps: [{{ id: ring }}, {{ config: {{ say: \"{other}\" }} }}]");
        let renamed = rename(Form::Sequence, &source, "ring", "call").unwrap();
        assert_eq!(renamed, source.replacen("ring", "call", 1), "{other}");
    }
}

#[test]
fn a_step_is_renamed_wherever_it_is_named() {
    let renamed = rename(Form::Sequence, LADDER, "ring", "call-them").unwrap();
    assert_eq!(
        renamed,
        LADDER
            .replace("step: ring", "step: call-them")
            .replace("steps.ring", "steps.call-them")
            .replace("id: ring\n", "id: call-them\n")
    );
    assert!(crate::check(&renamed, KINDS).diagnostics.is_empty());
    let renamed = rename(Form::Sequence, LADDER, "text", "tell").unwrap();
    assert_eq!(
        renamed,
        LADDER.replace("altNext: text", "altNext: tell").replace("id: text", "id: tell")
    );

    let moved = "moved: { call: ring, ring: nap }\nsteps:\n  - id: ring\n";
    assert_eq!(
        rename(Form::Sequence, moved, "ring", "x").unwrap(),
        "moved: { call: x, ring: nap }\nsteps:\n  - id: x\n"
    );
    let listed = "steps:\n  - id: ring\n  - { if: { type: get, value: [steps, ring, status] } }\n";
    assert_eq!(
        rename(Form::Sequence, listed, "ring", "x").unwrap(),
        listed.replace("id: ring", "id: x").replace("steps, ring", "steps, x")
    );
    let odd = "a: '{{lookup steps.[ring] x}} {{@root.steps.ring}} {{mysteps.ring}} {{a.steps.ring}} steps.ring'";
    assert_eq!(
        rename(Form::Sequence, odd, "ring", "x").unwrap(),
        "a: '{{lookup steps.[x] x}} {{@root.steps.x}} {{mysteps.ring}} {{a.steps.ring}} steps.ring'"
    );
    let cases = "cases:\n  - case: ring\n    when: { ring: busy, ring#2: answered, rings: x }\n    then: [ { +3m: ring to ring }, { +4m: waits at ring }, { +5m: ring says \"ring\" } ]\n";
    assert_eq!(
        rename(Form::Cases, cases, "ring", "x").unwrap(),
        "cases:\n  - case: ring\n    when: { x: busy, x#2: answered, rings: x }\n    then: [ { +3m: x to ring }, { +4m: waits at x }, { +5m: x says \"ring\" } ]\n"
    );
}

#[test]
fn a_name_that_no_step_can_have_is_refused() {
    let path = "steps: [{ id: ring }, { if: { type: jsonpath, value: $.steps.ring.status } }]";
    assert!(rename(Form::Sequence, path, "ring", "ring-them").is_err(), "it would not parse");
    assert!(rename(Form::Sequence, path, "ring", "call").is_ok());
    for new in ["", "end", "true", "altNext", "a b", "1a", "text", "ö", &"a".repeat(101)] {
        assert!(rename(Form::Sequence, LADDER, "ring", new).is_err(), "{new}");
    }
    assert!(rename(Form::Sequence, LADDER, "ring", "ring").is_ok());
}

#[test]
fn a_file_is_told_by_its_steps_or_cases() {
    let page = Page::new(Form::Sequence, LADDER, &VOCABULARY);
    let symbols = symbols(&page);
    assert_eq!((symbols.len(), &*symbols[0].name), (1, "ladder"));
    let steps: Vec<_> =
        symbols[0].children.iter().map(|s| (&*s.name, s.detail.as_deref().unwrap())).collect();
    assert_eq!(steps[..2], [("ring", "Phone"), ("nap", "WaitForDuration")]);
    let sequence = crate::check(LADDER, KINDS).sequence.unwrap();
    let lens = lens(&page, &sequence);
    assert_eq!(lens[0].title, "5 steps, 1 goal, reaches people by Phone, SMS");
    assert_eq!(&LADDER[lens[0].span.clone()], "sequence");
    let bounds: Vec<_> = lens[1..].iter().map(|one| one.title.split(':').next().unwrap()).collect();
    assert_eq!(bounds, ["first contact", "messages", "life"]);
}

#[test]
fn what_was_meant_can_be_written_at_once() {
    for (wrong, right) in [
        ("unit: minuts", "unit: minutes"),
        ("unit: 'minuts'", "unit: 'minutes'"),
        ("unti: minutes", "unit: minutes"),
        ("unit: minutes, amount: '3'", ""),
        ("unit: minutes }\n    next: txet #", "unit: minutes }\n    next: text #"),
        ("unit: minutes }\n    nxt: text #", "unit: minutes }\n    next: text #"),
    ] {
        let source = LADDER.replace("unit: minutes", wrong);
        let checked = crate::check(&source, KINDS);
        let fixed = checked.diagnostics.iter().find_map(|found| fix(&source, found)).map(|fix| {
            let mut text = source.clone();
            text.replace_range(fix.span, &fix.text);
            text
        });
        let expected = (!right.is_empty()).then(|| LADDER.replace("unit: minutes", right));
        assert_eq!(fixed, expected, "{wrong}: {:#?}", checked.diagnostics);
    }
    let source = LADDER.replace("{{order.status}}", "{{order.statsu}}");
    let checked = crate::check(&source, KINDS);
    let fix = fix(&source, &checked.diagnostics[0]).unwrap();
    assert_eq!((&source[fix.span], &*fix.text), ("statsu", "status"));
}

#[test]
fn only_what_looks_like_ours_is_ours() {
    for (source, expected) in [
        (LADDER, Look::Sequence),
        ("sequence:\nsteps: [}", Look::Sequence),
        ("fragment: x", Look::Fragment),
        ("sequence: a.yml\ncases:", Look::Cases),
        ("", Look::Empty),
        ("# nothing\nseq", Look::Empty),
        ("services:\n  web: { image: x }", Look::Other),
        ("jobs:\n  sequence: x", Look::Other),
    ] {
        assert_eq!(look(source), expected, "{source}");
    }
}

proptest! {
    #[test]
    fn every_question_about_every_source_has_an_answer(
        source in "(steps:\n|  - id: |    run: |Phone\n|config: |\\{\\{|\\}\\}|\\{ |: |steps.|type: get\n|[ \n'\"\u{e9}\u{e000}a-z#]){0,30}",
        place in 0_usize..200,
    ) {
        for form in [Form::Sequence, Form::Cases] {
            let page = Page { subject: Some(&source), ..Page::new(form, &source, &VOCABULARY) };
            for completion in complete(&page, place) {
                prop_assert!(source.get(completion.replaces).is_some());
            }
            if let Some(hover) = hover(&page, place) {
                prop_assert!(source.get(hover.span).is_some());
            }
            for name in named(&page) {
                prop_assert_eq!(source.get(name.span), Some(&*name.id));
            }
            symbols(&page);
        }
    }
}
