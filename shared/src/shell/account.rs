//! A merchant's account at a gateway: what we are known by there, how often it may be asked, and questions to it that are
//! about no operation.

use super::{Route, Shell};
use crate::gateways::{Account, Answered, Check, Credential, Inquiry, Offer, Question};
use crate::merchant::SharedWith;
use crate::ports::HttpFault;
use crate::rejection::{Fault, Refusal, Rejection};
use crate::time::Timestamp;

impl Shell {
    /// Asks a gateway what it has left open in what it told.
    pub async fn inquire(
        &self,
        route: Route<'_>,
        inquiry: Inquiry,
        question: &Question,
        deadline: Timestamp,
    ) -> Result<Answered, Refusal> {
        let credential = self.credential(route)?;
        if !self.is_within_rate(route).await {
            return Ok(Answered::NoAnswer);
        }
        let timeout = self.time_to_call(deadline).ok_or(Fault::NoTime)?;
        let request = (inquiry.encode)(question, &self.account(route, &credential));
        let answer = self.http.send(request, timeout).await;
        Ok(answer.map_or(Answered::NoAnswer, |answer| (inquiry.decode)(question, &answer)))
    }

    /// Asks a gateway, once, whether the merchant's account there works: what it offers, or why not.
    pub async fn check(
        &self,
        route: Route<'_>,
        check: Check,
        deadline: Timestamp,
    ) -> Result<Result<Vec<Offer>, String>, Refusal> {
        let credential = self.credential(route)?;
        if !self.is_within_rate(route).await {
            return Ok(Err("the gateway takes no more requests for now: ask again in a second".to_owned()));
        }
        let timeout = self.time_to_call(deadline).ok_or(Fault::NoTime)?;
        let request = (check.encode)(&self.account(route, &credential));
        let told = match self.http.send(request, timeout).await {
            Ok(answer) => (check.decode)(&answer),
            Err(HttpFault::NotSent(why)) => Err(format!("the gateway was not reached: {why}")),
            Err(HttpFault::Lost(why)) => Err(format!("the gateway did not answer: {why}")),
        };
        Ok(match told {
            Ok(offers) => Ok(offers.into_iter().map(|offer| offer.without(&credential)).collect()),
            Err(why) => Err(credential.masked_in(why)),
        })
    }

    /// What we are known by at the gateway, if it wants to know.
    pub(crate) fn credential(&self, route: Route<'_>) -> Result<Credential, Refusal> {
        let Some(sealed) = &route.gateway.sealed_credential else {
            return if route.adapter.needs_credential() {
                Err(Rejection::NoCredential.into())
            } else {
                Ok(Credential::default())
            };
        };
        let keys = self.keys()?;
        let secret = SharedWith::Gateway(route.id).open_one(&route.merchant, sealed, keys).map_err(Fault::Sealed)?;
        let unreadable = || Fault::SetUp(format!("the credential of gateway {} cannot be read", route.id));
        Ok(Credential::from_secret(&secret, route.adapter.credential).ok_or_else(unreadable)?)
    }

    pub(crate) fn account<'a>(&self, route: Route<'a>, credential: &'a Credential) -> Account<'a> {
        let nonce = u128::from_be_bytes(self.entropy.bytes()) as u64;
        Account { gateway: route.gateway, credential, now: self.clock.now(), nonce }
    }

    /// Whether the gateway takes one more request now.
    pub(crate) async fn is_within_rate(&self, route: Route<'_>) -> bool {
        match ((route.adapter.rate)(route.gateway.mode), &self.limiter) {
            (Some(per_second), Some(limiter)) => limiter.admit(route.id, per_second, self.clock.now()).await,
            (None, _) | (_, None) => true,
        }
    }
}
