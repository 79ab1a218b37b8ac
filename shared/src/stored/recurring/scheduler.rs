//! A scheduler as an item.
//!
//! | attribute | of the scheduler |
//! |---|---|
//! | `d` `nr` | when its next run starts, and the day of it; only where it has one |
//! | `y` `aq` `t` | key, hash of what was asked under it, when made |
//! | `nm` `cm` `tt` `cr` | name, comments, timetable, which items its runs charge |
//! | `s` `lr` | status, the day of its last run |

use super::lists::List;
use super::{Head, another, criteria, timing};
use crate::payment::IdempotencyKey;
use crate::recurring::calendar::Occasion;
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
            comments,
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
            due: next_run.map(|next| next.at),
        };
        let item = head
            .to_item()
            .with("y", key.as_str().to_owned())
            .with("aq", asked.to_vec())
            .with("t", created_at.as_millis())
            .with("nm", name)
            .with_some("cm", comments.as_ref())
            .with("tt", timing::encode_timetable(timetable))
            .with_some("cr", criteria::encode(criteria))
            .with("s", status_name(*status))
            .with_some("lr", last_run.map(|day| day.to_string()))
            .with_some("nr", next_run.map(|next| next.date.to_string()));
        let place = List::made_at(*created_at, id.id());
        let item = match status {
            Status::Active => List::active_schedulers_of(merchant).with(item, place.clone()),
            Status::Draft | Status::Inactive | Status::Canceled | Status::Completed => item,
        };
        carry(List::schedulers_of(merchant).with(item, place), &self.unknown)
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
            comments: reader.maybe_text("cm")?,
            timetable: timing::decode_timetable(reader.map("tt")?)?,
            criteria: criteria::decode(reader.maybe_map("cr")?)?,
            status: reader.parsed("s", |text| STATUSES.into_iter().find(|known| status_name(*known) == text))?,
            created_at: reader.moment("t")?,
            last_run: timing::maybe_day(&mut reader, "lr")?,
            next_run: decode_next(&mut reader, due)?,
        };
        Ok(Self { scheduler, unknown: reader.rest() })
    }
}

fn decode_next(reader: &mut Reader, due: Option<Timestamp>) -> Result<Option<Occasion>, Unreadable> {
    match (timing::maybe_day(reader, "nr")?, due) {
        (None, None) => Ok(None),
        (Some(date), Some(at)) => Ok(Some(Occasion { date, at })),
        (Some(_), None) | (None, Some(_)) => Err(Unreadable("d and nr go together".to_owned())),
    }
}

const STATUSES: [Status; 5] = [Status::Draft, Status::Active, Status::Inactive, Status::Canceled, Status::Completed];

fn status_name(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Active => "active",
        Status::Inactive => "inactive",
        Status::Canceled => "canceled",
        Status::Completed => "completed",
    }
}
