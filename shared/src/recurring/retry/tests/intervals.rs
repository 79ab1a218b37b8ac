//! What is an interval, and when it tries again.

use super::*;

fn check(defaults: Timing, expected: Result<u8, &str>) {
    let parsed = RetryRuleSet::parse(RetryRuleSetParts { defaults: defaults.clone(), ..parts() });
    let said = parsed.map(|set| set.plan_for(&failure()).interval.most()).map_err(|misfit| {
        assert_eq!(misfit.rule, None);
        misfit.to_string()
    });
    assert_eq!(said, expected.map_err(str::to_owned), "{defaults:?}");
}

#[test]
fn a_fixed_interval_is_1_to_60_and_comes_1_to_10_times() {
    let fixed = |value: &str, count| timing(IntervalType::Fixed, value, IntervalUnit::Hours, count);
    for (value, count) in [("1", 1), ("60", 10), ("6", 3)] {
        check(fixed(value, Some(count)), Ok(u8::try_from(count).unwrap()));
    }
    for value in ["", "0", "61", "-1", "+6", "06", " 6", "6 ", "1.5", "1,3", "six", "٣", "300"] {
        check(fixed(value, Some(3)), Err("defaultIntervalValue: must be a whole number from 1 to 60, if Fixed"));
    }
    for count in [0, 11, -1, i64::MAX, i64::MIN] {
        check(fixed("6", Some(count)), Err("defaultMaximumRetryCount: must be a whole number from 1 to 10"));
    }
    check(fixed("6", None), Err("defaultMaximumRetryCount: is missing, and needed if Fixed"));
}

#[test]
fn a_staggered_interval_rises_from_value_to_value_and_has_as_many_retries() {
    let staggered = |value: &str, count| timing(IntervalType::Staggered, value, IntervalUnit::Days, count);
    let as_long_as_it_gets = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,1";
    let rows = [("1,3,5", 3), ("1,5,10,15", 4), ("7", 1), ("60", 1), ("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", 16)];
    for (value, most) in rows {
        check(staggered(value, None), Ok(most));
        check(staggered(value, Some(most.into())), Ok(most));
    }
    for value in ["", "1,", ",1", "1,,3", "1, 3", "1,3,61", "0,1", "1;3", "01,3", "1,-3"] {
        let limit = "defaultIntervalValue: must be whole numbers from 1 to 60 with commas between, no spaces";
        check(staggered(value, None), Err(limit));
    }
    for value in ["3,1", "1,1", "1,5,5,9", as_long_as_it_gets] {
        let limit = "defaultIntervalValue: must rise from value to value: each counts from the first failure";
        check(staggered(value, None), Err(limit));
    }
    let too_long = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17";
    check(staggered(too_long, None), Err("defaultIntervalValue: must have at most 40 characters"));
    for count in [2, 4, -3, 259] {
        let limit = "defaultMaximumRetryCount: must be the number of values, if Staggered";
        check(staggered("1,3,5", Some(count)), Err(limit));
    }
}

#[test]
fn a_set_says_all_of_its_timing() {
    let whole = || timing(IntervalType::Fixed, "6", IntervalUnit::Hours, Some(3));
    check(Timing { interval_type: None, ..whole() }, Err("defaultRetryIntervalType: is missing"));
    check(Timing { interval_value: None, ..whole() }, Err("defaultIntervalValue: is missing"));
    check(Timing { interval_unit: None, ..whole() }, Err("defaultIntervalUnit: is missing"));
}

#[test]
fn a_fixed_interval_counts_from_the_last_failure_a_staggered_one_from_the_first() {
    let plan = |interval_type, value, unit, count| {
        let defaults = timing(interval_type, value, unit, count);
        set(RetryRuleSetParts { defaults, ..parts() }).plan_for(&failure()).clone()
    };
    let half = HOUR / 2;
    let rows = [
        (
            plan(IntervalType::Fixed, "6", IntervalUnit::Hours, Some(3)),
            vec![6 * HOUR, 12 * HOUR + half, 18 * HOUR + 2 * half],
        ),
        (plan(IntervalType::Staggered, "1,3,5", IntervalUnit::Days, None), vec![DAY, 3 * DAY, 5 * DAY]),
        (plan(IntervalType::Staggered, "1,5,10,15", IntervalUnit::Days, None), vec![DAY, 5 * DAY, 10 * DAY, 15 * DAY]),
        (plan(IntervalType::Fixed, "60", IntervalUnit::Minutes, Some(1)), vec![HOUR]),
        // Half an hour is longer than each of these: those whose time has passed come at once.
        (
            plan(IntervalType::Staggered, "1,2,40", IntervalUnit::Minutes, None),
            vec![MINUTE, MINUTE + half, MINUTE + 2 * half],
        ),
    ];
    for (plan, expected) in rows {
        let moments: Vec<i64> = run(&plan, failure()).into_iter().map(|(moment, _)| moment).collect();
        assert_eq!(moments, expected, "{plan:?}");
    }
}

#[test]
fn the_last_retry_alone_is_by_another_method_if_the_set_allows_that() {
    let both = [
        timing(IntervalType::Fixed, "6", IntervalUnit::Hours, Some(3)),
        timing(IntervalType::Staggered, "1,3,5", IntervalUnit::Days, None),
    ];
    for defaults in both {
        for (can_use_other_method, expected) in [(true, [false, false, true]), (false, [false; 3])] {
            let set = set(RetryRuleSetParts { can_use_other_method, defaults: defaults.clone(), ..parts() });
            let others: Vec<bool> =
                run(set.plan_for(&failure()), failure()).into_iter().map(|(_, is_by_other)| is_by_other).collect();
            assert_eq!(others, expected, "{defaults:?}");
        }
    }
}
