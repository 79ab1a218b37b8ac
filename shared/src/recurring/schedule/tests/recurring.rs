//! What recurs: its days, and what its owner leaves out, puts off, changes and ends.

use super::*;
use crate::recurring::schedule::{MAX_WAITING, Status};

/// The first of what waits is charged on its day and paid, so many times; the days.
fn paid(world: &mut World, times: usize) -> Vec<String> {
    let mut days = Vec::new();
    for _ in 0..times {
        let Some(day) = world.waiting().first().cloned() else { break };
        assert_eq!(world.waiting().len(), 1, "exactly one next occurrence");
        assert_eq!(world.pays_on(&day), [(day.clone(), 1_000)]);
        days.push(day);
    }
    days
}

#[test]
fn the_31st_is_the_last_day_of_shorter_months_and_the_31st_again_after_them() {
    let mut world = World::of(subscription(monthly("2026-10-31")));
    let days = paid(&mut world, 24);
    let expected = [
        "2026-10-31",
        "2026-11-30",
        "2026-12-31",
        "2027-01-31",
        "2027-02-28",
        "2027-03-31",
        "2027-04-30",
        "2027-05-31",
        "2027-06-30",
        "2027-07-31",
        "2027-08-31",
        "2027-09-30",
        "2027-10-31",
        "2027-11-30",
        "2027-12-31",
        "2028-01-31",
        "2028-02-29",
        "2028-03-31",
        "2028-04-30",
        "2028-05-31",
        "2028-06-30",
        "2028-07-31",
        "2028-08-31",
        "2028-09-30",
    ];
    assert_eq!(days, expected);
    assert_eq!(world.schedule.amounts().processed, 24_000);
}

#[test]
fn a_leap_day_comes_again_in_the_next_leap_year() {
    let start = date("2028-02-29");
    let rhythm = Rhythm::each(Unit::Years(MonthDay::of(start)));
    let mut world = World::of(subscription(AskedRecurrence { rhythm, ..monthly("2028-02-29") }));
    assert_eq!(paid(&mut world, 5), ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]);
}

#[test]
fn after_a_trial_the_first_charge_is_that_many_days_later() {
    let first = crate::recurring::schedule::making::first_charge(date("2026-10-01"), Some(14)).expect("a day");
    assert_eq!(first, date("2026-10-15"));
    let rows = [
        // On the day of the first charge, and on the day of the start, which comes after the trial.
        (MonthDay::of(first), ["2026-10-15", "2026-11-15"]),
        (MonthDay::day(1).expect("a day"), ["2026-11-01", "2026-12-01"]),
    ];
    for (day, expected) in rows {
        let rhythm = Rhythm::each(Unit::Months(day));
        let recurrence = AskedRecurrence { rhythm, trial_days: Some(14), ..monthly("2026-10-01") };
        let mut world = World::of(subscription(recurrence));
        assert_eq!(world.charge_on("2026-10-14"), None);
        assert_eq!(paid(&mut world, 2), expected);
    }
}

#[test]
fn it_is_completed_after_the_last_day_or_the_last_time() {
    let until = |day| Some(date(day));
    let rows = [
        (None, Some(3), 3),
        (until("2026-12-31"), None, 3),
        (until("2026-12-30"), None, 2),
        (until("2026-12-31"), Some(2), 2),
        (until("2026-10-31"), None, 1),
        (None, Some(1), 1),
    ];
    for (until, count, times) in rows {
        let mut world = World::of(subscription(AskedRecurrence { until, count, ..monthly("2026-10-31") }));
        assert_eq!(paid(&mut world, 99).len(), times);
        assert_eq!(world.schedule.status, Status::Completed);
        assert_eq!(world.schedule.amounts().items(), 1_000 * times as i64);
    }
}

#[test]
fn the_next_occurrence_is_there_as_soon_as_one_is_tried_and_only_once() {
    let mut world = World::of(subscription(monthly("2026-10-31")));
    let sale = world.charge_on("2026-10-31").expect("it is due");
    assert_eq!(world.waiting(), ["2026-11-30"]);
    for _ in 0..3 {
        world.outlives_the_claim();
        assert_eq!(world.charge_on("2026-12-31"), Some(sale.clone()), "one at a time");
    }
    world.charged(&sale, Came::NotSent);
    world.next_run();
    let again = world.charge_on("2026-10-31").expect("it was not sent");
    world.fails(&again);
    world.passes(DAY);
    world.next_run();
    let retry = world.charge(Takes::RetriesBy(world.now)).expect("its retry is due");
    world.succeeds(&retry);
    assert_eq!(world.waiting(), ["2026-11-30"]);
}

