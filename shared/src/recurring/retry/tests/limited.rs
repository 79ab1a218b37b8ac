//! Card networks' limits.

use super::*;
use crate::recurring::retry::limits::{IN_A_DAY, IN_A_MONTH};

fn next(plan: &Plan, attempts: &[Timestamp], retries_made: u8, failed_at: i64) -> Option<i64> {
    let history =
        History { failure: failure(), retries_made, first_failed_at: at(0), failed_at: at(failed_at), attempts };
    plan.next(&history).map(|retry| retry.at.as_millis())
}

fn every(value: u8, unit: IntervalUnit) -> Plan {
    Plan { interval: Interval::Fixed { value, most: 10 }, unit, can_use_other_method: false }
}

#[test]
fn the_eleventh_try_of_a_day_is_put_off_until_the_first_is_a_day_old() {
    let tries = run(&every(1, IntervalUnit::Minutes), failure());
    let moments: Vec<i64> = tries.iter().map(|(moment, _)| *moment).collect();
    let apart = MINUTE + HOUR / 2;
    let mut expected: Vec<i64> = (0..9).map(|retry| MINUTE + retry * apart).collect();
    expected.push(DAY);
    assert_eq!(moments, expected);
}

#[test]
fn no_more_than_15_tries_are_made_in_30_days_be_they_other_payments() {
    let tried_each_day = |count: i64| (0..count).map(|day| at(day * DAY)).collect::<Vec<_>>();
    let plan = every(1, IntervalUnit::Hours);
    let rows = [
        (14, 13 * DAY, Some(13 * DAY + HOUR)),
        (15, 14 * DAY, None),
        // Just before the first of them is thirty days old, and just then.
        (15, 30 * DAY - HOUR - 1, None),
        (15, 30 * DAY - HOUR, Some(30 * DAY)),
        (40, 39 * DAY, None),
    ];
    for (count, failed_at, expected) in rows {
        let mut attempts = tried_each_day(count);
        assert_eq!(next(&plan, &attempts, 3, failed_at), expected, "{count} until {failed_at}");
        attempts.reverse();
        assert_eq!(next(&plan, &attempts, 3, failed_at), expected, "whatever their order");
    }
}

#[test]
fn no_rule_tries_more_often_than_card_networks_let_it() {
    let intervals = [
        Interval::Fixed { value: 1, most: 10 },
        Interval::Fixed { value: 60, most: 10 },
        Interval::Staggered((1..=17).collect()),
        Interval::Staggered((1..=60).collect()),
        Interval::Staggered((1..=60).step_by(3).collect()),
    ];
    for interval in intervals {
        for unit in IntervalUnit::ALL {
            let plan = Plan { interval: interval.clone(), unit: *unit, can_use_other_method: true };
            let mut tries: Vec<i64> = run(&plan, failure()).into_iter().map(|(moment, _)| moment).collect();
            tries.insert(0, 0);
            let most_in = |window| {
                let in_window =
                    |from: i64| tries.iter().filter(|moment| (from..from + window).contains(moment)).count();
                tries.iter().map(|from| in_window(*from)).max().unwrap()
            };
            assert!(most_in(DAY) <= IN_A_DAY, "{plan:?}: {tries:?}");
            assert!(most_in(30 * DAY) <= IN_A_MONTH, "{plan:?}: {tries:?}");
            assert!(tries.is_sorted(), "{plan:?}: {tries:?}");
            assert!(tries.len() > 10 || interval.most() < 10 || tries.len() == IN_A_MONTH);
        }
    }
}
