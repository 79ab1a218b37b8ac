//! What fails is tried again, until it is past due.

use super::*;
use crate::recurring::schedule::Status;

#[test]
fn it_is_tried_again_by_the_rules_and_then_past_due() {
    let mut world = World::of(instalments(&[(1_000, "2026-10-01")]));
    world.other_method = Some(method(2));
    let mut sale = world.charge_on("2026-10-01").expect("it is due");
    for (attempt, paid_with) in [(2, method_id()), (3, method(2))] {
        let step = world.fails(&sale);
        let retry_at = world.now.plus(DAY);
        assert_eq!(step.retry_at, Some(retry_at), "a run must be there then");
        world.next_run();
        assert_eq!(world.charge(Takes::RetriesBy(world.now)), None, "it is not due yet");
        assert_eq!(world.charge_on("2026-12-31"), None, "it is not ready any more");
        world.passes(DAY);
        sale = world.charge(Takes::RetriesBy(retry_at)).expect("its retry is due");
        assert_eq!((sale.attempt, sale.method), (attempt, paid_with));
        assert_eq!(world.item(sale.item).retries(), attempt - 1);
    }
    let step = world.fails(&sale);
    assert_eq!((step.retry_at, world.schedule.status), (None, Status::Completed));
    assert_eq!(world.schedule.past_due().count(), 1);
    assert_eq!(world.item(sale.item).retries(), 2);
    let failures = world.item(sale.item).failures.clone().expect("it failed");
    assert_eq!((failures.count, failures.first_at, failures.recent.len()), (3, START, 3));
}

#[test]
fn nothing_is_tried_again_without_rules_or_hope() {
    let mut world = World::of(instalments(&[(1_000, "2026-10-01"), (1, "2026-12-01")]));
    let sale = world.charge_on("2026-10-01").expect("it is due");
    let item = world.item(sale.item);
    assert!(world.schedule.plan(item, &failure(Decision::Retriable), Some(&world.rules), world.now).is_some());
    assert_eq!(world.schedule.plan(item, &failure(Decision::Retriable), None, world.now), None);
    assert_eq!(world.fails_for_good(&sale).retry_at, None);
    assert_eq!(world.schedule.past_due().map(|item| item.number).collect::<Vec<_>>(), [sale.item]);
}

#[test]
fn who_changes_the_method_pays_with_the_new_one() {
    let mut world = World::of(instalments(&[(1_000, "2026-10-01")]));
    world.other_method = Some(method(3));
    let first = world.charge_on("2026-10-01").expect("it is due");
    world.charged(&first, Came::NotSent);
    world.next_run();
    let same = world.charge_on("2026-10-01").expect("it was not sent");
    assert_eq!(first, same, "the same attempt, under the same key");
    world.charged(&same, Came::NotSent);
    world.change(Change::Method(method(2))).expect("it is open");
    world.next_run();
    let other = world.charge_on("2026-10-01").expect("it was not sent");
    assert_eq!((other.attempt, other.method), (2, method(2)), "no key is used for two methods");
    assert_ne!(other.key, first.key);
    // The last retry is with another method: it already is.
    for expected in [method(2), method(4)] {
        world.fails(&other_of(&world));
        world.passes(DAY);
        world.next_run();
        if expected == method(4) {
            world.change(Change::Method(expected)).expect("it is open");
        }
        assert_eq!(world.charge(Takes::RetriesBy(world.now)).map(|sale| sale.method), Some(expected));
    }
}

/// The sale that is under way.
fn other_of(world: &World) -> Sale {
    let (item, _) = world.schedule.processing().expect("one is under way");
    let key = world.schedule.sale_key(item.number, item.attempts);
    let amount = crate::money::Money::new(item.amount, world.schedule.currency);
    let method = item.tried_with.expect("it was tried");
    Sale { item: item.number, attempt: item.attempts, amount, gateway: world.schedule.gateway, method, key }
}

#[test]
fn what_failed_is_canceled_and_asked_for_anew() {
    let mut asked = asked(Charges::Items(vec![item(1_000, "2026-10-01")]));
    asked.total_requested = Some(1_000);
    let mut world = World::of(Schedule::make(asked, START).expect("a schedule"));
    let sale = world.charge_on("2026-10-01").expect("it is due");
    world.fails_for_good(&sale);
    let anew = || Change::AddItem(item(1_000, "2026-10-05"));
    assert!(matches!(world.change(anew()), Err(Refused::OverTotal { .. })));
    world.change(Change::CancelItem(sale.item)).expect("it failed");
    assert_eq!(world.schedule.status, Status::Completed);
    world.change(anew()).expect("there is room again");
    assert_eq!(world.schedule.status, Status::Open);
    assert_eq!(world.pays_on("2026-10-05"), [("2026-10-05".to_owned(), 1_000)]);
    let amounts = world.schedule.amounts();
    assert_eq!((amounts.requested, amounts.canceled, amounts.processed), (2_000, 1_000, 1_000));
    assert_eq!((amounts.items(), amounts.remaining(), amounts.available()), (1_000, 1_000, -1_000));
    assert_eq!(world.schedule.status, Status::Completed);
}

