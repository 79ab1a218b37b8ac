//! Every value comes back as it was.

use fastrand::Rng;

use super::random::Dice;
use crate::ids::ItemKey;
use crate::recurring::ids::RecurringKey;
use crate::reminder::{Errand, Image};
use crate::stored::Item;
use crate::stored::payment::KEY;
use crate::stored::recurring::lane::StoredLane;
use crate::stored::recurring::run::StoredRun;
use crate::stored::recurring::schedule::StoredSchedule;
use crate::stored::recurring::scheduler::StoredScheduler;
use crate::time::Timestamp;

/// What the relay sees of it: whose it is, and when it is due.
fn check_image(item: &Item, key: RecurringKey, due: Option<Timestamp>) {
    let image = Image::of(item).expect("an item of ours");
    assert_eq!(item.text(KEY).and_then(ItemKey::parse), Some(image.reminder.item));
    assert!(matches!(image.reminder.item, ItemKey::Recurring(_, found) if found == key));
    assert_eq!(image.due(Errand::FollowUp).map(|due| due.at), due);
}

#[test]
fn whatever_a_schedule_holds_comes_back() {
    for seed in 0..2_000 {
        let schedule = Dice(Rng::with_seed(seed)).schedule();
        let item = StoredSchedule::following(None, schedule.clone()).to_item();
        check_image(&item, RecurringKey::Schedule(schedule.id), schedule.due());
        let read = StoredSchedule::from_item(item.clone()).expect("what was just written");
        assert_eq!((&read.schedule, read.to_item()), (&schedule, item), "seed {seed}");
    }
}

#[test]
fn whatever_a_scheduler_holds_comes_back() {
    for seed in 0..2_000 {
        let scheduler = Dice(Rng::with_seed(seed)).scheduler();
        let item = StoredScheduler::following(None, scheduler.clone()).to_item();
        check_image(&item, RecurringKey::Scheduler(scheduler.id), scheduler.next_run.map(|next| next.at));
        let read = StoredScheduler::from_item(item.clone()).expect("what was just written");
        assert_eq!((&read.scheduler, read.to_item()), (&scheduler, item), "seed {seed}");
    }
}

#[test]
fn whatever_a_run_and_its_lanes_hold_comes_back() {
    for seed in 0..2_000 {
        let mut dice = Dice(Rng::with_seed(seed));
        let (run, lane) = (dice.run(), dice.lane());
        let item = StoredRun::following(None, run.clone()).to_item();
        check_image(&item, RecurringKey::Run(run.id), run.due);
        let read = StoredRun::from_item(item.clone()).expect("what was just written");
        assert_eq!((&read.run, read.to_item()), (&run, item), "seed {seed}");
        let item = StoredLane::following(None, lane.clone()).to_item();
        check_image(&item, RecurringKey::Lane(lane.run, lane.lane), lane.due);
        let read = StoredLane::from_item(item.clone()).expect("what was just written");
        assert_eq!((&read.lane, read.to_item()), (&lane, item), "seed {seed}");
    }
}
