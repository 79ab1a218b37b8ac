//! Making a schedule, its items, and the item of what recurs next.

use super::refused::Refused;
use super::{Item, MAX_WAITING, Past, Recurrence, Schedule, State, Status};
use crate::ids::{GatewayId, MerchantId, MethodId};
use crate::merchant::set_up::Made;
use crate::money::{Currency, Money};
use crate::payment::asked::AccountId;
use crate::payment::{IdempotencyKey, Outbox};
use crate::recurring::calendar::{self, Date, Rhythm, Unfit, Unit};
use crate::recurring::ids::{ItemNumber, ScheduleId};
use crate::time::Timestamp;

/// What a schedule is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub merchant: MerchantId,
    pub key: IdempotencyKey,
    /// Hash of all of it.
    pub hash: [u8; 16],
    /// Not to be charged yet.
    pub is_draft: bool,
    pub account: Option<AccountId>,
    pub gateway: GatewayId,
    pub method: MethodId,
    pub currency: Currency,
    /// What the given items may come to, in minor units; of what recurs there is no such limit.
    pub total_requested: Option<i64>,
    pub reference: Option<String>,
    pub comments: Option<String>,
    pub charges: Charges,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Charges {
    /// At most [`MAX_WAITING`]; a draft may have none yet.
    Items(Vec<AskedItem>),
    Recurrence(AskedRecurrence),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedItem {
    /// In minor units.
    pub amount: i64,
    pub target: Date,
    pub method: Option<MethodId>,
    pub matching_value: Option<String>,
    pub comments: Option<String>,
    pub is_draft: bool,
    /// The same under the same key is added once.
    pub made: Option<Made>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedRecurrence {
    pub rhythm: Rhythm,
    pub start: Date,
    /// Days from the start to the first charge ([`first_charge`]), at most [`calendar::MAX_EVERY`].
    pub trial_days: Option<u16>,
    /// The last day on which anything is charged.
    pub until: Option<Date>,
    /// How many occurrences there are at most, those that are left out among them.
    pub count: Option<u32>,
    /// Of each charge, in minor units.
    pub amount: i64,
    pub matching_value: Option<String>,
}

/// The day from which on charges fall: the start, or where there is a trial, so many days after it. A rhythm whose day is
/// this one's begins on it; any other on the first day after it that fits.
pub fn first_charge(start: Date, trial_days: Option<u16>) -> Result<Date, Refused> {
    let misfit = |unfit| Refused::Unfit { member: "recurrence.trialDays", unfit };
    match trial_days {
        None | Some(0) => Ok(start),
        Some(days) => {
            let trial = Rhythm::new(days, Unit::Days).map_err(misfit)?;
            trial.occurrence(start, 1).ok_or(misfit(Unfit::Date))
        }
    }
}

impl AskedRecurrence {
    fn made(self) -> Result<Recurrence, Refused> {
        let Self { rhythm, start, trial_days, until, count, amount, matching_value } = self;
        if amount <= 0 {
            return Err(Refused::NotPositive { member: "recurrence.amount" });
        }
        let first = first_charge(start, trial_days)?;
        let dates = calendar::Recurrence::new(rhythm, first, until, count).map_err(|unfit| {
            let member = if unfit == Unfit::Count { "recurrence.occurrences" } else { "recurrence.endDate" };
            Refused::Unfit { member, unfit }
        })?;
        dates.date(0).ok_or(Refused::Never)?;
        Ok(Recurrence { dates, amount, matching_value, next: Some(0), skipped: Vec::new() })
    }
}

impl Schedule {
    /// A new one, with its items; of what recurs, that of the first occurrence.
    pub fn make(asked: Asked, now: Timestamp) -> Result<Self, Refused> {
        let (items, recurrence) = match asked.charges {
            Charges::Items(items) if items.is_empty() && !asked.is_draft => return Err(Refused::NoItems),
            Charges::Items(items) => (items, None),
            Charges::Recurrence(recurrence) => (Vec::new(), Some(recurrence.made()?)),
        };
        if asked.total_requested.is_some_and(|total| total <= 0) {
            return Err(Refused::NotPositive { member: "totalRequestedAmount" });
        }
        let mut made = Self {
            merchant: asked.merchant,
            id: ScheduleId::made_under(&asked.merchant, &asked.key),
            version: 1,
            key: asked.key,
            asked: asked.hash,
            created_at: now,
            status: if asked.is_draft { Status::Draft } else { Status::Open },
            account: asked.account,
            gateway: asked.gateway,
            method: asked.method,
            currency: asked.currency,
            total_requested: asked.total_requested.filter(|_| recurrence.is_none()),
            reference: asked.reference,
            comments: asked.comments,
            recurrence,
            items: Vec::new(),
            last_number: 0,
            past: Past::default(),
            outbox: Outbox::default(),
        };
        for item in items {
            made.add(item)?;
        }
        made.make_next();
        Ok(made)
    }

    /// One more item.
    pub(super) fn add(&mut self, item: AskedItem) -> Result<(), Refused> {
        if item.amount <= 0 {
            return Err(Refused::NotPositive { member: "requestedAmount" });
        }
        if let Some(left) = self.left().filter(|left| item.amount > *left) {
            return Err(Refused::OverTotal { available: Money::new(left, self.currency) });
        }
        let waiting = self.items.iter().filter(|item| item.state.ended_at().is_none()).count();
        if waiting >= MAX_WAITING {
            return Err(Refused::Full);
        }
        self.push(item, None).ok_or(Refused::Full)
    }

    /// Makes the item of the next occurrence, where no other waits that was never tried: so there is always exactly one,
    /// until there are no more.
    pub(super) fn make_next(&mut self) {
        let is_over = matches!(self.status, Status::Completed | Status::Canceled);
        if is_over || self.items.iter().any(|item| item.occurrence.is_some() && item.is_untried()) {
            return;
        }
        let Some(recurrence) = &mut self.recurrence else { return };
        let Some((number, target)) = recurrence.take_next() else { return };
        let item = AskedItem {
            amount: recurrence.amount,
            target,
            method: None,
            matching_value: recurrence.matching_value.clone(),
            comments: None,
            is_draft: false,
            made: None,
        };
        if self.push(item, Some(number)).is_none()
            && let Some(recurrence) = &mut self.recurrence
        {
            recurrence.next = None;
        }
    }

    /// None where no number is left for it.
    fn push(&mut self, item: AskedItem, occurrence: Option<u32>) -> Option<()> {
        let AskedItem { amount, target, method, matching_value, comments, is_draft, made } = item;
        let number = self.last_number.checked_add(1).and_then(ItemNumber::new)?;
        self.last_number = number.get();
        self.items.push(Item {
            number,
            amount,
            target,
            method,
            matching_value,
            comments,
            occurrence,
            made,
            state: if is_draft { State::Draft } else { State::Ready },
            attempts: 0,
            tried_by: None,
            tried_with: None,
            failures: None,
            payment: None,
        });
        Some(())
    }
}

impl Recurrence {
    /// The next occurrence that is not left out. From then on the one after it is the next.
    fn take_next(&mut self) -> Option<(u32, Date)> {
        let mut number = self.next.take()?;
        while self.skipped.contains(&number) {
            number = number.checked_add(1)?;
        }
        let date = self.dates.date(number)?;
        self.skipped.retain(|skipped| *skipped > number);
        self.next = number.checked_add(1).filter(|next| self.dates.date(*next).is_some());
        Some((number, date))
    }
}
