//! A clock that can be moved forward, and stays moved when the server starts again: what was promised
//! for next week is still due after a restart.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kessai_infra::system::SystemClock;
use kessai_shared::ports::{Clock, Pending};
use kessai_shared::time::Timestamp;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use super::files::write_whole;

/// Real time and how far it was moved.
pub struct MovableClock {
    ahead_ms: AtomicI64,
    /// Where that is kept; none where nothing outlives the process.
    file: Option<PathBuf>,
    /// Held by everything that works towards a deadline: time does not jump under it.
    work: Arc<RwLock<()>>,
}

/// As long as it lives, time only passes.
pub type UnderWay = OwnedRwLockReadGuard<()>;

impl MovableClock {
    pub fn open(file: Option<PathBuf>) -> std::io::Result<Self> {
        let kept = match &file {
            Some(path) if path.exists() => {
                let unreadable =
                    |_| std::io::Error::other(format!("{}: must be a number of milliseconds", path.display()));
                std::fs::read_to_string(path)?.trim().parse().map_err(unreadable)?
            }
            Some(_) | None => 0,
        };
        Ok(Self { ahead_ms: AtomicI64::new(kept), file, work: Arc::default() })
    }

    /// A clock that begins at that time.
    pub fn starting_at(start: Timestamp) -> Self {
        let ahead = start.as_millis().saturating_sub(SystemClock.now().as_millis());
        Self { ahead_ms: AtomicI64::new(ahead), file: None, work: Arc::default() }
    }

    /// Moves the clock forward once nothing is under way.
    pub async fn advance(&self, by: Duration) -> std::io::Result<Timestamp> {
        self.jump(|now| now.plus(by)).await
    }

    /// Moves the clock to the time that is said once nothing is under way; it stays where it is where that has passed.
    pub async fn jump(&self, to: impl FnOnce(Timestamp) -> Timestamp) -> std::io::Result<Timestamp> {
        let _nothing_runs = self.work.write().await;
        let now = self.now();
        let by = to(now).since(now);
        if by.is_zero() {
            return Ok(now);
        }
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let ahead = self.ahead_ms.load(Ordering::Acquire).saturating_add(by);
        if let Some(file) = &self.file {
            write_whole(file, ahead.to_string().as_bytes())?;
        }
        self.ahead_ms.store(ahead, Ordering::Release);
        Ok(self.now())
    }

    /// Waits until time does not jump, and keeps it from that.
    pub async fn under_way(&self) -> UnderWay {
        Arc::clone(&self.work).read_owned().await
    }

    /// While the future runs, time only passes.
    pub async fn hold<T>(&self, work: impl Future<Output = T>) -> T {
        let _time_does_not_jump = self.work.read().await;
        work.await
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        let ahead = self.ahead_ms.load(Ordering::Acquire);
        Timestamp::from_millis(SystemClock.now().as_millis().saturating_add(ahead))
    }

    fn sleep(&self, duration: Duration) -> Pending<'_, ()> {
        SystemClock.sleep(duration)
    }
}
