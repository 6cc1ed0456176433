//! Copies that are made while a server works, is loaded, and is killed.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rungs::{clock::Stopwatch, store::entity::process};
use sea_orm::EntityTrait;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::site::{Site, What};
use crate::databases::{Database, Kind};

/// Copies that are looked into.
const COPIES: usize = 4;
/// Makers that are killed.
const KILLS: u32 = 12;

/// Somebody who starts processes, and knows how many starts were answered.
fn ask(
    site: &Arc<Site>,
    answered: &Arc<AtomicUsize>,
    over: CancellationToken,
) -> tokio::task::JoinHandle<()> {
    let (site, answered) = (Arc::clone(site), Arc::clone(answered));
    tokio::spawn(async move {
        while !over.is_cancelled() {
            let known = answered.load(Ordering::SeqCst);
            site.begin(known..known + 20).await;
            answered.store(known + 20, Ordering::SeqCst);
        }
    })
}

/// How `rungs` ends when it is told this about a database.
async fn rungs(site: &Arc<Site>, database: &str, arguments: &[&str]) -> (ExitStatus, String) {
    let mut command = site.command(env!("CARGO_BIN_EXE_rungs"), site.ports[0]);
    command.env("RUNGS_DATABASE_URL", database).args(arguments).stderr(Stdio::piped());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A copy that was put back has nothing wrong, and every process of which it was known.
async fn look_into(site: &Arc<Site>, copy: &Path, known: usize) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", directory.path().join("rungs.db").display());
    let (status, said) = rungs(site, &database, &["restore", copy.to_str().unwrap()]).await;
    assert!(status.success(), "{said}");
    let (status, said) = rungs(site, &database, &["audit"]).await;
    assert!(status.success(), "{said}");
    let db = sea_orm::Database::connect(&database).await.unwrap();
    let rows = process::Entity::find().all(&db).await.unwrap();
    db.close().await.unwrap();
    let ids: std::collections::HashSet<String> =
        rows.into_iter().map(|row| row.process_id).collect();
    for number in 0..known {
        assert!(ids.contains(&format!("p{number}")), "p{number} of {known} is not in the copy");
    }
    ids.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_under_load_has_everything_that_was_answered_before() {
    let database = Database::fresh(Kind::Sqlite).await;
    let site = Arc::new(Site::over(&database.url, 1).await);
    let copies = tempfile::tempdir().unwrap();
    let mut programs = [site.start(What::Serve(0))];
    site.ready(0).await;
    site.publish().await;
    let (answered, over) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    site.begin(0..400).await;
    answered.store(400, Ordering::SeqCst);
    let asking = ask(&site, &answered, over.clone());
    sleep(Duration::from_millis(500)).await;
    for number in 0..COPIES {
        let copy = copies.path().join(format!("copy-{number}.db"));
        let known = answered.load(Ordering::SeqCst);
        let (status, said) = rungs(&site, &site.url, &["backup", copy.to_str().unwrap()]).await;
        assert!(status.success(), "{said}");
        let after = answered.load(Ordering::SeqCst);
        let held = look_into(&site, &copy, known).await;
        eprintln!(
            "copy {number}: {known} were answered before it, {after} after, {held} are in it"
        );
        if number % 2 == 1 {
            site.kill(&mut programs[0]);
            site.ready(0).await;
        }
        sleep(Duration::from_millis(500)).await;
    }
    over.cancel();
    asking.await.unwrap();
}

/// Whoever makes the copy is killed at some moment: there is a whole one, or none.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_maker_was_killed_is_whole_or_not_there() {
    let database = Database::fresh(Kind::Sqlite).await;
    let site = Arc::new(Site::over(&database.url, 1).await);
    let copies = tempfile::tempdir().unwrap();
    let server = site.start(What::Serve(0));
    site.ready(0).await;
    site.publish().await;
    for wave in 0..20 {
        site.begin(wave * 200..(wave + 1) * 200).await;
    }
    let watch = Stopwatch::start();
    let undisturbed = copies.path().join("undisturbed.db");
    let (status, said) = rungs(&site, &site.url, &["backup", undisturbed.to_str().unwrap()]).await;
    assert!(status.success(), "{said}");
    let takes = watch.elapsed();
    let mut there = 0;
    for part in 0..KILLS {
        let copy = copies.path().join(format!("copy-{part}.db"));
        let mut command = site.command(env!("CARGO_BIN_EXE_rungs"), site.ports[0]);
        let mut maker = command.arg("backup").arg(&copy).spawn().unwrap();
        // The last ones come too late.
        sleep(takes * part * 5 / (KILLS * 4)).await;
        let _ = maker.kill();
        maker.wait().unwrap();
        if copy.exists() {
            there += 1;
            assert!(look_into(&site, &copy, 4_000).await >= 4_000);
        }
    }
    eprintln!("{there} of {KILLS} were whole, the others are not there");
    // What the killed ones have left is in nobody's way.
    let copy = copies.path().join("copy-0.db");
    let (status, said) =
        rungs(&site, &site.url, &["backup", "--force", copy.to_str().unwrap()]).await;
    assert!(status.success(), "{said}");
    assert_eq!(look_into(&site, &copy, 4_000).await, 4_000);
    drop(server);
}
