//! Merchants and API keys as items.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::gateways::sandbox;
use crate::ids::{ApiKeyId, GatewayId, MerchantId, MethodTypeId};
use crate::merchant::set_up::{LastChange, Who};
use crate::merchant::tests::{
    endpoint, endpoint_id, key_id, listed, made, method_type, provider, provider_id, retry_rule, rule_id, rule_set,
    rule_set_id, secret,
};
use crate::merchant::{
    ApiKey, Endpoint, EventFilter, Gateway, GatewayMode, ListedKey, ListedRule, ListedRuleSet, Merchant, MethodType,
    Provider, Scope, SealedSecret,
};
use crate::payment::tests::fixtures::{START, dollars, gateway, gateway_id, merchant};
use crate::payment::{BalanceCheck, Generation};
use crate::rate::Bucket;
use crate::recurring::retry::{Category, IntervalType, IntervalUnit, RetryRule, RuleSetStatus, Timing};
use crate::stored::merchant::{
    Pointer, api_key_key, decode_api_key, decode_merchant, decode_provider_pointer, encode_api_key, encode_merchant,
    encode_pointer, encode_provider_pointer, merchant_key, provider_key,
};
use crate::stored::rate::{decode_bucket, encode_bucket, rate_key};
use crate::stored::set_up::{audit_key, decode_audit, encode_audit};
use crate::stored::{Attribute, Item};

fn shop() -> Merchant {
    let strict = gateway(&sandbox::KEYED);
    let lenient = Gateway {
        balance_check: BalanceCheck::Gateway,
        authorization_lifetime: Duration::from_secs(60),
        ..gateway(&sandbox::NONE)
    };
    let gateways = [(gateway_id(), strict), (GatewayId::from_random([3; 16]), lenient)].into();
    Merchant { default_currency: Some(dollars()), gateways, ..Merchant::new(merchant(), "Shop") }
}

#[test]
fn a_merchant_comes_back_as_it_was() {
    let bare = Merchant { default_currency: None, gateways: [].into(), ..shop() };
    for merchant in [shop(), bare] {
        let item = encode_merchant(&merchant);
        assert_eq!(item.text("pk"), Some(merchant_key(&merchant.id).as_str()));
        assert_eq!(decode_merchant(item), Ok(merchant));
    }
}

#[test]
fn an_api_key_leads_to_its_merchant_and_is_not_stored() {
    let key = ApiKey::from_random([0xAB; 16], [0xCD; 16]);
    let item = encode_api_key(&key.hash(), &merchant());
    assert_eq!(item.text("pk"), Some(api_key_key(&key.hash()).as_str()));
    assert_eq!(decode_api_key(item.clone()), Ok(Pointer { merchant: merchant(), key: None }));
    assert!(!format!("{item:?}").contains("abab"), "the key itself lies in {item:?}");
    assert_ne!(api_key_key(&key.hash()), api_key_key(&ApiKey::from_random([0; 16], [0; 16]).hash()));
}

#[test]
fn an_api_key_reads_back_and_prints_masked() {
    let key = ApiKey::from_random([0xAB; 16], [0xCD; 16]);
    assert_eq!(key.reveal(), format!("kessai_{}{}", "ab".repeat(16), "cd".repeat(16)));
    assert_eq!(ApiKey::parse(key.reveal()).map(|parsed| parsed.hash()), Some(key.hash()));
    assert_eq!(format!("{key:?}"), "kessai_***");
    let long = format!("kessai_{}", "a".repeat(128));
    for text in ["", "kessa", "other_abab", &long] {
        assert!(ApiKey::parse(text).is_none(), "{text:?}");
    }
}

