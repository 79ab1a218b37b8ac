//! Each kind of change: what becomes of the merchant, what the trail says, and why it may be refused.

use std::time::Duration;

use super::*;
use crate::gateways::sandbox;
use crate::ids::GatewayId;
use crate::merchant::tests::{
    BY, endpoint, endpoint_id, key_id, later, listed, made, method_type, provider, provider_id, secret, shop,
};
use crate::merchant::{DeveloperName, GatewayMode, Scope};
use crate::money::Currency;
use crate::payment::Generation;
use crate::payment::tests::fixtures::{START, gateway, gateway_id};

fn account() -> Gateway {
    Gateway { provider: Some(provider_id(1)), ..gateway(&sandbox::KEYED) }
}

fn roll(made: Option<Made>) -> RollKey {
    RollKey { old: key_id(1), new: key_id(2), hash: listed(2, &[]).hash, overlap: Duration::from_secs(60), made }
}

fn with_endpoint() -> Merchant {
    Merchant { endpoints: [(endpoint_id(1), endpoint(1))].into(), ..shop() }
}

fn name(text: &str) -> Option<DeveloperName> {
    DeveloperName::parse(text)
}

/// What the trail says of a change.
fn check_said(change: Change, action: &str, subject: impl Into<Id>, description: &str) {
    let mut before = Merchant { version: 7, ..with_endpoint() };
    before.api_keys.insert(key_id(3), listed(3, &[Scope::Read]));
    let after = before.after(&change, START, BY).expect("it is allowed");
    let (action, description) = (action.to_owned(), description.to_owned());
    let said = LastChange { at: START, by: BY, action, subject: subject.into(), description };
    assert_eq!((after.version, after.last_change.as_ref()), (8, Some(&said)), "{change:?}");
}

#[test]
fn every_change_of_an_account_makes_the_next_version_and_says_what_it_was() {
    let dollars = Some(Currency::parse("USD"));
    let (label, no) = (Some("New".to_owned()), Some(false));
    let no = ProviderEdit { idempotency_supported: no, master_label: label, ..ProviderEdit::default() };
    let off = GatewayEdit { is_active: Some(false), mode: Some(GatewayMode::Test), ..GatewayEdit::default() };
    let renamed = MerchantEdit { name: Some("New".to_owned()), default_currency: dollars, keeps_events: Some(true) };
    let other = MerchantId::from_random([9; 16]);
    let (second, more) = (provider_id(2), GatewayId::from_random([7; 16]));
    let giro = MethodTypeId::from_random([1; 16]);
    check_said(Change::EditMerchant(renamed), "merchant.changed", shop().id, "name, defaultCurrency, keepEvents");
    check_said(Change::MakeMerchant { id: other, name: "O".to_owned() }, "merchant.created", other, "\"O\"");
    let add = Change::AddProvider(second, provider("Second"));
    check_said(add, "provider.created", second, "Second, adapter sandbox-keyed");
    let edit = Change::EditProvider(provider_id(1), no);
    check_said(edit, "provider.changed", provider_id(1), "MasterLabel, IdempotencySupported");
    let (provider, overlap) = (provider_id(1), Duration::from_secs(60));
    let set = Change::SetNoticeSecret { provider, secret: secret(2), overlap };
    check_said(set, "provider.notification-secret-set", provider, "there was none before");
    check_said(Change::AddGateway(more, account()), "gateway.created", more, "\"Shop\" at https://gateway.test");
    check_said(Change::EditGateway(gateway_id(), off), "gateway.changed", gateway_id(), "GatewayMode, Status");
    let sealed = Some(secret(2).sealed);
    let set = Change::SetCredential { gateway: gateway_id(), sealed, same_account_as: None };
    check_said(set, "gateway.credential", gateway_id(), "there was none before");
    let add = Change::AddMethodType(giro, method_type("Giro", provider_id(1)));
    check_said(add, "method-type.created", giro, "Giro, AlternativePaymentMethod");
}

