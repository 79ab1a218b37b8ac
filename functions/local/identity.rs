//! The development merchant: its API key and its gateways, one for each way to find out what became of
//! a lost request. Made at the first start, and kept in `local.env`, so that a shell can source it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use kessai_infra::system::SystemEntropy;
use kessai_shared::ids::{GatewayId, MerchantId};
use kessai_shared::merchant::{AUTHORIZATION_LIFETIME, ApiKey, Gateway, Merchant};
use kessai_shared::money::Currency;
use kessai_shared::payment::BalanceCheck;
use kessai_shared::ports::{Entropy, Expected, Store, StoreFault, Written};
use kessai_shared::stored::Item;
use kessai_shared::stored::merchant::{encode_api_key, encode_merchant};
use kessai_shared::stored::payment::VERSION;

use super::files::write_whole;
use crate::lambda::StartError;

/// The sandbox gateways: the end of the variable, the path at the sandbox and of the adapter's name.
const CLASSES: [(&str, &str); 4] =
    [("KEYED", "keyed"), ("LOOK_UP", "look-up"), ("TIMEOUT_REVERSAL", "timeout-reversal"), ("NONE", "none")];

/// A gateway like the keyed one, but it keeps the balance of reversals itself.
const OWN_BALANCE: &str = "OWN_BALANCE";

/// Who uses the local server.
pub struct Identity {
    pub api_key: ApiKey,
    pub merchant: MerchantId,
    pub gateways: BTreeMap<&'static str, GatewayId>,
}

impl Identity {
    /// As `local.env` has it, and new where it has nothing.
    pub fn load(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_default();
        let variables: BTreeMap<&str, &str> =
            text.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('=')).collect();
        let random = || SystemEntropy.bytes();
        let gateway = |name: &'static str| {
            let known = variables.get(format!("KESSAI_GATEWAY_ID_{name}").as_str()).copied().and_then(GatewayId::parse);
            (name, known.unwrap_or_else(|| GatewayId::from_random(random())))
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
        }
    }

    /// Writes `local.env`, readable by its owner only.
    pub fn save(&self, file: &Path, url: &str, sandbox_url: &str) -> std::io::Result<()> {
        let mut lines = vec![
            format!("KESSAI_URL={url}"),
            format!("KESSAI_API_KEY={}", self.api_key.reveal()),
            format!("KESSAI_MERCHANT_ID={}", self.merchant),
            format!("SANDBOX_URL={sandbox_url}"),
        ];
        lines.extend(self.gateways.get("KEYED").map(|id| format!("KESSAI_GATEWAY_ID={id}")));
        lines.extend(self.gateways.iter().map(|(name, id)| format!("KESSAI_GATEWAY_ID_{name}={id}")));
        let text: String = lines.into_iter().map(|line| format!("export {line}\n")).collect();
        write_whole(file, text.as_bytes())
    }

    /// Makes sure that the store knows the merchant, its key and where its gateways listen now.
    pub async fn register(&self, store: &dyn Store, sandbox_url: &str) -> Result<(), StartError> {
        put(store, encode_api_key(&self.api_key.hash(), &self.merchant)).await?;
        put(store, encode_merchant(&self.merchant(sandbox_url))).await
    }

    fn merchant(&self, sandbox_url: &str) -> Merchant {
        let classes = CLASSES.into_iter().map(|(name, path)| (name, path, BalanceCheck::Strict));
        let gateways =
            classes.chain([(OWN_BALANCE, "keyed", BalanceCheck::Gateway)]).filter_map(|(name, path, check)| {
                let gateway = Gateway {
                    name: format!("Sandbox ({path})"),
                    adapter: format!("sandbox-{path}"),
                    base_url: format!("{sandbox_url}/{path}"),
                    balance_check: check,
                    authorization_lifetime: AUTHORIZATION_LIFETIME,
                };
                Some((*self.gateways.get(name)?, gateway))
            });
        Merchant {
            id: self.merchant,
            name: "Development".to_owned(),
            default_currency: Currency::parse("USD"),
            gateways: gateways.collect(),
        }
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
