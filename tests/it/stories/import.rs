//! Moving over from roesc, with processes under way.

use rungs::{
    config,
    intake::{self, Refusal, Registry},
    store::{imports::Brought, roesc::Row},
};

use super::{MANAGER, RESTAURANT};
use crate::{databases::Kind, every_database::on_every_database, harness::TestApp};

on_every_database!(
    what_is_under_way_goes_on_and_what_is_overdue_goes_out_at_once,
    a_row_is_brought_once_also_if_roesc_went_on_with_it,
    a_process_that_lives_already_stays_and_the_row_is_not_brought_later,
    a_row_that_cannot_be_understood_starts_nothing,
    the_registry_is_kept_unless_one_is,
);

/// A row as roesc writes it. `at` is in seconds from nine o'clock.
fn row(app: &TestApp, id: &str, calls: &[(i64, &str)]) -> Row {
    let at = |seconds: i64| app.now().timestamp() + seconds;
    let list: Vec<String> = calls
        .iter()
        .map(|(seconds, to)| {
            format!("{{:channel \"phone\", :at {}, :phone-number \"{to}\"}}", at(*seconds))
        })
        .collect();
    let first = calls.iter().map(|(seconds, _)| at(*seconds)).min().unwrap();
    Row { id: id.to_owned(), at: first, notifications: Some(format!("[{}]", list.join(" "))) }
}

async fn bring(app: &TestApp, row: &Row) -> Brought {
    let settings = config::Roesc::default();
    let brought = intake::import_roesc(&app.engine, &settings, row, false).await.unwrap().brought;
    app.settle().await;
    brought
}

async fn what_is_under_way_goes_on_and_what_is_overdue_goes_out_at_once(kind: Kind) {
    let app = TestApp::on(kind).await;
    // roesc has not run for an hour: two are overdue, in whatever order they stand.
    let calls = [(-60, MANAGER), (-3_600, RESTAURANT), (1_800, RESTAURANT)];
    assert_eq!(bring(&app, &row(&app, "galija", &calls)).await, Brought::Born);
    assert_eq!(app.called(), [RESTAURANT, MANAGER]);
    assert_eq!(app.stands("galija").await, "active at wait-3");

    app.clock_shows("09:29:59").await;
    assert_eq!(app.called().len(), 2);
    app.clock_shows("09:30").await;
    assert_eq!(app.called(), [RESTAURANT, MANAGER, RESTAURANT]);
    assert!(app.stands("galija").await.starts_with("completed"));
    app.finish().await;
}

async fn a_row_is_brought_once_also_if_roesc_went_on_with_it(kind: Kind) {
    let app = TestApp::on(kind).await;
    let whole = row(&app, "galija", &[(60, RESTAURANT), (120, MANAGER)]);
    let rest = row(&app, "galija", &[(120, MANAGER)]);
    let next = row(&app, "galija", &[(60, RESTAURANT), (240, MANAGER)]);
    let settings = config::Roesc::default();
    let rehearsed = intake::import_roesc(&app.engine, &settings, &whole, true).await.unwrap();
    assert_eq!((rehearsed.brought, rehearsed.notifications.len()), (Brought::Born, 2));
    let unknown = app.engine.store.process("galija").await.unwrap();
    assert!(unknown.is_none(), "a rehearsal starts nothing: {unknown:#?}");

    assert_eq!(bring(&app, &whole).await, Brought::Born);
    assert_eq!(bring(&app, &whole).await, Brought::Before);
    app.clock_shows("09:01").await;
    // roesc was not stopped, and has sent the first one as well.
    assert_eq!(bring(&app, &rest).await, Brought::Before);
    app.clock_shows("09:10").await;
    assert!(app.stands("galija").await.starts_with("completed"));
    // It has ended, and was swept away long ago.
    assert_eq!(bring(&app, &whole).await, Brought::Before);
    app.sabotage("DELETE FROM processes").await;
    assert_eq!(bring(&app, &rest).await, Brought::Before);
    assert_eq!(app.called(), [RESTAURANT, MANAGER]);
    // Another process of the same restaurant, started at roesc since.
    assert_eq!(bring(&app, &next).await, Brought::Born);
    assert_eq!(app.called().len(), 4);
    app.finish().await;
}