#[test]
fn every_change_of_a_key_or_an_endpoint_makes_the_next_version_and_says_what_it_was() {
    let overlap = Duration::from_secs(60);
    let add = Change::AddKey(key_id(2), listed(2, &[Scope::Read, Scope::Authorize]));
    check_said(add, "api-key.created", key_id(2), "\"key 2\": authorize, read");
    let replaced = format!("replaced by {}, ends {}", key_id(2), later(60));
    check_said(Change::RollKey(roll(None)), "api-key.rolled", key_id(1), &replaced);
    check_said(Change::RevokeKey(key_id(3)), "api-key.revoked", key_id(3), "\"key 3\"");
    let (first, second) = (endpoint_id(1), endpoint_id(2));
    let add = Change::AddEndpoint(second, endpoint(2));
    check_said(add, "webhook-endpoint.created", second, "at https://shop.example");
    let moved = EndpointEdit { url: Some("https://shop.example/new".to_owned()), ..EndpointEdit::default() };
    check_said(Change::EditEndpoint(first, moved), "webhook-endpoint.changed", first, "url");
    let ends = format!("the old secret ends {}", later(60));
    let roll = Change::RollSecret { endpoint: first, secret: secret(2), overlap };
    check_said(roll, "webhook-endpoint.rolled", first, &ends);
    check_said(Change::DeleteEndpoint(first), "webhook-endpoint.deleted", first, "at https://shop.example");
}

#[test]
fn what_is_refused_says_why() {
    let long_gone = ListedKey { revoked_at: Some(START), ..listed(3, &[Scope::SetUp]) };
    let mut merchant = with_endpoint();
    merchant.providers.insert(provider_id(2), provider("Second"));
    merchant.api_keys.insert(key_id(3), long_gone);
    let named = |text| ProviderEdit { developer_name: name(text), ..ProviderEdit::default() };
    let nowhere = Gateway { provider: Some(provider_id(9)), ..account() };
    let rows = [
        (Change::AddProvider(provider_id(3), provider("first")), Refused::Taken("DeveloperName")),
        (Change::EditProvider(provider_id(2), named("FIRST")), Refused::Taken("DeveloperName")),
        (Change::EditProvider(provider_id(9), ProviderEdit::default()), Refused::NotFound),
        (Change::AddGateway(GatewayId::from_random([9; 16]), nowhere), Refused::Unknown("PaymentGatewayProviderId")),
        (Change::EditGateway(GatewayId::from_random([9; 16]), GatewayEdit::default()), Refused::NotFound),
        (
            Change::SetCredential { gateway: GatewayId::from_random([9; 16]), sealed: None, same_account_as: None },
            Refused::NotFound,
        ),
        (
            Change::AddMethodType(MethodTypeId::from_random([1; 16]), method_type("Giro", provider_id(9))),
            Refused::Unknown("PaymentGatewayProviderId"),
        ),
        (
            Change::SetNoticeSecret { provider: provider_id(9), secret: secret(9), overlap: Duration::ZERO },
            Refused::NotFound,
        ),
        (Change::RemoveNoticeSecrets(provider_id(9)), Refused::NotFound),
        (Change::RevokeKey(key_id(1)), Refused::LastKey),
        (Change::RevokeKey(key_id(9)), Refused::NotFound),
        (Change::RollKey(RollKey { old: key_id(9), ..roll(None) }), Refused::NotFound),
        (Change::RollKey(RollKey { old: key_id(3), ..roll(None) }), Refused::DeadKey),
        (Change::EditEndpoint(endpoint_id(9), EndpointEdit::default()), Refused::NotFound),
        (Change::DeleteEndpoint(endpoint_id(9)), Refused::NotFound),
        (
            Change::RollSecret { endpoint: endpoint_id(9), secret: secret(9), overlap: Duration::ZERO },
            Refused::NotFound,
        ),
    ];
    for (change, expected) in rows {
        assert_eq!(merchant.after(&change, START, BY).err(), Some(expected), "{change:?}");
    }
}

#[test]
fn a_key_that_will_end_does_not_replace_the_last_one_that_may_set_up() {
    let rolled = shop().after(&Change::RollKey(roll(None)), START, BY).expect("it is allowed");
    assert!(rolled.api_keys[&key_id(1)].works(later(1)), "the old one still works");
    let revoked = rolled.after(&Change::RevokeKey(key_id(2)), later(1), BY);
    assert_eq!(revoked.err(), Some(Refused::LastKey));
}

