//! Many histories, on all cores. Threads take seeds in chunks, and whatever their number, the same
//! violations are found: those with the lowest seeds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tests::auditor::Violation;
use tests::story::caught;

use crate::progress::Progress;

/// How many seeds a thread takes at once: a few milliseconds of work.
const CHUNK: u64 = 256;

/// A range of seeds that is looked through.
pub struct Hunt {
    pub from: u64,
    pub seeds: u64,
    /// How many violations are wanted.
    pub most: usize,
}

/// What is counted. Each thread has its own.
pub trait Counted: Default + Send {
    /// Adds what another thread counted.
    fn merge(&mut self, other: &Self);
}

struct Shared {
    /// How many seeds were taken, and how many are done.
    taken: AtomicU64,
    done: AtomicU64,
    /// From this place on no history is needed: enough was found before.
    enough: AtomicU64,
    /// By their places, counted from the first seed.
    found: Mutex<BTreeMap<u64, Violation>>,
}

impl Hunt {
    /// Lets the history of each seed happen. What was counted, and the violations by their seeds.
    pub fn run<T: Counted>(
        &self,
        threads: u64,
        mut progress: Progress,
        happen: impl Fn(u64, &mut T) -> Option<Violation> + Sync,
    ) -> (T, BTreeMap<u64, Violation>) {
        let shared = Shared {
            taken: AtomicU64::new(0),
            done: AtomicU64::new(0),
            enough: AtomicU64::new(self.seeds),
            found: Mutex::default(),
        };
        let mut tally = T::default();
        std::thread::scope(|scope| {
            let (ends, ended) = channel();
            for _ in 0..threads {
                let (ends, shared, happen) = (ends.clone(), &shared, &happen);
                scope.spawn(move || {
                    // Below somebody listens until the last has ended.
                    let _ = ends.send(self.work(shared, happen));
                });
            }
            drop(ends);
            loop {
                match ended.recv_timeout(progress.pause()) {
                    Ok(counted) => tally.merge(&counted),
                    Err(RecvTimeoutError::Timeout) => {
                        let violations = shared.found().len();
                        progress.show(shared.done.load(Ordering::Relaxed), violations);
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
        });
        progress.end();
        let found = shared.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let found = found.into_iter().take(self.most);
        (tally, found.map(|(place, violation)| (self.from.wrapping_add(place), violation)).collect())
    }

    /// One thread takes chunks until there are none, or enough was found before them.
    fn work<T: Counted>(&self, shared: &Shared, happen: impl Fn(u64, &mut T) -> Option<Violation>) -> T {
        let mut tally = T::default();
        loop {
            let start = shared.taken.fetch_add(CHUNK, Ordering::Relaxed);
            for place in start..start.saturating_add(CHUNK) {
                if place >= shared.enough.load(Ordering::Relaxed) {
                    return tally;
                }
                let seed = self.from.wrapping_add(place);
                let violation = caught(|| happen(seed, &mut tally)).unwrap_or_else(Some);
                if let Some(violation) = violation {
                    self.find(shared, place, violation);
                }
            }
            shared.done.fetch_add(CHUNK, Ordering::Relaxed);
        }
    }

    fn find(&self, shared: &Shared, place: u64, violation: Violation) {
        let mut found = shared.found();
        found.insert(place, violation);
        if let Some(last) = found.keys().nth(self.most - 1) {
            shared.enough.fetch_min(last + 1, Ordering::Relaxed);
        }
    }
}

impl Shared {
    fn found(&self) -> MutexGuard<'_, BTreeMap<u64, Violation>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod test {
    use super::{Hunt, Violation};
    use crate::progress::Progress;
    use crate::tally::Tally;
    use std::collections::BTreeMap;

    /// One in a hundred seeds fails, and one in a thousand ends in a panic.
    fn some_fail(seed: u64, tally: &mut Tally) -> Option<Violation> {
        tally.histories += 1;
        assert!(seed % 1_000 != 450, "seed {seed}");
        (seed % 100 == 50).then(|| Violation { rule: "fifty", what: seed.to_string() })
    }

    fn hunt(from: u64, seeds: u64, most: usize, threads: u64) -> (Tally, BTreeMap<u64, Violation>) {
        Hunt { from, seeds, most }.run(threads, Progress::silent(), some_fail)
    }

    #[test]
    fn the_lowest_seeds_that_fail_are_found_on_any_number_of_threads() {
        let expected: BTreeMap<u64, Violation> = [
            (1_250, Violation { rule: "fifty", what: "1250".to_owned() }),
            (1_350, Violation { rule: "fifty", what: "1350".to_owned() }),
            (1_450, Violation { rule: "panic", what: "seed 1450".to_owned() }),
        ]
        .into();
        for threads in [1, 2, 7] {
            let (tally, found) = hunt(1_200, 10_000, 3, threads);
            assert_eq!(found, expected, "{threads} threads");
            assert!(tally.histories < 10_000, "it stops");
        }
    }

    #[test]
    fn every_seed_is_run_once_where_nothing_stops_it() {
        let (tally, found) = hunt(0, 1_000, 100, 3);
        assert_eq!((tally.histories, found.len()), (1_000, 10));
        assert_eq!(hunt(u64::MAX - 10, 5, 1, 2).0.histories, 5, "to the last seed there is");
        assert_eq!(hunt(0, 0, 1, 2).0.histories, 0);
    }
}
