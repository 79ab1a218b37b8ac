//! A slice of the seeds that are run elsewhere by the million, and that the same seed is the same history.

use tests::models::Played;
use tests::plan::Plan;
use tests::run;
use tests::story::Story;

/// So many are quick enough without optimisation.
const SEEDS: u64 = 2_000;

#[test]
fn nothing_that_must_not_be_happens() {
    for seed in 0..SEEDS {
        let report = run(&Plan::of(seed), Story::default());
        assert_eq!(report.violation, None, "seed {seed}");
    }
}

/// At each gateway's model.
const SEEDS_AT_A_MODEL: u64 = 200;

#[test]
fn nothing_that_must_not_be_happens_at_any_gateways_model() {
    for played in Played::ALL {
        for seed in 0..SEEDS_AT_A_MODEL {
            let report = run(&Plan::at(played, seed), Story::default());
            assert_eq!(report.violation, None, "seed {seed} at {}", played.facts().name);
        }
    }
}

#[test]
fn the_same_seed_is_the_same_history() {
    for seed in 0..200 {
        let [first, second] = [(), ()].map(|()| {
            let report = run(&Plan::of(seed), Story::told());
            report.story.lines().iter().map(ToString::to_string).collect::<Vec<_>>()
        });
        assert_eq!(first, second, "seed {seed}");
    }
}
