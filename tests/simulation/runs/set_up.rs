//! What there is when a history begins: schedules, their schedulers, and by which rules what fails is tried again.

use std::sync::{Arc, LazyLock};

use kessai_functions::sandbox::method_id;
use kessai_shared::ids::{MerchantId, MethodId};
use kessai_shared::memory::Memory;
use kessai_shared::merchant::Merchant;
use kessai_shared::merchant::retry::ListedRuleSet;
use kessai_shared::method::Details;
use kessai_shared::money::Currency;
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::payment::asked::AccountId;
use kessai_shared::recurring::calendar::{Date, Recurrence, Rhythm, TimeOfDay, Timetable, Unit, Zone};
use kessai_shared::recurring::ids::ScheduleId;
use kessai_shared::recurring::retry::{IntervalType, IntervalUnit, RuleSetStatus, Timing};
use kessai_shared::recurring::schedule::making::{Asked, AskedItem, AskedRecurrence, Charges};
use kessai_shared::recurring::scheduler::{self, Criteria, Filter, FilterOperation, Matches};

use super::plan::Plan;
use crate::cast::{cast, vault};

/// The days on which the schedulers run.
pub const DAYS: u32 = 4;

/// How often what failed is tried again.
pub const RETRIES: u16 = 2;

/// Who pays, where anybody is known.
const PAYER: &str = "001000000000001AAA";

/// With what: approved, declined softly and for good, accepted and approved or declined later.
const CODES: [u16; 9] = [0, 0, 0, 0, 9001, 9002, 9006, 9018, 9019];

/// What items may be told apart by.
const VALUES: [Option<&str>; 3] = [None, Some("gold"), Some("silver")];

pub fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("a key")
}

pub fn day(after: i64) -> Date {
    let first = Date::parse("2026-11-01").expect("a date");
    every_day().occurrence(first, u32::try_from(after).expect("not before")).expect("a date")
}

fn every_day() -> Rhythm {
    Rhythm::new(1, Unit::Days).expect("a rhythm")
}

/// The schedule with that number.
pub fn schedule_id(merchant: &MerchantId, number: u32) -> ScheduleId {
    ScheduleId::made_under(merchant, &schedule_key(number))
}

fn schedule_key(number: u32) -> IdempotencyKey {
    key(&format!("schedule {number}"))
}

/// The methods of all merchants, each the payer's; those that are approved are for automatic payments.
pub fn methods() -> Arc<Memory> {
    static METHODS: LazyLock<Arc<Memory>> = LazyLock::new(|| {
        let details = |code| Details { account: AccountId::parse(PAYER), auto_pay: code == 0, ..Details::default() };
        Arc::new(vault(&cast().merchants, &cast().sealing_keys, details))
    });
    METHODS.clone()
}

pub fn schedule(plan: &Plan, merchant: &Merchant, random: &mut fastrand::Rng, number: u32) -> Asked {
    // Only the first class can be asked for the verdict of what it accepted, and nobody tells here.
    let known = if plan.seed.is_multiple_of(3) { CODES.len() } else { CODES.len() - 2 };
    let method = method_id(CODES[random.usize(0..known)]);
    let amount = i64::from(random.u32(1..9_000));
    let charges = match random.bool() {
        true => Charges::Recurrence(AskedRecurrence {
            rhythm: Rhythm::new(random.u16(1..3), Unit::Days).expect("a rhythm"),
            start: day(0),
            trial_days: None,
            until: None,
            count: Some(random.u32(1..4)),
            amount,
            matching_value: value(random),
        }),
        false => {
            let item = |random: &mut fastrand::Rng| AskedItem {
                amount,
                target: day(random.i64(0..3)),
                method: None,
                matching_value: value(random),
                comments: None,
                is_draft: false,
                made: None,
            };
            let count = random.usize(1..4);
            Charges::Items((0..count).map(|_| item(random)).collect())
        }
    };
    Asked {
        merchant: merchant.id,
        key: schedule_key(number),
        hash: [0; 16],
        is_draft: false,
        account: AccountId::parse(PAYER).filter(|_| plan.other_method),
        gateway: cast().gateway,
        method: MethodId::parse(&method).expect("a method"),
        currency: Currency::parse("USD").expect("a currency"),
        total_requested: None,
        reference: None,
        comments: None,
        charges,
    }
}

fn value(random: &mut fastrand::Rng) -> Option<String> {
    VALUES[random.usize(0..VALUES.len())].map(str::to_owned)
}

/// One scheduler that takes everything; or two, of which each takes what the other leaves.
pub fn schedulers(plan: &Plan) -> Vec<scheduler::Asked> {
    let filter = |operation, value: &str, sequence| Filter { operation, value: value.to_owned(), sequence };
    let listed = vec![filter(FilterOperation::InList, "gold, silver", 1)];
    let either = vec![filter(FilterOperation::Equals, "gold", 1), filter(FilterOperation::Equals, "silver", 2)];
    let second = if plan.at_once { "02:05" } else { "08:05" };
    let criteria = match plan.shares {
        false => vec![("02:05", Criteria::default())],
        true => vec![
            ("02:05", Criteria { matches: Matches::None, filters: listed }),
            (second, Criteria { matches: Matches::Any, filters: either }),
        ],
    };
    criteria.into_iter().enumerate().map(|(number, (at, criteria))| scheduler(number, at, criteria)).collect()
}

fn scheduler(number: usize, at: &str, criteria: Criteria) -> scheduler::Asked {
    let timetable = Timetable {
        dates: Recurrence::new(every_day(), day(0), None, Some(DAYS)).expect("days"),
        at: TimeOfDay::parse(at).expect("a time"),
        zone: Zone::parse("UTC").expect("a zone"),
    };
    scheduler::Asked {
        key: key(&format!("scheduler {number}")),
        hash: [0; 16],
        name: "Daily".to_owned(),
        comments: None,
        timetable,
        criteria,
        status: scheduler::Status::Active,
    }
}

/// Retries an hour apart.
pub fn rules(plan: &Plan) -> ListedRuleSet {
    ListedRuleSet {
        name: "Again".to_owned(),
        status: RuleSetStatus::Active,
        is_default: true,
        can_use_other_method: plan.other_method,
        defaults: Timing {
            interval_type: Some(IntervalType::Fixed),
            interval_value: Some("1".to_owned()),
            interval_unit: Some(IntervalUnit::Hours),
            maximum_retry_count: Some(RETRIES.into()),
        },
        description: None,
        made: None,
    }
}
