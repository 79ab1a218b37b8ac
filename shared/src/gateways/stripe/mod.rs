//! Stripe, version 1 of its API: PaymentIntents, refunds, disputes.
//!
//! Forms go out with a key that Stripe honours for a day, JSON comes back. Every operation bears our name as
//! `metadata[reference]`; a capture gives the intent its own, so that what Stripe tells afterwards is told of the operation
//! that took the money. `base_url` is `https://api.stripe.com`.
//!
//! | operation | request |
//! |---|---|
//! | authorize, sale | `POST /v1/payment_intents`, confirmed at once, `capture_method` `manual` or `automatic` |
//! | post-authorize | `GET /v1/payment_intents/{additionalData.reference}`, which a browser has confirmed |
//! | capture | `POST /v1/payment_intents/{id}/capture`, once |
//! | reverse | `POST /v1/payment_intents/{id}/cancel`, of the whole hold |
//! | refund | `POST /v1/refunds` |
//! | tokenize | `POST /v1/payment_methods`, then `POST /v1/customers` with it, or `POST /v1/setup_intents` for `additionalData.customerId` |
//!
//! | `additionalData` | means |
//! |---|---|
//! | `returnUrl` | where the payer comes back to after 3-D Secure; without it what would need that is declined, a payment or a card to keep |
//! | `customerId` | the customer at Stripe that a payment or a new method belongs to |
//! | `reference` | of a post-authorization: the PaymentIntent |
//!
//! A token is `{customer}/{payment method}`, which a later charge needs both; one that a merchant brings may be the payment
//! method alone. Sources: Stripe's API reference and the shapes in its library for Python, 16.1.0.

mod answer;
mod notice;
mod send;
mod setup;
mod tokens;

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::credential::{mode_of_key, tells_no_mode};
use super::wire::{bearer, get, in_units};
use super::{Account, Adapter, Check, Exchange, Intent, Member, Offer};
use crate::merchant::GatewayMode;
use crate::money::{Currency, Money};
use crate::payment::{Instrument, Kind, Reach};
use crate::ports::{HttpRequest, HttpResponse};
use crate::rejection::Rejection;

