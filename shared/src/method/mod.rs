//! A stored payment method: a gateway's token for a card, a bank account or a wallet, and the little of it that may be
//! shown. One item in the vault.
//!
//! What was asked for never changes, so that asking again is reading the answer; what its owner changes later
//! ([`Changes`], [`Status`]) stands beside it. [`step`] decides; [`crate::vault`] carries out.

pub mod outbox;
pub mod step;

use std::collections::BTreeMap;

pub use step::{Step, step};

use crate::bank::BankFacts;
use crate::card::{CardType, Expiry};
use crate::fingerprint::Fingerprint;
use crate::ids::{GatewayId, MerchantId, MethodId, MethodKind};
use crate::payment::asked::AccountId;
use crate::payment::outbox::Outbox;
use crate::payment::{Answer, Decline, IdempotencyKey, Nonce, PayerAction};
use crate::seal::{Place, Sealed};
use crate::time::Timestamp;

/// A stored method, or one that is being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    pub merchant: MerchantId,
    pub id: MethodId,
    /// Counts the writes: every write is conditional on the version it read.
    pub version: u64,
    pub asked: Asked,
    /// Keyed hash of what was asked but must not rest, such as the card number.
    pub fingerprint: Option<Fingerprint>,
    pub requested_at: Timestamp,
    pub state: State,
    pub changes: Changes,
    /// The gateway's token; none before there is one, nor after the method was canceled.
    pub token: Option<Sealed>,
    /// What merchants are yet to be told of it.
    pub outbox: Outbox,
}

/// What was asked for, without what must not rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub kind: MethodKind,
    pub key: IdempotencyKey,
    /// Whose token it is. None where the caller did not say: then it goes with whatever gateway a payment names.
    pub gateway: Option<GatewayId>,
    pub facts: Facts,
    pub details: Details,
}

/// What may rest of what is paid with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Facts {
    Card(CardOnFile),
    Bank(BankFacts),
    /// A wallet or another way to pay: only the gateway knows more of it.
    Other,
}

/// What may rest of a card: whoever brings a token of their own may not know all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardOnFile {
    pub bin: Option<String>,
    pub last_four: Option<String>,
    pub expiry: Option<Expiry>,
    pub card_type: Option<CardType>,
    pub category: Option<CardCategory>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardCategory {
    Credit,
    Debit,
}

impl CardCategory {
    pub const ALL: [Self; 2] = [Self::Credit, Self::Debit];

    /// The wire's literal.
    pub fn literal(self) -> &'static str {
        match self {
            Self::Credit => "CreditCard",
            Self::Debit => "DebitCard",
        }
    }
}

/// Who carries out payments with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProcessingMode {
    /// This service; the wire calls it Salesforce.
    #[default]
    Internal,
    External,
}

impl ProcessingMode {
    pub const ALL: [Self; 2] = [Self::Internal, Self::External];

    /// The wire's literal.
    pub fn literal(self) -> &'static str {
        match self {
            Self::Internal => "Salesforce",
            Self::External => "External",
        }
    }
}

/// What callers may say about a method beside what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    pub account: Option<AccountId>,
    pub nick_name: Option<String>,
    pub email: Option<String>,
    pub comments: Option<String>,
    pub company_name: Option<String>,
    pub auto_pay: bool,
    /// The merchant stored it, the payer was absent.
    pub saved_by_merchant: bool,
    pub processing_mode: ProcessingMode,
    /// What kind of alternative it is, such as GiroPay.
    pub record_type: Option<String>,
    /// The wire's own word for the way to pay, such as Klarna.
    pub method_type: Option<String>,
    /// The gateway's word for it, as it was set up when the method was made.
    pub gateway_type: Option<String>,
    /// Beside the request, for whoever looks into fraud.
    pub sender: Sender,
}

/// What a request may say about who sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    pub email: Option<String>,
    pub ip_address: Option<String>,
    pub mac_address: Option<String>,
    pub phone: Option<String>,
    pub additional_data: BTreeMap<String, String>,
}

/// What its owner changed since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Some of none where the name was taken away.
    pub nick_name: Option<Option<String>>,
    pub auto_pay: Option<bool>,
}

/// How far a method has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The gateway is being asked for a token, or was and nobody knows what it answered.
    Open(Open),
    /// The gateway never heard of it: the same key may try anew.
    Unsent,
    /// The gateway took the request, and tells later, unasked, whether it keeps it. Nobody asks it again.
    Accepted { answer: Answer, action: Option<PayerAction>, at: Timestamp },
    /// The gateway said no.
    Refused { decline: Decline, answer: Answer, at: Timestamp },
    /// It is kept. What the gateway said of it; nothing where the caller brought the token.
    Kept { status: Status, answer: Answer, at: Timestamp },
}

