//! Where a rhythm begins and ends.

use std::fmt;

use super::Unfit;
use super::date::Date;
use super::rhythm::Rhythm;

/// The dates of a rhythm from a first day on, until a last day or so many of them, whichever comes
/// first. It can be that there is none: no Sunday from a Monday to the Friday after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recurrence {
    rhythm: Rhythm,
    first: Date,
    last: Option<Date>,
    count: Option<u32>,
}

impl Recurrence {
    /// `last` is included. What happens once is whatever rhythm, with a `count` of 1.
    pub fn new(rhythm: Rhythm, first: Date, last: Option<Date>, count: Option<u32>) -> Result<Self, Unfit> {
        if last.is_some_and(|last| last < first) {
            return Err(Unfit::End);
        }
        if count == Some(0) {
            return Err(Unfit::Count);
        }
        Ok(Self { rhythm, first, last, count })
    }

    pub fn rhythm(&self) -> Rhythm {
        self.rhythm
    }

    pub fn first(&self) -> Date {
        self.first
    }

    pub fn last(&self) -> Option<Date> {
        self.last
    }

    pub fn count(&self) -> Option<u32> {
        self.count
    }

    /// The date with number `n` from 0, if it goes on that long.
    pub fn date(&self, n: u32) -> Option<Date> {
        let date = self.rhythm.occurrence(self.first, n)?;
        self.holds(n, date).then_some(date)
    }

    /// The first date that is not before `from`, and its number.
    pub fn on_or_after(&self, from: Date) -> Option<(u32, Date)> {
        self.rhythm.first_on_or_after(self.first, from).filter(|(n, date)| self.holds(*n, *date))
    }

    /// Whether a date is one of them.
    pub fn contains(&self, date: Date) -> bool {
        self.on_or_after(date).is_some_and(|(_, found)| found == date)
    }

    /// All of them, from number `n` on. Where nothing ends it, that goes on to the end of all dates.
    pub fn dates_from(&self, n: u32) -> impl Iterator<Item = Date> {
        (n..).map_while(|n| self.date(n))
    }

    fn holds(&self, n: u32, date: Date) -> bool {
        self.count.is_none_or(|count| n < count) && self.last.is_none_or(|last| date <= last)
    }
}

/// In plain words: `once on 2026-05-01`, `monthly on day 28 from 2026-01-01 until 2026-12-31`,
/// `weekly on Sunday from 2026-01-01, 5 times`.
impl fmt::Display for Recurrence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(1), Some(date)) = (self.count, self.date(0)) {
            return write!(out, "once on {date}");
        }
        write!(out, "{} from {}", self.rhythm, self.first)?;
        if let Some(last) = self.last {
            write!(out, " until {last}")?;
        }
        if let Some(count) = self.count {
            write!(out, ", {count} times")?;
        }
        Ok(())
    }
}
