//! Moments, as milliseconds since the Unix epoch: all the precision the wire carries.
//!
//! Nothing here reads a clock. A moment comes in as an argument, from the [`Clock`](crate::ports::Clock)
//! port in the end, so that a simulation can make it whatever it needs.

use std::fmt;
use std::time::Duration;

use jiff::fmt::StdFmtWrite;
use jiff::fmt::temporal::DateTimePrinter;

/// A moment in UTC, in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// `millis`: milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 (`2020-10-18T11:32:27.000Z`, any offset) or a plain date, which means its
    /// midnight in UTC. Finer digits than milliseconds are cut off.
    pub fn parse(text: &str) -> Option<Self> {
        let instant = text.parse::<jiff::Timestamp>().ok().or_else(|| {
            let date = text.parse::<jiff::civil::Date>().ok()?;
            // `2020-W01-1` and the like are not what a caller of this wire format means.
            let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            Some(midnight.timestamp())
        })?;
        Some(Self(instant.as_millisecond()))
    }

    /// The year of the calendar, by UTC.
    pub fn year(self) -> u16 {
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        u16::try_from(instant.to_zoned(jiff::tz::TimeZone::UTC).year()).unwrap_or_default()
    }

    /// Saturates at the end of time.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// The next moment that is a multiple of `width` since 1970, or this one.
    #[must_use]
    pub fn rounded_up(self, width: Duration) -> Self {
        let width = millis(width).max(1);
        Self(self.0.saturating_add((width - self.0.rem_euclid(width)) % width))
    }

    /// The time from `earlier` to `self`; zero when `earlier` is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Reads an ISO 8601 duration forward (`P7D`, `PT30S`; a day has 24 hours) or a number of seconds.
pub fn parse_duration(text: &str) -> Option<Duration> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let span: jiff::Span = text.parse().ok()?;
    let day = jiff::SpanRelativeTo::days_are_24_hours();
    Duration::try_from(span.to_duration(day).ok()?).ok()
}

/// The ISO 8601 form of whole seconds: in days where they are whole days.
pub fn print_duration(duration: Duration) -> String {
    const DAY: u64 = 24 * 60 * 60;
    let seconds = duration.as_secs();
    match seconds {
        0 => "PT0S".to_owned(),
        _ if seconds.is_multiple_of(DAY) => format!("P{}D", seconds / DAY),
        _ => format!("PT{seconds}S"),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The wire's form: UTC, always three digits of milliseconds (`2020-10-23T15:21:58.833Z`).
impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        let printer = DateTimePrinter::new().precision(Some(3));
        printer.print_timestamp(&instant, StdFmtWrite(out)).map_err(|_| fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_and_prints_as_the_wire_does() {
        let rows = [
            ("2019-10-18T11:32:27.000Z", Some("2019-10-18T11:32:27.000Z")),
            ("2019-10-18T11:32:27Z", Some("2019-10-18T11:32:27.000Z")),
            ("2019-10-18T20:32:27.5+09:00", Some("2019-10-18T11:32:27.500Z")),
            ("2026-08-01", Some("2026-08-01T00:00:00.000Z")),
            ("15-01-2020", None),
            ("yesterday", None),
            ("", None),
        ];
        for (text, printed) in rows {
            let read = Timestamp::parse(text).map(|moment| moment.to_string());
            assert_eq!(read.as_deref(), printed, "{text:?}");
        }
    }

    #[test]
    fn a_duration_reads_in_iso_form_or_as_seconds_and_prints_so_that_it_reads_back() {
        let rows = [
            ("P7D", Some(604_800), "P7D"),
            ("PT30S", Some(30), "PT30S"),
            ("P1DT1H", Some(90_000), "PT90000S"),
            ("86400", Some(86_400), "P1D"),
            ("0", Some(0), "PT0S"),
            ("-P1D", None, ""),
            ("-1", None, ""),
            ("1.5", None, ""),
            ("soon", None, ""),
            ("", None, ""),
            ("99999999999999999999", None, ""),
        ];
        for (text, seconds, printed) in rows {
            let read = parse_duration(text);
            assert_eq!(read.map(|duration| duration.as_secs()), seconds, "{text:?}");
            if let Some(duration) = read {
                assert_eq!(print_duration(duration), printed);
                assert_eq!(parse_duration(printed), Some(duration), "{text:?}");
            }
        }
    }

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end.plus(Duration::from_secs(1)), end);
        let start = Timestamp::from_millis(0);
        assert_eq!(start.since(end), Duration::ZERO);
    }
}
