//! On which days something recurs, and at which instants.
//!
//! A [`Rhythm`] says how dates follow one another, a [`Recurrence`] where they begin and end, and a
//! [`Timetable`] at which time of which zone each of them is. Every date is worked out from its number
//! and the first date alone, never from the date before it, so that nothing drifts: the 31st is the
//! 31st again after a short month.
//!
//! Nothing here reads a clock or a file: the time zones are part of the program
//! (`docs/decisions/0024`). What a zone will do in years to come is what its government has announced so
//! far, so what is kept for the future is the date, and the instant only as far as it is a reminder.

mod date;
mod month_day;
mod recurrence;
mod rhythm;
mod timetable;
mod zone;

use std::fmt;

pub use date::{Date, TimeOfDay, Weekday, parse_weekday, weekday_name};
pub use month_day::{MAX_FROM_LAST, MonthDay};
pub use recurrence::Recurrence;
pub use rhythm::{MAX_EVERY, Rhythm, Unit};
pub use timetable::{Run, Timetable};
pub use zone::Zone;

#[cfg(test)]
mod tests;

/// What is wrong with a calendar that a caller asked for. Each names one thing that was given, so that
/// who knows how the wire calls it can name the member; the text goes on from that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    Date,
    Time,
    Zone,
    Weekday,
    MonthDay,
    /// How many days, weeks, months or years apart.
    Every,
    /// How many dates at most.
    Count,
    /// The last date is before the first.
    End,
}

impl fmt::Display for Unfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date => write!(out, "must be a date from {} to {}, as YYYY-MM-DD", Date::MIN, Date::MAX),
            Self::Time => out.write_str("must be a time of day, as HH:mm, HH:mm:ss or HH:mm:ss.SSS"),
            Self::Zone => out.write_str("must be the IANA name of a time zone, such as Asia/Tokyo"),
            Self::Weekday => out.write_str("must be the English name of a weekday, such as Sunday"),
            Self::MonthDay => {
                write!(out, "must be a day of the month from 1 to 31, or L, or L-1 to L-{MAX_FROM_LAST}")
            }
            Self::Every => write!(out, "must be from 1 to {MAX_EVERY}"),
            Self::Count => out.write_str("must be at least 1"),
            Self::End => out.write_str("must not be before the start"),
        }
    }
}
