//! What merchants are told of a schedule, and on which lists it is found.

use super::*;
use crate::event::{EventName, EventNames};
use crate::payment::outbox::News;
use crate::recurring::schedule::agenda::{Place, open_list, ready_list, retry_list, through_date, through_time};
use crate::recurring::schedule::outbox::{Attempt, Turn};

/// What is told when `act` is done.
fn told(world: &mut World, wanted: EventNames, act: impl FnOnce(&mut World)) -> Vec<&'static str> {
    let before = world.schedule.clone();
    act(world);
    let seen = before.outbox.entries.len();
    world.schedule.tell(Some(&before), wanted, world.now);
    let entries = world.schedule.outbox.entries.iter().skip(seen);
    entries.map(|entry| world.schedule.event(entry).expect("a schedule's").text()).collect()
}

#[test]
fn merchants_hear_what_becomes_of_it() {
    let mut world = World::of(instalments(&[(1, "2026-10-01"), (2, "2026-11-01"), (3, "2026-12-01")]));
    let all = EventNames::all();
    world.schedule.tell(None, all, world.now);
    assert_eq!(world.schedule.outbox.entries.len(), 1);
    let first = world.charge_on("2026-10-01").expect("it is due");
    assert_eq!(told(&mut world, all, |world| drop(world.fails(&first))), ["schedule.failed"]);
    assert_eq!(told(&mut world, all, |world| drop(world.fails(&first))), [""; 0]);
    world.passes(DAY);
    world.next_run();
    let again = world.charge(Takes::RetriesBy(world.now)).expect("its retry is due");
    assert_eq!(told(&mut world, all, |world| drop(world.succeeds(&again))), ["schedule.processed"]);
    let second = world.charge_on("2026-11-01").expect("it is due");
    assert_eq!(told(&mut world, all, |world| drop(world.fails_for_good(&second))), ["schedule.past_due"]);
    world.change(Change::Method(method(2))).expect("it goes on");
    let third = world.charge_on("2026-12-01").expect("it is due");
    let last = told(&mut world, all, |world| drop(world.succeeds(&third)));
    assert_eq!(last, ["schedule.processed", "schedule.completed"]);
    told(&mut world, all, |world| {
        world.change(Change::AddItem(item(4, "2026-12-02"))).expect("it is open again");
    });
    world.passes(DAY);
    let fourth = world.charge_on("2026-12-02").expect("it is due");
    told(&mut world, all, |world| drop(world.succeeds(&fourth)));
    let schedule = &world.schedule;
    let mut ids: Vec<_> = schedule.outbox.entries.iter().map(|entry| schedule.event_id(entry)).collect();
    assert!(ids.iter().flatten().all(|id| crate::event::is_id(id)));
    assert_eq!(ids.len(), 8);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 8, "each has an id of its own");
}

#[test]
fn nobody_hears_what_nobody_wants() {
    let mut world = World::of(instalments(&[(1, "2026-10-01")]));
    let sale = world.charge_on("2026-10-01").expect("it is due");
    let mut other = World { schedule: world.schedule.clone(), ..World::of(instalments(&[(1, "2026-10-01")])) };
    let only: EventNames = [EventName::ScheduleCompleted].into_iter().collect();
    assert_eq!(told(&mut world, only, |world| drop(world.succeeds(&sale))), ["schedule.completed"]);
    assert_eq!(told(&mut other, EventNames::NONE, |world| drop(world.succeeds(&sale))), [""; 0]);
}

#[test]
fn of_one_that_is_canceled_nothing_is_past_due() {
    let mut world = World::of(instalments(&[(1, "2026-10-01")]));
    let sale = world.charge_on("2026-10-01").expect("it is due");
    let all = EventNames::all();
    let canceled = told(&mut world, all, |world| drop(world.change(Change::Cancel).expect("it is open")));
    assert_eq!(canceled, ["schedule.canceled"]);
    assert_eq!(told(&mut world, all, |world| drop(world.fails(&sale))), [""; 0]);
}

#[test]
fn every_turn_reads_back() {
    for (item, attempt) in [(1, 1), (32_767, u16::MAX)] {
        let attempt = Attempt { item: number(item), number: attempt };
        assert_eq!(Attempt::from_number(attempt.as_number()), Some(attempt));
        let turns = [
            Turn::Processed(attempt),
            Turn::Failed(attempt),
            Turn::PastDue(attempt),
            Turn::Completed(u32::MAX),
            Turn::Canceled,
        ];
        for turn in turns {
            assert_eq!(Turn::parse(turn.name(), turn.which()), Some(turn));
        }
    }
    for (name, which) in [
        (EventName::ScheduleProcessed, None),
        (EventName::ScheduleProcessed, Some(7)),
        (EventName::ScheduleCompleted, None),
        (EventName::ScheduleCanceled, Some(1)),
        (EventName::ScheduleCreated, None),
        (EventName::PaymentFailed, Some(65_537)),
    ] {
        assert_eq!(Turn::parse(name, which), None, "{}", name.text());
    }
    let schedule = instalments(&[(1, "2026-10-01")]);
    let entry = crate::payment::outbox::Entry {
        number: 1,
        operation: crate::ids::Ordinal::FIRST,
        news: News::Verdict,
        at: START,
    };
    assert_eq!(schedule.event(&entry), None, "that is a payment's");
}

#[test]
fn it_is_on_the_list_of_what_is_to_be_done_next() {
    let mut world = World::of(instalments(&[(1, "2026-11-01"), (2, "2026-10-01")]));
    let (id, lane) = (world.schedule.id.id().as_str().to_owned(), world.schedule.id.lane());
    let on = |list: String, place: String| Some(Place { list, place: format!("{place}#{id}") });
    let ready = |day: &str| on(ready_list(&merchant(), lane), day.to_owned());
    let lists = |world: &World| {
        let agenda = world.schedule.agenda();
        (agenda.ready, agenda.again)
    };
    assert_eq!(lists(&world), (ready("2026-10-01"), None));
    assert!(ready("2026-10-01").expect("a place").place < through_date(date("2026-10-01")));
    assert!(ready("2026-10-02").expect("a place").place > through_date(date("2026-10-01")));
    let sale = world.charge_on("2026-10-01").expect("it is due");
    let (run, first) = (world.tried.run, world.now.plus(Duration::from_secs(30) + MARGIN));
    let open = |at: Timestamp| on(open_list(run, lane), format!("{:015}", at.as_millis()));
    assert_eq!(lists(&world), (ready("2026-11-01"), open(first)));
    world.charged(&sale, Came::Pending { payment: Some(payment(&sale.key)), due: START.plus(DAY) });
    assert_eq!(lists(&world), (ready("2026-11-01"), open(START.plus(DAY))));
    let retry = |at: Timestamp| on(retry_list(&merchant(), lane), format!("{:015}", at.as_millis()));
    world.fails(&sale);
    assert_eq!(lists(&world), (ready("2026-11-01"), retry(START.plus(DAY))));
    assert!(retry(START).expect("a place").place < through_time(START));
    assert!(retry(START.plus(Duration::from_millis(1))).expect("a place").place > through_time(START));
    world.change(Change::Hold { on: date("2026-10-02") }).expect("it is open");
    assert_eq!(lists(&world), (None, None));
    world.change(Change::Resume { on: date("2026-10-02") }).expect("it is on hold");
    world.change(Change::Cancel).expect("it is open");
    assert_eq!(lists(&world), (None, None));
}
