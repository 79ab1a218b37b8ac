//! Who may ask, and through which gateways: merchants, their API keys, their gateway accounts and whatever else they
//! have set up.
//!
//! A merchant is one value and one item: what is checked against the whole of it, such as that a name is free, needs no
//! second look. [`set_up`] says how it changes.

pub mod address;
pub mod endpoint;
pub mod health;
pub mod key;
pub mod retry;
pub mod secret;
pub mod set_up;

use std::collections::BTreeMap;
use std::time::Duration;

pub use self::endpoint::{Endpoint, EventFilter};
pub use self::health::Health;
pub use self::key::{ApiKey, ApiKeyHash, ListedKey, Scope};
pub use self::retry::{ListedRule, ListedRuleSet};
pub use self::secret::{SealedSecret, SharedWith};
use self::set_up::{LastChange, Made};
use crate::event::{EventName, EventNames};
use crate::ids::{ApiKeyId, EndpointId, GatewayId, MerchantId, MethodKind, MethodTypeId, ProviderId};
use crate::money::Currency;
use crate::payment::{BalanceCheck, Generation};
use crate::recurring::ids::{RuleId, RuleSetId};
use crate::seal::Sealed;
use crate::stored::Unread;

/// A merchant and everything that it has set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    pub id: MerchantId,
    /// Counts its writes, the first as 1.
    pub version: u64,
    pub name: String,
    /// The currency of a request that names none; none where every request must.
    pub default_currency: Option<Currency>,
    /// Events are recorded and listed even where no endpoint wants them.
    pub keeps_events: bool,
    pub providers: BTreeMap<ProviderId, Provider>,
    pub gateways: BTreeMap<GatewayId, Gateway>,
    pub method_types: BTreeMap<MethodTypeId, MethodType>,
    pub api_keys: BTreeMap<ApiKeyId, ListedKey>,
    pub endpoints: BTreeMap<EndpointId, Endpoint>,
    pub retry_rule_sets: BTreeMap<RuleSetId, ListedRuleSet>,
    pub retry_rules: BTreeMap<RuleId, ListedRule>,
    /// What made this version; none where a version of Kessai did that knows no trail.
    pub last_change: Option<LastChange>,
    /// What a newer version of Kessai knows of it.
    pub unread: Unread,
}

impl Merchant {
    /// A merchant that has set up nothing.
    pub fn new(id: MerchantId, name: impl Into<String>) -> Self {
        Self {
            id,
            version: 1,
            name: name.into(),
            default_currency: None,
            keeps_events: false,
            providers: BTreeMap::new(),
            gateways: BTreeMap::new(),
            method_types: BTreeMap::new(),
            api_keys: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            retry_rule_sets: BTreeMap::new(),
            retry_rules: BTreeMap::new(),
            last_change: None,
            unread: Unread::default(),
        }
    }

    /// Tells every gateway what its provider says of it. To be called after either has changed.
    pub fn connect(&mut self) {
        for gateway in self.gateways.values_mut() {
            let provider = gateway.provider.and_then(|id| self.providers.get(&id));
            gateway.never_resend = provider.is_some_and(|provider| !provider.idempotency_supported);
        }
    }

    /// What a gateway's provider calls methods of this kind and record type, where that was set up.
    pub fn gateway_type(&self, gateway: GatewayId, kind: MethodKind, record_type: Option<&str>) -> Option<&str> {
        let provider = self.gateways.get(&gateway)?.provider?;
        let fits = |known: &&MethodType| {
            known.provider == provider && known.kind == kind && known.record_type.as_deref() == record_type
        };
        self.method_types.values().find(fits).map(|known| known.gateway_name.as_str())
    }

    /// Whether an event of this name is recorded.
    pub fn wants(&self, event: &str) -> bool {
        self.keeps_events || self.endpoints.values().any(|endpoint| endpoint.is_active && endpoint.wants(event))
    }

    /// What somebody is to be told of.
    pub fn wanted(&self) -> EventNames {
        EventName::ALL.iter().copied().filter(|name| self.wants(name.text())).collect()
    }

