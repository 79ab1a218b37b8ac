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

use crate::card::Secret;
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
        match instrument {
            Instrument::Stored(_) => None,
            Instrument::Card { card, address } => {
                let mut hash = Hasher::new(key);
                hash.text(Some("card"));
                hash.text(Some(card.number.reveal()));
                hash.text(card.holder.as_deref());
                hash.address(address);
                Some(hash.finish())
            }
            Instrument::Bank { account, address } => {
                let mut hash = Hasher::new(key);
                hash.text(Some("bank"));
                hash.text(Some(account.number.reveal()));
                hash.text(account.holder.as_deref());
                hash.address(address);
                Some(hash.finish())
            }
            Instrument::Alternative { token, token_details, address, .. } => {
                let mut hash = Hasher::new(key);
                hash.text(Some("alternative"));
                hash.text(Some(token.reveal()));
                hash.text(token_details.as_ref().map(Secret::reveal));
                hash.address(address);
                Some(hash.finish())
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::tests::fixtures::{card_of, raw_card, stored_method};

    const NUMBER: &str = "4242424242424242";

    fn of(instrument: &Instrument) -> Option<[u8; 16]> {
        Fingerprint::of(instrument, &FingerprintKey::new([7; 32])).map(|fingerprint| fingerprint.0)
    }

    fn at(change: impl FnOnce(&mut Address)) -> Instrument {
        let mut address = Address::default();
        change(&mut address);
        card_of(NUMBER, "123", address)
    }

    fn held_by(holder: Option<&str>) -> Instrument {
        let mut instrument = raw_card();
        if let Instrument::Card { card, .. } = &mut instrument {
            card.holder = holder.map(str::to_owned);
        }
        instrument
    }

    fn token(token: &str, token_details: Option<&str>) -> Instrument {
        let secret = |text: &str| Secret::new(text.to_owned());
        let (token, token_details) = (secret(token), token_details.map(secret));
        Instrument::Alternative { token, token_details, name: None, email: None, address: Address::default() }
    }

    fn token_at(street: &str) -> Instrument {
        let mut instrument = token("tok_1", None);
        if let Instrument::Alternative { address, .. } = &mut instrument {
            address.street = Some(street.to_owned());
        }
        instrument
    }

    #[test]
    fn whatever_must_not_rest_and_matters_makes_a_difference() {
        let text = || Some("x".to_owned());
        let all = [
            raw_card(),
            card_of("4000000000000002", "123", Address::default()),
            held_by(None),
            held_by(Some("")),
            at(|address| address.street = text()),
            at(|address| address.city = text()),
            at(|address| address.state = text()),
            at(|address| address.country = text()),
            at(|address| address.postal_code = text()),
            at(|address| address.company_name = text()),
            at(|address| address.street = Some(String::new())),
            token("tok_1", None),
            token("tok_2", None),
            token("tok_1", Some("")),
            token("tok_1", Some("x")),
            token(NUMBER, Some("Carol Smith")),
            token_at("x"),
        ];
        let fingerprints: Vec<_> = all.iter().map(|instrument| of(instrument).expect("a fingerprint")).collect();
        for (place, fingerprint) in fingerprints.iter().enumerate() {
            let same = fingerprints.iter().position(|other| other == fingerprint);
            assert_eq!(same, Some(place), "two of them look alike");
        }
    }

    #[test]
    fn the_cvv_leaves_no_trace() {
        let [with, other, without] = ["123", "999", ""].map(|cvv| of(&card_of(NUMBER, cvv, Address::default())));
        assert!(with.is_some() && with == other && with == without);
    }

    #[test]
    fn what_is_stored_whole_needs_none() {
        assert_eq!(of(&stored_method()), None);
    }

    #[test]
    fn without_the_key_it_cannot_be_made() {
        let under = |key| Fingerprint::of(&raw_card(), &FingerprintKey::new([key; 32]));
        assert_eq!(under(7), under(7));
        assert_ne!(under(7), under(8));
    }

    #[test]
    fn it_is_the_hmac_that_others_would_compute() {
        // HMAC-SHA-256 over each text behind its length in eight bytes, all ones for an absent one.
        let expected = 0x64bf48c2_70d6b0c9_85ab65dc_9623b24e_u128.to_be_bytes();
        assert_eq!(of(&token("tok_1", None)), Some(expected));
    }

    #[test]
    fn neither_it_nor_its_key_prints() {
        let fingerprint = Fingerprint([7; 16]);
        assert_eq!(
            format!("{fingerprint:?} {:?}", FingerprintKey::new([7; 32])),
            "Fingerprint(***) FingerprintKey(***)"
        );
    }
}
