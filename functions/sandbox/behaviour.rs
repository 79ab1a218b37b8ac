//! The magic table: every behaviour that a test can ask for, under one code and one name.
//!
//! A code means the same wherever it stands (an amount, a card, a stored method), and a name means
//! the same as its code, in a script of faults.

use serde::{Deserialize, Serialize};

/// How long a slow answer takes: longer than an impatient client waits, shorter than a test does.
pub const SLOW_MS: u64 = 3_000;

/// How long an accepted operation stays open: long enough to be seen open, short enough to wait for.
pub const SETTLEMENT_MS: u64 = 5_000;

/// How long a payer has to act: as long as common 3-D Secure pages wait.
pub const ACTION_MS: u64 = 15 * 60 * 1_000;

/// How long before its answer a notice comes that comes first.
pub const NOTICE_FIRST_MS: u64 = 1_000;

/// What the gateway does with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Approve,
    Decline(Decline),
    /// Answers `accepted` and settles after [`SETTLEMENT_MS`].
    Accept(Ending),
    /// As an acceptance that is approved, and [`SETTLEMENT_MS`] later it turns out not to stand.
    AcceptThenFail,
    /// As an acceptance where something is tokenized, and nothing anywhere else.
    AcceptToken(Ending),
    /// Waits for the payer, for [`ACTION_MS`].
    Challenge,
    /// Approves, and the payer disputes it where money was taken.
    Dispute(Verdict),
    Fault(Fault),
}

/// A fault of the world: it strikes a delivery and says nothing about the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Slow,
    LostRequest,
    LostAnswer,
    ErrorBefore,
    ErrorAfter,
    TooManyRequests,
    MalformedBody,
    Silence,
    /// What the gateway tells unasked overtakes its answer.
    NoticeFirst,
}

impl Fault {
    /// Whether the gateway carries the operation out although this fault strikes.
    #[must_use]
    pub fn acts(self) -> bool {
        match self {
            Self::LostRequest | Self::ErrorBefore | Self::TooManyRequests => false,
            Self::Slow
            | Self::LostAnswer
            | Self::ErrorAfter
            | Self::MalformedBody
            | Self::Silence
            | Self::NoticeFirst => true,
        }
    }

    /// How long the answer waits when a script does not say.
    #[must_use]
    pub fn delay_ms(self) -> u64 {
        match self {
            Self::Slow => SLOW_MS,
            Self::NoticeFirst => NOTICE_FIRST_MS,
            Self::LostRequest
            | Self::LostAnswer
            | Self::ErrorBefore
            | Self::ErrorAfter
            | Self::TooManyRequests
            | Self::MalformedBody
            | Self::Silence => 0,
        }
    }
}

/// Why an operation was declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decline {
    DoNotHonour,
    StolenCard,
    InsufficientFunds,
    ExpiredCard,
    CvcMismatch,
    SuspectedFraud,
    InvalidCardData,
    UnknownMethod,
    /// A post-authorization of something that no browser obtained.
    UnknownAuthorization,
    /// A request that came after its reference was reversed.
    AlreadyReversed,
    /// The time of the payer ran out.
    PayerDidNotAct,
}

impl Decline {
    /// The response code and message, as in ISO 8583 where it has one.
    #[must_use]
    pub fn code_and_message(self) -> (&'static str, &'static str) {
        match self {
            Self::DoNotHonour => ("05", "Do Not Honour"),
            Self::StolenCard => ("43", "Stolen Card"),
            Self::InsufficientFunds => ("51", "Insufficient Funds"),
            Self::ExpiredCard => ("54", "Expired Card"),
            Self::CvcMismatch => ("82", "CVC Mismatch"),
            Self::SuspectedFraud => ("59", "Suspected Fraud"),
            Self::InvalidCardData => ("14", "Invalid Card Data"),
            Self::UnknownMethod => ("14", "Unknown Payment Method"),
            Self::UnknownAuthorization => ("14", "Unknown Authorization"),
            Self::AlreadyReversed => ("12", "Already Reversed"),
            Self::PayerDidNotAct => ("78", "Payer Did Not Act"),
        }
    }

