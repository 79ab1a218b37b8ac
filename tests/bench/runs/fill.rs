//! What there is before time comes: a scheduler, and schedules of one item each, all due on its day.

use kessai_shared::ids::MerchantId;
use kessai_shared::money::Currency;
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::payment::asked::AccountId;
use kessai_shared::recurring::calendar::{Date, Occasion, Recurrence, Rhythm, TimeOfDay, Timetable, Unit, Zone};
use kessai_shared::recurring::ids::ScheduleId;
use kessai_shared::recurring::schedule::Schedule;
use kessai_shared::recurring::schedule::making::{Asked, AskedItem, Charges};
use kessai_shared::recurring::scheduler::{self, Criteria, Scheduler};
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use kessai_shared::stored::recurring::scheduler::StoredScheduler;

use crate::world::World;

const DAY: &str = "2026-11-30";
const TIME: &str = "03:00";

/// Payers: as many have several schedules as have one.
const ACCOUNTS: u64 = 700_000;

/// What an item comes to, in minor units: between 10.00 and 89.99, none of which the sandbox takes for a code of its own.
pub fn amount(number: u64) -> i64 {
    i64::try_from(1_000 + number % 8_000).expect("small")
}

pub fn currency() -> Currency {
    Currency::parse("USD").expect("a currency")
}

pub fn account(number: u64) -> AccountId {
    AccountId::parse(&format!("001{:012}", number % ACCOUNTS)).expect("an account")
}

pub fn schedule_id(merchant: &MerchantId, number: u64) -> ScheduleId {
    ScheduleId::made_under(merchant, &key(number))
}

fn key(number: u64) -> IdempotencyKey {
    IdempotencyKey::parse(&format!("schedule-{number}")).expect("a key")
}

/// When the scheduler's time comes.
pub fn occasion() -> Occasion {
    let zone = Zone::parse("Europe/Berlin").expect("a zone");
    let date = Date::parse(DAY).expect("a day");
    Occasion { date, at: zone.instant(date, TimeOfDay::parse(TIME).expect("a time")).expect("an instant") }
}

/// The scheduler.
pub fn scheduler(world: &World) -> Scheduler {
    let Occasion { date, .. } = occasion();
    let dates = Recurrence::new(Rhythm::each(Unit::Days), date, None, None).expect("each day");
    let (at, zone) = (TimeOfDay::parse(TIME).expect("a time"), Zone::parse("Europe/Berlin").expect("a zone"));
    let asked = scheduler::Asked {
        key: IdempotencyKey::parse("each night").expect("a key"),
        hash: [1; 16],
        name: "each night".to_owned(),
        comments: None,
        timetable: Timetable { dates, at, zone },
        criteria: Criteria::default(),
        status: scheduler::Status::Active,
    };
    let scheduler = Scheduler::new(world.merchant.id, asked, world.time.now());
    let item = StoredScheduler::following(None, scheduler.clone()).to_item();
    let now = world.time.now();
    world.rests.put(move |resting| resting.schedules.put(item.clone(), now));
    scheduler
}

/// So many schedules; the world makes them itself.
pub fn schedules(world: &World, count: u64) {
    let (merchant, gateway, method, now) = (world.merchant.id, world.gateway, world.method, world.time.now());
    let target = occasion().date;
    let schedule = move |number| {
        let item = AskedItem {
            amount: amount(number),
            target,
            method: None,
            matching_value: None,
            comments: None,
            is_draft: false,
            made: None,
        };
        let asked = Asked {
            merchant,
            key: key(number),
            hash: [2; 16],
            is_draft: false,
            account: Some(account(number)),
            gateway,
            method,
            currency: currency(),
            total_requested: None,
            reference: None,
            comments: None,
            charges: Charges::Items(vec![item]),
        };
        Schedule::make(asked, now).expect("a schedule")
    };
    world.rests.at_once(move |resting| {
        for number in 0..count {
            resting.schedules.put(StoredSchedule::following(None, schedule(number)).to_item(), now);
        }
    });
}
