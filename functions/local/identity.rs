//! The development merchant: its API key and its gateways, one for each way to find out what became of
//! a lost request, with what each signs its notices with. Made at the first start, and kept in `local.env`, so that a
//! shell can source it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;
use kessai_infra::system::SystemClock;
use kessai_infra::system::SystemEntropy;
use kessai_shared::card::Secret;
use kessai_shared::gateways::sandbox;
use kessai_shared::ids::{ApiKeyId, GatewayId, MerchantId, ProviderId};
use kessai_shared::merchant::set_up::{LastChange, Who};
use kessai_shared::merchant::{
    ApiKey, DeveloperName, Gateway, GatewayMode, ListedKey, Merchant, Provider, Scope, SealedSecret, SharedWith,
};
use kessai_shared::money::Currency;
use kessai_shared::payment::{BalanceCheck, IdempotencyKey};
use kessai_shared::ports::{Clock, Entropy, Expected, Store, StoreFault, Written};
use kessai_shared::registry::{Hindered, Registry};
use kessai_shared::seal::SealingKeys;
use kessai_shared::stored::Item;
use kessai_shared::stored::merchant::{Pointer, encode_pointer};
use kessai_shared::stored::payment::VERSION;
use kessai_shared::time::Timestamp;

use super::files::{variables, write_whole};
use crate::lambda::StartError;

/// The sandbox gateways: the end of the variable, the path at the sandbox and of the adapter's name.
const CLASSES: [(&str, &str); 4] =
    [("KEYED", "keyed"), ("LOOK_UP", "look-up"), ("TIMEOUT_REVERSAL", "timeout-reversal"), ("NONE", "none")];

/// A gateway like the keyed one, but it keeps the balance of reversals itself.
const OWN_BALANCE: &str = "OWN_BALANCE";

/// What stands before the class in the variable of what its gateways sign notices with.
const NOTICE_SECRET: &str = "KESSAI_NOTICE_SECRET_";

/// Where the sandbox is, and what seals its secrets here.
#[derive(Clone, Copy)]
struct Sandboxes<'a> {
    url: &'a str,
    keys: &'a SealingKeys,
}

/// Who uses the local server.
pub struct Identity {
    pub api_key: ApiKey,
    pub merchant: MerchantId,
    pub gateways: BTreeMap<&'static str, GatewayId>,
    /// What the gateways of each class sign their notices with.
    notice_secrets: BTreeMap<&'static str, Secret>,
}

/// Of the gateways of one class of the sandbox: by which provider they tell us something, and what they sign it with.
#[derive(Debug)]
pub struct Notices<'a> {
    /// The path at the sandbox.
    pub class: &'static str,
    pub provider: ProviderId,
    pub secret: &'a Secret,
}

