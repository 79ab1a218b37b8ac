//! What KOMOJU does not do, known before it is asked.

use super::payment::waits_for_the_payer;
use super::send::{email, goes_by_bank, said};
use crate::gateways::{Account, Intent};
use crate::payment::asked::OnFile;
use crate::payment::{Instrument, Kind};
use crate::rejection::Rejection;

/// The currencies of KOMOJU's libraries. An account may have fewer of them.
const CURRENCIES: [&str; 20] = [
    "JPY", "USD", "EUR", "TWD", "KRW", "PLN", "GBP", "HKD", "SGD", "NZD", "AUD", "IDR", "MYR", "PHP", "THB", "CNY",
    "BRL", "CHF", "CAD", "VND",
];

/// What a refund by bank needs to know of the payer's account.
const BANK: [&str; 5] = ["customerName", "bankName", "branchNumber", "accountType", "accountNumber"];

/// Who pays at a bank.
const PAYER: [&str; 4] = ["givenName", "familyName", "givenNameKana", "familyNameKana"];

pub(super) fn admits(intent: &Intent<'_>, _: &Account<'_>) -> Result<(), Rejection> {
    if !CURRENCIES.contains(&intent.amount.currency.code()) {
        return no("currencyIsoCode", "must be a currency of KOMOJU");
    }
    match intent.kind {
        Kind::Authorize | Kind::Sale => admits_instrument(intent),
        Kind::PostAuthorize if said(intent, "reference").is_none() => {
            no("additionalData", "must hold reference, the id of a payment at KOMOJU")
        }
        Kind::Reverse { .. } if intent.target.is_some_and(|target| target.amount != intent.amount) => {
            no("amount", "must be all of the authorization: KOMOJU cancels a payment as a whole")
        }
        Kind::Refund { .. } if goes_by_bank(intent) && BANK.iter().any(|member| said(intent, member).is_none()) => no(
            "additionalData",
            "must hold customerName, bankName, branchNumber, accountType and accountNumber: this refund is paid into a \
             bank account",
        ),
        Kind::PostAuthorize | Kind::Capture { .. } | Kind::Reverse { .. } | Kind::Refund { .. } => Ok(()),
    }
}

fn admits_instrument(intent: &Intent<'_>) -> Result<(), Rejection> {
    match intent.instrument {
        Some(Instrument::Card { .. } | Instrument::Stored(OnFile { token: Some(_), .. })) => Ok(()),
        Some(Instrument::Alternative { .. }) => match said(intent, "paymentMethodType") {
            Some(kind) => admits_kind(intent, kind),
            None => Ok(()),
        },
        Some(Instrument::Stored(_) | Instrument::Bank { .. }) | None => {
            no("paymentMethod", "must be a card, a stored payment method or an alternative one")
        }
    }
}

/// What each type needs is in the tables of KOMOJU's page "Payment Details".
fn admits_kind(intent: &Intent<'_>, kind: &str) -> Result<(), Rejection> {
    let lacks = |members: &[&str]| members.iter().any(|member| said(intent, member).is_none());
    let is_word = kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_word || kind == "credit_card" {
        return no("additionalData", "paymentMethodType must be a type of KOMOJU, and a card goes as a card");
    }
    if *intent.kind == Kind::Authorize {
        return no("paymentMethod", "must be a card: KOMOJU holds nothing else, so anything else can be sold only");
    }
    if waits_for_the_payer(kind) && email(intent).is_none() {
        return no("email", "is needed: KOMOJU writes to the payer how to pay");
    }
    match kind {
        "konbini" if lacks(&["store"]) => no("additionalData", "must hold store, the chain where the payer pays"),
        "konbini" => Ok(()),
        _ if !waits_for_the_payer(kind) => Ok(()),
        _ if lacks(&PAYER) => {
            no("additionalData", "must hold givenName, familyName, givenNameKana and familyNameKana of the payer")
        }
        _ if intent.details.phone.is_none() => no("phone", "is needed by the payer's bank"),
        _ => Ok(()),
    }
}

fn no(member: &'static str, limit: &'static str) -> Result<(), Rejection> {
    Err(Rejection::NotAtGateway { member, limit })
}
