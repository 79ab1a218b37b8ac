//! Time and randomness, from the operating system.

use std::process;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kessai_shared::ports::{Clock, Entropy, Pending};
use kessai_shared::time::Timestamp;

/// The machine's clock, and the runtime's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    fn now(&self) -> Timestamp {
        // A clock that stands before 1970 is as good as one at 1970.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(0).plus(since_epoch)
    }

    fn sleep(&self, duration: Duration) -> Pending<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The kernel's random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// Ends the process if the kernel has none to give, which it does not do on any platform we run on.
    /// There is nothing else to do then: ids that somebody can guess, or that come twice, let one payment
    /// be taken for another, and no caller could go on without them.
    #[expect(clippy::disallowed_methods, reason = "this is the Entropy port")]
    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        if let Err(error) = getrandom::fill(&mut bytes) {
            eprintln!("the system gives no random numbers: {error}");
            process::abort();
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_tells_the_systems_time() {
        let millis = || i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
        let before = millis();
        let now = SystemClock.now().as_millis();
        assert!((before..=millis()).contains(&now), "{now}");
    }

    #[tokio::test]
    async fn the_clock_sleeps_no_shorter_than_asked() {
        let start = std::time::Instant::now();
        SystemClock.sleep(Duration::from_millis(30)).await;
        assert!(start.elapsed() >= Duration::from_millis(30));
    }

    #[test]
    fn no_two_draws_are_the_same() {
        assert_ne!(SystemEntropy.bytes(), SystemEntropy.bytes());
    }
}
