//! Adyen, in two dialects: [`CHECKOUT`] speaks Checkout v71, [`CLASSIC`] the older Payment API, v52 to v68. The version
//! stands in the account's base URL: `https://checkout-test.adyen.com/v71`, `https://pal-test.adyen.com/pal/servlet/Payment/v68`.
//!
//! What opens a payment is answered at once. A capture, a cancellation and a refund are only received: the verdict comes
//! as a [notice](notice), which bears the reference that was sent with them. Nobody can be asked for it. An answer that is
//! lost is found by its `Idempotency-Key`, under which Adyen repeats its first answer for at least 31 days.
//!
//! | answer | means |
//! |---|---|
//! | 200 to what opens a payment | what `resultCode` says; a refusal is a 200 too |
//! | 200 (classic), 201 (Checkout) to a modification | received |
//! | 400, 401, 403, 422 with an error code; 500 with error code 905 | refused, not acted |
//! | error code 704, anything else | unknown |
//!
//! Callers may say in `additionalData`:
//!
//! | member | what it is |
//! |---|---|
//! | `returnUrl` | where the payer comes back to (Checkout) |
//! | `shopperReference` | whose stored method it is, where it was not stored by us |
//! | `recurringProcessingModel` | `CardOnFile`, `Subscription` or `UnscheduledCardOnFile` |
//!
//! Sources: Adyen's OpenAPI documents of Checkout v71 and Payment v52 and v68, and its documentation, where nothing else
//! is said.

mod admits;
mod amount;
mod answer;
mod check;
mod checkout;
mod classic;
mod modification;
mod notice;
mod payer;
mod refusal;
mod tokens;

use std::time::Duration;

use super::credential::tells_no_mode;
use super::{Account, Adapter, Exchange, Member};
use crate::gateways::wire::Headers;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Checkout v71.
pub const CHECKOUT: Adapter = Adapter {
    name: "adyen",
    credential: &[API_KEY, MERCHANT_ACCOUNT, RETURN_URL],
    admits: admits::checkout,
    send: Exchange { encode: checkout::encode, decode: answer::checkout },
    look_up: None,
    timeout_reversal: None,
    tokenize: Some(tokens::CHECKOUT),
    notice: Some(notice::CODEC),
    judge: refusal::judge,
    key_window: Some(DAY.saturating_mul(31)),
    // Several captures of one payment must be switched on at Adyen. Where they are not, it refuses the second by a notice.
    multi_capture: true,
    // Nothing is documented; what is sent to a bank on a Friday is heard of on Monday.
    verdict_within: DAY.saturating_mul(3),
    rate: |_| None,
    check: Some(check::CHECKOUT),
};

/// The Payment API, v52 to v68.
pub const CLASSIC: Adapter = Adapter {
    name: "adyen-classic",
    credential: &[API_KEY, MERCHANT_ACCOUNT, TOKEN_CURRENCY],
    admits: admits::classic,
    send: Exchange { encode: classic::encode, decode: answer::classic },
    tokenize: Some(tokens::CLASSIC),
    check: Some(check::CLASSIC),
    ..CHECKOUT
};

const API_KEY: Member = Member {
    name: "apiKey",
    is_required: true,
    fits: |text| text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_graphic()),
    form: "an API key of Adyen: 16 or more characters without spaces",
    is_secret: true,
    mode: tells_no_mode,
};

const MERCHANT_ACCOUNT: Member = Member {
    name: "merchantAccount",
    is_required: true,
    fits: |text| (1..=80).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()),
    form: "the name of a merchant account, without spaces",
    is_secret: false,
    mode: tells_no_mode,
};

/// Where payers come back to, where a request does not say so.
const RETURN_URL: Member = Member {
    name: "returnUrl",
    is_required: false,
    fits: admits::is_return_url,
    form: "a URL with its scheme",
    is_secret: false,
    mode: tells_no_mode,
};

/// A card is stored by an authorization of nothing, which wants a currency nevertheless.
const TOKEN_CURRENCY: Member = Member {
    name: "tokenCurrency",
    is_required: false,
    fits: |text| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
    form: "a currency in which the account takes cards, such as EUR",
    is_secret: false,
    mode: tells_no_mode,
};

fn headers(account: &Account<'_>, key: Option<&str>) -> Headers {
    let known_by = ("x-api-key", account.credential.text(API_KEY.name).to_owned());
    let key = key.map(|key| ("idempotency-key", key.to_owned()));
    [known_by].into_iter().chain(key).collect()
}

fn merchant_account<'a>(account: &Account<'a>) -> &'a str {
    account.credential.text(MERCHANT_ACCOUNT.name)
}

#[cfg(test)]
mod tests;
