//! What rests in the world: tables, the gateway's books, and what is on its way in streams and a queue.

use std::collections::BTreeMap;
use std::ops::Bound;

use kessai_functions::sandbox::Gateway;
use kessai_shared::ids::ItemKey;
use kessai_shared::memory::Memory;
use kessai_shared::ports::{Expected, Store, Written};
use kessai_shared::reminder::{Errand, Image, mark};
use kessai_shared::stored::Item;
use kessai_shared::time::Timestamp;

use crate::streams::{PAYMENTS, SCHEDULES, Stream, Streams};
use crate::time::at_once;

pub struct Resting {
    pub payments: Table,
    pub schedules: Table,
    /// What merchants have set up: nobody changes it.
    pub set_up: Table,
    pub vault: Table,
    pub sandbox: Gateway,
    pub streams: Streams,
}

impl Resting {
    pub fn new() -> Self {
        let table = |stream| Table { stream, ..Table::default() };
        Self {
            payments: table(Some(PAYMENTS)),
            schedules: table(Some(SCHEDULES)),
            set_up: table(None),
            vault: table(None),
            sandbox: Gateway::default(),
            streams: Streams::default(),
        }
    }

    /// Writes a copy: nothing is kept of what it was written from.
    pub fn write(&mut self, of: Of, item: &Item, expected: Expected, image: Image, now: Timestamp) -> Written {
        let table = of(self);
        let written = at_once(table.memory.write(item.clone(), expected)).expect("memory does not fail");
        if written == Written::Done {
            table.note(image);
            if let Some(stream) = table.stream {
                self.streams.show(stream, image, now);
            }
        }
        written
    }
}

/// One of the tables.
pub type Of = fn(&mut Resting) -> &mut Table;

#[derive(Default)]
pub struct Table {
    pub memory: Memory,
    /// Its indexes of what is due late, in the order of the errands.
    late: [Late; Errand::ALL.len()],
    stream: Option<Stream>,
}

impl Table {
    /// Puts something there before anything happens: no stream shows it.
    pub fn put(&mut self, mut item: Item, now: Timestamp) {
        mark(&mut item, now);
        self.note(Image::of(&item).expect("an item of ours"));
        self.memory.put(item);
    }

    pub fn read(&self, key: &str) -> Option<Item> {
        at_once(Store::read(&self.memory, key)).expect("memory does not fail")
    }

    pub fn late(&self, errand: Errand) -> &Late {
        &self.late[errand as usize]
    }

    fn note(&mut self, image: Image) {
        for errand in Errand::ALL {
            self.late[errand as usize].note(errand, image);
        }
    }
}

/// A place in an index of what is due late.
pub type Place = (Timestamp, ItemKey);

/// What is due later than a queue can hold it back, by when.
#[derive(Default)]
pub struct Late {
    images: BTreeMap<Place, Image>,
    due: BTreeMap<ItemKey, Timestamp>,
}

impl Late {
    fn note(&mut self, errand: Errand, image: Image) {
        let key = image.reminder.item;
        if let Some(before) = self.due.remove(&key) {
            self.images.remove(&(before, key));
        }
        if let Some(due) = image.due(errand).filter(|due| due.is_late) {
            self.due.insert(key, due.at);
            self.images.insert((due.at, key), image);
        }
    }

    /// So many of what is due until then, behind that place; the longest overdue first.
    pub fn until(&self, horizon: Timestamp, after: Option<Place>, most: usize) -> Vec<Image> {
        let due = self.images.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
        due.take_while(|((at, _), _)| *at <= horizon).take(most).map(|(_, image)| *image).collect()
    }
}
