//! Who pays, with what, through which gateway, and when.

use std::collections::BTreeMap;

use kessai_shared::card::{Card, CardType, Cvv, Expiry, Pan, Secret};
use kessai_shared::ids::{GatewayId, MerchantId, MethodId};
use kessai_shared::merchant::Gateway;
use kessai_shared::money::{Currency, Money};
use kessai_shared::payment::asked::{Address, Amount, OnFile};
use kessai_shared::payment::{IdempotencyKey, Instrument};
use kessai_shared::time::Timestamp;

/// A moment in September 2026.
pub const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

pub fn merchant() -> MerchantId {
    MerchantId::from_random([1; 16])
}

pub fn gateway_id() -> GatewayId {
    GatewayId::from_random([2; 16])
}

pub fn dollars() -> Currency {
    Currency::parse("USD").expect("a currency")
}

pub fn exactly(minor: i64) -> Amount {
    Amount::Exactly(Money::new(minor, dollars()).to_decimal().expect("a positive amount"))
}

pub fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("a key")
}

pub fn gateway(adapter: &str, base_url: &str) -> Gateway {
    Gateway { name: "Shop".to_owned(), ..Gateway::at(adapter, base_url) }
}

pub fn stored_method(id: &str) -> Instrument {
    let token = Some(Secret::new(id.to_owned()));
    Instrument::Stored(OnFile { token, ..OnFile::unopened(MethodId::parse(id).expect("a method id")) })
}

pub fn raw_card(number: &str) -> Instrument {
    let card = Card {
        number: Pan::parse(number).expect("a card number"),
        expiry: Expiry { month: 12, year: 2030 },
        cvv: Cvv::parse("123"),
        holder: Some("Carol Smith".to_owned()),
        card_type: Some(CardType::Visa),
    };
    Instrument::Card { card: Box::new(card), address: Address::default() }
}

pub fn token(text: &str) -> Instrument {
    Instrument::Alternative {
        token: Secret::new(text.to_owned()),
        token_details: None,
        name: Some("iDEAL".to_owned()),
        email: None,
        address: Address::default(),
    }
}

pub fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
