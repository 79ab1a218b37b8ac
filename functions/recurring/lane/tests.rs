//! Lanes keep to what gateways take, all of them together.

use kessai_shared::ids::MerchantId;
use kessai_shared::recurring::calendar::Date;
use kessai_shared::recurring::ids::{Cause, LANES};
use kessai_shared::recurring::run::Takes;
use kessai_shared::recurring::scheduler::Criteria;

use super::*;

const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);
/// How long one look may take.
const LOOK: Duration = Duration::from_secs(25);

fn run(bits: u64) -> Run {
    let takes = Takes::ReadyOn(Date::MIN);
    Run::new(MerchantId::from_random([1; 16]), Cause::Retries(START), takes, Criteria::default(), START)
        .started(bits, START)
}

fn lane(run: &Run, lane: u8) -> Lane {
    Lane::new(run.merchant, run.id, lane, 1_000, START)
}

fn gateway(seed: u8) -> GatewayId {
    GatewayId::from_random([seed; 16])
}

/// The turns of a lane within a minute, whose charges each take so long: in as many looks as it takes, each begun as soon
/// as it is due.
fn turns(run: &Run, number: u8, per_second: u16, charge: Duration) -> Vec<Timestamp> {
    let (mut lane, mut now, mut turns) = (lane(run, number), START, Vec::new());
    while now < START.plus(MINUTE) {
        let (pace, latest) = (Pace::of(run, &lane), now.plus(LOOK.saturating_sub(CHARGE)));
        while let Some(turn) = pace.take(gateway(1), per_second, now, latest) {
            assert!(turn >= now && turn <= latest);
            turns.push(turn);
            now = turn.plus(charge);
            lane.page += 1;
        }
        now = pace.goes_on(now);
    }
    turns.retain(|turn| *turn < START.plus(MINUTE));
    turns
}

#[test]
fn all_lanes_together_ask_a_gateway_as_often_as_it_takes() {
    for (bits, per_second) in [(u64::MAX, 25), (u64::MAX, 14), (u64::MAX, 100), (0b1011, 25), (1 << 63, 25)] {
        let run = run(bits);
        for charge in [20, 200, 3_000].map(Duration::from_millis) {
            let mut all: Vec<_> = lanes(bits).flat_map(|lane| turns(&run, lane, per_second, charge)).collect();
            all.sort();
            let most = 60 * usize::from(per_second);
            let context = || format!("{} of {most} in {} lanes, {charge:?} each", all.len(), bits.count_ones());
            assert!(all.len() <= most, "{}", context());
            let is_held_up = charge * u32::from(per_second) > Duration::from_secs(u64::from(bits.count_ones()));
            if is_held_up {
                continue;
            }
            assert!(all.len() >= most - most / 50 - 1, "no more is lost than that: {}", context());
            // Nor does any second have more.
            let second = |turns: &[Timestamp]| turns.last().zip(turns.first()).map(|(last, first)| last.since(*first));
            let shortest = all.windows(usize::from(per_second) + 1).filter_map(second).min();
            assert!(shortest >= Some(Duration::from_secs(1)), "{shortest:?}: {}", context());
        }
    }
}

#[test]
fn a_turn_for_which_there_is_no_time_is_not_had_and_the_lane_is_due_again_when_it_comes() {
    let run = run(u64::MAX);
    let later = Lane { page: 1, ..lane(&run, LANES - 1) };
    let pace = Pace::of(&run, &later);
    let at = |millis: u64| START.plus(Duration::from_millis(millis));
    assert_eq!(pace.goes_on(START), START, "nobody was asked");
    assert_eq!(pace.take(gateway(1), 25, START, START), Some(START));
    for latest in [0, 2_559] {
        assert_eq!(pace.take(gateway(1), 25, START, at(latest)), None);
    }
    assert_eq!(pace.goes_on(at(10)), at(2_560));
    // Each gateway has turns of its own.
    assert_eq!(pace.take(gateway(2), 100, at(10), at(10)), Some(at(10)));
    assert_eq!(pace.goes_on(at(20)), at(10 + 640));
    assert_eq!(pace.take(gateway(1), 25, at(20), at(2_560)), Some(at(2_560)));
    // Whoever comes late has not saved any up.
    assert_eq!(pace.take(gateway(1), 25, at(60_000), at(60_000)), Some(at(60_000)));
    assert_eq!(pace.take(gateway(1), 25, at(60_000), at(70_000)), Some(at(62_560)));
    assert_eq!(pace.goes_on(at(99_000)), at(99_000));
}