#[test]
fn what_cannot_be_read_says_why() {
    let rows = [
        (Item::new(), "f is missing"),
        (encode_merchant(&shop()).with("f", 2), "f has a value that this version does not know"),
        (encode_merchant(&shop()).with("merchant", "x"), "merchant has a value that this version does not know"),
        (encode_merchant(&shop()).with("currency", "xx"), "currency has a value that this version does not know"),
        (encode_merchant(&shop()).with("gateways", "none"), "gateways must be a list"),
    ];
    for (item, says) in rows {
        assert_eq!(decode_merchant(item).map_err(|unreadable| unreadable.0), Err(says.to_owned()));
    }
    let (key, nobody) = (ApiKey::from_random([1; 16], [2; 16]), MerchantId::from_random([0; 16]));
    let broken = encode_api_key(&key.hash(), &nobody).with("f", 9);
    assert!(decode_api_key(broken).is_err_and(|unreadable| unreadable.0.starts_with("f has")));
}

fn change() -> LastChange {
    LastChange {
        at: START,
        by: Who::Key(key_id(1)),
        action: "api-key.revoked".to_owned(),
        subject: key_id(2).into(),
        description: "\"till\"".to_owned(),
    }
}

/// A set and a rule of it, which say all that they can.
fn full_rules() -> (ListedRuleSet, ListedRule) {
    let text = |text: &str| Some(text.to_owned());
    let patient =
        ListedRuleSet { can_use_other_method: true, description: text("all"), made: made("g", "1"), ..rule_set(1) };
    let limits = ListedRule {
        rule: RetryRule {
            category: Category::CardLimit,
            gateway: Some(gateway_id()),
            code: text("51"),
            timing: Timing {
                interval_type: Some(IntervalType::Staggered),
                interval_value: text("1,3"),
                interval_unit: Some(IntervalUnit::Days),
                maximum_retry_count: Some(2),
            },
        },
        description: text("rich"),
        made: made("h", "1"),
        ..retry_rule(1, Category::CardLimit)
    };
    (patient, limits)
}

/// With a value for everything that may be there.
fn full_shop() -> Merchant {
    let text = |text: &str| Some(text.to_owned());
    let no = Provider {
        idempotency_supported: false,
        comments: text("slow"),
        notice_secrets: vec![secret(4), SealedSecret { until: Some(START), ..secret(3) }],
        made: made("a", "1"),
        ..provider("First")
    };
    let account = Gateway {
        provider: Some(provider_id(1)),
        credential: text("/kessai/prod/first"),
        sealed_credential: Some(secret(5).sealed),
        generation: Generation(3),
        mode: GatewayMode::Connected,
        is_active: false,
        comments: text("closed"),
        external_reference: text("acct_1"),
        never_resend: true,
        made: made("b", "1"),
        ..gateway(&sandbox::KEYED)
    };
    let kind = MethodType {
        record_type: text("012"),
        comments: text("rare"),
        made: made("c", "1"),
        ..method_type("Giro", provider_id(1))
    };
    let key = ListedKey {
        expires_at: Some(START),
        revoked_at: Some(START),
        requests_per_second: Some(7),
        made: made("d", "1"),
        ..listed(1, &[Scope::Read, Scope::CaptureReverse])
    };
    let hook = Endpoint {
        events: ["payment.*", "*"].into_iter().filter_map(EventFilter::parse).collect(),
        description: text("till"),
        is_active: false,
        enabled_at: Some(START),
        secrets: vec![
            SealedSecret { created_at: Some(START), ..secret(2) },
            SealedSecret { until: Some(START), made: made("e", "1"), ..secret(1) },
        ],
        made: made("f", "1"),
        ..endpoint(1)
    };
    let (patient, limits) = full_rules();
    let mut shop = Merchant {
        version: 7,
        default_currency: Some(dollars()),
        keeps_events: true,
        providers: [(provider_id(1), no)].into(),
        gateways: [(gateway_id(), account)].into(),
        method_types: [(MethodTypeId::from_random([4; 16]), kind)].into(),
        api_keys: [(key_id(1), key)].into(),
        endpoints: [(endpoint_id(1), hook)].into(),
        retry_rule_sets: [(rule_set_id(1), patient)].into(),
        retry_rules: [(rule_id(1), limits)].into(),
        last_change: Some(change()),
        ..Merchant::new(merchant(), "Shop")
    };
    shop.connect();
    shop
}

