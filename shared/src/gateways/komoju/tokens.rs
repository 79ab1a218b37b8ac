//! KOMOJU's customers: a card that is kept, and charged by the customer's id.

use serde::{Deserialize, Serialize};

use super::answer::refused;
use super::send::{CardBody, Metadata, card_body, keyed};
use crate::card::Secret;
use crate::gateways::wire::post_json;
use crate::gateways::{Account, TokenIntent};
use crate::payment::{Answer, Instrument, Outcome};
use crate::ports::{HttpRequest, HttpResponse};
use crate::rejection::Rejection;
use crate::time::Timestamp;

#[derive(Serialize)]
struct CustomerRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_details: Option<CardBody<'a>>,
    metadata: Metadata<'a>,
}

#[derive(Deserialize)]
pub(super) struct CustomerBody {
    id: String,
    resource: String,
    metadata: Option<MetadataBody>,
    created_at: Option<String>,
}

#[derive(Deserialize)]
struct MetadataBody {
    reference: Option<String>,
}

pub(super) fn admits(intent: &TokenIntent<'_>, _: &Account<'_>) -> Result<(), Rejection> {
    match intent.instrument {
        Instrument::Card { .. } => Ok(()),
        Instrument::Stored(_) | Instrument::Bank { .. } | Instrument::Alternative { .. } => {
            Err(Rejection::NotAtGateway { member: "paymentMethod", limit: "must be a card: KOMOJU keeps nothing else" })
        }
    }
}

pub(super) fn encode(intent: &TokenIntent<'_>, account: &Account<'_>) -> HttpRequest {
    let email = intent.details.email.as_deref().or(intent.details.sender.email.as_deref());
    let payment_details = match intent.instrument {
        Instrument::Card { card, .. } => Some(card_body(card, email)),
        Instrument::Stored(_) | Instrument::Bank { .. } | Instrument::Alternative { .. } => None,
    };
    let body = CustomerRequest { email, payment_details, metadata: Metadata { reference: &intent.reference } };
    post_json(account, "customers", keyed(account, &intent.key), &body)
}

pub(super) fn decode(intent: &TokenIntent<'_>, response: &HttpResponse) -> (Outcome, Option<Secret>) {
    match response.status {
        200..=202 => match serde_json::from_slice::<CustomerBody>(&response.body) {
            Ok(customer) if customer.reference() == Some(&intent.reference) => customer.kept(),
            Ok(_) | Err(_) => (Outcome::Unknown, None),
        },
        _ => (refused(response, intent.duplicate), None),
    }
}

impl CustomerBody {
    /// Our name for it.
    pub fn reference(&self) -> Option<&str> {
        let metadata = self.metadata.as_ref().filter(|_| self.resource == "customer" && !self.id.is_empty())?;
        metadata.reference.as_deref()
    }

    /// The customer's id is what is charged, so it is told as a token alone.
    pub fn kept(self) -> (Outcome, Option<Secret>) {
        let answer = Answer {
            code: Some("created".to_owned()),
            date: self.created_at.as_deref().and_then(Timestamp::parse),
            ..Answer::default()
        };
        (Outcome::Approved(answer), Some(Secret::new(self.id)))
    }
}
