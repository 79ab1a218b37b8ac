//! What the tests of set-up start from, and the types that cannot be wrong.

use std::time::Duration;

use super::set_up::{Made, Who};
use super::*;
use crate::gateways::sandbox;
use crate::payment::tests::fixtures::{START, gateway, gateway_id, key, merchant, terms};
use crate::recurring::retry::{Category, IntervalType, IntervalUnit, RetryRule, RuleSetStatus, Timing};
use crate::seal::{KeyId, Sealed};
use crate::time::Timestamp;

pub(crate) fn provider_id(seed: u8) -> ProviderId {
    ProviderId::from_random([seed; 16])
}

pub(crate) fn key_id(seed: u8) -> ApiKeyId {
    ApiKeyId::from_random([seed; 16])
}

pub(crate) fn endpoint_id(seed: u8) -> EndpointId {
    EndpointId::from_random([seed; 16])
}

pub(crate) fn provider(name: &str) -> Provider {
    Provider {
        developer_name: DeveloperName::parse(name).expect("a name"),
        master_label: name.to_owned(),
        idempotency_supported: true,
        adapter: sandbox::KEYED.name.to_owned(),
        comments: None,
        notice_secrets: Vec::new(),
        made: None,
    }
}

pub(crate) fn listed(seed: u8, scopes: &[Scope]) -> ListedKey {
    ListedKey {
        name: format!("key {seed}"),
        hash: ApiKey::from_random([seed; 16], [seed; 16]).hash(),
        scopes: scopes.iter().copied().collect(),
        created_at: START,
        expires_at: None,
        revoked_at: None,
        requests_per_second: None,
        made: None,
    }
}

pub(crate) fn secret(seed: u8) -> SealedSecret {
    let sealed = Sealed { key: KeyId::parse("a").expect("a key id"), bytes: vec![seed; 60] };
    SealedSecret { sealed, created_at: None, until: None, made: None }
}

pub(crate) fn endpoint(seed: u8) -> Endpoint {
    Endpoint {
        url: "https://shop.example/hooks".to_owned(),
        events: EventFilter::parse("payment.*").into_iter().collect(),
        description: None,
        is_active: true,
        enabled_at: None,
        secrets: vec![secret(seed)],
        made: None,
    }
}

pub(crate) fn method_type(name: &str, provider: ProviderId) -> MethodType {
    MethodType {
        provider,
        kind: MethodKind::Alternative,
        gateway_name: "PM_Giro".to_owned(),
        developer_name: DeveloperName::parse(name).expect("a name"),
        master_label: "Giro".to_owned(),
        record_type: None,
        comments: None,
        made: None,
    }
}

pub(crate) fn rule_set_id(seed: u8) -> RuleSetId {
    RuleSetId::from_random([seed; 16])
}

pub(crate) fn rule_id(seed: u8) -> RuleId {
    RuleId::from_random([seed; 16])
}

/// Active, the default, every six hours, three times.
pub(crate) fn rule_set(seed: u8) -> ListedRuleSet {
    ListedRuleSet {
        name: format!("Set {seed}"),
        status: RuleSetStatus::Active,
        is_default: true,
        can_use_other_method: false,
        defaults: Timing {
            interval_type: Some(IntervalType::Fixed),
            interval_value: Some("6".to_owned()),
            interval_unit: Some(IntervalUnit::Hours),
            maximum_retry_count: Some(3),
        },
        description: None,
        made: None,
    }
}

/// Of the set of this seed; it says nothing but what it is about.
pub(crate) fn retry_rule(set: u8, category: Category) -> ListedRule {
    let rule = RetryRule { category, gateway: None, code: None, timing: Timing::default() };
    ListedRule { set: rule_set_id(set), rule, description: None, made: None }
}

/// One provider, one gateway of it, and one key that sets up.
pub(crate) fn shop() -> Merchant {
    let account = Gateway { provider: Some(provider_id(1)), ..gateway(&sandbox::KEYED) };
    Merchant {
        providers: [(provider_id(1), provider("First"))].into(),
        gateways: [(gateway_id(), account)].into(),
        api_keys: [(key_id(1), listed(1, &[Scope::SetUp]))].into(),
        ..Merchant::new(merchant(), "Shop")
    }
}

pub(crate) fn made(name: &str, content: &str) -> Option<Made> {
    Some(Made::of(&key(name), content))
}

pub(crate) const BY: Who = Who::CommandLine;

