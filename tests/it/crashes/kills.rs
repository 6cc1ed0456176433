//! `kill -9`, again and again, while processes are started, stopped and confirmed.

use std::{sync::Arc, time::Duration};

use rungs::clock::Stopwatch;
use tokio::time::sleep;

use super::{
    books,
    load::{Asked, Load},
    site::{Program, Site, What},
};
use crate::databases::{Cluster, Database, Kind};

/// Kills in all unless `RUNGS_KILLS` says how many.
const USUAL: usize = 24;

/// How many of all kills are this test's: so many in six.
#[expect(clippy::disallowed_methods, reason = "how thorough a test is, is no setting of Rungs")]
fn kills(of_six: usize) -> usize {
    let all = std::env::var("RUNGS_KILLS").ok().map_or(USUAL, |text| text.parse().unwrap());
    (all * of_six).div_ceil(6)
}

/// Until so much is under way that a blow hits something.
const RUN_UP: Duration = Duration::from_secs(2);

/// Uneven, so that the blows fall into different moments of a cycle.
async fn breathe(kill: usize) {
    sleep(Duration::from_millis(250 + (kill as u64 * 137) % 500)).await;
}

/// Everything ends as it should, whatever was killed.
async fn balance(what: &str, kills: usize, site: &Site, asked: &Asked, programs: &mut [Program]) {
    let watch = Stopwatch::start();
    site.over_and_done(programs).await;
    let settled = watch.elapsed();
    let (status, found) = site.audit();
    assert!(status.success(), "{found}");
    let figures = books::balance(site, asked).await;
    eprintln!(
        "{what}: {kills} kills, {} processes, {} texts, {} of them twice, {} were in doubt, \
         {} of those had arrived; all was over {:.0} s after the last kill",
        figures.processes,
        figures.texts,
        figures.doubles,
        figures.in_doubt,
        figures.adopted,
        settled.as_secs_f64()
    );
    assert_eq!(figures.doubles, 0, "Twilio can be asked, so nothing is sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_serve_is_killed_on_sqlite() {
    let (database, kills) = (Database::fresh(Kind::Sqlite).await, kills(2));
    let site = Arc::new(Site::over(&database.url, 1).await);
    let mut programs = [site.start(What::Serve(0))];
    site.ready(0).await;
    site.publish().await;
    let load = Load::on(&site);
    sleep(RUN_UP).await;
    for kill in 0..kills {
        breathe(kill).await;
        site.kill(&mut programs[0]);
        site.ready(0).await;
    }
    let asked = load.end().await;
    balance("SQLite, serve", kills, &site, &asked, &mut programs).await;
}

/// Two servers and an evaluator beside each other; each is killed in its turn.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_programs_beside_each_other_are_killed_on_postgres() {
    let (database, kills) = (Database::fresh(Kind::Postgres).await, kills(3));
    let site = Arc::new(Site::over(&database.url, 2).await);
    let mut programs = [What::Serve(0), What::Serve(1), What::Evaluate].map(|one| site.start(one));
    site.ready(0).await;
    site.publish().await;
    let load = Load::on(&site);
    sleep(RUN_UP).await;
    for kill in 0..kills {
        breathe(kill).await;
        for program in &mut programs {
            site.tend(program);
        }
        let victim = kill % programs.len();
        site.kill(&mut programs[victim]);
    }
    let asked = load.end().await;
    balance("PostgreSQL, two serve and evaluate", kills, &site, &asked, &mut programs).await;
}

/// The plug of the database is pulled under load, and every other time a server dies with it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_plug_of_postgres_is_pulled() {
    let (cluster, kills) = (Cluster::start(&[]), kills(1));
    let site = Arc::new(Site::over(&cluster.url("postgres"), 2).await);
    let mut programs = [What::Serve(0), What::Serve(1)].map(|one| site.start(one));
    site.ready(0).await;
    site.publish().await;
    let load = Load::on(&site);
    sleep(RUN_UP).await;
    for kill in 0..kills {
        breathe(kill + 3).await;
        cluster.stop_immediately();
        breathe(kill).await;
        if kill % 2 == 1 {
            // With it goes what it held until the database would be back.
            site.kill(&mut programs[kill / 2 % 2]);
        }
        cluster.start_again();
    }
    let asked = load.end().await;
    balance("PostgreSQL, the plug of its server", kills, &site, &asked, &mut programs).await;
}
