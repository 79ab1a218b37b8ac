//! Gateways: each a table of pure functions between our words and theirs.
//!
//! An [`Adapter`] encodes what we intend into a request and decodes the answer into an
//! [`Outcome`]. It does no I/O and keeps no state. What it can do beside sending decides how an
//! operation is resolved whose answer was lost. One folder or file a gateway; adding one is a line
//! in [`ADAPTERS`].

pub mod adyen;
#[cfg(test)]
mod ambiguity;
mod credential;
pub mod komoju;
pub mod payeezy;
pub mod payjp;
#[cfg(test)]
mod retries;
pub mod sandbox;
pub mod signatures;
pub mod stripe;
mod wire;

pub use credential::{Credential, Member, Misfit};

use std::time::Duration;

use crate::card::Secret;
use crate::event::EventNames;
use crate::ids::{Id, Ordinal};
use crate::mac::Doubt;
use crate::merchant::{Gateway, GatewayMode};
use crate::method;
use crate::money::Money;
use crate::payment::asked::Details;
use crate::payment::{Instrument, Kind, Operation, Outcome, Payment, Reach, Sequel, Terms};
use crate::ports::{HttpRequest, HttpResponse};
use crate::recurring::retry::Judge;
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// Every gateway that this version speaks to.
pub const ADAPTERS: &[&Adapter] = &[
    &adyen::CHECKOUT,
    &adyen::CLASSIC,
    &komoju::KOMOJU,
    &payeezy::ADAPTER,
    &payjp::PAYJP,
    &sandbox::KEYED,
    &sandbox::LOOK_UP,
    &sandbox::TIMEOUT_REVERSAL,
    &sandbox::NONE,
    &stripe::STRIPE,
];

/// A gateway, as functions and facts. What became of a lost request is found out by the first of these
/// that it has: a key whose window is open (for an hour, where there is a look-up too), a look-up, a timeout reversal.
#[derive(Debug)]
pub struct Adapter {
    /// What a gateway's set-up calls it.
    pub name: &'static str,
    /// What an account there is known by; nothing where anybody may ask.
    pub credential: &'static [Member],
    /// Whether the gateway takes this at all. Asked before anything is stored; it says what the gateway does not do, and
    /// the limits that it documents.
    pub admits: fn(&Intent<'_>, &Account<'_>) -> Result<(), Rejection>,
    /// Asks for the operation itself.
    pub send: Exchange,
    /// Asks what became of it, and of which operations that can be asked.
    pub look_up: Option<(Reach, Exchange)>,
    /// Undoes it by our reference, whatever came of it, and which operations that undoes.
    pub timeout_reversal: Option<(Reach, Exchange)>,
    /// Asks for a token that stands for what is paid with; none where the gateway has none.
    pub tokenize: Option<TokenExchange>,
    /// Reads what it tells unasked; none where it never does.
    pub notice: Option<NoticeCodec>,
    /// What its ways of saying no mean for whoever might try again.
    pub judge: Judge,
    /// How long an idempotency key is honoured; none where there are none.
    pub key_window: Option<Duration>,
    /// Whether a hold may be captured in several parts.
    pub multi_capture: bool,
    /// How long it takes at most to tell the verdict of what it has accepted.
    pub verdict_within: Duration,
    /// Requests that it takes in a second; none where it documents no limit.
    pub rate: fn(GatewayMode) -> Option<u16>,
    /// A request that changes nothing, to see whether an account works.
    pub check: Option<Check>,
}

/// A merchant's account at a gateway, as a request to it needs it. It holds what the account is known by, so it cannot be
/// printed.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    pub gateway: &'a Gateway,
    pub credential: &'a Credential,
    pub now: Timestamp,
    /// No other request has it.
    pub nonce: u64,
}

impl<'a> Account<'a> {
    /// One that is known by nothing.
    pub fn unnamed(gateway: &'a Gateway, now: Timestamp) -> Self {
        static NONE: Credential = Credential::none();
        Self { gateway, credential: &NONE, now, nonce: 0 }
    }
}

/// A request and what its answer means.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    pub encode: fn(&Intent<'_>, &Account<'_>) -> HttpRequest,
    pub decode: fn(&Intent<'_>, &HttpResponse) -> Outcome,
}