#[test]
fn what_changes_nothing_makes_no_version() {
    let same = GatewayEdit { name: Some("Shop".to_owned()), is_active: Some(true), ..GatewayEdit::default() };
    let mut merchant = with_endpoint();
    merchant.api_keys.insert(key_id(2), ListedKey { revoked_at: Some(START), ..listed(2, &[]) });
    let changes = [
        Change::EditMerchant(MerchantEdit::default()),
        Change::EditProvider(provider_id(1), ProviderEdit::default()),
        Change::EditGateway(gateway_id(), same),
        Change::EditEndpoint(endpoint_id(1), EndpointEdit::default()),
        Change::RevokeKey(key_id(2)),
        Change::RemoveNoticeSecrets(provider_id(1)),
        // Written by us, and not acknowledged.
        Change::AddProvider(provider_id(1), provider("First")),
        Change::AddGateway(gateway_id(), account()),
        Change::AddKey(key_id(1), listed(1, &[Scope::SetUp])),
        Change::AddEndpoint(endpoint_id(1), endpoint(1)),
        Change::RollSecret { endpoint: endpoint_id(1), secret: secret(1), overlap: Duration::ZERO },
    ];
    for change in changes {
        assert_eq!(merchant.after(&change, later(1), BY).as_ref(), Ok(&merchant), "{change:?}");
    }
}

/// Makes it once, then again under the same key, then something else under that key.
fn check_again(change: impl Fn(Option<Made>) -> Change, shown_once: Option<Id>) {
    let first = with_endpoint().after(&change(made("a", "1")), START, BY).expect("it is new");
    let again = first.after(&change(made("a", "1")), later(1), BY);
    let expected = match shown_once {
        Some(id) => Err(Refused::ShownOnce(id)),
        None => Ok(first.clone()),
    };
    assert_eq!(again, expected);
    for other in [made("a", "2"), None] {
        assert_eq!(first.after(&change(other), later(1), BY), Err(Refused::Reused));
    }
}

#[test]
fn what_is_made_under_a_key_is_made_once() {
    let named = |made: Option<Made>| if made == self::made("a", "1") { "Again" } else { "Other" };
    check_again(|made| Change::AddProvider(provider_id(5), Provider { made, ..provider(named(made)) }), None);
    let id = GatewayId::from_random([5; 16]);
    check_again(|made| Change::AddGateway(id, Gateway { made, ..account() }), None);
    let id = MethodTypeId::from_random([5; 16]);
    check_again(|made| Change::AddMethodType(id, MethodType { made, ..method_type("Giro", provider_id(1)) }), None);
    // Each time with another secret.
    let count = std::cell::Cell::new(10);
    let seed = || count.replace(count.get() + 1);
    let id = Some(key_id(5).into());
    check_again(|made| Change::AddKey(key_id(5), ListedKey { made, ..listed(seed(), &[Scope::Read]) }), id);
    let hash = || listed(seed(), &[]).hash;
    let id = Some(key_id(2).into());
    check_again(|made| Change::RollKey(RollKey { hash: hash(), ..roll(made) }), id);
    let id = Some(endpoint_id(5).into());
    check_again(|made| Change::AddEndpoint(endpoint_id(5), Endpoint { made, ..endpoint(seed()) }), id);
}

#[test]
fn a_secret_is_replaced_once_under_a_key() {
    let roll = |seed, made| {
        let secret = SealedSecret { made, ..secret(seed) };
        Change::RollSecret { endpoint: endpoint_id(1), secret, overlap: Duration::from_secs(60) }
    };
    let once = with_endpoint().after(&roll(2, made("a", "1")), START, BY).expect("a roll");
    let again = once.after(&roll(3, made("a", "1")), START, BY);
    assert_eq!(again, Err(Refused::ShownOnce(endpoint_id(1).into())));
    assert_eq!(once.after(&roll(3, made("a", "2")), START, BY), Err(Refused::Reused));
    let secrets = |merchant: &Merchant| {
        let secrets = merchant.endpoints[&endpoint_id(1)].secrets.iter();
        secrets.map(|secret| (secret.sealed.bytes[0], secret.until)).collect::<Vec<_>>()
    };
    assert_eq!(secrets(&once), [(2, None), (1, Some(later(60)))]);
    let twice = once.after(&roll(3, made("b", "1")), later(5), BY).expect("another");
    assert_eq!(secrets(&twice), [(3, None), (2, Some(later(65)))], "the first is gone");
}

