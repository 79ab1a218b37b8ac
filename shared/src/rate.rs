//! A token bucket: how many requests may be made at once, and how it fills again.
//!
//! There are two kinds. That of whoever asks us holds as much as comes in a second, and whoever serves the requests takes
//! a portion out, about a tenth of a second's worth, and spends it for a short while without asking again: it is cheap,
//! and lets a second pass twice as much after one in which nothing came. That of a gateway that we ask is exact, because
//! the gateway counts too: what it holds and what comes make up one second's worth, and each request is taken by itself.

use std::time::Duration;

use crate::time::Timestamp;

/// Requests of one portion: the tenth part of what comes in a second.
const PORTIONS_PER_SECOND: u64 = 10;

/// Of what a gateway takes in a second, the part that may be sent at once; the rest is what comes in a second. More at
/// once would leave less for a second that is like the one before.
const AT_ONCE: u64 = 3;

/// How long a portion may be spent. After that its rest is lost, so that a rate is a rate.
pub const PORTION_LIFE: Duration = Duration::from_secs(2);

const REQUEST: u64 = 1_000;

/// How a bucket fills, and in which portions it is spent. At least one request comes in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    per_second: u64,
    at_once: u64,
    portion: u64,
}

impl Rate {
    /// For whoever asks us.
    pub fn of_caller(per_second: u16) -> Self {
        let per_second = u64::from(per_second.max(1));
        Self { per_second, at_once: per_second, portion: (per_second / PORTIONS_PER_SECOND).max(1) }
    }

    /// For a gateway that we ask: whatever second is looked at, no more than `most` are in it.
    pub fn of_gateway(most: u16) -> Self {
        let most = u64::from(most.max(1));
        let at_once = (most / AT_ONCE).max(1);
        // The last one that comes in a second comes at its very end, where the next one begins.
        Self { per_second: most + 1 - at_once, at_once, portion: 1 }
    }

    fn capacity(self) -> u64 {
        self.at_once * REQUEST
    }
}

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
    pub fn full(rate: Rate, now: Timestamp) -> Self {
        Self { thousandths: rate.capacity(), at: now }
    }

    /// Takes a portion out. A clock that was put back fills nothing.
    pub fn take(self, rate: Rate, now: Timestamp) -> Portion {
        let elapsed_ms = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let come = elapsed_ms.saturating_mul(rate.per_second);
        let level = self.thousandths.saturating_add(come).min(rate.capacity());
        match rate.portion.min(level / REQUEST) {
            0 => Portion::Empty { wait: Duration::from_millis((REQUEST - level).div_ceil(rate.per_second)) },
            requests => {
                let left = Self { thousandths: level - requests * REQUEST, at: self.at.max(now) };
                Portion::Taken { requests, left }
            }
        }
    }
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
            let taken = Bucket { thousandths, at: START }.take(Rate::of_caller(rate), after(elapsed));
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
            let kind = Rate::of_caller(rate);
            let (mut bucket, mut taken) = (Bucket::full(kind, START), 0);
            for elapsed in (0..10_000).step_by(7) {
                while let Portion::Taken { requests, left } = bucket.take(kind, after(elapsed)) {
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
            for rate in [Rate::of_caller(rate), Rate::of_gateway(rate)] {
                let empty = Bucket { thousandths: 0, at: START };
                let Portion::Empty { wait } = empty.take(rate, START) else { panic!("{rate:?}: it is empty") };
                assert!(matches!(empty.take(rate, START.plus(wait)), Portion::Taken { requests: 1, .. }), "{rate:?}");
            }
        }
    }

    /// Whenever somebody asks for as much as there is: all the time, or after a while in which nobody did.
    #[test]
    fn a_gateway_is_sent_no_more_in_any_second_than_it_takes() {
        for most in [1_u16, 2, 3, 4, 14, 25, 100] {
            let rate = Rate::of_gateway(most);
            let (mut bucket, mut sent) = (Bucket::full(rate, START), Vec::new());
            for elapsed in (0_i64..9_000).filter(|elapsed| !(2_000..4_500).contains(elapsed)) {
                while let Portion::Taken { requests, left } = bucket.take(rate, after(elapsed)) {
                    assert_eq!(requests, 1, "none is kept aside");
                    sent.push(elapsed);
                    bucket = left;
                }
            }
            let in_second = |from: i64| sent.iter().filter(|at| (from..from + 1_000).contains(*at)).count();
            let busiest = sent.iter().map(|from| in_second(*from)).max();
            assert_eq!(busiest, Some(usize::from(most)), "{most}");
            assert!(in_second(7_000) * 3 >= usize::from(most) * 2, "two thirds of {most} go on and on");
        }
    }
}