/// Who asks for a token, and until when. Asking again moves no money, so whoever comes after that may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    pub nonce: Nonce,
    pub deadline: Timestamp,
    /// The gateway did not answer clearly: nobody is asking any more.
    pub unknown: bool,
    /// It was asked for before, and nobody knows whether the gateway heard of that.
    pub duplicate: bool,
}

impl Open {
    /// Whether the gateway may know of it without what is asked now.
    pub fn may_be_known(&self) -> bool {
        self.duplicate || self.unknown
    }
}

/// Whether a kept method may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Active,
    /// Not for now.
    Inactive,
    /// Never again: its token is gone.
    Canceled,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Active, Self::Inactive, Self::Canceled];

    /// The wire's literal, as it spells it.
    pub fn literal(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "InActive",
            Self::Canceled => "Canceled",
        }
    }
}

/// What its owner wants changed; none leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub nick_name: Option<Option<String>>,
    pub auto_pay: Option<bool>,
    pub status: Option<Status>,
}

impl Method {
    /// A card of which only its token is known, at hand since `at`.
    pub fn of_token(merchant: MerchantId, id: MethodId, key: IdempotencyKey, at: Timestamp) -> Self {
        let facts = Facts::Card(CardOnFile::default());
        let asked = Asked { kind: MethodKind::Card, key, gateway: None, facts, details: Details::default() };
        let state = State::Kept { status: Status::Active, answer: Answer::default(), at };
        let changes = Changes::default();
        Self {
            merchant,
            id,
            version: 1,
            asked,
            fingerprint: None,
            requested_at: at,
            state,
            changes,
            token: None,
            outbox: Outbox::default(),
        }
    }

    /// Whether it may be used, once it is known.
    pub fn status(&self) -> Option<Status> {
        match &self.state {
            State::Kept { status, .. } => Some(*status),
            State::Open(_) | State::Unsent | State::Accepted { .. } | State::Refused { .. } => None,
        }
    }

    /// The wire's word for whether it may be used, which has none for what is accepted: it may not, yet. None of what
    /// there is not, or nobody knows of.
    pub fn shown_status(&self) -> Option<Status> {
        match &self.state {
            State::Kept { status, .. } => Some(*status),
            State::Accepted { .. } => Some(Status::Inactive),
            State::Open(_) | State::Unsent | State::Refused { .. } => None,
        }
    }

    pub fn nick_name(&self) -> Option<&str> {
        self.changes.nick_name.as_ref().unwrap_or(&self.asked.details.nick_name).as_deref()
    }

    pub fn auto_pay(&self) -> bool {
        self.changes.auto_pay.unwrap_or(self.asked.details.auto_pay)
    }

    /// Does with the one place where its token may be opened.
    pub fn at_its_place<T>(&self, act: impl FnOnce(Place<'_>) -> T) -> T {
        act(Place(&["token", self.merchant.as_str(), self.id.as_str()]))
    }
}

impl Asked {
    /// The members, by their wire names, in which `other` asks something else.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let Self { kind, key, gateway, facts, details } = self;
        let rows = [
            ("idempotencyKey", *key != other.key),
            ("paymentMethod", *kind != other.kind || *facts != other.facts),
            ("paymentGatewayId", *gateway != other.gateway),
        ];
        let rows = rows.into_iter().filter_map(|(name, differs)| differs.then_some(name));
        rows.chain(details.differences(&other.details)).collect()
    }
}

impl Details {
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        // Every field by name: one that is forgotten here would be replayed as the same.
        let Self {
            account,
            nick_name,
            email,
            comments,
            company_name,
            auto_pay,
            saved_by_merchant,
            processing_mode,
            record_type,
            method_type,
            // Not the caller's: it follows from the set-up.
            gateway_type: _,
            sender: Sender { email: sender_email, ip_address, mac_address, phone, additional_data },
        } = self;
        let rows = [
            ("accountId", *account != other.account),
            ("nickName", *nick_name != other.nick_name),
            ("email", *email != other.email || *sender_email != other.sender.email),
            ("comments", *comments != other.comments),
            ("companyName", *company_name != other.company_name),
            ("autoPay", *auto_pay != other.auto_pay),
            ("savedByMerchant", *saved_by_merchant != other.saved_by_merchant),
            ("ProcessingMode", *processing_mode != other.processing_mode),
            ("RecordTypeId", *record_type != other.record_type),
            ("PaymentMethodType", *method_type != other.method_type),
            ("ipAddress", *ip_address != other.sender.ip_address),
            ("macAddress", *mac_address != other.sender.mac_address),
            ("phone", *phone != other.sender.phone),
            ("additionalData", *additional_data != other.sender.additional_data),
        ];
        rows.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests;
