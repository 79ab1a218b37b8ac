//! What the gateway tells unasked: the body of its answer as it would be now, and a signature.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::answer::{of_operation, written};
use super::record::Operation;

/// A notice on its way to the merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub body: String,
    /// HMAC-SHA-256 of the body under the merchant's secret, in lower-case hexadecimal digits.
    pub signature: String,
}

/// Tells what has become of an operation by `now_ms`.
#[must_use]
pub fn notice(operation: &Operation, secret: &str, now_ms: i64) -> Notice {
    let body = written(&of_operation(operation, operation.outcome.at(now_ms)));
    // HMAC takes a key of any length.
    let signature = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut hash| {
        hash.update(body.as_bytes());
        HEXLOWER.encode(&hash.finalize().into_bytes())
    });
    Notice { body, signature: signature.unwrap_or_default() }
}
