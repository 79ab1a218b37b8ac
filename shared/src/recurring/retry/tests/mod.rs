mod allowed;
mod intervals;
mod limited;
mod resolved;

use super::*;
use crate::time::Timestamp;

pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(super) fn gateway(seed: u8) -> GatewayId {
    GatewayId::from_random([seed; 16])
}

/// One that may be tried again: the card has too little money.
pub(super) fn failure<'a>() -> Failure<'a> {
    Failure {
        category: Category::CardLimit,
        decision: Decision::Retriable,
        decline: Some(Decline::Soft),
        gateway: Some(gateway(1)),
        code: Some("51"),
    }
}

pub(super) fn timing(interval_type: IntervalType, value: &str, unit: IntervalUnit, count: Option<i64>) -> Timing {
    Timing {
        interval_type: Some(interval_type),
        interval_value: Some(value.to_owned()),
        interval_unit: Some(unit),
        maximum_retry_count: count,
    }
}

/// Three times, six hours apart.
pub(super) fn parts() -> RetryRuleSetParts {
    RetryRuleSetParts {
        name: "Usual".to_owned(),
        is_default: true,
        status: RuleSetStatus::Active,
        can_use_other_method: false,
        defaults: timing(IntervalType::Fixed, "6", IntervalUnit::Hours, Some(3)),
        rules: Vec::new(),
    }
}

pub(super) fn rule(category: Category, gateway: Option<GatewayId>, code: Option<&str>, timing: Timing) -> RetryRule {
    RetryRule { category, gateway, code: code.map(str::to_owned), timing }
}

pub(super) fn set(parts: RetryRuleSetParts) -> RetryRuleSet {
    RetryRuleSet::parse(parts).expect("a set of rules")
}

/// When this plan tries again where each retry fails half an hour after it was due, as milliseconds from the first failure,
/// and which retries are by another method.
pub(super) fn run(plan: &Plan, failure: Failure<'_>) -> Vec<(i64, bool)> {
    const FAILS_AFTER: i64 = HOUR / 2;
    let mut attempts = vec![at(0)];
    let mut tried = Vec::new();
    let mut failed_at = at(0);
    for retries_made in 0..=u8::MAX {
        let history = History { failure, retries_made, first_failed_at: at(0), failed_at, attempts: &attempts };
        let Some(retry) = plan.next(&history) else { break };
        attempts.push(retry.at);
        tried.push((retry.at.as_millis(), retry.with_other_method));
        failed_at = at(retry.at.as_millis() + FAILS_AFTER);
    }
    tried
}

#[test]
fn every_choice_has_a_literal_of_its_own() {
    let literals = |of: Vec<&'static str>| of.join(" ");
    let categories = literals(Category::ALL.iter().map(|each| each.literal()).collect());
    let expected =
        "CardLimit PaymentProcessing PaymentInformation Security GatewayConnection ValidationFailure Unknown";
    assert_eq!(categories, expected);
    assert_eq!(literals(Decision::ALL.iter().map(|each| each.literal()).collect()), "Retriable NonRetriable");
    assert_eq!(literals(IntervalType::ALL.iter().map(|each| each.literal()).collect()), "Fixed Staggered");
    assert_eq!(literals(IntervalUnit::ALL.iter().map(|each| each.literal()).collect()), "Minutes Hours Days");
    assert_eq!(literals(RuleSetStatus::ALL.iter().map(|each| each.literal()).collect()), "Draft Active");
}
