//! What a newer version wrote is carried along by this one.

use fastrand::Rng;

use super::random::Dice;
use super::{item, subscription};
use crate::recurring::schedule::Schedule;
use crate::stored::recurring::lane::StoredLane;
use crate::stored::recurring::run::StoredRun;
use crate::stored::recurring::schedule::StoredSchedule;
use crate::stored::recurring::scheduler::StoredScheduler;
use crate::stored::{Attribute, Item};

/// What this version does not know.
fn later() -> Attribute {
    Item::new().with("of", "a newer version").into()
}

fn charges(item: &mut Item) -> Vec<&mut Item> {
    let Some(Attribute::List(items)) = item.get_mut("i") else { panic!("no items") };
    let maps = items.iter_mut().map(|item| if let Attribute::Map(map) = item { map } else { panic!("{item:?}") });
    maps.collect()
}

#[test]
fn what_this_version_does_not_know_survives_a_rewrite_on_both_levels_of_a_schedule() {
    let mut schedule = subscription();
    schedule.items.push(super::charge(2, "2026-02-28", crate::recurring::schedule::State::Draft));
    let mut future = item(&schedule).with("zz", later());
    charges(&mut future)[1].insert("zz", later());
    let read = StoredSchedule::from_item(future.clone()).expect("an item with more than we know");
    assert_eq!((&read.schedule, read.to_item()), (&schedule, future));

    // An item goes by its number, wherever it stands.
    let next = Schedule { version: 8, items: schedule.items.split_off(1), account: None, ..schedule };
    let mut written = StoredSchedule::following(Some(&read), next.clone()).to_item();
    assert_eq!(written.get("zz"), Some(&later()));
    assert_eq!(charges(&mut written)[0].get("zz"), Some(&later()));
    assert_eq!(StoredSchedule::from_item(written).map(|stored| stored.schedule), Ok(next));
}

#[test]
fn what_this_version_does_not_know_survives_a_rewrite() {
    let mut dice = Dice(Rng::with_seed(1));
    let future = StoredScheduler::following(None, dice.scheduler()).to_item().with("zz", later());
    let read = StoredScheduler::from_item(future.clone()).expect("a scheduler");
    assert_eq!(read.to_item(), future);
    let next = StoredScheduler::following(Some(&read), dice.scheduler());
    assert_eq!(next.to_item().get("zz"), Some(&later()));

    let future = StoredRun::following(None, dice.run()).to_item().with("zz", later());
    let read = StoredRun::from_item(future.clone()).expect("a run");
    assert_eq!(read.to_item(), future);
    assert_eq!(StoredRun::following(Some(&read), dice.run()).to_item().get("zz"), Some(&later()));

    let future = StoredLane::following(None, dice.lane()).to_item().with("zz", later());
    let read = StoredLane::from_item(future.clone()).expect("a lane");
    assert_eq!(read.to_item(), future);
    assert_eq!(StoredLane::following(Some(&read), dice.lane()).to_item().get("zz"), Some(&later()));
}

#[test]
fn what_this_version_does_know_is_never_carried_from_before() {
    for seed in 0..200 {
        let mut dice = Dice(Rng::with_seed(seed));
        let (before, next) = (dice.schedule(), dice.schedule());
        let read = StoredSchedule::from_item(item(&before)).expect("an item");
        assert_eq!(StoredSchedule::following(Some(&read), next.clone()).to_item(), item(&next), "seed {seed}");
        let (before, next) = (dice.run(), dice.run());
        let read = StoredRun::from_item(StoredRun::following(None, before).to_item()).expect("an item");
        let alone = StoredRun::following(None, next.clone()).to_item();
        assert_eq!(StoredRun::following(Some(&read), next).to_item(), alone, "seed {seed}");
    }
}
