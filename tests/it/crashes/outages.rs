//! Databases that go away, or cannot take more.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::{
    books,
    load::Asked,
    phone,
    site::{Program, Site, What},
};
use crate::{
    databases::{Cluster, Database, Kind},
    fakes::watcher::FakeWatcher,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_may_go_away_for_ten_seconds_and_come_back() {
    const PROCESSES: usize = 200;
    let (cluster, watcher) = (Cluster::start(&[]), FakeWatcher::start().await);
    let mut site = Site::over(&cluster.url("postgres"), 1).await;
    site.settings.push(("RUNGS_HEARTBEAT_URL", watcher.url().to_owned()));
    site.settings.push(("RUNGS_HEARTBEAT_EVERY", "1".to_owned()));
    let mut programs = [site.start(What::Serve(0))];
    site.ready(0).await;
    site.publish().await;
    site.begin(0..PROCESSES).await;
    sleep(Duration::from_millis(1_500)).await;
    for _ in 0..600 {
        if watcher.heard() > 0 {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert!(watcher.heard() > 0, "all is well, and somebody is told");

    cluster.stop_immediately();
    sleep(Duration::from_secs(5)).await;
    let heard = watcher.heard();
    let url = format!("http://127.0.0.1:{}/v1/processes/p1", site.ports[0]);
    let away = site.http.get(&url).send().await.unwrap();
    assert_eq!(away.status(), 503, "callers are told");
    assert!(away.headers().contains_key("retry-after"));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(watcher.heard(), heard, "whoever watches is not");
    cluster.start_again();

    site.over_and_done(&mut programs).await;
    assert!(watcher.heard() > heard, "the heart beats again");
    let asked = Asked { processes: PROCESSES, ..Asked::default() };
    // Results were held until it was back: what had arrived was not sent again. A request
    // that a busy machine did not get through in its second is in doubt, too, and repeated.
    let figures = books::balance(&site, &asked).await;
    assert_eq!((figures.texts, figures.doubles), (PROCESSES * super::TEXTS, 0));
}

/// The disk is full: what was answered with 201 is kept, everything else is answered with
/// 503, and the program lives on.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_that_was_answered() {
    let database = Database::fresh(Kind::Sqlite).await;
    let site = Site::over(&database.url, 1).await;
    // No file may grow beyond this many blocks of 512 bytes.
    let script = r#"trap '' XFSZ; ulimit -f 3000; exec "$0" serve"#;
    let mut command = site.command("sh", site.ports[0]);
    let full = command.args(["-c", script, env!("CARGO_BIN_EXE_rungs")]).spawn().unwrap();
    let full = Program::from(full);
    site.ready(0).await;
    site.publish().await;

    let filler = "x".repeat(20_000);
    let (mut taken, mut refused) = (0, 0);
    while refused < 5 && taken < 400 {
        let id = format!("p{taken}");
        let data = json!({ "phone": phone(taken), "filler": filler });
        let body = json!({ "sequence": "five-texts", "process_id": id, "data": data });
        let url = format!("http://127.0.0.1:{}/v1/processes", site.ports[0]);
        match site.http.post(url).json(&body).send().await.unwrap().status().as_u16() {
            201 => taken += 1,
            503 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!(refused, 5, "the disk was never full: {taken} were taken");
    site.ready(0).await;
    drop(full);

    let mut programs = [site.start(What::Serve(0))];
    site.ready(0).await;
    site.over_and_done(&mut programs).await;
    books::balance(&site, &Asked { processes: taken, ..Asked::default() }).await;
}