#[test]
fn an_attempt_is_counted_in_the_page_in_which_it_was_made() {
    let mut world = World::of(instalments(&[(1_000, "2026-10-01")]));
    let first = world.tried;
    let sale = world.charge_on("2026-10-01").expect("it is due");
    let counts = |world: &World, tried| {
        let counts = world.schedule.counted(tried);
        (counts.processed, counts.failed, counts.pending)
    };
    assert_eq!(counts(&world, first), (0, 0, 1));
    world.fails(&sale);
    assert_eq!(counts(&world, first), (0, 1, 0));
    world.passes(DAY);
    world.next_run();
    let again = world.charge(Takes::RetriesBy(world.now)).expect("its retry is due");
    assert_eq!((counts(&world, first), counts(&world, world.tried)), ((0, 1, 0), (0, 0, 1)));
    // The run looks at it once more, on a later page of what is open.
    world.outlives_the_claim();
    let page = world.tried;
    (world.tried.page, world.is_open) = (2, true);
    assert_eq!(world.charge(Takes::RetriesBy(world.now)), Some(again.clone()));
    world.succeeds(&again);
    assert_eq!(counts(&world, first), (0, 1, 0));
    assert_eq!((counts(&world, page), counts(&world, world.tried)), ((0, 0, 0), (1, 0, 0)));
}

#[test]
fn a_retry_that_comes_due_on_hold_is_made_when_it_goes_on() {
    let mut world = World::of(instalments(&[(1_000, "2026-10-01"), (1, "2026-12-01")]));
    let sale = world.charge_on("2026-10-01").expect("it is due");
    world.change(Change::Hold { on: date("2026-10-01") }).expect("it is open");
    assert_eq!(world.fails(&sale).retry_at, None, "no run takes it now");
    world.passes(10 * DAY);
    world.next_run();
    assert_eq!(world.charge(Takes::RetriesBy(world.now)), None);
    let step = world.change(Change::Resume { on: date("2026-10-11") }).expect("it is on hold");
    assert_eq!(step.retry_at, Some(world.now));
    assert_eq!(world.charge(Takes::RetriesBy(world.now)).map(|sale| sale.attempt), Some(2));
}

#[test]
fn with_a_method_that_is_gone_nothing_more_is_charged() {
    let mut world =
        World::of(instalments(&[(1, "2026-10-01"), (2, "2026-10-02"), (3, "2026-10-03"), (4, "2026-10-04")]));
    let first = world.charge_on("2026-10-04").expect("it is due");
    world.fails_for_good(&first);
    let before = world.schedule.version;
    assert_eq!(world.charge_on("2026-10-04"), None, "nothing is sent");
    let failed = world.item(number(2));
    assert_eq!((failed.attempts, failed.tried_with, failed.retries()), (0, Some(method_id()), 0));
    assert_eq!(failed.failures.as_ref().map(|failures| &failures.last), Some(&failure(Decision::NonRetriable)));
    assert_eq!((world.schedule.version, world.schedule.past_due().count()), (before + 1, 2));
    assert_eq!(world.schedule.counted(world.tried).failed, 2, "it counts in the run");
    // With another method the next is charged; and again with the first, where its owner has put aside what failed.
    world.change(Change::Method(method(2))).expect("it goes on");
    let third = world.charge_on("2026-10-04").expect("it is due");
    assert_eq!((third.item, third.method), (number(3), method(2)));
    world.succeeds(&third);
    world.change(Change::Method(method_id())).expect("it goes on");
    world.passes(DAY);
    world.change(Change::CancelItem(number(2))).expect("it failed");
    assert_eq!(world.charge_on("2026-10-04").map(|sale| sale.method), Some(method_id()));
}

#[test]
fn what_was_told_of_as_charged_after_all_is_not_tried_again() {
    let contradicted = |sale: &Sale| Came::Contradicted { payment: payment(&sale.key) };
    for fails_first in [false, true] {
        let mut world = World::of(instalments(&[(1_000, "2026-10-01"), (1, "2026-12-01")]));
        let sale = world.charge_on("2026-10-01").expect("it is due");
        if fails_first {
            assert!(world.fails(&sale).retry_at.is_some());
        }
        let step = world.charged(&sale, contradicted(&sale));
        assert_eq!((step.retry_at, step.contradiction), (None, false));
        let item = world.item(sale.item);
        assert!(matches!(item.state, State::Failed { retry: None, .. }), "{:?}", item.state);
        let failures = item.failures.as_ref().expect("it failed");
        assert_eq!((failures.count, failures.last.decision), (1, Decision::NonRetriable));
        assert_eq!(world.schedule.past_due().count(), 1);
        world.passes(DAY * 30);
        world.next_run();
        assert_eq!(world.charge(Takes::RetriesBy(world.now)), None);
    }
    let mut world = World::of(instalments(&[(1_000, "2026-10-01")]));
    let sale = world.charge_on("2026-10-01").expect("it is due");
    world.succeeds(&sale);
    let version = world.schedule.version;
    assert_eq!(world.charged(&sale, contradicted(&sale)).schedule.version, version, "what is paid is paid");
}

#[test]
fn a_retry_that_nobody_came_for_is_looked_at() {
    let mut world = World::of(instalments(&[(1_000, "2026-10-01")]));
    let sale = world.charge_on("2026-10-01").expect("it is due");
    let retry_at = world.fails(&sale).retry_at.expect("it is tried again");
    assert!(world.schedule.due().is_some_and(|due| due > retry_at && due < retry_at.plus(DAY)));
    world.change(Change::Hold { on: date("2026-10-01") }).expect("it is open");
    assert_eq!(world.schedule.due(), None, "not while it is on hold");
}
