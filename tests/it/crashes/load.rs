//! What is asked of the programs while they are killed: starts, stops and events, each until
//! it is answered.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use rungs::clock::Clock;
use serde_json::json;
use tokio::{task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

use super::site::Site;

/// Started at once.
const WAVE: usize = 30;
/// Between two waves.
const PAUSE: Duration = Duration::from_millis(400);
/// So many waves after its start, a process is stopped or confirmed, if it is to be.
const LATER: usize = 6;

/// What was asked for, and answered.
#[derive(Debug, Default)]
pub struct Asked {
    /// Processes started: `p0`, `p1`, ...
    pub processes: usize,
    /// When a stop, or the event that achieves the goal, had been answered.
    pub silenced: HashMap<usize, DateTime<Utc>>,
}

/// Somebody who asks, beside whoever kills.
pub struct Load {
    over: CancellationToken,
    asking: JoinHandle<Asked>,
}

impl Load {
    /// Begins.
    pub fn on(site: &Arc<Site>) -> Self {
        let (site, over) = (Arc::clone(site), CancellationToken::new());
        let until = over.clone();
        let asking = tokio::spawn(async move { run(&site, until).await });
        Self { over, asking }
    }

    /// Ends, once everything that was asked has been answered.
    pub async fn end(self) -> Asked {
        self.over.cancel();
        self.asking.await.unwrap()
    }
}

/// Asks until it is `over`. One process in ten is stopped on its way, one is confirmed.
async fn run(site: &Site, over: CancellationToken) -> Asked {
    let mut asked = Asked::default();
    let mut waves = 0;
    while !over.is_cancelled() {
        site.begin(asked.processes..asked.processes + WAVE).await;
        asked.processes += WAVE;
        waves += 1;
        sleep(PAUSE).await;
        if let Some(wave) = usize::checked_sub(waves, LATER) {
            silence(site, wave, &mut asked).await;
        }
    }
    asked
}

async fn silence(site: &Site, wave: usize, asked: &mut Asked) {
    for number in wave * WAVE..(wave + 1) * WAVE {
        let path = format!("/v1/processes/p{number}");
        let (status, answer) = match number % 10 {
            0 => site.post(&format!("{path}/stop"), &json!({})).await,
            1 => {
                let data = json!({ "order": { "status": "confirmed" } });
                let event = json!({ "type": "order.status", "id": "once", "data": data });
                site.post(&format!("{path}/events"), &event).await
            }
            _ => continue,
        };
        // Whoever had ended before has nothing more to say anyhow.
        assert!([200, 202, 409].contains(&status), "{status}: {answer:#}");
        asked.silenced.insert(number, Clock::System.now());
    }
}
