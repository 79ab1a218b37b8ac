//! Every state of an item and every event: what becomes of it, and what is asked of a gateway.

use super::*;

/// The only item is in each state in turn; then something happens.
fn in_state(name: &str) -> (World, Option<Sale>) {
    let mut world = World::of(instalments(&[(1_000, "2026-10-01")]));
    if name == "Draft" {
        let mut draft = asked(Charges::Items(vec![AskedItem { is_draft: true, ..item(1_000, "2026-10-01") }]));
        draft.is_draft = false;
        return (World::of(Schedule::make(draft, START).expect("a schedule")), None);
    }
    if name == "Ready" {
        return (world, None);
    }
    let sale = world.charge_on("2026-10-01").expect("it is due");
    match name {
        "Processing" => {}
        "Pending" => {
            let due = world.now.plus(DAY);
            world.charged(&sale, Came::Pending { payment: Some(payment(&sale.key)), due });
        }
        "NotSent" => drop(world.charged(&sale, Came::NotSent)),
        "Processed" => drop(world.succeeds(&sale)),
        "Failed" => drop(world.fails(&sale)),
        "PastDue" => drop(world.fails_for_good(&sale)),
        "Canceled" => {
            world.fails_for_good(&sale);
            world.change(Change::CancelItem(sale.item)).expect("what failed may be canceled");
        }
        _ => panic!("no state {name}"),
    }
    (world, Some(sale))
}

/// What there is to tell of it.
fn now_is(world: &World) -> String {
    let item = world.item(number(1));
    let more = match &item.state {
        State::Failed { retry: None, .. } => " past due",
        State::Failed { .. } => " again",
        State::Draft | State::Ready | State::Processing(_) | State::Processed { .. } | State::Canceled { .. } => "",
    };
    format!("{}{more} {}", item.state.literal(), item.attempts)
}

const STATES: [&str; 9] =
    ["Draft", "Ready", "Processing", "Pending", "NotSent", "Processed", "Failed", "PastDue", "Canceled"];

#[test]
fn a_run_charges_what_is_ready_and_looks_again_at_what_is_open() {
    // At once; after the claim has ended; after a day, by the same run, and by another.
    let rows = [
        ("Draft", [None, None, None, None]),
        ("Ready", [Some(1), Some(1), Some(1), Some(1)]),
        ("Processing", [None, Some(1), Some(1), None]),
        ("Pending", [None, None, Some(1), None]),
        ("NotSent", [None, None, None, Some(1)]),
        ("Processed", [None; 4]),
        ("Failed", [None; 4]),
        ("PastDue", [None; 4]),
        ("Canceled", [None; 4]),
    ];
    assert_eq!(rows.map(|(name, _)| name), STATES);
    for (name, expected) in rows {
        for (column, expected) in expected.into_iter().enumerate() {
            let (mut world, sale) = in_state(name);
            let before = world.schedule.clone();
            match column {
                0 => {}
                1 => world.outlives_the_claim(),
                _ => world.passes(DAY),
            }
            if column == 3 {
                world.next_run();
            }
            let again = world.charge_on("2026-10-01");
            assert_eq!(again.as_ref().map(|sale| sale.attempt), expected, "{name} {column}");
            match again {
                None => assert_eq!(world.schedule, before, "{name} {column}"),
                Some(again) => {
                    assert_eq!(now_is(&world), "Processing 1", "{name} {column}");
                    assert!(sale.is_none_or(|sale| sale == again), "it is the same sale, under the same key");
                }
            }
        }
    }
}

