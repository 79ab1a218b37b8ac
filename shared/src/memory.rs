//! A store in memory, with the same conditions as the real one and a meter.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ports::{Agenda, Archive, Directory, Expected, Listed, Pending, Span, Store, StoreFault, Vault, Written};
use crate::stored::Item;
use crate::stored::event::PLACE;
use crate::stored::method::{ACCOUNT, TOKEN};
use crate::stored::payment::{KEY, VERSION};
use crate::stored::recurring::lists::{Index, List};

/// Keeps items as long as it lives.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    items: BTreeMap<String, Held>,
    indexes: [Lists; Index::ALL.len()],
    meter: Meter,
}

/// The lists of an index: of each the places, with the keys of what is there.
type Lists = BTreeMap<String, BTreeMap<String, String>>;

#[derive(Debug)]
struct Held {
    item: Item,
    /// What writing it cost: writing over it costs at least as much.
    write_units: u64,
}

/// What was asked of a store, and what it would cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    pub reads: u64,
    pub writes: u64,
    /// A refused write costs as much as one that was made.
    pub write_units: u64,
}

impl Memory {
    pub fn meter(&self) -> Meter {
        self.inner().meter
    }

    /// Every item, in the order of the keys.
    pub fn items(&self) -> Vec<Item> {
        self.inner().items.values().map(|held| held.item.clone()).collect()
    }

    /// Puts an item there, whatever was there before; it counts for nothing.
    pub fn put(&self, item: Item) {
        let Some(key) = item.text(KEY).map(str::to_owned) else { return };
        let write_units = item.write_units();
        self.inner().hold(key, Held { item, write_units });
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock, so what it guards is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &str) -> Option<Item> {
        let mut inner = self.inner();
        inner.meter.reads += 1;
        inner.items.get(key).map(|held| held.item.clone())
    }
}

impl Inner {
    fn hold(&mut self, key: String, held: Held) {
        for (index, lists) in Index::ALL.into_iter().zip(&mut self.indexes) {
            let place_of =
                |item: &Item| Some((item.text(index.list())?.to_owned(), item.text(index.place())?.to_owned()));
            let before = self.items.get(&key).and_then(|before| place_of(&before.item));
            let now = place_of(&held.item);
            if before == now {
                continue;
            }
            if let Some((name, place)) = before {
                let is_empty = lists.get_mut(&name).is_some_and(|list| {
                    list.remove(&place);
                    list.is_empty()
                });
                if is_empty {
                    lists.remove(&name);
                }
            }
            if let Some((name, place)) = now {
                lists.entry(name).or_default().insert(place, key.clone());
            }
        }
        self.items.insert(key, held);
    }

    /// Of what lies between the ends of a list so many from its beginning or its end; whether there are more.
    fn page(
        &self,
        list: &List,
        ends: (Bound<&str>, Bound<&str>),
        newest_first: bool,
        limit: u16,
    ) -> (Vec<Listed>, bool) {
        let lists = Index::ALL.into_iter().zip(&self.indexes).find(|(index, _)| *index == list.index);
        let places = lists.and_then(|(_, lists)| lists.get(&list.name)).filter(|_| !is_empty(ends));
        let mut range = places.map(|places| places.range::<str, _>(ends)).into_iter().flatten();
        let most = usize::from(limit).saturating_add(1);
        let found: Vec<_> =
            if newest_first { range.rev().take(most).collect() } else { range.by_ref().take(most).collect() };
        let listed = |(place, key): &(&String, &String)| Listed { key: (*key).clone(), place: (*place).clone() };
        (found.iter().take(usize::from(limit)).map(listed).collect(), found.len() == most)
    }
}

/// Whether nothing can lie between them. A tree is not asked for such a piece.
fn is_empty((begin, end): (Bound<&str>, Bound<&str>)) -> bool {
    text(begin).zip(text(end)).is_some_and(|(begin, end)| begin >= end)
}

fn text(end: Bound<&str>) -> Option<&str> {
    match end {
        Bound::Included(text) | Bound::Excluded(text) => Some(text),
        Bound::Unbounded => None,
    }
}

