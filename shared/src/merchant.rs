//! Who may ask, and through which gateways: merchants, their API keys and their gateway accounts.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ids::{GatewayId, MerchantId};
use crate::money::Currency;
use crate::payment::BalanceCheck;

/// A merchant and the gateways it has accounts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    pub id: MerchantId,
    pub name: String,
    /// The currency of a request that names none; none where every request must.
    pub default_currency: Option<Currency>,
    pub gateways: BTreeMap<GatewayId, Gateway>,
}

/// One merchant account at a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    pub name: String,
    /// Which adapter speaks to it, by name.
    pub adapter: String,
    /// Where it listens: scheme, host and base path, no slash at the end.
    pub base_url: String,
    pub balance_check: BalanceCheck,
    pub authorization_lifetime: Duration,
}

/// How long a hold lasts where nothing else is said: what most card issuers grant.
pub const AUTHORIZATION_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

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
        let hex = |bytes: [u8; 16]| format!("{:032x}", u128::from_be_bytes(bytes));
        Self(format!("{API_KEY_PREFIX}{}{}", hex(first), hex(second)))
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

impl fmt::Display for ApiKeyHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&HEXLOWER.encode(&self.0))
    }
}
