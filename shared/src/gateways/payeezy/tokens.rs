//! Payeezy's tokens, of the type `FDToken`.
//!
//! A payment by one must name what it stands for, so a token is kept as the whole object that Payeezy answers: type,
//! value, holder and expiry, in JSON. A merchant who brings tokens of their own brings them so, too.
//!
//! To ask twice makes a second token of the same card, which does no harm: a refusal means the same however often it is
//! asked.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::TA_TOKEN;
use super::admits::{admits_card, refused};
use super::answer::{errors, was_turned_away, with_errors};
use super::send::{CardBody, card_body, exp_date, post};
use crate::card::{Card, Secret};
use crate::gateways::wire::json;
use crate::gateways::{Account, TokenIntent};
use crate::payment::asked::Instrument;
use crate::payment::{Answer, Decline, Outcome};
use crate::ports::{HttpRequest, HttpResponse};
use crate::rejection::Rejection;

/// Characters of a value that is no other text by chance: Payeezy's have sixteen.
const SHORTEST: usize = 8;

/// A token, as payments name it.
#[derive(Serialize, Deserialize)]
pub(super) struct TokenData {
    #[serde(rename = "type")]
    card_type: String,
    value: Zeroizing<String>,
    cardholder_name: String,
    exp_date: String,
}

#[derive(Serialize)]
struct TokenizeBody<'a> {
    #[serde(rename = "type")]
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_card: Option<CardBody<'a>>,
    /// Whether to authorize nothing with it, to see that the card is good.
    auth: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ta_token: Option<&'a str>,
}

#[derive(Deserialize)]
struct AnswerBody {
    status: Option<String>,
    #[serde(rename = "type")]
    token_type: Option<String>,
    token: Option<TokenData>,
    #[serde(rename = "Error")]
    error: Option<Value>,
}

impl TokenData {
    /// From what rested.
    pub fn read(token: &Secret) -> Option<Self> {
        let data: Self = serde_json::from_str(token.reveal()).ok()?;
        (!data.value.is_empty()).then_some(data)
    }

    fn to_secret(&self) -> Secret {
        let mut bytes = json(self);
        Secret::new(String::from_utf8(std::mem::take(&mut *bytes)).unwrap_or_default())
    }

    /// The same without the token's value, wherever Payeezy repeats it.
    pub fn kept_out_of(&self, outcome: Outcome) -> Outcome {
        if self.value.len() < SHORTEST {
            return outcome;
        }
        outcome.without(&Secret::new(self.value.to_string()))
    }
}

pub(super) fn admits(intent: &TokenIntent<'_>, _: &Account<'_>) -> Result<(), Rejection> {
    let Some(card) = card_of(intent) else { return refused("bankPaymentMethod", "Payeezy keeps cards only") };
    if card.holder.is_none() {
        return refused("cardPaymentMethod.cardHolderName", "Payeezy keeps no card without its holder's name");
    }
    if card.cvv.is_none() {
        return refused("cardPaymentMethod.cvv", "Payeezy keeps no card without its CVV");
    }
    admits_card(card).map_err(|rejection| match rejection {
        Rejection::NotAtGateway { limit, .. } => Rejection::NotAtGateway { member: "cardPaymentMethod", limit },
        other => other,
    })
}

fn card_of<'a>(intent: &TokenIntent<'a>) -> Option<&'a Card> {
    match intent.instrument {
        Instrument::Card { card, .. } => Some(card),
        Instrument::Stored(_) | Instrument::Bank { .. } | Instrument::Alternative { .. } => None,
    }
}

pub(super) fn encode(intent: &TokenIntent<'_>, account: &Account<'_>) -> HttpRequest {
    let ta_token = account.credential.text(TA_TOKEN);
    let body = TokenizeBody {
        token_type: "FDToken",
        credit_card: card_of(intent).map(card_body),
        auth: "false",
        ta_token: (!ta_token.is_empty()).then_some(ta_token),
    };
    post(account, "transactions/tokens", &body)
}

pub(super) fn decode(intent: &TokenIntent<'_>, response: &HttpResponse) -> (Outcome, Option<Secret>) {
    let unknown = (Outcome::Unknown, None);
    match response.status {
        401 | 403 if was_turned_away(&response.body) => (Outcome::NotSent, None),
        200..=202 | 400 => {
            let Ok(body) = serde_json::from_slice::<AnswerBody>(&response.body) else { return unknown };
            if body.token_type.as_deref() != Some("FDToken") {
                return unknown;
            }
            match (body.status.as_deref(), body.token) {
                (Some("success"), Some(token)) if response.status != 400 && is_of(intent, &token) => {
                    (Outcome::Approved(Answer::default()), Some(token.to_secret()))
                }
                (Some("failed"), None) => {
                    let answer = with_errors(Answer::default(), errors(body.error.as_ref()));
                    (Outcome::Declined(Decline::InvalidData, answer), None)
                }
                (Some(_) | None, _) => unknown,
            }
        }
        _ => unknown,
    }
}

/// Whether this token could be that of the card: nothing else in the answer leads back to what was asked.
fn is_of(intent: &TokenIntent<'_>, token: &TokenData) -> bool {
    !token.value.is_empty() && card_of(intent).is_some_and(|card| exp_date(card.expiry) == token.exp_date)
}
