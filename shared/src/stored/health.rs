//! How an endpoint has fared, as an item of the merchants table.

use super::item::Item;
use super::merchant::{FORMAT, checked};
use super::payment::{KEY, VERSION};
use super::reader::{Unreadable, strange};
use crate::ids::{EndpointId, MerchantId};
use crate::merchant::Health;
use crate::time::Timestamp;

/// The key of an endpoint's health.
pub fn health_key(merchant: &MerchantId, endpoint: &EndpointId) -> String {
    format!("health/{}/{}", merchant.as_str(), endpoint.as_str())
}

pub fn encode_health(merchant: &MerchantId, endpoint: &EndpointId, health: &Health) -> Item {
    let Health { version, failing_since, disabled_at } = *health;
    Item::new()
        .with(KEY, health_key(merchant, endpoint))
        .with("f", FORMAT)
        .with(VERSION, i64::try_from(version).unwrap_or(i64::MAX))
        .with_some("failing_since", failing_since.map(Timestamp::as_millis))
        .with_some("disabled_at", disabled_at.map(Timestamp::as_millis))
}

/// Where there is no item nothing was ever wrong.
pub fn decode_health(item: Option<Item>) -> Result<Health, Unreadable> {
    let Some(item) = item else { return Ok(Health::default()) };
    let mut reader = checked(item)?;
    Ok(Health {
        version: u64::try_from(reader.number(VERSION)?).map_err(|_| strange(VERSION))?,
        failing_since: reader.maybe_moment("failing_since")?,
        disabled_at: reader.maybe_moment("disabled_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merchant::tests::endpoint_id;
    use crate::payment::tests::fixtures::{START, merchant};

    #[test]
    fn health_to_the_letter() {
        let (at, endpoint) = (START.as_millis(), endpoint_id(1));
        let item = Item::new()
            .with("pk", format!("health/{}/{}", merchant().as_str(), endpoint.as_str()))
            .with("f", FORMAT)
            .with("v", 3)
            .with("failing_since", at)
            .with("disabled_at", at + 1);
        let disabled_at = Some(Timestamp::from_millis(at + 1));
        let health = Health { version: 3, failing_since: Some(START), disabled_at };
        assert_eq!(encode_health(&merchant(), &endpoint, &health), item);
        assert_eq!(decode_health(Some(item)), Ok(health));
        let well = Health { version: 4, ..Health::default() };
        assert_eq!(decode_health(Some(encode_health(&merchant(), &endpoint, &well))), Ok(well));
        assert_eq!(decode_health(None), Ok(Health::default()));
        assert!(decode_health(Some(Item::new().with("pk", "x"))).is_err());
    }
}