fn maps(maps: impl IntoIterator<Item = Item>) -> Vec<Attribute> {
    maps.into_iter().map(Attribute::Map).collect()
}

fn texts(texts: impl IntoIterator<Item = &'static str>) -> Vec<Attribute> {
    texts.into_iter().map(Attribute::from).collect()
}

fn halves(name: &str, content: &str) -> Vec<u8> {
    let made = made(name, content).expect("hashes");
    [made.under.to_be_bytes(), made.content.to_be_bytes()].concat()
}

/// What this version writes, to the letter. Whoever changes this page sees that items written before must still be read.
fn stored() -> Item {
    let millis = START.as_millis();
    let account = Item::new()
        .with("id", "0b00i83Cgecdbus")
        .with("name", "Shop")
        .with("adapter", "sandbox-keyed")
        .with("url", "https://gateway.test")
        .with("balance", "strict")
        .with("lifetime", 604_800)
        .with("provider", provider_id(1).as_str().to_owned())
        .with("credential", "/kessai/prod/first")
        .with("sealed", Item::new().with("k", "a").with("b", vec![5; 60]))
        .with("generation", 3)
        .with("mode", "Connected")
        .with("inactive", true)
        .with("comments", "closed")
        .with("external", "acct_1")
        .with("made", halves("b", "1"));
    let no = Item::new()
        .with("id", provider_id(1).as_str().to_owned())
        .with("developer", "First")
        .with("label", "First")
        .with("adapter", "sandbox-keyed")
        .with("comments", "slow")
        .with(
            "secrets",
            maps([
                Item::new().with("by", "a").with("sealed", vec![4; 60]),
                Item::new().with("by", "a").with("sealed", vec![3; 60]).with("until", millis),
            ]),
        )
        .with("made", halves("a", "1"));
    let kind = Item::new()
        .with("id", MethodTypeId::from_random([4; 16]).as_str().to_owned())
        .with("provider", provider_id(1).as_str().to_owned())
        .with("kind", "AlternativePaymentMethod")
        .with("gateway", "PM_Giro")
        .with("developer", "Giro")
        .with("label", "Giro")
        .with("record", "012")
        .with("comments", "rare")
        .with("made", halves("c", "1"));
    let key = Item::new()
        .with("id", key_id(1).as_str().to_owned())
        .with("name", "key 1")
        .with("hash", listed(1, &[]).hash.as_bytes().to_vec())
        .with("scopes", texts(["capture-reverse", "read"]))
        .with("created", millis)
        .with("expires", millis)
        .with("revoked", millis)
        .with("rate", 7)
        .with("made", halves("d", "1"));
    Item::new()
        .with("pk", "merchant/00D0M41bLKJJnxR")
        .with("f", 1)
        .with("v", 7)
        .with("merchant", "00D0M41bLKJJnxR")
        .with("name", "Shop")
        .with("currency", "USD")
        .with("keeps", true)
        .with("gateways", maps([account]))
        .with("providers", maps([no]))
        .with("types", maps([kind]))
        .with("keys", maps([key]))
        .with("endpoints", maps([stored_hook()]))
        .with("retrySets", maps([stored_rule_set()]))
        .with("retryRules", maps([stored_rule()]))
        .with("change", said())
}

/// The part that is a set of retry rules.
fn stored_rule_set() -> Item {
    Item::new()
        .with("id", rule_set_id(1).as_str().to_owned())
        .with("name", "Set 1")
        .with("active", true)
        .with("default", true)
        .with("other", true)
        .with("about", "all")
        .with("made", halves("g", "1"))
        .with("type", "Fixed")
        .with("value", "6")
        .with("unit", "Hours")
        .with("most", 3)
}

