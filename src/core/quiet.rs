//! `quietHours:` of a sequence or a step: when nothing may leave. It holds back deliveries,
//! and no visit: the step is visited, its delivery is written, and waits.
//!
//! Promises: pure. What is written carries its quiet hours with it, so that dispatch, and
//! whoever tries again, need no sequence.
//! Called by: `advance`, which writes deliveries; pictures of a climb.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rungs_runners::{
    Scope, Template, calendar,
    hours::{Calendars, Quiet, Window},
};

use crate::Process;

/// `quietHours`, checked.
#[derive(Debug)]
pub struct QuietHours {
    /// When it is quiet.
    pub window: Option<Window>,
    /// An IANA name once rendered; else the process's zone.
    pub timezone: Option<Template>,
    /// When this calendar is not open, it is quiet as well.
    pub calendar: Option<String>,
}

impl QuietHours {
    /// For a process, as its data are now.
    ///
    /// # Errors
    /// The time zone is none.
    pub fn of(&self, process: &Process, calendars: &Calendars) -> Result<Quiet, String> {
        let timezone = self.zone(&process.scope(), process.timezone)?;
        let calendar = self.calendar.as_ref().and_then(|name| calendars.get(name)).cloned();
        Ok(Quiet { timezone, window: self.window.clone(), calendar })
    }

    fn zone(&self, scope: &Scope<'_>, otherwise: Tz) -> Result<Tz, String> {
        let Some(template) = &self.timezone else { return Ok(otherwise) };
        let name =
            template.render(scope).map_err(|error| format!("quietHours: timezone: {error}"))?;
        match name.trim() {
            "" => Ok(otherwise),
            name => calendar::zone(name).map_err(|error| format!("quietHours: timezone: {error}")),
        }
    }
}

/// What a delivery that is written now has to do with quiet hours.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Its quiet hours.
    pub quiet: Quiet,
    /// When it may leave: later than now if it is quiet.
    pub leaves_at: DateTime<Utc>,
    /// When it becomes quiet after that.
    pub falls_at: Option<DateTime<Utc>>,
}

impl Held {
    /// Of a delivery that could leave at `at`. `None` if it is always quiet.
    pub fn at(quiet: &Quiet, at: DateTime<Utc>) -> Option<Self> {
        let leaves_at = quiet.leaves_at(at)?;
        let falls_at = quiet.falls_at(leaves_at);
        Some(Self { quiet: quiet.around(at), leaves_at, falls_at })
    }
}
