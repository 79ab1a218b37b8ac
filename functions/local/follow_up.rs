//! What the table's stream, the queue and the follow-up function do on AWS, as a loop in this process:
//! whatever is due is looked at, at its time or later, at least once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kessai_infra::dynamodb::DynamoDb;
use kessai_shared::ids::PaymentKey;
use kessai_shared::ports::{Clock, Expected, Pending, Store, StoreFault, Written};
use kessai_shared::stored::Item;
use kessai_shared::stored::payment::{DUE, KEY};
use kessai_shared::time::Timestamp;
use tokio::task::JoinSet;

use super::clock::MovableClock;
use crate::door::App;
use crate::follow_up::follow_up;

/// How often the loop looks.
const TICK: Duration = Duration::from_millis(250);

/// Payments looked at side by side.
const AT_ONCE: usize = 32;

/// How long one look may take, and after which it is taken for lost.
const LOOK: Duration = Duration::from_secs(25);
const LOST: Duration = Duration::from_secs(30);

/// When each payment that has something left to do is due.
#[derive(Default)]
pub struct Reminders(Mutex<BTreeMap<String, Timestamp>>);

impl Reminders {
    /// Begins with what was left open before.
    pub fn remember(&self, due: impl IntoIterator<Item = (String, Timestamp)>) {
        self.entries().extend(due);
    }

    fn note(&self, key: &str, due: Option<Timestamp>) {
        match due {
            Some(due) => self.entries().insert(key.to_owned(), due),
            None => self.entries().remove(key),
        };
    }

    /// What is due now; each is due again when the look at it must be lost.
    fn take(&self, now: Timestamp) -> Vec<(String, Timestamp)> {
        let lease = now.plus(LOST);
        let mut entries = self.entries();
        let due = entries.iter_mut().filter(|(_, due)| **due <= now).take(AT_ONCE);
        due.map(|(key, due)| {
            *due = lease;
            (key.clone(), lease)
        })
        .collect()
    }

    /// What a look found out, unless somebody wrote since.
    fn settle(&self, key: &str, lease: Timestamp, due: Option<Timestamp>) {
        if self.entries().get(key) == Some(&lease) {
            self.note(key, due);
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Timestamp>> {
        // Nothing panics while it holds the lock, so what it guards is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The store, which remembers what each write says is due: the stream of its table.
pub struct RemindingStore {
    pub store: DynamoDb,
    pub reminders: Arc<Reminders>,
    pub clock: Arc<MovableClock>,
}

impl Store for RemindingStore {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        self.store.read(key)
    }

    fn write<'a>(&'a self, item: &'a Item, expected: Expected) -> Pending<'a, Result<Written, StoreFault>> {
        Box::pin(async move {
            let written = self.store.write(item, expected).await;
            let key = item.text(KEY).unwrap_or_default();
            match &written {
                Ok(Written::Done) => self.reminders.note(key, item.number(DUE).map(Timestamp::from_millis)),
                Ok(Written::Conflict(_)) => {}
                // It may have been written: somebody must look.
                Err(_) => self.reminders.note(key, Some(self.clock.now().plus(LOST))),
            }
            written
        })
    }
}

/// Looks at what is due, forever.
pub async fn run(app: App, reminders: Arc<Reminders>, clock: Arc<MovableClock>) {
    loop {
        tokio::time::sleep(TICK).await;
        let mut looks = JoinSet::new();
        for (key, lease) in reminders.take(clock.now()) {
            let (app, reminders, clock) = (app.clone(), Arc::clone(&reminders), Arc::clone(&clock));
            looks.spawn(async move { clock.hold(look(&app, &reminders, &key, lease)).await });
        }
        looks.join_all().await;
    }
}

async fn look(app: &App, reminders: &Reminders, key: &str, lease: Timestamp) {
    let Some(payment) = PaymentKey::parse(key) else { return };
    let deadline = app.shell.clock.now().plus(LOOK);
    // Killed at the deadline, as on AWS.
    let looked = tokio::time::timeout(LOOK, follow_up(app, payment, deadline)).await;
    match looked {
        Ok(Ok(due)) => reminders.settle(key, lease, due),
        Ok(Err(refusal)) => eprintln!("follow-up of {key}: {refusal:?}; again in {LOST:?}"),
        Err(_) => eprintln!("follow-up of {key}: killed at its deadline; again in {LOST:?}"),
    }
}
