//! A payment: one purchase, and every operation ever asked on it.
//!
//! An operation is a fact: it is appended once, settled once, and then never changes. What can still
//! be captured or refunded is not stored but follows from the operations ([`balance`]). What happens
//! next follows from them too: [`step`] decides it, from the payment, an event and the time.

pub mod asked;
pub mod balance;
pub mod outbox;
pub mod outcome;
mod resolution;
pub mod sequel;
mod step;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

pub use asked::{Action, Asked, IdempotencyKey, Instrument, Kind, Request};
pub use outbox::Outbox;
pub use outcome::{Answer, Decline, Outcome, PayerAction};
pub use sequel::Sequel;
pub use step::{Effect, Event, Step, step};

use crate::event::EventNames;
use crate::fingerprint::Fingerprint;
use crate::ids::{GatewayId, MerchantId, Ordinal, PaymentId, PaymentKey, Record};
use crate::money::{Currency, Money};
use crate::time::Timestamp;

/// Operations that one payment may hold before a capture is refused. A purchase that needs more is a sign
/// of a caller in a loop.
pub const MAX_OPERATIONS: usize = 64;

/// The same before a reversal or refund is refused: a caller in a loop must not lock up what is to be
/// given back. An id has room for 128.
pub const MAX_OPERATIONS_TO_GIVE_BACK: usize = 128;

/// Gateway logs that one operation may hold beside the one that settles it. A gateway that is down
/// for days adds nothing by its hundredth silence.
pub const MAX_LOGS: usize = 8;

/// After its deadline the platform has killed whoever held an operation; a request it sent may still
/// be on its way, and clocks differ. So long do we wait before we ask what became of it.
pub const MARGIN: Duration = Duration::from_secs(20);

/// One purchase and all its operations. Stored as one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub merchant: MerchantId,
    pub id: PaymentId,
    /// Counts the writes: every write is conditional on the version it read.
    pub version: u64,
    pub gateway: GatewayId,
    pub currency: Currency,
    /// The end of the hold, where the first operation makes one.
    pub expires_at: Option<Timestamp>,
    /// Whether the gateway takes more than one capture of a hold, as it was when the payment was opened.
    pub multi_capture: bool,
    /// In the order in which they were claimed; never empty.
    pub operations: Vec<Operation>,
    /// What is yet to be told of them.
    pub outbox: Outbox,
}

impl Payment {
    pub fn key(&self) -> PaymentKey {
        PaymentKey { merchant: self.merchant, payment: self.id }
    }

    pub fn operation(&self, ordinal: Ordinal) -> Option<&Operation> {
        self.operations.get(ordinal.index())
    }

    /// The operations with their places.
    pub fn numbered(&self) -> impl Iterator<Item = (Ordinal, &Operation)> {
        self.operations.iter().enumerate().filter_map(|(place, operation)| Some((Ordinal::new(place)?, operation)))
    }

    /// When somebody must look at this payment next: the earliest that any operation asks for.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.operations.iter().filter_map(|operation| operation.state.due()).min()
    }
}

/// One thing that was asked of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    pub asked: Asked,
    /// Keyed hash of what was asked but must not rest, such as the card number.
    pub fingerprint: Option<Fingerprint>,
    /// The amount it reserves; for "all that is left", what that was.
    pub amount: Money,
    /// When it was claimed.
    pub requested_at: Timestamp,
    /// Under which of the gateway's credentials it was claimed: no other is used to ask for it, or after it.
    pub generation: Generation,
    pub state: State,
    /// What was heard of it, up to and including what settled it.
    pub logs: Vec<Log>,
    /// What was heard and disagrees: with its verdict, or, before that too, with its amount. It raises an alarm and
    /// settles nothing.
    pub contradictions: Vec<Log>,
    /// What came after the verdict: failures and disputes, in the order in which they were heard.
    pub sequels: Vec<sequel::Heard>,
}

impl Operation {
    pub fn record(&self) -> Record {
        self.asked.kind.record()
    }

