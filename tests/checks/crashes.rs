//! Crash points: whoever works is killed at its nth call, before or after the call took effect, or the call
//! is made twice; for every operation, every class of gateway and every call, and in pairs.

use std::collections::BTreeSet;

use kessai_functions::sandbox::{Class, Kind};
use tests::chance::Fault;
use tests::plan::Pays;

use super::scenario::{Scenario, deeds};

/// What can befall one call.
const MISHAPS: [&[Fault]; 6] = [
    &[Fault::Killed],
    &[Fault::Killed, Fault::DyingWish],
    &[Fault::AcknowledgementLost, Fault::AnswerLost],
    &[Fault::WriteMeetsItself, Fault::RequestDoubled],
    &[Fault::WriteThrottled, Fault::RequestLost, Fault::ReadFails],
    &[Fault::WriteLate, Fault::RequestLate],
];

/// No invocation makes more calls than this, when nothing else befalls it.
const CALLS: u32 = 5;

/// Each kind, with what it acts on before it. The last errand is the one that suffers.
fn scenario(class: Class, kind: Kind) -> Scenario {
    let scenario = Scenario::at(class);
    match kind {
        Kind::Authorize | Kind::Sale | Kind::PostAuthorize => scenario.opens(kind),
        Kind::Capture | Kind::Reverse => scenario.opens(Kind::Authorize).acts(kind, 0, 6_000),
        Kind::Refund => scenario.opens(Kind::Sale).acts(kind, 0, 6_000),
        Kind::Tokenize => unreachable!("no errand tokenizes"),
    }
}

/// Returns which faults struck. Whoever asks first makes three calls at least, so that nobody is spared there.
fn check(class: Class, kind: Kind, mishaps: &[(usize, u32, &[Fault])]) -> Vec<Fault> {
    let mut scenario = scenario(class, kind);
    let first = scenario.plan.errands.len() - 1;
    for (task, call, faults) in mishaps {
        for fault in *faults {
            scenario = scenario.suffers(first + task, *call, *fault);
        }
    }
    let report = scenario.happens_if_it_can();
    assert!(deeds(&report, kind) <= 1, "{class:?} {kind:?} {mishaps:?}");
    for (task, call, fault) in &report.missed {
        let is_sure = *task == first && call - u32::from(first > 0) <= 2 && *fault == Fault::Killed;
        assert!(!is_sure, "{fault:?} did not strike call {call}");
    }
    Fault::ALL.iter().copied().filter(|fault| report.struck[*fault as usize] > 0).collect()
}

#[test]
fn at_every_call_of_every_operation() {
    let mut struck = BTreeSet::new();
    for class in Class::ALL {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.moves_money()) {
            // The request itself, and whoever comes after it.
            for task in 0..3 {
                for call in 1..=CALLS {
                    for faults in MISHAPS {
                        struck.extend(check(class, kind, &[(task, call, faults)]));
                    }
                }
            }
        }
    }
    let meant: BTreeSet<Fault> = MISHAPS.iter().flat_map(|faults| faults.iter().copied()).collect();
    assert_eq!(struck, meant, "each of them struck somewhere");
}

/// What only the caller can bring again, what the gateway decides later, and what it tells unasked.
#[test]
fn at_every_call_of_what_goes_another_way() {
    for class in Class::ALL {
        for pays in [Pays::Card(0), Pays::Method(9018), Pays::Method(9019)] {
            for scenario in [Scenario::at(class), Scenario::at(class).tells()] {
                let scenario = scenario.opens_with(Kind::Authorize, pays).again().after(60_000);
                for (task, call) in (0..4).flat_map(|task| (1..=CALLS).map(move |call| (task, call))) {
                    for faults in MISHAPS {
                        let suffer = |scenario: Scenario, fault: &Fault| scenario.suffers(task, call, *fault);
                        let report = faults.iter().fold(scenario.clone(), suffer).happens_if_it_can();
                        assert!(deeds(&report, Kind::Authorize) <= 1, "{class:?} {pays:?} {task} {call} {faults:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn at_every_two_calls_of_the_request_and_of_whoever_comes_after_it() {
    for class in Class::ALL {
        for kind in [Kind::Sale, Kind::Capture] {
            for (first, second) in (1..=CALLS).flat_map(|first| (1..=CALLS).map(move |second| (first, second))) {
                for (one, other) in MISHAPS.iter().flat_map(|one| MISHAPS.iter().map(move |other| (one, other))) {
                    check(class, kind, &[(0, first, one), (1, second, other)]);
                }
            }
        }
    }
}
