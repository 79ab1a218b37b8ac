//! SetupIntents: a card is kept for charges in its payer's absence, and its bank may want to see the payer for that once.
//!
//! | status | means |
//! |---|---|
//! | `succeeded` | kept; the token holds the customer and the payment method |
//! | `processing` | accepted |
//! | `requires_action` | with a page: the payer is to go there; without one, declined where nobody was to come back: nobody can act |
//! | `requires_payment_method` | refused, as `last_setup_error` has it |
//! | `canceled` | declined |

use serde::Deserialize;

use super::super::wire::{Form, post_form};
use super::super::{Account, TokenIntent};
use super::answer::{ErrorBody, Metadata, NextAction, moment, refusal};
use super::send::CARD;
use super::{DAY, RETURN_URL, headers, is_id};
use crate::card::Secret;
use crate::payment::{Answer, Decline, Outcome, PayerAction};
use crate::ports::{HttpRequest, HttpResponse};

/// What an answer calls it.
pub(super) const OBJECT: &str = "setup_intent";

/// "Decline codes": the bank wants to see the payer.
const NEEDS_THE_PAYER: &str = "authentication_required";

/// A SetupIntent, as far as it matters.
#[derive(Deserialize)]
pub(super) struct SetupBody {
    id: String,
    object: String,
    status: String,
    customer: Option<String>,
    payment_method: Option<String>,
    metadata: Option<Metadata>,
    next_action: Option<NextAction>,
    last_setup_error: Option<ErrorBody>,
    cancellation_reason: Option<String>,
    created: Option<i64>,
}

#[derive(Deserialize)]
struct Refused {
    error: Refusing,
}

#[derive(Deserialize)]
struct Refusing {
    setup_intent: Option<SetupBody>,
}

/// The payment method becomes the customer's where this succeeds, so nothing else attaches it.
pub(super) fn encode(intent: &TokenIntent<'_>, customer: &str, method: &str, account: &Account<'_>) -> HttpRequest {
    let form = Form::default()
        .with("confirm", "true")
        .with("usage", "off_session")
        .with("customer", customer)
        .with("payment_method", method)
        .with("payment_method_types[]", CARD)
        .with("metadata[reference]", &intent.reference)
        .with_some("return_url", return_url(intent));
    post_form(account, "v1/setup_intents", headers(account, Some(&intent.key)), form)
}

pub(super) fn decode(
    intent: &TokenIntent<'_>,
    customer: &str,
    method: &str,
    response: &HttpResponse,
) -> (Outcome, Option<Secret>) {
    let body = serde_json::from_slice::<SetupBody>(&response.body).ok();
    match body.filter(|body| body.is_of(&intent.reference, customer, method)) {
        Some(body) if body.is_stuck() && return_url(intent).is_none() => (body.declined(NEEDS_THE_PAYER), None),
        Some(body) => body.outcome(),
        None => (Outcome::Unknown, None),
    }
}

fn return_url<'a>(intent: &TokenIntent<'a>) -> Option<&'a str> {
    intent.details.sender.additional_data.get(RETURN_URL).map(String::as_str)
}

/// Whether an error comes with a SetupIntent that is another's, or that may still keep the card.
pub(super) fn is_of_another(intent: &TokenIntent<'_>, customer: Option<&str>, response: &HttpResponse) -> bool {
    let method = intent.prepared.as_ref().map(Secret::reveal);
    let is_over = |body: &SetupBody| matches!(body.status.as_str(), "requires_payment_method" | "canceled");
    match (serde_json::from_slice(&response.body), customer.zip(method)) {
        (Ok(Refused { error: Refusing { setup_intent: None } }), _) => false,
        (Ok(Refused { error: Refusing { setup_intent: Some(body) } }), Some((customer, method))) => {
            !(is_over(&body) && body.is_of(&intent.reference, customer, method))
        }
        (Ok(_), None) | (Err(_), _) => true,
    }
}

impl SetupBody {
    pub(super) fn reference(&self) -> Option<&String> {
        self.metadata.as_ref().and_then(|metadata| metadata.reference.as_ref())
    }

    /// What is told of it unasked; none where it tells nothing.
    pub(super) fn told_unasked(self) -> Option<(Outcome, Option<Secret>)> {
        let is_verdict = matches!(self.status.as_str(), "succeeded" | "requires_payment_method" | "canceled");
        (is_verdict && self.object == OBJECT).then(|| self.outcome())
    }

    /// One that has failed has no payment method any more.
    fn is_of(&self, reference: &str, customer: &str, method: &str) -> bool {
        self.object == OBJECT
            && self.reference().is_some_and(|found| found == reference)
            && self.customer.as_deref() == Some(customer)
            && self.payment_method.as_deref().is_none_or(|found| found == method)
    }

    fn page(&self) -> Option<&String> {
        self.next_action.as_ref()?.redirect_to_url.as_ref()?.url.as_ref()
    }

    fn is_stuck(&self) -> bool {
        self.status == "requires_action" && self.page().is_none()
    }

    fn outcome(self) -> (Outcome, Option<Secret>) {
        let outcome = match self.status.as_str() {
            "succeeded" => {
                let token = self.token();
                let kept = token.as_ref().map(|_| Outcome::Approved(self.answer(&self.status)));
                return (kept.unwrap_or(Outcome::Unknown), token);
            }
            "processing" => Outcome::Accepted(self.answer(&self.status)),
            "requires_action" => self.waiting(),
            "requires_payment_method" => self.refused(),
            "canceled" => self.declined(self.cancellation_reason.as_deref().unwrap_or(&self.status)),
            _ => Outcome::Unknown,
        };
        (outcome, None)
    }

    /// A later charge needs both.
    fn token(&self) -> Option<Secret> {
        let (customer, method) = (self.customer.as_deref()?, self.payment_method.as_deref()?);
        (is_id(customer) && is_id(method)).then(|| Secret::new(format!("{customer}/{method}")))
    }

    /// As of a payment: the page is taken to be of use for a day.
    fn waiting(&self) -> Outcome {
        let answer = self.answer(&self.status);
        match (self.page(), moment(self.created)) {
            (Some(url), Some(created)) => {
                Outcome::ActionRequired(answer, PayerAction { url: url.clone(), expires_at: created.plus(DAY) })
            }
            (None, _) | (_, None) => Outcome::Accepted(answer),
        }
    }

    fn refused(self) -> Outcome {
        let secrets = [self.customer.as_deref(), self.payment_method.as_deref()].map(Option::unwrap_or_default);
        match self.last_setup_error {
            None => self.declined(&self.status),
            Some(error) => match refusal(error, &secrets) {
                Outcome::Declined(decline, answer) => {
                    Outcome::Declined(decline, Answer { reference: Some(self.id), ..answer })
                }
                other => other,
            },
        }
    }

    fn declined(&self, code: &str) -> Outcome {
        Outcome::Declined(Decline::Soft, self.answer(code))
    }

    fn answer(&self, code: &str) -> Answer {
        Answer { reference: Some(self.id.clone()), code: Some(code.to_owned()), ..Answer::default() }
    }
}