async fn a_process_that_lives_already_stays_and_the_row_is_not_brought_later(kind: Kind) {
    let app = TestApp::on(kind).await;
    let start = serde_json::json!({
        "process-id": "galija", "action": "start",
        "notifications": [{ "channel": "phone", "at": app.now().timestamp() + 600, "phone-number": MANAGER }],
    });
    assert_eq!(app.post("/v1/requests", &start).await.0, 202);
    let old = row(&app, "galija", &[(-60, RESTAURANT)]);
    assert_eq!(bring(&app, &old).await, Brought::Live);
    app.clock_shows("09:30").await;
    assert_eq!(app.called(), [MANAGER]);
    assert_eq!(bring(&app, &old).await, Brought::Before);
    assert_eq!(app.called(), [MANAGER]);
    app.finish().await;
}

async fn a_row_that_cannot_be_understood_starts_nothing(kind: Kind) {
    let app = TestApp::on(kind).await;
    let settings = config::Roesc::default();
    for (notifications, at) in [
        (None, "/notifications"),
        (Some("({:channel \"phone\""), "/notifications"),
        (Some("()"), "/notifications"),
        (Some("[{:channel \"fax\", :at 1}]"), "/notifications/0/channel"),
        (
            Some("[{:channel \"phone\", :at 1, :phone-number \"soon\"}]"),
            "/notifications/0/phone-number",
        ),
        (
            Some("[{:channel \"phone\", :at 1E+30M, :phone-number \"+385911234567\"}]"),
            "/notifications/0/at",
        ),
    ] {
        let notifications = notifications.map(str::to_owned);
        let row = Row { id: "galija".to_owned(), at: 1, notifications };
        let refused = intake::import_roesc(&app.engine, &settings, &row, false).await;
        let Err(Refusal::Invalid { pointer, .. }) = refused else { panic!("{row:?}: {refused:?}") };
        assert_eq!(pointer, at, "{row:?}");
    }
    assert!(app.engine.store.process("galija").await.unwrap().is_none());
    app.finish().await;
}

async fn the_registry_is_kept_unless_one_is(kind: Kind) {
    let app = TestApp::on(kind).await;
    let registry = r#"{"+385": "+3851111111", "default": "+12569065677"}"#;
    let bring = |text: &'static str, rehearsal| {
        let engine = app.engine.clone();
        async move { intake::import_roesc_registry(&engine, text, rehearsal).await }
    };
    for wrong in ["{", "[]", r#"{"+385": 1}"#, r#"{"croatia": "+3851111111"}"#] {
        for rehearsal in [true, false] {
            assert!(
                matches!(bring(wrong, rehearsal).await, Err(Refusal::Invalid { .. })),
                "{wrong}"
            );
        }
    }
    assert_eq!(bring(registry, true).await.unwrap(), Registry::Kept);
    assert!(!intake::caller_ids(&app.engine).await.unwrap().1, "a rehearsal keeps nothing");
    assert_eq!(bring(registry, false).await.unwrap(), Registry::Kept);
    let (kept, _) = intake::caller_ids(&app.engine).await.unwrap();
    assert_eq!(kept.for_number(RESTAURANT), Some("+3851111111"));
    // Also after somebody has given it up, it is not brought again.
    intake::give_up_caller_ids(&app.engine).await.unwrap();
    assert_eq!(bring(registry, false).await.unwrap(), Registry::Before);
    app.finish().await;

    let app = TestApp::on(kind).await;
    let ours = [("default".to_owned(), "+14155550199".to_owned())].into();
    intake::keep_caller_ids(&app.engine, ours).await.unwrap();
    let brought = intake::import_roesc_registry(&app.engine, registry, false).await.unwrap();
    assert_eq!(brought, Registry::Another);
    let (kept, _) = intake::caller_ids(&app.engine).await.unwrap();
    assert_eq!(kept.for_number(RESTAURANT), Some("+14155550199"));
    app.finish().await;
}
