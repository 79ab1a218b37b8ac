//! How gateways sign: what comes from them, and what they want signed by us. Pure functions for their adapters.
//!
//! | gateway | where it stands | what it is |
//! |---|---|---|
//! | Adyen | `additionalData.hmacSignature` of each item | base 64 of the HMAC over eight fields |
//! | KOMOJU | `X-Komoju-Signature` | hexadecimal HMAC over the body |
//! | PAY.JP | `X-Payjp-Webhook-Token` | a token that is always the same |
//! | Stripe | `Stripe-Signature` | hexadecimal HMACs over time and body |
//! | Payeezy | `Authorization` of our requests | base 64 of the hexadecimal HMAC over credentials, nonce, time and body |
//!
//! All are HMAC-SHA-256. Whoever asks brings each secret that is live, of which there are two while one replaces
//! another. An empty one is none: anybody could sign with it. Each function names its source.

use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER, HEXUPPER_PERMISSIVE};
use zeroize::Zeroizing;

use crate::card::Secret;
use crate::mac::{Doubt, is_fresh, is_same, mac, seconds};
use crate::time::Timestamp;

/// What Adyen signs of a notification's item, as it is written there; what is missing is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdyenItem<'a> {
    pub psp_reference: &'a str,
    pub original_reference: &'a str,
    pub merchant_account_code: &'a str,
    pub merchant_reference: &'a str,
    /// In minor units, as digits.
    pub amount_value: &'a str,
    pub amount_currency: &'a str,
    pub event_code: &'a str,
    /// `true` or `false`.
    pub success: &'a str,
}

/// Adyen's signature of an item, under a key in hexadecimal digits of either case; none where the key is none.
///
/// The fields stand one after the other with colons between them, and nothing in them is escaped, though a reference
/// may hold a colon: so are the notifications that Adyen has signed. Source: "Verify HMAC signatures" of Adyen's
/// documentation, and notifications among the tests of its library for Python.
pub fn adyen(item: &AdyenItem<'_>, key: &Secret) -> Option<String> {
    let key = Zeroizing::new(HEXUPPER_PERMISSIVE.decode(key.reveal().as_bytes()).ok()?);
    let fields = [
        item.psp_reference,
        item.original_reference,
        item.merchant_account_code,
        item.merchant_reference,
        item.amount_value,
        item.amount_currency,
        item.event_code,
        item.success,
    ];
    (!key.is_empty()).then(|| BASE64.encode(&mac(&key, &[fields.join(":").as_bytes()])))
}

/// Whether Adyen signed this item with one of these keys.
pub fn is_from_adyen(item: &AdyenItem<'_>, signature: &str, keys: &[Secret]) -> bool {
    keys.iter().filter_map(|key| adyen(item, key)).any(|expected| is_same(signature, &expected))
}

/// KOMOJU's signature of a body, under the webhook's secret token as it is; none where that is empty.
///
/// Source: KOMOJU's own plug-ins for WooCommerce and Magento. Nothing that KOMOJU has signed is published.
pub fn komoju(body: &[u8], token: &Secret) -> Option<String> {
    let key = token.reveal().as_bytes();
    (!key.is_empty()).then(|| HEXLOWER.encode(&mac(key, &[body])))
}

/// Whether KOMOJU signed this body with one of these tokens.
pub fn is_from_komoju(body: &[u8], signature: &str, tokens: &[Secret]) -> bool {
    tokens.iter().filter_map(|token| komoju(body, token)).any(|expected| is_same(signature, &expected))
}

/// Whether this is one of PAY.JP's webhook tokens. It says nothing about the body that it came with, so amounts must
/// not be believed for its sake.
///
/// Source: the sample server of PAY.JP's samples for version 2.
pub fn is_from_payjp(token: &str, tokens: &[Secret]) -> bool {
    tokens.iter().any(|known| !known.reveal().is_empty() && is_same(token, known.reveal()))
}

/// Stripe's signature of a body at a time in seconds, written as its header has it: `t=…,v1=…`. The secret signs as it
/// is, with its prefix `whsec_`. None where it is empty.
///
/// Source: `WebhookSignature` of Stripe's library for Python.
pub fn stripe(timestamp_seconds: i64, body: &[u8], secret: &Secret) -> Option<String> {
    let timestamp = timestamp_seconds.to_string();
    stripe_v1(&timestamp, body, secret).map(|signature| format!("t={timestamp},v1={signature}"))
}

/// Whether Stripe signed this body with one of these secrets, by its header, at most so long ago (or ahead). There are
/// several signatures while Stripe's secret is replaced; those of other versions are passed over.
pub fn check_stripe(
    header: &str,
    body: &[u8],
    secrets: &[Secret],
    now: Timestamp,
    tolerance: Duration,
) -> Result<(), Doubt> {
    let members = || header.split(',').filter_map(|member| member.split_once('='));
    let mut times = members().filter(|(name, _)| *name == "t").map(|(_, time)| time);
    let (Some(time), None) = (times.next(), times.next()) else { return Err(Doubt::Forged) };
    let signed = seconds(time).ok_or(Doubt::Forged)?;
    let is_by = |secret: &Secret| {
        let expected = stripe_v1(time, body, secret);
        expected.is_some_and(|expected| members().any(|(name, given)| name == "v1" && is_same(given, &expected)))
    };
    match secrets.iter().any(is_by) {
        false => Err(Doubt::Forged),
        true if !is_fresh(signed, now, tolerance) => Err(Doubt::Stale),
        true => Ok(()),
    }
}

fn stripe_v1(timestamp: &str, body: &[u8], secret: &Secret) -> Option<String> {
    let key = secret.reveal().as_bytes();
    (!key.is_empty()).then(|| HEXLOWER.encode(&mac(key, &[timestamp.as_bytes(), b".", body])))
}

/// What Payeezy wants signed of a request.
#[derive(Clone, Copy)]
pub struct PayeezyRequest<'a> {
    pub api_key: &'a str,
    /// Digits that no other request has.
    pub nonce: &'a str,
    /// In milliseconds since 1970, as digits.
    pub timestamp_ms: &'a str,
    pub token: &'a str,
    /// The bytes that are sent.
    pub payload: &'a [u8],
}

/// The header `Authorization` of a request to Payeezy: base 64 of the code's 64 hexadecimal digits, not of its bytes.
///
/// Source: Payeezy's own libraries for Node, PHP and Java.
pub fn payeezy(request: &PayeezyRequest<'_>, api_secret: &Secret) -> String {
    let PayeezyRequest { api_key, nonce, timestamp_ms, token, payload } = *request;
    let parts = [api_key.as_bytes(), nonce.as_bytes(), timestamp_ms.as_bytes(), token.as_bytes(), payload];
    BASE64.encode(HEXLOWER.encode(&mac(api_secret.reveal().as_bytes(), &parts)).as_bytes())
}

#[cfg(test)]
mod tests;
