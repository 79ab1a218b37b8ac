//! What a caller asks: the [`Request`] as it comes in, and [`Asked`], the part of it that is stored.
//!
//! The two differ by the [`Instrument`]: a card number or a token passes through and never rests. Of
//! it stay the harmless facts and a keyed hash ([`crate::fingerprint`]).

use std::collections::BTreeMap;

use crate::bank::BankAccount;
use crate::card::{Card, CardFacts, Secret};
use crate::ids::{GatewayId, MethodId, Ordinal, Record, short_form};
use crate::money::{Currency, Decimal};
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// What a key begins with that is ours and no caller's.
const OURS: char = '\u{1}';

/// Names an operation within its merchant (for one that opens a payment) or within its payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Longest key, in characters, as the wire has it.
    pub const MAX: usize = 255;

    /// Takes 1 to 255 characters, none of them a control character.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = !text.is_empty() && text.chars().count() <= Self::MAX && !text.chars().any(char::is_control);
        sound.then(|| Self(text.to_owned()))
    }

    /// One that no caller can have given: it begins with a control character.
    pub fn of_ours(name: &str) -> Self {
        Self(format!("{OURS}{name}"))
    }

    /// As it was stored: a caller's or ours.
    pub fn stored(text: &str) -> Option<Self> {
        Self::parse(text.strip_prefix(OURS).unwrap_or(text)).map(|_| Self(text.to_owned()))
    }

    /// Stands in where the caller gave none.
    pub fn from_uuid(uuid: uuid::Uuid) -> Self {
        Self(uuid.to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an operation does, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Hold an amount.
    Authorize,
    /// Register a hold that was made client-side.
    PostAuthorize,
    /// Authorize and capture in one.
    Sale,
    /// Take some or all of a hold; after the final one the rest is free.
    Capture { authorization: Ordinal, is_final: bool },
    /// Release some or all of a hold.
    Reverse { authorization: Ordinal },
    /// Give back some or all of a sale or capture.
    Refund { payment: Ordinal, reason: Option<RefundReason> },
}

impl Kind {
    /// The field's word for it; part of what makes an operation's key its own.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::PostAuthorize => "post-authorize",
            Self::Sale => "sale",
            Self::Capture { .. } => "capture",
            Self::Reverse { .. } => "reverse",
            Self::Refund { .. } => "refund",
        }
    }

    pub fn record(&self) -> Record {
        match self {
            Self::Authorize | Self::PostAuthorize => Record::Authorization,
            Self::Sale | Self::Capture { .. } => Record::Payment,
            Self::Reverse { .. } => Record::Adjustment,
            Self::Refund { .. } => Record::Refund,
        }
    }

    /// Whether it makes a hold, which ends by itself.
    pub fn holds(&self) -> bool {
        match self {
            Self::Authorize | Self::PostAuthorize => true,
            Self::Sale | Self::Capture { .. } | Self::Reverse { .. } | Self::Refund { .. } => false,
        }
    }

    /// The operation that it acts on.
    pub fn target(&self) -> Option<Ordinal> {
        match self {
            Self::Authorize | Self::PostAuthorize | Self::Sale => None,
            Self::Capture { authorization, .. } | Self::Reverse { authorization } => Some(*authorization),
            Self::Refund { payment, .. } => Some(*payment),
        }
    }

    /// The kind of record that it acts on.
    pub fn acts_on(&self) -> Option<Record> {
        match self {
            Self::Authorize | Self::PostAuthorize | Self::Sale => None,
            Self::Capture { .. } | Self::Reverse { .. } => Some(Record::Authorization),
            Self::Refund { .. } => Some(Record::Payment),
        }
    }

    /// Whether it is a capture after which the rest of the hold is free.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Capture { is_final: true, .. })
    }

    /// Why a refund is made, if the caller said so.
    pub fn reason(&self) -> Option<RefundReason> {
        if let Self::Refund { reason, .. } = self { *reason } else { None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundReason {
    Duplicate,
    Fraudulent,
    RequestedByCustomer,
}

impl RefundReason {
    pub const ALL: [Self; 3] = [Self::Duplicate, Self::Fraudulent, Self::RequestedByCustomer];

    /// The literal that callers and gateways use.
    pub fn literal(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Fraudulent => "fraudulent",
            Self::RequestedByCustomer => "requested_by_customer",
        }
    }
}

/// What is asked, in full. It may hold a card, so it cannot be printed.
pub struct Request {
    pub action: Action,
    pub key: IdempotencyKey,
    pub amount: Amount,
    pub details: Details,
}

/// An operation opens a payment or acts on one.
#[expect(clippy::large_enum_variant, reason = "one a request, and never in a collection")]
pub enum Action {
    Open(Opening),
    Act(Kind),
}

/// What only an operation that opens a payment brings.
pub struct Opening {
    pub kind: Kind,
    pub gateway: GatewayId,
    pub currency: Currency,
    pub instrument: Instrument,
}

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    Exactly(Decimal),
    /// All that is left to give back.
    Rest,
}

