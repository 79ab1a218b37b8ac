//! How Payeezy's ways of saying no are told apart: one table for each of its lists of codes.
//!
//! Sources: Payeezy's support pages, "Bank Response Codes" (200 and up are rejected for their data, 300 and up are the
//! issuer's) and "eCommerce Response Codes"; First Data's bank codes as others who process through it list them; errors of
//! validation as they are recorded. Whatever stands in no table may work if it is tried again.

use super::Said;
use crate::payment::Decline;

/// What the gateway says where it has asked the bank.
pub(super) const NORMAL: &str = "00";

/// The bank's codes.
const BANK: &[(&str, Decline)] = &[
    ("304", Decline::Permanent),      // no such account
    ("401", Decline::RequiresReview), // call the issuer
    ("402", Decline::RequiresReview), // call the issuer
    ("501", Decline::Permanent),      // pick up
    ("502", Decline::Permanent),      // lost or stolen
    ("503", Decline::Permanent),      // fraud
    ("505", Decline::Permanent),      // on a negative file
    ("519", Decline::Permanent),      // on a negative file
    ("522", Decline::InvalidData),    // expired
    ("531", Decline::InvalidData),    // CVV2
    ("550", Decline::Permanent),      // closed
    ("570", Decline::Permanent),      // the payer stopped it
    ("571", Decline::Permanent),      // the payer revoked it
    ("591", Decline::InvalidData),    // card number
    ("592", Decline::InvalidData),    // amount
    ("596", Decline::Permanent),      // fraud
    ("605", Decline::InvalidData),    // expiry
    ("825", Decline::Permanent),      // no such account
];

/// The gateway's own codes, where it has asked no bank.
const GATEWAY: &[(&str, Decline)] = &[
    ("08", Decline::InvalidData), // CVV2
    ("22", Decline::InvalidData), // card number
    ("25", Decline::InvalidData), // expiry
    ("26", Decline::InvalidData), // amount
    ("27", Decline::InvalidData), // card holder
    ("28", Decline::InvalidData), // authorization number
    ("31", Decline::InvalidData), // verification string
    ("32", Decline::InvalidData), // transaction code
    ("36", Decline::InvalidData), // below the least amount
    ("44", Decline::InvalidData), // address
    ("57", Decline::InvalidData), // reference
    ("58", Decline::InvalidData), // address
    ("60", Decline::InvalidData), // customer reference
    ("63", Decline::InvalidData), // duplicate
    ("64", Decline::InvalidData), // refund
    ("68", Decline::Permanent),   // restricted card
    ("69", Decline::InvalidData), // transaction tag
    ("72", Decline::InvalidData), // data
];

pub(super) fn of_codes(bank: Option<&str>, gateway: Option<&str>) -> Decline {
    let found = |table: &[(&str, Decline)], code: &str| {
        table.iter().find(|(known, _)| *known == code).map(|(_, decline)| *decline)
    };
    let decline = match (gateway, bank) {
        (Some(code), _) if code != NORMAL => found(GATEWAY, code),
        (_, Some(code)) if is_rejected(code) => Some(Decline::InvalidData),
        (_, Some(code)) => found(BANK, code),
        (_, None) => None,
    };
    decline.unwrap_or(Decline::Soft)
}

fn is_rejected(bank: &str) -> bool {
    bank.len() == 3 && bank.starts_with('2')
}

/// What was not processed, where each of its errors says that it was refused before anything was done: then the request is
/// at fault, as it stands. None where one does not, or where there is none: `Not Processed` alone does not say how far it
/// came.
pub(super) fn of_errors(errors: &[Said]) -> Option<Decline> {
    let is_certain = !errors.is_empty() && errors.iter().all(is_refused_before);
    is_certain.then_some(Decline::InvalidData)
}

/// Payeezy checks a request before it processes it, and what it finds there is named by what is wrong with it.
/// `server_error` is what it calls whatever went wrong behind that; only with a `Bad Request`, such as that of a transaction
/// tag that it does not know, was it certainly not carried out.
fn is_refused_before(error: &Said) -> bool {
    let Some(code) = error.code.as_deref() else { return false };
    match code {
        "card_expired" => true,
        "server_error" => error.description.as_deref().is_some_and(|description| description.contains("Bad Request")),
        _ => code.starts_with("invalid_") || code.starts_with("missing_"),
    }
}
