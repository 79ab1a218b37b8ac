//! Schedulers: what they take, when they start runs, and what may become of them.

use std::time::Duration;

use super::*;
use crate::payment::tests::fixtures::{key, merchant};
use crate::recurring::calendar::{Recurrence, Rhythm, TimeOfDay, Unit, Zone};
use crate::recurring::ids::RunId;
use crate::recurring::run;

fn date(text: &str) -> Date {
    Date::parse(text).expect("a date")
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

/// Each day at five past two from the fifth of January on, until that day.
fn daily(until: Option<&str>, zone: &str) -> Timetable {
    let rhythm = Rhythm::each(Unit::Days);
    Timetable {
        dates: Recurrence::new(rhythm, date("2026-01-05"), until.map(date), None).expect("dates"),
        at: TimeOfDay::parse("02:05").expect("a time"),
        zone: Zone::parse(zone).expect("a zone"),
    }
}

fn asked(timetable: Timetable, status: Status) -> Asked {
    Asked {
        key: key("nightly"),
        hash: [7; 16],
        name: "Nightly".to_owned(),
        comments: None,
        timetable,
        criteria: Criteria { matches: Matches::None, filters: vec![filter(FilterOperation::Equals, "gold")] },
        status,
    }
}

/// Made on the first of January.
fn scheduler(timetable: Timetable, status: Status) -> Scheduler {
    Scheduler::new(merchant(), asked(timetable, status), at("2026-01-01"))
}

fn filter(operation: FilterOperation, value: &str) -> Filter {
    Filter { operation, value: value.to_owned(), sequence: 1 }
}

/// Starts all runs whose time has come; their days, and what is left.
fn caught_up(mut scheduler: Scheduler, now: Timestamp) -> (Vec<Date>, Scheduler) {
    let mut days = Vec::new();
    while let Some((run, moved)) = scheduler.started(now) {
        let Takes::ReadyOn(day) = run.takes else { panic!("{run:?}") };
        assert_eq!(run.id, RunId::of(&merchant(), Cause::Scheduled(scheduler.id, day)));
        assert_eq!((run.scheduler, run.status, run.due), (Some(scheduler.id), run::Status::New, Some(now)));
        assert_eq!(run.criteria, scheduler.criteria);
        assert_eq!((moved.version, moved.last_run), (scheduler.version + 1, Some(day)));
        days.push(day);
        scheduler = moved;
    }
    (days, scheduler)
}

#[test]
fn criteria_take_what_their_filters_say() {
    use FilterOperation::{Equals, InList, NotEquals};
    let gold = || filter(Equals, "gold");
    let not_gold = || filter(NotEquals, "gold");
    let listed = || filter(InList, "silver, gold,bronze");
    let values = [Some("gold"), Some("silver"), Some("sil"), Some(""), None];
    // Of each value, whether it is taken where one filter must hold.
    let rows = [
        (vec![gold()], [true, false, false, false, false]),
        (vec![not_gold()], [false, true, true, true, true]),
        (vec![listed()], [true, true, false, false, false]),
        (vec![gold(), filter(Equals, "silver")], [true, true, false, false, false]),
        (vec![not_gold(), listed()], [true; 5]),
        (vec![filter(NotEquals, "silver"), filter(Equals, "sil")], [true, false, true, true, true]),
    ];
    for (filters, taken) in rows {
        for (value, is_taken) in values.into_iter().zip(taken) {
            let take = |matches| Criteria { matches, filters: filters.clone() }.take(value);
            assert_eq!(take(Matches::Any), is_taken, "any of {filters:?}: {value:?}");
            assert_eq!(take(Matches::None), !is_taken, "none of {filters:?}: {value:?}");
        }
    }
    for matches in [Matches::Any, Matches::None] {
        for value in values {
            assert!(Criteria { matches, filters: Vec::new() }.take(value), "without a filter {value:?} is taken");
        }
    }
}

#[test]
fn each_time_that_has_come_has_its_run_one_at_a_time_in_order() {
    let waiting = scheduler(daily(None, "UTC"), Status::Active);
    let first = Occasion { date: date("2026-01-05"), at: at("2026-01-05T02:05:00Z") };
    assert_eq!((waiting.next_run, waiting.last_run), (Some(first), None));
    assert_eq!(waiting.started(at("2026-01-05T02:04:59.999Z")), None);
    let (days, left) = caught_up(waiting.clone(), first.at);
    assert_eq!(days, [first.date], "at the time itself");
    assert_eq!(left.next_run, Some(Occasion { date: date("2026-01-06"), at: at("2026-01-06T02:05:00Z") }));
    // Nobody looked for days.
    let (days, left) = caught_up(waiting.clone(), at("2026-01-08T02:05:00Z"));
    assert_eq!(days, ["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"].map(date));
    assert_eq!(left.next_run.map(|next| next.date), Some(date("2026-01-09")));
    // Whoever starts one at another time starts the same.
    let (run, _) = waiting.started(first.at).expect("a run");
    let (again, _) = waiting.started(at("2026-01-09")).expect("a run");
    assert_eq!((run.id, run.takes), (again.id, again.takes));
}

#[test]
fn the_day_of_a_run_is_that_of_its_zone() {
    let tokyo = scheduler(daily(None, "Asia/Tokyo"), Status::Active);
    let next = tokyo.next_run.expect("a run");
    assert_eq!((next.date, next.at), (date("2026-01-05"), at("2026-01-04T17:05:00Z")));
    assert_eq!(caught_up(tokyo, next.at).0, [date("2026-01-05")]);
}

#[test]
fn with_its_last_run_it_is_completed() {
    let waiting = scheduler(daily(Some("2026-01-06"), "UTC"), Status::Active);
    let (days, left) = caught_up(waiting.clone(), at("2026-01-06T02:04:00Z"));
    assert_eq!((days.len(), left.status), (1, Status::Active));
    let (days, left) = caught_up(waiting, at("2027-01-01"));
    assert_eq!(days, ["2026-01-05", "2026-01-06"].map(date));
    assert_eq!((left.status, left.next_run, left.last_run), (Status::Completed, None, Some(date("2026-01-06"))));
    let over = Scheduler::new(merchant(), asked(daily(Some("2026-01-06"), "UTC"), Status::Active), at("2026-01-07"));
    assert_eq!((over.status, over.next_run), (Status::Completed, None), "its times are past");
}

#[test]
fn one_that_is_not_active_starts_nothing() {
    let far = at("2027-01-01");
    for status in [Status::Draft, Status::Inactive, Status::Canceled] {
        let idle = scheduler(daily(None, "UTC"), status);
        assert_eq!((idle.status, idle.next_run, idle.started(far)), (status, None, None));
    }
    // Even where a time has stayed behind.
    let active = scheduler(daily(None, "UTC"), Status::Active);
    for status in Status::ALL.into_iter().filter(|status| *status != Status::Active) {
        assert_eq!(Scheduler { status, ..active.clone() }.started(far), None, "{status:?}");
    }
}

#[test]
fn a_status_becomes_what_it_may_become() {
    use Status::{Active, Canceled, Completed, Draft, Inactive};
    let now = at("2026-01-02");
    // To draft, active, inactive, canceled, completed.
    let rows = [
        (Draft, [true, true, true, true, false]),
        (Active, [false, true, true, true, false]),
        (Inactive, [false, true, true, true, false]),
        (Canceled, [false, false, false, true, false]),
        (Completed, [false; 5]),
    ];
    for (from, allowed) in rows {
        let before = Scheduler { status: from, ..scheduler(daily(None, "UTC"), Draft) };
        for (to, is_allowed) in Status::ALL.into_iter().zip(allowed) {
            let after = before.with_status(to, now);
            assert_eq!(after.is_some(), is_allowed, "{from:?} to {to:?}");
            let Some(after) = after else { continue };
            assert_eq!((after.status, after.version), (to, before.version + 1), "{from:?} to {to:?}");
            assert_eq!(after.next_run.is_some(), to == Active, "{from:?} to {to:?}");
        }
    }
}

#[test]
fn times_at_which_it_was_not_active_are_not_made_up_for_and_a_day_has_one_run() {
    let (_, ran) = caught_up(scheduler(daily(None, "UTC"), Status::Active), at("2026-01-05T02:05:00Z"));
    let paused = ran.with_status(Status::Inactive, at("2026-01-05T12:00:00Z")).expect("it is paused");
    let resumed = paused.with_status(Status::Active, at("2026-01-09")).expect("it is resumed");
    assert_eq!(resumed.next_run.map(|next| next.date), Some(date("2026-01-09")));
    assert_eq!(caught_up(resumed, at("2026-01-10T12:00:00Z")).0, ["2026-01-09", "2026-01-10"].map(date));
    // The clock of whoever resumes it is behind that of whoever started the day's run.
    let behind = paused.with_status(Status::Active, at("2026-01-05T02:04:59Z")).expect("it is resumed");
    assert_eq!(behind.next_run.map(|next| next.date), Some(date("2026-01-06")));
    let last = scheduler(daily(Some("2026-01-05"), "UTC"), Status::Inactive);
    let late = last.with_status(Status::Active, at("2026-01-06")).expect("it may be asked for");
    assert_eq!((late.status, late.next_run), (Status::Completed, None));
}

#[test]
fn an_item_waits_for_the_run_of_its_day_or_the_first_after_it() {
    let weekly = |zone: &str| Timetable {
        dates: Recurrence::new(Rhythm::new(7, Unit::Days).expect("a rhythm"), date("2026-01-05"), None, None)
            .expect("dates"),
        ..daily(None, zone)
    };
    let waiting = scheduler(weekly("UTC"), Status::Active);
    let rows = [
        ("2025-12-01", "2026-01-05"),
        ("2026-01-05", "2026-01-05"),
        ("2026-01-06", "2026-01-12"),
        ("2026-01-12", "2026-01-12"),
    ];
    for (target, day) in rows {
        let run = waiting.run_for(date(target)).expect("a run");
        assert_eq!((run.date, run.at), (date(day), at(day).plus(Duration::from_secs(2 * 3600 + 5 * 60))), "{target}");
    }
    let ends = scheduler(daily(Some("2026-01-06"), "UTC"), Status::Active);
    assert_eq!(ends.run_for(date("2026-01-07")), None, "it has ended by then");
    assert_eq!(scheduler(weekly("UTC"), Status::Inactive).run_for(date("2026-01-05")), None);
}
