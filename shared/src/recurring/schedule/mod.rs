//! A payment schedule: what an account is to pay, and when. One item of the table of schedules, with all that is to be
//! charged under it.
//!
//! Each [`Item`] is charged by a sale of its own, under a key made of the item and of how often it was tried
//! ([`Schedule::sale_key`]): so nothing charges an attempt twice, whoever comes upon it. What a schedule with a
//! [`Recurrence`] charges next is made by itself, when the one before is first tried. [`step`] decides; a payment run
//! carries it out.

pub mod agenda;
pub mod amounts;
pub mod change;
mod charge;
pub mod making;
pub mod outbox;
pub mod refused;
pub mod step;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::ids::{GatewayId, Id, MerchantId, MethodId};
use crate::merchant::set_up::Made;
use crate::money::Currency;
use crate::payment::asked::AccountId;
use crate::payment::{Decline, IdempotencyKey, Nonce, Outbox};
use crate::time::Timestamp;

use super::calendar::{self, Date};
use super::ids::{ItemNumber, RunId, ScheduleId};
pub use super::retry::Retry;
use super::retry::{Category, Decision};

/// Items that are kept with their schedule after they ended; older ones are only counted. For a day all are kept: by
/// then the run that tried them has counted them.
pub const KEPT: usize = 24;

/// How long a lane has to look at what it began, before the schedule is looked at by itself: as long as a reminder of what
/// is begun now can be held back.
pub const LANES_FIRST: Duration = Duration::from_secs(12 * 60);

/// How long the run that tries again has to come, before the schedule is looked at by itself.
const RETRIES_FIRST: Duration = Duration::from_secs(30 * 60);

/// Most items that may wait in one schedule.
pub const MAX_WAITING: usize = 100;

/// Most items in one schedule, so that it stays well within what an item of a store may hold. What more there is to
/// charge waits until those that ended are a day old.
pub const MAX_ITEMS: usize = 300;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub merchant: MerchantId,
    pub id: ScheduleId,
    /// Counts the writes: every write is conditional on the version it read.
    pub version: u64,
    pub key: IdempotencyKey,
    /// Hash of what was asked under that key: another request may not use it.
    pub asked: [u8; 16],
    pub created_at: Timestamp,
    pub status: Status,
    /// Who pays, where and in what.
    pub account: Option<AccountId>,
    pub gateway: GatewayId,
    /// What items are paid with that name no method of their own.
    pub method: MethodId,
    pub currency: Currency,
    /// What the items of a schedule that does not recur may come to, in minor units; none where it recurs.
    pub total_requested: Option<i64>,
    pub reference: Option<String>,
    pub comments: Option<String>,
    pub recurrence: Option<Recurrence>,
    /// In the order of their numbers: what waits, and the last [`KEPT`] that ended.
    pub items: Vec<Item>,
    /// The number of the last item that was made.
    pub last_number: u16,
    /// Sums of the items that are no longer kept.
    pub past: Past,
    pub outbox: Outbox,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// May be changed; payment runs pass it over.
    Draft,
    Open,
    /// Not for now: payment runs pass it over. Occurrences from that day on are left out, until it goes on.
    OnHold {
        since: Date,
    },
    /// Everything has ended.
    Completed,
    Canceled,
}

/// What recurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    /// The days of its charges, by the number of the occurrence, from 0. The first is the first charge: where there is a
    /// trial, that after it.
    pub dates: calendar::Recurrence,
    /// Of each charge from now on, in minor units.
    pub amount: i64,
    pub matching_value: Option<String>,
    /// The next occurrence for which there is no item yet; none where there are no more.
    pub next: Option<u32>,
    /// Occurrences to come that are left out, in order.
    pub skipped: Vec<u32>,
}

/// One charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub number: ItemNumber,
    /// In minor units.
    pub amount: i64,
    /// It is charged by the first run of that day or of a later one.
    pub target: Date,
    /// In place of the schedule's.
    pub method: Option<MethodId>,
    /// What runs choose by.
    pub matching_value: Option<String>,
    pub comments: Option<String>,
    /// Of what it is an occurrence.
    pub occurrence: Option<u32>,
    /// Under which key it was added, and out of what; none of what came with the schedule.
    pub made: Option<Made>,
    pub state: State,
    /// How often it was tried: the number of the last attempt.
    pub attempts: u16,
    /// The last run that tried it, and in which of its pages.
    pub tried_by: Option<Tried>,
    /// What the last attempt was made with. With another method it is another attempt.
    pub tried_with: Option<MethodId>,
    /// When it failed first, and why it failed last.
    pub failures: Option<Failures>,
    /// The payment of the last attempt that a gateway heard of.
    pub payment: Option<Id>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not to be charged yet.
    Draft,
    Ready,
    /// It is being charged, or nobody knows yet what came of it.
    Processing(Processing),
    Processed {
        at: Timestamp,
    },
    /// It failed, and is tried again where a retry is due.
    Failed {
        at: Timestamp,
        retry: Option<Retry>,
    },
    Canceled {
        at: Timestamp,
    },
}

