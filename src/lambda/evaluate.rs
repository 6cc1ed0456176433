//! `evaluate`: what is due, until nothing is or time is nearly up. The rest is the next run's.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    engine::{Engine, Tally, heartbeat::Beat},
    store,
};

/// The last part of the time, in which nothing is begun any more: what is under way ends in it.
const LAST: (TimeDelta, TimeDelta) = (TimeDelta::seconds(3), TimeDelta::seconds(30));

/// Evaluates at each invocation, whatever it says.
pub(super) async fn serve(engine: Arc<Engine>) -> Result<(), Error> {
    let engine = &engine;
    let evaluate = async |event: LambdaEvent<Value>| {
        let deadline = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
        let deadline =
            DateTime::from_timestamp_millis(deadline).unwrap_or(DateTime::<Utc>::MAX_UTC);
        run(engine, deadline).await.map_err(|error| {
            tracing::error!(%error, "the database is in trouble; the next run goes on");
            Error::from(error)
        })
    };
    lambda_runtime::run(service_fn(evaluate)).await
}

/// One run, over before `deadline`.
async fn run(engine: &Engine, deadline: DateTime<Utc>) -> store::Result<Tally> {
    let stop = CancellationToken::new();
    let nearly_up = async {
        engine.clock.sleep_until(begins_until(engine.clock.now(), deadline)).await;
        stop.cancel();
        std::future::pending().await
    };
    let work = async {
        let mut tally = engine.drain_until(&stop).await?;
        if !stop.is_cancelled() {
            tally.swept.processes += engine.sweep_ended().await?.processes;
        }
        engine.tell(&engine.beat().await, &Beat::NotDue);
        Ok(tally)
    };
    tokio::select! {
        tally = work => tally,
        () = nearly_up => Ok(Tally::default()),
    }
}

/// Until when something may begin: a third of the time is left to what is under way then.
fn begins_until(now: DateTime<Utc>, deadline: DateTime<Utc>) -> DateTime<Utc> {
    let (least, most) = LAST;
    deadline - ((deadline - now) / 3).clamp(least, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_has_time_to_end() {
        let now = "2026-11-23T09:00:00Z".parse().unwrap();
        for (seconds, begins) in [(120, 90), (90, 60), (30, 20), (6, 3), (3, 0), (1, -2)] {
            let until = begins_until(now, now + TimeDelta::seconds(seconds));
            assert_eq!(until - now, TimeDelta::seconds(begins), "{seconds}");
        }
    }
}