fn stored_rule() -> Item {
    Item::new()
        .with("id", rule_id(1).as_str().to_owned())
        .with("set", rule_set_id(1).as_str().to_owned())
        .with("category", "CardLimit")
        .with("gateway", "0b00i83Cgecdbus")
        .with("code", "51")
        .with("about", "rich")
        .with("made", halves("h", "1"))
        .with("type", "Staggered")
        .with("value", "1,3")
        .with("unit", "Days")
        .with("most", 2)
}

/// A rule that says nothing but what it is about, of a set that is a draft.
#[test]
fn what_a_rule_does_not_say_is_not_stored() {
    let mut shop = shop();
    let draft = ListedRuleSet { status: RuleSetStatus::Draft, is_default: false, ..rule_set(1) };
    shop.retry_rule_sets.insert(rule_set_id(1), draft);
    shop.retry_rules.insert(rule_id(1), retry_rule(1, Category::Unknown));
    let item = encode_merchant(&shop);
    let [Attribute::Map(rule)] = item.list("retryRules") else { panic!("a rule") };
    assert_eq!(rule.iter().map(|(name, _)| name).collect::<Vec<_>>().len(), 3, "id, set and category: {rule:?}");
    assert_eq!(decode_merchant(item), Ok(shop));
}

/// The part that is an endpoint.
fn stored_hook() -> Item {
    let millis = START.as_millis();
    let secrets = [
        Item::new().with("by", "a").with("sealed", vec![2; 60]).with("created", millis),
        Item::new().with("by", "a").with("sealed", vec![1; 60]).with("until", millis).with("made", halves("e", "1")),
    ];
    Item::new()
        .with("id", endpoint_id(1).as_str().to_owned())
        .with("url", "https://shop.example/hooks")
        .with("events", texts(["payment.*", "*"]))
        .with("about", "till")
        .with("inactive", true)
        .with("enabled", millis)
        .with("secrets", maps(secrets))
        .with("made", halves("f", "1"))
}

fn said() -> Item {
    Item::new()
        .with("at", START.as_millis())
        .with("by", key_id(1).as_str().to_owned())
        .with("action", "api-key.revoked")
        .with("subject", key_id(2).as_str().to_owned())
        .with("about", "\"till\"")
}

#[test]
fn what_a_merchant_has_set_up_is_stored_to_the_letter_and_read() {
    assert_eq!(encode_merchant(&full_shop()), stored());
    assert_eq!(decode_merchant(stored()), Ok(full_shop()));
}

/// As the version wrote it that knew gateways only.
fn stored_before() -> Item {
    let account = Item::new()
        .with("id", "0b00i83Cgecdbus")
        .with("name", "Shop")
        .with("adapter", "sandbox-keyed")
        .with("url", "https://gateway.test")
        .with("balance", "strict")
        .with("lifetime", 604_800);
    Item::new()
        .with("pk", "merchant/00D0M41bLKJJnxR")
        .with("f", 1)
        .with("v", 3)
        .with("merchant", "00D0M41bLKJJnxR")
        .with("name", "Shop")
        .with("currency", "USD")
        .with("gateways", maps([account]))
}

#[test]
fn what_an_earlier_version_stored_is_read_as_it_was_meant() {
    let gateways = [(gateway_id(), gateway(&sandbox::KEYED))].into();
    let expected =
        Merchant { version: 3, default_currency: Some(dollars()), gateways, ..Merchant::new(merchant(), "Shop") };
    assert_eq!(decode_merchant(stored_before()), Ok(expected));
}

