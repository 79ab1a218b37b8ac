//! Identifiers: fifteen characters of base 62 behind a three-character prefix, as callers of this
//! wire format store them, and three more characters that check their case.
//!
//! The id of a record leads to the payment that holds it and to its place there; no index is asked.
//! Behind the prefix stand twelve characters: 64 bits of payment and 7 bits of [`Ordinal`], of the
//! 71 that twelve characters of base 62 can hold.

mod item;

use std::fmt;
use std::str;

use sha2::{Digest, Sha256};

pub use item::ItemKey;

use crate::payment::IdempotencyKey;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECK_ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
const PREFIX: usize = 3;
const BODY: usize = 12;
const SHORT: usize = PREFIX + BODY;
const LONG: usize = SHORT + 3;
const ORDINAL_BITS: u32 = 7;

/// An id as stored and compared: without the check characters, which follow from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; SHORT]);

impl Id {
    /// Reads 15 characters, or 18 with the right check characters.
    pub fn parse(text: &str) -> Option<Self> {
        let (short, check) = match text.len() {
            SHORT => (text, None),
            LONG => (text.get(..SHORT)?, text.get(SHORT..)),
            _ => return None,
        };
        let bytes: [u8; SHORT] = short.as_bytes().try_into().ok()?;
        if !bytes.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let id = Self(bytes);
        match check {
            Some(check) if check.as_bytes() != id.check() => None,
            Some(_) | None => Some(id),
        }
    }

    /// Reads 15 or 18 characters without looking at the last three: foreign ids are copied by hand.
    pub fn parse_foreign(text: &str) -> Option<Self> {
        let is_long = text.len() == LONG && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        Self::parse(if is_long { &text[..SHORT] } else { text })
    }

    /// An id with this prefix whose body counts `number`, of which 71 bits are used.
    pub(crate) fn with_number(prefix: &str, number: u128) -> Self {
        let mut bytes = [b'0'; SHORT];
        bytes[..PREFIX].copy_from_slice(prefix.as_bytes());
        let mut rest = number & ((1 << (u64::BITS + ORDINAL_BITS)) - 1);
        for place in bytes[PREFIX..].iter_mut().rev() {
            *place = ALPHABET[(rest % 62) as usize];
            rest /= 62;
        }
        Self(bytes)
    }

    pub(crate) fn number(self) -> Option<u128> {
        self.0[PREFIX..].iter().try_fold(0_u128, |number, byte| {
            let digit = ALPHABET.iter().position(|letter| letter == byte)?;
            Some(number * 62 + digit as u128)
        })
    }

    /// The fifteen characters.
    pub fn as_str(&self) -> &str {
        // Ids are made of ASCII only, by both constructors.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    pub fn prefix(&self) -> &str {
        &self.as_str()[..PREFIX]
    }

    /// One letter for each five characters: which of them are upper case.
    fn check(self) -> [u8; LONG - SHORT] {
        let mut check = [0; LONG - SHORT];
        for (letter, chunk) in check.iter_mut().zip(self.0.chunks(5)) {
            let bits = chunk.iter().rev().fold(0, |bits, byte| bits << 1 | usize::from(byte.is_ascii_uppercase()));
            *letter = CHECK_ALPHABET[bits];
        }
        check
    }
}

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.as_str(), str::from_utf8(&self.check()).unwrap_or_default())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

macro_rules! named_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Id);

        impl $name {
            pub fn parse(text: &str) -> Option<Self> {
                Id::parse_foreign(text).map(Self)
            }

            /// The fifteen characters, as stored.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl From<$name> for Id {
            fn from($name(id): $name) -> Self {
                id
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, out)
            }
        }
    };
}

named_id! {
    /// Who calls us (`00D…`; the wire calls it an org).
    MerchantId
}
named_id! {
    /// One merchant account at a gateway (`0b0…`).
    GatewayId
}
named_id! {
    /// A stored payment method: its prefix tells its [`MethodKind`].
    MethodId
}

