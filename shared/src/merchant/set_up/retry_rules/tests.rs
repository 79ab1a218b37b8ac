//! Changes of retry rules and their sets: what becomes of the merchant, what the trail says, and why one may be refused.

use super::*;
use crate::ids::Id;
use crate::merchant::set_up::Change;
use crate::merchant::tests::{BY, later, made, retry_rule, rule_id, rule_set, rule_set_id, shop};
use crate::payment::tests::fixtures::{START, gateway_id};

/// With an active default set, which has a rule for limits.
fn with_rules() -> Merchant {
    let mut merchant = shop();
    merchant.retry_rule_sets.insert(rule_set_id(1), rule_set(1));
    merchant.retry_rules.insert(rule_id(1), retry_rule(1, Category::CardLimit));
    merchant.connect();
    merchant
}

fn after(merchant: &Merchant, change: Change) -> Result<Merchant, Refused> {
    merchant.after(&change, START, BY)
}

#[track_caller]
fn changed(merchant: &Merchant, change: Change) -> Merchant {
    after(merchant, change).expect("it is allowed")
}

fn said(merchant: &Merchant) -> String {
    merchant.last_change.as_ref().map(|change| change.description.clone()).unwrap_or_default()
}

/// Which set is in use, by its name.
fn in_use(merchant: &Merchant) -> Option<&str> {
    merchant.retry_rule_sets.values().find(|set| set.is_in_use()).map(|set| set.name.as_str())
}

fn status(status: RuleSetStatus) -> RuleSetEdit {
    RuleSetEdit { status: Some(status), ..RuleSetEdit::default() }
}

fn default(is_default: bool) -> RuleSetEdit {
    RuleSetEdit { is_default: Some(is_default), ..RuleSetEdit::default() }
}

#[test]
fn every_change_makes_the_next_version_and_says_what_it_was() {
    let check = |change: Change, action: &str, subject: Id, description: &str| {
        let after = changed(&with_rules(), change);
        let change = after.last_change.as_ref().expect("a change");
        assert_eq!(
            (change.action.as_str(), change.subject, change.description.as_str()),
            (action, subject, description)
        );
        assert_eq!(after.version, with_rules().version + 1);
    };
    let (first, second, rule) = (rule_set_id(1), rule_set_id(2), rule_id(2));
    let draft = ListedRuleSet { status: RuleSetStatus::Draft, ..rule_set(2) };
    check(Change::AddRuleSet(second, draft), "retry-rule-set.created", second.into(), "\"Set 2\", Draft");
    let said = format!("\"Set 2\", Active, in the place of {first}");
    check(Change::AddRuleSet(second, rule_set(2)), "retry-rule-set.created", second.into(), &said);
    let timing = TimingEdit { interval_value: Some(Some("9".to_owned())), ..TimingEdit::default() };
    let edit = RuleSetEdit { name: Some("New".to_owned()), defaults: timing.clone(), ..RuleSetEdit::default() };
    check(Change::EditRuleSet(first, edit), "retry-rule-set.changed", first.into(), "Name, DefaultIntervalValue");
    let said = format!("Security of the set {first}");
    check(Change::AddRule(rule, retry_rule(1, Category::Security)), "retry-rule.created", rule.into(), &said);
    let edit = RuleEdit { code: Some(Some("51".to_owned())), timing, ..RuleEdit::default() };
    let said = "PaymentGatewayErrorCode, IntervalValue";
    check(Change::EditRule(rule_id(1), edit), "retry-rule.changed", rule_id(1).into(), said);
    let said = format!("CardLimit of the set {first}");
    check(Change::DeleteRule(rule_id(1)), "retry-rule.deleted", rule_id(1).into(), &said);
    let empty = changed(&with_rules(), Change::DeleteRule(rule_id(1)));
    let gone = changed(&empty, Change::DeleteRuleSet(first));
    assert_eq!((gone.retry_rule_sets.len(), in_use(&gone)), (0, None));
    assert_eq!(gone.last_change.expect("a change").action, "retry-rule-set.deleted");
}

#[test]
fn the_active_default_set_is_in_use_with_its_rules() {
    let merchant = with_rules();
    let rules = merchant.retry_rules().expect("rules");
    assert!(rules.is_in_use());
    assert_eq!(rules.parts().rules, [retry_rule(1, Category::CardLimit).rule]);
    let more = changed(&merchant, Change::AddRule(rule_id(2), retry_rule(1, Category::Security)));
    assert_eq!(more.retry_rules().map(|rules| rules.parts().rules.len()), Some(2));
    for edit in [status(RuleSetStatus::Draft), default(false)] {
        assert_eq!(in_use(&changed(&merchant, Change::EditRuleSet(rule_set_id(1), edit))), None);
    }
    assert_eq!(shop().retry_rules(), None);
}

#[test]
fn a_set_that_comes_into_use_takes_the_place_of_the_one_that_was() {
    let first = with_rules();
    let draft = ListedRuleSet { status: RuleSetStatus::Draft, ..rule_set(2) };
    let drafted = changed(&first, Change::AddRuleSet(rule_set_id(2), draft));
    assert_eq!(in_use(&drafted), Some("Set 1"), "a draft takes nobody's place");
    let second = changed(&drafted, Change::EditRuleSet(rule_set_id(2), status(RuleSetStatus::Active)));
    assert_eq!(
        (in_use(&second), said(&second)),
        (Some("Set 2"), format!("Status, in the place of {}", rule_set_id(1)))
    );
    let former = &second.retry_rule_sets[&rule_set_id(1)];
    assert_eq!((former.status, former.is_default), (RuleSetStatus::Active, false));
    let back = changed(&second, Change::EditRuleSet(rule_set_id(1), default(true)));
    assert_eq!(in_use(&back), Some("Set 1"));
    let again = changed(&back, Change::EditRuleSet(rule_set_id(1), default(true)));
    assert_eq!(again, back, "what changes nothing makes no version");
    let third = changed(&back, Change::AddRuleSet(rule_set_id(3), rule_set(3)));
    assert_eq!(in_use(&third), Some("Set 3"));
    assert_eq!(third.retry_rule_sets.values().filter(|set| set.is_in_use()).count(), 1);
}

