//! The trace of what must not rest.
//!
//! Two requests are the same when all that is stored of them is the same ([`Asked`](crate::payment::Asked))
//! and so is the keyed hash of the rest: the card number, a token, the address. The key never lies
//! beside the items, so that nobody who reads them can try card numbers against a hash. The CVV is
//! left out: it must leave no trace at all.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::payment::Instrument;
use crate::payment::asked::Address;

/// The key of the hash.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct FingerprintKey([u8; 32]);

impl FingerprintKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("FingerprintKey(***)")
    }
}

/// The first 16 bytes of the keyed hash.
#[derive(Clone, Copy)]
pub struct Fingerprint(pub [u8; 16]);

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Fingerprint {}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Fingerprint(***)")
    }
}

impl Fingerprint {
    /// None for an instrument that is stored whole.
    pub fn of(instrument: &Instrument, key: &FingerprintKey) -> Option<Self> {
        let mut hash = Hasher::new(key);
        match instrument {
            Instrument::Stored(_) => return None,
            Instrument::Card { card, address } => {
                hash.text(Some("card"));
                hash.text(Some(card.number.reveal()));
                hash.text(card.holder.as_deref());
                hash.address(address);
            }
            Instrument::Alternative { token, token_details, .. } => {
                hash.text(Some("alternative"));
                hash.text(Some(token.reveal()));
                hash.text(token_details.as_deref());
            }
        }
        Some(hash.finish())
    }
}

struct Hasher(Hmac<Sha256>);

impl Hasher {
    fn new(key: &FingerprintKey) -> Self {
        // HMAC pads a short key with zeros to the hash's block of 64 bytes.
        let mut block = [0; 64];
        block[..key.0.len()].copy_from_slice(&key.0);
        let hasher = Self(Hmac::new(&block.into()));
        block.zeroize();
        hasher
    }

    /// Each text with its length, an absent one marked: no two lists of texts look alike.
    fn text(&mut self, text: Option<&str>) {
        let length = text.map_or(u64::MAX, |text| text.len() as u64);
        self.0.update(&length.to_be_bytes());
        self.0.update(text.unwrap_or_default().as_bytes());
    }

    fn address(&mut self, address: &Address) {
        let Address { street, city, state, country, postal_code, company_name } = address;
        for part in [street, city, state, country, postal_code, company_name] {
            self.text(part.as_deref());
        }
    }

    fn finish(self) -> Fingerprint {
        let bytes: [u8; 32] = self.0.finalize().into_bytes().into();
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&bytes[..16]);
        Fingerprint(fingerprint)
    }
}
