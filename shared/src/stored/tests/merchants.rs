//! Merchants and API keys as items.

use std::time::Duration;

use crate::gateways::sandbox;
use crate::ids::{GatewayId, MerchantId};
use crate::merchant::{ApiKey, Gateway, Merchant};
use crate::payment::BalanceCheck;
use crate::payment::tests::fixtures::{dollars, gateway, gateway_id, merchant};
use crate::stored::Item;
use crate::stored::merchant::{
    Pointer, api_key_key, decode_api_key, decode_merchant, encode_api_key, encode_merchant, merchant_key,
};

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