#[test]
fn everything_has_a_limit() {
    let mut full = Merchant::new(shop().id, "Full");
    let ids = |most: usize| (0..u8::try_from(most).expect("few")).map(|seed| seed + 1);
    full.providers = ids(MOST_PROVIDERS).map(|seed| (provider_id(seed), provider(&format!("P{seed}")))).collect();
    full.gateways = ids(MOST_GATEWAYS).map(|seed| (GatewayId::from_random([seed; 16]), account())).collect();
    let kind = |seed| method_type(&format!("T{seed}"), provider_id(1));
    full.method_types =
        ids(MOST_METHOD_TYPES).map(|seed| (MethodTypeId::from_random([seed; 16]), kind(seed))).collect();
    full.api_keys = ids(MOST_API_KEYS).map(|seed| (key_id(seed), listed(seed, &[Scope::SetUp]))).collect();
    full.endpoints = ids(MOST_ENDPOINTS).map(|seed| (endpoint_id(seed), endpoint(seed))).collect();
    let rows = [
        (Change::AddProvider(provider_id(99), provider("P99")), "PaymentGatewayProvider", 20),
        (Change::AddGateway(GatewayId::from_random([99; 16]), account()), "PaymentGateway", 50),
        (Change::AddMethodType(MethodTypeId::from_random([99; 16]), kind(99)), "GtwyProvPaymentMethodType", 50),
        (Change::AddKey(key_id(99), listed(99, &[])), "apiKeys", 50),
        (Change::RollKey(RollKey { new: key_id(99), hash: listed(99, &[]).hash, ..roll(None) }), "apiKeys", 50),
        (Change::AddEndpoint(endpoint_id(99), endpoint(99)), "webhookEndpoints", 16),
    ];
    for (change, what, most) in rows {
        assert_eq!(full.after(&change, START, BY), Err(Refused::Full { what, most }), "{change:?}");
    }
}

#[test]
fn the_key_that_works_no_more_for_longest_makes_room() {
    let ids = 1..=u8::try_from(MOST_API_KEYS).expect("few");
    let mut full = shop();
    full.api_keys = ids.map(|seed| (key_id(seed), listed(seed, &[Scope::SetUp]))).collect();
    full.api_keys.get_mut(&key_id(8)).expect("a key").expires_at = Some(later(9));
    full.api_keys.get_mut(&key_id(9)).expect("a key").revoked_at = Some(later(5));
    let add = Change::AddKey(key_id(99), listed(99, &[]));
    let after = full.after(&add, later(10), BY).expect("there is room");
    assert_eq!(after.api_keys.len(), MOST_API_KEYS);
    assert!(!after.api_keys.contains_key(&key_id(9)) && after.api_keys.contains_key(&key_id(8)));
}

#[test]
fn a_key_that_is_replaced_works_for_a_while() {
    let rows = [(None, 60, 60), (Some(10), 60, 10), (Some(90), 60, 60), (None, 0, 0)];
    for (ends, overlap, expected) in rows {
        let mut before = shop();
        let limited = ListedKey { requests_per_second: Some(5), ..listed(1, &[Scope::SetUp, Scope::Read]) };
        before.api_keys.insert(key_id(1), ListedKey { expires_at: ends.map(later), ..limited.clone() });
        let change = Change::RollKey(RollKey { overlap: Duration::from_secs(overlap), ..roll(None) });
        let after = before.after(&change, START, BY).expect("a roll");
        let old = ListedKey { expires_at: Some(later(expected)), ..limited.clone() };
        assert_eq!(after.api_keys[&key_id(1)], old);
        assert_eq!(after.api_keys[&key_id(2)], ListedKey { hash: listed(2, &[]).hash, ..limited }, "no end");
    }
}

#[test]
fn a_notice_secret_counts_beside_the_one_that_replaces_it_until_all_are_removed() {
    let (provider, overlap) = (provider_id(1), Duration::from_secs(60));
    let set = |before: &Merchant, seed, seconds| {
        let change = Change::SetNoticeSecret { provider, secret: secret(seed), overlap };
        before.after(&change, later(seconds), BY).expect("it is set")
    };
    let rolled = set(&set(&shop(), 1, 0), 2, 5);
    assert_eq!(
        rolled.last_change.as_ref().expect("a change").description,
        format!("the old secret ends {}", later(65))
    );
    assert_eq!(set(&rolled, 2, 6), rolled, "written by us, and not acknowledged");
    let kept = |merchant: &Merchant| merchant.providers[&provider].notice_secrets.clone();
    assert_eq!(kept(&rolled), [secret(2), SealedSecret { until: Some(later(65)), ..secret(1) }]);
    let again = set(&rolled, 3, 10);
    assert_eq!(kept(&again), [secret(3), SealedSecret { until: Some(later(70)), ..secret(2) }]);
    let removed = again.after(&Change::RemoveNoticeSecrets(provider), later(11), BY).expect("they are removed");
    assert_eq!(kept(&removed), []);
    let said = removed.last_change.expect("a change");
    assert_eq!((said.action.as_str(), said.subject), ("provider.notification-secret-removed", provider.into()));
}

