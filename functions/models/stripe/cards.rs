//! How a card ends: the numbers of Stripe's "Test cards", and for every other one the magic of the amount.

use kessai_shared::card::Pan;
use serde_json::{Value, json};

use super::super::magic;
use crate::sandbox::{Behaviour, Decline, Ending, Verdict};

/// What a charge comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Approve,
    Decline(No),
    /// Not at once.
    Process(Ending),
    Challenge,
    /// As an approval, and the payer disputes it.
    Dispute(Verdict),
}

/// A bank's no: the code, and beside `card_declined` what the bank said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct No {
    pub code: &'static str,
    pub decline_code: Option<&'static str>,
}

const fn declined(decline_code: &'static str) -> No {
    No { code: "card_declined", decline_code: Some(decline_code) }
}

const fn of_the_data(code: &'static str) -> No {
    No { code, decline_code: None }
}

pub(super) const AUTHENTICATION_REQUIRED: No =
    No { code: "authentication_required", decline_code: Some("authentication_required") };
pub(super) const NOT_AUTHENTICATED: No = of_the_data("payment_intent_authentication_failure");
pub(super) const NOT_SET_UP: No = of_the_data("setup_intent_authentication_failure");
pub(super) const INVALID_NUMBER: No = of_the_data("incorrect_number");
pub(super) const GENERIC: No = declined("generic_decline");

impl No {
    pub fn error(self) -> Value {
        json!({
            "type": "card_error", "code": self.code, "decline_code": self.decline_code, "message": "Your card was declined.",
        })
    }
}

/// Numbers that are no good for any purpose, keeping included.
const REFUSED: [(&str, No); 8] = [
    ("4000000000000002", GENERIC),
    ("4000000000009995", declined("insufficient_funds")),
    ("4000000000009987", declined("lost_card")),
    ("4000000000009979", declined("stolen_card")),
    ("4100000000000019", declined("fraudulent")),
    ("4000000000000069", of_the_data("expired_card")),
    ("4000000000000127", of_the_data("incorrect_cvc")),
    ("4000000000000119", of_the_data("processing_error")),
];

/// Numbers that are kept, and do this when they are charged.
const CHARGED: [(&str, Plan); 6] = [
    ("4000000000000341", Plan::Decline(GENERIC)),
    ("4000002760003184", Plan::Challenge),
    (AUTHENTICATED_ONCE, Plan::Challenge),
    ("4000000000003220", Plan::Challenge),
    ("4000000000000259", Plan::Dispute(Verdict::ChargedBack)),
    ("4000000000002685", Plan::Dispute(Verdict::ChargedBack)),
];

/// Once it was authenticated when it was kept, its payer need not be there any more.
pub(super) const AUTHENTICATED_ONCE: &str = "4000002500003155";

/// Whether its bank wants to see the payer when it is kept for later.
pub(super) fn authenticates(number: &str) -> bool {
    CHARGED.contains(&(number, Plan::Challenge))
}

/// Whether it is kept at all.
pub(super) fn kept(number: &str) -> Result<(), No> {
    if Pan::parse(number).is_none() {
        return Err(INVALID_NUMBER);
    }
    REFUSED.iter().find(|(known, _)| *known == number).map_or(Ok(()), |(_, no)| Err(*no))
}

/// `minor`: of ISO 4217.
pub(super) fn charged(number: &str, minor: i64) -> Plan {
    if let Err(no) = kept(number) {
        return Plan::Decline(no);
    }
    let known = CHARGED.iter().find(|(known, _)| *known == number).map(|(_, plan)| *plan);
    known.unwrap_or_else(|| match magic(minor) {
        Behaviour::Decline(because) => Plan::Decline(no(because)),
        Behaviour::Accept(ending) => Plan::Process(ending),
        // A card's charge that stood stays so.
        Behaviour::AcceptThenFail => Plan::Process(Ending::Approved),
        Behaviour::Challenge => Plan::Challenge,
        Behaviour::Dispute(verdict) => Plan::Dispute(verdict),
        Behaviour::Approve | Behaviour::AcceptToken(_) | Behaviour::Fault(_) => Plan::Approve,
    })
}

fn no(because: Decline) -> No {
    match because {
        Decline::DoNotHonour => declined("do_not_honor"),
        Decline::StolenCard => declined("stolen_card"),
        Decline::InsufficientFunds => declined("insufficient_funds"),
        Decline::ExpiredCard => of_the_data("expired_card"),
        Decline::CvcMismatch => of_the_data("incorrect_cvc"),
        Decline::SuspectedFraud => declined("fraudulent"),
        Decline::InvalidCardData => INVALID_NUMBER,
        Decline::UnknownMethod | Decline::UnknownAuthorization | Decline::AlreadyReversed | Decline::PayerDidNotAct => {
            GENERIC
        }
    }
}