/// What is paid with. Passes through; see [`InstrumentFacts`] for what stays.
pub enum Instrument {
    Stored(OnFile),
    Card {
        card: Box<Card>,
        address: Address,
    },
    /// For a token service: no gateway is asked for a payment by it.
    Bank {
        account: Box<BankAccount>,
        address: Address,
    },
    /// What a browser obtained from the gateway.
    Alternative {
        token: Secret,
        token_details: Option<Secret>,
        name: Option<String>,
        email: Option<String>,
        address: Address,
    },
}

/// A stored method, as a gateway hears of it.
pub struct OnFile {
    pub method: MethodId,
    /// The gateway's token; none where nobody has opened it yet.
    pub token: Option<Secret>,
    /// The gateway's word for this way to pay, where it was set up.
    pub gateway_type: Option<String>,
}

impl OnFile {
    /// As a caller names it.
    pub fn unopened(method: MethodId) -> Self {
        Self { method, token: None, gateway_type: None }
    }
}

impl Instrument {
    pub fn facts(&self) -> InstrumentFacts {
        match self {
            Self::Stored(on_file) => InstrumentFacts::Stored(on_file.method),
            Self::Card { card, .. } => InstrumentFacts::Card(card.facts()),
            Self::Bank { .. } => InstrumentFacts::Alternative { name: None, email: None },
            Self::Alternative { name, email, .. } => {
                InstrumentFacts::Alternative { name: name.clone(), email: email.clone() }
            }
        }
    }
}

/// What may rest of an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstrumentFacts {
    Stored(MethodId),
    Card(CardFacts),
    Alternative { name: Option<String>, email: Option<String> },
}

/// A billing address: goes to the gateway, does not rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    pub street: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub country: Option<String>,
    pub postal_code: Option<String>,
    pub company_name: Option<String>,
}

/// What callers may say about an operation beside what it does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    pub account: Option<AccountId>,
    pub effective_at: Option<Timestamp>,
    pub comments: Option<String>,
    pub client_context: Option<String>,
    pub email: Option<String>,
    pub ip_address: Option<String>,
    pub mac_address: Option<String>,
    pub phone: Option<String>,
    pub additional_data: BTreeMap<String, String>,
    pub group: Option<Group>,
    /// The merchant started it, the payer is absent.
    pub submitted_by_merchant: bool,
}

/// The payer's account at the merchant: foreign to us, so checked for its form only.
#[derive(Clone, Debug)]
pub struct AccountId(String);

impl PartialEq for AccountId {
    fn eq(&self, other: &Self) -> bool {
        short_form(&self.0) == short_form(&other.0)
    }
}

impl Eq for AccountId {}

impl AccountId {
    /// Longest account id. Those of this wire format have 18 characters; others may be longer.
    pub const MAX: usize = 64;

    /// Takes 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = (1..=Self::MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        sound.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The group that an operation's record joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub member: Membership,
    pub currency: Option<Currency>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// The group of this order, or one of the operation's own where no order is named.
    New {
        source: Option<String>,
    },
    Existing {
        id: String,
    },
}

/// What was asked, without what must not rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub kind: Kind,
    pub key: IdempotencyKey,
    pub amount: Amount,
    pub details: Details,
    pub instrument: Option<InstrumentFacts>,
}

impl Asked {
    /// The members, by their wire names, in which `other` asks something else.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let Self { kind, key, amount, details, instrument } = self;
        let rows = [
            ("idempotencyKey", *key != other.key),
            ("amount", *amount != other.amount),
            ("paymentMethod", *instrument != other.instrument),
        ];
        let rows = rows.into_iter().filter_map(|(name, differs)| differs.then_some(name));
        let kinds = kind_differences(kind, &other.kind);
        kinds.into_iter().chain(rows).chain(details.differences(&other.details)).collect()
    }
}

impl Details {
    /// Refuses a group of another currency than the payment's.
    pub fn fit_currency(&self, currency: Currency) -> Result<(), Rejection> {
        match self.group.as_ref().and_then(|group| group.currency) {
            Some(named) if named != currency => Err(Rejection::WrongCurrency { expected: currency.code() }),
            Some(_) | None => Ok(()),
        }
    }

    /// The members, by their wire names, in which `other` says something else.
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        // Every field by name: one that is forgotten here would be replayed as the same.
        let Self {
            account,
            effective_at,
            comments,
            client_context,
            email,
            ip_address,
            mac_address,
            phone,
            additional_data,
            group,
            submitted_by_merchant,
        } = self;
        let rows = [
            ("accountId", *account != other.account),
            ("effectiveDate", *effective_at != other.effective_at),
            ("comments", *comments != other.comments),
            ("clientContext", *client_context != other.client_context),
            ("email", *email != other.email),
            ("ipAddress", *ip_address != other.ip_address),
            ("macAddress", *mac_address != other.mac_address),
            ("phone", *phone != other.phone),
            ("additionalData", *additional_data != other.additional_data),
            ("paymentGroup", *group != other.group),
            ("submittedByMerchant", *submitted_by_merchant != other.submitted_by_merchant),
        ];
        rows.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }
}

fn kind_differences(ours: &Kind, theirs: &Kind) -> Vec<&'static str> {
    if ours.name() != theirs.name() {
        return vec!["operation"];
    }
    let rows = [
        ("path", ours.target() != theirs.target()),
        ("isFinalCapture", ours.is_final() != theirs.is_final()),
        ("reason", ours.reason() != theirs.reason()),
    ];
    rows.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}
