//! Payment runs: each item is charged exactly once, whatever comes twice, at once, or is killed half-way.

use tests::runs::{Happened, Plan, Totals, run};

/// A world in which nothing fails.
const SOUND: Plan = Plan {
    seed: 0,
    fails_one_in: None,
    killed_one_in: None,
    copies: 1,
    schedules: 6,
    shares: false,
    at_once: false,
    other_method: false,
};

#[track_caller]
fn holds(plan: Plan) -> Totals {
    run(plan).unwrap_or_else(|wrong| panic!("{plan:?}: {wrong:?}"))
}

#[test]
fn every_item_is_charged_on_its_day() {
    for seed in 0..40 {
        holds(Plan { seed, ..SOUND });
    }
}

/// Every message comes twice at the same moment: both ticks find the scheduler, both batches the lanes.
#[test]
fn two_ticks_at_the_same_instant_and_a_doubled_batch_charge_nothing_twice() {
    for seed in 0..60 {
        holds(Plan { seed, copies: 2, ..SOUND });
        holds(Plan { seed, copies: 3, ..SOUND });
    }
}

/// Each takes of the same schedules what the other leaves.
#[test]
fn two_runs_that_begin_at_once_pass_nothing_over() {
    let mut totals = Totals::default();
    for seed in 0..200 {
        totals.merge(&holds(Plan { seed, shares: true, at_once: true, copies: 2, ..SOUND }));
        totals.merge(&holds(Plan { seed, shares: true, at_once: true, killed_one_in: Some(60), ..SOUND }));
    }
    assert!(totals.of(Happened::HeldUp) > 0, "they never met");
}

#[test]
fn a_tick_or_a_worker_killed_half_way_loses_nothing_and_charges_nothing_twice() {
    for seed in 0..120 {
        holds(Plan { seed, killed_one_in: Some(20), ..SOUND });
        holds(Plan { seed, killed_one_in: Some(60), copies: 2, ..SOUND });
    }
}

#[test]
fn whatever_goes_wrong_each_item_is_charged_once() {
    let mut totals = Totals::default();
    for seed in 0..400 {
        totals.merge(&holds(Plan::of(seed)));
    }
    for happened in Happened::ALL {
        assert!(totals.of(*happened) > 0, "never: {}", happened.name());
    }
}