    /// What the gateway said, if it said anything.
    pub fn answer(&self) -> Option<&Answer> {
        match &self.state {
            State::Open(_) | State::Unsent => None,
            State::Accepted(accepted) => Some(&accepted.answer),
            State::Settled(settled) => Some(&settled.answer),
        }
    }

    /// Whether it is within the reach of a way to find out.
    pub fn is_within(&self, reach: Reach) -> bool {
        reach.includes(&self.asked.kind, self.answer())
    }

    /// Whether its amount is spoken for: it took effect, or it may have, or it still may. A gateway that has told both
    /// that it acted and that it did not may have acted.
    pub fn reserves(&self) -> bool {
        match &self.state {
            State::Open(_) | State::Accepted(_) => !self.has_failed_since(),
            State::Settled(settled) if settled.verdict == Verdict::Approved => !self.has_failed_since(),
            // What was undone stays undone, whatever was said of it before and is heard now.
            State::Settled(settled) if settled.verdict == Verdict::Voided => false,
            State::Unsent | State::Settled(_) => self.is_said_to_have_happened(),
        }
    }

    /// Whether a gateway has told that it acted, which is not what its state says: of another amount, or after another
    /// verdict. Whoever asked for it must not ask for it anew.
    pub fn is_said_to_have_happened(&self) -> bool {
        self.contradictions.iter().any(|log| log.interaction == Interaction::Success)
    }

    /// Whether the gateway was asked to undo it, or is about to be.
    pub(crate) fn is_being_undone(&self) -> bool {
        matches!(&self.state, State::Open(Open { undoing: true, .. }))
    }

    /// What the payer must do before there is a verdict.
    pub fn payer_action(&self) -> Option<&PayerAction> {
        match &self.state {
            State::Accepted(accepted) => accepted.action.as_ref(),
            State::Open(_) | State::Unsent | State::Settled(_) => None,
        }
    }

    /// Whether it is known what became of it.
    pub fn is_settled(&self) -> bool {
        matches!(self.state, State::Settled(_))
    }

    /// Whether it was settled as approved, whatever came of it since.
    pub fn is_approved(&self) -> bool {
        matches!(&self.state, State::Settled(Settled { verdict: Verdict::Approved, .. }))
    }

    /// Whether it took effect, for certain, and still has it.
    pub fn stands(&self) -> bool {
        self.is_approved() && !self.has_failed_since()
    }
}

/// How far an operation has come. `Settled` is the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Somebody is asking the gateway, or did and nobody knows what it answered.
    Open(Open),
    /// The gateway never heard of it: the same key may try anew.
    Unsent,
    /// The gateway took it and will tell its verdict later.
    Accepted(Accepted),
    /// It is known what became of it.
    Settled(Settled),
}

impl State {
    /// When somebody must look at it next.
    pub fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Open(open) => open.due,
            Self::Accepted(accepted) => accepted.due,
            Self::Unsent | Self::Settled(_) => None,
        }
    }
}

/// The claim on an operation: who asks the gateway, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Of whoever asks. It tells one's own claim, whose acknowledgement was lost, from another's.
    pub nonce: Nonce,
    /// When the platform kills whoever asks.
    pub deadline: Timestamp,
    /// How often it was tried, to send it or to find out.
    pub attempts: u32,
    /// The gateway was asked and did not answer clearly. While false, somebody may be waiting for it.
    pub unknown: bool,
    /// The gateway was asked to undo it, or is about to be: whatever it says that it did will not stand.
    pub undoing: bool,
    /// None where nobody can find out: a notice may still come.
    pub due: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub answer: Answer,
    /// What the payer must do before there is a verdict.
    pub action: Option<PayerAction>,
    pub attempts: u32,
    pub due: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub verdict: Verdict,
    pub answer: Answer,
    pub at: Timestamp,
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It took effect.
    Approved,
    /// The gateway or the issuer said no.
    Declined(Decline),
    /// It was undone at the gateway because its answer never came: nothing is charged.
    Voided,
    /// The gateway was asked and has never seen it: nothing is charged.
    NeverReceived,
    /// Nobody could find out, and the hold has run out by now: nothing is held.
    Lapsed,
}

