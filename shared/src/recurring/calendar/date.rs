//! Dates and times of day as a caller writes them, before anybody says in which zone.

use std::fmt;

use jiff::civil;
pub use jiff::civil::Weekday;

use super::Unfit;

/// A day of the calendar, from [`Date::MIN`] to [`Date::MAX`].
///
/// What clocks did before 1970 the time-zone database does not promise to know, and there is nothing to
/// charge then. At the other end every date is far enough from the end of time that its instant exists
/// in every zone. Texts of dates sort as the dates do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(civil::Date);

impl Date {
    pub const MIN: Self = Self(civil::date(1970, 1, 1));
    pub const MAX: Self = Self(civil::date(2999, 12, 31));

    /// Reads `YYYY-MM-DD`, and nothing else.
    pub fn parse(text: &str) -> Result<Self, Unfit> {
        let mut parts = text.splitn(3, '-');
        let mut next = |width| parts.next().and_then(|part| number(part, width)).ok_or(Unfit::Date);
        let (year, month, day) = (next(4)?, next(2)?, next(2)?);
        Self::new(year, month, day).ok_or(Unfit::Date)
    }

    pub fn weekday(self) -> Weekday {
        self.0.weekday()
    }

    /// `None` where there is no such date within the bounds.
    pub(super) fn new(year: i16, month: i16, day: i16) -> Option<Self> {
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        Self::within(civil::Date::new(year, month, day).ok()?)
    }

    /// The nearest date within the bounds.
    pub(super) fn nearest(date: civil::Date) -> Self {
        Self(date).clamp(Self::MIN, Self::MAX)
    }

    pub(super) fn civil(self) -> civil::Date {
        self.0
    }

    /// None where that is beyond the bounds.
    pub fn plus_days(self, days: i64) -> Option<Self> {
        let span = jiff::Span::new().try_days(days).ok()?;
        Self::within(self.0.checked_add(span).ok()?)
    }

    /// Negative where `other` is earlier.
    pub(super) fn days_until(self, other: Self) -> i64 {
        self.0.duration_until(other.0).as_hours() / 24
    }

    fn within(date: civil::Date) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&date).then_some(Self(date))
    }
}

/// `YYYY-MM-DD`, which reads back.
impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

/// A time of day in whole milliseconds, in whatever zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(civil::Time);

impl TimeOfDay {
    /// Reads `HH:mm`, `HH:mm:ss` and `HH:mm:ss.SSS`, from 00:00 to 23:59:59.999. An offset or a `Z` is
    /// refused: the zone is said elsewhere.
    pub fn parse(text: &str) -> Result<Self, Unfit> {
        Self::read(text).ok_or(Unfit::Time)
    }

    fn read(text: &str) -> Option<Self> {
        const NANOS_PER_MILLI: i32 = 1_000_000;
        let mut parts = text.splitn(3, ':');
        let hour = number(parts.next()?, 2)?;
        let minute = number(parts.next()?, 2)?;
        let (second, millis) = match parts.next().map(|rest| rest.split_once('.').unwrap_or((rest, "000"))) {
            Some((second, millis)) => (number(second, 2)?, number(millis, 3)?),
            None => (0, 0),
        };
        let [hour, minute, second] = [hour, minute, second].map(i8::try_from);
        let nanos = i32::from(millis).checked_mul(NANOS_PER_MILLI)?;
        civil::Time::new(hour.ok()?, minute.ok()?, second.ok()?, nanos).ok().map(Self)
    }

    pub(super) fn civil(self) -> civil::Time {
        self.0
    }
}

/// The wire's form, always with milliseconds (`02:05:00.000`), which reads back.
impl fmt::Display for TimeOfDay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0;
        write!(out, "{:02}:{:02}:{:02}.{:03}", time.hour(), time.minute(), time.second(), time.millisecond())
    }
}

const WEEKDAYS: [Weekday; 7] = [
    Weekday::Sunday,
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
];

/// Reads `Sunday` to `Saturday`, as the wire spells them.
pub fn parse_weekday(text: &str) -> Result<Weekday, Unfit> {
    WEEKDAYS.into_iter().find(|day| weekday_name(*day) == text).ok_or(Unfit::Weekday)
}

/// The name on the wire.
pub fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Sunday => "Sunday",
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
    }
}

/// A number of exactly so many digits.
fn number(text: &str, width: usize) -> Option<i16> {
    (text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}