impl Identity {
    /// As `local.env` has it, and new where it has nothing.
    pub fn load(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_default();
        let variables = variables(&text);
        let random = || SystemEntropy.bytes();
        let gateway = |name: &'static str| {
            let known = variables.get(format!("KESSAI_GATEWAY_ID_{name}").as_str()).copied().and_then(GatewayId::parse);
            (name, known.unwrap_or_else(|| GatewayId::from_random(random())))
        };
        let secret = |name: &'static str| {
            let known = variables.get(format!("{NOTICE_SECRET}{name}").as_str()).filter(|text| !text.is_empty());
            (name, Secret::new(known.map_or_else(|| HEXLOWER.encode(&random()), |text| (*text).to_owned())))
        };
        let variable = |name: &str| variables.get(name).copied();
        Self {
            api_key: variable("KESSAI_API_KEY")
                .and_then(ApiKey::parse)
                .unwrap_or_else(|| ApiKey::from_random(random(), random())),
            merchant: variable("KESSAI_MERCHANT_ID")
                .and_then(MerchantId::parse)
                .unwrap_or_else(|| MerchantId::from_random(random())),
            gateways: CLASSES.into_iter().map(|(name, _)| name).chain([OWN_BALANCE]).map(gateway).collect(),
            notice_secrets: CLASSES.into_iter().map(|(name, _)| secret(name)).collect(),
        }
    }

    /// Writes `local.env`, readable by its owner only.
    pub fn save(&self, file: &Path, url: &str, sandbox_url: &str) -> std::io::Result<()> {
        let mut lines = vec![
            format!("KESSAI_URL={url}"),
            format!("KESSAI_API_KEY={}", self.api_key.reveal()),
            // The same: it may do everything. A deployment keeps them apart.
            format!("KESSAI_SET_UP_KEY={}", self.api_key.reveal()),
            format!("KESSAI_MERCHANT_ID={}", self.merchant),
            format!("SANDBOX_URL={sandbox_url}"),
        ];
        lines.extend(self.gateways.get("KEYED").map(|id| format!("KESSAI_GATEWAY_ID={id}")));
        lines.extend(self.gateways.iter().map(|(name, id)| format!("KESSAI_GATEWAY_ID_{name}={id}")));
        lines.extend(
            self.notice_secrets.iter().map(|(name, secret)| format!("{NOTICE_SECRET}{name}={}", secret.reveal())),
        );
        let text: String = lines.into_iter().map(|line| format!("export {line}\n")).collect();
        write_whole(file, text.as_bytes())
    }

    /// Makes sure that the store knows the merchant, its key and where its gateways listen now. What was set up since
    /// the first start stays.
    pub async fn register(&self, store: &dyn Store, sandbox_url: &str, keys: &SealingKeys) -> Result<(), StartError> {
        let clock = SystemClock;
        let id = self.api_key_id()?;
        put(store, encode_pointer(&self.api_key.hash(), Pointer { merchant: self.merchant, key: Some(id) })).await?;
        let registry = Registry { store, clock: &clock, deadline: clock.now() };
        for (id, _) in providers(&self.merchant)? {
            registry.point_provider(id, self.merchant).await?;
        }
        let sandboxes = Sandboxes { url: sandbox_url, keys };
        let fresh = self.developed(Merchant::new(self.merchant, "Development"), sandboxes, clock.now())?;
        match registry.merchant(&self.merchant).await? {
            None => drop(registry.make(&fresh).await.map_err(hindered)?),
            Some(known) => {
                let decide = |known: &Merchant, now: Timestamp| {
                    Ok(self.developed(known.clone(), sandboxes, now).unwrap_or_else(|_| known.clone()))
                };
                registry.change(known, decide).await.map_err(hindered)?;
            }
        }
        Ok(())
    }

    /// The merchant with whatever it lacks for development: the same version where it lacks nothing.
    fn developed(&self, known: Merchant, sandboxes: Sandboxes<'_>, now: Timestamp) -> Result<Merchant, StartError> {
        let is_new = known.last_change.is_none() && known.gateways.is_empty();
        let mut next = known.clone();
        if is_new {
            next.default_currency = Currency::parse("USD");
            next.keeps_events = true;
        }
        for (id, provider) in providers(&self.merchant)? {
            next.providers.entry(id).or_insert(provider);
        }
        self.share_secrets(&mut next, sandboxes.keys, now)?;
        for (id, gateway) in self.sandboxes(sandboxes.url)? {
            let kept = next.gateways.entry(id).or_insert_with(|| gateway.clone());
            kept.base_url = gateway.base_url;
            kept.provider = gateway.provider;
        }
        let key = everything(&self.api_key, "Development", now);
        if next.key_with(&key.hash).is_none() {
            next.api_keys.insert(self.api_key_id()?, key);
        }
        next.connect();
        if next == known {
            return Ok(known);
        }
        let action = if is_new { "merchant.created" } else { "merchant.changed" };
        let subject = self.merchant.into();
        let description = "for development".to_owned();
        let change = LastChange { at: now, by: Who::CommandLine, action: action.to_owned(), subject, description };
        Ok(next.signed(if is_new { 0 } else { known.version }, change))
    }

    /// Gives a secret to each provider that has none, or none that opens. One that somebody has set stays.
    fn share_secrets(&self, merchant: &mut Merchant, keys: &SealingKeys, now: Timestamp) -> Result<(), StartError> {
        for Notices { provider: id, secret, .. } in self.notices()? {
            let Some(provider) = merchant.providers.get_mut(&id) else { continue };
            let opened = provider.opened_notice_secrets(&self.merchant, id, keys, now);
            if opened.is_ok_and(|opened| !opened.is_empty()) {
                continue;
            }
            let sealed = SharedWith::Provider(id).seal(&self.merchant, keys, secret, SystemEntropy.bytes())?;
            provider.notice_secrets = vec![SealedSecret { sealed, created_at: Some(now), until: None, made: None }];
        }
        Ok(())
    }

    /// What the sandbox must know to tell us anything.
    pub fn notices(&self) -> Result<Vec<Notices<'_>>, StartError> {
        let known = CLASSES.into_iter().filter_map(|(name, class)| Some((class, self.notice_secrets.get(name)?)));
        let notices = known.map(|(class, secret)| {
            Ok(Notices { class, provider: provider_id(&self.merchant, &format!("sandbox-{class}"))?, secret })
        });
        notices.collect()
    }

    fn api_key_id(&self) -> Result<ApiKeyId, StartError> {
        Ok(ApiKeyId::made_under(&self.merchant, &name_of_ours(&self.api_key.hash().to_string())?))
    }

    fn sandboxes(&self, sandbox_url: &str) -> Result<Vec<(GatewayId, Gateway)>, StartError> {
        let classes = CLASSES.into_iter().map(|(name, path)| (name, path, BalanceCheck::Strict));
        let mut sandboxes = Vec::new();
        for (name, path, balance_check) in classes.chain([(OWN_BALANCE, "keyed", BalanceCheck::Gateway)]) {
            let adapter = format!("sandbox-{path}");
            let gateway = Gateway {
                name: format!("Sandbox ({path})"),
                provider: Some(provider_id(&self.merchant, &adapter)?),
                balance_check,
                mode: GatewayMode::Test,
                ..Gateway::at(adapter, format!("{sandbox_url}/{path}"))
            };
            sandboxes.extend(self.gateways.get(name).map(|id| (*id, gateway)));
        }
        Ok(sandboxes)
    }
}

