//! Remembers what a directory said, so that an API key costs no read per request.
//!
//! An entry is at most a minute old, counted from before it was read: a merchant's change, or a key that
//! was withdrawn, works after that. What was not found is not remembered. A key that was set up just now
//! works at once, and somebody who tries keys cannot push out those in use. A fault is passed on, even
//! where something older is known: a minute is a promise.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kessai_shared::ports::{Clock, Directory, Pending, StoreFault};
use kessai_shared::stored::Item;
use kessai_shared::time::Timestamp;

/// As old as an answer may be, by the port's documentation.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// Entries kept at most. An active merchant needs two, its key's and its own; at some kilobytes each this
/// stays far below the smallest memory a function can have.
const MOST_ENTRIES: usize = 1_000;

/// A directory with a memory.
pub struct Cached {
    directory: Box<dyn Directory>,
    clock: Arc<dyn Clock>,
    entries: Mutex<BTreeMap<String, Entry>>,
}

struct Entry {
    item: Item,
    /// Taken before the item was read.
    asked_at: Timestamp,
}

impl Cached {
    pub fn new(directory: impl Directory + 'static, clock: Arc<dyn Clock>) -> Self {
        Self { directory: Box::new(directory), clock, entries: Mutex::default() }
    }

    fn remembered(&self, key: &str, now: Timestamp) -> Option<Item> {
        let entries = self.entries();
        entries.get(key).filter(|entry| entry.is_fresh(now)).map(|entry| entry.item.clone())
    }

    fn remember(&self, key: &str, entry: Entry) {
        let mut entries = self.entries();
        if entries.len() >= MOST_ENTRIES && !entries.contains_key(key) {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.asked_at).map(|(key, _)| key.clone());
            oldest.map(|key| entries.remove(&key));
        }
        entries.insert(key.to_owned(), entry);
        assert!(entries.len() <= MOST_ENTRIES, "{} entries", entries.len());
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        // Each change is one insertion or removal, so what the lock guards is whole whoever panicked.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// A clock that was put back makes an entry stale, or it would be kept for as long as that.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.asked_at <= now && now.since(self.asked_at) < KEPT_FOR
    }
}

impl Directory for Cached {
    fn find<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(async move {
            let asked_at = self.clock.now();
            if let Some(item) = self.remembered(key, asked_at) {
                return Ok(Some(item));
            }
            let found = self.directory.find(key).await?;
            if let Some(item) = &found {
                self.remember(key, Entry { item: item.clone(), asked_at });
            }
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

    use super::*;

    /// Has an item for every key but those that start with `no`, and none to give for `broken`.
    struct Counted(Arc<AtomicUsize>);

    impl Directory for Counted {
        fn find<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                match key {
                    "broken" => Err(StoreFault("broken".into())),
                    _ => Ok((!key.starts_with("no")).then(|| Item::new().with("pk", key.to_owned()))),
                }
            })
        }
    }

    #[derive(Default)]
    struct Hands(AtomicI64);

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::SeqCst))
        }

        fn sleep(&self, _: Duration) -> Pending<'_, ()> {
            Box::pin(async {})
        }
    }

    #[derive(Default)]
    struct Scene {
        reads: Arc<AtomicUsize>,
        clock: Arc<Hands>,
    }

    impl Scene {
        fn cached(&self) -> Cached {
            Cached::new(Counted(self.reads.clone()), self.clock.clone())
        }

        fn reads(&self) -> usize {
            self.reads.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn what_was_found_is_remembered_for_a_minute() {
        let rows = [
            ("merchant", 0, 1),
            ("merchant", 59_999, 1),
            ("merchant", 60_000, 2),
            ("merchant", -1, 2),
            ("nobody", 0, 2),
            ("broken", 0, 2),
        ];
        for (key, later_ms, reads) in rows {
            let scene = Scene::default();
            let cached = scene.cached();
            let first = cached.find(key).await.ok();
            scene.clock.0.store(later_ms, Ordering::SeqCst);
            assert_eq!(cached.find(key).await.ok(), first, "{key} after {later_ms} ms");
            assert_eq!(scene.reads(), reads, "{key} after {later_ms} ms");
        }
    }

    #[tokio::test]
    async fn an_entry_ages_from_before_it_was_read() {
        struct Slow(Arc<Hands>);
        impl Directory for Slow {
            fn find<'a>(&'a self, _: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
                let now = self.0.0.fetch_add(30_000, Ordering::SeqCst);
                Box::pin(async move { Ok(Some(Item::new().with("read", now))) })
            }
        }
        let clock = Arc::new(Hands::default());
        let cached = Cached::new(Slow(clock.clone()), clock.clone());
        cached.find("merchant").await.unwrap();
        clock.0.store(60_000, Ordering::SeqCst);
        let found = cached.find("merchant").await.unwrap().unwrap();
        assert_eq!(found.number("read"), Some(60_000), "asked at 0, it is a minute old at 60,000");
    }

    #[tokio::test]
    async fn the_oldest_entry_makes_room() {
        let scene = Scene::default();
        let cached = scene.cached();
        for place in 0..=MOST_ENTRIES {
            cached.find(&format!("merchant/{place}")).await.unwrap();
            scene.clock.0.fetch_add(1, Ordering::SeqCst);
        }
        assert_eq!(cached.entries().len(), MOST_ENTRIES);
        let rows = [("merchant/1", 0), ("merchant/1000", 0), ("merchant/0", 1)];
        for (key, more_reads) in rows {
            let before = scene.reads();
            cached.find(key).await.unwrap();
            assert_eq!(scene.reads() - before, more_reads, "{key}");
        }
    }
}
