//! Chance that is the same every time.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Draws from one seed.
#[derive(Debug, Clone)]
pub struct Dice(fastrand::Rng);

impl Dice {
    /// Dice that depend on nothing but `what`.
    pub fn of(what: impl Hash) -> Self {
        // With these keys it is the same on every machine and in every build.
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        Self(fastrand::Rng::with_seed(hasher.finish()))
    }

    /// True in `percent` of all cases.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.0.u32(0..100) < percent
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        self.0.i64(least..=most)
    }

    /// A place in a list of `count`.
    pub fn index(&mut self, count: usize) -> usize {
        self.0.usize(0..count)
    }

    /// One of these.
    pub fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.index(of.len())].clone()
    }
}
