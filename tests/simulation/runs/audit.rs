//! What must be true once nothing is left to happen: of what is stored, beside what the gateway did.

use std::collections::{BTreeMap, BTreeSet};

use kessai_functions::sandbox::Gateway;
use kessai_shared::ids::{ItemKey, Ordinal, PaymentId, Record};
use kessai_shared::merchant::Merchant;
use kessai_shared::recurring::calendar::Date;
use kessai_shared::recurring::ids::RecurringKey;
use kessai_shared::recurring::run::{Counts, Run, Status as RunStatus};
use kessai_shared::recurring::schedule::{Item, Schedule, State, Status};
use kessai_shared::recurring::scheduler::Status as SchedulerStatus;
use kessai_shared::stored::payment::KEY;
use kessai_shared::stored::recurring::run::StoredRun;
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use kessai_shared::stored::recurring::scheduler::StoredScheduler;

use super::worker::Shared;

/// What came of a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub runs: u64,
    pub retry_runs: u64,
    pub processed: u64,
    /// Attempts that failed.
    pub failed: u64,
    pub effects: u64,
}

/// What the gateway took, by our reference.
struct Ledger(BTreeMap<String, Vec<u64>>);

impl Ledger {
    fn of(gateway: &Gateway, now_ms: i64) -> Self {
        let mut taken: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let effects = gateway.effects(now_ms).filter(|effect| !effect.voided && effect.status == "approved");
        for effect in effects {
            let reference = effect.reference.unwrap_or_default().to_owned();
            taken.entry(reference).or_default().push(effect.amount);
        }
        Self(taken)
    }
}

/// `last`: the day of the last of so many runs.
pub fn audit(shared: &Shared, merchant: &Merchant, days: u32, last: Date) -> Result<Totals, String> {
    let ledger = Ledger::of(&shared.inner().gateway, shared.now().as_millis());
    let mut totals = Totals { effects: ledger.0.values().map(|taken| taken.len() as u64).sum(), ..Totals::default() };
    let mut known = BTreeSet::new();
    let (mut counted, mut attempts_failed) = (Counts::default(), 0);
    let mut days_run = BTreeSet::new();
    for stored in shared.schedules.items() {
        let Some(ItemKey::Recurring(_, key)) = stored.text(KEY).and_then(ItemKey::parse) else {
            return Err(format!("a strange key: {stored:?}"));
        };
        match key {
            RecurringKey::Schedule(_) => {
                let schedule = StoredSchedule::from_item(stored).expect("a schedule").schedule;
                for item in &schedule.items {
                    totals.processed += u64::from(check(&schedule, item, merchant, &ledger, &mut known)?);
                    let failures = item.failures.as_ref();
                    attempts_failed += failures.map_or(0, |failures| failures.recent.len() as u64);
                }
                let is_due = |item: &Item| item.target <= last && item.state == State::Ready;
                let waits = schedule.items.iter().any(is_due);
                if waits && schedule.status == Status::Open {
                    return Err(format!("{}: what was due is not charged: {:?}", schedule.id.id(), schedule.items));
                }
            }
            RecurringKey::Run(id) => {
                let run = StoredRun::from_item(stored).expect("a run").run;
                if run.status != RunStatus::Completed {
                    return Err(format!("run {} is {:?}", id.as_str(), run.status));
                }
                counted = counted.plus(run.counts);
                let Run { scheduler, takes, .. } = &run;
                match scheduler {
                    Some(_) => {
                        totals.runs += 1;
                        if !days_run.insert(format!("{takes:?}")) {
                            return Err(format!("two runs of one day: {takes:?}"));
                        }
                    }
                    None => totals.retry_runs += 1,
                }
            }
            RecurringKey::Scheduler(_) => {
                let scheduler = StoredScheduler::from_item(stored).expect("a scheduler").scheduler;
                if scheduler.status != SchedulerStatus::Completed {
                    return Err(format!("the scheduler is {:?}", scheduler.status));
                }
            }
            RecurringKey::Lane(..) => {}
        }
    }
    totals.failed = attempts_failed;
    if totals.runs != u64::from(days) {
        return Err(format!("{} runs in {days} days", totals.runs));
    }
    if let Some((reference, taken)) = ledger.0.iter().find(|(reference, _)| !known.contains(*reference)) {
        return Err(format!("{taken:?} was taken for {reference}, which no item knows"));
    }
    if (counted.processed, counted.failed) != (totals.processed, totals.failed) {
        return Err(format!("the runs counted {counted:?}, and there are {totals:?}"));
    }
    Ok(totals)
}

/// Whether the item was processed: then it was taken once, and otherwise never.
fn check(
    schedule: &Schedule,
    item: &Item,
    merchant: &Merchant,
    ledger: &Ledger,
    known: &mut BTreeSet<String>,
) -> Result<bool, String> {
    let mut taken: Vec<u64> = Vec::new();
    for attempt in 1..=item.attempts {
        let key = schedule.sale_key(item.number, attempt);
        let payment = PaymentId::opened_by(&merchant.id, &key);
        let reference = Record::Payment.id(payment, Ordinal::FIRST).to_string();
        taken.extend(ledger.0.get(&reference).into_iter().flatten().copied());
        known.insert(reference);
    }
    let name = || format!("{} {item:?}: taken {taken:?}", schedule.id.item_id(item.number));
    let is_processed = match &item.state {
        State::Processed { .. } => true,
        State::Failed { retry: None, .. } | State::Canceled { .. } | State::Draft | State::Ready => false,
        State::Processing(_) => return Err(format!("{} is still being charged", name())),
        State::Failed { retry: Some(_), .. } if schedule.status != Status::Open => false,
        State::Failed { retry: Some(_), .. } => return Err(format!("{} is not tried again", name())),
    };
    let expected: Vec<u64> = if is_processed { vec![item.amount.unsigned_abs()] } else { Vec::new() };
    if taken == expected { Ok(is_processed) } else { Err(name()) }
}
