//! Whether each item was charged exactly once, as the stores and the gateway's ledger have it, and what time it took.

use std::collections::BTreeSet;

use kessai_functions::sandbox::Kind;
use kessai_shared::ids::{ItemKey, Ordinal, PaymentId, PaymentKey, Record};
use kessai_shared::memory::Memory;
use kessai_shared::payment::{State, Verdict};
use kessai_shared::ports::Store;
use kessai_shared::recurring::ids::{Cause, ItemNumber, RecurringKey, RunId};
use kessai_shared::recurring::run::{Counts, Run, Status};
use kessai_shared::recurring::schedule;
use kessai_shared::recurring::scheduler::Scheduler;
use kessai_shared::stored::Item;
use kessai_shared::stored::payment::Stored;
use kessai_shared::stored::recurring::run::StoredRun;
use kessai_shared::stored::recurring::schedule::StoredSchedule;

use crate::fill;
use crate::time::{at_once, locked};
use crate::world::World;

/// How long this thread has been on a processor.
pub fn on_processor_ns() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells of each thread");
    told.split(' ').next().and_then(|spent| spent.parse().ok()).expect("nanoseconds")
}

/// The run of that day, which has charged everything, each item once.
pub fn run(world: &World, scheduler: &Scheduler, items: u64) -> Run {
    let id = RunId::of(&world.merchant.id, Cause::Scheduled(scheduler.id, fill::occasion().date));
    let run = StoredRun::from_item(recurring(world, RecurringKey::Run(id))).expect("a run").run;
    assert_eq!(run.status, Status::Completed);
    assert_eq!(run.counts, Counts { listed: items, seen: items, processed: items, failed: 0, pending: 0 });
    let references = ledger(world, items);
    for number in 0..items {
        let id = fill::schedule_id(world, number);
        let item = recurring(world, RecurringKey::Schedule(id));
        let schedule = StoredSchedule::from_item(item).expect("a schedule").schedule;
        assert_eq!(schedule.status, schedule::Status::Completed);
        let [item] = schedule.items.as_slice() else { panic!("one item was made, and no other") };
        assert!(matches!(item.state, schedule::State::Processed { .. }) && item.attempts == 1, "{item:?}");
        let payment = PaymentId::opened_by(&world.merchant.id, &schedule.sale_key(ItemNumber::FIRST, 1));
        assert_eq!(item.payment, Some(Record::Payment.id(payment, Ordinal::FIRST)));
        let key = PaymentKey { merchant: world.merchant.id, payment };
        let payment = Stored::from_item(read(&world.payments, ItemKey::Payment(key))).expect("a payment").payment;
        let sale = payment.operation(Ordinal::FIRST).expect("its first operation");
        let is_approved = matches!(&sale.state, State::Settled(settled) if settled.verdict == Verdict::Approved);
        assert!(is_approved && sale.amount.minor == fill::amount(number), "{sale:?}");
        let reference = item.payment.map(|id| id.to_string()).unwrap_or_default();
        assert!(references.contains(&reference), "{reference}: not in the gateway's ledger");
    }
    run
}

/// The references of the gateway's ledger: so many sales, each under a reference of its own, and nothing else.
pub fn ledger(world: &World, items: u64) -> BTreeSet<String> {
    let sandbox = locked(&world.sandbox);
    let (mut count, mut sum, mut references) = (0_u64, 0_u64, BTreeSet::new());
    for effect in sandbox.effects(world.time.now().as_millis()) {
        assert!(effect.kind == Kind::Sale && effect.status == "approved" && !effect.voided, "{}", effect.id);
        count += 1;
        sum += effect.amount;
        references.insert(effect.reference.expect("a reference").to_owned());
    }
    let asked: i64 = (0..items).map(fill::amount).sum();
    assert_eq!((count, references.len() as u64, sum), (items, items, asked.unsigned_abs()));
    references
}

fn recurring(world: &World, key: RecurringKey) -> Item {
    read(&world.schedules, ItemKey::Recurring(world.merchant.id, key))
}

fn read(store: &Memory, key: ItemKey) -> Item {
    let item = at_once(Store::read(store, &key.to_string()));
    item.expect("memory does not fail").unwrap_or_else(|| panic!("{key} is not there"))
}
