//! Sealing: what must rest and must not be readable where it rests, such as gateways' tokens.
//!
//! AES-256-GCM under one of a few keys, of which the newest seals and all open. What is sealed is bound to its place,
//! by the cipher's associated data: copied to another merchant or method it does not open. The keys never lie beside the
//! items. One that is lost is a fault, never an empty token.

use std::error::Error;
use std::fmt;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use data_encoding::HEXLOWER_PERMISSIVE;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::card::Secret;

/// Bytes of a nonce. Random ones of this size must not be used for more than 2^32 messages of a key (NIST SP 800-38D,
/// 8.3): four billion stored methods between two rotations.
const NONCE: usize = 12;

/// Bytes of the tag behind what is sealed.
const TAG: usize = 16;

/// Keys at once, at most: rotations that nobody cleaned up after.
const MOST_KEYS: usize = 16;

/// Characters of a key's id, at most.
const LONGEST_ID: usize = 16;

/// Which key something is sealed under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId(String);

impl KeyId {
    /// Takes 1 to 16 of `A-Z a-z 0-9 _ -`.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        ((1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(fits)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key of the cipher.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Key([u8; 32]);

/// The keys that there are, the newest first.
pub struct SealingKeys(Vec<(KeyId, Key)>);

impl fmt::Debug for SealingKeys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SealingKeys(***)")
    }
}

/// What is sealed: the nonce, the ciphertext and its tag.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    pub key: KeyId,
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Sealed({})", self.key.as_str())
    }
}

/// The one place where something may be opened, as parts that no two places share.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a>(pub &'a [&'a str]);

/// Why something does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealFault {
    /// Its key is not among those that there are.
    UnknownKey(KeyId),
    /// It was sealed for another place, or is not what was sealed.
    Broken,
}

impl fmt::Display for SealFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey(key) => write!(out, "it is sealed under the key {:?}, which is not there", key.as_str()),
            Self::Broken => out.write_str("it was sealed for another place, or changed since"),
        }
    }
}

impl Error for SealFault {}

impl SealingKeys {
    /// Reads `id:64 hexadecimal digits`, several separated by commas or white space, the newest first.
    pub fn parse(text: &str) -> Option<Self> {
        let mut keys: Vec<(KeyId, Key)> = Vec::with_capacity(MOST_KEYS);
        let separates = |character: char| character == ',' || character.is_ascii_whitespace();
        for entry in text.split(separates).filter(|entry| !entry.is_empty()) {
            let (id, hex) = entry.split_once(':')?;
            let (id, key) = (KeyId::parse(id)?, read_key(hex)?);
            if keys.len() == MOST_KEYS || keys.iter().any(|(known, _)| *known == id) {
                return None;
            }
            keys.push((id, key));
        }
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// Seals it for this place, with twelve of these random bytes.
    pub fn seal(&self, place: Place<'_>, secret: &Secret, random: [u8; 16]) -> Result<Sealed, SealFault> {
        let (id, key) = self.0.first().ok_or(SealFault::Broken)?;
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&random[..NONCE]);
        let text = secret.reveal().as_bytes();
        // As long as it may get from the start, so that no copy is left behind.
        let mut sealed = Zeroizing::new(Vec::with_capacity(text.len() + TAG));
        sealed.extend_from_slice(text);
        let done = key.cipher().encrypt_in_place(&nonce.into(), &place.bytes(), &mut *sealed);
        done.map_err(|_| SealFault::Broken)?;
        Ok(Sealed { key: id.clone(), bytes: [&nonce[..], &sealed].concat() })
    }

    /// Opens what was sealed for this place.
    pub fn open(&self, place: Place<'_>, sealed: &Sealed) -> Result<Secret, SealFault> {
        let known = self.0.iter().find(|(id, _)| *id == sealed.key);
        let (_, key) = known.ok_or_else(|| SealFault::UnknownKey(sealed.key.clone()))?;
        let (nonce, rest) = sealed.bytes.split_first_chunk::<NONCE>().ok_or(SealFault::Broken)?;
        let mut opened = Zeroizing::new(rest.to_vec());
        let done = key.cipher().decrypt_in_place(&(*nonce).into(), &place.bytes(), &mut *opened);
        done.map_err(|_| SealFault::Broken)?;
        let text = std::mem::take(&mut *opened);
        String::from_utf8(text).map(Secret::new).map_err(|_| SealFault::Broken)
    }

    /// Whether it is sealed under the newest key.
    pub fn is_current(&self, sealed: &Sealed) -> bool {
        self.0.first().is_some_and(|(newest, _)| *newest == sealed.key)
    }
}

impl Key {
    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.0.into())
    }
}

impl Place<'_> {
    /// Each part with its length: no two lists of parts look alike.
    fn bytes(self) -> Vec<u8> {
        let part = |part: &&str| [&(part.len() as u64).to_be_bytes()[..], part.as_bytes()].concat();
        self.0.iter().flat_map(part).collect()
    }
}