#[test]
fn what_is_refused_says_why() {
    let merchant = with_rules();
    let of = |rule: ListedRule| Change::AddRule(rule_id(2), rule);
    let misfit = |member, limit, rule| Refused::Misfit { member, limit, rule };
    let through = |gateway| ListedRule {
        rule: crate::recurring::retry::RetryRule { gateway: Some(gateway), ..retry_rule(1, Category::CardLimit).rule },
        ..retry_rule(1, Category::CardLimit)
    };
    let value = |text: &str| TimingEdit { interval_value: Some(Some(text.to_owned())), ..TimingEdit::default() };
    let rising = "must be a whole number from 1 to 60, if Fixed";
    let staggered = TimingEdit {
        interval_type: Some(Some(IntervalType::Staggered)),
        maximum_retry_count: Some(None),
        ..value("1,3")
    };
    let fixed = TimingEdit { interval_type: Some(Some(IntervalType::Fixed)), ..TimingEdit::default() };
    let of_fixed = changed(&merchant, Change::EditRule(rule_id(1), RuleEdit { timing: fixed, ..RuleEdit::default() }));
    let rows = [
        (&merchant, Change::EditRuleSet(rule_set_id(9), RuleSetEdit::default()), Refused::NotFound),
        (&merchant, Change::DeleteRuleSet(rule_set_id(9)), Refused::NotFound),
        (&merchant, Change::EditRule(rule_id(9), RuleEdit::default()), Refused::NotFound),
        (&merchant, Change::DeleteRule(rule_id(9)), Refused::NotFound),
        (
            &merchant,
            Change::DeleteRuleSet(rule_set_id(1)),
            Refused::NotEmpty { what: "PaymentRetryRuleSet", of: "PaymentRetryRule" },
        ),
        (&merchant, of(retry_rule(9, Category::Security)), Refused::Unknown("PaymentRetryRuleSetId")),
        (&merchant, of(through(GatewayId::from_random([9; 16]))), Refused::Unknown("PaymentGatewayId")),
        (&merchant, of(retry_rule(1, Category::CardLimit)), Refused::Taken(SAME)),
        (
            &merchant,
            Change::EditRuleSet(rule_set_id(1), RuleSetEdit { defaults: value("x"), ..RuleSetEdit::default() }),
            misfit("DefaultIntervalValue", rising, None),
        ),
        (
            &merchant,
            Change::EditRule(rule_id(1), RuleEdit { timing: value("61"), ..RuleEdit::default() }),
            misfit("IntervalValue", rising, None),
        ),
        (
            &of_fixed,
            Change::EditRuleSet(rule_set_id(1), RuleSetEdit { defaults: staggered, ..RuleSetEdit::default() }),
            misfit("IntervalValue", rising, Some(rule_id(1))),
        ),
    ];
    for (merchant, change, expected) in rows {
        assert_eq!(after(merchant, change.clone()), Err(expected), "{change:?}");
    }
    let allowed = changed(&merchant, of(through(gateway_id())));
    assert_eq!(allowed.retry_rules.len(), 2, "through one gateway it is about something else");
}

#[test]
fn what_is_made_under_a_key_is_made_once() {
    let set = |made| Change::AddRuleSet(rule_set_id(2), ListedRuleSet { made, ..rule_set(2) });
    let rule = |made| Change::AddRule(rule_id(2), ListedRule { made, ..retry_rule(1, Category::Security) });
    let check = |change: &dyn Fn(Option<crate::merchant::set_up::Made>) -> Change, edit: Change| {
        let first = changed(&changed(&with_rules(), change(made("a", "1"))), edit);
        assert_eq!(first.after(&change(made("a", "1")), later(1), BY), Ok(first.clone()));
        for other in [made("a", "2"), None] {
            assert_eq!(first.after(&change(other), later(1), BY), Err(Refused::Reused));
        }
    };
    check(&set, Change::EditRuleSet(rule_set_id(2), default(false)));
    let description = Some(Some("since".to_owned()));
    check(&rule, Change::EditRule(rule_id(2), RuleEdit { description, ..RuleEdit::default() }));
}

#[test]
fn sets_and_rules_have_a_limit() {
    let mut full = with_rules();
    let draft = |seed| ListedRuleSet { is_default: false, ..rule_set(seed) };
    full.retry_rule_sets.extend((2..=20).map(|seed| (rule_set_id(seed), draft(seed))));
    full.retry_rules.extend((2..=100).map(|seed| {
        let mut listed = retry_rule(seed % 20 + 1, Category::Security);
        listed.rule.code = Some(seed.to_string());
        (rule_id(seed), listed)
    }));
    assert!(full.retry_rules().is_some(), "all of it fits");
    let rows = [
        (Change::AddRuleSet(rule_set_id(200), draft(200)), "PaymentRetryRuleSet", 20),
        (Change::AddRule(rule_id(200), retry_rule(2, Category::Unknown)), "PaymentRetryRule", 100),
    ];
    for (change, what, most) in rows {
        assert_eq!(after(&full, change), Err(Refused::Full { what, most }));
    }
}
