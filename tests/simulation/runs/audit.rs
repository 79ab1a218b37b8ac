//! What must be true once nothing is left to happen: of what is stored, beside what the gateway did.

use std::collections::{BTreeMap, BTreeSet};

use kessai_functions::sandbox::{Gateway, Outcome};
use kessai_shared::ids::{ItemKey, Ordinal, PaymentId, Record};
use kessai_shared::merchant::Merchant;
use kessai_shared::payment::{Decline, IdempotencyKey};
use kessai_shared::recurring::calendar::Date;
use kessai_shared::recurring::ids::{RecurringKey, RunId, SchedulerId};
use kessai_shared::recurring::run::{Counts, Run, Status as RunStatus, Takes};
use kessai_shared::recurring::schedule::{Item, Schedule, State, Status};
use kessai_shared::recurring::scheduler::Status as SchedulerStatus;
use kessai_shared::stored::payment::KEY;
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use kessai_shared::stored::recurring::scheduler::StoredScheduler;

use super::owners::{Wishes, attempts, runs};
use super::plan::Plan;
use super::set_up::RETRIES;
use super::totals::{Happened, Totals};
use super::worker::Shared;
use crate::auditor::Violation;

/// What the gateway took, and what it declined, by our reference.
#[derive(Default)]
struct Ledger {
    taken: BTreeMap<String, Vec<u64>>,
    declined: BTreeSet<String>,
}

impl Ledger {
    fn of(gateway: &Gateway, now_ms: i64) -> Self {
        let mut ledger = Self::default();
        for effect in gateway.effects(now_ms).filter(|effect| !effect.voided && effect.status == "approved") {
            let reference = effect.reference.unwrap_or_default().to_owned();
            ledger.taken.entry(reference).or_default().push(effect.amount);
        }
        let operations = (0..gateway.operations()).filter_map(|place| gateway.operation(place));
        let declined = operations.filter(|operation| matches!(operation.outcome.at(now_ms), Outcome::Declined { .. }));
        ledger.declined = declined.filter_map(|operation| operation.reference.clone()).collect();
        ledger
    }
}

/// All there is at the end.
struct Audit<'a> {
    plan: &'a Plan,
    merchant: &'a Merchant,
    wishes: &'a Wishes,
    /// The day of the last run.
    last: Date,
    ledger: Ledger,
    runs: BTreeMap<RunId, Run>,
    schedules: Vec<Schedule>,
    /// The references of all attempts.
    known: BTreeSet<String>,
    totals: Totals,
}

fn violation(rule: &'static str, what: String) -> Violation {
    Violation { rule, what }
}

/// `days`: on which each scheduler runs, up to the last.
pub fn audit(
    plan: &Plan,
    shared: &Shared,
    merchant: &Merchant,
    wishes: &Wishes,
    days: u32,
    last: Date,
) -> Result<Totals, Violation> {
    let ledger = Ledger::of(&shared.inner().gateway, shared.now().as_millis());
    let runs = runs(shared).into_iter().map(|stored| (stored.run.id, stored.run)).collect();
    let (schedules, known, totals) = (schedules(shared), BTreeSet::new(), shared.inner().totals);
    let mut audit = Audit { plan, merchant, wishes, last, ledger, runs, schedules, known, totals };
    let taken = audit.ledger.taken.values().map(Vec::len).sum::<usize>();
    audit.totals.add(Happened::Effect, taken as u64);
    for schedule in std::mem::take(&mut audit.schedules) {
        audit.check_schedule(&schedule)?;
    }
    if let Some((reference, taken)) = audit.ledger.taken.iter().find(|(name, _)| !audit.known.contains(*name)) {
        return Err(violation("once", format!("{taken:?} was taken for {reference}, which no item knows")));
    }
    audit.check_runs()?;
    let schedulers = schedulers(shared);
    audit.check_days(&schedulers?, days)?;
    for stop in &wishes.stops {
        let (tried, then) = (tried_in(shared, stop.run), stop.tried);
        // What was put back unsent another run may have tried since.
        if then.is_some_and(|then| then < tried) {
            let what = format!("run {} had tried {then:?} when it was stopped, and then {tried}", stop.run.as_str());
            return Err(violation("stopped", what));
        }
    }
    Ok(audit.totals)
}

fn keys_and_items(shared: &Shared) -> impl Iterator<Item = (RecurringKey, kessai_shared::stored::Item)> {
    shared.schedules.items().into_iter().map(|item| {
        let key = item.text(KEY).and_then(ItemKey::parse);
        let Some(ItemKey::Recurring(_, key)) = key else { unreachable!("a strange key: {item:?}") };
        (key, item)
    })
}

