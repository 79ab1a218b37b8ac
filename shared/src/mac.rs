//! Who holds a secret can prove it: HMAC-SHA-256, compared in constant time.
//!
//! What deliveries are signed with ([`webhook`](crate::webhook)) and what gateways sign with
//! ([`signatures`](crate::gateways::signatures)) is this, written down in one way or another.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::time::Timestamp;

/// Why what came with a signature is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Nobody who holds one of the secrets has signed this, or it cannot be read as signed.
    Forged,
    /// It is genuine and too old, or from too far ahead: somebody may be sending again what was sent before.
    Stale,
}

/// The code of all parts, one after the other. Whoever has parts that may grow into each other puts something between
/// them.
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // As HMAC has it (RFC 2104): a key is padded with zeros to the hash's block, and hashed where it is longer.
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut hash = Hmac::<Sha256>::new(&block.into());
    block.zeroize();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into_bytes().into()
}

/// Whether two texts are the same, in a time that tells only whether they are of one length.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Reads seconds since 1970 as they are signed: digits, and nothing else.
pub(crate) fn seconds(text: &str) -> Option<Timestamp> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: i64 = is_number.then(|| text.parse().ok()).flatten()?;
    Some(Timestamp::from_millis(seconds.checked_mul(1000)?))
}

/// Whether something signed at that time is to be taken now. Clocks differ either way.
pub(crate) fn is_fresh(signed: Timestamp, now: Timestamp, tolerance: Duration) -> bool {
    now.since(signed).max(signed.since(now)) <= tolerance
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    /// Test cases 1, 2, 3 and 6 of RFC 4231: keys shorter than a block, and one that is longer.
    #[test]
    fn it_is_the_hmac_of_the_rfc() {
        let rows: [(&[u8], &[u8], &str); 4] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, message, expected) in rows {
            assert_eq!(HEXLOWER.encode(&mac(key, &[message])), expected);
            let (begin, end) = message.split_at(3);
            assert_eq!(HEXLOWER.encode(&mac(key, &[begin, end])), expected, "in parts");
        }
    }

    #[test]
    fn seconds_are_digits_and_nothing_else() {
        let rows = [("0", Some(0)), ("1700000000", Some(1_700_000_000_000)), ("00", Some(0))];
        for (text, millis) in rows {
            assert_eq!(seconds(text), millis.map(Timestamp::from_millis), "{text}");
        }
        for text in ["", "+1", "-1", " 1", "1 ", "1.0", "1e3", "٣", "9223372036854775807", "99999999999999999999"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_signed_is_fresh_up_to_the_tolerance_before_and_after() {
        let (now, tolerance) = (Timestamp::from_millis(1_700_000_000_000), Duration::from_secs(300));
        let rows = [(0, true), (300_000, true), (300_001, false), (-300_000, true), (-300_001, false)];
        for (ahead, fresh) in rows {
            let signed = Timestamp::from_millis(now.as_millis() + ahead);
            assert_eq!(is_fresh(signed, now, tolerance), fresh, "{ahead}");
        }
        let rows = [Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX)];
        assert!(rows.iter().all(|signed| !is_fresh(*signed, now, tolerance)));
    }
}