#[test]
fn an_endpoint_that_is_set_active_begins_anew_even_where_it_was_active() {
    let set = |before: &Merchant, is_active, seconds| {
        let edit = EndpointEdit { is_active, ..EndpointEdit::default() };
        before.after(&Change::EditEndpoint(endpoint_id(1), edit), later(seconds), BY).expect("it is set")
    };
    let status = |merchant: &Merchant| {
        let endpoint = &merchant.endpoints[&endpoint_id(1)];
        (endpoint.is_active, endpoint.enabled_at)
    };
    let active = set(&with_endpoint(), Some(true), 1);
    assert_eq!(status(&active), (true, Some(later(1))));
    assert_eq!(active.last_change.as_ref().expect("a change").description, "status");
    let inactive = set(&active, Some(false), 2);
    assert_eq!(status(&inactive), (false, Some(later(1))));
    assert_eq!(set(&inactive, Some(false), 3), inactive);
    assert_eq!(set(&inactive, None, 3), inactive);
    // By a clock that stands still, too.
    assert_eq!(status(&set(&inactive, Some(true), 1)), (true, Some(later(1))));
}

#[test]
fn whoever_sets_up_cannot_shut_itself_out() {
    let other = |key: ListedKey| Merchant {
        api_keys: [(key_id(1), listed(1, &[Scope::SetUp])), (key_id(2), key)].into(),
        ..shop()
    };
    let rows = [
        (listed(2, &[Scope::SetUp]), true),
        (listed(2, &[Scope::Read]), false),
        (ListedKey { revoked_at: Some(START), ..listed(2, &[Scope::SetUp]) }, false),
        (ListedKey { expires_at: Some(START), ..listed(2, &[Scope::SetUp]) }, false),
        (ListedKey { expires_at: Some(later(1)), ..listed(2, &[Scope::SetUp]) }, false),
    ];
    for (key, is_allowed) in rows {
        let revoked = other(key.clone()).after(&Change::RevokeKey(key_id(1)), START, BY);
        assert_eq!(revoked.is_ok(), is_allowed, "{key:?}");
    }
}

#[test]
fn a_gateway_speaks_as_its_provider_does_whatever_it_says_itself() {
    let mut before = shop();
    let no = Provider { adapter: "sandbox-none".to_owned(), idempotency_supported: false, ..provider("Second") };
    before.providers.insert(provider_id(2), no);
    let id = GatewayId::from_random([7; 16]);
    let account = Gateway { provider: Some(provider_id(2)), never_resend: false, ..gateway(&sandbox::KEYED) };
    let after = before.after(&Change::AddGateway(id, account), START, BY).expect("it is added");
    assert_eq!((after.gateways[&id].adapter.as_str(), after.gateways[&id].never_resend), ("sandbox-none", true));
    let declare = |merchant: &Merchant, id, supported| {
        let edit = ProviderEdit { idempotency_supported: Some(supported), ..ProviderEdit::default() };
        merchant.after(&Change::EditProvider(id, edit), START, BY)
    };
    // What was begun while it knew no keys must not be sent again.
    assert_eq!(declare(&after, provider_id(2), true).err(), Some(Refused::Bound("IdempotencySupported")));
    let account = Gateway { provider: Some(provider_id(1)), ..gateway(&sandbox::KEYED) };
    let more = GatewayId::from_random([8; 16]);
    let after = after.after(&Change::AddGateway(more, account), START, BY).expect("it is added");
    assert!(!after.gateways[&more].never_resend);
    let after = declare(&after, provider_id(1), false).expect("it is changed");
    assert!(after.gateways[&more].never_resend);
}

#[test]
fn a_description_is_cut_where_it_would_be_too_long() {
    let name = "ü".repeat(400);
    let change = Change::MakeMerchant { id: MerchantId::from_random([3; 16]), name };
    let after = shop().after(&change, START, BY).expect("it is made");
    assert_eq!(after.last_change.expect("a change").description.chars().count(), DESCRIPTION);
}

