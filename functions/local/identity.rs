//! The development merchant: its API key and its gateways, one for each way to find out what became of
//! a lost request, with what each signs its notices with, and one at each model. Made at the first start, and kept in `local.env`, so that a
//! shell can source it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;
use kessai_infra::system::SystemClock;
use kessai_infra::system::SystemEntropy;
use kessai_shared::card::Secret;
use kessai_shared::gateways::ADAPTERS;
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
use super::modelled::{self, Modelled, variable as variable_of};
use crate::lambda::StartError;
use crate::models::catalog::{CATALOG, Line};

/// The sandbox gateways: the end of the variable, the path at the sandbox and of the adapter's name.
const CLASSES: [(&str, &str); 4] =
    [("KEYED", "keyed"), ("LOOK_UP", "look-up"), ("TIMEOUT_REVERSAL", "timeout-reversal"), ("NONE", "none")];

/// A gateway like the keyed one, but it keeps the balance of reversals itself.
const OWN_BALANCE: &str = "OWN_BALANCE";

/// What stands before the class in the variable of what its gateways sign notices with.
const NOTICE_SECRET: &str = "KESSAI_NOTICE_SECRET_";

/// Where everything listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses<'a> {
    pub server: &'a str,
    pub sandbox: &'a str,
    /// None where there are none.
    pub models: Option<&'a str>,
}

/// Who uses the local server.
pub struct Identity {
    pub api_key: ApiKey,
    pub merchant: MerchantId,
    pub gateways: BTreeMap<String, GatewayId>,
    /// What the gateways of each class, and those of each model, sign their notices with.
    notice_secrets: BTreeMap<String, Secret>,
}

/// Of the gateways of one class of the sandbox: by which provider they tell us something, and what they sign it with.
#[derive(Debug)]
pub struct Notices<'a> {
    /// The path at the sandbox.
    pub class: &'static str,
    pub provider: ProviderId,
    pub secret: &'a Secret,
}

/// Of a model: who hears what it tells, and what it is signed with.
pub struct Told<'a> {
    pub model: &'static Line,
    /// One for each adapter that reads it: each takes what is of its own gateways.
    pub providers: Vec<ProviderId>,
    pub secret: &'a Secret,
}

impl Identity {
    /// As `local.env` has it, and new where it has nothing.
    pub fn load(file: &Path) -> Self {
        Self::from_text(&fs::read_to_string(file).unwrap_or_default())
    }

    /// A new one.
    pub fn fresh() -> Self {
        Self::from_text("")
    }

    fn from_text(text: &str) -> Self {
        let variables = variables(text);
        let random = || SystemEntropy.bytes();
        let gateway = |name: String| {
            let known = variables.get(format!("KESSAI_GATEWAY_ID_{name}").as_str()).copied().and_then(GatewayId::parse);
            (name, known.unwrap_or_else(|| GatewayId::from_random(random())))
        };
        let secret = |name: String, fresh: &dyn Fn() -> String| {
            let known = variables.get(format!("{NOTICE_SECRET}{name}").as_str()).filter(|text| !text.is_empty());
            (name, Secret::new(known.map_or_else(fresh, |text| (*text).to_owned())))
        };
        let of_classes = CLASSES.map(|(name, _)| secret(name.to_owned(), &|| HEXLOWER.encode(&random())));
        let digits = || HEXLOWER.encode(&[random(), random()].concat());
        let of_models = CATALOG.iter().map(|line| secret(variable_of(line.name), &|| line.secret(&digits())));
        let variable = |name: &str| variables.get(name).copied();
        Self {
            api_key: variable("KESSAI_API_KEY")
                .and_then(ApiKey::parse)
                .unwrap_or_else(|| ApiKey::from_random(random(), random())),
            merchant: variable("KESSAI_MERCHANT_ID")
                .and_then(MerchantId::parse)
                .unwrap_or_else(|| MerchantId::from_random(random())),
            gateways: CLASSES
                .into_iter()
                .map(|(name, _)| name.to_owned())
                .chain([OWN_BALANCE.to_owned()])
                .chain(modelled::all().map(Modelled::variable))
                .map(gateway)
                .collect(),
            notice_secrets: of_classes.into_iter().chain(of_models).collect(),
        }
    }

