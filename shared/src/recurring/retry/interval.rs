//! How long a payment waits between its tries.

use std::time::Duration;

use super::rules::{Members, Misfit};
use crate::choice::choice;
use crate::time::Timestamp;

choice! {
    /// How an interval is said (`RetryIntervalType`).
    IntervalType { Fixed = "Fixed", Staggered = "Staggered" }
}

choice! {
    /// What an interval counts. A day has 24 hours here, whatever the clocks of a place do.
    IntervalUnit { Minutes = "Minutes", Hours = "Hours", Days = "Days" }
}

impl IntervalUnit {
    /// So many of them.
    pub fn times(self, count: u8) -> Duration {
        let seconds = match self {
            Self::Minutes => 60,
            Self::Hours => 60 * 60,
            Self::Days => 24 * 60 * 60,
        };
        Duration::from_secs(seconds * u64::from(count))
    }
}

/// When the retries of a payment come, in some unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interval {
    /// So long after the last failure (1 to 60), so many times (1 to 10).
    Fixed { value: u8, most: u8 },
    /// So long after the first failure each (1 to 60, rising); there are as many retries as values.
    Staggered(Vec<u8>),
}

/// The largest value of an interval, by the wire's documentation.
const LONGEST: u8 = 60;

/// The most retries of a fixed interval, by the wire's documentation.
const MOST_FIXED: u8 = 10;

/// Characters of a value, as the wire's record has room for: at most 17 retries.
const VALUE: usize = 40;

impl Interval {
    /// One with this value and this number of retries, which must be said.
    pub(super) fn fixed(value: &str, count: Option<i64>, members: &Members) -> Result<Self, Misfit> {
        let misfit = |member, limit| Misfit { rule: None, member, limit };
        let value = read(value)
            .ok_or_else(|| misfit(members.interval_value, "must be a whole number from 1 to 60, if Fixed"))?;
        let count = count.ok_or_else(|| misfit(members.maximum_retry_count, "is missing, and needed if Fixed"))?;
        let most = u8::try_from(count).ok().filter(|most| (1..=MOST_FIXED).contains(most));
        let most = most.ok_or_else(|| misfit(members.maximum_retry_count, "must be a whole number from 1 to 10"))?;
        Ok(Self::Fixed { value, most })
    }

    /// One of these values. A number of retries need not be said; where it is, it is theirs.
    pub(super) fn staggered(values: &str, count: Option<i64>, members: &Members) -> Result<Self, Misfit> {
        let misfit = |member, limit| Misfit { rule: None, member, limit };
        let wrong = |limit| misfit(members.interval_value, limit);
        if values.len() > VALUE {
            return Err(wrong("must have at most 40 characters"));
        }
        let read: Option<Vec<u8>> = values.split(',').map(read).collect();
        let values = read.ok_or_else(|| wrong("must be whole numbers from 1 to 60 with commas between, no spaces"))?;
        if !values.is_sorted_by(|earlier, later| earlier < later) {
            return Err(wrong("must rise from value to value: each counts from the first failure"));
        }
        if count.is_some_and(|count| usize::try_from(count) != Ok(values.len())) {
            return Err(misfit(members.maximum_retry_count, "must be the number of values, if Staggered"));
        }
        Ok(Self::Staggered(values))
    }

    /// How many retries there are.
    pub fn most(&self) -> u8 {
        match self {
            Self::Fixed { most, .. } => *most,
            Self::Staggered(values) => u8::try_from(values.len()).unwrap_or(u8::MAX),
        }
    }

    /// When the next retry comes after so many; none where there were enough. One whose time has passed while the one
    /// before it was open comes at once.
    pub(super) fn next(
        &self,
        unit: IntervalUnit,
        retries_made: u8,
        first_failed_at: Timestamp,
        failed_at: Timestamp,
    ) -> Option<Timestamp> {
        match self {
            Self::Fixed { value, most } => (retries_made < *most).then(|| failed_at.plus(unit.times(*value))),
            Self::Staggered(values) => {
                let value = values.get(usize::from(retries_made))?;
                Some(first_failed_at.plus(unit.times(*value)).max(failed_at))
            }
        }
    }
}

/// A value as the wire writes it: digits, and no zero in front.
fn read(text: &str) -> Option<u8> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|value| is_number && (1..=LONGEST).contains(value))
}
