//! A scheduler as an item.
//!
//! | attribute | of the scheduler |
//! |---|---|
//! | `d` | when its next run starts |
//! | `y` `aq` `t` | key, hash of what was asked under it, when made |
//! | `nm` `tt` `cr` | name, timetable, which items its runs charge |
//! | `s` `lr` | status, the time of its last run |

use super::lists::{Entry, schedulers_of};
use super::{Head, another, criteria, timing};
use crate::payment::IdempotencyKey;
use crate::recurring::ids::RecurringKey;
use crate::recurring::scheduler::{Scheduler, Status};
use crate::stored::item::Item;
use crate::stored::payment::carry;
use crate::stored::reader::{Reader, Unreadable};
use crate::time::Timestamp;

/// A scheduler as it was read, with what this version does not know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredScheduler {
    pub scheduler: Scheduler,
    unknown: Item,
}

impl StoredScheduler {
    /// The scheduler that takes the place of what was read before, if anything was.
    pub fn following(before: Option<&Self>, scheduler: Scheduler) -> Self {
        Self { scheduler, unknown: before.map(|before| before.unknown.clone()).unwrap_or_default() }
    }

    /// The item to write.
    pub fn to_item(&self) -> Item {
        let Scheduler {
            merchant,
            id,
            version,
            key,
            asked,
            name,
            timetable,
            criteria,
            status,
            created_at,
            last_run,
            next_run,
        } = &self.scheduler;
        let head = Head {
            merchant: *merchant,
            key: RecurringKey::Scheduler(*id),
            version: *version,
            due: *next_run,
        };
        let item = head
            .to_item()
            .with("y", key.as_str().to_owned())
            .with("aq", asked.to_vec())
            .with("t", created_at.as_millis())
            .with("nm", name)
            .with("tt", timing::encode_timetable(timetable))
            .with_some("cr", criteria::encode(criteria))
            .with("s", status_name(*status))
            .with_some("lr", last_run.map(Timestamp::as_millis));
        let entry = Entry::made(schedulers_of(merchant), *created_at, id.id());
        carry(entry.onto(item), &self.unknown)
    }

    /// Reads an item of this format.
    pub fn from_item(item: Item) -> Result<Self, Unreadable> {
        let mut reader = Reader::new(item);
        let Head { merchant, key, version, due } = Head::take(&mut reader)?;
        let RecurringKey::Scheduler(id) = key else { return Err(another("scheduler")) };
        let scheduler = Scheduler {
            merchant,
            id,
            version,
            key: reader.parsed("y", IdempotencyKey::stored)?,
            asked: reader.sixteen("aq")?,
            name: reader.text("nm")?,
            timetable: timing::decode_timetable(reader.map("tt")?)?,
            criteria: criteria::decode(reader.maybe_map("cr")?)?,
            status: reader.parsed("s", |text| STATUSES.into_iter().find(|known| status_name(*known) == text))?,
            created_at: reader.moment("t")?,
            last_run: reader.maybe_moment("lr")?,
            next_run: due,
        };
        Ok(Self { scheduler, unknown: reader.rest() })
    }
}

const STATUSES: [Status; 5] =
    [Status::Draft, Status::Active, Status::Inactive, Status::Canceled, Status::Completed];

fn status_name(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Active => "active",
        Status::Inactive => "inactive",
        Status::Canceled => "canceled",
        Status::Completed => "completed",
    }
}
