//! An amount that is added up along a way: milliseconds or messages. It may have no bound, and
//! then knows why.

use chrono::TimeDelta;

/// An amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weight {
    /// What can be counted of it. Sums over a whole sequence fit with much room.
    pub finite: u128,
    /// Why it has no bound.
    pub endless: Option<Cause>,
}

/// Why there is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// What one stay at this step takes or sends has none.
    Step(usize),
    /// Its quiet hours hold back what this step sends, nobody knows for how long.
    Quiet(usize),
    /// The first leads back to the second as often as one likes.
    Loop(usize, usize),
}

impl Weight {
    pub const ZERO: Self = Self { finite: 0, endless: None };

    pub fn of(amount: u64) -> Self {
        Self { finite: amount.into(), endless: None }
    }

    pub fn of_duration(duration: TimeDelta) -> Self {
        Self::of(u64::try_from(duration.num_milliseconds()).unwrap_or(0))
    }

    /// Without a bound, because of a step.
    pub fn endless(step: usize) -> Self {
        Self { finite: 0, endless: Some(Cause::Step(step)) }
    }

    /// Without a bound, because of a step's quiet hours.
    pub fn held(step: usize) -> Self {
        Self { finite: 0, endless: Some(Cause::Quiet(step)) }
    }

    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// Of two reasons, the one that comes first on the way.
    pub fn plus(self, further: Self) -> Self {
        Self {
            finite: self.finite.saturating_add(further.finite),
            endless: self.endless.or(further.endless),
        }
    }

    pub fn times(self, times: u32) -> Self {
        if times == 0 {
            return Self::ZERO;
        }
        Self { finite: self.finite.saturating_mul(times.into()), ..self }
    }

    pub fn exceeds(self, other: Self) -> bool {
        (self.endless.is_some(), self.finite) > (other.endless.is_some(), other.finite)
    }
}