    /// Whether the data of the card are no good, whatever is asked of it.
    #[must_use]
    pub fn is_of_the_data(self) -> bool {
        match self {
            Self::ExpiredCard | Self::InvalidCardData => true,
            Self::DoNotHonour
            | Self::StolenCard
            | Self::InsufficientFunds
            | Self::CvcMismatch
            | Self::SuspectedFraud
            | Self::UnknownMethod
            | Self::UnknownAuthorization
            | Self::AlreadyReversed
            | Self::PayerDidNotAct => false,
        }
    }
}

/// How an accepted operation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    Approved,
    Declined,
}

/// How a dispute ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The money stays with the payer.
    ChargedBack,
    /// The money comes back.
    Won,
}

/// One row of the magic table.
#[derive(Debug)]
pub struct Row {
    pub code: u16,
    pub name: &'static str,
    pub behaviour: Behaviour,
    pub meaning: &'static str,
}

const fn row(code: u16, name: &'static str, behaviour: Behaviour, meaning: &'static str) -> Row {
    Row { code, name, behaviour, meaning }
}

/// Every behaviour. Code 0 is the stored method that works, and no magic anywhere else.
pub static TABLE: [Row; 25] = [
    row(0, "approve", Behaviour::Approve, "approves"),
    row(9001, "decline", Behaviour::Decline(Decline::DoNotHonour), "declines; a later try may work (05)"),
    row(9002, "permanent-decline", Behaviour::Decline(Decline::StolenCard), "declines for good (43)"),
    row(9003, "insufficient-funds", Behaviour::Decline(Decline::InsufficientFunds), "declines (51)"),
    row(9004, "expired-card", Behaviour::Decline(Decline::ExpiredCard), "declines (54)"),
    row(9005, "cvc-mismatch", Behaviour::Decline(Decline::CvcMismatch), "declines (82)"),
    row(9006, "suspected-fraud", Behaviour::Decline(Decline::SuspectedFraud), "declines (59)"),
    row(9007, "invalid-card-data", Behaviour::Decline(Decline::InvalidCardData), "declines (14)"),
    row(9011, "slow", Behaviour::Fault(Fault::Slow), "acts, answers after 3 s"),
    row(9012, "lost-request", Behaviour::Fault(Fault::LostRequest), "does not act, closes the connection"),
    row(9013, "lost-answer", Behaviour::Fault(Fault::LostAnswer), "acts, closes the connection"),
    row(9014, "error-before", Behaviour::Fault(Fault::ErrorBefore), "does not act, answers HTTP 500"),
    row(9015, "error-after", Behaviour::Fault(Fault::ErrorAfter), "acts, answers HTTP 500"),
    row(9016, "too-many-requests", Behaviour::Fault(Fault::TooManyRequests), "does not act, answers HTTP 429"),
    row(9017, "malformed-body", Behaviour::Fault(Fault::MalformedBody), "acts, answers HTTP 200 with half a body"),
    row(9018, "accepted-then-approved", Behaviour::Accept(Ending::Approved), "accepts, approves after 5 s"),
    row(9019, "accepted-then-declined", Behaviour::Accept(Ending::Declined), "accepts, declines after 5 s (05)"),
    row(9020, "silence", Behaviour::Fault(Fault::Silence), "acts, never answers"),
    row(9021, "accepted-then-failed", Behaviour::AcceptThenFail, "accepts, approves after 5 s, fails 5 s after that"),
    row(9022, "action-required", Behaviour::Challenge, "needs the payer, for 15 min"),
    row(
        9023,
        "charged-back",
        Behaviour::Dispute(Verdict::ChargedBack),
        "approves, dispute opened after 5 s, charged back after 10 s",
    ),
    row(9024, "dispute-won", Behaviour::Dispute(Verdict::Won), "as 9023, reversed after 15 s"),
    row(
        9025,
        "notice-first",
        Behaviour::Fault(Fault::NoticeFirst),
        "approves, and the notice is sent 1 s before the answer",
    ),
    row(
        9026,
        "token-accepted",
        Behaviour::AcceptToken(Ending::Approved),
        "tokenizing accepts, approves after 5 s; all else approves",
    ),
    row(
        9027,
        "token-refused",
        Behaviour::AcceptToken(Ending::Declined),
        "tokenizing accepts, declines after 5 s (05); all else approves",
    ),
];

/// The row that a script of faults calls by this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

/// What a code of the table asks for.
#[must_use]
pub fn by_code(code: u64) -> Option<Behaviour> {
    TABLE.iter().find(|row| u64::from(row.code) == code).map(|row| row.behaviour)
}
