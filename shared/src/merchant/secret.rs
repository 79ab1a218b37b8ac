//! Secrets that a merchant shares with somebody: with whoever it has us tell of events, with gateways that tell us, and
//! with gateways that we ask.
//!
//! They rest sealed, each for whom it is shared with. While one replaces another both are valid, but for what we are known
//! by at a gateway: that is one.

use std::time::Duration;

use super::set_up::{MOST_SECRETS, Made};
use super::{Endpoint, Provider};
use crate::card::Secret;
use crate::ids::{EndpointId, GatewayId, MerchantId, ProviderId};
use crate::seal::{Place, SealFault, Sealed, SealingKeys};
use crate::time::Timestamp;

/// A secret as it rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    pub sealed: Sealed,
    /// None where it was made before that was kept.
    pub created_at: Option<Timestamp>,
    /// When it stops to count; none while nothing has replaced it.
    pub until: Option<Timestamp>,
    pub made: Option<Made>,
}

impl SealedSecret {
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|end| now < end)
    }
}

/// With whom a secret is shared, by which it is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedWith {
    /// Deliveries to it are signed.
    Endpoint(EndpointId),
    /// Its gateways sign their notices.
    Provider(ProviderId),
    /// We are known by it there.
    Gateway(GatewayId),
}

impl SharedWith {
    /// Seals it for this one alone, with twelve of these random bytes.
    pub fn seal(
        self,
        merchant: &MerchantId,
        keys: &SealingKeys,
        secret: &Secret,
        random: [u8; 16],
    ) -> Result<Sealed, SealFault> {
        keys.seal(Place(&self.place(merchant)), secret, random)
    }

    /// One that does not end.
    pub fn open_one(self, merchant: &MerchantId, sealed: &Sealed, keys: &SealingKeys) -> Result<Secret, SealFault> {
        keys.open(Place(&self.place(merchant)), sealed)
    }

    /// Those of these that are valid now, in their order.
    fn open(
        self,
        merchant: &MerchantId,
        secrets: &[SealedSecret],
        keys: &SealingKeys,
        now: Timestamp,
    ) -> Result<Vec<Secret>, SealFault> {
        let valid = secrets.iter().filter(|secret| secret.is_valid(now));
        valid.map(|secret| keys.open(Place(&self.place(merchant)), &secret.sealed)).collect()
    }

    /// No two of them share one.
    fn place<'a>(&'a self, merchant: &'a MerchantId) -> [&'a str; 3] {
        match self {
            Self::Endpoint(id) => ["webhook-secret", merchant.as_str(), id.as_str()],
            Self::Provider(id) => ["notice-secret", merchant.as_str(), id.as_str()],
            Self::Gateway(id) => ["gateway-credential", merchant.as_str(), id.as_str()],
        }
    }
}

impl Endpoint {
    /// What deliveries are signed with now, the newest first. An error where one does not open: a delivery that is signed
    /// with less than it should be could be refused.
    pub fn opened_secrets(
        &self,
        merchant: &MerchantId,
        id: EndpointId,
        keys: &SealingKeys,
        now: Timestamp,
    ) -> Result<Vec<Secret>, SealFault> {
        SharedWith::Endpoint(id).open(merchant, &self.secrets, keys, now)
    }
}

impl Provider {
    /// What a genuine notice may be signed with now, the newest first. An error where one does not open: what we cannot
    /// verify is not therefore forged.
    pub fn opened_notice_secrets(
        &self,
        merchant: &MerchantId,
        id: ProviderId,
        keys: &SealingKeys,
        now: Timestamp,
    ) -> Result<Vec<Secret>, SealFault> {
        SharedWith::Provider(id).open(merchant, &self.notice_secrets, keys, now)
    }
}

