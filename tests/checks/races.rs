//! Two callers under one key, in every order in which their calls can be served, and one of them killed at
//! any of them.

use kessai_functions::sandbox::{Class, Kind};
use tests::chance::Fault;
use tests::plan::Pays;

use super::scenario::{Scenario, deeds};

/// So many calls of the two are put in order; what comes later takes as long as it does.
const CALLS: u32 = 7;

/// When the first call is served.
const FROM_MS: i64 = 1_000;

/// A moment after the margin of the first worker, when somebody is told to look.
const COMES_BACK_MS: i64 = 45_500;

/// Two tries at the same, and the place of the first of them among the invocations.
fn two_callers(class: Class, kind: Kind) -> (Scenario, usize) {
    let scenario = Scenario::at(class);
    match kind {
        Kind::Authorize | Kind::Sale | Kind::PostAuthorize => (scenario.opens(kind).again(), 0),
        Kind::Capture | Kind::Reverse => (scenario.opens(Kind::Authorize).acts(kind, 0, 6_000).again(), 1),
        Kind::Refund => (scenario.opens(Kind::Sale).acts(kind, 0, 6_000).again(), 1),
        Kind::Tokenize => unreachable!("no errand tokenizes"),
    }
}

/// The order that a number stands for: each of its bits says whose next call is served.
fn order(number: u32, first: usize) -> Vec<(usize, u32)> {
    let mut calls = [0, 0];
    let served = (0..CALLS).map(|bit| {
        let who = (number >> bit & 1) as usize;
        calls[who] += 1;
        (first + who, calls[who])
    });
    served.collect()
}

#[test]
fn two_callers_on_one_key_have_one_effect_in_every_order() {
    for class in Class::ALL {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.moves_money()) {
            let (scenario, first) = two_callers(class, kind);
            for number in 0..1 << CALLS {
                let report = scenario.clone().served(FROM_MS, &order(number, first)).happens();
                assert_eq!(deeds(&report, kind), 1, "{class:?} {kind:?} {number:b}");
            }
        }
    }
}

#[test]
fn two_callers_on_one_key_have_one_effect_at_most_in_every_order_though_one_is_killed() {
    for class in Class::ALL {
        let (scenario, first) = two_callers(class, Kind::Capture);
        for number in 0..1 << CALLS {
            for (who, call) in order(number, first) {
                for more in [None, Some(Fault::DyingWish)] {
                    let scenario = scenario.clone().served(FROM_MS, &order(number, first));
                    let scenario = scenario.suffers(who, call, Fault::Killed);
                    let scenario = more.into_iter().fold(scenario, |scenario, more| scenario.suffers(who, call, more));
                    let report = scenario.happens_if_it_can();
                    assert!(deeds(&report, Kind::Capture) <= 1, "{class:?} {number:b}");
                }
            }
        }
    }
}

/// The first worker died after the gateway acted. When its margin is over, its caller comes back with the card
/// while somebody looks at the payment: in every order of their calls.
#[test]
fn a_caller_who_comes_back_and_whoever_follows_up_have_one_effect_in_every_order() {
    for class in Class::ALL {
        let scenario = Scenario::at(class).opens_with(Kind::Sale, Pays::Card(0)).again().after(COMES_BACK_MS);
        let scenario = scenario.suffers(0, 2, Fault::Killed).suffers(0, 2, Fault::DyingWish);
        for number in 0..1 << CALLS {
            let report = scenario.clone().served(COMES_BACK_MS + 1_500, &order(number, 1)).happens();
            assert_eq!(deeds(&report, Kind::Sale), 1, "{class:?} {number:b}");
        }
    }
}
