//! A store in memory that fails as told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::fuse::Fuse;
use crate::memory::{Memory, Meter};
use crate::payment::tests::fixtures::{START, answer};
use crate::payment::{Payment, Settled, State, Verdict};
use crate::ports::{Expected, Pending, Store, StoreFault, Written};
use crate::stored::Item;
use crate::stored::payment::Stored;

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    None,
    /// It fails and is not made.
    Unreachable,
    /// It is made, and reported as failed.
    Unacknowledged,
    /// It is made and sent once more by whoever speaks to the store: the second is refused by the first.
    SentTwice,
    /// Another process writes first.
    Overtaken,
    /// Another process writes first: that the gateway approved of the last operation.
    Overruled,
}

pub(super) struct Shelf {
    memory: Memory,
    fuse: Arc<Fuse>,
    mishaps: Mutex<(VecDeque<Mishap>, Mishap)>,
}

impl Shelf {
    pub(super) fn with(fuse: Arc<Fuse>) -> Self {
        Self { memory: Memory::default(), fuse, mishaps: Mutex::new((VecDeque::new(), Mishap::None)) }
    }

    /// What becomes of the next writes, and of all after them.
    pub(super) fn suffer(&self, next: &[Mishap], after: Mishap) {
        *self.mishaps.lock().expect("mishaps") = (next.iter().copied().collect(), after);
    }

    pub(super) fn meter(&self) -> Meter {
        self.memory.meter()
    }

    pub(super) fn items(&self) -> Vec<Item> {
        self.memory.items()
    }

    fn mishap(&self) -> Mishap {
        let mut mishaps = self.mishaps.lock().expect("mishaps");
        let after = mishaps.1;
        mishaps.0.pop_front().unwrap_or(after)
    }

    async fn write_first(&self, change: fn(&mut Payment)) {
        for item in self.memory.items() {
            let stored = Stored::from_item(item).expect("an item of ours");
            let mut payment = stored.payment.clone();
            change(&mut payment);
            payment.version += 1;
            let theirs = Stored::following(Some(&stored), payment).to_item();
            self.memory.write(theirs, Expected::Version(stored.payment.version)).await.expect("a store that works");
        }
    }
}

fn approve_last(payment: &mut Payment) {
    let operation = payment.operations.last_mut().expect("an operation");
    let verdict = Verdict::Approved;
    operation.state = State::Settled(Settled { verdict, answer: answer("theirs"), at: START });
}

impl Store for Shelf {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(self.fuse.around(self.memory.read(key)))
    }

    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        let fault = || StoreFault("the store is down".into());
        Box::pin(self.fuse.around(async move {
            let mishap = self.mishap();
            match mishap {
                Mishap::Unreachable => return Err(fault()),
                Mishap::Overtaken => self.write_first(|_| {}).await,
                Mishap::Overruled => self.write_first(approve_last).await,
                Mishap::None | Mishap::Unacknowledged | Mishap::SentTwice => {}
            }
            let written = self.memory.write(item.clone(), expected).await?;
            match mishap {
                Mishap::Unacknowledged => Err(fault()),
                Mishap::SentTwice => self.memory.write(item, expected).await,
                Mishap::None | Mishap::Unreachable | Mishap::Overtaken | Mishap::Overruled => Ok(written),
            }
        }))
    }
}