/// The kinds of stored method that the wire knows. It publishes the prefix of cards; the others' are our choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKind {
    Card,
    DigitalWallet,
    /// Another way to pay, and whoever's bank account it is.
    Alternative,
    Saved,
}

impl MethodKind {
    pub const ALL: [Self; 4] = [Self::Card, Self::DigitalWallet, Self::Alternative, Self::Saved];

    fn prefix(self) -> &'static str {
        match self {
            Self::Card => "03O",
            Self::DigitalWallet => "0dw",
            Self::Alternative => "0ap",
            Self::Saved => "0sp",
        }
    }

    /// The wire's name for its record.
    pub fn object(self) -> &'static str {
        match self {
            Self::Card => "CardPaymentMethod",
            Self::DigitalWallet => "DigitalWallet",
            Self::Alternative => "AlternativePaymentMethod",
            Self::Saved => "SavedPaymentMethod",
        }
    }
}

impl MethodId {
    /// The method that `key` makes: asking twice leads to the same place.
    pub fn made_by(kind: MethodKind, merchant: &MerchantId, key: &IdempotencyKey) -> Self {
        Self::derived("method", kind, merchant, key)
    }

    /// The method that is stored beside the payment that `key` opens.
    pub fn saved_by(kind: MethodKind, merchant: &MerchantId, key: &IdempotencyKey) -> Self {
        Self::derived("saved method", kind, merchant, key)
    }

    fn derived(purpose: &str, kind: MethodKind, merchant: &MerchantId, key: &IdempotencyKey) -> Self {
        let parts = [merchant.as_str().as_bytes(), key.as_str().as_bytes()];
        Self(Id::with_number(kind.prefix(), hash(purpose, &parts)))
    }

    /// What it is, as its prefix has it; none where it is no id of ours.
    pub fn kind(&self) -> Option<MethodKind> {
        MethodKind::ALL.into_iter().find(|kind| kind.prefix() == self.0.prefix())
    }

    pub fn id(&self) -> Id {
        self.0
    }
}

/// Where a stored method is. It begins with the merchant, as a payment does.
pub fn method_key(merchant: &MerchantId, method: &MethodId) -> String {
    format!("{}/{}", merchant.as_str(), method.as_str())
}

/// The name of what callers hear in place of a gateway's token: it leads nowhere.
pub fn opaque_token(merchant: &MerchantId, method: &MethodId) -> String {
    format!("kst_{:032x}", hash("opaque token", &[merchant.as_str().as_bytes(), method.as_str().as_bytes()]))
}

/// The key under which a gateway is asked for a method's token.
pub fn token_key(merchant: &MerchantId, method: &MethodId) -> String {
    format!("{:032x}", hash("token key", &[merchant.as_str().as_bytes(), method.as_str().as_bytes()]))
}

/// The id of the gateway log of the request that made a method.
pub fn method_log_id(method: &MethodId) -> Id {
    Id::with_number("0Xt", hash("method log", &[method.as_str().as_bytes()]))
}

named_id! {
    /// The software that speaks to a kind of gateway (`0cJ…`).
    ProviderId
}
named_id! {
    /// How a provider calls one way to pay (`1gp…`).
    MethodTypeId
}
named_id! {
    /// An API key, which is not the key itself (`9ak…`, ours).
    ApiKeyId
}
named_id! {
    /// Where a merchant wants to hear of events (`9we…`, ours).
    EndpointId
}

/// The text of a foreign id by which it is compared: ids of 15 and of 18 characters name the same.
pub fn short_form(text: &str) -> &str {
    match Id::parse(text) {
        Some(_) => text.get(..SHORT).unwrap_or(text),
        None => text,
    }
}

macro_rules! made_id {
    ($name:ident, $prefix:literal, $purpose:literal) => {
        impl $name {
            /// A new one from 16 random bytes.
            pub fn from_random(random: [u8; 16]) -> Self {
                Self(Id::with_number($prefix, u128::from_le_bytes(random)))
            }

            /// The one that this merchant makes under this key: asking twice leads to the same.
            pub fn made_under(merchant: &MerchantId, key: &IdempotencyKey) -> Self {
                let parts = [merchant.as_str().as_bytes(), key.as_str().as_bytes()];
                Self(Id::with_number($prefix, hash($purpose, &parts)))
            }
        }
    };
}

