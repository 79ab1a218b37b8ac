//! Gateways: each a table of pure functions between our words and theirs.
//!
//! An [`Adapter`] encodes what we intend into a request and decodes the answer into an
//! [`Outcome`]. It does no I/O and keeps no state. What it can do beside sending decides how an
//! operation is resolved whose answer was lost. One folder or file a gateway; adding one is a line
//! in [`ADAPTERS`].

pub mod sandbox;
pub mod signatures;

use std::time::Duration;

use crate::card::Secret;
use crate::event::EventNames;
use crate::ids::Ordinal;
use crate::mac::Doubt;
use crate::merchant::Gateway;
use crate::method;
use crate::money::Money;
use crate::payment::asked::Details;
use crate::payment::{Instrument, Kind, Operation, Outcome, Payment, Sequel, Terms};
use crate::ports::{HttpRequest, HttpResponse};
use crate::time::Timestamp;

/// Every gateway that this version speaks to.
pub const ADAPTERS: &[&Adapter] = &[&sandbox::KEYED, &sandbox::LOOK_UP, &sandbox::TIMEOUT_REVERSAL, &sandbox::NONE];

/// A gateway, as functions and facts. What became of a lost request is found out by the first of these
/// that it has: a key whose window is open, a look-up, a timeout reversal.
#[derive(Debug)]
pub struct Adapter {
    /// What a gateway's set-up calls it.
    pub name: &'static str,
    /// Asks for the operation itself.
    pub send: Exchange,
    /// Asks what became of it; none where the gateway cannot be asked by our reference.
    pub look_up: Option<Exchange>,
    /// Undoes it by our reference; none where the gateway cannot.
    pub timeout_reversal: Option<Exchange>,
    /// Asks for a token that stands for what is paid with; none where the gateway has none.
    pub tokenize: Option<TokenExchange>,
    /// Reads what it tells unasked; none where it never does.
    pub notice: Option<NoticeCodec>,
    /// How long an idempotency key is honoured; none where there are none.
    pub key_window: Option<Duration>,
    /// Whether a hold may be captured in several parts.
    pub multi_capture: bool,
    /// How long it takes at most to tell the verdict of what it has accepted.
    pub verdict_within: Duration,
}

/// A request and what its answer means.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    pub encode: fn(&Intent<'_>, &Gateway) -> HttpRequest,
    pub decode: fn(&Intent<'_>, &HttpResponse) -> Outcome,
}

/// A request to a token service and what its answer means: an approval comes with the token.
#[derive(Clone, Copy, Debug)]
pub struct TokenExchange {
    pub encode: fn(&TokenIntent<'_>, &Gateway) -> HttpRequest,
    pub decode: fn(&TokenIntent<'_>, &HttpResponse) -> (Outcome, Option<Secret>),
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
pub type Items = Vec<Result<Notice, Unreadable>>;

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

/// What a gateway tells unasked, of one thing.
#[derive(Debug)]
pub struct Notice {
    /// Our name for it: the id of an operation's record, or of a stored method.
    pub reference: String,
    pub news: News,
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
    /// The gateway's reference of the operation that this one acts on.
    pub target: Option<&'a str>,
    /// What is paid with, for an operation that opens a payment.
    pub instrument: Option<&'a Instrument>,
    pub details: &'a Details,
    /// It may have been asked before, under this key.
    pub duplicate: bool,
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
        let target = asked.kind.target().and_then(|target| payment.operation(target)).and_then(Operation::answer);
        Self {
            kind: &asked.kind,
            reference: operation.record().id(payment.id, ordinal).to_string(),
            key: crate::ids::gateway_key(&payment.merchant, payment.id, asked.kind.name(), &asked.key),
            amount: operation.amount,
            target: target.and_then(|answer| answer.reference.as_deref()),
            instrument,
            details: &asked.details,
            duplicate,
        }
    }
}

impl Adapter {
    /// The adapter that a gateway's set-up names.
    pub fn named(name: &str) -> Option<&'static Self> {
        ADAPTERS.iter().find(|adapter| adapter.name == name).copied()
    }

    /// The rules that payments through `gateway` follow.
    pub fn terms(&self, gateway: &Gateway) -> Terms {
        Terms {
            // Who does not know a request again is never sent it twice.
            key_window: self.key_window.filter(|_| !gateway.never_resend),
            can_look_up: self.look_up.is_some(),
            can_reverse_timeouts: self.timeout_reversal.is_some(),
            multi_capture: self.multi_capture,
            balance_check: gateway.balance_check,
            authorization_lifetime: gateway.authorization_lifetime,
            verdict_within: self.verdict_within,
            wanted: EventNames::NONE,
        }
    }
}
