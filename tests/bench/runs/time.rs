//! Time that nobody waits for: it goes on to when something happens next, once nothing is left to do now.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use kessai_shared::ports::Pending;
use kessai_shared::time::Timestamp;

/// What time it is, and who waits for another.
#[derive(Default)]
pub struct Time {
    now_ms: AtomicI64,
    waits: AtomicU64,
    waiting: Mutex<BTreeMap<(i64, u64), Waker>>,
}

impl Time {
    pub fn at(now: Timestamp) -> Self {
        Self { now_ms: AtomicI64::new(now.as_millis()), ..Self::default() }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms.load(Ordering::Relaxed))
    }

    /// Waits that long.
    pub fn pass(&self, duration: Duration) -> Wait<'_> {
        Wait { time: self, until_ms: self.now().plus(duration).as_millis(), is_known: false }
    }

    /// When the first of those who wait goes on.
    pub fn next(&self) -> Option<Timestamp> {
        locked(&self.waiting).first_key_value().map(|((at_ms, _), _)| Timestamp::from_millis(*at_ms))
    }

    /// It is that time now: those who waited for it go on.
    pub fn move_to(&self, now: Timestamp) {
        self.now_ms.store(now.as_millis(), Ordering::Relaxed);
        let mut waiting = locked(&self.waiting);
        while let Some(first) = waiting.first_entry().filter(|first| first.key().0 <= now.as_millis()) {
            first.remove().wake();
        }
    }
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked while it was held has ended the bench.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct Wait<'a> {
    time: &'a Time,
    until_ms: i64,
    is_known: bool,
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let time = self.time;
        if time.now().as_millis() >= self.until_ms {
            return Poll::Ready(());
        }
        if !std::mem::replace(&mut self.is_known, true) {
            let number = time.waits.fetch_add(1, Ordering::Relaxed);
            locked(&time.waiting).insert((self.until_ms, number), context.waker().clone());
        }
        Poll::Pending
    }
}

/// What is under way.
#[derive(Default)]
pub struct Tasks {
    begun: u64,
    under_way: BTreeMap<u64, (Pending<'static, ()>, Arc<Bell>)>,
    ready: Arc<Mutex<VecDeque<u64>>>,
}

/// Says that a task can go on, once.
struct Bell {
    task: u64,
    has_rung: AtomicBool,
    ready: Arc<Mutex<VecDeque<u64>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if !self.has_rung.swap(true, Ordering::Relaxed) {
            locked(&self.ready).push_back(self.task);
        }
    }
}

impl Tasks {
    pub fn begin(&mut self, task: Pending<'static, ()>) {
        let bell = Bell { task: self.begun, has_rung: AtomicBool::new(false), ready: Arc::clone(&self.ready) };
        let bell = Arc::new(bell);
        self.under_way.insert(self.begun, (task, Arc::clone(&bell)));
        self.begun += 1;
        bell.wake();
    }

    pub fn count(&self) -> usize {
        self.under_way.len()
    }

    /// All that can go on does, until nothing is left to do now.
    pub fn go_on(&mut self) {
        loop {
            let Some(number) = locked(&self.ready).pop_front() else { return };
            let Some((task, bell)) = self.under_way.get_mut(&number) else { continue };
            bell.has_rung.store(false, Ordering::Relaxed);
            let waker = Waker::from(Arc::clone(bell));
            if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                self.under_way.remove(&number);
            }
        }
    }
}

/// What waits for nothing.
pub fn at_once<T>(mut future: Pending<'_, T>) -> T {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("memory waits for nothing"),
    }
}
