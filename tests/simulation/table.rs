//! The payments table: conditional writes, acknowledgements that get lost, and a stream.

use std::ops::Range;

use kessai_shared::ids::PaymentKey;
use kessai_shared::ports::{Expected, StoreFault, Written};
use kessai_shared::reminder::{Errand, Image, mark, reminders};
use kessai_shared::stored::item::Name;
use kessai_shared::stored::payment::{KEY, VERSION};
use kessai_shared::stored::{Attribute, Item};

use crate::chance::Fault;
use crate::port::{Call, Reply};
use crate::story::Lane;
use crate::world::{Happening, World};

/// What is stored, and what the stream has not shown yet.
#[derive(Default)]
pub struct Table {
    pub rows: Vec<Row>,
    /// When it answers nobody.
    pub down_ms: Range<i64>,
}

pub struct Row {
    pub key: PaymentKey,
    pub item: Item,
}

/// What the stream shows of a write.
#[derive(Clone, Copy)]
pub struct Shown {
    payment: usize,
    image: Image,
}

/// A write that nobody waits for.
pub struct LateWrite {
    pub task: usize,
    pub item: Item,
    pub expected: Expected,
}

/// An attribute that only the next version of the code knows.
pub const NEXT_VERSION: &str = "zz";

impl Table {
    pub fn find(&self, key: PaymentKey) -> Option<&Row> {
        self.rows.iter().find(|row| row.key == key)
    }

    /// Where the row stands and what it was before, if the write was made.
    fn put(&mut self, item: Item, expected: Expected) -> Result<(usize, Option<Item>), Option<Item>> {
        let key = key_of(item.text(KEY).unwrap_or_default());
        let place = self.rows.iter().position(|row| row.key == key);
        match (place, expected) {
            (None, Expected::Absent) => {
                self.rows.push(Row { key, item });
                Ok((self.rows.len() - 1, None))
            }
            (Some(place), Expected::Version(version)) if version_of(&self.rows[place].item) == version => {
                let before = std::mem::replace(&mut self.rows[place].item, item);
                Ok((place, Some(before)))
            }
            (place, _) => Err(place.map(|place| self.rows[place].item.clone())),
        }
    }
}

fn key_of(text: &str) -> PaymentKey {
    PaymentKey::parse(text).expect("a key of ours")
}

pub fn version_of(item: &Item) -> u64 {
    item.number(VERSION).and_then(|version| u64::try_from(version).ok()).unwrap_or_default()
}

/// What the next version of the code would write: more than this one knows, on both levels that carry it.
pub fn as_next_version(item: &mut Item) {
    item.insert(Name::Borrowed(NEXT_VERSION), Attribute::Number(2));
    if let Some(Attribute::List(operations)) = item.get_mut("o") {
        for operation in operations {
            if let Attribute::Map(operation) = operation {
                operation.insert(Name::Borrowed(NEXT_VERSION), Attribute::Number(2));
            }
        }
    }
}

fn unavailable(why: &'static str) -> StoreFault {
    StoreFault(why.into())
}

impl World {
    /// The table answers a call of this worker, now.
    pub(crate) fn serve_table(&mut self, task: usize, call: u32, asked: Call) -> Option<Reply> {
        let is_archived = !matches!(asked, Call::Read(_) | Call::Write(..));
        if is_archived {
            return self.serve_archive(task, call, asked);
        }
        if self.table.down_ms.contains(&self.now_ms) {
            self.tasks[task].spent.disturbances += 1;
            self.tell(Lane::Worker(task), Lane::Store, || "is not answered: the table is down".to_owned());
            let fault = unavailable("down");
            return match asked {
                Call::Read(_) => Some(Reply::Read(Err(fault))),
                Call::Write(..) => Some(Reply::Written(Err(fault))),
                _ => None,
            };
        }
        match asked {
            Call::Read(key) => Some(Reply::Read(self.read(task, call, &key))),
            Call::Write(item, expected) => self.write(task, call, *item, expected).map(Reply::Written),
            _ => None,
        }
    }

    fn read(&mut self, task: usize, call: u32, key: &str) -> Result<Option<Item>, StoreFault> {
        self.tasks[task].spent.reads += 1;
        if self.chance.strikes_call(Fault::ReadFails, task, call) {
            self.tasks[task].spent.disturbances += 1;
            self.tell(Lane::Store, Lane::Worker(task), || "the read fails".to_owned());
            return Err(unavailable("the table is not there"));
        }
        let found = self.table.find(key_of(key)).map(|row| row.item.clone());
        if self.plan.endpoints > 0 {
            self.tasks[task].seen.clone_from(&found);
        }
        let version = found.as_ref().map(version_of);
        self.tell(Lane::Worker(task), Lane::Store, || match version {
            Some(version) => format!("reads version {version}"),
            None => "reads nothing".to_owned(),
        });
        Ok(found)
    }

