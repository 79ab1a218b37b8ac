//! Plays the time between now and later: whatever is due on the way happens at its time, in order, and what it leaves
//! due on the way too. So a year of runs, retries and follow-ups is gone through in seconds, and nothing of it is late.

use std::io;
use std::sync::Arc;

use jiff::Span;
use jiff::tz::TimeZone;
use kessai_shared::ports::Clock;
use kessai_shared::time::Timestamp;

use super::clock::MovableClock;
use super::follow_up::{Reminders, Worker};
use crate::problem::Problem;
use crate::wire::members::Members;

/// How far the clock is moved at once, in years.
const LONGEST: i64 = 10;

/// Looks that moving the clock once may take: what is always due again must not keep its caller for ever.
const MOST_LOOKS: usize = 100_000;

const FORM: &str = "an ISO 8601 duration forward, such as P1M, P7D or PT30S, of at most 10 years";

/// How far the clock is to be moved: months and years by the calendar of UTC, a day has 24 hours.
#[derive(Clone, Copy, Debug)]
pub struct Ahead(Span);

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Played {
    pub now: Timestamp,
    /// How often something was looked at because it was due.
    pub looks: usize,
}

impl Ahead {
    /// As a request says it.
    pub fn read(body: &str) -> Result<Self, Problem> {
        let mut members = Members::parse(body)?;
        let by = members.parsed("advance", 64, FORM, |text| text.parse().ok().map(Self))?;
        members.finish()?;
        by.ok_or_else(|| Problem::missing("advance"))
    }

    /// The time that is meant.
    fn of(self, now: Timestamp) -> Result<Timestamp, Problem> {
        let goal = || {
            let begin = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?.to_zoned(TimeZone::UTC);
            let latest = begin.checked_add(Span::new().years(LONGEST)).ok()?;
            let goal = begin.checked_add(self.0).ok().filter(|goal| (&begin..=&latest).contains(&goal))?;
            Some(Timestamp::from_millis(goal.timestamp().as_millisecond()))
        };
        goal().ok_or_else(|| Problem::invalid("advance", format!("must be {FORM}")))
    }
}

impl Worker {
    /// Moves the clock, one at a time, and does all that is due on the way.
    pub async fn play(self: &Arc<Self>, by: Ahead) -> Result<Played, Problem> {
        let _nobody_else_looks = self.playing.lock().await;
        let goal = by.of(self.clock.now())?;
        let (played, is_there) = play(&self.clock, &self.reminders, goal, || self.look_at_due())
            .await
            .map_err(|error| Problem::new(500, "UNKNOWN_EXCEPTION", format!("clock: {error}")))?;
        if is_there {
            return Ok(played);
        }
        let Played { now, looks } = played;
        let message = format!("advance: takes more than {looks} looks at what is due; the clock has come to {now}");
        Err(Problem::new(422, "LIMIT_EXCEEDED", message))
    }
}

/// Moves the clock from one due time to the next until the goal, as long as that takes no more than [`MOST_LOOKS`];
/// whether it got there.
async fn play<L: Future<Output = usize>>(
    clock: &MovableClock,
    reminders: &Reminders,
    goal: Timestamp,
    look_at_due: impl Fn() -> L,
) -> io::Result<(Played, bool)> {
    let mut looks = 0_usize;
    loop {
        let mut is_there = false;
        let next = |now: Timestamp| {
            // Time passes by itself, too.
            let due = reminders.first().filter(|due| *due <= goal.max(now));
            is_there = due.is_none();
            due.unwrap_or(goal)
        };
        let now = clock.jump(next).await?;
        if is_there || looks >= MOST_LOOKS {
            return Ok((Played { now, looks }, is_there));
        }
        looks = looks.saturating_add(look_at_due().await);
    }
}