impl Verdict {
    pub const ALL: [Self; 8] = [
        Self::Approved,
        Self::Declined(Decline::Soft),
        Self::Declined(Decline::Permanent),
        Self::Declined(Decline::RequiresReview),
        Self::Declined(Decline::InvalidData),
        Self::Voided,
        Self::NeverReceived,
        Self::Lapsed,
    ];
}

/// Eight random bytes that name one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce(pub u64);

/// Whoever is about to ask the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub nonce: Nonce,
    /// When the platform will kill the claimant.
    pub deadline: Timestamp,
}

/// Which account what we are known by at a gateway may be of: the version of the merchant since which it may be another
/// than before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub u64);

impl Generation {
    /// Before any such change.
    pub const FIRST: Self = Self(0);
}

/// What was heard of an operation, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub at: Timestamp,
    pub source: Source,
    pub interaction: Interaction,
    /// The gateway's own code.
    pub code: Option<String>,
}

/// How something was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The gateway's answer to the operation itself.
    Answer,
    /// Its answer to the question what became of the operation.
    LookUp,
    /// Its answer to the request to undo whatever came of the operation.
    TimeoutReversal,
    /// It told us unasked.
    Notice,
    /// The time that passed.
    Time,
}

impl Source {
    pub const ALL: [Self; 5] = [Self::Answer, Self::LookUp, Self::TimeoutReversal, Self::Notice, Self::Time];
}

/// How it went, in the wire's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interaction {
    Success,
    Failed,
    /// No clear answer.
    Timeout,
    /// Nothing happened.
    NoOp,
}

impl Interaction {
    pub const ALL: [Self; 4] = [Self::Success, Self::Failed, Self::Timeout, Self::NoOp];
}

/// The rules of the gateway that a payment goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long the gateway honours an idempotency key; none where it has no keys, and then nothing is
    /// ever sent twice.
    pub key_window: Option<Duration>,
    /// Of which operations it can be asked what became of them.
    pub look_up: Reach,
    /// Which operations can be undone by our reference, whatever became of them.
    pub timeout_reversal: Reach,
    pub multi_capture: bool,
    pub balance_check: BalanceCheck,
    /// How long a hold lasts.
    pub authorization_lifetime: Duration,
    /// How long the gateway takes to tell the verdict of what it has accepted.
    pub verdict_within: Duration,
    /// Of what we are known by there now, as far as whoever decides knows.
    pub generation: Generation,
    /// What the merchant wants to hear of.
    pub wanted: EventNames,
}

impl Terms {
    /// Whether we are known there as we were when the operation was claimed. Else its key was never seen there, and that
    /// nothing is known of it says nothing.
    pub fn are_those_of(&self, operation: &Operation) -> bool {
        operation.generation == self.generation
    }

    /// Whether the gateway can be asked what became of the operation.
    pub fn can_look_up(&self, operation: &Operation) -> bool {
        self.are_those_of(operation) && operation.is_within(self.look_up)
    }

    /// Whether the gateway can be asked to undo whatever became of the operation.
    pub fn can_reverse(&self, operation: &Operation) -> bool {
        self.are_those_of(operation) && operation.is_within(self.timeout_reversal)
    }
}

/// How far a way to find out reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Nothing,
    /// What the gateway has given a name of its own that we know.
    Named,
    /// What opens a payment.
    Openings,
    Everything,
}

impl Reach {
    /// Whether an operation of this kind is within it, of which the gateway has said this.
    pub fn includes(self, kind: &Kind, answer: Option<&Answer>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Named => answer.is_some_and(|answer| answer.reference.is_some()),
            Self::Openings => kind.target().is_none(),
            Self::Everything => true,
        }
    }
}

/// Who sees to it that a reversal does not exceed the authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalanceCheck {
    /// We do.
    Strict,
    /// The gateway does; where it allows more, the balance goes negative.
    Gateway,
}