    /// Writes `local.env`, readable by its owner only.
    pub fn save(&self, file: &Path, addresses: Addresses<'_>) -> std::io::Result<()> {
        let mut lines = vec![
            format!("KESSAI_URL={}", addresses.server),
            format!("KESSAI_API_KEY={}", self.api_key.reveal()),
            // The same: it may do everything. A deployment keeps them apart.
            format!("KESSAI_SET_UP_KEY={}", self.api_key.reveal()),
            format!("KESSAI_MERCHANT_ID={}", self.merchant),
            format!("SANDBOX_URL={}", addresses.sandbox),
        ];
        lines.extend(addresses.models.map(|url| format!("MODELS_URL={url}")));
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
    pub async fn register(
        &self,
        store: &dyn Store,
        addresses: Addresses<'_>,
        keys: &SealingKeys,
    ) -> Result<(), StartError> {
        let clock = SystemClock;
        let id = self.api_key_id()?;
        put(store, encode_pointer(&self.api_key.hash(), Pointer { merchant: self.merchant, key: Some(id) })).await?;
        let registry = Registry { store, clock: &clock, deadline: clock.now() };
        for (id, _) in providers(&self.merchant)? {
            registry.point_provider(id, self.merchant).await?;
        }
        let developed = |known: Merchant, now: Timestamp| self.developed(known, addresses, keys, now);
        let fresh = developed(Merchant::new(self.merchant, "Development"), clock.now())?;
        match registry.merchant(&self.merchant).await? {
            None => drop(registry.make(&fresh).await.map_err(hindered)?),
            Some(known) => {
                let decide = |known: &Merchant, now: Timestamp| {
                    Ok(developed(known.clone(), now).unwrap_or_else(|_| known.clone()))
                };
                registry.change(known, decide).await.map_err(hindered)?;
            }
        }
        Ok(())
    }

    /// The merchant with whatever it lacks for development: the same version where it lacks nothing.
    fn developed(
        &self,
        known: Merchant,
        addresses: Addresses<'_>,
        keys: &SealingKeys,
        now: Timestamp,
    ) -> Result<Merchant, StartError> {
        let is_new = known.last_change.is_none() && known.gateways.is_empty();
        let mut next = known.clone();
        if is_new {
            next.default_currency = Currency::parse("USD");
            next.keeps_events = true;
        }
        for (id, provider) in providers(&self.merchant)? {
            next.providers.entry(id).or_insert(provider);
        }
        self.share_secrets(&mut next, keys, now)?;
        for (id, gateway) in self.sandboxes(addresses.sandbox)? {
            keep(&mut next, id, gateway);
        }
        for (modelled, url) in addresses.models.iter().flat_map(|url| modelled::all().map(move |one| (one, *url))) {
            let Some(id) = self.gateways.get(&modelled.variable()).copied() else { continue };
            let kept = keep(&mut next, id, modelled.gateway(&self.merchant, url)?);
            modelled.introduce(kept, id, &self.merchant, keys)?;
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
        let of_classes = self.notices()?.into_iter().map(|notices| (notices.provider, notices.secret));
        let of_models = self
            .models()?
            .into_iter()
            .flat_map(|told| told.providers.into_iter().map(move |provider| (provider, told.secret)));
        for (id, secret) in of_classes.chain(of_models) {
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

    /// The models, each with who hears it.
    pub fn models(&self) -> Result<Vec<Told<'_>>, StartError> {
        let known =
            CATALOG.iter().filter_map(|model| Some((model, self.notice_secrets.get(&variable_of(model.name))?)));
        let models = known.map(|(model, secret)| {
            let hears = |one: &Modelled| one.model.name == model.name && one.adapter.notice.is_some();
            let providers = modelled::all().filter(hears).map(|one| one.provider(&self.merchant));
            Ok(Told { model, providers: providers.collect::<Result<_, _>>()?, secret })
        });
        models.collect()
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

/// Puts the gateway there, or leads the one that is there to where it listens now.
fn keep(merchant: &mut Merchant, id: GatewayId, gateway: Gateway) -> &mut Gateway {
    let (base_url, provider) = (gateway.base_url.clone(), gateway.provider);
    let kept = merchant.gateways.entry(id).or_insert(gateway);
    kept.base_url = base_url;
    kept.provider = provider;
    kept
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
    ADAPTERS.iter().map(|adapter| provider(adapter.name)).collect()
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
