//! A payment run: everything of a merchant that is due is charged, in up to [`LANES`] lanes side by side.
//!
//! A run is an item, and each of its lanes that has anything to do is another. Whoever looks at a lane that is due works
//! off a page of its schedules: first it writes which they are, then it charges them, then it writes what came of them
//! and that it is done with the page. Killed between, the next one goes on with the same page. What is counted follows
//! from what is stored in the schedules of the page: so nothing is counted twice, or not at all.

use std::time::Duration;

use crate::ids::MerchantId;
use crate::payment::Nonce;
use crate::time::Timestamp;

use super::calendar::Date;
use super::ids::{Cause, LANES, RunId, ScheduleId, SchedulerId};
use super::schedule::Tried;
use super::scheduler::Criteria;

#[cfg(test)]
mod tests;

/// Schedules on one page.
pub const PAGE: u16 = 25;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub merchant: MerchantId,
    pub id: RunId,
    pub version: u64,
    /// What started it; none of one that was asked for, or that tries again.
    pub scheduler: Option<SchedulerId>,
    /// Hash of what was asked under its key; only of one that was asked for.
    pub asked: Option<[u8; 16]>,
    pub comments: Option<String>,
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

impl Status {
    /// The wire's literal.
    pub fn literal(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Started => "Started",
            Self::Completed => "Completed",
            Self::Stopped => "Stopped",
            Self::Failed => "Failed",
        }
    }
}

/// What came of the schedules of a run, or of one of its lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Schedules that were on the list when it began, and how many of them have been looked at.
    pub listed: u64,
    pub seen: u64,
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
    /// They were begun on a page before, and their gateways left them open.
    pub is_open: bool,
    /// Behind what the next page begins.
    pub cursor: Option<String>,
    /// The list was read to its end: only what is pending is left, and what other runs hold up.
    pub is_read: bool,
    /// When the list is read again, because other runs were charging schedules of which this one takes something.
    pub back: Option<Timestamp>,
    pub counts: Counts,
    pub due: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    pub nonce: Nonce,
    pub until: Timestamp,
}

/// What a lane works on next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// These of the list that the run works off, and behind what it goes on.
    Listed { schedules: Vec<ScheduleId>, cursor: String },
    /// These again, whose gateways had left them open.
    Open(Vec<ScheduleId>),
    /// There is no time to see, before then.
    Later(Timestamp),
    /// Nothing, before what was left open is due, or for good.
    End(Option<Timestamp>),
}

/// How far lists may lag behind what is written.
const LAG: Duration = Duration::from_secs(60);

/// Which lanes' bits these are.
pub fn lanes(bits: u64) -> impl Iterator<Item = u8> {
    (0..LANES).filter(move |lane| bits & 1 << lane != 0)
}

/// How long a started run goes without a look: somebody sums up what its lanes have done. A run that goes on for long,
/// because gateways take their time, is looked at less and less.
const SUM_EVERY: Duration = Duration::from_secs(30);
const SUM_EVERY_AT_LAST: Duration = Duration::from_secs(60 * 60);

/// How long other runs have at first to finish what this one came upon.
const COME_BACK: Duration = Duration::from_secs(30);

/// After its deadline whoever held a lane is gone, by whatever clock.
const MARGIN: Duration = Duration::from_secs(5);

impl Run {
    /// A new one, to be looked at from `due` on.
    pub fn new(merchant: MerchantId, cause: Cause<'_>, takes: Takes, criteria: Criteria, now: Timestamp) -> Self {
        let scheduler = if let Cause::Scheduled(scheduler, _) = cause { Some(scheduler) } else { None };
        let due = if let Cause::Retries(at) = cause { at.max(now) } else { now };
        Self {
            merchant,
            id: RunId::of(&merchant, cause),
            version: 1,
            scheduler,
            asked: None,
            comments: None,
            takes,
            criteria,
            status: Status::New,
            created_at: now,
            started_at: None,
            completed_at: None,
            lanes: 0,
            counts: Counts::default(),
            due: Some(due),
        }
    }

    pub fn is_retry(&self) -> bool {
        matches!(self.takes, Takes::RetriesBy(_))
    }

    /// Whether it charges anything that it has not begun to charge.
    pub fn goes_on(&self) -> bool {
        matches!(self.status, Status::New | Status::Started)
    }

    /// It begins with those lanes, which are made next.
    #[must_use]
    pub fn started(&self, lanes: u64, now: Timestamp) -> Self {
        let begun = Self { status: Status::Started, started_at: Some(now), lanes, ..self.next() };
        if lanes == 0 { begun.completed(now) } else { Self { due: Some(now), ..begun } }
    }

    /// What its lanes have come to.
    #[must_use]
    pub fn summed(&self, lanes: &[Lane], now: Timestamp) -> Self {
        let counts = lanes.iter().fold(Counts::default(), |sum, lane| sum.plus(lane.counts));
        let wait = (self.age(now) / 8).clamp(SUM_EVERY, SUM_EVERY_AT_LAST);
        let summed = Self { counts, due: Some(now.plus(wait)), ..self.next() };
        let is_over = |lane: &Lane| lane.is_done() || self.status == Status::Stopped && lane.only_comes_back();
        if lanes.iter().all(is_over) { summed.completed(now) } else { summed }
    }

    /// When it comes back for what other runs were charging: the longer it has waited, the later.
    pub fn comes_back(&self, now: Timestamp) -> Timestamp {
        now.plus((self.age(now) / 8).max(COME_BACK))
    }

