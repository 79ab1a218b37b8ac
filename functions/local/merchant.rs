//! `merchant`: makes a merchant with its gateways and an API key in a deployment's table. The key is printed once,
//! here; the table holds its hash.

use std::collections::BTreeMap;

use kessai_infra::aws::Account;
use kessai_infra::system::SystemEntropy;
use kessai_shared::ids::{GatewayId, MerchantId};
use kessai_shared::merchant::{AUTHORIZATION_LIFETIME, ApiKey, Gateway, Merchant};
use kessai_shared::payment::BalanceCheck;
use kessai_shared::ports::{Entropy, Store};
use kessai_shared::stored::merchant::{ORIGINS_KEY, encode_api_key, encode_merchant, with_origins};

use super::arguments;
use super::identity::put;
use crate::lambda::{StartError, variable};

/// Writes the merchant, then its key: nobody can speak for what is not there.
pub async fn make(arguments: arguments::Merchant) -> Result<(), StartError> {
    let table = Account::from_environment(&variable)?.table(arguments.table);
    let gateways: BTreeMap<_, _> = arguments.gateways.iter().map(gateway).collect();
    let merchant = Merchant {
        id: MerchantId::from_random(SystemEntropy.bytes()),
        name: arguments.name,
        default_currency: arguments.currency,
        gateways,
    };
    let api_key = ApiKey::from_random(SystemEntropy.bytes(), SystemEntropy.bytes());
    let origins = with_origins(table.read(ORIGINS_KEY).await?, arguments.gateways.iter().map(|(_, url)| origin(url)))?;
    put(&table, encode_merchant(&merchant)).await?;
    put(&table, origins).await?;
    put(&table, encode_api_key(&api_key.hash(), &merchant.id)).await?;
    println!("export KESSAI_API_KEY={}", api_key.reveal());
    println!("export KESSAI_MERCHANT_ID={}", merchant.id);
    for (place, (adapter, url)) in arguments.gateways.iter().enumerate() {
        let known = merchant.gateways.iter().find(|(_, known)| known.adapter == *adapter && known.base_url == *url);
        let Some((id, _)) = known else { continue };
        if place == 0 {
            println!("export KESSAI_GATEWAY_ID={id}");
        }
        println!("export KESSAI_GATEWAY_ID_{}={id}", adapter.to_uppercase().replace('-', "_"));
    }
    Ok(())
}

fn gateway((adapter, url): &(String, String)) -> (GatewayId, Gateway) {
    let gateway = Gateway {
        name: adapter.clone(),
        adapter: adapter.clone(),
        base_url: url.clone(),
        balance_check: BalanceCheck::Strict,
        authorization_lifetime: AUTHORIZATION_LIFETIME,
    };
    (GatewayId::from_random(SystemEntropy.bytes()), gateway)
}

/// Scheme and host: what a connection is opened to.
fn origin(url: &str) -> String {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let end = url[host..].find('/').map_or(url.len(), |path| host + path);
    url[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_opened_to_scheme_and_host() {
        let rows = [
            ("https://api.example.com/v2/x", "https://api.example.com"),
            ("https://api.example.com", "https://api.example.com"),
            ("http://127.0.0.1:9401/keyed", "http://127.0.0.1:9401"),
        ];
        for (url, expected) in rows {
            assert_eq!(origin(url), expected);
        }
    }
}