#[test]
fn what_comes_of_a_charge_is_taken_in_once() {
    let rows = [
        // Processed, failed, failed for good, pending, not sent; of the attempt that is the last.
        ("Draft", ["Draft 0!", "Draft 0!", "Draft 0!", "Draft 0!", "Draft 0!"]),
        ("Ready", ["Ready for Processing 0!"; 5]),
        (
            "Processing",
            ["Processed 1", "Failed again 1", "Failed past due 1", "Processing 1", "Ready for Processing 1"],
        ),
        ("Pending", ["Processed 1", "Failed again 1", "Failed past due 1", "Processing 1", "Ready for Processing 1"]),
        (
            "NotSent",
            ["Processed 1", "Failed again 1", "Failed past due 1", "Ready for Processing 1", "Ready for Processing 1"],
        ),
        ("Processed", ["Processed 1", "Processed 1!", "Processed 1!", "Processed 1", "Processed 1"]),
        ("Failed", ["Failed again 1!", "Failed again 1", "Failed again 1", "Failed again 1", "Failed again 1"]),
        (
            "PastDue",
            ["Failed past due 1!", "Failed past due 1", "Failed past due 1", "Failed past due 1", "Failed past due 1"],
        ),
        ("Canceled", ["Canceled 1!", "Canceled 1", "Canceled 1", "Canceled 1", "Canceled 1"]),
    ];
    assert_eq!(rows.map(|(name, _)| name), STATES);
    for (name, expected) in rows {
        for (column, expected) in expected.into_iter().enumerate() {
            let (mut world, sale) = in_state(name);
            let sale = sale.unwrap_or_else(|| {
                World::of(instalments(&[(1_000, "2026-10-01")])).charge_on("2026-10-01").expect("a sale")
            });
            let payment = payment(&sale.key);
            let came = match column {
                0 => Came::Processed { payment },
                1 => Came::Failed { payment: Some(payment), failure: failure(Decision::Retriable) },
                2 => Came::Failed { payment: Some(payment), failure: failure(Decision::NonRetriable) },
                3 => Came::Pending { payment: Some(payment), due: world.now.plus(DAY) },
                _ => Came::NotSent,
            };
            let step = world.charged(&sale, came.clone());
            let contradiction = if step.contradiction { "!" } else { "" };
            assert_eq!(format!("{}{contradiction}", now_is(&world)), expected, "{name} {column}");
            let before = world.schedule.clone();
            world.charged(&sale, came);
            assert_eq!(world.schedule, before, "the second time changes nothing: {name} {column}");
        }
    }
}

#[test]
fn what_another_claims_or_another_attempt_says_changes_nothing() {
    let (mut world, sale) = in_state("Processing");
    let sale = sale.expect("a sale");
    let before = world.schedule.clone();
    let due = world.now.plus(DAY);
    for came in [Came::NotSent, Came::Pending { payment: Some(payment(&sale.key)), due }] {
        let charged = Charged { item: sale.item, attempt: 1, nonce: Nonce(99), came, rules: None };
        assert!(!world.tell(Event::Charged(charged)).expect("never refused").contradiction);
        assert_eq!(world.schedule, before);
    }
    // The verdict is the verdict, whoever brings it.
    let came = Came::Processed { payment: payment(&sale.key) };
    let charged = Charged { item: sale.item, attempt: 1, nonce: Nonce(99), came, rules: None };
    world.tell(Event::Charged(charged)).expect("never refused");
    assert_eq!(now_is(&world), "Processed 1");
    let other = Came::Processed { payment: Id::with_number("0aQ", 99) };
    assert!(world.charged(&sale, other).contradiction, "another payment for the same");
}

#[test]
fn an_item_is_changed_while_nothing_is_under_way() {
    let rows = [
        ("Draft", "Canceled 0", "Ready for Processing 0", "Canceled 0"),
        ("Ready", "Canceled 0", "Ready for Processing 0", "Canceled 0"),
        ("Processing", "Processing", "Processing", "Processing 1"),
        ("Pending", "Processing", "Processing", "Processing 1"),
        ("NotSent", "Canceled 1", "Ready for Processing 1", "Canceled 1"),
        ("Processed", "Processed", "Processed", "Completed"),
        ("Failed", "Canceled 1", "Failed", "Canceled 1"),
        ("PastDue", "Canceled 1", "Failed", "Completed"),
        ("Canceled", "Canceled 1", "Canceled", "Completed"),
    ];
    assert_eq!(rows.map(|(name, ..)| name), STATES);
    for (name, canceled, ready, all_canceled) in rows {
        for (change, expected) in [
            (Change::CancelItem(number(1)), canceled),
            (Change::ReadyItem(number(1)), ready),
            (Change::Cancel, all_canceled),
        ] {
            let (mut world, _) = in_state(name);
            let before = world.schedule.clone();
            let is = match world.change(change.clone()) {
                Ok(_) => now_is(&world),
                Err(Refused::ItemStatus(literal)) => literal.to_owned(),
                Err(Refused::Status(status)) => status.literal().to_owned(),
                Err(refused) => panic!("{refused}"),
            };
            assert_eq!(is, expected, "{name} {change:?}");
            let is_same = world.schedule == before;
            let after = world.schedule.clone();
            let again = world.change(change.clone());
            assert_eq!(world.schedule, after, "the second time changes nothing: {name} {change:?}");
            assert!(is_same || again.is_ok(), "{name} {change:?}");
        }
    }
}