fn schedules(shared: &Shared) -> Vec<Schedule> {
    let items = keys_and_items(shared).filter(|(key, _)| matches!(key, RecurringKey::Schedule(_)));
    items.map(|(_, item)| StoredSchedule::from_item(item).expect("a schedule").schedule).collect()
}

/// All of them, at their end.
fn schedulers(shared: &Shared) -> Result<Vec<SchedulerId>, Violation> {
    let items = keys_and_items(shared).filter(|(key, _)| matches!(key, RecurringKey::Scheduler(_)));
    let schedulers = items.map(|(_, item)| StoredScheduler::from_item(item).expect("a scheduler").scheduler);
    let ended = schedulers.map(|scheduler| match scheduler.status {
        SchedulerStatus::Completed => Ok(scheduler.id),
        status => Err(violation("liveness", format!("scheduler {} is {status:?}", scheduler.id.as_str()))),
    });
    ended.collect()
}

/// How many items a run has tried.
pub fn tried_in(shared: &Shared, run: RunId) -> usize {
    let is_by = |item: &Item| {
        let failed = item.failures.iter().flat_map(|failures| &failures.recent).map(|failed| failed.by);
        failed.chain(item.tried_by).any(|tried| tried.run == run)
    };
    schedules(shared).iter().flat_map(|schedule| &schedule.items).filter(|item| is_by(item)).count()
}

