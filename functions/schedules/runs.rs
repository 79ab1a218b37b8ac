//! When payment runs come: the merchant's schedulers that are active, as they were a moment ago.

use kessai_shared::ports::Span;
use kessai_shared::recurring::calendar::{Date, Zone};
use kessai_shared::recurring::schedule::{Item, Schedule};
use kessai_shared::recurring::scheduler::{Scheduler, Status};
use kessai_shared::rejection::Fault;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::stored::recurring::scheduler::StoredScheduler;
use kessai_shared::time::Timestamp;

use super::Desk;
use crate::problem::Problem;
use crate::wire::schedule::next_ready;

/// Schedulers that are read at once, the newest first; and pages of them that are looked at.
const PAGE: u16 = 100;
const PAGES: usize = 5;

/// The zone of the day where no scheduler says another.
const ZONE: &str = "UTC";

pub(super) struct Runs(Vec<Scheduler>);

impl Runs {
    pub(super) async fn of(desk: &Desk<'_>) -> Result<Self, Problem> {
        let (agenda, list) = (desk.agenda()?, List::schedulers_of(&desk.merchant.id));
        let (mut schedulers, mut before) = (Vec::new(), None::<String>);
        for _ in 0..PAGES {
            let span = Span { before: before.as_deref(), newest_first: true, ..Span::default() };
            let read = desk.app.shell.patiently(desk.deadline, || agenda.of(&list, span, PAGE)).await;
            let (items, more) = read?;
            let read: Result<Vec<_>, _> = items.into_iter().map(StoredScheduler::from_item).collect();
            let read = read.map_err(Fault::from)?.into_iter().map(|stored| stored.scheduler);
            let read: Vec<_> = read.collect();
            before = read.last().map(|last| List::made_at(last.created_at, last.id.id()));
            schedulers.extend(read.into_iter().filter(|scheduler| scheduler.status == Status::Active));
            if !more {
                break;
            }
        }
        Ok(Self(schedulers))
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