impl Store for Memory {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(async move { Ok(self.get(key)) })
    }

    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        Box::pin(async move {
            let key = item.text(KEY).ok_or_else(|| StoreFault("the item has no key".into()))?.to_owned();
            let mut inner = self.inner();
            let found = inner.items.get(&key);
            let version = found.and_then(|found| u64::try_from(found.item.number(VERSION)?).ok());
            let fits = match expected {
                Expected::Absent => found.is_none(),
                Expected::Version(expected) => version == Some(expected),
            };
            let write_units = item.write_units();
            let billed = write_units.max(found.map_or(0, |found| found.write_units));
            let written = if fits { Written::Done } else { Written::Conflict(found.map(|found| found.item.clone())) };
            inner.meter.writes += 1;
            inner.meter.write_units += billed;
            if fits {
                inner.hold(key, Held { item, write_units });
            }
            Ok(written)
        })
    }
}

impl Directory for Memory {
    fn find<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(async move { Ok(self.get(key)) })
    }
}

impl Vault for Memory {
    fn of_account<'a>(
        &'a self,
        account: &'a str,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        Box::pin(async move {
            let mut inner = self.inner();
            inner.meter.reads += 1;
            let behind = |key: &str| after.is_none_or(|after| key > after);
            let of_account = |item: &Item| item.text(ACCOUNT) == Some(account);
            let items = inner.items.iter().filter(|(key, held)| behind(key) && of_account(&held.item));
            let mut found: Vec<Item> = items.map(|(_, held)| held.item.clone()).take(usize::from(limit) + 1).collect();
            let more = found.len() > usize::from(limit);
            found.truncate(usize::from(limit));
            for item in &mut found {
                drop((item.remove(ACCOUNT), item.remove(TOKEN)));
            }
            Ok((found, more))
        })
    }
}

impl Agenda for Memory {
    fn listed<'a>(
        &'a self,
        list: &'a List,
        until: Option<&'a str>,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Listed>, bool), StoreFault>> {
        Box::pin(async move {
            let mut inner = self.inner();
            inner.meter.reads += 1;
            let ends =
                (after.map_or(Bound::Unbounded, Bound::Excluded), until.map_or(Bound::Unbounded, Bound::Included));
            Ok(inner.page(list, ends, false, limit))
        })
    }

    fn of<'a>(
        &'a self,
        list: &'a List,
        span: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        Box::pin(async move {
            let mut inner = self.inner();
            let end = |end: Option<&'a str>| end.map_or(Bound::Unbounded, Bound::Excluded);
            let ends = (end(span.after), end(span.before));
            let (listed, more) = inner.page(list, ends, span.newest_first, limit);
            let items: Vec<_> =
                listed.iter().filter_map(|listed| Some(inner.items.get(&listed.key)?.item.clone())).collect();
            inner.meter.reads += 1 + items.len() as u64;
            Ok((items, more))
        })
    }
}

/// An archive in memory.
#[derive(Debug, Default)]
pub struct MemoryArchive(Mutex<BTreeMap<(String, String), Item>>);

impl MemoryArchive {
    /// Every item, in the order of the partitions and of the places there.
    pub fn items(&self) -> Vec<Item> {
        self.kept().values().cloned().collect()
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<(String, String), Item>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Archive for MemoryArchive {
    fn keep(&self, item: Item) -> Pending<'_, Result<(), StoreFault>> {
        Box::pin(async move {
            let needed = |name: &str| item.text(name).map(str::to_owned).ok_or_else(|| StoreFault("no key".into()));
            let key = (needed(KEY)?, needed(PLACE)?);
            self.kept().insert(key, item);
            Ok(())
        })
    }

    fn find<'a>(&'a self, partition: &'a str, place: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(async move { Ok(self.kept().get(&(partition.to_owned(), place.to_owned())).cloned()) })
    }

    fn list<'a>(
        &'a self,
        partition: &'a str,
        span: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        Box::pin(async move {
            let is_within = |(of, place): &(String, String)| {
                let is_after = span.after.is_none_or(|after| place.as_str() > after);
                of == partition && is_after && span.before.is_none_or(|before| place.as_str() < before)
            };
            let kept = self.kept();
            let mut found: Vec<_> =
                kept.iter().filter(|(key, _)| is_within(key)).map(|(_, item)| item.clone()).collect();
            if span.newest_first {
                found.reverse();
            }
            let more = found.len() > usize::from(limit);
            found.truncate(usize::from(limit));
            Ok((found, more))
        })
    }
}
