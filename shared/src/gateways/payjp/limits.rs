//! What PAY.JP takes, as far as it documents that: asked before anything is stored.

use std::time::Duration;

use super::answer::Details;
use super::send::{
    CANCELLATION_REASON, EXTENDED_AUTHORIZATION, PAYMENT_METHOD_TYPE, Payer, REFERENCE, RETURN_URL, THREE_D_SECURE,
    added,
};
use crate::gateways::{Account, Intent};
use crate::payment::{Instrument, Kind};
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// Yen of a payment or a capture, by PAY.JP's OpenAPI.
const AMOUNTS: std::ops::RangeInclusive<i64> = 50..=9_999_999;

/// How long after its creation a payment by card can be refunded, by PAY.JP's guide to refunds.
const CARD_REFUNDS: Duration = Duration::from_secs(180 * DAY_SECONDS);

/// The same of `PayPay`: to the end of this day after the confirmation.
const PAYPAY_DAYS: i64 = 365;

const DAY_SECONDS: u64 = 24 * 60 * 60;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Days begin in Tokyo, all year.
const TOKYO_MS: i64 = 9 * 60 * 60 * 1000;

/// What callers may add, and what it may say; nothing where any text goes.
const CHOICES: [(&str, &[&str], &str); 4] = [
    (THREE_D_SECURE, &["any", "automatic"], "threeDSecure must be any or automatic"),
    (
        EXTENDED_AUTHORIZATION,
        &["if_available", "must_extend", "never"],
        "extendedAuthorization must be if_available, must_extend or never",
    ),
    (PAYMENT_METHOD_TYPE, &["card", "paypay", "apple_pay"], "paymentMethodType must be card, paypay or apple_pay"),
    (
        CANCELLATION_REASON,
        &["duplicate", "fraudulent", "requested_by_customer", "abandoned"],
        "cancellationReason must be duplicate, fraudulent, requested_by_customer or abandoned",
    ),
];

pub(super) fn admits(intent: &Intent<'_>, account: &Account<'_>) -> Result<(), Rejection> {
    if intent.amount.currency.code() != super::CURRENCY {
        return Err(not_at_gateway("currencyIsoCode", "must be JPY, the only currency of PAY.JP"));
    }
    for (name, choices, limit) in CHOICES {
        if added(intent, name).is_some_and(|said| !choices.contains(&said)) {
            return Err(not_at_gateway("additionalData", limit));
        }
    }
    match intent.kind {
        Kind::Authorize | Kind::Sale => within_amounts(intent).and_then(|()| has_payer(intent)),
        Kind::PostAuthorize => within_amounts(intent).and_then(|()| names_flow(intent)),
        Kind::Capture { .. } => within_amounts(intent),
        Kind::Reverse { .. } => is_whole(intent),
        Kind::Refund { .. } => is_in_time(intent, account.now),
    }
}

fn not_at_gateway(member: &'static str, limit: &'static str) -> Rejection {
    Rejection::NotAtGateway { member, limit }
}

fn within_amounts(intent: &Intent<'_>) -> Result<(), Rejection> {
    match AMOUNTS.contains(&intent.amount.minor) {
        true => Ok(()),
        false => Err(not_at_gateway("amount", "must be from 50 to 9999999 yen at PAY.JP")),
    }
}

fn has_payer(intent: &Intent<'_>) -> Result<(), Rejection> {
    let limit = match intent.instrument {
        Some(Instrument::Card { .. }) => {
            "PAY.JP takes no card numbers for payments: store the method first, or bring a token from the browser"
        }
        Some(Instrument::Bank { .. }) => "PAY.JP takes no bank accounts",
        Some(Instrument::Stored(on_file)) if on_file.token.is_some() && Payer::of(intent).is_none() => {
            "its token must be customer/method, or come with additionalData.customerId"
        }
        Some(Instrument::Alternative { .. }) if Payer::of(intent).is_none() => {
            "must come with additionalData.customerId, whose payment method it is"
        }
        Some(Instrument::Stored(_) | Instrument::Alternative { .. }) | None => return may_come_back(intent),
    };
    Err(not_at_gateway("paymentMethod", limit))
}

/// Apps may be come back to as well as pages, so any scheme will do.
fn may_come_back(intent: &Intent<'_>) -> Result<(), Rejection> {
    match added(intent, RETURN_URL) {
        Some(url) if !url.contains("://") => Err(not_at_gateway("additionalData", "returnUrl must be a URL")),
        Some(_) | None => Ok(()),
    }
}

fn names_flow(intent: &Intent<'_>) -> Result<(), Rejection> {
    match added(intent, REFERENCE) {
        Some(flow) if super::is_name(flow) => Ok(()),
        Some(_) | None => Err(not_at_gateway("additionalData", "reference must be the id of the payment flow")),
    }
}

/// PAY.JP cancels a flow, and nothing less.
fn is_whole(intent: &Intent<'_>) -> Result<(), Rejection> {
    match intent.target {
        Some(target) if target.amount != intent.amount => {
            Err(not_at_gateway("amount", "must be the whole authorization: PAY.JP releases nothing less"))
        }
        Some(_) | None => Ok(()),
    }
}

/// A payment whose type is not known is left to PAY.JP to refuse.
fn is_in_time(intent: &Intent<'_>, now: Timestamp) -> Result<(), Rejection> {
    let Some(target) = intent.target else { return Ok(()) };
    let details = Details::of(&target);
    let opened = intent.opening.unwrap_or(target).requested_at;
    match details.method.as_deref() {
        Some("card") if now > details.created().unwrap_or(opened).plus(CARD_REFUNDS) => {
            Err(not_at_gateway("paymentId", "PAY.JP refunds a card until 180 days after the payment was created"))
        }
        Some("paypay") if now >= end_of_paypay(details.confirmed().unwrap_or(target.requested_at)) => Err(
            not_at_gateway("paymentId", "PAY.JP refunds PayPay until the end of day 365 after the confirmation (JST)"),
        ),
        Some(_) | None => Ok(()),
    }
}

/// The first moment of day 366.
fn end_of_paypay(confirmed: Timestamp) -> Timestamp {
    let day = confirmed.as_millis().saturating_add(TOKYO_MS).div_euclid(DAY_MS);
    let after = day.saturating_add(PAYPAY_DAYS).saturating_add(1);
    Timestamp::from_millis(after.saturating_mul(DAY_MS).saturating_sub(TOKYO_MS))
}
