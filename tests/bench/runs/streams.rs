//! From what is written to who is reminded of it: streams in batches, and a queue.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kessai_shared::ports::{Pending, Queue, QueueFault};
use kessai_shared::reminder::{Delayed, Image, Reminder, reminders};
use kessai_shared::time::Timestamp;

use crate::memory;
use crate::time::locked;
use crate::world::World;

/// A table's stream.
#[derive(Clone, Copy)]
pub struct Stream {
    first_shard: usize,
    window: Duration,
}

/// As the template says how long their batches wait.
pub const PAYMENTS: Stream = Stream { first_shard: 0, window: Duration::from_secs(5) };
pub const SCHEDULES: Stream = Stream { first_shard: SHARDS, window: Duration::from_secs(1) };

/// A new table that is paid for by what is asked of it has so many, each a thousand writes a second.
const SHARDS: usize = 4;

/// Records of a batch.
const BATCH: usize = 500;

#[derive(Default)]
pub struct Streams(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    shards: [Shard; 2 * SHARDS],
    queue: BTreeMap<(Timestamp, u64), Reminder>,
    sent: u64,
}

#[derive(Default)]
struct Shard {
    images: Vec<Image>,
    /// When what it shows is passed on at the latest.
    until: Option<Timestamp>,
}

impl Streams {
    /// Something was written.
    pub fn show(&self, stream: Stream, image: Image, now: Timestamp) {
        memory::resting(|| {
            let mut inner = locked(&self.0);
            let shard = stream.first_shard + inner.shard_of(&image);
            let shard = &mut inner.shards[shard];
            shard.images.push(image);
            let until = shard.until.get_or_insert(now.plus(stream.window));
            if shard.images.len() >= BATCH {
                *until = now;
            }
        });
    }

    /// What is ready to be passed on becomes reminders.
    pub fn relay(&self, now: Timestamp) {
        memory::resting(|| {
            let mut inner = locked(&self.0);
            for shard in 0..inner.shards.len() {
                if inner.shards[shard].until.is_some_and(|until| until <= now) {
                    let Shard { images, .. } = std::mem::take(&mut inner.shards[shard]);
                    inner.send(&reminders(images, now), now);
                }
            }
        });
    }

    /// Sends one at its time.
    pub fn send_at(&self, reminder: Reminder, at: Timestamp) {
        memory::resting(|| locked(&self.0).push(reminder, at));
    }

    /// A message whose time has come.
    pub fn receive(&self, now: Timestamp) -> Option<Reminder> {
        memory::resting(|| {
            let mut inner = locked(&self.0);
            let first = inner.queue.first_entry().filter(|first| first.key().0 <= now)?;
            Some(first.remove())
        })
    }

    /// When something is to be done next: a batch, or a message.
    pub fn next(&self) -> [Option<Timestamp>; 2] {
        let inner = locked(&self.0);
        let batch = inner.shards.iter().filter_map(|shard| shard.until).min();
        [batch, inner.queue.first_key_value().map(|((at, _), _)| *at)]
    }

    /// Messages so far.
    pub fn sent(&self) -> u64 {
        locked(&self.0).sent
    }
}

impl Inner {
    /// One of those of its table: the same for the same item.
    fn shard_of(&self, image: &Image) -> usize {
        let key = image.reminder.item.to_string();
        key.bytes().fold(0, |sum, byte| sum * 31 % 1009 + usize::from(byte)) % SHARDS
    }

    fn send(&mut self, delayed: &[Delayed], now: Timestamp) {
        for Delayed { reminder, delay, .. } in delayed {
            self.push(*reminder, now.plus(*delay));
        }
    }

    fn push(&mut self, reminder: Reminder, at: Timestamp) {
        self.queue.insert((at, self.sent), reminder);
        self.sent += 1;
    }
}

/// The queue of follow-up, for who looks and reminds again.
pub struct Again(pub Arc<World>);

impl Queue for Again {
    fn send<'a>(&'a self, delayed: &'a [Delayed]) -> Pending<'a, Result<(), QueueFault>> {
        Box::pin(async move {
            let World { streams, time, .. } = &*self.0;
            memory::resting(|| locked(&streams.0).send(delayed, time.now()));
            Ok(())
        })
    }
}