#[test]
fn what_runs_missed_is_made_up_for() {
    let rhythm = Rhythm::each(Unit::Days);
    let mut world = World::of(subscription(AskedRecurrence { rhythm, ..monthly("2026-10-01") }));
    assert_eq!(world.pays_on("2026-10-31").len(), 31, "a month of days at once");
    assert_eq!(world.waiting(), ["2026-11-01"]);
}

#[test]
fn one_occurrence_is_charged_ahead_of_its_day() {
    let rhythm = Rhythm::each(Unit::Days);
    let mut world = World::of(subscription(AskedRecurrence { rhythm, ..monthly("2026-10-01") }));
    world.now = Timestamp::parse("2026-10-03T12:00:00Z").expect("a moment");
    let ahead = |world: &mut World| {
        world.next_run();
        let mut paid = Vec::new();
        while let Some(sale) = world.charge_on("2026-10-31") {
            paid.push(world.item(sale.item).target.to_string());
            world.succeeds(&sale);
        }
        paid
    };
    // The 4th has begun somewhere.
    assert_eq!(ahead(&mut world), ["2026-10-01", "2026-10-02", "2026-10-03", "2026-10-04", "2026-10-05"]);
    assert_eq!(ahead(&mut world), ["2026-10-06"], "another run, another one");
}

#[test]
fn an_occurrence_is_left_out() {
    let mut world = World::of(subscription(AskedRecurrence { count: Some(6), ..monthly("2026-10-31") }));
    for day in ["2026-12-31", "2027-01-31", "2026-12-31"] {
        world.change(Change::Skip(date(day))).expect("it is to come");
    }
    for day in ["2026-12-30", "2026-09-30", "2027-04-30"] {
        assert_eq!(world.change(Change::Skip(date(day))), Err(Refused::NoOccurrence), "{day}");
    }
    assert_eq!(world.pays_on("2026-10-31").len(), 1);
    assert_eq!(world.change(Change::Skip(date("2026-10-31"))), Err(Refused::NoOccurrence), "it is paid");
    assert_eq!(world.waiting(), ["2026-11-30"]);
    world.change(Change::Skip(date("2026-11-30"))).expect("it waits");
    assert_eq!(world.waiting(), ["2027-02-28"], "what was left out is passed over");
    world.change(Change::CancelItem(number(3))).expect("it waits");
    assert_eq!(world.waiting(), ["2027-03-31"], "what is canceled is left out too");
    world.change(Change::Skip(date("2027-03-31"))).expect("it waits");
    assert_eq!(world.schedule.status, Status::Completed, "none is left");
    assert_eq!(world.schedule.amounts().canceled, 3_000);
    assert_eq!(
        World::of(instalments(&[(1, "2026-10-01")])).change(Change::Skip(date("2026-10-01"))),
        Err(Refused::NotRecurring)
    );
}

#[test]
fn the_last_ones_are_left_out_and_so_it_ends_with_the_one_before() {
    let mut world = World::of(subscription(AskedRecurrence { count: Some(3), ..monthly("2026-10-31") }));
    for day in ["2026-12-31", "2026-11-30"] {
        world.change(Change::Skip(date(day))).expect("it is to come");
    }
    assert_eq!(paid(&mut world, 9), ["2026-10-31"]);
    assert_eq!(world.schedule.status, Status::Completed);
}

#[test]
fn at_most_so_many_are_left_out_ahead() {
    let rhythm = Rhythm::each(Unit::Days);
    let mut world = World::of(subscription(AskedRecurrence { rhythm, ..monthly("2026-10-01") }));
    for n in 1..=u32::try_from(MAX_WAITING).expect("a small number") {
        let day = rhythm.occurrence(date("2026-10-01"), n).expect("a day");
        world.change(Change::Skip(day)).expect("there is room");
    }
    assert_eq!(world.change(Change::Skip(date("2027-06-01"))), Err(Refused::Full));
    assert_eq!(paid(&mut world, 2), ["2026-10-01", "2027-01-10"]);
}

