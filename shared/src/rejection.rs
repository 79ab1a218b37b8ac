//! What we say no to, and what can go wrong with the world. A decline is neither: it is an answer.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::method::step::PENDING;
use crate::money::{AmountError, Money};
use crate::seal::SealFault;
use crate::stored::Unreadable;
use crate::time::Timestamp;

/// We refuse: the request changes nothing, and the caller can tell why. Each variant is one line of
/// the table of codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Not there, or another merchant's, which is the same.
    NotFound,
    Amount(AmountError),
    /// The operation with this key is still running.
    InProgress {
        retry_after: Duration,
    },
    /// The key was used for something else; the members that differ.
    Mismatch {
        fields: Vec<&'static str>,
    },
    /// More than is left.
    OverBalance {
        available: Money,
    },
    /// The hold ended.
    Expired {
        at: Timestamp,
    },
    /// The operation it acts on has not taken effect (yet, or ever).
    NotApproved {
        status: &'static str,
    },
    /// A final capture closed the authorization.
    Closed,
    /// The gateway takes one capture of a hold only, and there is one.
    SingleCapture,
    /// The account is not the one of the authorization.
    WrongAccount,
    /// The currency is not the one of the payment.
    WrongCurrency {
        expected: &'static str,
    },
    /// The payment holds as much as one item may.
    Full,
    /// The stored method is not to be used.
    MethodUnusable {
        status: &'static str,
    },
    /// The stored method belongs to another gateway than the payment.
    MethodElsewhere,
    /// There is no token of it that a gateway could charge.
    MethodWithoutToken,
    /// The gateway keeps no payment methods.
    NoTokens,
    /// The gateway does not take this; the member, and what it takes.
    NotAtGateway {
        member: &'static str,
        limit: &'static str,
    },
    /// Nothing is set up that the gateway knows us by.
    NoCredential,
    /// Nothing new is asked of the gateway.
    GatewayInactive,
}

impl Rejection {
    /// Whether the same may be taken later: something is to be set up, or a gateway has yet to tell.
    pub fn is_for_now(&self) -> bool {
        matches!(self, Self::NoCredential | Self::GatewayInactive | Self::MethodUnusable { status: PENDING })
    }

    /// The HTTP status and the code of the error body.
    pub fn code(&self) -> (u16, &'static str) {
        match self {
            Self::NotFound => (404, "NOT_FOUND"),
            Self::Amount(_) => (400, "INVALID_API_INPUT"),
            Self::InProgress { .. } => (409, "IDEMPOTENCY_KEY_IN_USE"),
            Self::Mismatch { .. } => (422, "IDEMPOTENCY_KEY_REUSED"),
            Self::OverBalance { .. } => (422, "AMOUNT_EXCEEDS_BALANCE"),
            Self::Expired { .. } => (422, "AUTHORIZATION_EXPIRED"),
            Self::NotApproved { .. } | Self::Closed | Self::SingleCapture => (422, "INVALID_STATUS"),
            Self::WrongAccount => (422, "INVALID_ACCOUNT"),
            Self::WrongCurrency { .. } => (422, "INVALID_CURRENCY"),
            Self::Full => (422, "PAYMENT_FULL"),
            Self::MethodUnusable { .. } | Self::MethodElsewhere | Self::MethodWithoutToken => (422, "INVALID_STATUS"),
            Self::NoTokens | Self::NotAtGateway { .. } => (422, "NOT_SUPPORTED"),
            Self::NoCredential | Self::GatewayInactive => (422, "INVALID_STATUS"),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => out.write_str("The requested resource does not exist"),
            Self::Amount(error) => write!(out, "amount: {error}"),
            Self::InProgress { .. } => {
                out.write_str("The operation with this idempotency key is still running; ask again with the same key")
            }
            Self::Mismatch { fields } => {
                write!(out, "This idempotency key was used before with different parameters: {}", fields.join(", "))
            }
            Self::OverBalance { available } => {
                write!(out, "amount: exceeds what is available: {available} {}", available.currency.code())
            }
            Self::Expired { at } => write!(out, "The authorization expired at {at}; 0.0 is available"),
            Self::NotApproved { status } => {
                write!(out, "The operation it refers to has status {status}, not Processed; 0.0 is available")
            }
            Self::Closed => out.write_str("A final capture closed the authorization; 0.0 is available"),
            Self::SingleCapture => {
                out.write_str("The gateway takes a single capture, and there is one; 0.0 is available")
            }
            Self::WrongAccount => out.write_str("accountId: is not the account of the authorization"),
            Self::WrongCurrency { expected } => {
                write!(out, "paymentGroup.currencyIsoCode: must be {expected}, the currency of the payment")
            }
            Self::Full => out.write_str("The payment holds as many operations, or as much text, as one payment may"),
            Self::MethodUnusable { status } => write!(out, "paymentMethod: has status {status} and cannot be used"),
            Self::MethodElsewhere => out.write_str("paymentMethod.id: belongs to another payment gateway"),
            Self::MethodWithoutToken => out.write_str("paymentMethod.id: has no token that a gateway could charge"),
            Self::NoTokens => out.write_str("paymentGatewayId: this gateway keeps no payment methods"),
            Self::NotAtGateway { member, limit } => write!(out, "{member}: {limit}"),
            Self::NoCredential => out.write_str("paymentGatewayId: no credential is set up for this gateway"),
            Self::GatewayInactive => out.write_str("paymentGatewayId: the payment gateway is not active"),
        }
    }
}

