//! What recurs, as items of its table.

mod broken;
mod carried;
mod golden;
mod lists;
mod random;
mod round_trip;
mod size;

use crate::payment::Outbox;
use crate::payment::asked::AccountId;
use crate::payment::tests::fixtures::{START, dollars, gateway_id, key, merchant, method_id};
use crate::recurring::calendar::{self, Date, MonthDay, Rhythm, Unit};
use crate::recurring::ids::{Cause, ItemNumber, RunId, ScheduleId};
use crate::recurring::schedule::{Item as Charge, Past, Recurrence, Schedule, State, Status};
use crate::stored::Item;
use crate::stored::recurring::schedule::StoredSchedule;
use crate::time::Timestamp;

fn day(text: &str) -> Date {
    Date::parse(text).expect("a day")
}

fn number(number: u16) -> ItemNumber {
    ItemNumber::new(number).expect("in range")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(START.as_millis() + seconds * 1000)
}

fn run_id() -> RunId {
    RunId::of(&merchant(), Cause::Retries(START))
}

fn charge(of: u16, target: &str, state: State) -> Charge {
    Charge {
        number: number(of),
        amount: 1_000,
        target: day(target),
        method: None,
        matching_value: None,
        comments: None,
        occurrence: None,
        made: None,
        state,
        attempts: 0,
        tried_by: None,
        tried_with: None,
        failures: None,
        payment: None,
    }
}

fn dates(rhythm: Rhythm, last: Option<Date>, count: Option<u32>) -> calendar::Recurrence {
    calendar::Recurrence::new(rhythm, day("2026-01-28"), last, count).expect("dates")
}

/// A monthly subscription with its next charge.
fn subscription() -> Schedule {
    let rhythm = Rhythm::each(Unit::Months(MonthDay::day(28).expect("a day of the month")));
    Schedule {
        merchant: merchant(),
        id: ScheduleId::made_under(&merchant(), &key("schedule 1")),
        version: 7,
        key: key("schedule 1"),
        asked: [0xA5; 16],
        created_at: START,
        status: Status::Open,
        account: AccountId::parse("001xx000003DHP0AAO"),
        gateway: gateway_id(),
        method: method_id(),
        currency: dollars(),
        total_requested: None,
        reference: None,
        comments: None,
        recurrence: Some(Recurrence {
            dates: dates(rhythm, None, None),
            amount: 1_000,
            matching_value: None,
            next: Some(1),
            skipped: Vec::new(),
        }),
        items: vec![Charge { occurrence: Some(0), ..charge(1, "2026-01-28", State::Ready) }],
        last_number: 1,
        past: Past::default(),
        outbox: Outbox::default(),
    }
}

fn item(schedule: &Schedule) -> Item {
    StoredSchedule::following(None, schedule.clone()).to_item()
}
