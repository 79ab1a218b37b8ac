//! How Payeezy's ways of saying no are told apart: one table for each of its lists of codes.
//!
//! Sources: Payeezy's support pages, "Bank Response Codes" (200 and up are rejected for their data, 300 and up are the
//! issuer's) and "eCommerce Response Codes"; First Data's bank codes as others who process through it list them; errors of
//! validation as they are recorded. Whatever stands in no table may work if it is tried again.

use super::Said;
use crate::payment::{Answer, Decline};
use crate::recurring::retry::{Category, Decision};

/// What the gateway says where it has asked the bank.
pub(super) const NORMAL: &str = "00";

/// A code, how it declines, and what kind of failure that is.
type Row = (&'static str, Decline, Category);

/// The bank's codes, of three digits.
const BANK: &[Row] = &[
    ("000", Decline::Soft, Category::GatewayConnection),      // no answer
    ("302", Decline::Soft, Category::CardLimit),              // credit floor
    ("303", Decline::Soft, Category::PaymentProcessing),      // declined
    ("304", Decline::Permanent, Category::PaymentProcessing), // no such account
    ("401", Decline::RequiresReview, Category::PaymentProcessing), // call the issuer
    ("402", Decline::RequiresReview, Category::PaymentProcessing), // call the issuer
    ("501", Decline::Permanent, Category::Security),          // pick up
    ("502", Decline::Permanent, Category::Security),          // lost or stolen
    ("503", Decline::Permanent, Category::Security),          // fraud
    ("505", Decline::Permanent, Category::Security),          // on a negative file
    ("509", Decline::Soft, Category::CardLimit),              // limit
    ("510", Decline::Soft, Category::CardLimit),              // number of payments
    ("519", Decline::Permanent, Category::Security),          // on a negative file
    ("521", Decline::Soft, Category::CardLimit),              // funds
    ("522", Decline::InvalidData, Category::PaymentInformation), // expired
    ("530", Decline::Soft, Category::PaymentProcessing),      // do not honour
    ("531", Decline::InvalidData, Category::PaymentInformation), // CVV2
    ("550", Decline::Permanent, Category::PaymentProcessing), // closed
    ("570", Decline::Permanent, Category::PaymentProcessing), // the payer stopped it
    ("571", Decline::Permanent, Category::PaymentProcessing), // the payer revoked it
    ("591", Decline::InvalidData, Category::PaymentInformation), // card number
    ("592", Decline::InvalidData, Category::PaymentInformation), // amount
    ("596", Decline::Permanent, Category::Security),          // fraud
    ("605", Decline::InvalidData, Category::PaymentInformation), // expiry
    ("606", Decline::Soft, Category::PaymentProcessing),      // not for this type
    ("806", Decline::Soft, Category::PaymentProcessing),      // restricted
    ("825", Decline::Permanent, Category::PaymentProcessing), // no such account
];

/// Soft by the bank's word, and yet hopeless: the issuer does not allow this type of transaction, which is never to be tried
/// again by Visa's rules (response code 57).
const HOPELESS: [&str; 1] = ["606"];

/// The gateway's own codes, of two digits, where it has asked no bank.
const GATEWAY: &[Row] = &[
    ("08", Decline::InvalidData, Category::PaymentInformation), // CVV2
    ("22", Decline::InvalidData, Category::PaymentInformation), // card number
    ("25", Decline::InvalidData, Category::PaymentInformation), // expiry
    ("26", Decline::InvalidData, Category::PaymentInformation), // amount
    ("27", Decline::InvalidData, Category::PaymentInformation), // card holder
    ("28", Decline::InvalidData, Category::PaymentProcessing),  // authorization number
    ("31", Decline::InvalidData, Category::PaymentProcessing),  // verification string
    ("32", Decline::InvalidData, Category::PaymentProcessing),  // transaction code
    ("36", Decline::InvalidData, Category::PaymentInformation), // below the least amount
    ("44", Decline::InvalidData, Category::PaymentInformation), // address
    ("57", Decline::InvalidData, Category::PaymentProcessing),  // reference
    ("58", Decline::InvalidData, Category::PaymentInformation), // address
    ("60", Decline::InvalidData, Category::PaymentProcessing),  // customer reference
    ("63", Decline::InvalidData, Category::PaymentProcessing),  // duplicate
    ("64", Decline::InvalidData, Category::PaymentProcessing),  // refund
    ("68", Decline::Permanent, Category::PaymentProcessing),    // restricted card
    ("69", Decline::InvalidData, Category::PaymentProcessing),  // transaction tag
    ("72", Decline::InvalidData, Category::PaymentProcessing),  // data
];

pub(super) fn of_codes(bank: Option<&str>, gateway: Option<&str>) -> Decline {
    let found =
        |table: &[Row], code: &str| table.iter().find(|(known, ..)| *known == code).map(|(_, decline, _)| *decline);
    let decline = match (gateway, bank) {
        (Some(code), _) if code != NORMAL => found(GATEWAY, code),
        (_, Some(code)) if is_rejected(code) => Some(Decline::InvalidData),
        (_, Some(code)) => found(BANK, code),
        (_, None) => None,
    };
    decline.unwrap_or(Decline::Soft)
}

/// The code alone tells whose it is: a bank's, the gateway's, or in words what was wrong with the request.
pub(in crate::gateways::payeezy) fn judge(decline: Decline, answer: &Answer) -> (Category, Decision) {
    let Some(code) = answer.code.as_deref() else { return (Category::Unknown, Decision::of(decline)) };
    let is_number = code.bytes().all(|byte| byte.is_ascii_digit());
    let category = match BANK.iter().chain(GATEWAY).find(|(known, ..)| *known == code) {
        Some((.., category)) => *category,
        None if is_rejected(code) => Category::PaymentInformation,
        None if !is_number && code != SERVER_ERROR && decline == Decline::InvalidData => Category::PaymentInformation,
        None => Category::Unknown,
    };
    let decision = if HOPELESS.contains(&code) { Decision::NonRetriable } else { Decision::of(decline) };
    (category, decision)
}

fn is_rejected(bank: &str) -> bool {
    bank.len() == 3 && bank.starts_with('2')
}

/// What Payeezy calls whatever went wrong behind it.
const SERVER_ERROR: &str = "server_error";

/// What was not processed, where each of its errors says that it was refused before anything was done: then the request is
/// at fault, as it stands. None where one does not, or where there is none: `Not Processed` alone does not say how far it
/// came.
pub(super) fn of_errors(errors: &[Said]) -> Option<Decline> {
    let is_certain = !errors.is_empty() && errors.iter().all(is_refused_before);
    is_certain.then_some(Decline::InvalidData)
}

/// Payeezy checks a request before it processes it, and what it finds there is named by what is wrong with it.
/// Of what it calls [`SERVER_ERROR`], only a `Bad Request`, such as that of a transaction tag that it does not know, was
/// certainly not carried out.
fn is_refused_before(error: &Said) -> bool {
    let Some(code) = error.code.as_deref() else { return false };
    match code {
        "card_expired" => true,
        SERVER_ERROR => error.description.as_deref().is_some_and(|description| description.contains("Bad Request")),
        _ => code.starts_with("invalid_") || code.starts_with("missing_"),
    }
}
