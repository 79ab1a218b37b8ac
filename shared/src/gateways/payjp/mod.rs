//! PAY.JP, version 2 of its API: payment flows, refunds, customers and their payment methods, in JSON.
//!
//! A payment is a *flow*, which is held and captured or captured at once; what opened it bears our reference in its
//! metadata, and so does every refund. A capture and a cancellation have no metadata of their own: they are known by the
//! flow. Sources are PAY.JP's OpenAPI with what its Python library 1.3.0 adds to it, and the pages of docs.pay.jp.
//!
//! | answer | means |
//! |---|---|
//! | 200 | what the flow's or the refund's status says, if it is of what was asked ([`answer`]) |
//! | 400, 402, 404, 422 with a code | refused, not acted; of a request that may have come before it tells nothing |
//! | 401 | not acted: the key is checked first |
//! | 429 | not acted |
//! | 409, 5xx, anything else | unknown: the same key asks again |
//!
//! # What callers may add
//! | `additionalData` | of | means |
//! |---|---|---|
//! | `customerId` | authorization, sale | whose the payment method is, where the token does not say so |
//! | `paymentMethodType` | authorization, sale | `card`, `paypay` or `apple_pay`, instead of all that the account offers |
//! | `returnUrl` | authorization, sale | where the payer comes back to |
//! | `threeDSecure` | authorization, sale | `any` or `automatic` |
//! | `extendedAuthorization` | authorization | `if_available`, `must_extend` or `never` |
//! | `reference` | post-authorization | the flow that was made in a browser |
//! | `cancellationReason` | reversal | `duplicate`, `fraudulent`, `requested_by_customer` or `abandoned` |
//!
//! # Tokens
//! A payment method belongs to a customer: a token is `{customer}/{method}`, or `{customer}/` for the one that PAY.JP
//! has as the customer's default. Version 2 has no sign for payments that the merchant starts: a stored method is used
//! the same way whether the payer is there or not.

mod answer;
mod limits;
mod notice;
mod send;
mod tokens;

use std::time::Duration;

use serde::Deserialize;

use super::credential::{mode_of_key, tells_no_mode};
use super::wire::{Headers, bearer, get};
use super::{Account, Adapter, Check, Exchange, Member, Offer, TokenExchange};
use crate::merchant::GatewayMode;
use crate::payment::Reach;
use crate::ports::{HttpRequest, HttpResponse};

pub const PAYJP: Adapter = Adapter {
    name: "payjp",
    credential: &[
        Member {
            name: SECRET_KEY,
            is_required: true,
            fits: |text| is_name(text) && text.starts_with("sk_"),
            form: "a secret key, sk_test_… or sk_live_…",
            is_secret: true,
            mode: mode_of_key,
        },
        Member {
            name: REFUNDS,
            is_required: false,
            fits: |text| [PAYMENT_REFUNDS, PLAIN_REFUNDS].contains(&text),
            form: "payment_refunds (as PAY.JP's libraries have it) or refunds (as its pages print it)",
            is_secret: false,
            mode: tells_no_mode,
        },
    ],
    admits: limits::admits,
    send: Exchange { encode: send::encode, decode: answer::decode },
    look_up: Some((Reach::Named, Exchange { encode: send::encode_look_up, decode: answer::decode_look_up })),
    timeout_reversal: None,
    tokenize: Some(TokenExchange {
        admits: tokens::admits,
        prepare: Some(tokens::PREPARATION),
        encode: tokens::encode,
        decode: tokens::decode,
    }),
    notice: Some(notice::CODEC),
    judge: answer::judge,
    key_window: Some(KEY_WINDOW),
    multi_capture: false,
    verdict_within: VERDICT_WITHIN,
    rate,
    check: Some(Check { encode: encode_check, decode: decode_check }),
};

/// The only one.
const CURRENCY: &str = "JPY";

// Members of the credential.
const SECRET_KEY: &str = "secretKey";
const REFUNDS: &str = "refunds";

/// The two ways in which PAY.JP documents refunds: by its OpenAPI and libraries, and by its guide.
const PAYMENT_REFUNDS: &str = "payment_refunds";
const PLAIN_REFUNDS: &str = "refunds";

/// PAY.JP says for how long a key is to be used again by saying when: at once, after a timeout or an error. It does not
/// say how long it remembers one, so this counts on two hours, of which the last is not used.
const KEY_WINDOW: Duration = Duration::from_secs(2 * 60 * 60);

/// PAY.JP does not say how long a refund to `PayPay` takes, or a payer. To ask again costs one of fourteen requests a
/// second.
const VERDICT_WITHIN: Duration = Duration::from_secs(5 * 60);

/// What PAY.JP's guide to its limits grants a live account; in test mode no number is given.
fn rate(mode: GatewayMode) -> Option<u16> {
    match mode {
        GatewayMode::Live | GatewayMode::Connected => Some(14),
        GatewayMode::Test => None,
    }
}

/// Letters, digits, hyphens and underscores: what keys and ids of PAY.JP are made of.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn authorized(account: &Account<'_>) -> Headers {
    vec![bearer(account.credential.text(SECRET_KEY))]
}

fn authorized_under(account: &Account<'_>, key: String) -> Headers {
    vec![bearer(account.credential.text(SECRET_KEY)), ("idempotency-key", key)]
}

/// Whether the account's key is one of test mode: PAY.JP has one address for both.
fn is_test(account: &Account<'_>) -> bool {
    account.credential.text(SECRET_KEY).starts_with("sk_test_")
}

fn has_plain_refunds(account: &Account<'_>) -> bool {
    account.credential.text(REFUNDS) == PLAIN_REFUNDS
}

/// Where refunds are made and found.
fn refunds_path(account: &Account<'_>) -> &'static str {
    if has_plain_refunds(account) { "v2/refunds" } else { "v2/payment_refunds" }
}

/// The ways to pay that the account offers are at the same time what shows whether the key works.
fn encode_check(account: &Account<'_>) -> HttpRequest {
    get(account, "v2/payment_method_configurations", authorized(account))
}

#[derive(Deserialize)]
struct Configurations {
    data: Vec<Configuration>,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    active: bool,
    card: Option<Setting>,
    paypay: Option<Setting>,
    apple_pay: Option<Setting>,
}

#[derive(Deserialize)]
struct Setting {
    #[serde(default)]
    available: bool,
}

fn decode_check(response: &HttpResponse) -> Result<Vec<Offer>, String> {
    let found = match response.status {
        200 => serde_json::from_slice::<Configurations>(&response.body).ok(),
        401 => return Err("PAY.JP does not know this key".to_owned()),
        status => return Err(format!("PAY.JP answers {status}")),
    };
    let found = found.ok_or_else(|| "PAY.JP answers something else".to_owned())?;
    let mut offers = Vec::new();
    for Configuration { card, paypay, apple_pay, .. } in found.data.into_iter().filter(|found| found.active) {
        for (name, label, setting) in
            [("card", "Card", card), ("paypay", "PayPay", paypay), ("apple_pay", "Apple Pay", apple_pay)]
        {
            let offer = Offer { name: name.to_owned(), label: label.to_owned(), currency: Some(CURRENCY.to_owned()) };
            if setting.is_some_and(|setting| setting.available) && !offers.contains(&offer) {
                offers.push(offer);
            }
        }
    }
    Ok(offers)
}

#[cfg(test)]
mod tests;