impl Audit<'_> {
    fn check_schedule(&mut self, schedule: &Schedule) -> Result<(), Violation> {
        let mut occurrences = BTreeSet::new();
        for canceled in self.wishes.canceled.iter().filter(|canceled| canceled.schedule == schedule.id) {
            if attempts(schedule, canceled.item) != canceled.attempts {
                return Err(violation("canceled", format!("{canceled:?}, and then {:?}", schedule.items)));
            }
        }
        for item in &schedule.items {
            let name = || format!("{} {item:?}", schedule.id.item_id(item.number));
            let is_processed = self.check(schedule, item)?;
            self.totals.add(Happened::Processed, u64::from(is_processed));
            let failed = item.failures.as_ref().map_or(0, |failures| failures.recent.len());
            self.totals.add(Happened::Failed, failed as u64);
            // Each payer has another method, and nobody changes that of a schedule.
            let is_last_try = self.plan.other_method && item.attempts > RETRIES;
            let is_other = item.tried_with.is_some_and(|method| method != schedule.method);
            // What was put back unsent is charged like any other that is ready.
            let ended = item.failures.as_ref().map_or(0, |failures| failures.count) + u16::from(is_processed);
            if is_last_try != is_other && item.attempts <= ended {
                return Err(violation("method", name()));
            }
            self.totals.add(Happened::OtherMethod, u64::from(is_other));
            if item.occurrence.is_some_and(|occurrence| !occurrences.insert(occurrence)) {
                return Err(violation("once", format!("{} is there twice", name())));
            }
            let is_skipped = item.occurrence.is_some() && self.wishes.skipped.contains(&(schedule.id, item.target));
            if is_skipped && item.attempts > 0 {
                return Err(violation("skipped", name()));
            }
            let run = item.tried_by.and_then(|tried| self.runs.get(&tried.run));
            if item.attempts > 0 && !run.is_some_and(|run| run.criteria.take(item.matching_value.as_deref())) {
                return Err(violation("criteria", format!("{} was not for {run:?}", name())));
            }
            self.check_day(schedule, item)?;
            let is_due = item.target <= self.last && item.state == State::Ready;
            if is_due && schedule.status == Status::Open {
                return Err(violation("liveness", format!("{} is not charged", name())));
            }
        }
        Ok(())
    }

    /// It is first tried by the run of its day, unless its owner wanted something else.
    fn check_day(&self, schedule: &Schedule, item: &Item) -> Result<(), Violation> {
        let failed = item.failures.as_ref().and_then(|failures| failures.recent.first()).map(|failed| failed.by);
        let tried_by = failed.or(item.tried_by).and_then(|tried| self.runs.get(&tried.run)).map(|run| run.takes);
        let Some(Takes::ReadyOn(tried_on)) = tried_by.filter(|_| !self.wishes.held.contains(&schedule.id)) else {
            return Ok(());
        };
        let is_passed_over = |run: &&Run| {
            let is_before = matches!(run.takes, Takes::ReadyOn(day) if day >= item.target && day < tried_on);
            is_before && run.status == RunStatus::Completed && run.criteria.take(item.matching_value.as_deref())
        };
        match self.runs.values().find(is_passed_over) {
            Some(run) => Err(violation("its day", format!("{item:?} was passed over by {run:?}"))),
            None => Ok(()),
        }
    }

    /// Whether the item was processed: then it was taken once, and otherwise never.
    fn check(&mut self, schedule: &Schedule, item: &Item) -> Result<bool, Violation> {
        let mut taken: Vec<u64> = Vec::new();
        for attempt in 1..=item.attempts {
            let reference = self.reference(schedule, item, attempt);
            taken.extend(self.ledger.taken.get(&reference).into_iter().flatten().copied());
            self.known.insert(reference);
        }
        let name = || format!("{} {item:?}: taken {taken:?}", schedule.id.item_id(item.number));
        let is_processed = match &item.state {
            State::Processed { .. } => true,
            State::Failed { retry: None, .. } | State::Canceled { .. } | State::Draft | State::Ready => false,
            State::Processing(_) => return Err(violation("liveness", format!("{} is still being charged", name()))),
            State::Failed { retry: Some(_), .. } => {
                if schedule.earliest_retry().is_some() {
                    return Err(violation("liveness", format!("{} is not tried again", name())));
                }
                false
            }
        };
        let expected: Vec<u64> = if is_processed { vec![item.amount.unsigned_abs()] } else { Vec::new() };
        if taken != expected {
            return Err(violation("once", name()));
        }
        if let Some(decline) = item.failures.as_ref().and_then(|failures| failures.last.decline) {
            let is_declined =
                |item: &Item, attempt| self.ledger.declined.contains(&self.reference(schedule, item, attempt));
            // With a method that is known to be gone nothing is sent: then it is another item that was declined.
            let is_gone = decline == Decline::Permanent
                && schedule.items.iter().any(|other| {
                    other.number != item.number
                        && other.tried_with == item.tried_with
                        && is_declined(other, other.attempts)
                });
            // What was put back had an attempt before that was declined.
            let first = if matches!(item.state, State::Failed { .. }) { item.attempts } else { 1 };
            if !is_processed && !is_gone && !(first..=item.attempts).any(|attempt| is_declined(item, attempt)) {
                return Err(violation(
                    "attempts",
                    format!("{}: the gateway has not declined the last attempt", name()),
                ));
            }
        }
        Ok(is_processed)
    }

    /// Of an attempt, at the gateway.
    fn reference(&self, schedule: &Schedule, item: &Item, attempt: u16) -> String {
        let key = IdempotencyKey::of_ours(&format!("{}.{attempt}", schedule.id.item_id(item.number).as_str()));
        Record::Payment.id(PaymentId::opened_by(&self.merchant.id, &key), Ordinal::FIRST).to_string()
    }

    /// Each has ended as it should, and together they counted what there is.
    fn check_runs(&mut self) -> Result<(), Violation> {
        let mut counted = Counts::default();
        for run in self.runs.values() {
            let is_stopped = self.wishes.stops.iter().any(|stop| stop.run == run.id);
            let expected = if is_stopped { RunStatus::Stopped } else { RunStatus::Completed };
            if run.status != expected || run.completed_at.is_none() {
                return Err(violation("liveness", format!("{run:?} should be {expected:?}, and over")));
            }
            counted = counted.plus(run.counts);
            self.totals.add(if run.is_retry() { Happened::RetryRun } else { Happened::Run }, 1);
            self.totals.add(Happened::StoppedRun, u64::from(is_stopped));
        }
        let (processed, failed) = (self.totals.of(Happened::Processed), self.totals.of(Happened::Failed));
        if (counted.processed, counted.failed, counted.pending) != (processed, failed, 0) {
            let what = format!("{counted:?}, and {processed} were processed and {failed} attempts failed");
            return Err(violation("counts", what));
        }
        Ok(())
    }

    /// Each scheduler has had one run on each of its days.
    fn check_days(&self, schedulers: &[SchedulerId], days: u32) -> Result<(), Violation> {
        for scheduler in schedulers {
            let runs = self.runs.values().filter(|run| run.scheduler == Some(*scheduler));
            let mut run_on: Vec<String> = runs.map(|run| format!("{:?}", run.takes)).collect();
            let runs = run_on.len();
            run_on.sort_unstable();
            run_on.dedup();
            if (runs, run_on.len()) != (days as usize, days as usize) {
                let what = format!("{runs} runs of {} on {days} days: {run_on:?}", scheduler.as_str());
                return Err(violation("one run a day", what));
            }
        }
        Ok(())
    }
}
