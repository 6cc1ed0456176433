//! Time passes where nobody can go on, and in the end nothing goes wrong any more.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Broken, Deed, Doing, POLL, State, What, Who, World};

/// Steps after which nothing more goes wrong.
const HOSTILE_TICKS: u64 = 2_500;
/// Moments that pass, once nothing goes wrong any more, before the run may end though some
/// process still climbs.
const HEALED_MOMENTS: u32 = 40;
/// Rows of a history after which a process climbs for ever.
const MOST_ROWS: i64 = 100;
/// Moments within which everything must have come to rest by then.
const MOST_MOMENTS: u32 = 1_000;

impl World<'_> {
    /// Lets time pass: until the next thing happens, or a moment only. False if nothing will
    /// happen any more.
    pub(super) async fn let_time_pass(&mut self, idle: bool) -> Result<bool, Broken> {
        if !idle {
            let pause = TimeDelta::milliseconds(self.order.between(1, 3_000));
            self.set_time(self.now + pause);
            return Ok(true);
        }
        self.stop_whoever_has_climbed(MOST_ROWS);
        if self.healing {
            self.healed += 1;
            let enough = self.healed >= HEALED_MOMENTS || self.all_ended();
            if enough && self.is_calm() {
                return Ok(false);
            }
            if self.healed.is_multiple_of(HEALED_MOMENTS) {
                self.stop_whoever_has_climbed(0);
            }
            if self.healed > MOST_MOMENTS {
                let what = format!("open after all faults are over: {:#?}", self.seen);
                return Err(Broken::new("everything_comes_to_rest", what));
            }
        }
        let next = self.next_moment().await;
        let over = next.is_none() || self.ledger.tick > HOSTILE_TICKS || self.is_over();
        if over && !self.healing {
            self.healing = true;
            self.stalled.clear();
            self.tell("nothing goes wrong any more".to_owned());
            return Ok(true);
        }
        let Some(next) = next else { return Ok(false) };
        let late = if self.order.percent(20) { self.order.between(0, 400) } else { 0 };
        self.set_time(next.max(self.now) + TimeDelta::milliseconds(late));
        Ok(true)
    }

    /// A ladder may go round without a wait, as fast as its texts are sent: somebody stops a
    /// process with a long history.
    fn stop_whoever_has_climbed(&mut self, rows: i64) {
        let live = self.seen.processes.values().filter(|process| process.status == "active");
        for process in live.filter(|process| process.rows > rows) {
            let waits = |doing: &Doing| {
                doing.deed.process == process.process_id
                    && matches!(doing.deed.what, What::Stop)
                    && !matches!(doing.state, State::Answered)
            };
            if !self.doings.iter().any(waits) {
                let (process, at) = (process.process_id.clone(), self.now);
                let deed = Deed { at, process, what: What::Stop };
                self.doings.push(Doing { deed, state: State::Waits(at) });
            }
        }
    }

    /// Whether nothing more will go wrong by itself.
    fn is_over(&self) -> bool {
        let last = self.scenario.deeds.iter().map(|deed| deed.at).max().unwrap_or(self.now);
        self.now > last + TimeDelta::hours(12) || (self.all_answered() && self.all_ended())
    }

    fn all_answered(&self) -> bool {
        self.doings.iter().all(|doing| matches!(doing.state, State::Answered))
    }

    fn all_ended(&self) -> bool {
        self.seen.processes.values().all(|process| !process.is_live())
    }

    /// Whether everything that can be done now has been done.
    fn is_calm(&self) -> bool {
        let now = (self.now + self.jumped).timestamp_millis();
        let paused =
            |delivery| self.seen.process_of(delivery).is_some_and(|it| it.status == "paused");
        let asleep = self.seen.processes.values().all(|process| {
            process.status != "active" || process.due_at.is_none_or(|due_at| due_at > now)
        });
        let mut open = self.seen.deliveries.values().filter(|delivery| delivery.is_open());
        self.all_answered()
            && self.callbacks.is_empty()
            && self.providers.lock().unwrap().callbacks.is_empty()
            && asleep
            && open.all(|delivery| delivery.status == "pending" && paused(delivery))
    }

    fn something_waits_to_be_sent(&self, clock: DateTime<Utc>) -> bool {
        self.seen.deliveries.values().any(|delivery| {
            delivery.status == "pending"
                && delivery.due_at.is_some_and(|due_at| due_at <= clock.timestamp_millis())
                && self.seen.process_of(delivery).is_some_and(|process| process.status == "active")
        })
    }

    /// When something will happen next.
    async fn next_moment(&mut self) -> Option<DateTime<Utc>> {
        let alive = self.programs.iter().any(|running| running.life.is_some());
        let down = self.programs.iter().filter(|running| running.life.is_none());
        let deeds = self.doings.iter().filter_map(|doing| match doing.state {
            State::Waits(at) if alive => Some(at),
            _ => None,
        });
        let callbacks = self.providers.lock().unwrap().callbacks.iter().map(|one| one.at).min();
        let standing: Vec<Who> = self.stage.standing().into_iter().map(|(who, _)| who).collect();
        let stalls =
            self.stalled.iter().filter(|(who, _)| standing.contains(who)).map(|(_, at)| *at);
        let mut next: Vec<DateTime<Utc>> =
            down.map(|running| running.up_at).chain(deeds).chain(callbacks).chain(stalls).collect();
        if alive {
            let clock = self.now + self.jumped;
            let due_at = self.base.store.next_due_at(clock).await.unwrap();
            let due_at = due_at.map(|due_at| due_at - self.jumped);
            let overdue = due_at.is_some_and(|due_at| due_at <= self.now)
                || self.something_waits_to_be_sent(clock);
            if overdue {
                // It is found by those who look again and again; if not, somebody stalls.
                self.looks += 1;
                next.push(self.now + POLL * (1 << (self.looks / 3).min(4)));
            } else {
                self.looks = 0;
                next.extend(due_at);
            }
        }
        next.into_iter().min()
    }
}