/// Puts a new secret first. The one that it replaces counts a while longer, and one that was replaced before is gone.
/// Says when the replaced one ends, where there is one.
pub(super) fn replace(
    secrets: &mut Vec<SealedSecret>,
    secret: SealedSecret,
    overlap: Duration,
    now: Timestamp,
) -> Option<Timestamp> {
    let ends = now.plus(overlap);
    let replaced = secrets.first_mut().map(|old| old.until = Some(ends));
    secrets.insert(0, secret);
    secrets.truncate(MOST_SECRETS);
    replaced.map(|()| ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merchant::tests::{endpoint, endpoint_id, later, provider, provider_id};
    use crate::payment::tests::fixtures::{START, merchant};
    use crate::seal::KeyId;

    fn keys(digit: &str) -> SealingKeys {
        SealingKeys::parse(&format!("k{digit}:{}", digit.repeat(64))).expect("keys")
    }

    fn of(with: SharedWith, text: &str, until: Option<Timestamp>) -> SealedSecret {
        let sealed = with.seal(&merchant(), &keys("1"), &Secret::new(text.to_owned()), [7; 16]).expect("it is sealed");
        SealedSecret { sealed, created_at: Some(START), until, made: None }
    }

    fn two(with: SharedWith) -> Vec<SealedSecret> {
        vec![of(with, "new", None), of(with, "old", Some(later(10)))]
    }

    fn texts(secrets: Result<Vec<Secret>, SealFault>) -> Result<Vec<String>, SealFault> {
        secrets.map(|secrets| secrets.iter().map(|secret| secret.reveal().to_owned()).collect())
    }

    #[test]
    fn two_secrets_are_valid_until_the_older_one_ends_and_the_newest_comes_first() {
        let (provider_id, endpoint_id) = (provider_id(1), endpoint_id(1));
        let provider = Provider { notice_secrets: two(SharedWith::Provider(provider_id)), ..provider("First") };
        let endpoint = Endpoint { secrets: two(SharedWith::Endpoint(endpoint_id)), ..endpoint(1) };
        for (seconds, expected) in [(9, &["new", "old"][..]), (10, &["new"])] {
            let (keys, now) = (keys("1"), later(seconds));
            let expected = Ok(expected.iter().map(|text| (*text).to_owned()).collect());
            assert_eq!(texts(provider.opened_notice_secrets(&merchant(), provider_id, &keys, now)), expected);
            assert_eq!(texts(endpoint.opened_secrets(&merchant(), endpoint_id, &keys, now)), expected);
        }
    }

    #[test]
    fn a_secret_opens_for_whom_it_was_sealed_and_for_nobody_else() {
        let notice_secrets = two(SharedWith::Provider(provider_id(1)));
        let first = Provider { notice_secrets: notice_secrets.clone(), ..provider("First") };
        let opened =
            |merchant: MerchantId, id, digit| first.opened_notice_secrets(&merchant, id, &keys(digit), START).err();
        assert_eq!(opened(merchant(), provider_id(1), "1"), None);
        assert_eq!(opened(merchant(), provider_id(2), "1"), Some(SealFault::Broken));
        let other = MerchantId::from_random([9; 16]);
        assert_eq!(opened(other, provider_id(1), "1"), Some(SealFault::Broken));
        let lost = SealFault::UnknownKey(KeyId::parse("k1").expect("a key id"));
        assert_eq!(opened(merchant(), provider_id(1), "2"), Some(lost));
        let endpoint = Endpoint { secrets: notice_secrets, ..endpoint(1) };
        let opened = endpoint.opened_secrets(&merchant(), endpoint_id(1), &keys("1"), START);
        assert_eq!(texts(opened), Err(SealFault::Broken));
    }

    #[test]
    fn a_new_secret_stands_first_beside_the_one_that_it_replaces() {
        let [first, second, third] = ["1", "2", "3"].map(|text| of(SharedWith::Provider(provider_id(1)), text, None));
        let mut secrets = Vec::new();
        assert_eq!(replace(&mut secrets, first.clone(), Duration::from_secs(5), START), None);
        assert_eq!(replace(&mut secrets, second.clone(), Duration::from_secs(5), START), Some(later(5)));
        assert_eq!(secrets, [second.clone(), SealedSecret { until: Some(later(5)), ..first }]);
        assert_eq!(replace(&mut secrets, third.clone(), Duration::ZERO, later(1)), Some(later(1)));
        assert_eq!(secrets, [third, SealedSecret { until: Some(later(1)), ..second }]);
    }
}
