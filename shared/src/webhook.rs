//! How a merchant knows that a delivery is ours: [Standard Webhooks](https://www.standardwebhooks.com), its symmetric
//! scheme.
//!
//! Three headers go with each delivery: its id, the second at which it was sent, and signatures over both and the body,
//! one for each secret. While one secret replaces another there are two, the newest first, so that a merchant may
//! change to the new one whenever it likes within that time. An id without dots, as ours are, cannot be taken for a
//! part of what follows it.

use std::time::Duration;

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::card::Secret;
use crate::mac::{Doubt, is_fresh, is_same, mac, seconds};
use crate::time::Timestamp;

/// The header that names the event: the same whenever it is delivered again.
pub const ID: &str = "webhook-id";

/// The header with the time of this attempt, in seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";

/// The header with the signatures.
pub const SIGNATURE: &str = "webhook-signature";

/// What a secret begins with; the rest is its key in base 64.
pub const SECRET_PREFIX: &str = "whsec_";

/// How far the time of an attempt may be from the receiver's: what the scheme's own libraries allow.
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// What each signature begins with: the version of the scheme.
const VERSION: &str = "v1,";

/// The value of the header [`SIGNATURE`], under each of the secrets in their order. None where there is none, or one is
/// not as we make them: a delivery that some cannot check is not sent.
pub fn sign(id: &str, timestamp_seconds: i64, body: &[u8], secrets: &[Secret]) -> Option<String> {
    let timestamp = timestamp_seconds.to_string();
    let signatures: Option<Vec<_>> = secrets.iter().map(|secret| signature(id, &timestamp, body, secret)).collect();
    signatures.filter(|signatures| !signatures.is_empty()).map(|signatures| signatures.join(" "))
}

/// The headers of a delivery as they arrived.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    pub id: &'a str,
    pub timestamp: &'a str,
    pub signature: &'a str,
}

/// Whether one of the secrets has signed this within [`TOLERANCE`] of now. Signatures of other versions are passed over.
pub fn verify(headers: Headers<'_>, body: &[u8], secrets: &[Secret], now: Timestamp) -> Result<(), Doubt> {
    let Headers { id, timestamp, signature: given } = headers;
    let signed = seconds(timestamp).ok_or(Doubt::Forged)?;
    let is_by = |secret: &Secret| {
        let expected = signature(id, timestamp, body, secret);
        expected.is_some_and(|expected| given.split(' ').any(|given| is_same(given, &expected)))
    };
    match secrets.iter().any(is_by) {
        false => Err(Doubt::Forged),
        true if !is_fresh(signed, now, TOLERANCE) => Err(Doubt::Stale),
        true => Ok(()),
    }
}

/// One signature with its version; none where the secret is not one of ours.
fn signature(id: &str, timestamp: &str, body: &[u8], secret: &Secret) -> Option<String> {
    let key = secret.reveal().strip_prefix(SECRET_PREFIX)?;
    let key = Zeroizing::new(BASE64.decode(key.as_bytes()).ok()?);
    // Anybody can sign with no key.
    let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    (!key.is_empty()).then(|| format!("{VERSION}{}", BASE64.encode(&mac(&key, &parts))))
}

#[cfg(test)]
mod tests;
