//! What a typical schedule costs: one write unit.

use super::{charge, dates, day, item, number, run_id, subscription};
use crate::ids::{Id, Ordinal};
use crate::payment::Decline;
use crate::payment::outbox::News;
use crate::payment::tests::fixtures::{key, method_id};
use crate::recurring::retry::{Category, Decision};
use crate::recurring::schedule::outbox::{Attempt, Turn};
use crate::recurring::schedule::{
    FailedTry, Failure, Failures, Item, KEPT, MAX_WAITING, Retry, Schedule, State, Tried,
};
use crate::stored::recurring::schedule::MAX_SIZE;
use crate::time::Timestamp;

/// Moments have all their digits, as real ones do.
const NOW: Timestamp = Timestamp::from_millis(1_790_000_012_345);

/// As callers fill it in.
fn typical() -> Schedule {
    let text = |text: &str| Some(text.to_owned());
    let mut schedule = Schedule {
        key: key("01920b0e-7c3a-7b60-9d2e-2f6a3c1b4d5e"),
        version: 12_345,
        created_at: NOW,
        reference: text("801xx000003DHP0AAO"),
        comments: Some("c".repeat(40)),
        ..subscription()
    };
    if let Some(recurrence) = &mut schedule.recurrence {
        recurrence.dates = dates(recurrence.dates.rhythm(), Some(day("2027-12-28")), None);
        recurrence.matching_value = text("subscriptions");
    }
    schedule
}

#[test]
fn a_typical_schedule_is_one_write_unit() {
    let mut schedule = typical();
    schedule.outbox.push(Ordinal::FIRST, News::Created, NOW);
    let item = item(&schedule);
    assert_eq!(item.write_units(), 1, "{} bytes", item.size_bytes());
}

#[test]
fn what_ended_and_is_kept_makes_it_four() {
    let mut schedule = typical();
    let ended = (2..).take(KEPT).map(|place| Item {
        number: number(place),
        occurrence: Some(u32::from(place)),
        attempts: 1,
        tried_by: Some(Tried { run: run_id(), page: 1 }),
        tried_with: Some(method_id()),
        payment: Some(Id::with_number("0aQ", u128::MAX)),
        ..charge(1, "2026-01-28", State::Processed { at: NOW })
    });
    schedule.items.extend(ended);
    let item = item(&schedule);
    assert_eq!(item.write_units(), 4, "{} bytes", item.size_bytes());
}

/// As often as card networks let it be tried, each time by another run, and with all that a gateway may say.
fn often_failed(waiting: &Item) -> Item {
    const TRIES: u16 = 15;
    let by = Tried { run: run_id(), page: 1_000 };
    let last = Failure {
        category: Category::GatewayConnection,
        decision: Decision::NonRetriable,
        decline: Some(Decline::RequiresReview),
        code: Some("5".repeat(40)),
        message: Some("\u{1f4b3}".repeat(255)),
    };
    let recent = vec![FailedTry { at: NOW, by }; usize::from(TRIES)];
    Item {
        attempts: TRIES,
        tried_by: Some(by),
        tried_with: Some(method_id()),
        payment: Some(Id::with_number("0aQ", u128::MAX)),
        failures: Some(Failures { count: TRIES, first_at: NOW, recent, last }),
        state: State::Failed { at: NOW, retry: Some(Retry { at: NOW, with_other_method: true }) },
        ..waiting.clone()
    }
}

#[test]
fn whatever_becomes_of_what_waits_fits_into_the_store() {
    const STORE: usize = 400 * 1024;
    let mut schedule = typical();
    let comments = Some("\u{e9}".repeat(960));
    let waiting = (1..).take(MAX_WAITING).map(|place| Item {
        number: number(place),
        comments: comments.clone(),
        ..charge(1, "2026-01-28", State::Ready)
    });
    schedule.items = waiting.collect();
    let before = item(&schedule).size_bytes();
    assert!(before <= MAX_SIZE && before > MAX_SIZE - 2_048, "{before} bytes: as much as may be asked for");
    schedule.items = schedule.items.iter().map(often_failed).collect();
    for waited in &schedule.items {
        let turn = Turn::Failed(Attempt { item: waited.number, number: waited.attempts });
        schedule.outbox.push(Ordinal::FIRST, News::Schedule(turn), NOW);
    }
    let after = item(&schedule).size_bytes();
    assert!(after <= STORE && after > STORE * 7 / 8, "{after} bytes");
}
