//! A payment run: everything of a merchant that is due is charged, in up to [`LANES`] lanes side by side.
//!
//! A run is an item, and each of its lanes that has anything to do is another. Whoever looks at a lane that is due works
//! off a page of its schedules: first it writes which they are, then it charges them, then it writes what came of them
//! and that it is done with the page. Killed between, the next one goes on with the same page. What is counted follows
//! from what is stored in the schedules of the page: so nothing is counted twice, or not at all.

use crate::ids::MerchantId;
use crate::payment::Nonce;
use crate::time::Timestamp;

use super::calendar::Date;
use super::ids::{LANES, RunId, ScheduleId, SchedulerId};
use super::scheduler::Criteria;

/// Schedules on one page.
pub const PAGE: u16 = 25;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub merchant: MerchantId,
    pub id: RunId,
    pub version: u64,
    /// What started it; none of one that was asked for, or that tries again.
    pub scheduler: Option<SchedulerId>,
    pub takes: Takes,
    pub criteria: Criteria,
    pub status: Status,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    /// The lanes that have anything to do, a bit each; known once it has started.
    pub lanes: u64,
    /// As of the last look.
    pub counts: Counts,
    /// When somebody must look next.
    pub due: Option<Timestamp>,
}

/// What a run charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// What is ready and meant for this day or an earlier one, by the calendar of the scheduler.
    ReadyOn(Date),
    /// What failed and is to be tried again by then.
    RetriesBy(Timestamp),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    New,
    Started,
    Completed,
    /// Somebody stopped it: what it had not begun is left for another.
    Stopped,
    Failed,
}

/// What came of the schedules of a run, or of one of its lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Schedules that were on the list when it began, and how many of them have been looked at.
    pub listed: u64,
    pub seen: u64,
    /// Items that matched, so far.
    pub filtered: u64,
    pub processed: u64,
    pub failed: u64,
    /// Charged, and the gateway's verdict is not known yet.
    pub pending: u64,
}

/// One lane of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    pub merchant: MerchantId,
    pub run: RunId,
    pub lane: u8,
    pub version: u64,
    /// Who works on it, and until when.
    pub holder: Option<Holder>,
    /// How many pages were begun.
    pub page: u32,
    /// The schedules of the page that is being worked on.
    pub schedules: Vec<ScheduleId>,
    /// Behind what the next page begins.
    pub cursor: Option<String>,
    /// The list was read to its end: only what is pending is left.
    pub is_read: bool,
    pub counts: Counts,
    pub due: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    pub nonce: Nonce,
    pub until: Timestamp,
}

/// Which lanes' bits these are.
pub fn lanes(bits: u64) -> impl Iterator<Item = u8> {
    (0..LANES).filter(move |lane| bits & 1 << lane != 0)
}
