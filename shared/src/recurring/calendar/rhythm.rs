//! How dates follow one another: every so many days, weeks, months or years.

use std::fmt;

use super::Unfit;
use super::date::{Date, Weekday, weekday_name};
use super::month_day::{Month, MonthDay};

/// Furthest apart that two dates may be, in units: three digits. What is rarer than every 999 days is
/// said in weeks, months or years.
pub const MAX_EVERY: u16 = 999;

/// What is counted from one date to the next, and the day that is meant in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Days,
    Weeks(Weekday),
    Months(MonthDay),
    /// Twelve months: the month is the one of the first date.
    Years(MonthDay),
}

/// How dates follow one another. It begins at the first day from a given one on that fits, and counts
/// from there: every 2 months on day 28 from 31 January are 28 February, 28 April, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// 1 to [`MAX_EVERY`].
    every: u16,
    unit: Unit,
}

impl Rhythm {
    /// `every`: 1 to [`MAX_EVERY`] units from one date to the next.
    pub fn new(every: u16, unit: Unit) -> Result<Self, Unfit> {
        (1..=MAX_EVERY).contains(&every).then_some(Self { every, unit }).ok_or(Unfit::Every)
    }

    /// Each day, week, month or year.
    pub const fn each(unit: Unit) -> Self {
        Self { every: 1, unit }
    }

    pub fn every(&self) -> u16 {
        self.every
    }

    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The date with number `n` from 0. `None` past the end of all dates.
    pub fn occurrence(&self, first: Date, n: u32) -> Option<Date> {
        let start = self.start(first)?;
        let forth = self.step().saturating_mul(i64::from(n));
        match self.unit {
            Unit::Days | Unit::Weeks(_) => start.plus_days(forth),
            Unit::Months(day) | Unit::Years(day) => day.in_month(Month::of(start).plus(forth)),
        }
    }

    /// The first date that is not before `from`, and its number. `None` past the end of all dates.
    pub fn first_on_or_after(&self, first: Date, from: Date) -> Option<(u32, Date)> {
        let start = self.start(first)?;
        let ahead = match self.unit {
            Unit::Days | Unit::Weeks(_) => start.days_until(from),
            Unit::Months(_) | Unit::Years(_) => Month::of(start).until(Month::of(from)),
        };
        let step = self.step();
        // Rounded up. A date in the month of `from` can still be before it; then the next one is not.
        let n = ahead.max(0).saturating_add(step.saturating_sub(1)).checked_div(step)?;
        let n = u32::try_from(n).ok()?;
        let date = self.occurrence(first, n)?;
        if date >= from {
            return Some((n, date));
        }
        let n = n.checked_add(1)?;
        Some((n, self.occurrence(first, n)?))
    }

    /// The first day that fits.
    fn start(&self, first: Date) -> Option<Date> {
        match self.unit {
            Unit::Days => Some(first),
            Unit::Weeks(day) => first.plus_days(i64::from(first.weekday().until(day))),
            Unit::Months(day) | Unit::Years(day) => {
                let month = Month::of(first);
                day.in_month(month).filter(|date| *date >= first).or_else(|| day.in_month(month.plus(1)))
            }
        }
    }

    /// From one date to the next, in days for days and weeks, in months for months and years.
    fn step(&self) -> i64 {
        let every = i64::from(self.every);
        match self.unit {
            Unit::Days | Unit::Months(_) => every,
            Unit::Weeks(_) => every.saturating_mul(7),
            Unit::Years(_) => every.saturating_mul(12),
        }
    }
}

/// In plain words: `daily`, `every 2 weeks on Sunday`, `monthly on day 28`, `yearly on the last day`.
impl fmt::Display for Rhythm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (each, many) = match self.unit {
            Unit::Days => ("daily", "days"),
            Unit::Weeks(_) => ("weekly", "weeks"),
            Unit::Months(_) => ("monthly", "months"),
            Unit::Years(_) => ("yearly", "years"),
        };
        match self.every {
            1 => out.write_str(each)?,
            every => write!(out, "every {every} {many}")?,
        }
        match self.unit {
            Unit::Days => Ok(()),
            Unit::Weeks(day) => write!(out, " on {}", weekday_name(day)),
            Unit::Months(day) | Unit::Years(day) => write!(out, " on {}", day.words()),
        }
    }
}
