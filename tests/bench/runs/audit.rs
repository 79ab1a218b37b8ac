//! Whether each item was charged exactly once, as the stores and the gateway's ledger have it.

use std::collections::BTreeSet;

use kessai_functions::sandbox::Kind;
use kessai_shared::ids::{ItemKey, MerchantId, Ordinal, PaymentId, PaymentKey, Record};
use kessai_shared::payment::{State, Verdict};
use kessai_shared::recurring::ids::{Cause, ItemNumber, RecurringKey, RunId, SchedulerId};
use kessai_shared::recurring::run::{Counts, Run, Status};
use kessai_shared::recurring::schedule;
use kessai_shared::stored::Item;
use kessai_shared::stored::payment::Stored;
use kessai_shared::stored::recurring::run::StoredRun;
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use kessai_shared::time::Timestamp;

use crate::fill;
use crate::resting::{Resting, Table};
use crate::world::World;

/// The run of that day, which has charged everything, each item once.
pub fn run(world: &World, scheduler: SchedulerId, items: u64) -> Run {
    let (merchant, now) = (world.merchant.id, world.time.now());
    world.rests.at_once(move |resting| {
        let id = RunId::of(&merchant, Cause::Scheduled(scheduler, fill::occasion().date));
        let key = RecurringKey::Run(id);
        let run = StoredRun::from_item(read(&resting.schedules, ItemKey::Recurring(merchant, key))).expect("a run").run;
        assert_eq!(run.status, Status::Completed);
        assert_eq!(run.counts, Counts { listed: items, seen: items, processed: items, failed: 0, pending: 0 });
        let references = references(resting, now, items);
        for number in 0..items {
            item(resting, merchant, number, &references);
        }
        run
    })
}

/// The item was charged, by one sale that the gateway knows.
fn item(resting: &Resting, merchant: MerchantId, number: u64, references: &BTreeSet<String>) {
    let key = RecurringKey::Schedule(fill::schedule_id(&merchant, number));
    let item = read(&resting.schedules, ItemKey::Recurring(merchant, key));
    let schedule = StoredSchedule::from_item(item).expect("a schedule").schedule;
    assert_eq!(schedule.status, schedule::Status::Completed);
    let [item] = schedule.items.as_slice() else { panic!("one item was made, and no other") };
    assert!(matches!(item.state, schedule::State::Processed { .. }) && item.attempts == 1, "{item:?}");
    let payment = PaymentId::opened_by(&merchant, &schedule.sale_key(ItemNumber::FIRST, 1));
    assert_eq!(item.payment, Some(Record::Payment.id(payment, Ordinal::FIRST)));
    let key = ItemKey::Payment(PaymentKey { merchant, payment });
    let payment = Stored::from_item(read(&resting.payments, key)).expect("a payment").payment;
    let sale = payment.operation(Ordinal::FIRST).expect("its first operation");
    let is_approved = matches!(&sale.state, State::Settled(settled) if settled.verdict == Verdict::Approved);
    assert!(is_approved && sale.amount.minor == fill::amount(number), "{sale:?}");
    let reference = item.payment.map(|id| id.to_string()).unwrap_or_default();
    assert!(references.contains(&reference), "{reference}: not in the gateway's ledger");
}

/// The gateway's ledger has so many sales, and nothing else.
pub fn ledger(world: &World, items: u64) {
    let now = world.time.now();
    world.rests.at_once(move |resting| drop(references(resting, now, items)));
}

/// The references of the gateway's ledger: so many sales, each under a reference of its own, and nothing else.
fn references(resting: &Resting, now: Timestamp, items: u64) -> BTreeSet<String> {
    let (mut count, mut sum, mut references) = (0_u64, 0_u64, BTreeSet::new());
    for effect in resting.sandbox.effects(now.as_millis()) {
        assert!(effect.kind == Kind::Sale && effect.status == "approved" && !effect.voided, "{}", effect.id);
        count += 1;
        sum += effect.amount;
        references.insert(effect.reference.expect("a reference").to_owned());
    }
    let asked: i64 = (0..items).map(fill::amount).sum();
    assert_eq!((count, references.len() as u64, sum), (items, items, asked.unsigned_abs()));
    references
}

fn read(table: &Table, key: ItemKey) -> Item {
    table.read(&key.to_string()).unwrap_or_else(|| panic!("{key} is not there"))
}