pub(crate) fn later(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

#[test]
fn a_developer_name_is_a_letter_then_letters_digits_and_single_underscores() {
    let long = "a".repeat(81);
    for text in ["A", "MyNewGatewayProvider", "a_1", &long[..80]] {
        assert_eq!(DeveloperName::parse(text).as_ref().map(DeveloperName::as_str), Some(text));
    }
    for text in ["", "1a", "_a", "a__b", "a_", "a b", "a-b", "ä", &long] {
        assert_eq!(DeveloperName::parse(text), None, "{text:?}");
    }
}

#[test]
fn an_event_filter_is_words_between_dots_or_a_star_at_the_end() {
    let long = format!("a.{}", "b".repeat(63));
    for text in ["*", "payment.*", "refund.created", "a.b.c", "post-auth.timed_out", "a.1", &long[..64]] {
        assert_eq!(EventFilter::parse(text).as_ref().map(EventFilter::as_str), Some(text));
    }
    for text in
        ["", "payment", "*.created", "payment.", ".created", "a..b", "Payment.*", "a.**", "a.*.b", "a b.c", &long]
    {
        assert_eq!(EventFilter::parse(text), None, "{text:?}");
    }
}

#[test]
fn an_event_filter_means_one_event_all_of_a_kind_or_every_one() {
    let rows = [
        ("*", "payment.created", true),
        ("payment.*", "payment.created", true),
        ("payment.*", "payment_method.created", false),
        ("payment.*", "payment", false),
        ("payment.*", "a.payment.created", false),
        ("a.*", "a.b.c", true),
        ("refund.created", "refund.created", true),
        ("refund.created", "refund.created.twice", false),
        ("refund.created", "refund.failed", false),
    ];
    for (filter, name, is_meant) in rows {
        let filter = EventFilter::parse(filter).expect("a filter");
        assert_eq!(filter.matches(name), is_meant, "{filter:?} and {name}");
    }
}

#[test]
fn a_merchant_wants_what_it_keeps_and_what_an_active_endpoint_has_asked_for() {
    let with = |keeps_events, is_active| {
        let endpoints = [(endpoint_id(1), Endpoint { is_active, ..endpoint(1) })].into();
        Merchant { keeps_events, endpoints, ..shop() }
    };
    assert!(!shop().wants("payment.created"), "nobody has asked");
    let rows = [
        (false, true, "payment.created", true),
        (false, true, "refund.created", false),
        (false, false, "payment.created", false),
        (true, false, "payment.created", true),
        (true, true, "refund.created", true),
    ];
    for (keeps_events, is_active, event, is_wanted) in rows {
        assert_eq!(with(keeps_events, is_active).wants(event), is_wanted, "{keeps_events} {is_active} {event}");
    }
}

#[test]
fn a_scope_is_read_as_it_is_written() {
    for scope in Scope::ALL {
        assert_eq!(Scope::parse(scope.name()), Some(scope));
        assert_eq!(scope.is_granted_to_unlisted(), scope != Scope::SetUp);
    }
    for text in ["", "Read", "everything"] {
        assert_eq!(Scope::parse(text), None);
    }
}

#[test]
fn a_key_works_until_it_is_revoked_or_ends() {
    let rows = [
        (None, None, 0, true, None),
        (None, Some(later(10)), 9, true, None),
        (None, Some(later(10)), 10, false, Some(later(10))),
        (Some(later(5)), None, 5, false, Some(later(5))),
        (Some(later(5)), Some(later(10)), 20, false, Some(later(5))),
    ];
    for (revoked_at, expires_at, now, works, dead_since) in rows {
        let key = ListedKey { revoked_at, expires_at, ..listed(1, &[]) };
        assert_eq!((key.works(later(now)), key.dead_since(later(now))), (works, dead_since), "{key:?} at {now}");
    }
}

#[test]
fn what_knows_no_request_again_is_never_sent_it_twice() {
    let mut shop = shop();
    shop.connect();
    assert!(sandbox::KEYED.terms(&shop.gateways[&gateway_id()]).key_window.is_some());
    for provider in shop.providers.values_mut() {
        provider.idempotency_supported = false;
    }
    shop.connect();
    let told = sandbox::KEYED.terms(&shop.gateways[&gateway_id()]);
    assert_eq!(told, crate::payment::Terms { key_window: None, ..terms(&sandbox::KEYED) });
}
