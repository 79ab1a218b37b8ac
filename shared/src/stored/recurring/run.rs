//! A payment run as an item.
//!
//! | attribute | of the run |
//! |---|---|
//! | `d` | when somebody must look at it next; only then |
//! | `sc` `cr` | the scheduler that started it, which items it charges |
//! | `aq` `cm` | hash of what was asked, where it was asked for; comments |
//! | `rd` | it charges what is ready, up to this day |
//! | `rt` | it tries again what is to be tried again by then |
//! | `s` `t` `st` `ct` | status, when made, started, completed |
//! | `ls` | its lanes, a bit each, in eight bytes |
//! | `co` | the counts, as of its lanes together |
//!
//! | attribute | of counts |
//! |---|---|
//! | `l` `s` | schedules that were listed, and looked at |
//! | `p` `x` `w` | items that were processed, failed, wait for their verdict |

use super::lists::List;
use super::{Head, another, criteria, timing};
use crate::recurring::ids::{RecurringKey, SchedulerId};
use crate::recurring::run::{Counts, Run, Status, Takes};
use crate::stored::item::Item;
use crate::stored::payment::carry;
use crate::stored::reader::{Reader, Unreadable, strange};
use crate::time::Timestamp;

/// A run as it was read, with what this version does not know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRun {
    pub run: Run,
    unknown: Item,
}

impl StoredRun {
    /// The run that takes the place of what was read before, if anything was.
    pub fn following(before: Option<&Self>, run: Run) -> Self {
        Self { run, unknown: before.map(|before| before.unknown.clone()).unwrap_or_default() }
    }

    /// The item to write.
    pub fn to_item(&self) -> Item {
        let Run {
            merchant,
            id,
            version,
            scheduler,
            asked,
            comments,
            takes,
            criteria,
            status,
            created_at,
            started_at,
            completed_at,
            lanes,
            counts,
            due,
        } = &self.run;
        let (day, retries_by) = match takes {
            Takes::ReadyOn(day) => (Some(day.to_string()), None),
            Takes::RetriesBy(at) => (None, Some(at.as_millis())),
        };
        let head = Head { merchant: *merchant, key: RecurringKey::Run(*id), version: *version, due: *due };
        let item = head
            .to_item()
            .with_some("sc", scheduler.map(|scheduler| scheduler.as_str().to_owned()))
            .with_some("aq", asked.map(|asked| asked.to_vec()))
            .with_some("cm", comments.as_ref())
            .with_some("cr", criteria::encode(criteria))
            .with_some("rd", day)
            .with_some("rt", retries_by)
            .with("s", status_name(*status))
            .with("t", created_at.as_millis())
            .with_some("st", started_at.map(Timestamp::as_millis))
            .with_some("ct", completed_at.map(Timestamp::as_millis))
            .with_some("ls", (*lanes != 0).then(|| lanes.to_be_bytes().to_vec()))
            .with_some("co", encode_counts(*counts));
        carry(List::runs_of(merchant).with(item, List::made_at(*created_at, id.id())), &self.unknown)
    }

    /// Reads an item of this format.
    pub fn from_item(item: Item) -> Result<Self, Unreadable> {
        let mut reader = Reader::new(item);
        let Head { merchant, key, version, due } = Head::take(&mut reader)?;
        let RecurringKey::Run(id) = key else { return Err(another("run")) };
        let takes = match (timing::maybe_day(&mut reader, "rd")?, reader.maybe_moment("rt")?) {
            (Some(day), None) => Takes::ReadyOn(day),
            (None, Some(by)) => Takes::RetriesBy(by),
            (None, None) | (Some(_), Some(_)) => return Err(Unreadable("rd or rt must be there".to_owned())),
        };
        let run = Run {
            merchant,
            id,
            version,
            scheduler: reader.maybe_parsed("sc", SchedulerId::parse)?,
            asked: decode_asked(reader.maybe_bytes("aq")?)?,
            comments: reader.maybe_text("cm")?,
            takes,
            criteria: criteria::decode(reader.maybe_map("cr")?)?,
            status: reader.parsed("s", |text| STATUSES.into_iter().find(|known| status_name(*known) == text))?,
            created_at: reader.moment("t")?,
            started_at: reader.maybe_moment("st")?,
            completed_at: reader.maybe_moment("ct")?,
            lanes: decode_lanes(reader.maybe_bytes("ls")?)?,
            counts: decode_counts(reader.maybe_map("co")?)?,
            due,
        };
        Ok(Self { run, unknown: reader.rest() })
    }
}

fn decode_asked(bytes: Option<Vec<u8>>) -> Result<Option<[u8; 16]>, Unreadable> {
    bytes.map(|bytes| bytes.try_into().map_err(|_| strange("aq"))).transpose()
}

fn decode_lanes(bytes: Option<Vec<u8>>) -> Result<u64, Unreadable> {
    let Some(bytes) = bytes else { return Ok(0) };
    bytes.try_into().map(u64::from_be_bytes).map_err(|_| strange("ls"))
}

/// None where nothing was counted yet.
pub(super) fn encode_counts(counts: Counts) -> Option<Item> {
    let Counts { listed, seen, processed, failed, pending } = counts;
    let some = |count: u64| (count > 0).then(|| i64::try_from(count).unwrap_or(i64::MAX));
    (counts != Counts::default()).then(|| {
        Item::new()
            .with_some("l", some(listed))
            .with_some("s", some(seen))
            .with_some("p", some(processed))
            .with_some("x", some(failed))
            .with_some("w", some(pending))
    })
}

pub(super) fn decode_counts(item: Option<Item>) -> Result<Counts, Unreadable> {
    let Some(item) = item else { return Ok(Counts::default()) };
    let mut reader = Reader::new(item);
    let mut count = |name: &str| u64::try_from(reader.maybe_number(name)?.unwrap_or(0)).map_err(|_| strange(name));
    Ok(Counts {
        listed: count("l")?,
        seen: count("s")?,
        processed: count("p")?,
        failed: count("x")?,
        pending: count("w")?,
    })
}

const STATUSES: [Status; 5] = [Status::New, Status::Started, Status::Completed, Status::Stopped, Status::Failed];

fn status_name(status: Status) -> &'static str {
    match status {
        Status::New => "new",
        Status::Started => "started",
        Status::Completed => "completed",
        Status::Stopped => "stopped",
        Status::Failed => "failed",
    }
}
