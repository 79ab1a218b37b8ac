//! Time zones by their names, and which instant a time of day is in one.

use std::cmp::Ordering;
use std::fmt;

use jiff::SignedDuration;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

use super::Unfit;
use super::date::{Date, TimeOfDay};
use crate::time::Timestamp;

/// Names that the database has without their being a place or an offset.
const NOWHERE: [&str; 2] = ["Etc/Unknown", "Factory"];

/// A zone of the IANA database that is part of this program, whatever the machine has.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// Reads an IANA name in whatever case; it prints as the database spells it. An old name stays what
    /// it is (`Asia/Calcutta`). Offsets and POSIX rules are refused, unless the database has a zone of
    /// that name (`EST5EDT`).
    pub fn parse(name: &str) -> Result<Self, Unfit> {
        let zone = TimeZoneDatabase::bundled().get(name).map_err(|_| Unfit::Zone)?;
        match zone.iana_name() {
            Some(name) if !NOWHERE.contains(&name) => Ok(Self(zone)),
            Some(_) | None => Err(Unfit::Zone),
        }
    }

    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or_default()
    }

    /// The instant of a time of day. One that the clocks skip is as much later as they are put forward
    /// (02:30 is 03:30), one that they show twice is the first of both.
    ///
    /// Where a zone leaves out the whole date, that would be the instant of the same time on the next
    /// date. It is a millisecond earlier, so that of two dates the later one always has the later instant.
    pub fn instant(&self, date: Date, at: TimeOfDay) -> Option<Timestamp> {
        const DAY: SignedDuration = SignedDuration::from_hours(24);
        let local = date.civil().to_datetime(at.civil());
        let (offset, whole_day) = match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => (offset, false),
            AmbiguousOffset::Gap { before, after } => (before, before.duration_until(after) >= DAY),
            AmbiguousOffset::Fold { before, .. } => (before, false),
        };
        let instant = offset.to_timestamp(local).ok()?.as_millisecond();
        Some(Timestamp::from_millis(instant.saturating_sub(i64::from(whole_day))))
    }

    /// The date that the zone's calendars show at an instant; the nearest within bounds.
    pub fn date(&self, instant: Timestamp) -> Date {
        Date::nearest(self.shown(instant))
    }

    /// The day before the date that the zone's calendars show at an instant; the nearest within bounds.
    pub(super) fn day_before(&self, instant: Timestamp) -> Date {
        let date = self.shown(instant);
        Date::nearest(date.yesterday().unwrap_or(date))
    }

    /// The day after it; the nearest within bounds.
    pub fn day_after(&self, instant: Timestamp) -> Date {
        let date = self.shown(instant);
        Date::nearest(date.tomorrow().unwrap_or(date))
    }

    fn shown(&self, instant: Timestamp) -> jiff::civil::Date {
        let end = if instant.as_millis() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        let instant = jiff::Timestamp::from_millisecond(instant.as_millis()).unwrap_or(end);
        self.0.to_datetime(instant).date()
    }
}

/// The name, as the database spells it, which reads back.
impl fmt::Display for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl PartialOrd for Zone {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By name.
impl Ord for Zone {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}
