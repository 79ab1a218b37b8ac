//! Dates with the instants that they have in a zone.

use super::date::{Date, TimeOfDay};
use super::recurrence::Recurrence;
use super::zone::Zone;
use crate::time::Timestamp;

/// What recurs at a time of day in a zone. Each of its dates has exactly one instant, and a later date a
/// later one, whatever the zone does to its clocks: no date is left out, and none comes twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timetable {
    pub dates: Recurrence,
    pub at: TimeOfDay,
    pub zone: Zone,
}

/// A date and its instant. The instant can be on the date after, where the clocks skip the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occasion {
    pub date: Date,
    pub at: Timestamp,
}

impl Timetable {
    /// The instant of a date; `None` where it is not one of the timetable's.
    pub fn run_on(&self, date: Date) -> Option<Timestamp> {
        self.dates.contains(date).then(|| self.zone.instant(date, self.at))?
    }

    /// The first run whose instant is later than this one; `None` once it has ended.
    pub fn next_after(&self, instant: Timestamp) -> Option<Occasion> {
        // Skipped times are made up for on the date after theirs at the latest, so what is due before
        // yesterday is over. From there it is at most a few dates to the next.
        let (n, _) = self.dates.on_or_after(self.zone.day_before(instant))?;
        let mut runs =
            self.dates.dates_from(n).filter_map(|date| Some(Occasion { date, at: self.zone.instant(date, self.at)? }));
        runs.find(|run| run.at > instant)
    }

    /// That of the first date after this one; `None` once it has ended.
    pub fn next_after_date(&self, date: Date) -> Option<Occasion> {
        let (n, first) = self.dates.on_or_after(date)?;
        let next = self.dates.dates_from(n).nth(usize::from(first == date))?;
        Some(Occasion { date: next, at: self.zone.instant(next, self.at)? })
    }
}
