//! What a typical schedule costs: one write unit.

use super::{charge, dates, day, item, number, run_id, subscription};
use crate::ids::{Id, Ordinal};
use crate::payment::outbox::News;
use crate::payment::tests::fixtures::{key, method_id};
use crate::recurring::schedule::{Item, KEPT, Schedule, State, Tried};
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