/// A request to a token service and what its answer means: an approval comes with the token.
#[derive(Clone, Copy, Debug)]
pub struct TokenExchange {
    /// What the gateway keeps, and what it does not. Asked before anything is stored.
    pub admits: fn(&TokenIntent<'_>, &Account<'_>) -> Result<(), Rejection>,
    /// What must be there first.
    pub prepare: Option<Preparation>,
    pub encode: fn(&TokenIntent<'_>, &Account<'_>) -> HttpRequest,
    pub decode: fn(&TokenIntent<'_>, &HttpResponse) -> (Outcome, Option<Secret>),
}

/// A request that makes the way for another: made twice it makes the same, or something that does no harm.
#[derive(Clone, Copy, Debug)]
pub struct Preparation {
    /// None where there is nothing to do.
    pub encode: fn(&TokenIntent<'_>, &Account<'_>) -> Option<HttpRequest>,
    /// What the other request needs of the answer, or how the whole ends here.
    pub decode: fn(&TokenIntent<'_>, &HttpResponse) -> Result<Secret, Outcome>,
}

/// A request that changes nothing at the gateway.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    pub encode: fn(&Account<'_>) -> HttpRequest,
    /// Whether the account works, with what the gateway offers it where it says so; else why not, in words that hold no
    /// secret.
    pub decode: fn(&HttpResponse) -> Result<Vec<Offer>, String>,
}

/// A way to pay that a gateway offers an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The gateway's word for it.
    pub name: String,
    pub label: String,
    /// The currency in which it can be paid; none where it is not said.
    pub currency: Option<String>,
}

impl Offer {
    /// The same, wherever the gateway repeats what we are known by.
    #[must_use]
    pub fn without(self, credential: &Credential) -> Self {
        Self {
            name: credential.masked_in(self.name),
            label: credential.masked_in(self.label),
            currency: self.currency.map(|currency| credential.masked_in(currency)),
        }
    }
}

/// What a gateway is to keep. It holds a card or an account, so it cannot be printed.
pub struct TokenIntent<'a> {
    /// Our name for it: the id of the stored method.
    pub reference: String,
    /// Our key for it, the same however often it is sent.
    pub key: String,
    pub instrument: &'a Instrument,
    pub details: &'a method::Details,
    /// It may have been asked before, under this key.
    pub duplicate: bool,
    /// What came of the preparation, where there was one.
    pub prepared: Option<Secret>,
}

/// How a gateway tells unasked.
#[derive(Clone, Copy, Debug)]
pub struct NoticeCodec {
    /// Reads a notice by the secrets that it may be signed with, of which there are two while one replaces the other.
    /// It is parsed only where one of them fits; what is irrelevant in it is left out, and an item that nobody can read
    /// harms no other.
    pub read: fn(&RawNotice<'_>, &[Secret]) -> Result<Items, NotTaken>,
    /// What the gateway wants to hear once we have written down what it told.
    pub taken: NoticeAnswer,
    /// The same where there was nothing to write down.
    pub irrelevant: NoticeAnswer,
    /// What whoever forges a notice hears, or sends an old one again.
    pub forged: NoticeAnswer,
    /// How what a notice leaves out is asked for; none where none does.
    pub ask: Option<Inquiry>,
}

/// A question to the gateway about what it has told.
#[derive(Clone, Copy, Debug)]
pub struct Inquiry {
    pub encode: fn(&Question, &Account<'_>) -> HttpRequest,
    /// None where it is of no interest to us, or of another account.
    pub decode: fn(&Question, &HttpResponse) -> Answered,
}

/// What came of a question.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a few at a time, and soon taken apart")]
pub enum Answered {
    Told(Notice),
    /// This account knows nothing of it, or it is of no interest to us.
    Nothing,
    /// An approval in an amount that we cannot count: asked again it says the same.
    Unreadable,
    /// It is to be asked again later.
    NoAnswer,
}

/// What is left open by a notice.
#[derive(Debug)]
pub struct Question {
    /// The gateway's own name for what it is about.
    pub about: String,
    /// What else the notice said of it, as the codec needs it with the answer. It may hold a token.
    pub told: Secret,
}

/// What an item of a notice comes to.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a few at a time, and soon taken apart")]
pub enum Told {
    Notice(Notice),
    Question(Question),
}

/// An HTTP status and a plain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeAnswer {
    pub status: u16,
    pub body: &'static str,
}

/// A notice as it came.
pub struct RawNotice<'a> {
    pub body: &'a [u8],
    /// The header of this name, which is in lower case.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
    pub now: Timestamp,
}

/// Why a notice is not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// None of the secrets fits, or there is no signature.
    Forged,
    /// It was signed too long ago, or will be.
    Stale,
    /// It is signed well, and nobody can read anything of it.
    Malformed,
}

/// What a notice holds, item by item.
pub type Items = Vec<Result<Told, Unreadable>>;

/// An item of a notice that nobody can read. It may hold a token, so nothing of it is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl From<Doubt> for NotTaken {
    fn from(doubt: Doubt) -> Self {
        match doubt {
            Doubt::Forged => Self::Forged,
            Doubt::Stale => Self::Stale,
        }
    }
}