#[test]
fn a_pause_is_not_paid_for() {
    // Held on, resumed on, what is charged on the day of 31 March then.
    let rows = [
        (
            "2026-10-30",
            "2026-10-31",
            vec!["2026-10-31", "2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31"],
        ),
        (
            "2026-10-31",
            "2026-10-31",
            vec!["2026-10-31", "2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31"],
        ),
        ("2026-10-31", "2026-11-01", vec!["2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31"]),
        ("2026-10-15", "2027-02-28", vec!["2027-02-28", "2027-03-31"]),
        ("2026-10-15", "2027-03-01", vec!["2027-03-31"]),
        // It was due before the hold, and nobody had charged it.
        ("2026-11-02", "2027-03-01", vec!["2026-10-31", "2027-03-31"]),
        (
            "2026-11-02",
            "2026-11-30",
            vec!["2026-10-31", "2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31"],
        ),
    ];
    for (held, resumed, expected) in rows {
        let mut world = World::of(subscription(monthly("2026-10-31")));
        world.change(Change::Hold { on: date(held) }).expect("it is open");
        world.change(Change::Hold { on: date("2027-01-01") }).expect("it is on hold already");
        assert_eq!(world.charge_on("2027-03-31"), None, "nothing is charged on hold");
        world.change(Change::Resume { on: date(resumed) }).expect("it is on hold");
        let paid: Vec<String> = world.pays_on("2027-03-31").into_iter().map(|(day, _)| day).collect();
        assert_eq!(paid, expected, "{held} {resumed}");
    }
}

#[test]
fn a_pause_beyond_the_end_completes_it() {
    let mut world = World::of(subscription(AskedRecurrence { count: Some(3), ..monthly("2026-10-31") }));
    world.change(Change::Hold { on: date("2026-10-15") }).expect("it is open");
    world.change(Change::Resume { on: date("2027-01-01") }).expect("it is on hold");
    assert_eq!((world.schedule.status, world.waiting().len()), (Status::Completed, 0));
    assert_eq!(world.change(Change::Resume { on: date("2027-01-01") }), Err(Refused::Status(Status::Completed)));
}

#[test]
fn instalments_are_owed_whenever_it_goes_on() {
    let mut world = World::of(instalments(&[(1, "2026-10-31"), (2, "2026-11-30")]));
    world.change(Change::Hold { on: date("2026-10-15") }).expect("it is open");
    world.change(Change::Resume { on: date("2027-01-01") }).expect("it is on hold");
    assert_eq!(world.pays_on("2027-01-01").len(), 2);
}

#[test]
fn another_amount_holds_from_the_next_one_on() {
    let mut world = World::of(subscription(monthly("2026-10-31")));
    world.change(Change::AddItem(item(5, "2026-10-31"))).expect("there is room");
    let first = world.charge_on("2026-10-31").expect("it is due");
    world.change(Change::Amount(1_500)).expect("it recurs");
    world.fails(&first);
    world.passes(DAY);
    world.next_run();
    let retry = world.charge(Takes::RetriesBy(world.now)).expect("its retry is due");
    assert_eq!(retry.amount.minor, 1_000, "what was tried stays what it was");
    world.succeeds(&retry);
    let paid: Vec<i64> = world.pays_on("2026-12-31").into_iter().map(|(_, amount)| amount).collect();
    assert_eq!(paid, [5, 1_500, 1_500]);
    assert_eq!(world.change(Change::Amount(0)), Err(Refused::NotPositive { member: "recurrence.amount" }));
    assert_eq!(World::of(instalments(&[(1, "2026-10-01")])).change(Change::Amount(2)), Err(Refused::NotRecurring));
}

#[test]
fn whoever_cancels_pays_nothing_more_but_what_is_under_way() {
    for is_paid in [true, false] {
        let mut world = World::of(subscription(monthly("2026-10-31")));
        let sale = world.charge_on("2026-10-31").expect("it is due");
        world.change(Change::Cancel).expect("it is open");
        assert_eq!((world.waiting().len(), world.schedule.status), (0, Status::Canceled));
        world.outlives_the_claim();
        assert_eq!(world.charge_on("2026-12-31"), Some(sale.clone()), "what is under way is looked at");
        let step = if is_paid { world.succeeds(&sale) } else { world.fails(&sale) };
        assert_eq!(step.retry_at, None);
        assert_eq!(world.schedule.status, Status::Canceled);
        assert_eq!(world.pays_on("2027-12-31"), []);
        assert_eq!(world.schedule.amounts().processed, if is_paid { 1_000 } else { 0 });
        for change in [Change::Open, Change::Skip(date("2026-12-31")), Change::AddItem(item(1, "2026-12-31"))] {
            assert_eq!(world.change(change), Err(Refused::Status(Status::Canceled)));
        }
    }
}

#[test]
fn a_draft_is_charged_once_it_is_opened() {
    let mut draft = asked(Charges::Recurrence(monthly("2026-10-31")));
    draft.is_draft = true;
    let mut world = World::of(Schedule::make(draft, START).expect("a schedule"));
    assert_eq!(world.pays_on("2026-10-31"), []);
    assert_eq!(world.change(Change::Hold { on: date("2026-10-01") }), Err(Refused::Status(Status::Draft)));
    world.change(Change::Open).expect("it is a draft");
    assert_eq!(world.pays_on("2026-10-31").len(), 1);
}
