//! A store in memory that fails as told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::fuse::{Fuse, block_on};
use crate::memory::{Memory, Meter};
use crate::method::step::changed;
use crate::method::{Change, Status};
use crate::payment::tests::fixtures::{START, answer};
use crate::payment::{Payment, Settled, State, Verdict};
use crate::ports::{Expected, Pending, Store, StoreFault, Vault, Written};
use crate::stored::Item;
use crate::stored::method::StoredMethod;
use crate::stored::payment::{KEY, Stored, VERSION};

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
    /// Another process writes first: that the method is canceled.
    Canceled,
}

pub(super) struct Shelf {
    memory: Memory,
    fuse: Arc<Fuse>,
    mishaps: Mutex<(VecDeque<Mishap>, Mishap)>,
    /// So many reads fail, and then none.
    unreadable: Mutex<usize>,
}

impl Shelf {
    pub(super) fn with(fuse: Arc<Fuse>) -> Self {
        let mishaps = Mutex::new((VecDeque::new(), Mishap::None));
        Self { memory: Memory::default(), fuse, mishaps, unreadable: Mutex::default() }
    }

    /// Puts the item there, whatever there is; nothing can hinder it.
    pub(super) fn put(&self, item: Item) {
        let found = self.items().into_iter().find(|found| found.get(KEY) == item.get(KEY));
        let version = found.and_then(|found| u64::try_from(found.number(VERSION)?).ok());
        let written = block_on(self.memory.write(item, version.map_or(Expected::Absent, Expected::Version)));
        assert!(matches!(written, Ok(Written::Done)), "{written:?}");
    }

    /// So many of the next reads fail.
    pub(super) fn fail_to_read(&self, times: usize) {
        *self.unreadable.lock().expect("a number") = times;
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

    /// Another process writes everything, each item once.
    fn write_first(&self, change: fn(Item) -> Item) {
        for item in self.items() {
            let version = item.number(VERSION).expect("a version");
            self.put(change(item).with(VERSION, version + 1));
        }
    }
}

fn overruled(item: Item) -> Item {
    let stored = Stored::from_item(item).expect("an item of ours");
    let mut payment = stored.payment.clone();
    approve_last(&mut payment);
    Stored::following(Some(&stored), payment).to_item()
}

fn canceled(item: Item) -> Item {
    let stored = StoredMethod::from_item(item).expect("an item of ours");
    let change = Change { status: Some(Status::Canceled), ..Change::default() };
    let method = changed(stored.method.clone(), &change).expect("a method that is kept");
    StoredMethod::following(Some(&stored), method).to_item()
}

fn approve_last(payment: &mut Payment) {
    let operation = payment.operations.last_mut().expect("an operation");
    let verdict = Verdict::Approved;
    operation.state = State::Settled(Settled { verdict, answer: answer("theirs"), at: START });
}

impl Store for Shelf {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(self.fuse.around(async move {
            let is_unreadable = {
                let mut left = self.unreadable.lock().expect("a number");
                let is_unreadable = *left > 0;
                *left = left.saturating_sub(1);
                is_unreadable
            };
            if is_unreadable { Err(StoreFault("the store is down".into())) } else { self.memory.read(key).await }
        }))
    }

    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        let fault = || StoreFault("the store is down".into());
        Box::pin(self.fuse.around(async move {
            let mishap = self.mishap();
            match mishap {
                Mishap::Unreachable => return Err(fault()),
                Mishap::Overtaken => self.write_first(|item| item),
                Mishap::Overruled => self.write_first(overruled),
                Mishap::Canceled => self.write_first(canceled),
                Mishap::None | Mishap::Unacknowledged | Mishap::SentTwice => {}
            }
            let written = self.memory.write(item.clone(), expected).await?;
            match mishap {
                Mishap::Unacknowledged => Err(fault()),
                Mishap::SentTwice => self.memory.write(item, expected).await,
                Mishap::None | Mishap::Unreachable | Mishap::Overtaken | Mishap::Overruled | Mishap::Canceled => {
                    Ok(written)
                }
            }
        }))
    }
}

impl Vault for Shelf {
    fn of_account<'a>(
        &'a self,
        account: &'a str,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        Box::pin(self.fuse.around(self.memory.of_account(account, after, limit)))
    }
}
