//! A token bucket: how many requests may be made at once, and how it fills again.
//!
//! It holds as much as comes in a second, and at least one request. Whoever serves requests takes a portion out, about
//! a tenth of a second's worth, and spends it for a short while without asking again.

use std::time::Duration;

use crate::time::Timestamp;

/// Requests of one portion: the tenth part of what comes in a second.
const PORTIONS_PER_SECOND: u64 = 10;

/// How long a portion may be spent. After that its rest is lost, so that a rate is a rate.
pub const PORTION_LIFE: Duration = Duration::from_secs(2);

const REQUEST: u64 = 1_000;

/// What is in a bucket, and when that was so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// In thousandths of a request: a rate per second fills as many of them in a millisecond.
    pub thousandths: u64,
    pub at: Timestamp,
}

/// What comes of asking for a portion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Portion {
    /// So many requests, and what is left.
    Taken { requests: u64, left: Bucket },
    /// There will be one after this time.
    Empty { wait: Duration },
}

impl Bucket {
    /// A full one.
    pub fn full(per_second: u16, now: Timestamp) -> Self {
        Self { thousandths: capacity(per_second), at: now }
    }

    /// Takes a portion out. A clock that was put back fills nothing.
    pub fn take(self, per_second: u16, now: Timestamp) -> Portion {
        let rate = u64::from(per_second.max(1));
        let elapsed_ms = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let level = self.thousandths.saturating_add(elapsed_ms.saturating_mul(rate)).min(capacity(per_second));
        let requests = (rate / PORTIONS_PER_SECOND).max(1).min(level / REQUEST);
        match requests {
            0 => Portion::Empty { wait: Duration::from_millis((REQUEST - level).div_ceil(rate)) },
            _ => {
                let left = Self { thousandths: level - requests * REQUEST, at: self.at.max(now) };
                Portion::Taken { requests, left }
            }
        }
    }
}

fn capacity(per_second: u16) -> u64 {
    u64::from(per_second.max(1)) * REQUEST
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn after(millis: i64) -> Timestamp {
        Timestamp::from_millis(START.as_millis() + millis)
    }

    #[test]
    fn a_portion_is_a_tenth_of_a_second_and_at_least_one() {
        // (rate, thousandths in it, elapsed ms) → (requests, thousandths left), or the wait in ms
        let rows = [
            (100, 100_000, 0, Ok((10, 90_000))),
            (100, 5_500, 0, Ok((5, 500))),
            (100, 999, 0, Err(1)),
            (100, 0, 0, Err(10)),
            (100, 0, 9, Err(1)),
            (100, 0, 10, Ok((1, 0))),
            (100, 0, 250, Ok((10, 15_000))),
            (100, 0, 1_000_000, Ok((10, 90_000))),
            (100, 99_000, 1_000_000, Ok((10, 90_000))),
            (1, 1_000, 0, Ok((1, 0))),
            (1, 0, 999, Err(1)),
            (1, 0, 1_000, Ok((1, 0))),
            (9, 9_000, 0, Ok((1, 8_000))),
            (u16::MAX, 65_535_000, 0, Ok((6_553, 58_982_000))),
            (0, 0, 0, Err(1_000)),
            (100, 0, -5_000, Err(10)),
            (100, 1_000, -5_000, Ok((1, 0))),
        ];
        for (rate, thousandths, elapsed, expected) in rows {
            let taken = Bucket { thousandths, at: START }.take(rate, after(elapsed));
            let at = after(elapsed.max(0));
            let expected = match expected {
                Ok((requests, thousandths)) => Portion::Taken { requests, left: Bucket { thousandths, at } },
                Err(wait_ms) => Portion::Empty { wait: Duration::from_millis(wait_ms) },
            };
            assert_eq!(taken, expected, "{rate} per second, {thousandths} thousandths, after {elapsed} ms");
        }
    }

    /// Whatever is asked when, no second lets through more than twice the rate, and no longer time more than the rate
    /// and what the bucket held at first.
    #[test]
    fn in_the_long_run_a_rate_is_a_rate() {
        for rate in [1_u16, 3, 10, 99, 1_000] {
            let (mut bucket, mut taken) = (Bucket::full(rate, START), 0);
            for elapsed in (0..10_000).step_by(7) {
                while let Portion::Taken { requests, left } = bucket.take(rate, after(elapsed)) {
                    taken += requests;
                    bucket = left;
                }
                let most = u64::from(rate) + u64::from(rate) * elapsed.unsigned_abs() / 1_000;
                assert!(taken <= most, "{taken} of {most} after {elapsed} ms at {rate}");
            }
            let due = u64::from(rate) * 10;
            assert!(taken >= due, "{taken} of {due} at {rate}");
        }
    }

    #[test]
    fn whoever_waits_as_told_gets_a_request() {
        for rate in [1_u16, 3, 7, 999, 1_001] {
            let empty = Bucket { thousandths: 0, at: START };
            let Portion::Empty { wait } = empty.take(rate, START) else { panic!("{rate}: it is empty") };
            assert!(matches!(empty.take(rate, START.plus(wait)), Portion::Taken { requests: 1, .. }), "{rate}");
        }
    }
}
