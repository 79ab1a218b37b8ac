//! What is none of ours is refused by the name of what is wrong with it.

use fastrand::Rng;

use super::random::Dice;
use super::{item, subscription};
use crate::stored::recurring::lane::StoredLane;
use crate::stored::recurring::run::StoredRun;
use crate::stored::recurring::schedule::StoredSchedule;
use crate::stored::recurring::scheduler::StoredScheduler;
use crate::stored::{Attribute, Item};

fn refusals(item: &Item) -> [String; 4] {
    let said = |error: Option<crate::stored::Unreadable>| error.map(|error| error.0).unwrap_or_default();
    [
        said(StoredSchedule::from_item(item.clone()).err()),
        said(StoredScheduler::from_item(item.clone()).err()),
        said(StoredRun::from_item(item.clone()).err()),
        said(StoredLane::from_item(item.clone()).err()),
    ]
}

#[test]
fn another_format_is_refused_and_so_is_what_is_something_else() {
    let mut dice = Dice(Rng::with_seed(1));
    let items = [
        item(&subscription()),
        StoredScheduler::following(None, dice.scheduler()).to_item(),
        StoredRun::following(None, dice.run()).to_item(),
        StoredLane::following(None, dice.lane()).to_item(),
    ];
    for (kind, item) in items.into_iter().enumerate() {
        for (reader, refusal) in refusals(&item).into_iter().enumerate() {
            assert_eq!(refusal.is_empty(), kind == reader, "{refusal}");
            assert!(kind == reader || refusal.starts_with("this is the key of no "), "{refusal}");
        }
        for refusal in refusals(&item.clone().with("f", 2)) {
            assert_eq!(refusal, "format 2 is not 1, the one this version knows");
        }
        for refusal in refusals(&item.with("pk", "00D0M41bLKJJnxR/1f")) {
            assert_eq!(refusal, "pk has a value that this version does not know");
        }
    }
}

#[test]
fn what_is_missing_or_strange_is_named() {
    let whole = item(&subscription());
    for name in ["pk", "v", "f", "y", "aq", "t", "s", "g", "m", "c", "ln"] {
        let mut broken = whole.clone();
        broken.remove(name);
        assert_eq!(refusals(&broken)[0], format!("{name} is missing"));
    }
    let charge = || Item::new().with("n", 1).with("a", 1).with("ta", "2026-01-28").with("s", "ready");
    let rows = [
        (charge().with("n", 0), "n"),
        (charge().with("ta", "2026-02-30"), "ta"),
        (charge().with("s", "lost"), "s"),
        (charge().with("tr", -1), "tr"),
        (charge().with("rn", "5PS000000000000"), "rn"),
    ];
    for (charge, name) in rows {
        let broken = whole.clone().with("i", vec![Attribute::Map(charge)]);
        assert_eq!(refusals(&broken)[0], format!("{name} has a value that this version does not know"));
    }
}