#[test]
fn of_several_that_are_due_the_earliest_comes_first_and_one_at_a_time() {
    let days = [(1, "2026-10-03"), (2, "2026-10-01"), (3, "2026-10-02"), (4, "2026-10-01"), (5, "2026-10-09")];
    let mut world = World::of(instalments(&days));
    let first = world.charge_on("2026-10-03").expect("it is due");
    assert_eq!(world.charge_on("2026-10-03"), None, "one is under way");
    world.succeeds(&first);
    let order = std::iter::once(first.amount.minor).chain(std::iter::from_fn(|| {
        let sale = world.charge_on("2026-10-03")?;
        world.succeeds(&sale);
        Some(sale.amount.minor)
    }));
    assert_eq!(order.collect::<Vec<_>>(), [2, 4, 3, 1]);
    let counts = world.schedule.counted(world.tried);
    assert_eq!((counts.processed, counts.failed, counts.pending), (4, 0, 0));
}

#[test]
fn whoever_charges_may_ask_again_what_it_was_about_to_do() {
    let mut world = World::of(instalments(&[(1, "2026-10-01")]));
    let (claim, criteria) = (world.claim(), Criteria::default());
    let takes = Takes::ReadyOn(date("2026-10-01"));
    let charge = Charge { tried: world.tried, is_open: false, takes, criteria: &criteria, claim, other_method: None };
    let first = world.tell(Event::Charge(charge)).expect("never refused");
    let second = world.tell(Event::Charge(charge)).expect("never refused");
    assert!(first.effect.is_some());
    assert_eq!((first.effect, first.schedule), (second.effect, second.schedule));
}

#[test]
fn what_a_run_has_begun_is_looked_at_again_where_it_is_open_and_by_no_other() {
    for name in ["Processing", "Pending"] {
        let (mut world, _) = in_state(name);
        world.passes(DAY);
        world.tried.page += 1;
        assert_eq!(world.charge_on("2026-10-01"), None, "it is on another page of the list");
        world.is_open = true;
        assert!(world.charge_on("2026-10-01").is_some());
        world.passes(DAY);
        world.next_run();
        assert_eq!(world.charge_on("2026-10-01"), None, "another run has begun it");
    }
}

#[test]
fn a_run_sees_what_another_one_holds_up() {
    let day = date("2026-10-01");
    let mut world = World::of(instalments(&[(1, "2026-10-01"), (2, "2026-10-01"), (3, "2026-11-01")]));
    let is_held_up = |world: &mut World, takes| {
        let claim = world.claim();
        let charge = Charge {
            tried: world.tried,
            is_open: false,
            takes,
            criteria: &Criteria::default(),
            claim,
            other_method: None,
        };
        world.schedule.is_held_up(&charge, world.now)
    };
    assert!(!is_held_up(&mut world, Takes::ReadyOn(day)), "nobody holds it up");
    let sale = world.charge_on("2026-10-01").expect("it is due");
    assert!(!is_held_up(&mut world, Takes::ReadyOn(day)), "it is the run itself that charges");
    world.next_run();
    assert!(is_held_up(&mut world, Takes::ReadyOn(day)));
    assert!(!is_held_up(&mut world, Takes::ReadyOn(date("2026-09-30"))), "nothing of it is for that run");
    assert!(!is_held_up(&mut world, Takes::RetriesBy(START.plus(DAY * 9))), "nothing of it has failed");
    world.succeeds(&sale);
    assert!(!is_held_up(&mut world, Takes::ReadyOn(day)));
    assert_eq!(world.charge_on("2026-10-01").map(|sale| sale.amount.minor), Some(2));
}
