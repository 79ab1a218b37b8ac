//! What follows for a schedule when a run comes to charge, when something came of a charge, and when its owner changes it.
//!
//! | event | item before | item after |
//! |---|---|---|
//! | charge | ready and its day has come; failed and its retry is due | processing, and the sale is to be made |
//! | charge | the same, and what it would be made with is gone for good | failed: nothing is sent |
//! | charge | processing by the same run, and it is time to look | processing: the same sale, asked for again |
//! | charged: processed | processing, ready | processed |
//! | charged: failed | processing, ready | failed, with a retry or past due |
//! | charged: pending | processing | processing, to be looked at later |
//! | charged: not sent | processing | ready; canceled where its schedule is |
//! | charged: contradicted | processing, ready, failed | failed, and past due |
//!
//! Whatever else is told changes nothing: what ended stays as it ended, however often and in whatever order it is told.

use super::change::Change;
use super::charge::Begun;
pub use super::charge::{Charge, Choice};
use super::refused::Refused;
use super::{FailedTry, Failure, Failures, Item, Processing, Retry, Schedule, State, Status, Tried};
use crate::ids::{GatewayId, Id, MethodId};
use crate::money::Money;
use crate::payment::{IdempotencyKey, Nonce};
use crate::recurring::ids::ItemNumber;
use crate::recurring::retry::{self, History, RetryRuleSet};
use crate::recurring::run::Counts;
use crate::time::Timestamp;

use std::time::Duration;

/// How long failures are remembered: as long as card networks count them.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[derive(Clone, Debug)]
pub enum Event<'a> {
    Charge(Charge<'a>),
    Charged(Charged<'a>),
    Change(Change),
}

/// What came of an attempt.
#[derive(Clone, Debug)]
pub struct Charged<'a> {
    pub item: ItemNumber,
    pub attempt: u16,
    /// Whose claim it was made under. Only that one can say that it is pending, or was not sent.
    pub nonce: Nonce,
    pub came: Came,
    /// By which a failure is tried again.
    pub rules: Option<&'a RetryRuleSet>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    Processed {
        payment: Id,
    },
    Failed {
        /// None where no gateway heard of it.
        payment: Option<Id>,
        failure: Failure,
    },
    /// Nobody knows yet; when to look next. None where no gateway has heard of it, as far as is known.
    Pending {
        payment: Option<Id>,
        due: Timestamp,
    },
    /// Its gateway has told both that it failed and that it was charged: to try again may be to charge it twice.
    Contradicted {
        payment: Id,
    },
    /// Nothing was done, and it may be asked for again under the same key.
    NotSent,
}

/// A sale to be made, or to be asked for again: the same for each attempt, whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    pub item: ItemNumber,
    pub attempt: u16,
    pub amount: Money,
    pub gateway: GatewayId,
    pub method: MethodId,
    pub key: IdempotencyKey,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Of the same version where nothing is to be written.
    pub schedule: Schedule,
    /// To be made once the schedule is written.
    pub effect: Option<Sale>,
    /// A run must be there that tries again then, before the schedule is written.
    pub retry_at: Option<Timestamp>,
    /// What was told disagrees with what is known: a person should hear of it, and nothing changes.
    pub contradiction: bool,
}

/// Decides what an event leads to.
pub fn step(before: &Schedule, event: Event<'_>, now: Timestamp) -> Result<Step, Refused> {
    let mut schedule = before.clone();
    let (mut effect, mut contradiction) = (None, false);
    match event {
        Event::Charge(charge) => match schedule.charge(&charge, now) {
            Begun::Sale(sale) => effect = Some(sale),
            Begun::Failed => {}
            // What could not begin leaves no trace.
            Begun::Nothing => schedule = before.clone(),
        },
        Event::Charged(charged) => contradiction = schedule.charged(&charged, now),
        Event::Change(change) => schedule.change(change, now)?,
    }
    if schedule != *before {
        schedule.settle();
        schedule.version = before.version.saturating_add(1);
    }
    let retry_at = schedule.earliest_retry().filter(|at| before.earliest_retry() != Some(*at)).map(|at| at.max(now));
    Ok(Step { schedule, effect, retry_at, contradiction })
}

impl Schedule {
    /// The item of what recurs next is there, and who has nothing left to do is completed.
    fn settle(&mut self) {
        self.make_next();
        if self.is_open() && self.has_ended() {
            self.status = Status::Completed;
        }
    }