made_id!(MerchantId, "00D", "merchant");
made_id!(GatewayId, "0b0", "gateway");
made_id!(ProviderId, "0cJ", "provider");
made_id!(MethodTypeId, "1gp", "method type");
made_id!(ApiKeyId, "9ak", "api key");
made_id!(EndpointId, "9we", "webhook endpoint");

impl EndpointId {
    /// Stands for the account's own bus, which is told like an endpoint. No merchant has one of this id.
    pub const BUS: Self = Self(Id(*b"9weEventBridge0"));
}

/// A payment within its merchant: 64 bits of the hash of the key that opened it. Two keys of one
/// merchant that share them are refused as a reuse (the item holds the whole key), never mixed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentId(u64);

impl PaymentId {
    /// The payment that `key` opens: asking twice leads to the same place.
    pub fn opened_by(merchant: &MerchantId, key: &IdempotencyKey) -> Self {
        Self(hash("payment", &[merchant.as_str().as_bytes(), key.as_str().as_bytes()]) as u64)
    }

    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// Where a payment is stored. It begins with the merchant: a record of another merchant is not
/// refused but simply not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentKey {
    pub merchant: MerchantId,
    pub payment: PaymentId,
}

impl PaymentKey {
    pub fn parse(text: &str) -> Option<Self> {
        let (merchant, payment) = text.split_once('/')?;
        let payment = u64::from_str_radix(payment, 16).ok()?;
        Some(Self { merchant: MerchantId::parse(merchant)?, payment: PaymentId(payment) })
    }
}

impl fmt::Display for PaymentKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{:x}", self.merchant.as_str(), self.payment.0)
    }
}

/// The place of an operation among those of its payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ordinal(u8);

impl Ordinal {
    /// The operation that opened the payment.
    pub const FIRST: Self = Self(0);

    /// None beyond what an id can hold.
    pub fn new(place: usize) -> Option<Self> {
        let place = u8::try_from(place).ok()?;
        (place < 1 << ORDINAL_BITS).then_some(Self(place))
    }

    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// The kinds of record that the wire knows, each with its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    Authorization,
    Payment,
    Adjustment,
    Refund,
}

impl Record {
    pub const ALL: [Self; 4] = [Self::Authorization, Self::Payment, Self::Adjustment, Self::Refund];

    fn prefix(self) -> &'static str {
        match self {
            Self::Authorization => "0Xc",
            Self::Payment => "0aQ",
            Self::Adjustment => "9tv",
            Self::Refund => "0cb",
        }
    }

    fn number_prefix(self) -> &'static str {
        match self {
            Self::Authorization => "PA",
            Self::Payment => "P",
            Self::Adjustment => "PAA",
            Self::Refund => "R",
        }
    }

    /// The id of the record at `ordinal` of `payment`.
    pub fn id(self, payment: PaymentId, ordinal: Ordinal) -> Id {
        Id::with_number(self.prefix(), place(payment, ordinal))
    }

    /// The record's readable number (`PA-000000037`): at least nine digits, more where a number that
    /// no other record has needs them.
    pub fn number(self, payment: PaymentId, ordinal: Ordinal) -> String {
        format!("{}-{:09}", self.number_prefix(), place(payment, ordinal))
    }

    /// Where the record of this kind with this id is: nowhere if it is no such id.
    pub fn locate(self, text: &str) -> Option<(PaymentId, Ordinal)> {
        let id = Id::parse(text)?;
        if id.prefix() != self.prefix() {
            return None;
        }
        let number = id.number()?;
        let payment = u64::try_from(number >> ORDINAL_BITS).ok()?;
        let ordinal = Ordinal::new((number & ((1 << ORDINAL_BITS) - 1)) as usize)?;
        Some((PaymentId(payment), ordinal))
    }
}

