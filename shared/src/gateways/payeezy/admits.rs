//! What Payeezy is not asked, because it does not do it or does not say how.

use super::send::{ReferenceDetails, type_name};
use super::tokens::TokenData;
use crate::card::{Card, Secret};
use crate::gateways::{Account, Intent, Known};
use crate::payment::Kind;
use crate::payment::asked::Instrument;
use crate::rejection::Rejection;

/// Decimals of the currencies in which Payeezy's amounts are recorded.
const DECIMALS: u32 = 2;

pub(super) fn admits(intent: &Intent<'_>, _: &Account<'_>) -> Result<(), Rejection> {
    if intent.amount.currency.exponent() != DECIMALS {
        // Salesforce's adapter multiplies every amount by a hundred, Payeezy's samples have dollars and pounds only.
        return refused("currencyIsoCode", "Payeezy documents amounts of currencies with two decimals only");
    }
    match intent.kind {
        Kind::Authorize | Kind::Sale => admits_instrument(intent.instrument),
        Kind::PostAuthorize => refused("paymentGatewayId", "Payeezy has no authorizations that a browser obtains"),
        Kind::Capture { .. } | Kind::Refund { .. } => named(intent.target).map(|_| ()),
        Kind::Reverse { .. } => {
            let (target, _) = named(intent.target)?;
            let is_whole = target.amount == intent.amount;
            if is_whole { Ok(()) } else { refused("amount", "Payeezy voids an authorization as a whole only") }
        }
    }
}

pub(super) fn refused<T>(member: &'static str, limit: &'static str) -> Result<T, Rejection> {
    Err(Rejection::NotAtGateway { member, limit })
}

fn admits_instrument(instrument: Option<&Instrument>) -> Result<(), Rejection> {
    match instrument {
        Some(Instrument::Card { card, .. }) => admits_card(card),
        Some(Instrument::Stored(on_file)) => on_file.token.as_ref().map_or(Ok(()), admits_token),
        Some(Instrument::Alternative { token, .. }) => admits_token(token),
        Some(Instrument::Bank { .. }) | None => refused("paymentMethod", "Payeezy is asked for cards and tokens only"),
    }
}

pub(super) fn admits_card(card: &Card) -> Result<(), Rejection> {
    match type_name(card) {
        Some(_) => Ok(()),
        None => refused(
            "paymentMethod",
            "Payeezy takes cards of Visa, Mastercard, American Express, Discover, JCB and Diners Club",
        ),
    }
}

fn admits_token(token: &Secret) -> Result<(), Rejection> {
    match TokenData::read(token) {
        Some(_) => Ok(()),
        None => refused(
            "paymentMethod",
            "a token of Payeezy is a JSON object of type, value, cardholder_name and exp_date, as Payeezy answers it",
        ),
    }
}

/// An operation by both its names.
pub(super) fn named(target: Option<Known<'_>>) -> Result<(Known<'_>, ReferenceDetails), Rejection> {
    let details = target.and_then(|target| serde_json::from_str(target.details?).ok());
    match (target, details) {
        (Some(target), Some(details)) => Ok((target, details)),
        (Some(_) | None, _) => refused("path", "Payeezy's transaction_id of this operation is not known"),
    }
}