impl Told {
    /// The notice, where it leaves nothing open.
    pub fn notice(self) -> Option<Notice> {
        match self {
            Self::Notice(notice) => Some(notice),
            Self::Question(_) => None,
        }
    }
}

/// What a gateway tells unasked, of one thing.
#[derive(Debug)]
pub struct Notice {
    /// Our name for it: the id of an operation's record, or of a stored method.
    pub reference: String,
    pub news: News,
    /// Of how much of the operation itself it tells; none where that is not said. An approval of another amount settles
    /// nothing.
    pub amount: Option<Money>,
}

/// What it tells of it.
#[derive(Debug)]
pub enum News {
    /// How it stands.
    Outcome(Outcome),
    /// What came after its verdict.
    Sequel(Sequel),
    /// How a tokenization stands: an approval comes with the token.
    Token(Outcome, Option<Secret>),
}

/// What we are about to ask a gateway. It may hold a card, so it cannot be printed.
pub struct Intent<'a> {
    pub kind: &'a Kind,
    /// Our name for the operation: the id of its record. Unique, and it leads back to the payment.
    pub reference: String,
    /// Our key for it, the same however often it is sent.
    pub key: String,
    pub amount: Money,
    /// The operation that this one acts on.
    pub target: Option<Known<'a>>,
    /// The operation that opened the payment, for one that does not.
    pub opening: Option<Known<'a>>,
    /// The operation itself, once the gateway has taken it.
    pub known: Option<Known<'a>>,
    /// What is paid with, for an operation that opens a payment.
    pub instrument: Option<&'a Instrument>,
    pub details: &'a Details,
    /// When it was asked for first.
    pub requested_at: Timestamp,
    /// It may have been asked before, under this key, and done then: that this request is refused need not speak of that.
    pub duplicate: bool,
}

/// An operation, as the gateway knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known<'a> {
    /// Our name for it.
    pub record: Id,
    /// Its own name for it, and more where that is not enough.
    pub reference: &'a str,
    pub details: Option<&'a str>,
    pub amount: Money,
    pub requested_at: Timestamp,
}

impl<'a> Known<'a> {
    fn at(payment: &'a Payment, ordinal: Ordinal) -> Option<Self> {
        let operation = payment.operation(ordinal)?;
        let answer = operation.answer()?;
        Some(Self {
            record: operation.record().id(payment.id, ordinal),
            reference: answer.reference.as_deref()?,
            details: answer.reference_details.as_deref(),
            amount: operation.amount,
            requested_at: operation.requested_at,
        })
    }
}

impl<'a> Intent<'a> {
    /// What the operation at `ordinal` asks of the gateway.
    pub fn of(
        payment: &'a Payment,
        ordinal: Ordinal,
        operation: &'a Operation,
        instrument: Option<&'a Instrument>,
        duplicate: bool,
    ) -> Self {
        let asked = &operation.asked;
        Self {
            kind: &asked.kind,
            reference: operation.record().id(payment.id, ordinal).to_string(),
            key: crate::ids::gateway_key(&payment.merchant, payment.id, asked.kind.name(), &asked.key),
            amount: operation.amount,
            target: asked.kind.target().and_then(|target| Known::at(payment, target)),
            opening: Known::at(payment, Ordinal::FIRST).filter(|_| ordinal != Ordinal::FIRST),
            known: Known::at(payment, ordinal),
            instrument,
            details: &asked.details,
            requested_at: operation.requested_at,
            duplicate,
        }
    }
}

impl Adapter {
    /// The adapter that a gateway's set-up names.
    pub fn named(name: &str) -> Option<&'static Self> {
        ADAPTERS.iter().find(|adapter| adapter.name == name).copied()
    }

    /// Whether nothing can be asked there by whoever is known by nothing.
    pub fn needs_credential(&self) -> bool {
        self.credential.iter().any(|member| member.is_required)
    }

    /// The rules that payments through `gateway` follow.
    pub fn terms(&self, gateway: &Gateway) -> Terms {
        Terms {
            // Who does not know a request again is never sent it twice.
            key_window: self.key_window.filter(|_| !gateway.never_resend),
            look_up: self.look_up.map_or(Reach::Nothing, |(reach, _)| reach),
            timeout_reversal: self.timeout_reversal.map_or(Reach::Nothing, |(reach, _)| reach),
            multi_capture: self.multi_capture,
            balance_check: gateway.balance_check,
            authorization_lifetime: gateway.authorization_lifetime,
            verdict_within: self.verdict_within,
            generation: gateway.generation,
            wanted: EventNames::NONE,
        }
    }
}