/// An attempt that is under way. What it is made with rests in its item, so that whoever goes on asks for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processing {
    /// When the attempt began.
    pub since: Timestamp,
    /// Of whoever is charging it, and until when; after that somebody else may ask what became of it.
    pub nonce: Nonce,
    pub deadline: Timestamp,
    /// When to look at it next.
    pub due: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    pub run: RunId,
    /// Which of the lane's pages: a run counts what ended in the page that it is working on, and nothing twice.
    pub page: u32,
}

/// How it failed so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    /// How many attempts failed.
    pub count: u16,
    pub first_at: Timestamp,
    /// Those of the last 30 days: card networks limit how often one may try.
    pub recent: Vec<FailedTry>,
    pub last: Failure,
}

/// When an attempt failed, and who had made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedTry {
    pub at: Timestamp,
    pub by: Tried,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub category: Category,
    pub decision: Decision,
    /// What the gateway said; none where it was never asked.
    pub decline: Option<Decline>,
    /// The gateway's code (≤ 40) and what it means (≤ 255).
    pub code: Option<String>,
    pub message: Option<String>,
}

/// Sums of items that are no longer kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    pub items: u32,
    /// What they asked for, what was taken, what was canceled; in minor units.
    pub requested: i64,
    pub processed: i64,
    pub canceled: i64,
}

impl Schedule {
    pub fn item(&self, number: ItemNumber) -> Option<&Item> {
        self.items.iter().find(|item| item.number == number)
    }

    /// When somebody must look at it by itself: some time after the lane should have that began to charge, because that
    /// one may be done, or miss it on its list; and some time after a run should have tried again, because somebody may
    /// have stopped that.
    pub fn due(&self) -> Option<Timestamp> {
        let charged = self.processing().map(|(_, processing)| processing.due.plus(LANES_FIRST));
        charged.or_else(|| self.earliest_retry().map(|at| at.plus(RETRIES_FIRST)))
    }

    /// The item that is being charged: at most one is.
    pub fn processing(&self) -> Option<(&Item, Processing)> {
        self.items.iter().find_map(|item| match item.state {
            State::Processing(processing) => Some((item, processing)),
            State::Draft | State::Ready | State::Processed { .. } | State::Failed { .. } | State::Canceled { .. } => {
                None
            }
        })
    }

    /// The item that was added under this key, be it out of the same or of something else, as long as it is kept.
    pub fn made_under(&self, key: Made) -> Option<&Item> {
        self.items.iter().find(|item| item.made.is_some_and(|made| made.under == key.under))
    }

    /// The key of the sale that charges an item for the `attempt`th time. No caller can use it: none of theirs holds a
    /// control character.
    pub fn sale_key(&self, number: ItemNumber, attempt: u16) -> IdempotencyKey {
        IdempotencyKey::of_ours(&format!("{}.{attempt}", self.id.item_id(number).as_str()))
    }
}

impl Status {
    /// The wire's literal.
    pub fn literal(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Open => "Open",
            Self::OnHold { .. } => "On Hold",
            Self::Completed => "Completed",
            Self::Canceled => "Canceled",
        }
    }
}

impl State {
    /// The wire's literal. Whether what failed is tried again is said by the time of its retry.
    pub fn literal(&self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Ready => "Ready for Processing",
            Self::Processing(_) => "Processing",
            Self::Processed { .. } => "Processed",
            Self::Failed { .. } => "Failed",
            Self::Canceled { .. } => "Canceled",
        }
    }

    /// When it ended; none while anything may come of it by itself. What failed and is not tried again has ended: it is
    /// past due.
    pub fn ended_at(&self) -> Option<Timestamp> {
        match self {
            Self::Processed { at } | Self::Canceled { at } | Self::Failed { at, retry: None } => Some(*at),
            Self::Draft | Self::Ready | Self::Processing(_) | Self::Failed { retry: Some(_), .. } => None,
        }
    }
}

impl Item {
    /// What is to be charged and was never tried: it may still be changed.
    pub fn is_untried(&self) -> bool {
        self.attempts == 0 && matches!(self.state, State::Draft | State::Ready)
    }

    /// How often it was tried again (`PaymentRetryCount`).
    pub fn retries(&self) -> u16 {
        let failed = self.failures.as_ref().map_or(0, |failures| failures.count);
        match self.state {
            State::Failed { .. } | State::Canceled { .. } | State::Ready | State::Draft => failed.saturating_sub(1),
            State::Processing(_) | State::Processed { .. } => failed,
        }
    }

    fn retry(&self) -> Option<Retry> {
        if let State::Failed { retry, .. } = self.state { retry } else { None }
    }
}