/// The world failed us; what was asked may be asked again with the same key.
#[derive(Debug)]
pub enum Fault {
    /// The store could not be reached or would not answer.
    Store(Box<dyn Error + Send + Sync>),
    /// Too many others are writing to the same payment.
    Busy,
    /// What is stored cannot be read.
    Stored(Unreadable),
    /// A token does not open: its key is lost, or it is not where it was sealed.
    Sealed(SealFault),
    /// Too little time is left before the deadline to ask the gateway.
    NoTime,
    /// A gateway that was asked did not answer, or takes no more questions for now.
    NoAnswer,
    /// The gateway is set up in a way that this version cannot serve.
    SetUp(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(_) => out.write_str("the store failed"),
            Self::Busy => out.write_str("too many others are writing to this payment"),
            Self::Stored(_) => out.write_str("what is stored cannot be read"),
            Self::Sealed(_) => out.write_str("a payment method's token does not open"),
            Self::NoTime => out.write_str("too little time is left before the deadline"),
            Self::NoAnswer => out.write_str("the gateway did not answer a question about what it told"),
            Self::SetUp(what) => write!(out, "set-up: {what}"),
        }
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(source) => Some(source.as_ref()),
            Self::Stored(source) => Some(source),
            Self::Sealed(source) => Some(source),
            Self::Busy | Self::NoTime | Self::NoAnswer | Self::SetUp(_) => None,
        }
    }
}

impl From<Unreadable> for Fault {
    fn from(unreadable: Unreadable) -> Self {
        Self::Stored(unreadable)
    }
}

/// Why a request was not carried out: ours to refuse, or the world's to mend.
#[derive(Debug)]
pub enum Refusal {
    Rejection(Rejection),
    Fault(Fault),
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejection(rejection) => rejection.fmt(out),
            Self::Fault(fault) => fault.fmt(out),
        }
    }
}

impl Error for Refusal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Rejection(_) => None,
            Self::Fault(fault) => fault.source(),
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Rejection(rejection)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::tests::fixtures::{START, cents};

    #[test]
    fn every_rejection_has_its_line_in_the_table_of_codes() {
        let fields = vec!["amount", "path"];
        let available = cents(12_050);
        let rows = [
            (Rejection::NotFound, 404, "NOT_FOUND", "does not exist"),
            (Rejection::Amount(AmountError::NotPositive), 400, "INVALID_API_INPUT", "amount: must be greater than 0"),
            (Rejection::InProgress { retry_after: Duration::ZERO }, 409, "IDEMPOTENCY_KEY_IN_USE", "still running"),
            (Rejection::Mismatch { fields }, 422, "IDEMPOTENCY_KEY_REUSED", "different parameters: amount, path"),
            (Rejection::OverBalance { available }, 422, "AMOUNT_EXCEEDS_BALANCE", "what is available: 120.5 USD"),
            (Rejection::Expired { at: START }, 422, "AUTHORIZATION_EXPIRED", "expired at 2026-09-21T"),
            (Rejection::NotApproved { status: "Draft" }, 422, "INVALID_STATUS", "has status Draft, not Processed"),
            (Rejection::Closed, 422, "INVALID_STATUS", "final capture closed"),
            (Rejection::SingleCapture, 422, "INVALID_STATUS", "single capture"),
            (Rejection::WrongAccount, 422, "INVALID_ACCOUNT", "accountId"),
            (Rejection::WrongCurrency { expected: "USD" }, 422, "INVALID_CURRENCY", "must be USD"),
            (Rejection::Full, 422, "PAYMENT_FULL", "as many operations"),
            (Rejection::MethodUnusable { status: "InActive" }, 422, "INVALID_STATUS", "status InActive"),
            (Rejection::MethodElsewhere, 422, "INVALID_STATUS", "another payment gateway"),
            (Rejection::MethodWithoutToken, 422, "INVALID_STATUS", "no token"),
            (Rejection::NoTokens, 422, "NOT_SUPPORTED", "paymentGatewayId"),
            (Rejection::NotAtGateway { member: "amount", limit: "50 to 99" }, 422, "NOT_SUPPORTED", "amount: 50 to 99"),
            (Rejection::NoCredential, 422, "INVALID_STATUS", "paymentGatewayId: no credential"),
            (Rejection::GatewayInactive, 422, "INVALID_STATUS", "paymentGatewayId: the payment gateway is not active"),
        ];
        for (rejection, status, code, says) in rows {
            assert_eq!(rejection.code(), (status, code), "{rejection:?}");
            assert!(rejection.to_string().contains(says), "{rejection}");
            assert_eq!(Refusal::from(rejection.clone()).to_string(), rejection.to_string());
        }
    }

    #[test]
    fn a_fault_keeps_its_cause_and_shows_it_to_nobody_who_does_not_ask() {
        let cause = || Unreadable("v is missing".to_owned());
        let rows = [
            (Fault::Store(Box::new(cause())), "the store failed", true),
            (Fault::Stored(cause()), "what is stored cannot be read", true),
            (Fault::Busy, "too many others are writing to this payment", false),
            (Fault::NoTime, "too little time is left before the deadline", false),
            (Fault::NoAnswer, "the gateway did not answer a question about what it told", false),
            (Fault::SetUp("no adapter".to_owned()), "set-up: no adapter", false),
        ];
        for (fault, says, has_cause) in rows {
            let refusal = Refusal::from(fault);
            assert_eq!(refusal.to_string(), says);
            let cause = refusal.source().map(ToString::to_string);
            assert_eq!(cause.as_deref(), has_cause.then_some("stored item: v is missing"), "{says}");
        }
    }
}
