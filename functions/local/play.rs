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

/// So often all that is due is looked at before time goes on: others may go on making more of it.
const MOST_ROUNDS: usize = 32;

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
    let (mut looks, mut rounds) = (0_usize, 0_usize);
    loop {
        let mut is_there = false;
        let next = |now: Timestamp| {
            let still_due = (rounds >= MOST_ROUNDS).then_some(now);
            // Time passes by itself, too.
            let due = reminders.first(still_due).filter(|due| *due <= goal.max(now));
            is_there = due.is_none() && (still_due.is_none() || now >= goal);
            let next = due.unwrap_or(goal);
            rounds = if next > now { 0 } else { rounds.saturating_add(1) };
            next
        };
        let now = clock.jump(next).await?;
        if is_there || looks >= MOST_LOOKS {
            return Ok((Played { now, looks }, is_there));
        }
        looks = looks.saturating_add(look_at_due().await);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use kessai_shared::ids::{MerchantId, PaymentId, PaymentKey};
    use kessai_shared::payment::IdempotencyKey;
    use kessai_shared::reminder::{Due, Image, Reminder};

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn moment(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a moment")
    }

    #[test]
    fn months_and_years_are_those_of_the_calendar() {
        let rows = [
            ("P1M", "2027-01-31T10:00:00Z", Some("2027-02-28T10:00:00Z")),
            ("P1M", "2028-01-31T10:00:00Z", Some("2028-02-29T10:00:00Z")),
            ("P1Y", "2028-02-29T00:00:00Z", Some("2029-02-28T00:00:00Z")),
            ("P2W", "2027-01-25T00:00:00Z", Some("2027-02-08T00:00:00Z")),
            ("P1DT1H", "2027-01-25T00:00:00Z", Some("2027-01-26T01:00:00Z")),
            ("PT0.5S", "2027-01-25T00:00:00Z", Some("2027-01-25T00:00:00.500Z")),
            ("PT0S", "2027-01-25T00:00:00Z", Some("2027-01-25T00:00:00Z")),
            ("P10Y", "2028-02-29T00:00:00Z", Some("2038-02-28T00:00:00Z")),
            ("P10YT1S", "2027-01-25T00:00:00Z", None),
            ("-PT1S", "2027-01-25T00:00:00Z", None),
        ];
        for (by, now, expected) in rows {
            let ahead = Ahead::read(&format!(r#"{{"advance":"{by}"}}"#)).expect("a span");
            assert_eq!(ahead.of(moment(now)).ok(), expected.map(moment), "{by} from {now}");
        }
        for body in ["{}", r#"{"advance":"soon"}"#, r#"{"advance":"P99999Y"}"#, r#"{"advance":"P1D","by":1}"#] {
            assert!(Ahead::read(body).is_err(), "{body}");
        }
    }

    /// What somebody is reminded of, and when.
    fn image(name: &str, version: u64, at: Option<Timestamp>) -> Image {
        let merchant = MerchantId::from_random([1; 16]);
        let payment = PaymentId::opened_by(&merchant, &IdempotencyKey::parse(name).expect("a key"));
        let due = at.map(|at| Due { at, is_late: false });
        Image {
            reminder: Reminder { item: PaymentKey { merchant, payment }.into(), version },
            due: [due, None],
            trace: None,
        }
    }

    /// Looks at what is due: each time it is due again that much later, or not at all. When somebody looked.
    async fn played(dues: &[Duration], again: Option<Duration>, goal: Duration) -> (Played, bool, Vec<Timestamp>) {
        let start = moment("2027-01-25T00:00:00Z");
        let (clock, reminders) = (MovableClock::starting_at(start), Reminders::default());
        let images = dues.iter().map(|due| image(&format!("{due:?}"), 1, Some(start.plus(*due))));
        reminders.remember(images);
        let seen = Mutex::new(Vec::new());
        let look = || async {
            let taken = reminders.take(clock.now(), 64);
            for (place, lease) in &taken {
                let now = clock.now();
                seen.lock().expect("no panic").push(now);
                reminders.settle(place, *lease, again.map(|again| now.plus(again)));
            }
            taken.len()
        };
        let (played, is_there) = play(&clock, &reminders, start.plus(goal), look).await.expect("nothing rests");
        (played, is_there, seen.into_inner().expect("no panic"))
    }

    #[tokio::test]
    async fn what_is_due_is_looked_at_when_it_is_due_and_in_order() {
        let start = moment("2027-01-25T00:00:00Z");
        let dues = [DAY * 20, DAY, DAY * 3, DAY * 40];
        let (played, is_there, seen) = played(&dues, None, DAY * 30).await;
        let days = |at: &Timestamp| at.since(start).as_secs() / DAY.as_secs();
        assert_eq!(seen.iter().map(days).collect::<Vec<_>>(), [1, 3, 20]);
        assert_eq!((played.looks, is_there, days(&played.now)), (3, true, 30));
    }

    #[tokio::test]
    async fn what_a_look_leaves_due_on_the_way_happens_too() {
        let (played, is_there, seen) = played(&[DAY], Some(DAY), DAY * 10 + DAY / 2).await;
        assert_eq!((played.looks, seen.len(), is_there), (10, 10, true));
    }

    #[tokio::test]
    async fn what_is_due_too_often_ends_with_how_far_it_came() {
        let (played, is_there, _) = played(&[DAY], Some(Duration::from_secs(1)), DAY * 4).await;
        assert_eq!((played.looks, is_there), (MOST_LOOKS, false));
        assert!(played.now < moment("2027-01-28T00:00:00Z"), "{}", played.now);
    }

    #[tokio::test]
    async fn what_is_due_all_the_time_does_not_hold_up_time() {
        let (played, is_there, seen) = played(&[DAY], Some(Duration::ZERO), DAY * 2).await;
        assert!(is_there && played.now >= moment("2027-01-27T00:00:00Z"), "{played:?}");
        assert!(seen.len() <= 3 * MOST_ROUNDS, "{} looks", seen.len());
    }
}