    /// None where the worker will not hear of it.
    fn write(&mut self, task: usize, call: u32, item: Item, expected: Expected) -> Option<Result<Written, StoreFault>> {
        self.tasks[task].spent.writes += 1;
        if self.chance.strikes_call(Fault::WriteThrottled, task, call) {
            self.tasks[task].spent.disturbances += 1;
            self.tell(Lane::Store, Lane::Worker(task), || "throttles the write".to_owned());
            return Some(Err(unavailable("throttled")));
        }
        if self.chance.strikes_call(Fault::WriteLate, task, call) {
            self.tasks[task].spent.disturbances += 1;
            self.tell(Lane::Store, Lane::Worker(task), || "does not answer to a write, and makes it later".to_owned());
            let later = self.chance.millis(1..4_000);
            self.foresee_in(later, Happening::Written(Box::new(LateWrite { task, item, expected })));
            return Some(Err(unavailable("timed out")));
        }
        let written = self.make(task, item, expected);
        if let Ok(place) = written {
            if self.chance.strikes_call(Fault::AcknowledgementLost, task, call) {
                self.tasks[task].spent.disturbances += 1;
                self.tell(Lane::Store, Lane::Worker(task), || "the acknowledgement is lost".to_owned());
                return Some(Err(unavailable("the acknowledgement was lost")));
            }
            if self.chance.strikes_call(Fault::WriteMeetsItself, task, call) {
                self.tasks[task].spent.disturbances += 1;
                self.tell(Lane::Store, Lane::Worker(task), || "the client asks again, and meets its write".to_owned());
                return Some(Ok(Written::Conflict(Some(self.table.rows[place].item.clone()))));
            }
        } else {
            self.tasks[task].spent.disturbances += 1;
        }
        Some(Ok(written.map_or_else(Written::Conflict, |_| Written::Done)))
    }

    pub(crate) fn write_late(&mut self, late: LateWrite) {
        // Nobody hears whether it was.
        let _ = self.make(late.task, late.item, late.expected);
    }

    /// The conditional write itself: the row, or what is there instead.
    fn make(&mut self, task: usize, mut item: Item, expected: Expected) -> Result<usize, Option<Item>> {
        // As the real table's adapter does, by the clock of whoever writes.
        mark(&mut item, self.time_of(self.tasks[task].worker));
        match self.table.put(item, expected) {
            Ok((place, before)) => {
                let after = &self.table.rows[place].item;
                self.story.tell(self.now_ms, Lane::Worker(task), Lane::Store, || {
                    format!("writes version {}", describe(after))
                });
                self.auditor.written(before.as_ref(), after);
                if self.accounts.is_some() {
                    self.send_payers(place, before.as_ref());
                }
                self.show(place);
                Ok(place)
            }
            Err(found) => {
                let version = found.as_ref().map(version_of);
                self.tell(Lane::Worker(task), Lane::Store, || format!("is refused: version {version:?} is there"));
                Err(found)
            }
        }
    }

    /// The stream will show what is there now. Mostly it is quick, and shows the last of several writes.
    fn show(&mut self, place: usize) {
        let shown = Shown { payment: place, image: image_of(&self.table.rows[place].item) };
        for errand in Errand::ALL {
            if shown.image.due(errand).is_some_and(|due| due.is_late) {
                self.await_tick(place, errand);
            }
        }
        let is_late = self.chance.strikes(Fault::StreamLate);
        let millis = if is_late { self.chance.millis(1_000..120_000) } else { self.chance.millis(500..1_500) };
        self.foresee_in(millis, Happening::Streamed { shown, is_late });
        if self.chance.strikes(Fault::StreamDoubled) {
            let again = self.chance.millis(0..60_000);
            self.foresee_in(millis + again, Happening::Streamed { shown, is_late: true });
        }
    }

    /// The relay turns what is due into a message with a delay. Of a batch it looks at the last image; one
    /// that comes late comes alone.
    pub(crate) fn stream(&mut self, shown: Shown, is_late: bool) {
        let Shown { payment, image } = shown;
        let is_last = version_of(&self.table.rows[payment].item) == image.reminder.version;
        if is_last || is_late {
            for delayed in reminders([image], self.time()) {
                self.remind(payment, delayed);
            }
        }
    }
}

/// What an item says about when to look at it.
pub fn image_of(item: &Item) -> Image {
    Image::of(item).expect("an item of ours")
}

/// The operations of a payment, as they rest.
pub fn operations(item: &Item) -> impl Iterator<Item = &Item> {
    let list = if let Some(Attribute::List(list)) = item.get("o") { list.as_slice() } else { &[] };
    list.iter().filter_map(|operation| if let Attribute::Map(operation) = operation { Some(operation) } else { None })
}

/// How an operation stands, as it rests: `open`, `unsent`, `accepted`, or its verdict.
pub fn state(operation: &Item) -> &str {
    let state = if let Some(Attribute::Map(state)) = operation.get("s") { state.text("s") } else { None };
    state.unwrap_or_default()
}

/// A version and how its operations stand.
fn describe(item: &Item) -> String {
    let states =
        operations(item).map(|operation| format!("{} {}", operation.text("k").unwrap_or_default(), state(operation)));
    format!("{}: {}", version_of(item), states.collect::<Vec<_>>().join(", "))
}
