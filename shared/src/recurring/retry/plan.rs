//! What a rule comes to for one payment.

use super::{Failure, Interval, IntervalUnit, limits};
use crate::time::Timestamp;

/// How a payment that failed is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub interval: Interval,
    pub unit: IntervalUnit,
    /// Whether the last retry is made with another of the payer's methods.
    pub can_use_other_method: bool,
}

/// What became of a payment so far.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// Why it failed the last time.
    pub failure: Failure<'a>,
    /// How often it was tried again, by whatever rules.
    pub retries_made: u8,
    pub first_failed_at: Timestamp,
    /// When it failed the last time.
    pub failed_at: Timestamp,
    /// When it was tried, in any order: the first time and the last too. Those of the last 30 days suffice; other payments
    /// by the same card may be among them.
    pub attempts: &'a [Timestamp],
}

/// A try to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Not before this moment.
    pub at: Timestamp,
    /// With another method than the one that failed.
    pub with_other_method: bool,
}

impl Plan {
    /// The next try; none where there is nothing more to be tried.
    pub fn next(&self, history: &History<'_>) -> Option<Retry> {
        let History { failure, retries_made, first_failed_at, failed_at, attempts } = *history;
        if !failure.is_retriable() {
            return None;
        }
        let planned = self.interval.next(self.unit, retries_made, first_failed_at, failed_at)?;
        let at = limits::admitted(planned, attempts)?;
        let is_last = retries_made.saturating_add(1) == self.interval.most();
        Some(Retry { at, with_other_method: is_last && self.can_use_other_method })
    }
}
