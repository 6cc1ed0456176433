//! Waking those who sleep until the next `due_at`.
//!
//! A wake-up that nobody waits for is kept for the next who does. What another program
//! writes wakes nobody here; for that there is `Options::poll`.

use std::collections::BTreeMap;

use tokio::sync::Notify;

/// Who sleeps, and can be woken.
#[derive(Debug)]
pub struct Wake {
    evaluator: Notify,
    dispatchers: BTreeMap<&'static str, Notify>,
}

impl Wake {
    pub(super) fn new(channels: impl Iterator<Item = &'static str>) -> Self {
        let dispatchers = channels.map(|name| (name, Notify::new())).collect();
        Self { evaluator: Notify::new(), dispatchers }
    }

    /// A process may have become due.
    pub fn evaluator(&self) {
        self.evaluator.notify_one();
    }

    /// There may be something to send.
    pub fn dispatchers(&self) {
        self.dispatchers.values().for_each(Notify::notify_one);
    }

    pub(super) async fn evaluator_woken(&self) {
        self.evaluator.notified().await;
    }

    pub(super) async fn dispatcher_woken(&self, channel: &str) {
        match self.dispatchers.get(channel) {
            Some(notify) => notify.notified().await,
            None => std::future::pending().await,
        }
    }
}