    fn age(&self, now: Timestamp) -> Duration {
        self.started_at.map_or(Duration::ZERO, |at| now.since(at))
    }

    /// Somebody stops it: what is being charged is finished, nothing else begun. None where it has ended.
    pub fn stopped(&self) -> Option<Self> {
        self.goes_on().then(|| Self { status: Status::Stopped, ..self.next() })
    }

    fn completed(self, now: Timestamp) -> Self {
        let status = if self.status == Status::Stopped { Status::Stopped } else { Status::Completed };
        Self { status, completed_at: Some(now), due: None, ..self }
    }

    fn next(&self) -> Self {
        Self { version: self.version.saturating_add(1), ..self.clone() }
    }

    /// How much of it is done, and when the rest will be if it goes on like that and no faster than its gateways take:
    /// `per_second` requests; none before there is anything to go by.
    pub fn expected_end(&self, per_second: Option<u16>, now: Timestamp) -> Option<Timestamp> {
        let started = self.started_at.filter(|_| self.status == Status::Started)?;
        let left = self.counts.listed.saturating_sub(self.counts.seen);
        let by_speed = match self.counts.seen {
            0 => None,
            seen => {
                let took = now.since(started).as_millis();
                Some(took.saturating_mul(u128::from(left)).checked_div(u128::from(seen))?)
            }
        };
        let by_rate = per_second.filter(|rate| *rate > 0).map(|rate| u128::from(left) * 1000 / u128::from(rate));
        let millis = by_speed.max(by_rate)?;
        Some(now.plus(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))))
    }
}

impl Counts {
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            listed: self.listed.saturating_add(other.listed),
            seen: self.seen.saturating_add(other.seen),
            processed: self.processed.saturating_add(other.processed),
            failed: self.failed.saturating_add(other.failed),
            pending: self.pending.saturating_add(other.pending),
        }
    }

    /// Items that matched, so far.
    pub fn filtered(self) -> u64 {
        self.processed.saturating_add(self.failed).saturating_add(self.pending)
    }
}

impl Lane {
    pub fn new(merchant: MerchantId, run: RunId, lane: u8, listed: u64, now: Timestamp) -> Self {
        Self {
            merchant,
            run,
            lane,
            version: 1,
            holder: None,
            page: 0,
            schedules: Vec::new(),
            is_open: false,
            cursor: None,
            is_read: false,
            back: None,
            counts: Counts { listed, ..Counts::default() },
            due: Some(now),
        }
    }

    /// What a page is known by.
    pub fn tried(&self) -> Tried {
        Tried { run: self.run, page: self.page }
    }

    /// Nothing of it is left to do.
    pub fn is_done(&self) -> bool {
        self.is_read && self.due.is_none()
    }

    /// Until when somebody else works on it.
    pub fn held_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.holder.map(|holder| holder.until.plus(MARGIN)).filter(|until| *until > now)
    }

    /// Whoever works on it from now on. Should that one be killed, somebody looks again. If it is time to come back, the
    /// list begins anew.
    #[must_use]
    pub fn held(&self, nonce: Nonce, until: Timestamp, now: Timestamp) -> Self {
        let held = Self { holder: Some(Holder { nonce, until }), due: Some(until.plus(MARGIN)), ..self.next() };
        match self.is_read && self.back.is_some_and(|back| back <= now) {
            true => Self { is_read: false, cursor: None, back: None, ..held },
            false => held,
        }
    }

    /// Nothing is left to do but what other runs hold up.
    fn only_comes_back(&self) -> bool {
        self.is_read && self.counts.pending == 0 && self.back.is_some() && self.due == self.back
    }

    /// Its page is done with, and what came of it counts; this comes next.
    #[must_use]
    pub fn turned(&self, came: Counts, page: Page, now: Timestamp) -> Self {
        let next = self.next();
        let worked = self.schedules.len() as u64;
        // What is read of the list is seen for the first time; what comes up again was pending.
        let (seen, was_pending) = if self.is_open { (0, worked) } else { (worked, 0) };
        let pending = next.counts.pending.saturating_sub(was_pending);
        let counts = Counts { pending, ..next.counts }.plus(Counts { seen, ..came });
        // Of a list that is read again all was seen.
        let counts = Counts { seen: counts.seen.min(counts.listed), ..counts };
        let turned = Self { counts, schedules: Vec::new(), is_open: false, ..next };
        let page_number = turned.page.saturating_add(1);
        match page {
            Page::Listed { schedules, cursor } => Self { page: page_number, schedules, cursor: Some(cursor), ..turned },
            Page::Open(schedules) => Self { page: page_number, schedules, is_open: true, ..turned },
            Page::Later(at) => Self { holder: None, due: Some(at), ..turned },
            // The list may lag behind what was charged a moment ago.
            Page::End(None) if counts.pending > 0 => {
                Self { counts: Counts { pending: 0, ..counts }, ..turned }.at_the_end(Some(now.plus(LAG)))
            }
            Page::End(open) => turned.at_the_end(open),
        }
    }

    /// The list is read; what is open is due then.
    fn at_the_end(self, open: Option<Timestamp>) -> Self {
        let due = open.into_iter().chain(self.back).min();
        Self { holder: None, due, is_read: true, ..self }
    }

    /// Nobody works on it any more, and its page is not done with: somebody must go on then.
    #[must_use]
    pub fn released(&self, at: Timestamp) -> Self {
        Self { holder: None, due: Some(at), ..self.next() }
    }

    fn next(&self) -> Self {
        Self { version: self.version.saturating_add(1), ..self.clone() }
    }
}
