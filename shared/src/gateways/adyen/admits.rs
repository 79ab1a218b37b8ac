//! What is not sent to Adyen, because it documents that it does not take it or because it could not be right.

use super::TOKEN_CURRENCY;
use super::amount::{Amount, decimals};
use super::checkout::return_url;
use super::payer::{MODELS, RECURRING_MODEL, SHOPPER_REFERENCE};
use crate::gateways::{Account, Intent, TokenIntent};
use crate::payment::{Instrument, Kind};
use crate::rejection::Rejection;

/// Characters of a shopper's reference.
const SHOPPER: std::ops::RangeInclusive<usize> = 3..=256;

/// Characters of a return URL. Adyen takes more; together with all the rest it must fit a buffer that is wiped.
const URL: usize = 2_000;

fn refused(member: &'static str, limit: &'static str) -> Rejection {
    Rejection::NotAtGateway { member, limit }
}

fn check(fits: bool, member: &'static str, limit: &'static str) -> Result<(), Rejection> {
    if fits { Ok(()) } else { Err(refused(member, limit)) }
}

pub(super) fn is_return_url(text: &str) -> bool {
    text.len() <= URL && text.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
}

pub(super) fn checkout(intent: &Intent<'_>, account: &Account<'_>) -> Result<(), Rejection> {
    both(intent)?;
    if intent.kind.target().is_some() {
        return Ok(());
    }
    let url = return_url(intent, account);
    check(url.is_none_or(is_return_url), "additionalData.returnUrl", "a URL of at most 2,000 characters")?;
    let may_be_asked = !intent.details.submitted_by_merchant;
    check(!may_be_asked || url.is_some(), "additionalData.returnUrl", "where the payer comes back to")
}

pub(super) fn classic(intent: &Intent<'_>, _: &Account<'_>) -> Result<(), Rejection> {
    both(intent)
}

fn both(intent: &Intent<'_>) -> Result<(), Rejection> {
    check(
        decimals(intent.amount.currency).is_some(),
        "currencyIsoCode",
        "a currency of which Adyen says how it is counted",
    )?;
    check(Amount::of(intent.amount).is_some(), "amount", "whole units of a currency that Adyen counts in them")?;
    match intent.kind {
        Kind::PostAuthorize => {
            return Err(refused("paymentGatewayId", "this gateway registers no authorization made in a browser"));
        }
        Kind::Authorize | Kind::Sale => opening(intent)?,
        Kind::Reverse { .. } => {
            let is_whole = intent.target.is_none_or(|target| target.amount == intent.amount);
            check(is_whole, "amount", "all of the authorization: Adyen cancels it as a whole")?;
        }
        Kind::Capture { .. } | Kind::Refund { .. } => {}
    }
    let is_known =
        intent.kind.target().is_none() || intent.opening.is_some_and(|opening| !opening.reference.is_empty());
    check(is_known, "id", "a payment that Adyen has given a reference")
}

fn opening(intent: &Intent<'_>) -> Result<(), Rejection> {
    let fits = match intent.instrument {
        Some(Instrument::Card { .. }) => true,
        Some(Instrument::Stored(on_file)) => {
            on_file.token.as_ref().is_some_and(|token| (1..=64).contains(&token.reveal().len()))
        }
        Some(Instrument::Bank { .. } | Instrument::Alternative { .. }) | None => false,
    };
    check(fits, "paymentMethod", "a card, or a stored method")?;
    more(|member| intent.details.additional_data.get(member).map(String::as_str))
}

fn more<'a>(said: impl Fn(&str) -> Option<&'a str>) -> Result<(), Rejection> {
    let is_shopper = |text: &str| SHOPPER.contains(&text.chars().count());
    check(
        said(SHOPPER_REFERENCE).is_none_or(|text| text.is_empty() || is_shopper(text)),
        "additionalData.shopperReference",
        "3 to 256 characters",
    )?;
    check(
        said(RECURRING_MODEL).is_none_or(|text| text.is_empty() || MODELS.contains(&text)),
        "additionalData.recurringProcessingModel",
        "CardOnFile, Subscription or UnscheduledCardOnFile",
    )
}

pub(super) fn checkout_token(intent: &TokenIntent<'_>, _: &Account<'_>) -> Result<(), Rejection> {
    check(matches!(intent.instrument, Instrument::Card { .. }), "paymentMethod", "a card")?;
    more(|member| intent.details.sender.additional_data.get(member).map(String::as_str))
}

pub(super) fn classic_token(intent: &TokenIntent<'_>, account: &Account<'_>) -> Result<(), Rejection> {
    checkout_token(intent, account)?;
    let is_named = !account.credential.text(TOKEN_CURRENCY.name).is_empty();
    check(is_named, "paymentGatewayId", "a gateway whose credential has a tokenCurrency, to store a card by")
}
