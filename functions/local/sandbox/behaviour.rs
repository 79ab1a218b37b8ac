//! The magic table: every behaviour that a test can ask for, under one code and one name.
//!
//! A code means the same wherever it stands (an amount, a card, a stored method) and a name means
//! the same in a script of faults. What a card or a method asks for is worked out here, so that no
//! other file ever holds a card number.

use serde::{Deserialize, Serialize};

/// How long a slow answer takes: longer than an impatient client waits, shorter than a test does.
pub const SLOW_MS: u64 = 3_000;

/// How long an accepted operation stays open: long enough to be seen open, short enough to wait for.
pub const SETTLEMENT_MS: u64 = 5_000;

/// Amounts carry a code in their last four digits, so that any price can be made magic.
const AMOUNT_CODES: u64 = 10_000;

/// The first eleven digits of every magic card; the code and the check digit make it sixteen.
const CARD_PREFIX: &str = "40000000000";

/// The record prefix of a stored payment method.
const METHOD_PREFIX: &str = "03O";

/// Digits of a stored method's id that carry the code.
const METHOD_DIGITS: usize = 12;

/// Length of a stored method's id after the prefix when it has its three-character suffix.
const METHOD_DIGITS_AND_SUFFIX: usize = 15;

/// What the gateway does with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Approve,
    Decline(Decline),
    /// Answers `accepted` and settles after [`SETTLEMENT_MS`].
    Accept(Ending),
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
            | Self::Silence => true,
        }
    }

    /// How long the answer waits when a script does not say.
    #[must_use]
    pub fn delay_ms(self) -> u64 {
        match self {
            Self::Slow => SLOW_MS,
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

/// One row of the magic table.
#[derive(Debug)]
pub struct Row {
    pub code: u16,
    pub name: &'static str,
    pub behaviour: Behaviour,
    pub meaning: &'static str,
}

const fn row(code: u16, name: &'static str, behaviour: Behaviour, meaning: &'static str) -> Row {
    Row {
        code,
        name,
        behaviour,
        meaning,
    }
}

/// Every behaviour. Code 0 is the stored method that works, and no magic anywhere else.
#[rustfmt::skip]
pub static TABLE: [Row; 18] = [
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
];

/// The row that a script of faults calls by this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

fn by_code(code: u64) -> Option<Behaviour> {
    TABLE
        .iter()
        .find(|row| u64::from(row.code) == code)
        .map(|row| row.behaviour)
}

/// What an amount in minor units asks for.
#[must_use]
pub fn of_amount(amount: u64) -> Behaviour {
    by_code(amount % AMOUNT_CODES).unwrap_or(Behaviour::Approve)
}

/// What a card number asks for: a code, nothing, or a decline where no such card can exist.
#[must_use]
pub fn of_card(number: &str) -> Behaviour {
    /// The lengths that ISO 7812 numbers have in practice.
    const LENGTHS: std::ops::RangeInclusive<usize> = 12..=19;
    let Some((payload, check)) = number
        .len()
        .checked_sub(1)
        .and_then(|last| number.split_at_checked(last))
    else {
        return Behaviour::Decline(Decline::InvalidCardData);
    };
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || !LENGTHS.contains(&number.len()) || check != check_digit(payload).to_string() {
        return Behaviour::Decline(Decline::InvalidCardData);
    }
    payload
        .strip_prefix(CARD_PREFIX)
        .filter(|code| code.len() == 4)
        .and_then(|code| code.parse().ok())
        .and_then(by_code)
        .unwrap_or(Behaviour::Approve)
}

/// What a stored method asks for: a code, nothing, or a decline where no such method exists.
#[must_use]
pub fn of_method(id: &str) -> Behaviour {
    id.strip_prefix(METHOD_PREFIX)
        .filter(|rest| [METHOD_DIGITS, METHOD_DIGITS_AND_SUFFIX].contains(&rest.len()))
        .and_then(|rest| rest.get(..METHOD_DIGITS))
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .and_then(by_code)
        .unwrap_or(Behaviour::Decline(Decline::UnknownMethod))
}

/// The magic card of a code of the table (four digits; a fifth is cut off).
#[must_use]
pub fn card_number(code: u16) -> String {
    let payload = format!("{CARD_PREFIX}{:04}", code % 10_000);
    let check = check_digit(&payload);
    format!("{payload}{check}")
}

/// The magic stored method of a code of the table.
#[must_use]
pub fn method_id(code: u16) -> String {
    format!("{METHOD_PREFIX}{code:0METHOD_DIGITS$}")
}

/// The Luhn digit that completes these digits.
fn check_digit(payload: &str) -> u32 {
    let sum: u32 = payload
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate()
        .map(|(place, digit)| match (place % 2 == 0, digit) {
            (true, 5..) => digit * 2 - 9,
            (true, _) => digit * 2,
            (false, _) => digit,
        })
        .sum();
    (10 - sum % 10) % 10
}