/// An earlier version finds all that it reads, of the kind that it expects, and passes over the rest.
#[test]
fn an_earlier_version_reads_what_this_one_stores() {
    let (now, before) = (stored(), stored_before());
    let kind = |value: Option<&Attribute>| value.map(std::mem::discriminant);
    for (name, value) in before.iter() {
        assert_eq!(kind(now.get(name)), kind(Some(value)), "{name}");
    }
    assert_eq!(now.number("f"), before.number("f"));
    let [Attribute::Map(account)] = now.list("gateways") else { panic!("a gateway") };
    let [Attribute::Map(account_before)] = before.list("gateways") else { panic!("a gateway") };
    for (name, value) in account_before.iter() {
        assert_eq!(account.get(name), Some(value), "{name}");
    }
    let key = ApiKey::from_random([1; 16], [2; 16]);
    let pointer = encode_pointer(&key.hash(), Pointer { merchant: merchant(), key: Some(key_id(1)) });
    let pointer_before = encode_api_key(&key.hash(), &merchant());
    for (name, value) in pointer_before.iter() {
        assert_eq!(pointer.get(name), Some(value), "{name}");
    }
}

#[test]
fn an_api_key_that_is_listed_leads_to_its_place() {
    let key = ApiKey::from_random([1; 16], [2; 16]);
    let to = Pointer { merchant: merchant(), key: Some(key_id(1)) };
    assert_eq!(decode_api_key(encode_pointer(&key.hash(), to)), Ok(to));
}

#[test]
fn a_provider_leads_to_its_merchant() {
    let item = encode_provider_pointer(&provider_id(1), &merchant());
    let expected = Item::new()
        .with("pk", format!("provider/{}", provider_id(1).as_str()))
        .with("f", 1)
        .with("merchant", "00D0M41bLKJJnxR");
    assert_eq!(item, expected);
    assert_eq!(item.text("pk"), Some(provider_key(&provider_id(1)).as_str()));
    assert_eq!(decode_provider_pointer(item.clone()), Ok(merchant()));
    for broken in [item.clone().with("f", 2), item.with("merchant", "x"), Item::new()] {
        assert!(decode_provider_pointer(broken).is_err());
    }
}

/// What came later within a part of a merchant: as the version before wrote it.
#[test]
fn a_provider_and_an_endpoint_that_were_stored_before_are_read_as_they_were_meant() {
    let no = Item::new()
        .with("id", provider_id(1).as_str().to_owned())
        .with("developer", "First")
        .with("label", "First")
        .with("idempotent", true)
        .with("adapter", "sandbox-keyed");
    let hook = Item::new()
        .with("id", endpoint_id(1).as_str().to_owned())
        .with("url", "https://shop.example/hooks")
        .with("events", texts(["payment.*"]))
        .with("secrets", maps([Item::new().with("by", "a").with("sealed", vec![1; 60])]));
    let before = stored_before().with("providers", maps([no])).with("endpoints", maps([hook]));
    let read = decode_merchant(before).expect("it is read");
    assert_eq!(read.providers, [(provider_id(1), provider("First"))].into());
    assert_eq!(read.endpoints, [(endpoint_id(1), endpoint(1))].into());
    assert!(!read.keeps_events);
}

#[test]
fn an_entry_of_the_trail_is_an_item_of_its_own() {
    let item = encode_audit(&full_shop()).expect("an entry");
    assert_eq!(item, said().with("f", 1).with("pk", "audit/00D0M41bLKJJnxR/00000000000000000007"));
    assert_eq!(decode_audit(item), Ok(change()));
    assert_eq!(encode_audit(&shop()), None);
    let by_hand = LastChange { by: Who::CommandLine, ..change() };
    let item = encode_audit(&Merchant { last_change: Some(by_hand.clone()), ..shop() }).expect("an entry");
    assert_eq!(item.text("by"), Some("command line"));
    assert_eq!(decode_audit(item), Ok(by_hand));
    assert!(audit_key(&merchant(), 9) < audit_key(&merchant(), 10));
    assert!(audit_key(&merchant(), 10) < audit_key(&merchant(), u64::MAX));
}

