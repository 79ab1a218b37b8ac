//! Payment runs: what follow-up does when a scheduler, a run or one of its lanes is due.
//!
//! A scheduler starts runs, a run begins its lanes and sums them up, and a lane charges what is on its list. Each is an
//! item with a due time, of which somebody is reminded as of a payment; looking is harmless at any time, any number of
//! times, and whoever looks may be killed at any await.

mod charge;
mod lane;
mod retries;
mod run;
mod scheduler;

pub use retries::retry_run;

use std::time::Duration;

use kessai_shared::ids::{ItemKey, MerchantId};
use kessai_shared::ports::{Agenda, Expected, Written};
use kessai_shared::recurring::ids::{RecurringKey, ScheduleId};
use kessai_shared::recurring::schedule::LANES_FIRST;
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::reminder::{Errand, Image, LATE, OWED_LATE};
use kessai_shared::stored::payment::{KEY, VERSION};
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use kessai_shared::stored::{Item, Unreadable};
use kessai_shared::time::Timestamp;
use kessai_shared::trace::TRACE;

use self::retries::RetryRuns;
use crate::door::App;
use crate::follow_up::Left;

/// Where what recurs is kept.
pub fn schedules(app: &App) -> Result<&dyn Agenda, Fault> {
    app.schedules.as_deref().ok_or_else(|| Fault::SetUp("this function has no schedules".to_owned()))
}

/// A schedule as it is now.
pub(crate) async fn stored_schedule(
    app: &App,
    merchant: MerchantId,
    id: ScheduleId,
    deadline: Timestamp,
) -> Result<Option<StoredSchedule>, Fault> {
    let looking = Looking { app, agenda: schedules(app)?, merchant, deadline };
    looking.read(RecurringKey::Schedule(id), StoredSchedule::from_item).await
}

/// Sees to it that there is a run that tries again what is to be tried again at that time.
pub(crate) async fn ensure_retry_run(
    app: &App,
    merchant: MerchantId,
    at: Timestamp,
    deadline: Timestamp,
) -> Result<(), Fault> {
    let looking = Looking { app, agenda: schedules(app)?, merchant, deadline };
    RetryRuns::default().ensure(&looking, at, looking.now()).await
}

/// Looks at what recurs, and does what is due; how that left it. None where there is nothing of that name.
pub async fn look(
    app: &App,
    merchant: MerchantId,
    key: RecurringKey,
    deadline: Timestamp,
) -> Result<Option<Left>, Refusal> {
    let looking = Looking { app, agenda: schedules(app)?, merchant, deadline };
    let Some(before) = looking.image(key).await? else { return Ok(None) };
    let now = looking.now();
    let Some(due) = before.due(Errand::FollowUp).map(|due| due.at) else { return Ok(Some(left(&before, None))) };
    if due > now {
        return Ok(Some(left(&before, None)));
    }
    match key {
        RecurringKey::Scheduler(id) => scheduler::look(&looking, id).await?,
        RecurringKey::Run(id) => run::look(&looking, id).await?,
        RecurringKey::Lane(run, lane) => lane::look(&looking, run, lane).await?,
        RecurringKey::Schedule(id) => charge::look(&looking, id).await?,
    }
    let after = looking.image(key).await?.unwrap_or(before);
    let left = left(&after, Some(now.since(due)));
    Ok(Some(match key {
        // Others see to it, and it is looked at again in case they do not.
        RecurringKey::Schedule(_) => Left { due: left.due.map(|due| due.max(now.plus(LANES_FIRST))), ..left },
        RecurringKey::Scheduler(_) | RecurringKey::Run(_) | RecurringKey::Lane(..) => left,
    }))
}

fn left(image: &Image, late: Option<Duration>) -> Left {
    let due = image.due(Errand::FollowUp).map(|due| due.at);
    Left { version: image.reminder.version, due, late, settled: Vec::new() }
}

/// One look.
#[derive(Clone, Copy)]
struct Looking<'a> {
    app: &'a App,
    agenda: &'a dyn Agenda,
    merchant: MerchantId,
    deadline: Timestamp,
}

impl Looking<'_> {
    fn now(&self) -> Timestamp {
        self.app.shell.clock.now()
    }

    async fn image(&self, key: RecurringKey) -> Result<Option<Image>, Fault> {
        self.read(key, |item| Image::of(&item)).await
    }

    async fn read<T>(&self, key: RecurringKey, decode: fn(Item) -> Result<T, Unreadable>) -> Result<Option<T>, Fault> {
        let key = ItemKey::Recurring(self.merchant, key).to_string();
        let item = self.app.shell.patiently(self.deadline, || self.agenda.read(&key)).await?;
        Ok(item.map(decode).transpose()?)
    }

    /// Writes an item, where nothing is or the version before it; whether this is stored now.
    async fn write(&self, item: Item) -> Result<bool, Fault> {
        let version = item.number(VERSION).and_then(|version| u64::try_from(version).ok()).unwrap_or_default();
        let expected = match version {
            0 | 1 => Expected::Absent,
            later => Expected::Version(later.saturating_sub(1)),
        };
        let written = self.app.shell.patiently(self.deadline, || self.agenda.write(item.clone(), expected)).await?;
        Ok(match written {
            Written::Done => true,
            // Our own, whose acknowledgement was lost.
            Written::Conflict(found) => found.is_some_and(|found| is_same(found, item)),
        })
    }
}

/// Whether both hold the same, but for what the store adds.
fn is_same(mut found: Item, mut item: Item) -> bool {
    for added in [LATE, OWED_LATE, TRACE] {
        drop((found.remove(added), item.remove(added)));
    }
    found == item && found.text(KEY).is_some()
}
