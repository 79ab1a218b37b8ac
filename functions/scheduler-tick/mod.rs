//! Each minute: reminds of what is due later than a queue can wait, now that its time is near. Told to sweep, it
//! reminds of everything in the table that is due: after a restore, or when the stream was lost.

use std::time::Duration;

use kessai_infra::dynamodb::DynamoDb;
use kessai_infra::dynamodb::due::{Page, Place};
use kessai_shared::ports::{Clock, Journal, Note, Queue};
use kessai_shared::reminder::{Delayed, LONGEST_DELAY, horizon, is_turn};
use kessai_shared::time::Timestamp;
use serde::{Deserialize, Serialize};

pub const NAME: &str = "scheduler-tick";

/// Kept back before the deadline: time enough to send the reminders of a page.
const PAGE_RESERVE: Duration = Duration::from_secs(5);

/// What the schedule sends says nothing that matters here. A person says `{"sweep": true}`, and `"after"` to go on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tick {
    sweep: bool,
    after: Option<String>,
}

/// What was done.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ticked {
    pub reminders: usize,
    /// Where to go on, if the time did not suffice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The world of a tick.
pub struct Ticking<'a> {
    pub payments: &'a DynamoDb,
    pub queue: &'a dyn Queue,
    pub journal: &'a dyn Journal,
    pub now: Timestamp,
    pub deadline: Timestamp,
    /// Tells the time while it goes on.
    pub clock: &'a dyn Clock,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Ticking<'_> {
    pub async fn tick(&self, tick: Tick) -> Result<Ticked, Failure> {
        let mut place = tick.after.as_deref().map(Place::after);
        let (mut ticked, mut overdue) = (Ticked::default(), Duration::ZERO);
        loop {
            let page = self.page(tick.sweep, place.take()).await?;
            for unreadable in &page.unreadable {
                self.journal.note(&Note::Unreadable { what: &unreadable.to_string() });
            }
            let latest = page.images.iter().filter_map(|image| Some(self.now.since(image.due?))).max();
            overdue = overdue.max(latest.unwrap_or_default());
            let reminders = self.reminders(&page, tick.sweep);
            if !reminders.is_empty() {
                self.queue.send(&reminders).await?;
            }
            ticked.reminders += reminders.len();
            let Some(next) = page.next else { break };
            if self.clock.now().plus(PAGE_RESERVE) >= self.deadline {
                // What is left is due last, and the next tick reads on.
                ticked.after = next.key().filter(|_| tick.sweep).map(str::to_owned);
                break;
            }
            place = Some(next);
        }
        self.journal.note(&Note::Ticked { reminders: ticked.reminders, overdue });
        Ok(ticked)
    }

    async fn page(&self, sweeps: bool, place: Option<Place>) -> Result<Page, Failure> {
        let Self { payments, now, .. } = self;
        Ok(if sweeps {
            payments.due(now.plus(LONGEST_DELAY), place).await?
        } else {
            payments.late(horizon(*now), place).await?
        })
    }

    fn reminders(&self, page: &Page, sweeps: bool) -> Vec<Delayed> {
        let wanted = page.images.iter().filter(|image| sweeps || image.due.is_some_and(|due| is_turn(due, self.now)));
        wanted.filter_map(|image| image.delayed(self.now)).collect()
    }
}
