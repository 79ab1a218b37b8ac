//! When payment runs come: the merchant's schedulers that are active, as they were a moment ago.

use kessai_shared::ports::{Note, Span};
use kessai_shared::recurring::calendar::{Date, Zone};
use kessai_shared::recurring::schedule::{Item, Schedule};
use kessai_shared::recurring::scheduler::{MOST_ACTIVE, Scheduler, Status};
use kessai_shared::rejection::Fault;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::stored::recurring::scheduler::StoredScheduler;
use kessai_shared::time::Timestamp;

use super::Desk;
use crate::problem::{Problem, chain};
use crate::wire::schedule::next_ready;

/// The zone of the day where no scheduler says another.
const ZONE: &str = "UTC";

pub(super) struct Runs(Vec<Scheduler>);

impl Runs {
    /// None where that cannot be said: what was asked for is done by then, and is answered all the same.
    pub(super) async fn if_known(desk: &Desk<'_>) -> Option<Self> {
        match Self::read(desk).await {
            Ok(runs) => Some(runs),
            Err(fault) => {
                desk.app.shell.journal.note(&Note::Failed { cause: &format!("when runs come: {}", chain(&fault)) });
                None
            }
        }
    }

    async fn read(desk: &Desk<'_>) -> Result<Self, Fault> {
        let (agenda, list) = (desk.agenda()?, List::active_schedulers_of(&desk.merchant.id));
        let read = desk.app.shell.patiently(desk.deadline, || agenda.of(&list, Span::default(), MOST_ACTIVE)).await;
        let (items, _) = read?;
        let read: Result<Vec<_>, _> = items.into_iter().map(StoredScheduler::from_item).collect();
        let schedulers = read?.into_iter().map(|stored| stored.scheduler);
        // The list lags behind what is written.
        Ok(Self(schedulers.filter(|scheduler| scheduler.status == Status::Active).collect()))
    }

    /// When the next run charges an item that is ready; none where no scheduler takes it.
    pub(super) fn next_for(&self, item: &Item) -> Option<Timestamp> {
        self.runs_for(item).map(|(at, _)| at).min()
    }

    /// The day that it is now, where the scheduler is that takes what comes next.
    pub(super) fn today(&self, schedule: &Schedule, now: Timestamp) -> Result<Date, Problem> {
        let next = next_ready(schedule).and_then(|item| self.runs_for(item).min_by_key(|(at, _)| *at));
        if let Some((_, scheduler)) = next {
            return Ok(scheduler.timetable.zone.date(now));
        }
        let zone = Zone::parse(ZONE).map_err(|unfit| Fault::SetUp(format!("{ZONE}: {unfit}")))?;
        Ok(zone.date(now))
    }

    fn runs_for(&self, item: &Item) -> impl Iterator<Item = (Timestamp, &Scheduler)> {
        let (value, target) = (item.matching_value.clone(), item.target);
        let takes = self.0.iter().filter(move |scheduler| scheduler.criteria.take(value.as_deref()));
        takes.filter_map(move |scheduler| Some((scheduler.run_for(target)?.at, scheduler)))
    }
}
