//! What the table's stream, the queues and the functions behind them do on AWS, as a loop in this process: whatever is
//! due is looked at, at its time or later, at least once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use kessai_infra::dynamodb::DynamoDb;
use kessai_shared::ids::ItemKey;
use kessai_shared::ports::{
    Agenda, Clock, Deliveries, Expected, Listed, Pending, Span, Store, StoreFault, Vault, Written,
};
use kessai_shared::reminder::{Errand, Image};
use kessai_shared::stored::Item;
use kessai_shared::stored::payment::KEY;
use kessai_shared::stored::recurring::lists::{Index, List};
use kessai_shared::time::Timestamp;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use super::clock::MovableClock;
use crate::deliver_event::{Means, tell_of};
use crate::door::App;
use crate::follow_up::look_at;
use crate::problem::chain;

/// How often the loop looks.
const TICK: Duration = Duration::from_millis(250);

/// Items looked at side by side: a silent gateway holds up its own.
const AT_ONCE: usize = 64;

/// How long one look may take, and after which it is taken for lost.
const LOOK: Duration = Duration::from_secs(25);
const LOST: Duration = Duration::from_secs(30);

/// When each item that may have something left to do is due, for each errand.
#[derive(Default)]
pub struct Reminders(std::sync::Mutex<BTreeMap<Place, Entry>>);

/// What for, and an item's key.
pub(super) type Place = (Errand, String);

/// When to look, and which version of the item says so.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    due: Timestamp,
    version: u64,
}

impl Reminders {
    /// Begins with what was left open before.
    pub fn remember(&self, images: impl IntoIterator<Item = Image>) {
        let of = |image: Image| {
            let key = image.reminder.item.to_string();
            Errand::ALL.into_iter().filter_map(move |errand| {
                let due = image.due(errand)?.at;
                Some(((errand, key.clone()), Entry { due, version: 0 }))
            })
        };
        self.entries().extend(images.into_iter().flat_map(of));
    }

    /// Makes sure that somebody looks by then, whatever becomes of the write that is about to be made.
    fn look_by(&self, place: &Place, due: Timestamp) -> Entry {
        let mut entries = self.entries();
        let reminder = entries.entry(place.clone()).or_insert(Entry { due, version: 0 });
        reminder.due = reminder.due.min(due);
        *reminder
    }

    /// What was written says when to look, unless something newer was written since.
    fn note(&self, place: &Place, image: &Image) {
        let version = image.reminder.version;
        let mut entries = self.entries();
        if entries.get(place).is_some_and(|known| known.version > version) {
            return;
        }
        match image.due(place.0) {
            Some(due) => entries.insert(place.clone(), Entry { due: due.at, version }),
            None => entries.remove(place),
        };
    }

    /// What is due now, the longest overdue first; each is due again when the look at it must be lost.
    pub(super) fn take(&self, now: Timestamp, most: usize) -> Vec<(Place, Entry)> {
        let mut entries = self.entries();
        let mut due: Vec<_> = entries.iter_mut().filter(|(_, reminder)| reminder.due <= now).collect();
        due.sort_by_key(|(_, reminder)| Reverse(now.since(reminder.due)));
        let lease = |(place, reminder): (&Place, &mut Entry)| {
            reminder.due = now.plus(LOST);
            (place.clone(), *reminder)
        };
        due.into_iter().take(most).map(lease).collect()
    }

    /// When the first is due; of those that are due later than `after`, where that is said.
    pub(super) fn first(&self, after: Option<Timestamp>) -> Option<Timestamp> {
        let entries = self.entries();
        let dues = entries.values().map(|reminder| reminder.due);
        dues.filter(|due| after.is_none_or(|after| *due > after)).min()
    }

    /// What a look found out, unless somebody reminded us since.
    pub(super) fn settle(&self, place: &Place, lease: Entry, due: Option<Timestamp>) {
        let mut entries = self.entries();
        if entries.get(place) == Some(&lease) {
            match due {
                Some(due) => entries.insert(place.clone(), Entry { due, ..lease }),
                None => entries.remove(place),
            };
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<Place, Entry>> {
        // Nothing panics while it holds the lock, so what it guards is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The store, which remembers what each write says is due: the stream of its table. It remembers before
/// it writes, because whoever writes may be killed before the acknowledgement.
pub struct RemindingStore {
    pub store: DynamoDb,
    pub reminders: Arc<Reminders>,
    pub clock: Arc<MovableClock>,
    /// None where the table held anything before, of which nobody has noted on which list it is.
    pub used: Option<UsedLists>,
}

/// The lists on which anything ever was: no other is asked for, which most of a run's lanes would be.
#[derive(Default)]
pub struct UsedLists(std::sync::Mutex<BTreeSet<String>>);

impl UsedLists {
    fn note(&self, item: &Item) {
        let names = Index::ALL.into_iter().filter_map(|index| item.text(index.list()));
        self.names().extend(names.map(str::to_owned));
    }

    fn names(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // Nothing panics while it holds the lock, so what it guards is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for RemindingStore {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        self.store.read(key)
    }

    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        Box::pin(async move {
            let key = item.text(KEY).unwrap_or_default().to_owned();
            let image = Image::of(&item).map_err(|unreadable| StoreFault(unreadable.into()))?;
            if let Some(used) = &self.used {
                used.note(&item);
            }
            let places = Errand::ALL.map(|errand| (errand, key.clone()));
            let lost = self.clock.now().plus(LOST);
            let leases = places.map(|place| (self.reminders.look_by(&place, lost), place));
            let written = self.store.write(item, expected).await?;
            for (lease, place) in &leases {
                match &written {
                    Written::Done => self.reminders.note(place, &image),
                    Written::Conflict(found) => {
                        let due = found.as_ref().and_then(|found| found.number(place.0.due()));
                        self.reminders.settle(place, *lease, due.map(Timestamp::from_millis));
                    }
                }
            }
            Ok(written)
        })
    }
}

impl Vault for RemindingStore {
    fn of_account<'a>(
        &'a self,
        account: &'a str,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        self.store.of_account(account, after, limit)
    }
}

impl Agenda for RemindingStore {
    fn listed<'a>(
        &'a self,
        list: &'a List,
        until: Option<&'a str>,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Listed>, bool), StoreFault>> {
        if self.used.as_ref().is_some_and(|used| !used.names().contains(&list.name)) {
            return Box::pin(async { Ok((Vec::new(), false)) });
        }
        self.store.listed(list, until, after, limit)
    }

    fn of<'a>(
        &'a self,
        list: &'a List,
        span: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        self.store.of(list, span, limit)
    }
}

