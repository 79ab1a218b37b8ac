//! Days that every month has.

use std::fmt;

use super::Unfit;
use super::date::Date;

/// Furthest before the last day of a month that a day may be anchored: the wire's member holds three
/// characters (`RecursOnDate`), `L-9`. The shortest month has that day too.
pub const MAX_FROM_LAST: u8 = 9;

/// A day that every month has: counted from its beginning, and then its last day where it is shorter,
/// or from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthDay(Anchor);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    /// 1 to 31.
    Day(u8),
    /// How many days before the last: 0 is the last day.
    FromLast(u8),
}

impl MonthDay {
    pub const LAST: Self = Self(Anchor::FromLast(0));

    /// `day`: 1 to 31.
    pub fn day(day: u8) -> Result<Self, Unfit> {
        (1..=31).contains(&day).then_some(Self(Anchor::Day(day))).ok_or(Unfit::MonthDay)
    }

    /// So many days before the last, at most [`MAX_FROM_LAST`].
    pub fn from_last(days: u8) -> Result<Self, Unfit> {
        (days <= MAX_FROM_LAST).then_some(Self(Anchor::FromLast(days))).ok_or(Unfit::MonthDay)
    }

    /// The day of the month that this date is: of a 31st, the 31st also after a shorter month.
    pub fn of(date: Date) -> Self {
        Self(Anchor::Day(date.civil().day().unsigned_abs()))
    }

    /// Reads what the wire has in `recursEveryMonthOnDay` and `recursOnDate`: `1` to `31`, `L` for the
    /// last day, `L-1` for the day before it, to `L-9`.
    pub fn parse(text: &str) -> Result<Self, Unfit> {
        let (from_last, digits) = match text.strip_prefix("L-") {
            Some(digits) => (true, digits),
            None if text == "L" => return Ok(Self::LAST),
            None => (false, text),
        };
        if digits.starts_with(['0', '+']) {
            return Err(Unfit::MonthDay);
        }
        let number = digits.parse().map_err(|_| Unfit::MonthDay)?;
        if from_last { Self::from_last(number) } else { Self::day(number) }
    }

    /// In plain words: `day 28`, `the last day`.
    pub(super) fn words(self) -> String {
        match self.0 {
            Anchor::Day(day) => format!("day {day}"),
            Anchor::FromLast(0) => "the last day".to_owned(),
            Anchor::FromLast(1) => "the day before the last".to_owned(),
            Anchor::FromLast(days) => format!("the day {days} days before the last"),
        }
    }

    /// The date of it in a month.
    pub(super) fn in_month(self, month: Month) -> Option<Date> {
        let (year, month, length) = month.parts()?;
        let day = match self.0 {
            Anchor::Day(day) => i16::from(day).min(length),
            Anchor::FromLast(days) => length.checked_sub(i16::from(days))?,
        };
        Date::new(year, month, day)
    }
}

/// As the wire has it, which reads back.
impl fmt::Display for MonthDay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Anchor::Day(day) => write!(out, "{day}"),
            Anchor::FromLast(0) => out.write_str("L"),
            Anchor::FromLast(days) => write!(out, "L-{days}"),
        }
    }
}

/// A month of some year, as the number of months since the year 0.
#[derive(Clone, Copy)]
pub(super) struct Month(i64);

impl Month {
    pub fn of(date: Date) -> Self {
        let date = date.civil();
        Self(i64::from(date.year()).saturating_mul(12).saturating_add(i64::from(date.month()) - 1))
    }

    pub fn plus(self, months: i64) -> Self {
        Self(self.0.saturating_add(months))
    }

    /// Negative where `other` is earlier.
    pub fn until(self, other: Self) -> i64 {
        other.0.saturating_sub(self.0)
    }

    /// The year, the month from 1, and how many days it has. `None` outside of what dates there are.
    fn parts(self) -> Option<(i16, i16, i16)> {
        let (year, month) = (i16::try_from(self.0.div_euclid(12)).ok()?, i16::try_from(self.0.rem_euclid(12)).ok()?);
        let month = month.saturating_add(1);
        let first = Date::new(year, month, 1)?;
        Some((year, month, i16::from(first.civil().days_in_month())))
    }
}