fn read_key(hex: &str) -> Option<Key> {
    let bytes = Zeroizing::new(HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?);
    let mut key = Key([0; 32]);
    (bytes.len() == key.0.len()).then(|| key.0.copy_from_slice(&bytes))?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place(&["token", "00D000000000001", "03O000000000001"]);

    fn keys(ids: &[&str]) -> SealingKeys {
        let entry =
            |id: &&str| format!("{id}:{}", id.as_bytes()[0].to_string().repeat(40).get(..64).unwrap_or_default());
        SealingKeys::parse(&ids.iter().map(entry).collect::<Vec<_>>().join(",")).expect("keys")
    }

    fn sealed_under(ids: &[&str]) -> Sealed {
        keys(ids).seal(HERE, &Secret::new("tok_1".to_owned()), [7; 16]).expect("sealed")
    }

    fn opened(keys: &SealingKeys, place: Place<'_>, sealed: &Sealed) -> Result<String, SealFault> {
        keys.open(place, sealed).map(|secret| secret.reveal().to_owned())
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_and_nowhere_else() {
        let (keys, sealed) = (keys(&["a"]), sealed_under(&["a"]));
        assert_eq!(opened(&keys, HERE, &sealed), Ok("tok_1".to_owned()));
        let elsewhere: [&[&str]; 5] = [
            &["token", "00D000000000002", "03O000000000001"],
            &["token", "00D000000000001", "03O000000000002"],
            &["secret", "00D000000000001", "03O000000000001"],
            &["token", "00D00000000000103O000000000001"],
            &[],
        ];
        for place in elsewhere {
            assert_eq!(opened(&keys, Place(place), &sealed), Err(SealFault::Broken), "{place:?}");
        }
    }

    #[test]
    fn whatever_is_changed_does_not_open() {
        let (keys, sealed) = (keys(&["a"]), sealed_under(&["a"]));
        for place in 0..sealed.bytes.len() {
            let mut changed = sealed.clone();
            changed.bytes[place] ^= 1;
            assert_eq!(opened(&keys, HERE, &changed), Err(SealFault::Broken), "byte {place}");
        }
        for length in 0..sealed.bytes.len() {
            let cut = Sealed { bytes: sealed.bytes[..length].to_vec(), ..sealed.clone() };
            assert_eq!(opened(&keys, HERE, &cut), Err(SealFault::Broken), "{length} bytes");
        }
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_still_opens_as_long_as_it_is_there() {
        let (old, both) = (sealed_under(&["a"]), keys(&["b", "a"]));
        assert_eq!(opened(&both, HERE, &old), Ok("tok_1".to_owned()));
        assert!(!both.is_current(&old));
        let new = both.seal(HERE, &Secret::new("tok_1".to_owned()), [8; 16]).expect("sealed");
        assert!(both.is_current(&new) && new.key.as_str() == "b");
        let lost = SealFault::UnknownKey(KeyId("a".to_owned()));
        assert_eq!(opened(&keys(&["b"]), HERE, &old), Err(lost));
    }

    #[test]
    fn a_key_of_the_same_name_is_not_yet_the_same_key() {
        let other = SealingKeys::parse(&format!("a:{}", "0f".repeat(32))).expect("keys");
        assert_eq!(opened(&other, HERE, &sealed_under(&["a"])), Err(SealFault::Broken));
    }

    #[test]
    fn keys_are_read_as_documented() {
        let hex = "0123456789abcdefABCDEF0123456789".repeat(2);
        let sound =
            [format!("k1:{hex}"), format!(" k1:{hex}\n"), format!("k2:{hex},k1:{hex}"), format!("a:{hex} b:{hex}")];
        for text in sound {
            assert!(SealingKeys::parse(&text).is_some(), "{text}");
        }
        let strange = [
            String::new(),
            hex.clone(),
            format!(":{hex}"),
            format!("k1:{}", &hex[1..]),
            format!("k1:{hex}0"),
            format!("k1:{hex},k1:{hex}"),
            format!("{}:{hex}", "k".repeat(17)),
            format!("k.1:{hex}"),
            format!("k1:{hex},rest"),
        ];
        for text in strange {
            assert!(SealingKeys::parse(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn it_is_the_cipher_that_others_know() {
        // As Python's `cryptography` computes it: each part of the place behind its length in eight bytes.
        let expected = "0707070707070707070707070b1655c1813612b38495a5e543b37fb44d98b58150";
        assert_eq!(data_encoding::HEXLOWER.encode(&sealed_under(&["a"]).bytes), expected);
    }

    #[test]
    fn nothing_of_it_prints() {
        assert_eq!(format!("{:?} {:?}", keys(&["a"]), sealed_under(&["a"])), "SealingKeys(***) Sealed(a)");
    }
}