#[test]
fn a_bucket_comes_back_as_it_was() {
    let (key, bucket) = (ApiKeyId::from_random([1; 16]), Bucket { thousandths: 1_500, at: START });
    let item = encode_bucket(key.into(), bucket, 3);
    assert_eq!(item.text("pk"), Some(rate_key(key.into()).as_str()));
    assert_eq!(decode_bucket(item.clone()), Ok((bucket, 3)));
    for broken in [item.clone().with("level", -1), item.clone().with("v", -1), item.with("f", 2), Item::new()] {
        assert!(decode_bucket(broken).is_err());
    }
}

#[test]
fn a_part_that_cannot_be_read_says_which() {
    let rows = [
        ("providers", Item::new().with("id", "0cJ"), "id has a value that this version does not know"),
        ("types", Item::new().with("id", "1gp000000000001"), "provider is missing"),
        ("keys", Item::new().with("id", "9ak000000000001").with("name", "x"), "hash has a value"),
        ("endpoints", Item::new().with("id", "9we000000000001"), "url is missing"),
        ("retrySets", Item::new().with("id", "1br000000000001"), "id has a value"),
        ("retryRules", stored_rule().with("category", "Weather"), "category has a value"),
    ];
    for (name, part, says) in rows {
        let read = decode_merchant(stored().with(name, maps([part])));
        assert!(read.as_ref().is_err_and(|unreadable| unreadable.0.starts_with(says)), "{name}: {read:?}");
    }
    // A scope of a later version opens nothing, and hinders nothing.
    let mut key = Item::new().with("id", key_id(1).as_str().to_owned()).with("name", "key 1").with("created", 0);
    key.insert("hash", vec![0_u8; 32]);
    key.insert("scopes", texts(["read", "teleport"]));
    let read = decode_merchant(stored().with("keys", maps([key]))).expect("it is read");
    assert_eq!(read.api_keys[&key_id(1)].scopes, [Scope::Read].into());
}

/// As a newer version may write it: with more of the merchant, and of each thing that it has set up.
fn stored_later() -> Item {
    let lists = ["gateways", "providers", "types", "keys", "endpoints"];
    let mut item = stored().with("later", Item::new().with("a", 1));
    for list in lists {
        let Some(Attribute::List(things)) = item.get_mut(list) else { panic!("{list}") };
        let Some(Attribute::Map(thing)) = things.first_mut() else { panic!("{list}") };
        thing.insert("later", list);
    }
    item
}

#[test]
fn what_this_version_does_not_know_of_a_merchant_survives_a_change() {
    let read = decode_merchant(stored_later()).expect("readable");
    assert_eq!(encode_merchant(&read), stored_later());
    let Merchant { gateways, .. } = read.clone();
    let (id, known) = gateways.into_iter().next().expect("a gateway");
    let (name, other) = ("Other".to_owned(), GatewayId::from_random([9; 16]));
    let gateways = [(id, Gateway { name, comments: None, ..known.clone() }), (other, known)].into();
    let written = encode_merchant(&Merchant { gateways, ..read });
    assert_eq!(written.get("later"), stored_later().get("later"));
    let accounts = written.list("gateways").iter().map(|account| match account {
        Attribute::Map(account) => (account.text("id"), account.text("later"), account.text("comments")),
        _ => panic!("{account:?}"),
    });
    let expected = [(Some(id.as_str()), Some("gateways"), None), (Some(other.as_str()), None, Some("closed"))];
    assert_eq!(accounts.collect::<BTreeSet<_>>(), expected.into());
}

#[test]
fn what_is_taken_away_leaves_nothing_behind() {
    let read = decode_merchant(stored_later()).expect("readable");
    let written = encode_merchant(&Merchant { endpoints: [].into(), ..read });
    assert_eq!(written.get("endpoints"), None);
    assert!(decode_merchant(written).is_ok_and(|merchant| merchant.endpoints.is_empty()));
}
