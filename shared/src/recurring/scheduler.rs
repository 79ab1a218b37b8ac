//! A payment scheduler: what starts payment runs, and when (the wire calls it a billing batch scheduler).

use crate::ids::MerchantId;
use crate::payment::IdempotencyKey;
use crate::time::Timestamp;

use super::calendar::{Date, Occasion, Timetable};
use super::ids::{Cause, SchedulerId};
use super::run::{Run, Takes};

#[cfg(test)]
mod tests;

/// Most schedulers of a merchant that are active: who asks for a schedule is told when the next run comes, and so all of
/// them are read each time.
pub const MOST_ACTIVE: u16 = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduler {
    pub merchant: MerchantId,
    pub id: SchedulerId,
    pub version: u64,
    pub key: IdempotencyKey,
    /// Hash of what was asked under that key.
    pub asked: [u8; 16],
    pub name: String,
    pub comments: Option<String>,
    pub timetable: Timetable,
    pub criteria: Criteria,
    pub status: Status,
    pub created_at: Timestamp,
    /// Its last run was that of this day.
    pub last_run: Option<Date>,
    /// Its next run; none where it is not active, or has none left.
    pub next_run: Option<Occasion>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Draft,
    Active,
    Inactive,
    Canceled,
    /// There are no more runs.
    Completed,
}

/// Which items a run charges, by their `PaymentRunMatchingValue`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Criteria {
    pub matches: Matches,
    /// In their sequence; none: every item.
    pub filters: Vec<Filter>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matches {
    /// At least one filter holds.
    #[default]
    Any,
    /// No filter holds.
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub operation: FilterOperation,
    pub value: String,
    pub sequence: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterOperation {
    Equals,
    NotEquals,
    /// One of those between the commas.
    InList,
}

/// What a scheduler is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub key: IdempotencyKey,
    /// Hash of all of it.
    pub hash: [u8; 16],
    pub name: String,
    pub comments: Option<String>,
    pub timetable: Timetable,
    pub criteria: Criteria,
    pub status: Status,
}

impl Status {
    pub const ALL: [Self; 5] = [Self::Draft, Self::Active, Self::Inactive, Self::Canceled, Self::Completed];

    /// The wire's literal.
    pub fn literal(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Active => "Active",
            Self::Inactive => "Inactive",
            Self::Canceled => "Canceled",
            Self::Completed => "Completed",
        }
    }

    /// Whether its owner may make it that. A draft is begun or given up, what is active is paused and taken up again, and
    /// what is canceled or completed stays so.
    pub fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Draft | Self::Inactive, Self::Active | Self::Inactive | Self::Canceled)
            | (Self::Active, Self::Active | Self::Inactive | Self::Canceled)
            | (Self::Draft, Self::Draft)
            | (Self::Canceled, Self::Canceled) => true,
            (_, _) => false,
        }
    }
}

impl Scheduler {
    /// A new one. What lies before `now` is not made up for: one that has no time to come is completed.
    pub fn new(merchant: MerchantId, asked: Asked, now: Timestamp) -> Self {
        let Asked { key, hash, name, comments, timetable, criteria, status } = asked;
        let id = SchedulerId::made_under(&merchant, &key);
        let new = Self {
            merchant,
            id,
            version: 1,
            key,
            asked: hash,
            name,
            comments,
            timetable,
            criteria,
            status: Status::Draft,
            created_at: now,
            last_run: None,
            next_run: None,
        };
        new.turned(status, now)
    }

    /// The same with another status; none where it may not have that. Times at which it was not active are not made up
    /// for.
    pub fn with_status(&self, status: Status, now: Timestamp) -> Option<Self> {
        let next = || Self { version: self.version.saturating_add(1), ..self.clone() }.turned(status, now);
        self.status.may_become(status).then(next)
    }

    fn turned(self, status: Status, now: Timestamp) -> Self {
        if status == Status::Active {
            let to_come = self.timetable.next_after(now);
            // A day has one run, whatever its zone has done to its clocks since.
            let next = to_come.and_then(|next| match self.last_run {
                Some(last) if next.date <= last => self.timetable.next_after_date(last),
                Some(_) | None => Some(next),
            });
            return self.waiting_for(next);
        }
        Self { status, next_run: None, ..self }
    }

    fn waiting_for(self, next_run: Option<Occasion>) -> Self {
        Self { status: if next_run.is_some() { Status::Active } else { Status::Completed }, next_run, ..self }
    }

    /// Its first run to come that charges what is ready for that day: one of the day, or of a later one.
    pub fn run_for(&self, target: Date) -> Option<Occasion> {
        let next = self.next_run.filter(|_| self.status == Status::Active)?;
        if next.date >= target {
            return Some(next);
        }
        let (_, date) = self.timetable.dates.on_or_after(target)?;
        Some(Occasion { date, at: self.timetable.run_on(date)? })
    }

    /// The run whose time has come, and the scheduler as it is once that is there: every one of its times has a run of
    /// its own, also those that nobody saw come.
    pub fn started(&self, now: Timestamp) -> Option<(Run, Self)> {
        let Occasion { date, .. } = self.next_run.filter(|next| self.status == Status::Active && next.at <= now)?;
        let (cause, takes) = (Cause::Scheduled(self.id, date), Takes::ReadyOn(date));
        let run = Run::new(self.merchant, cause, takes, self.criteria.clone(), now);
        let moved = Self { version: self.version.saturating_add(1), last_run: Some(date), ..self.clone() };
        Some((run, moved.waiting_for(self.timetable.next_after_date(date))))
    }
}

impl Criteria {
    /// Whether a run charges an item with this value.
    pub fn take(&self, value: Option<&str>) -> bool {
        let holds = |filter: &Filter| filter.holds(value.unwrap_or_default());
        match self.matches {
            _ if self.filters.is_empty() => true,
            Matches::Any => self.filters.iter().any(holds),
            Matches::None => !self.filters.iter().any(holds),
        }
    }
}

impl Filter {
    fn holds(&self, value: &str) -> bool {
        match self.operation {
            FilterOperation::Equals => self.value == value,
            FilterOperation::NotEquals => self.value != value,
            FilterOperation::InList => self.value.split(',').any(|listed| listed.trim() == value),
        }
    }
}
