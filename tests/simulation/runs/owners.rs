//! What owners do while runs are under way: they pause a schedule and go on, change an amount, leave an occurrence out,
//! cancel an item or all of them, or stop a run.

use std::collections::BTreeSet;

use kessai_functions::recurring::retry_run;
use kessai_shared::ids::ItemKey;
use kessai_shared::ports::{Expected, Store, Written};
use kessai_shared::recurring::calendar::Date;
use kessai_shared::recurring::ids::{ItemNumber, RecurringKey, RunId, ScheduleId};
use kessai_shared::recurring::run::Run;
use kessai_shared::recurring::schedule::Schedule;
use kessai_shared::recurring::schedule::change::Change;
use kessai_shared::recurring::schedule::step::{Event, step};
use kessai_shared::reminder::Image;
use kessai_shared::stored::Item;
use kessai_shared::stored::payment::KEY;
use kessai_shared::stored::recurring::run::StoredRun;
use kessai_shared::stored::recurring::schedule::StoredSchedule;

use super::audit::tried_in;
use super::set_up::{DAYS, day, schedule_id};
use super::totals::Happened;
use super::worker::Shared;
use super::{DAY_MS, LIFE_MS, START_MS, World, now};

/// What owners did, as far as it must be kept to.
#[derive(Debug, Default)]
pub struct Wishes {
    /// Occurrences that are not to be charged.
    pub skipped: Vec<(ScheduleId, Date)>,
    /// Schedules that were on hold at some time.
    pub held: BTreeSet<ScheduleId>,
    pub canceled: Vec<Canceled>,
    pub stops: Vec<Stop>,
}

/// Somebody canceled a schedule, or one item of it.
#[derive(Debug)]
pub struct Canceled {
    pub schedule: ScheduleId,
    pub item: Option<ItemNumber>,
    /// How often it had been tried by then: it is tried no more.
    pub attempts: u32,
}

/// How often it was tried: an item of a schedule, or all.
pub fn attempts(schedule: &Schedule, item: Option<ItemNumber>) -> u32 {
    let tried = schedule.items.iter().filter(|known| item.is_none_or(|item| known.number == item));
    tried.map(|item| u32::from(item.attempts)).sum()
}

/// Somebody stopped a run.
#[derive(Debug)]
pub struct Stop {
    pub run: RunId,
    at_ms: i64,
    /// The items that it had tried when whoever was at work then had ended: it tries no more.
    pub tried: Option<usize>,
}

/// The runs that are stored.
pub fn runs(shared: &Shared) -> Vec<StoredRun> {
    let is_run = |item: &Item| {
        let key = item.text(KEY).and_then(ItemKey::parse);
        matches!(key, Some(ItemKey::Recurring(_, RecurringKey::Run(_))))
    };
    let items = shared.schedules.items().into_iter().filter(is_run);
    items.map(|item| StoredRun::from_item(item).expect("a run")).collect()
}

impl World {
    /// Now and then an owner does something. Not while the last runs are under way: whoever goes on then would be charged
    /// by the next.
    pub(super) fn own(&mut self) {
        let last_ms = START_MS + i64::from(DAYS - 1) * DAY_MS;
        if self.now_ms() > last_ms || self.random.u32(0..150) != 0 {
            return;
        }
        let today = day((self.now_ms() - START_MS).div_euclid(DAY_MS));
        let (change, happened) = match self.random.u32(0..7) {
            0 => (Change::Hold { on: today }, Happened::Hold),
            1 => (Change::Resume { on: today }, Happened::Resume),
            2 => (Change::Amount(i64::from(self.random.u32(1..9_000))), Happened::Amount),
            3 => (Change::Skip(day(self.random.i64(0..i64::from(DAYS)))), Happened::Skip),
            // To cancel all of it leaves little to play with.
            4 if self.random.u32(0..3) == 0 => (Change::Cancel, Happened::Cancel),
            5 => (Change::CancelItem(ItemNumber::new(self.random.u16(1..4)).expect("a number")), Happened::CancelItem),
            _ => return self.stop(),
        };
        if self.change(change) && !self.under_way().is_empty() {
            self.count(happened);
        }
    }

    /// Whether that changed anything.
    fn change(&mut self, change: Change) -> bool {
        let id = schedule_id(&self.merchant.id, self.random.u32(0..self.plan.schedules));
        let key = ItemKey::Recurring(self.merchant.id, RecurringKey::Schedule(id)).to_string();
        let read = now(self.shared.schedules.read(&key)).expect("memory").expect("a schedule");
        let stored = StoredSchedule::from_item(read).expect("a schedule");
        let Ok(next) = step(&stored.schedule, Event::Change(change.clone()), self.shared.now()) else { return false };
        if next.schedule.version == stored.schedule.version {
            return false;
        }
        if let Some(at) = next.retry_at {
            let run = retry_run(self.merchant.id, at, self.shared.now());
            self.write(StoredRun::following(None, run).to_item(), Expected::Absent);
        }
        let item = StoredSchedule::following(Some(&stored), next.schedule).to_item();
        assert!(self.write(item, Expected::Version(stored.schedule.version)), "nobody comes between");
        let canceled = |item| Canceled { schedule: id, item, attempts: attempts(&stored.schedule, item) };
        match change {
            Change::Cancel => self.wishes.canceled.push(canceled(None)),
            Change::CancelItem(item) => self.wishes.canceled.push(canceled(Some(item))),
            Change::Skip(date) => self.wishes.skipped.push((id, date)),
            Change::Hold { .. } => drop(self.wishes.held.insert(id)),
            _ => {}
        }
        true
    }

    /// What it leaves is charged by another.
    fn stop(&mut self) {
        let under_way = self.under_way();
        let Some(stored) = under_way.get(self.random.usize(0..under_way.len().max(1))) else { return };
        let Some(stopped) = stored.run.stopped() else { return };
        let item = StoredRun::following(Some(stored), stopped).to_item();
        assert!(self.write(item, Expected::Version(stored.run.version)), "nobody comes between");
        self.wishes.stops.push(Stop { run: stored.run.id, at_ms: self.now_ms(), tried: None });
        self.count(Happened::Stop);
    }

    /// Once nobody is at work any more who may not know of it, a stop is heeded.
    pub(super) fn see_to_stops(&mut self) {
        let now_ms = self.now_ms();
        let (shared, stops) = (&self.shared, &mut self.wishes.stops);
        for stop in stops.iter_mut().filter(|stop| stop.tried.is_none() && stop.at_ms + LIFE_MS <= now_ms) {
            stop.tried = Some(tried_in(shared, stop.run));
        }
    }

    fn under_way(&self) -> Vec<StoredRun> {
        let is_begun = |run: &Run| run.started_at.is_some() || run.due.is_some_and(|due| due <= self.shared.now());
        let runs = runs(&self.shared).into_iter();
        runs.filter(|stored| stored.run.goes_on() && is_begun(&stored.run)).collect()
    }

    /// Whether it was written.
    fn write(&mut self, item: Item, expected: Expected) -> bool {
        let image = Image::of(&item).expect("an item of ours");
        let is_done = matches!(now(self.shared.schedules.write(item, expected)), Ok(Written::Done));
        if is_done {
            self.stream(image);
        }
        is_done
    }
}