/// Whoever looks at what is due.
pub struct Worker {
    pub app: App,
    pub deliveries: Arc<dyn Deliveries>,
    pub reminders: Arc<Reminders>,
    pub clock: Arc<MovableClock>,
    /// Held by whoever plays the time between, so that nobody else looks meanwhile.
    pub playing: Mutex<()>,
}

impl Worker {
    /// Looks at what is due, forever.
    pub async fn run(self: Arc<Self>) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            tokio::time::sleep(TICK).await;
            let Ok(_nobody_plays) = self.playing.try_lock() else { continue };
            let under_way = Arc::new(self.clock.under_way().await);
            for (place, lease) in self.reminders.take(self.clock.now(), places.available_permits()) {
                let Ok(permit) = Arc::clone(&places).acquire_owned().await else { return };
                let (worker, under_way) = (Arc::clone(&self), Arc::clone(&under_way));
                // If it panics, the reminder comes again.
                tokio::spawn(async move {
                    worker.look(&place, lease).await;
                    drop((permit, under_way));
                });
            }
        }
    }

    /// Looks at what is due now, side by side; how many looks that were.
    pub async fn look_at_due(self: &Arc<Self>) -> usize {
        let under_way = Arc::new(self.clock.under_way().await);
        let mut looks = JoinSet::new();
        for (place, lease) in self.reminders.take(self.clock.now(), AT_ONCE) {
            let (worker, under_way) = (Arc::clone(self), Arc::clone(&under_way));
            looks.spawn(async move {
                worker.look(&place, lease).await;
                drop(under_way);
            });
        }
        let count = looks.len();
        // If one panics, its reminder comes again.
        while looks.join_next().await.is_some() {}
        count
    }

    async fn look(&self, place: &Place, lease: Entry) {
        let (errand, key) = place;
        let Some(item) = ItemKey::parse(key) else { return };
        let deadline = self.clock.now().plus(LOOK);
        let look = async {
            match errand {
                Errand::FollowUp => look_at(&self.app, item, deadline).await.map(|left| left?.due),
                Errand::Deliver => {
                    let means = Means { deliveries: &*self.deliveries, bus: None };
                    tell_of(&self.app, means, item, deadline).await
                }
            }
        };
        // Killed at the deadline, as on AWS.
        match tokio::time::timeout(LOOK, look).await {
            Ok(Ok(due)) => self.reminders.settle(place, lease, due),
            Ok(Err(refusal)) => eprintln!("{errand:?} of {key}: {}; again in {LOST:?}", chain(&refusal)),
            Err(_) => eprintln!("{errand:?} of {key}: killed at its deadline; again in {LOST:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn note(reminders: &Reminders, version: u64, due: Option<i64>) {
        use kessai_shared::ids::{MerchantId, PaymentId, PaymentKey};
        use kessai_shared::payment::IdempotencyKey;
        use kessai_shared::reminder::{Due, Reminder};
        let merchant = MerchantId::from_random([1; 16]);
        let payment = PaymentId::opened_by(&merchant, &IdempotencyKey::parse("k").unwrap());
        let reminder = Reminder { item: PaymentKey { merchant, payment }.into(), version };
        let due = due.map(|due| Due { at: at(due), is_late: false });
        reminders.note(&place(), &Image { reminder, due: [due, None], trace: None });
    }

    fn place() -> Place {
        (Errand::FollowUp, "k".to_owned())
    }

    fn due(reminders: &Reminders) -> Option<Timestamp> {
        reminders.entries().get(&place()).map(|reminder| reminder.due)
    }

    #[test]
    fn a_late_note_of_an_older_write_does_not_hide_a_newer_one() {
        let reminders = Reminders::default();
        note(&reminders, 3, Some(50));
        note(&reminders, 2, None);
        assert_eq!(due(&reminders), Some(at(50)));
        note(&reminders, 4, None);
        assert_eq!(due(&reminders), None);
    }

    #[test]
    fn a_write_that_nobody_acknowledged_is_looked_at() {
        let reminders = Reminders::default();
        reminders.look_by(&place(), at(30));
        assert_eq!(due(&reminders), Some(at(30)));
        reminders.look_by(&place(), at(40));
        assert_eq!(due(&reminders), Some(at(30)), "the earlier look stands");
    }

    #[test]
    fn a_look_is_leased_and_its_finding_does_not_hide_what_was_written_meanwhile() {
        let reminders = Reminders::default();
        note(&reminders, 1, Some(10));
        assert!(reminders.take(at(9), 8).is_empty());
        let (key, lease) = reminders.take(at(10), 8).remove(0);
        assert!(reminders.take(at(11), 8).is_empty(), "somebody is looking");
        note(&reminders, 2, Some(60));
        reminders.settle(&key, lease, None);
        assert_eq!(due(&reminders), Some(at(60)));
        assert_eq!(reminders.take(at(100), 8).len(), 1);
    }
}