#[test]
fn a_credential_takes_the_place_of_the_former_at_once() {
    let set = |merchant: &Merchant, seed: Option<u8>| {
        let sealed = seed.map(|seed| secret(seed).sealed);
        let change = Change::SetCredential { gateway: gateway_id(), sealed, same_account_as: None };
        let after = merchant.after(&change, START, BY);
        after.expect("it is allowed")
    };
    let kept = |merchant: &Merchant| merchant.gateways[&gateway_id()].sealed_credential.clone();
    let said = |merchant: &Merchant| merchant.last_change.as_ref().map(|change| change.description.clone());
    let before = shop();
    assert_eq!(set(&before, None), before, "nothing in the place of nothing");
    let first = set(&before, Some(1));
    assert_eq!(kept(&first), Some(secret(1).sealed));
    assert_eq!(set(&first, Some(1)), first, "written by us, and not acknowledged");
    let second = set(&first, Some(2));
    assert_eq!((kept(&second), said(&second).as_deref()), (Some(secret(2).sealed), Some("in the place of another")));
    let gone = set(&second, None);
    assert_eq!((kept(&gone), said(&gone).as_deref()), (None, Some("there is none any more")));
    assert_eq!(gone.version, before.version + 3);
}

#[test]
fn a_credential_that_may_be_of_another_account_makes_the_version_its_generation() {
    let sealed = |seed: u8| secret(seed).sealed;
    let (first, second, third) = (Some(sealed(1)), Some(sealed(2)), Some(sealed(3)));
    let rows = [
        (None, first.clone(), None, 4, "there was none before"),
        (first.clone(), second.clone(), None, 8, "in the place of another"),
        (first.clone(), second.clone(), first.clone(), 4, "in the place of another, same account"),
        // It was said of a credential that somebody has replaced meanwhile.
        (second.clone(), third, first.clone(), 8, "in the place of another"),
        (first.clone(), None, first.clone(), 8, "there is none any more"),
        (first.clone(), None, None, 8, "there is none any more"),
    ];
    for (before, after, same_account_as, generation, said) in rows {
        let mut shop = shop();
        let gateway = shop.gateways.get_mut(&gateway_id()).expect("a gateway");
        (gateway.sealed_credential, gateway.generation) = (before, Generation(4));
        shop.version = 7;
        "stripe".clone_into(&mut gateway.adapter);
        let change = Change::SetCredential { gateway: gateway_id(), sealed: after.clone(), same_account_as };
        let next = shop.after(&change, START, BY).expect("it is allowed");
        let gateway = &next.gateways[&gateway_id()];
        assert_eq!((gateway.generation, &gateway.sealed_credential), (Generation(generation), &after));
        assert_eq!(next.last_change.as_ref().map(|change| change.description.as_str()), Some(said));
        assert_eq!(next.after(&change, START, BY), Ok(next.clone()), "written by us, and not acknowledged");
    }
}

#[test]
fn the_first_credential_raises_it_where_the_gateway_was_asked_without_one() {
    for (adapter, generation) in [("stripe", 0), ("sandbox-keyed", 8)] {
        let mut shop = Merchant { version: 7, ..shop() };
        adapter.clone_into(&mut shop.gateways.get_mut(&gateway_id()).expect("a gateway").adapter);
        let sealed = Some(secret(1).sealed);
        let change = Change::SetCredential { gateway: gateway_id(), sealed, same_account_as: None };
        let next = shop.after(&change, START, BY).expect("it is allowed");
        assert_eq!(next.gateways[&gateway_id()].generation, Generation(generation), "{adapter}");
    }
}

/// A version of Kessai that counts no credentials has dropped what was counted.
#[test]
fn a_generation_is_no_former_one_even_where_it_was_forgotten_meanwhile() {
    let replaced = |shop: &Merchant, seed| {
        let sealed = Some(secret(seed).sealed);
        let change = Change::SetCredential { gateway: gateway_id(), sealed, same_account_as: None };
        shop.after(&change, START, BY).expect("it is allowed")
    };
    let first = replaced(&replaced(&shop(), 1), 2);
    let mut forgetful = first.clone().signed(first.version, first.last_change.clone().expect("a change"));
    forgetful.gateways.get_mut(&gateway_id()).expect("a gateway").generation = Generation::FIRST;
    let second = replaced(&forgetful, 3);
    let generation = |shop: &Merchant| shop.gateways[&gateway_id()].generation;
    assert!(generation(&first) > Generation::FIRST && generation(&second) > generation(&first), "{second:?}");
}
