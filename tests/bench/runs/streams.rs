//! From what is written to who is reminded of it: streams in batches, and a queue.

use std::collections::BTreeMap;
use std::time::Duration;

use kessai_shared::reminder::{Image, Reminder};
use kessai_shared::time::Timestamp;

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
pub struct Streams {
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

/// When something is to be handed on next.
#[derive(Clone, Copy, Default)]
pub struct Next {
    pub batch: Option<Timestamp>,
    pub message: Option<Timestamp>,
}

impl Streams {
    /// Something was written.
    pub fn show(&mut self, stream: Stream, image: Image, now: Timestamp) {
        let shard = &mut self.shards[stream.first_shard + shard_of(&image)];
        shard.images.push(image);
        let until = shard.until.get_or_insert(now.plus(stream.window));
        if shard.images.len() >= BATCH {
            *until = now;
        }
    }

    /// Sends messages, each at its time.
    pub fn send(&mut self, messages: &[(Timestamp, Reminder)]) {
        for (at, reminder) in messages {
            self.queue.insert((*at, self.sent), *reminder);
            self.sent += 1;
        }
    }

    /// A batch that is ready to be passed on.
    pub fn batch(&mut self, now: Timestamp) -> Option<Vec<Image>> {
        let is_ready = |shard: &&mut Shard| shard.until.is_some_and(|until| until <= now);
        self.shards.iter_mut().find(is_ready).map(|shard| std::mem::take(shard).images)
    }

    /// Messages whose time has come, at most so many.
    pub fn receive(&mut self, now: Timestamp, most: usize) -> Vec<Reminder> {
        let first = || Some(self.queue.first_entry().filter(|first| first.key().0 <= now)?.remove());
        std::iter::from_fn(first).take(most).collect()
    }

    pub fn next(&self) -> Next {
        let batch = self.shards.iter().filter_map(|shard| shard.until).min();
        Next { batch, message: self.queue.first_key_value().map(|((at, _), _)| *at) }
    }

    /// Messages so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }
}

/// One of those of its table: the same for the same item.
fn shard_of(image: &Image) -> usize {
    let key = image.reminder.item.to_string();
    key.bytes().fold(0, |sum, byte| sum * 31 % 1009 + usize::from(byte)) % SHARDS
}
