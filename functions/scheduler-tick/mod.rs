//! Each minute: reminds of what was due later than a reminder can be held back, now that its time has come or is near.
//! Told to sweep, it reminds of everything in the tables that is due: after a restore, or when the stream was lost.

use std::time::Duration;

use kessai_infra::dynamodb::DynamoDb;
use kessai_infra::dynamodb::due::{Page, Place};
use kessai_shared::ids::ItemKey;
use kessai_shared::ports::{Clock, Journal, Note, Queue};
use kessai_shared::reminder::{Delayed, Errand, LONGEST_DELAY};
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
    pub vault: &'a DynamoDb,
    pub schedules: &'a DynamoDb,
    pub queue: &'a dyn Queue,
    pub journal: &'a dyn Journal,
    pub now: Timestamp,
    pub deadline: Timestamp,
    /// Tells the time while it goes on.
    pub clock: &'a dyn Clock,
}

/// The tables with something that may be due.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Payments,
    Vault,
    Schedules,
}

impl Table {
    /// In the order in which they are swept.
    const ALL: [Self; 3] = [Self::Payments, Self::Vault, Self::Schedules];

    fn of(key: ItemKey) -> Self {
        match key {
            ItemKey::Payment(_) => Self::Payments,
            ItemKey::Method(..) => Self::Vault,
            ItemKey::Recurring(..) => Self::Schedules,
        }
    }

    /// What for its items may be due. Of methods merchants are told, and that is all.
    fn errands(self) -> &'static [Errand] {
        match self {
            Self::Payments | Self::Schedules => &Errand::ALL,
            Self::Vault => &[Errand::Deliver],
        }
    }
}

/// What is read of a table.
#[derive(Clone, Copy)]
enum Read {
    /// What is due later than a reminder can be held back, for one errand.
    Late(Errand),
    All,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Ticking<'_> {
    pub async fn tick(&self, tick: Tick) -> Result<Ticked, Failure> {
        let Tick { sweep, after } = tick;
        let reads: Vec<_> = match sweep {
            true => {
                let first = after.as_deref().and_then(ItemKey::parse).map(Table::of);
                let rest = Table::ALL.into_iter().skip_while(|table| first.is_some_and(|first| *table != first));
                rest.map(|table| (table, Read::All)).collect()
            }
            false => {
                let late = |table: Table| table.errands().iter().map(move |errand| (table, Read::Late(*errand)));
                Table::ALL.into_iter().flat_map(late).collect()
            }
        };
        let mut ticked = Ticked::default();
        let mut overdue = Duration::ZERO;
        let mut place = after.as_deref().map(Place::after);
        for (table, read) in reads {
            overdue = overdue.max(self.go_through(table, read, place.take(), &mut ticked).await?);
            if ticked.after.is_some() {
                break;
            }
        }
        self.journal.note(&Note::Ticked { reminders: ticked.reminders, overdue });
        Ok(ticked)
    }

    /// Reminds of everything that is read; how long the oldest of it is overdue.
    async fn go_through(
        &self,
        table: Table,
        read: Read,
        mut place: Option<Place>,
        ticked: &mut Ticked,
    ) -> Result<Duration, Failure> {
        let errands = match &read {
            Read::Late(errand) => std::slice::from_ref(errand),
            Read::All => table.errands(),
        };
        let mut overdue = Duration::ZERO;
        loop {
            let page = self.page(table, read, place.take()).await?;
            for unreadable in &page.unreadable {
                self.journal.note(&Note::Unreadable { what: &unreadable.to_string() });
            }
            let due = page.images.iter().flat_map(|image| errands.iter().filter_map(|errand| image.due(*errand)));
            overdue = due.map(|due| self.now.since(due.at)).fold(overdue, Duration::max);
            let reminders = self.reminders(&page, read, errands);
            if !reminders.is_empty() {
                self.queue.send(&reminders).await?;
            }
            ticked.reminders += reminders.len();
            let Some(next) = page.next else { break };
            if self.clock.now().plus(PAGE_RESERVE) >= self.deadline {
                // What is left is due last, and the next tick reads on.
                let is_sweep = matches!(read, Read::All);
                ticked.after = next.key().filter(|_| is_sweep).map(str::to_owned);
                break;
            }
            place = Some(next);
        }
        Ok(overdue)
    }

    async fn page(&self, table: Table, read: Read, place: Option<Place>) -> Result<Page, Failure> {
        let Self { payments, vault, schedules, now, .. } = *self;
        let table = match table {
            Table::Payments => payments,
            Table::Vault => vault,
            Table::Schedules => schedules,
        };
        Ok(match read {
            Read::All => table.due(now.plus(LONGEST_DELAY), place).await?,
            Read::Late(errand) => table.late(errand, errand.horizon(now), place).await?,
        })
    }

    fn reminders(&self, page: &Page, read: Read, errands: &[Errand]) -> Vec<Delayed> {
        let of = |errand: Errand| {
            let wanted = page.images.iter().filter(move |image| match read {
                Read::All => true,
                Read::Late(_) => image.due(errand).is_some_and(|due| errand.is_turn(due.at, self.now)),
            });
            wanted.filter_map(move |image| image.delayed(errand, self.now))
        };
        errands.iter().flat_map(|errand| of(*errand)).collect()
    }
}
