//! Who there is in every history, and what they have set up.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use kessai_functions::sandbox::{Class, TABLE, method_id};
use kessai_shared::card::Secret;
use kessai_shared::fingerprint::FingerprintKey;
use kessai_shared::ids::{GatewayId, MerchantId, MethodId, ProviderId};
use kessai_shared::memory::Memory;
use kessai_shared::merchant::{AUTHORIZATION_LIFETIME, ApiKey, Gateway, Merchant};
use kessai_shared::method::{Details, Method};
use kessai_shared::payment::{BalanceCheck, Generation, IdempotencyKey};
use kessai_shared::seal::SealingKeys;
use kessai_shared::stored::Item;
use kessai_shared::stored::merchant::{api_key_key, encode_api_key, encode_merchant, merchant_key};
use kessai_shared::stored::method::StoredMethod;
use kessai_shared::time::Timestamp;

use crate::endpoints::{ENDPOINTS, set_up_for};
use crate::world::START_MS;

/// A hold that ends while callers still try.
const SHORT_LIFETIME: Duration = Duration::from_secs(60);

/// Merchants of a history; both set up alike.
pub const MERCHANTS: usize = 2;

/// What merchants have set up, and the items of it that the directory holds. It is small, and every worker
/// has it in memory.
pub struct SetUp {
    pub merchants: Vec<Merchant>,
    /// Of what merchants are known by at their gateways.
    pub generation: Generation,
    pub items: BTreeMap<String, Item>,
}

/// What all histories have in common: made once.
pub struct Cast {
    pub merchants: [MerchantId; MERCHANTS],
    pub api_keys: [ApiKey; MERCHANTS],
    pub gateway: GatewayId,
    /// By which its notices come.
    pub provider: ProviderId,
    pub fingerprint_key: Arc<FingerprintKey>,
    /// The sandbox's magic methods, at hand for both merchants: nobody changes them, so every worker has them in memory.
    pub vault: Arc<Memory>,
    pub sealing_keys: Arc<SealingKeys>,
    /// For each class, with balances checked by the gateway and by Kessai, with these endpoints; with one account at the
    /// gateway, and then with another.
    pub set_ups: [[[[Arc<SetUp>; 2]; ENDPOINTS.len()]; 2]; Class::ALL.len()],
}

/// Where the gateway listens.
pub const GATEWAY_URL: &str = "https://gateway";

pub fn cast() -> &'static Cast {
    static CAST: LazyLock<Cast> = LazyLock::new(|| {
        let merchants = [1, 2].map(|merchant| MerchantId::from_random([merchant; 16]));
        let api_keys = [3, 4].map(|merchant| ApiKey::from_random([merchant; 16], [5; 16]));
        let (gateway, provider) = (GatewayId::from_random([6; 16]), ProviderId::from_random([6; 16]));
        let sealing_keys = SealingKeys::parse(&format!("k1:{}", "08".repeat(32))).expect("keys");
        let set_up = |class: Class, balance_check, endpoints, generation| {
            {
                let name = class.name();
                let account = Gateway {
                    name: "G".to_owned(),
                    provider: Some(provider),
                    balance_check,
                    generation,
                    // Short enough that captures meet its end, in half of the histories.
                    authorization_lifetime: match balance_check {
                        BalanceCheck::Strict => AUTHORIZATION_LIFETIME,
                        BalanceCheck::Gateway => SHORT_LIFETIME,
                    },
                    ..Gateway::at(format!("sandbox-{name}"), format!("{GATEWAY_URL}/{name}"))
                };
                let merchants = merchants.map(|id| {
                    let gateways = [(gateway, account.clone())].into();
                    Merchant {
                        gateways,
                        endpoints: set_up_for(&id, endpoints, &sealing_keys),
                        ..Merchant::new(id, "M")
                    }
                });
                let items = merchants.iter().zip(&api_keys).flat_map(|(merchant, key)| {
                    let by_key = (api_key_key(&key.hash()), encode_api_key(&key.hash(), &merchant.id));
                    [by_key, (merchant_key(&merchant.id), encode_merchant(merchant))]
                });
                Arc::new(SetUp { items: items.collect(), generation, merchants: merchants.to_vec() })
            }
        };
        let both = |class: Class, check, endpoints| {
            [Generation(0), Generation(1)].map(|generation| set_up(class, check, endpoints, generation))
        };
        let set_ups = Class::ALL.map(|class| {
            [BalanceCheck::Gateway, BalanceCheck::Strict]
                .map(|check| ENDPOINTS.map(|endpoints| both(class, check, endpoints)))
        });
        let vault = Arc::new(vault(&merchants, &sealing_keys, |_| Details::default()));
        let (fingerprint_key, sealing_keys) = (Arc::new(FingerprintKey::new([7; 32])), Arc::new(sealing_keys));
        Cast { merchants, api_keys, gateway, provider, fingerprint_key, vault, sealing_keys, set_ups }
    });
    &CAST
}

/// The sandbox's magic methods of each merchant, with these details by their codes.
pub fn vault(merchants: &[MerchantId], keys: &SealingKeys, details: impl Fn(u16) -> Details) -> Memory {
    let vault = Memory::default();
    for (merchant, row) in merchants.iter().flat_map(|merchant| TABLE.iter().map(move |row| (merchant, row))) {
        let id = method_id(row.code);
        let key = IdempotencyKey::parse(row.name).expect("a key");
        let at = Timestamp::from_millis(START_MS);
        let mut method = Method::of_token(*merchant, MethodId::parse(&id).expect("an id"), key, at);
        method.asked.details = details(row.code);
        let token = Secret::new(id);
        method.token = Some(method.at_its_place(|place| keys.seal(place, &token, [9; 16])).expect("sealed"));
        vault.put(StoredMethod::following(None, method).to_item());
    }
    vault
}
