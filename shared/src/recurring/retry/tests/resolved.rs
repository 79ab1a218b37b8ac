//! Which rule is for which failure.

use super::*;

fn every(value: u8) -> Timing {
    Timing { interval_value: Some(value.to_string()), ..Timing::default() }
}

fn plan_value(set: &RetryRuleSet, failure: &Failure<'_>) -> u8 {
    match set.plan_for(failure).interval {
        Interval::Fixed { value, .. } => value,
        Interval::Staggered(_) => panic!("none here is staggered"),
    }
}

#[test]
fn the_rule_of_a_gateway_wins_over_the_category_and_that_over_the_set() {
    let days = timing(IntervalType::Staggered, "1,3,5", IntervalUnit::Days, None);
    let hours = [6, 12, 18].map(|hours| (hours * HOUR, false)).to_vec();
    let at_once = |set: &RetryRuleSet, failure: Failure<'_>| {
        // As if each try failed the moment it was made.
        let plan = set.plan_for(&failure);
        let mut moments: Vec<(i64, bool)> = Vec::new();
        let mut attempts = vec![at(0)];
        while let Some(retry) = plan.next(&History {
            failure,
            retries_made: u8::try_from(moments.len()).unwrap(),
            first_failed_at: at(0),
            failed_at: *attempts.last().unwrap(),
            attempts: &attempts.clone(),
        }) {
            attempts.push(retry.at);
            moments.push((retry.at.as_millis(), retry.with_other_method));
        }
        moments
    };
    let elsewhere = Failure { gateway: Some(gateway(2)), ..failure() };
    let of_gateway = rule(Category::CardLimit, Some(gateway(1)), None, days.clone());
    let one = set(RetryRuleSetParts { rules: vec![of_gateway.clone()], ..parts() });
    assert_eq!(at_once(&one, failure()), [(DAY, false), (3 * DAY, false), (5 * DAY, false)]);
    assert_eq!(at_once(&one, elsewhere), hours);
    let of_category = rule(Category::CardLimit, None, None, every(2));
    let both = set(RetryRuleSetParts { rules: vec![of_gateway, of_category], ..parts() });
    assert_eq!(at_once(&both, failure()), [(DAY, false), (3 * DAY, false), (5 * DAY, false)]);
    assert_eq!(at_once(&both, elsewhere), [2, 4, 6].map(|hours| (hours * HOUR, false)));
    assert_eq!(at_once(&both, Failure { category: Category::Security, ..elsewhere }), hours);
}

#[test]
fn the_most_particular_rule_counts_wherever_it_stands() {
    let (here, code) = (Some(gateway(1)), Some("51"));
    let mut rules = vec![
        rule(Category::CardLimit, None, None, every(1)),
        rule(Category::CardLimit, None, code, every(2)),
        rule(Category::CardLimit, here, None, every(3)),
        rule(Category::CardLimit, here, code, every(4)),
    ];
    let other_gateway = Failure { gateway: Some(gateway(2)), ..failure() };
    let rows = [
        (failure(), 4),
        (Failure { code: Some("65"), ..failure() }, 3),
        (Failure { code: None, ..failure() }, 3),
        (other_gateway, 2),
        (Failure { gateway: None, ..failure() }, 2),
        (Failure { code: Some("65"), ..other_gateway }, 1),
        (Failure { category: Category::Unknown, ..failure() }, 6),
    ];
    for _ in 0..rules.len() {
        let set = set(RetryRuleSetParts { rules: rules.clone(), ..parts() });
        for (failure, expected) in &rows {
            assert_eq!(plan_value(&set, failure), *expected, "{failure:?}");
        }
        rules.rotate_left(1);
    }
    // Without the most particular one, the gateway counts before the code.
    rules.pop();
    let set = set(RetryRuleSetParts { rules, ..parts() });
    assert_eq!(plan_value(&set, &failure()), 3);
}

#[test]
fn what_a_rule_does_not_say_it_inherits() {
    let days = Timing { interval_unit: Some(IntervalUnit::Days), ..Timing::default() };
    let twice = Timing { maximum_retry_count: Some(2), ..Timing::default() };
    let steps = Timing {
        interval_type: Some(IntervalType::Staggered),
        interval_value: Some("1,3".to_owned()),
        ..Timing::default()
    };
    let fixed = |value, most| Interval::Fixed { value, most };
    let rows = [
        (Timing::default(), fixed(6, 3), IntervalUnit::Hours),
        (days, fixed(6, 3), IntervalUnit::Days),
        (twice, fixed(6, 2), IntervalUnit::Hours),
        (every(9), fixed(9, 3), IntervalUnit::Hours),
        (steps, Interval::Staggered(vec![1, 3]), IntervalUnit::Hours),
    ];
    for (timing, interval, unit) in rows {
        let set = set(RetryRuleSetParts {
            rules: vec![rule(Category::CardLimit, None, None, timing)],
            can_use_other_method: true,
            ..parts()
        });
        assert_eq!(*set.plan_for(&failure()), Plan { interval, unit, can_use_other_method: true });
    }
}