    /// The key with this hash, whether it works or not.
    pub fn key_with(&self, hash: &ApiKeyHash) -> Option<(ApiKeyId, &ListedKey)> {
        self.api_keys.iter().find(|(_, key)| key.hash == *hash).map(|(id, key)| (*id, key))
    }
}

/// The software that speaks to a kind of gateway, as a merchant has named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub developer_name: DeveloperName,
    pub master_label: String,
    /// Whether the gateway knows a request again by its key. If it does not, none is ever sent twice.
    pub idempotency_supported: bool,
    /// Which adapter speaks to it, by name.
    pub adapter: String,
    pub comments: Option<String>,
    /// What its gateways sign notices with, the newest first; the second one counts too, until it ends. None: no notice
    /// of theirs is believed.
    pub notice_secrets: Vec<SealedSecret>,
    pub made: Option<Made>,
}

/// One merchant account at a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    pub name: String,
    /// None where it was made before there were providers.
    pub provider: Option<ProviderId>,
    /// Which adapter speaks to it, by name: the provider's.
    pub adapter: String,
    /// Where it listens: scheme, host and base path, no slash at the end.
    pub base_url: String,
    pub balance_check: BalanceCheck,
    pub authorization_lifetime: Duration,
    /// What the merchant calls what we are known by there.
    pub credential: Option<String>,
    /// What we are known by there; none where nothing was set up, or nothing is needed.
    pub sealed_credential: Option<Sealed>,
    /// Another, and a higher one, whenever that may be another account there than before.
    pub generation: Generation,
    pub mode: GatewayMode,
    /// What opens a payment goes through active gateways only. What is open is brought to its end through any.
    pub is_active: bool,
    pub comments: Option<String>,
    pub external_reference: Option<String>,
    /// Its provider says that it knows no request again: see [`Merchant::connect`].
    pub never_resend: bool,
    pub made: Option<Made>,
}

impl Gateway {
    /// An account at this address, with everything else as where nothing is said.
    pub fn at(adapter: impl Into<String>, base_url: impl Into<String>) -> Self {
        let adapter = adapter.into();
        Self {
            name: adapter.clone(),
            provider: None,
            adapter,
            base_url: base_url.into(),
            balance_check: BalanceCheck::Strict,
            authorization_lifetime: AUTHORIZATION_LIFETIME,
            credential: None,
            sealed_credential: None,
            generation: Generation::FIRST,
            mode: GatewayMode::Live,
            is_active: true,
            comments: None,
            external_reference: None,
            never_resend: false,
            made: None,
        }
    }
}

/// How long a hold lasts where nothing else is said: what most card issuers grant.
pub const AUTHORIZATION_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What an account is for. Kessai treats all alike, but for how often a gateway documents to take requests, and that a key
/// which tells another mode is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayMode {
    Test,
    Live,
    Connected,
}

impl GatewayMode {
    pub const ALL: [Self; 3] = [Self::Connected, Self::Live, Self::Test];

    /// As the wire and the store have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Test => "Test",
            Self::Live => "Live",
            Self::Connected => "Connected",
        }
    }
}

/// How a provider calls one way to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodType {
    pub provider: ProviderId,
    pub kind: MethodKind,
    /// The gateway's own name for it.
    pub gateway_name: String,
    pub developer_name: DeveloperName,
    pub master_label: String,
    pub record_type: Option<String>,
    pub comments: Option<String>,
    pub made: Option<Made>,
}

/// A name for programs: a letter, then letters, digits and single underscores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeveloperName(String);

impl DeveloperName {
    /// Characters at most, as for labels.
    pub const MAX: usize = 80;

    pub fn parse(text: &str) -> Option<Self> {
        let begins = text.starts_with(|first: char| first.is_ascii_alphabetic());
        let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let is_sound = begins && fits && !text.contains("__") && !text.ends_with('_') && text.len() <= Self::MAX;
        is_sound.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Names that differ in case only are one name.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

#[cfg(test)]
pub(crate) mod tests;
