//! A lane of a run as an item.
//!
//! | attribute | of the lane |
//! |---|---|
//! | `d` | when somebody must look at it next; only then |
//! | `no` `un` | who works on it, and until when; only then |
//! | `pg` `sc` `op` | how many pages were begun, the schedules of the last while it is worked on, they come up again |
//! | `cu` `rd` `bk` | behind what the next page begins, the list was read to its end, when it is read again |
//! | `co` | the counts, as of a run |

use super::{Head, another, run};
use crate::recurring::ids::{RecurringKey, ScheduleId};
use crate::recurring::run::{Holder, Lane};
use crate::stored::item::{Attribute, Item};
use crate::stored::payment::{carry, decode_nonce};
use crate::stored::reader::{Reader, Unreadable, strange};
use crate::time::Timestamp;

/// A lane as it was read, with what this version does not know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLane {
    pub lane: Lane,
    unknown: Item,
}

impl StoredLane {
    /// The lane that takes the place of what was read before, if anything was.
    pub fn following(before: Option<&Self>, lane: Lane) -> Self {
        Self { lane, unknown: before.map(|before| before.unknown.clone()).unwrap_or_default() }
    }

    /// The item to write.
    pub fn to_item(&self) -> Item {
        let Lane { merchant, run, lane, version, holder, page, schedules, is_open, cursor, is_read, back, counts, due } =
            &self.lane;
        let schedules: Vec<_> =
            schedules.iter().map(|schedule| Attribute::from(schedule.id().as_str().to_owned())).collect();
        let head = Head { merchant: *merchant, key: RecurringKey::Lane(*run, *lane), version: *version, due: *due };
        let item = head
            .to_item()
            .with_some("no", holder.map(|holder| holder.nonce.0.to_be_bytes().to_vec()))
            .with_some("un", holder.map(|holder| holder.until.as_millis()))
            .with("pg", i64::from(*page))
            .with_some("sc", (!schedules.is_empty()).then_some(schedules))
            .with_flag("op", *is_open)
            .with_some("cu", cursor.as_ref())
            .with_flag("rd", *is_read)
            .with_some("bk", back.map(Timestamp::as_millis))
            .with_some("co", run::encode_counts(*counts));
        carry(item, &self.unknown)
    }

    /// Reads an item of this format.
    pub fn from_item(item: Item) -> Result<Self, Unreadable> {
        let mut reader = Reader::new(item);
        let Head { merchant, key, version, due } = Head::take(&mut reader)?;
        let RecurringKey::Lane(run, lane) = key else { return Err(another("lane")) };
        let schedules = reader.words("sc")?;
        let schedules = schedules.iter().map(|id| ScheduleId::parse(id).ok_or_else(|| strange("sc")));
        let lane = Lane {
            merchant,
            run,
            lane,
            version,
            holder: decode_holder(&mut reader)?,
            page: reader.small("pg")?,
            schedules: schedules.collect::<Result<_, _>>()?,
            is_open: reader.flag("op")?,
            cursor: reader.maybe_text("cu")?,
            is_read: reader.flag("rd")?,
            back: reader.maybe_moment("bk")?,
            counts: run::decode_counts(reader.maybe_map("co")?)?,
            due,
        };
        Ok(Self { lane, unknown: reader.rest() })
    }
}

fn decode_holder(reader: &mut Reader) -> Result<Option<Holder>, Unreadable> {
    let Some(until) = reader.maybe_moment("un")? else { return Ok(None) };
    Ok(Some(Holder { nonce: decode_nonce(reader.maybe_bytes("no")?)?, until }))
}