#[test]
fn what_does_not_fit_names_its_rule_and_the_wires_member() {
    let code = "c".repeat(256);
    let sound = || rule(Category::Security, None, Some("05"), Timing::default());
    let of_type = |interval_type| Timing { interval_type: Some(interval_type), ..Timing::default() };
    let rows = [
        (
            rule(Category::CardLimit, None, Some(""), Timing::default()),
            "paymentGatewayErrorCode: must have 1 to 255 characters",
        ),
        (
            rule(Category::CardLimit, None, Some(&code), Timing::default()),
            "paymentGatewayErrorCode: must have 1 to 255 characters",
        ),
        (sound(), "paymentGatewayErrorCode: another rule of the set is for the same category, gateway and code"),
        (
            rule(Category::CardLimit, None, None, every(61)),
            "intervalValue: must be a whole number from 1 to 60, if Fixed",
        ),
        (
            rule(Category::CardLimit, None, None, Timing { maximum_retry_count: Some(11), ..Timing::default() }),
            "maximumRetryCount: must be a whole number from 1 to 10",
        ),
        (
            rule(
                Category::CardLimit,
                None,
                None,
                Timing { maximum_retry_count: Some(2), ..of_type(IntervalType::Staggered) },
            ),
            "maximumRetryCount: must be the number of values, if Staggered",
        ),
    ];
    for (wrong, expected) in rows {
        let misfit = RetryRuleSet::parse(RetryRuleSetParts { rules: vec![sound(), wrong], ..parts() }).unwrap_err();
        assert_eq!((misfit.rule, misfit.to_string().as_str()), (Some(1), expected));
    }
    // What is changed of the set is wrong of a rule that inherits it.
    let defaults = timing(IntervalType::Staggered, "1,3", IntervalUnit::Days, None);
    let rules = vec![sound(), rule(Category::CardLimit, None, None, of_type(IntervalType::Fixed))];
    let misfit = RetryRuleSet::parse(RetryRuleSetParts { defaults, rules, ..parts() }).unwrap_err();
    assert_eq!((misfit.rule, misfit.member), (Some(1), "intervalValue"));
}

#[test]
fn rules_that_differ_in_gateway_or_code_stand_side_by_side() {
    let here = Some(gateway(1));
    let rules = [(None, None), (here, None), (None, Some("51")), (here, Some("51")), (here, Some("65"))];
    let rules = rules.map(|(gateway, code)| rule(Category::CardLimit, gateway, code, Timing::default())).to_vec();
    assert_eq!(set(RetryRuleSetParts { rules: rules.clone(), ..parts() }).parts().rules, rules);
}

#[test]
fn a_set_has_a_name_and_at_most_100_rules_and_is_in_use_when_it_is_active_and_the_default() {
    let check = |parts: RetryRuleSetParts, expected: Result<bool, &str>| {
        let said = RetryRuleSet::parse(parts).map(|set| set.is_in_use()).map_err(|misfit| misfit.to_string());
        assert_eq!(said, expected.map_err(str::to_owned));
    };
    check(parts(), Ok(true));
    check(RetryRuleSetParts { status: RuleSetStatus::Draft, ..parts() }, Ok(false));
    check(RetryRuleSetParts { is_default: false, ..parts() }, Ok(false));
    check(RetryRuleSetParts { name: "定".repeat(255), ..parts() }, Ok(true));
    for name in [String::new(), "n".repeat(256)] {
        check(RetryRuleSetParts { name, ..parts() }, Err("name: must have 1 to 255 characters"));
    }
    let rules = |count: usize| {
        let each = |code: usize| rule(Category::CardLimit, None, Some(&code.to_string()), Timing::default());
        (0..count).map(each).collect()
    };
    check(RetryRuleSetParts { rules: rules(100), ..parts() }, Ok(true));
    check(RetryRuleSetParts { rules: rules(101), ..parts() }, Err("rules: must be at most 100"));
}