/// A provider for each adapter, the same whenever they are made.
pub fn providers(merchant: &MerchantId) -> Result<Vec<(ProviderId, Provider)>, StartError> {
    let provider = |name: &str| {
        let developer_name = DeveloperName::parse(&name.replace('-', "_"));
        let provider = Provider {
            developer_name: developer_name.ok_or_else(|| format!("{name} makes no name for a provider"))?,
            master_label: name.to_owned(),
            idempotency_supported: true,
            adapter: name.to_owned(),
            comments: None,
            notice_secrets: Vec::new(),
            made: None,
        };
        Ok((provider_id(merchant, name)?, provider))
    };
    sandbox::ALL.iter().map(|adapter| provider(adapter.name)).collect()
}

pub fn provider_id(merchant: &MerchantId, adapter: &str) -> Result<ProviderId, StartError> {
    Ok(ProviderId::made_under(merchant, &name_of_ours(adapter)?))
}

/// A key that may do everything.
pub fn everything(key: &ApiKey, name: &str, now: Timestamp) -> ListedKey {
    ListedKey {
        name: name.to_owned(),
        hash: key.hash(),
        scopes: Scope::ALL.into(),
        created_at: now,
        expires_at: None,
        revoked_at: None,
        requests_per_second: None,
        made: None,
    }
}

/// What is made here is made as if under this key.
fn name_of_ours(text: &str) -> Result<IdempotencyKey, StartError> {
    IdempotencyKey::parse(text).ok_or_else(|| format!("{text:?} makes no id").into())
}

pub fn hindered(hindered: Hindered) -> StartError {
    match hindered {
        Hindered::Refused(refused) => refused.to_string().into(),
        Hindered::Fault(fault) => fault.into(),
    }
}

/// Writes the item in place of whatever is there.
pub async fn put(store: &dyn Store, item: Item) -> Result<(), StartError> {
    let first = item.clone().with(VERSION, 1);
    let Written::Conflict(found) = store.write(first, Expected::Absent).await? else { return Ok(()) };
    let version = found.and_then(|found| found.number(VERSION)).unwrap_or_default();
    let next = item.with(VERSION, version.saturating_add(1));
    match store.write(next, Expected::Version(u64::try_from(version).unwrap_or_default())).await? {
        Written::Done => Ok(()),
        Written::Conflict(_) => Err(StoreFault("somebody else writes the same".into()).into()),
    }
}
