//! API keys: what a caller shows, what is kept of it, and what it may be used for.

use std::collections::BTreeSet;
use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::set_up::Made;
use crate::time::Timestamp;

/// A merchant's API key. Only its hash is stored.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ApiKey(String);

/// Says at a glance, in a log or a repository, what leaked.
const API_KEY_PREFIX: &str = "kessai_";

/// Longest text looked up as an API key.
const API_KEY_MAX: usize = 128;

impl ApiKey {
    /// A new one: 256 random bits.
    pub fn from_random(first: [u8; 16], second: [u8; 16]) -> Self {
        // As long as it will be from the start, so that no part of it is left behind.
        let mut key = Self(String::with_capacity(API_KEY_MAX));
        key.0.push_str(API_KEY_PREFIX);
        for byte in first.into_iter().chain(second) {
            for digit in [byte >> 4, byte & 15] {
                key.0.extend(char::from_digit(digit.into(), 16));
            }
        }
        key
    }

    pub fn parse(text: &str) -> Option<Self> {
        let sound = text.starts_with(API_KEY_PREFIX) && text.len() <= API_KEY_MAX;
        sound.then(|| Self(text.to_owned()))
    }

    /// The key itself, to be shown once to whom it is made for.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it and looked up by it. A key is random through and through, so its plain hash
    /// gives nothing away.
    pub fn hash(&self) -> ApiKeyHash {
        ApiKeyHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{API_KEY_PREFIX}***")
    }
}

/// The SHA-256 of an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiKeyHash([u8; 32]);

impl ApiKeyHash {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ApiKeyHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    Authorize,
    CaptureReverse,
    Refund,
    Tokenize,
    Read,
    SetUp,
}

impl Scope {
    pub const ALL: [Self; 6] =
        [Self::Authorize, Self::CaptureReverse, Self::Refund, Self::Tokenize, Self::Read, Self::SetUp];

    /// As the wire and the store have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::CaptureReverse => "capture-reverse",
            Self::Refund => "refund",
            Self::Tokenize => "tokenize",
            Self::Read => "read",
            Self::SetUp => "set-up",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// What a key may be used for that was made before keys were listed: everything that there was to do.
    pub fn is_granted_to_unlisted(self) -> bool {
        self != Self::SetUp
    }
}

/// What a merchant keeps of one of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    pub name: String,
    pub hash: ApiKeyHash,
    pub scopes: BTreeSet<Scope>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// How many requests it may make; as many as the whole API takes where nothing is said.
    pub requests_per_second: Option<u16>,
    pub made: Option<Made>,
}

impl ListedKey {
    /// Whether it opens the door.
    pub fn works(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// Since when it does not; none where it still works.
    pub fn dead_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.revoked_at.or(self.expires_at.filter(|end| *end <= now))
    }
}
