//! Small calls, done together: those that come while one is under way are done by the next
//! in one statement or one commit. Alone, a call waits for nobody.
//!
//! Promises: what a call is told happened after it came. One that is dropped while it works
//! for others leaves them to try again.

use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;
use tokio::sync::oneshot;

/// The most calls that are done at once.
const MOST: usize = 500;

/// Calls with an item each, and what each is told.
pub(super) struct Together<T, R> {
    waiting: Mutex<Vec<(T, oneshot::Sender<R>)>>,
    turn: tokio::sync::Mutex<()>,
}

impl<T, R> Default for Together<T, R> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }
}

impl<T: Clone, R> Together<T, R> {
    /// Does `item`, with those of others. `work` answers each of its items, in their order.
    pub(super) async fn call<'w>(
        &self,
        item: T,
        work: impl Fn(Vec<T>) -> BoxFuture<'w, Vec<R>>,
    ) -> R {
        loop {
            let mut told = self.wait(item.clone());
            tokio::select! {
                biased;
                Ok(answer) = &mut told => return answer,
                _turn = self.turn.lock() => {
                    // Somebody may have done it just before.
                    if let Ok(answer) = told.try_recv() {
                        return answer;
                    }
                    let (items, tell): (Vec<T>, Vec<oneshot::Sender<R>>) =
                        self.next().into_iter().unzip();
                    for (answer, tell) in work(items).await.into_iter().zip(tell) {
                        // Whoever went away needs no answer.
                        let _ = tell.send(answer);
                    }
                    if let Ok(answer) = told.try_recv() {
                        return answer;
                    }
                }
                else => {}
            }
        }
    }

    fn wait(&self, item: T) -> oneshot::Receiver<R> {
        let (tell, told) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((item, tell));
        told
    }

    /// Those who have waited longest. Who went away meanwhile asks for nothing.
    fn next(&self) -> Vec<(T, oneshot::Sender<R>)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|(_, tell)| !tell.is_closed());
        let most = waiting.len().min(MOST);
        waiting.drain(..most).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use futures::{FutureExt, future::join_all, join};

    use super::*;

    #[tokio::test]
    async fn those_who_come_meanwhile_are_done_together() {
        let together = Together::<usize, (usize, usize)>::default();
        let together = &together;
        let go = Arc::new(tokio::sync::Notify::new());
        let call = |item: usize| {
            let go = Arc::clone(&go);
            together.call(item, move |items| {
                let go = Arc::clone(&go);
                async move {
                    if items == [0] {
                        go.notified().await;
                    }
                    items.iter().map(|item| (*item, items.len())).collect()
                }
                .boxed()
            })
        };
        let first = call(0);
        let others = async {
            let others = join_all((1..=3).map(call));
            // They have come, and wait, by the time that this is polled.
            join!(others, async { go.notify_one() }).0
        };
        let (first, others) = join!(first, others);
        assert_eq!(first, (0, 1));
        assert_eq!(others, [(1, 3), (2, 3), (3, 3)]);
    }

    #[tokio::test]
    async fn who_is_dropped_at_work_leaves_the_others_to_try_again() {
        let together = Together::<usize, usize>::default();
        let never = |_| std::future::pending().boxed();
        let dropped = tokio::time::timeout(Duration::from_millis(1), together.call(1, never));
        let other = together.call(2, |items| std::future::ready(items).boxed());
        let (dropped, other) = join!(dropped, other);
        assert!(dropped.is_err());
        assert_eq!(other, 2);
    }
}