    /// Takes in what came of an attempt; whether that contradicts what is known.
    fn charged(&mut self, charged: &Charged<'_>, now: Timestamp) -> bool {
        let Charged { item: number, attempt, nonce, ref came, rules } = *charged;
        let Some(item) = self.item(number) else { return false };
        let is_last = item.attempts == attempt && attempt > 0;
        let state = match (&item.state, came) {
            (State::Processing(_) | State::Ready, Came::Processed { .. }) if is_last => State::Processed { at: now },
            (State::Processing(_) | State::Ready, Came::Failed { failure, .. }) if is_last => {
                State::Failed { at: now, retry: self.plan(item, failure, rules, now) }
            }
            (State::Processing(_) | State::Ready | State::Failed { retry: Some(_), .. }, Came::Contradicted { .. })
                if is_last =>
            {
                State::Failed { at: now, retry: None }
            }
            (State::Processing(known), Came::Pending { due, .. }) if is_last && known.nonce == nonce => {
                State::Processing(Processing { due: *due, ..*known })
            }
            (State::Processing(known), Came::NotSent) if is_last && known.nonce == nonce => {
                if self.status == Status::Canceled { State::Canceled { at: now } } else { State::Ready }
            }
            (state, came) => return contradicts(item, state, attempt, came),
        };
        if let Some(item) = self.items.iter_mut().find(|item| item.number == number) {
            match came {
                Came::Failed { failure, .. } => item.remember(failure, now),
                Came::Contradicted { .. } => match (&item.state, &mut item.failures) {
                    // It was counted when it failed.
                    (State::Failed { .. }, Some(failures)) => failures.last = Failure::contradicted(),
                    (_, _) => item.remember(&Failure::contradicted(), now),
                },
                Came::Processed { .. } | Came::Pending { .. } | Came::NotSent => {}
            }
            item.payment = came.payment().or(item.payment);
            item.state = state;
        }
        false
    }

    /// When an item is tried again that fails now, and so when a run must be there for it; none where it is not.
    pub fn plan(&self, item: &Item, failure: &Failure, rules: Option<&RetryRuleSet>, now: Timestamp) -> Option<Retry> {
        let rules = rules.filter(|_| self.status != Status::Canceled)?;
        let known = item.failures.as_ref();
        let failure = failure.through(self.gateway);
        let earlier = known.map(|known| known.recent.iter().map(|failed| failed.at));
        let attempts: Vec<Timestamp> = earlier.into_iter().flatten().chain([now]).collect();
        let history = History {
            failure,
            retries_made: known.map_or(0, |known| u8::try_from(known.count).unwrap_or(u8::MAX)),
            first_failed_at: known.map_or(now, |known| known.first_at),
            failed_at: now,
            attempts: &attempts,
        };
        rules.plan_for(&failure).next(&history)
    }

    /// What of a run's page ended here. It follows from what is stored, and an attempt is counted in one page, whatever
    /// became of its item since. What was not sent after all does not count.
    pub fn counted(&self, tried: Tried) -> Counts {
        self.items.iter().map(|item| item.counted(tried)).fold(Counts::default(), Counts::plus)
    }
}

impl Item {
    fn counted(&self, tried: Tried) -> Counts {
        let recent = self.failures.iter().flat_map(|failures| &failures.recent);
        let failed = recent.filter(|failed| failed.by == tried).count() as u64;
        let is_last = self.tried_by == Some(tried);
        let processed = u64::from(is_last && matches!(self.state, State::Processed { .. }));
        let pending = u64::from(is_last && matches!(self.state, State::Processing(_)));
        Counts { processed, failed, pending, ..Counts::default() }
    }

    pub(super) fn remember(&mut self, failure: &Failure, now: Timestamp) {
        let known = self.failures.take();
        let (count, first_at) = known.as_ref().map_or((0, now), |known| (known.count, known.first_at));
        let mut recent = known.map(|known| known.recent).unwrap_or_default();
        recent.retain(|failed| now.since(failed.at) < REMEMBERED);
        recent.extend(self.tried_by.map(|by| FailedTry { at: now, by }));
        self.failures = Some(Failures { count: count.saturating_add(1), first_at, recent, last: failure.clone() });
    }
}

impl Failure {
    fn contradicted() -> Self {
        let message = "the gateway has told both that this was charged and that it was not";
        Self {
            category: retry::Category::Unknown,
            decision: retry::Decision::NonRetriable,
            decline: None,
            code: None,
            message: Some(message.to_owned()),
        }
    }

    fn through(&self, gateway: GatewayId) -> retry::Failure<'_> {
        let Self { category, decision, decline, .. } = *self;
        retry::Failure { category, decision, decline, gateway: Some(gateway), code: self.code.as_deref() }
    }
}

impl Came {
    fn payment(&self) -> Option<Id> {
        match self {
            Self::Processed { payment } | Self::Contradicted { payment } => Some(*payment),
            Self::Failed { payment, .. } | Self::Pending { payment, .. } => *payment,
            Self::NotSent => None,
        }
    }
}

/// Whether what is told of an attempt cannot be, as things stand.
fn contradicts(item: &Item, state: &State, attempt: u16, came: &Came) -> bool {
    let is_last = item.attempts == attempt;
    match (state, came) {
        // Nobody goes on to another attempt before the one before it has failed.
        (_, _) if attempt > item.attempts => true,
        (State::Processed { .. }, Came::Processed { payment }) => !is_last || item.payment != Some(*payment),
        (_, Came::Processed { .. }) => true,
        (State::Processed { .. }, Came::Failed { .. }) => is_last,
        // The same again, news of an attempt that is over, or what was overtaken.
        (_, Came::Failed { .. } | Came::Pending { .. } | Came::Contradicted { .. } | Came::NotSent) => false,
    }
}
