//! The development merchant's gateways at the models: one for each adapter that a model speaks to, known there by its demo
//! account.

use std::collections::BTreeMap;

use kessai_infra::system::SystemEntropy;
use kessai_shared::card::Secret;
use kessai_shared::gateways::{Adapter, Credential};
use kessai_shared::ids::{GatewayId, MerchantId, ProviderId};
use kessai_shared::merchant::{Gateway, GatewayMode, SharedWith};
use kessai_shared::ports::Entropy;
use kessai_shared::seal::SealingKeys;

use super::identity::provider_id;
use crate::lambda::StartError;
use crate::models::catalog::{CATALOG, Line};

/// A gateway that is modelled.
#[derive(Clone, Copy, Debug)]
pub struct Modelled {
    pub model: &'static Line,
    pub adapter: &'static Adapter,
    /// Below the model's address.
    path: &'static str,
}

/// All of them.
pub fn all() -> impl Iterator<Item = Modelled> {
    CATALOG.iter().flat_map(|model| {
        let known =
            move |(name, path): &(&str, &'static str)| Some(Modelled { model, adapter: Adapter::named(name)?, path });
        model.gateways.iter().filter_map(known)
    })
}

impl Modelled {
    /// How its id ends in `local.env`.
    pub fn variable(self) -> String {
        variable(self.adapter.name)
    }

    pub fn provider(self, merchant: &MerchantId) -> Result<ProviderId, StartError> {
        provider_id(merchant, self.adapter.name)
    }

    /// As it is set up, but for its account, where the models are at this address.
    pub fn gateway(self, merchant: &MerchantId, models_url: &str) -> Result<Gateway, StartError> {
        let Self { model, adapter, path } = self;
        Ok(Gateway {
            name: format!("Model ({})", adapter.name),
            provider: Some(self.provider(merchant)?),
            mode: GatewayMode::Test,
            ..Gateway::at(adapter.name, format!("{models_url}/{}{path}", model.name))
        })
    }

    /// Gives the gateway its demo account, where it has none that opens. One that somebody has set stays.
    pub fn introduce(
        self,
        gateway: &mut Gateway,
        id: GatewayId,
        merchant: &MerchantId,
        keys: &SealingKeys,
    ) -> Result<(), StartError> {
        let account = SharedWith::Gateway(id);
        let opens = |sealed| account.open_one(merchant, sealed, keys).is_ok();
        if gateway.sealed_credential.as_ref().is_some_and(opens) {
            return Ok(());
        }
        let member = |(name, text): &(&str, &str)| ((*name).to_owned(), Secret::new((*text).to_owned()));
        let members: BTreeMap<String, Secret> = self.model.credential.iter().map(member).collect();
        let credential = Credential::of(members, self.adapter.credential).map_err(|misfit| misfit.to_string())?;
        gateway.sealed_credential =
            Some(account.seal(merchant, keys, &credential.to_secret(), SystemEntropy.bytes())?);
        Ok(())
    }
}

/// A name as variables of a shell are called.
pub fn variable(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}