fn place(payment: PaymentId, ordinal: Ordinal) -> u128 {
    u128::from(payment.0) << ORDINAL_BITS | u128::from(ordinal.0)
}

/// The id of the `index`th gateway log of an operation.
pub fn log_id(payment: PaymentId, ordinal: Ordinal, index: usize) -> Id {
    Id::with_number("0Xt", hash("log", &[&place(payment, ordinal).to_be_bytes(), &index.to_be_bytes()]))
}

/// The group of what belongs to one order: the same order, the same group, nothing to look up.
pub fn group_id(merchant: &MerchantId, source: &str) -> Id {
    Id::with_number("0gq", hash("group", &[merchant.as_str().as_bytes(), short_form(source).as_bytes()]))
}

/// The key under which a gateway hears of an operation: derived, never the caller's own, and the same
/// however often we ask.
pub fn gateway_key(merchant: &MerchantId, payment: PaymentId, kind: &str, key: &IdempotencyKey) -> String {
    let parts = [merchant.as_str().as_bytes(), &payment.0.to_be_bytes(), kind.as_bytes(), key.as_str().as_bytes()];
    format!("{:032x}", hash("gateway key", &parts))
}

/// 128 bits of a hash that no two different lists of parts share.
pub fn hash(purpose: &str, parts: &[&[u8]]) -> u128 {
    let mut digest = Sha256::new();
    for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let bytes: [u8; 32] = digest.finalize().into();
    bytes.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_characters_agree_with_published_ids() {
        let published = [
            ("0aQR00000004ZkK", "MAU"),
            ("5BSxx0000004TwG", "GAU"),
            ("1PLR000000000dD", "OAQ"),
            ("3ttR000000001Ik", "IAI"),
            ("0cbVc0000000G4n", "IAE"),
            ("0cJR00000004CEh", "MAM"),
            ("01pxx0000004UU8", "AAM"),
        ];
        for (short, check) in published {
            let long = format!("{short}{check}");
            assert_eq!(Id::parse(short).map(|id| id.to_string()), Some(long.clone()));
            assert_eq!(Id::parse(&long), Id::parse(short));
        }
    }

    #[test]
    fn an_id_leads_back_to_its_place() {
        for bits in [0, 1, 0xdead_beef, u64::MAX] {
            for place in [0, 1, 99, 127] {
                let (payment, ordinal) = (PaymentId(bits), Ordinal::new(place).expect("in range"));
                for record in Record::ALL {
                    let id = record.id(payment, ordinal).to_string();
                    assert_eq!(id.len(), LONG);
                    assert_eq!(record.locate(&id), Some((payment, ordinal)));
                    assert_eq!(record.locate(&id[..SHORT]), Some((payment, ordinal)));
                }
            }
        }
    }

    #[test]
    fn what_is_no_id_of_the_kind_leads_nowhere() {
        let id = Record::Refund.id(PaymentId(7), Ordinal::FIRST).to_string();
        let wrong_case = id.to_ascii_lowercase();
        let beyond = format!("0cb{}", "z".repeat(12));
        let rows =
            ["", "0cb", "x", &id[..17], &wrong_case, &beyond, "0cb00000000000é", "0cb000000000/00", "0Xc000000000001"];
        for text in rows {
            assert_eq!(Record::Refund.locate(text), None, "{text:?}");
        }
        assert_eq!(Ordinal::new(128), None);
    }

    #[test]
    fn a_payment_key_reads_back_and_begins_with_its_merchant() {
        let merchant = MerchantId::from_random([7; 16]);
        let key = PaymentKey { merchant, payment: PaymentId(u64::MAX) };
        assert_eq!(PaymentKey::parse(&key.to_string()), Some(key));
        assert!(key.to_string().starts_with(merchant.as_str()));
    }

    /// What is derived must be derived the same way by every version: a payment that is not found under its
    /// key, or a gateway that hears another key, means a second charge.
    #[test]
    fn what_is_derived_from_a_key_never_changes() {
        let merchant = MerchantId::parse("00D0M41bLKJJnxR").expect("a merchant id");
        let key = IdempotencyKey::parse("order 1").expect("a key");
        let payment = PaymentId::opened_by(&merchant, &key);
        assert_eq!(payment, PaymentId::from_bits(0xaa45_f537_1240_38d6));
        assert_eq!(payment.bits(), 0xaa45_f537_1240_38d6);
        assert_eq!(gateway_key(&merchant, payment, "sale", &key), "fd355419a3a4374b4ce1065af8581103");
        assert_eq!(Record::Payment.id(payment, Ordinal::FIRST).as_str(), "0aQUBCA0dRspzn6");
        assert_eq!(group_id(&merchant, "801xx000003DHP0").as_str(), "0gq9qPyOkYXXsGC");
        assert_eq!(log_id(payment, Ordinal::FIRST, 1).as_str(), "0XtAPHoo6jaQv1u");
        let method = MethodId::made_by(MethodKind::Card, &merchant, &key);
        assert_eq!(method.as_str(), "03OKsJpvrFJpBxD");
        assert_eq!(MethodId::saved_by(MethodKind::Alternative, &merchant, &key).as_str(), "0ap6b5guZpG4rOu");
        assert_eq!(token_key(&merchant, &method), "3b9cf20f8cd7adcddf79017a67cf208f");
        assert_eq!(opaque_token(&merchant, &method), "kst_f20e35d4ca75becb33ee88565ef34a5b");
    }

    #[test]
    fn another_merchant_kind_or_key_is_another_operation() {
        let [merchant, other] = [1, 2].map(|seed| MerchantId::from_random([seed; 16]));
        let [key, other_key] = ["a", "b"].map(|text| IdempotencyKey::parse(text).expect("a key"));
        let (payment, other_payment) = (PaymentId(1), PaymentId(2));
        let all = [
            gateway_key(&merchant, payment, "sale", &key),
            gateway_key(&other, payment, "sale", &key),
            gateway_key(&merchant, other_payment, "sale", &key),
            gateway_key(&merchant, payment, "capture", &key),
            gateway_key(&merchant, payment, "sale", &other_key),
        ];
        for (place, derived) in all.iter().enumerate() {
            assert_eq!(all.iter().position(|other| other == derived), Some(place), "{all:?}");
        }
        assert_ne!(PaymentId::opened_by(&merchant, &key), PaymentId::opened_by(&other, &key));
        assert_ne!(PaymentId::opened_by(&merchant, &key), PaymentId::opened_by(&merchant, &other_key));
    }

    #[test]
    fn a_record_has_a_number_that_people_can_read() {
        let rows = [
            (Record::Authorization, 0, 37, "PA-000000037"),
            (Record::Payment, 1, 0, "P-000000128"),
            (Record::Adjustment, 1, 127, "PAA-000000255"),
            (Record::Refund, u64::MAX, 127, "R-2361183241434822606847"),
        ];
        for (record, payment, place, number) in rows {
            assert_eq!(record.number(PaymentId(payment), Ordinal::new(place).expect("in range")), number);
        }
    }

    #[test]
    fn a_foreign_id_is_the_same_in_its_long_form_and_its_short_one() {
        let merchant = MerchantId::from_random([1; 16]);
        assert_eq!(group_id(&merchant, "0aQR00000004ZkKMAU"), group_id(&merchant, "0aQR00000004ZkK"));
        for (text, short) in [("0aQR00000004ZkKMAU", "0aQR00000004ZkK"), ("order 7", "order 7"), ("", "")] {
            assert_eq!(short_form(text), short);
        }
        let wrong = "0aQR00000004ZkKAAA";
        assert_eq!((short_form(wrong), Id::parse(wrong)), (wrong, None));
        assert_eq!(GatewayId::parse(wrong), GatewayId::parse("0aQR00000004ZkK"));
        for text in ["0aQR00000004ZkKMA", "0aQR00000004ZkK///", "0aQR00000004ZkKMAUX", "0aQR00000004Zk\u{e9}MA"] {
            assert_eq!(GatewayId::parse(text), None, "{text:?}");
        }
    }
}