/// Stripe.
pub const STRIPE: Adapter = Adapter {
    name: "stripe",
    credential: CREDENTIAL,
    admits,
    send: Exchange { encode: send::encode, decode: answer::decode },
    // It can be searched by our reference too, but documents that what was made just now may not be found for an hour.
    look_up: Some((Reach::Named, Exchange { encode: send::encode_look_up, decode: answer::decode_look_up })),
    timeout_reversal: None,
    tokenize: Some(tokens::EXCHANGE),
    notice: Some(notice::CODEC),
    judge: answer::judge,
    // Its documentation: keys may be removed once they are at least 24 hours old.
    key_window: Some(DAY),
    // Documented for accounts with special prices only.
    multi_capture: false,
    // A card's verdict takes seconds; a refund waits for a balance, of which notices tell.
    verdict_within: DAY,
    rate,
    check: Some(Check { encode: encode_check, decode: decode_check }),
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Members of the credential.
const SECRET_KEY: &str = "secretKey";
const API_VERSION: &str = "apiVersion";
const DIALECT: &str = "dialect";

const CREDENTIAL: &[Member] = &[
    Member {
        name: SECRET_KEY,
        is_required: true,
        fits: |text| {
            let rest = text.strip_prefix("sk_").or_else(|| text.strip_prefix("rk_"));
            rest.is_some_and(|rest| {
                rest.len() > 2 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            })
        },
        form: "a secret or restricted key: sk_… or rk_…",
        is_secret: true,
        // "API keys": sk_test_ and rk_test_ in a sandbox, sk_live_ and rk_live_ in live mode.
        mode: mode_of_key,
    },
    Member {
        name: API_VERSION,
        is_required: false,
        fits: is_version,
        form: "a version: 2024-06-20 or 2026-10-28.endive",
        is_secret: false,
        mode: tells_no_mode,
    },
    // Leaves out what the server localstripe does not know: the metadata of captures, reasons, what a payer who is absent
    // cannot do, and SetupIntents, which it does not confirm as it makes them.
    Member {
        name: DIALECT,
        is_required: false,
        fits: |text| text == "localstripe",
        form: "localstripe, or nothing",
        is_secret: false,
        mode: tells_no_mode,
    },
];

/// Members of `additionalData`.
const REFERENCE: &str = "reference";
const CUSTOMER: &str = "customerId";
const RETURN_URL: &str = "returnUrl";

/// A date, and since 2024 the name of a release after it.
fn is_version(text: &str) -> bool {
    let (date, release) = text.split_once('.').unwrap_or((text, "acacia"));
    let is_date = date.len() == 10
        && date.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_date && !release.is_empty() && release.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Stripe counts these in other units than ISO 4217 does ("Supported currencies", special cases).
const UNITS: [(&str, u32); 2] = [("ISK", 2), ("MGA", 0)];

/// Its documentation has this currency both without decimals and with two.
const AMBIGUOUS: &str = "UGX";

/// The longest amount of any currency has twelve digits (rupiah); where less is too much, Stripe says so.
const MOST_UNITS: i64 = 999_999_999_999;

fn decimals(currency: Currency) -> u32 {
    let special = UNITS.iter().find(|(code, _)| *code == currency.code());
    special.map_or(currency.exponent(), |(_, decimals)| *decimals)
}

/// An amount as Stripe counts it; none where that is not exact.
fn units(amount: Money) -> Option<i64> {
    in_units(amount, decimals(amount.currency))
}

/// What Stripe says, as we count it; none where that cannot be counted.
fn money(units: i64, currency: &str) -> Option<Money> {
    let known = Currency::parse(&currency.to_ascii_uppercase())?;
    let minor = minor(units, currency)?;
    let money = Money::new(minor, known);
    // Less than our smallest unit is no amount of ours.
    (self::units(money) == Some(units)).then_some(money)
}

/// What Stripe says, in our minor units.
fn minor(units: i64, currency: &str) -> Option<i64> {
    let currency = Currency::parse(&currency.to_ascii_uppercase())?;
    let (ours, theirs) = (currency.exponent(), decimals(currency));
    let unit = 10_i64.checked_pow(ours.abs_diff(theirs))?;
    if ours >= theirs { units.checked_mul(unit) } else { units.checked_div(unit) }
}

fn admits(intent: &Intent<'_>, _: &Account<'_>) -> Result<(), Rejection> {
    amount_fits(intent.amount)?;
    match intent.kind {
        Kind::Authorize | Kind::Sale => instrument_fits(intent.instrument),
        Kind::PostAuthorize => match intent.details.additional_data.get(REFERENCE).is_some_and(|id| is_id(id)) {
            true => Ok(()),
            false => refuse("additionalData.reference", "must be the id of a PaymentIntent: pi_…"),
        },
        Kind::Capture { .. } | Kind::Refund { .. } => target_amount(intent).map(drop),
        Kind::Reverse { .. } => match target_amount(intent)? == intent.amount {
            true => Ok(()),
            false => refuse("amount", "the gateway releases a hold as a whole only, and none of which a part is taken"),
        },
    }
}

fn refuse(member: &'static str, limit: &'static str) -> Result<(), Rejection> {
    Err(Rejection::NotAtGateway { member, limit })
}

fn target_amount(intent: &Intent<'_>) -> Result<Money, Rejection> {
    let nameless = Rejection::NotAtGateway { member: "path", limit: "the gateway has no name for what this refers to" };
    intent.target.map(|target| target.amount).ok_or(nameless)
}

fn amount_fits(amount: Money) -> Result<(), Rejection> {
    if amount.currency.code() == AMBIGUOUS {
        return refuse("currencyIsoCode", "the gateway documents two units for this currency");
    }
    let Some(units) = units(amount) else {
        return refuse("amount", "the gateway takes no decimals in this currency");
    };
    if decimals(amount.currency) == 3 && units.rem_euclid(10) != 0 {
        return refuse("amount", "the gateway takes a third decimal of 0 only");
    }
    if !(1..=MOST_UNITS).contains(&units) {
        return refuse("amount", "the gateway takes at most twelve digits");
    }
    Ok(())
}

fn instrument_fits(instrument: Option<&Instrument>) -> Result<(), Rejection> {
    match instrument {
        Some(Instrument::Bank { .. }) => {
            refuse("paymentMethod", "the gateway takes bank accounts as stored methods only")
        }
        Some(Instrument::Card { .. } | Instrument::Stored(_) | Instrument::Alternative { .. }) | None => Ok(()),
    }
}

/// Whether it can be an id of Stripe's. Prefixes are not looked at.
fn is_id(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Who asks, and in which version.
fn headers(account: &Account<'_>, key: Option<&str>) -> Vec<(&'static str, String)> {
    let version = Some(account.credential.text(API_VERSION)).filter(|version| !version.is_empty());
    let some = [version.map(|version| ("stripe-version", version)), key.map(|key| ("idempotency-key", key))];
    let some = some.into_iter().flatten().map(|(name, text)| (name, text.to_owned()));
    [bearer(account.credential.text(SECRET_KEY))].into_iter().chain(some).collect()
}

/// Whether all of Stripe is there, or only what localstripe knows of it.
fn is_whole(account: &Account<'_>) -> bool {
    account.credential.text(DIALECT).is_empty()
}

/// "Rate limits" of Stripe's documentation.
fn rate(mode: GatewayMode) -> Option<u16> {
    match mode {
        GatewayMode::Live | GatewayMode::Connected => Some(100),
        GatewayMode::Test => Some(25),
    }
}

#[derive(Deserialize)]
struct BalanceBody {
    #[serde(rename = "available")]
    _available: IgnoredAny,
}

fn encode_check(account: &Account<'_>) -> HttpRequest {
    get(account, "v1/balance", headers(account, None))
}

fn decode_check(response: &HttpResponse) -> Result<Vec<Offer>, String> {
    match response.status {
        200 => match serde_json::from_slice::<BalanceBody>(&response.body) {
            Ok(BalanceBody { .. }) => Ok(Vec::new()),
            Err(_) => Err("what answers there is not Stripe".to_owned()),
        },
        401 => Err("Stripe does not know the key".to_owned()),
        403 => Err("the key may not read the balance".to_owned()),
        status => Err(format!("Stripe answered with HTTP {status}")),
    }
}

#[cfg(test)]
mod tests;
