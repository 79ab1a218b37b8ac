//! What the tests of payments start from: who pays, with what, through which gateway, and when.

use std::sync::Arc;
use std::time::Duration;

use crate::card::{Card, CardType, Cvv, Expiry, Pan, Secret};
use crate::fingerprint::{Fingerprint, FingerprintKey};
use crate::gateways::{Account, Adapter, Known};
use crate::ids::{GatewayId, MerchantId, MethodId, Ordinal, PaymentId, Record};
use crate::memory::Memory;
use crate::merchant::Gateway;
use crate::method::Method;
use crate::money::{Currency, Money};
use crate::payment::asked::{Address, Amount, Details, OnFile, Opening};
use crate::payment::{Action, Answer, Claim, Event, IdempotencyKey, Instrument, Kind, Nonce, Request, Terms};
use crate::seal::SealingKeys;
use crate::stored::method::StoredMethod;
use crate::time::Timestamp;

/// A moment in September 2026.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// How long whoever claims an operation may live.
pub(crate) const LIFE: Duration = Duration::from_secs(30);

pub(crate) fn merchant() -> MerchantId {
    MerchantId::from_random([1; 16])
}

pub(crate) fn gateway_id() -> GatewayId {
    GatewayId::from_random([2; 16])
}

pub(crate) fn method_id() -> MethodId {
    MethodId::parse("03O000000000001").expect("a method id")
}

pub(crate) fn dollars() -> Currency {
    Currency::parse("USD").expect("a currency")
}

pub(crate) fn cents(minor: i64) -> Money {
    Money::new(minor, dollars())
}

pub(crate) fn exactly(minor: i64) -> Amount {
    Amount::Exactly(cents(minor).to_decimal().expect("a positive amount"))
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("a key")
}

pub(crate) fn place(index: usize) -> Ordinal {
    Ordinal::new(index).expect("a place that an id can hold")
}

/// An account there that is known by nothing.
pub(crate) fn unnamed(gateway: &Gateway) -> Account<'_> {
    Account::unnamed(gateway, START)
}

/// An operation that a gateway knows by this name.
pub(crate) fn known(reference: &str) -> Known<'_> {
    let record = Record::Authorization.id(PaymentId::from_bits(7), Ordinal::FIRST);
    Known { record, reference, details: None, amount: cents(12_050), requested_at: START }
}

pub(crate) fn gateway(adapter: &Adapter) -> Gateway {
    Gateway { name: "Shop".to_owned(), ..Gateway::at(adapter.name, "https://gateway.test") }
}

pub(crate) fn terms(adapter: &Adapter) -> Terms {
    adapter.terms(&gateway(adapter))
}

pub(crate) fn fingerprint_key() -> FingerprintKey {
    FingerprintKey::new([7; 32])
}

/// An instrument that is stored whole: the request can be made again without the caller.
pub(crate) fn stored_method() -> Instrument {
    Instrument::Stored(OnFile { token: Some(Secret::new("tok_1".to_owned())), ..OnFile::unopened(method_id()) })
}

/// A vault that holds the token of that method, and the keys to it.
pub(crate) fn vault() -> (Arc<Memory>, SealingKeys) {
    let keys = SealingKeys::parse(&format!("k1:{}", "07".repeat(32))).expect("keys");
    let mut method = Method::of_token(merchant(), method_id(), key("method"), START);
    let token = Secret::new("tok_1".to_owned());
    method.token = Some(method.at_its_place(|place| keys.seal(place, &token, [7; 16])).expect("sealed"));
    let vault = Memory::default();
    vault.put(StoredMethod::following(None, method).to_item());
    (Arc::new(vault), keys)
}

/// An instrument of which only facts are stored.
pub(crate) fn raw_card() -> Instrument {
    card_of("4242424242424242", "123", Address::default())
}

pub(crate) fn card_of(number: &str, cvv: &str, address: Address) -> Instrument {
    let card = Card {
        number: Pan::parse(number).expect("a card number"),
        expiry: Expiry { month: 12, year: 2030 },
        cvv: Cvv::parse(cvv),
        holder: Some("Carol Smith".to_owned()),
        card_type: Some(CardType::Visa),
    };
    Instrument::Card { card: Box::new(card), address }
}

/// A request that opens a payment of `minor` cents.
pub(crate) fn opening(kind: Kind, instrument: Instrument, name: &str, minor: i64) -> Request {
    let opening = Opening { kind, gateway: gateway_id(), currency: dollars(), instrument };
    let details = Details::default();
    Request { action: Action::Open(opening), key: key(name), amount: exactly(minor), details }
}

/// A request that acts on a payment.
pub(crate) fn acting(kind: Kind, name: &str, amount: Amount) -> Request {
    Request { action: Action::Act(kind), key: key(name), amount, details: Details::default() }
}

pub(crate) fn capture(authorization: Ordinal) -> Kind {
    Kind::Capture { authorization, is_final: false }
}

pub(crate) fn refund(payment: Ordinal) -> Kind {
    Kind::Refund { payment, reason: None }
}

pub(crate) fn claim(nonce: u64, now: Timestamp) -> Claim {
    Claim { nonce: Nonce(nonce), deadline: now.plus(LIFE) }
}

/// The event that `request` is, asked by whoever holds `claim`.
pub(crate) fn asked(request: &Request, claim: Claim) -> Event<'_> {
    let fingerprint = match &request.action {
        Action::Open(opening) => Fingerprint::of(&opening.instrument, &fingerprint_key()),
        Action::Act(_) => None,
    };
    Event::Requested { merchant: merchant(), request, fingerprint, claim }
}

pub(crate) fn answer(reference: &str) -> Answer {
    Answer { reference: Some(reference.to_owned()), code: Some("00".to_owned()), ..Answer::default() }
}
