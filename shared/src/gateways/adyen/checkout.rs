//! What Checkout is asked: `POST /payments`, and `/captures`, `/cancels` and `/refunds` below the payment.

use serde::Serialize;

use super::amount::Amount;
use super::payer::{
    AddressBody, Interaction, ManualCapture, RETURN_URL, billing_address, capture_rule, cvc, expiry, holder,
    interaction, more,
};
use super::{headers, merchant_account, modification};
use crate::card::Secret;
use crate::gateways::wire::{escaped, post_json};
use crate::gateways::{Account, Intent};
use crate::payment::asked::{OnFile, RefundReason};
use crate::payment::{Instrument, Kind};
use crate::ports::HttpRequest;

/// Characters of a holder's name.
const HOLDER: usize = 255;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PaymentBody<'a> {
    merchant_account: &'a str,
    reference: &'a str,
    amount: Amount,
    payment_method: MethodBody<'a>,
    return_url: &'a str,
    shopper_interaction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurring_processing_model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shopper_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shopper_email: Option<&'a str>,
    #[serde(rename = "shopperIP", skip_serializing_if = "Option::is_none")]
    shopper_ip: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_address: Option<AddressBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capture_delay_hours: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_data: Option<ManualCapture>,
}

/// A card, or a stored method.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MethodBody<'a> {
    #[serde(rename = "type")]
    method_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_month: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_year: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cvc: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored_payment_method_id: Option<&'a str>,
}

/// Adyen's word for cards.
const SCHEME: &str = "scheme";

impl<'a> MethodBody<'a> {
    pub fn of(instrument: Option<&'a Instrument>) -> Self {
        let nothing = Self {
            method_type: SCHEME,
            number: None,
            expiry_month: None,
            expiry_year: None,
            cvc: None,
            holder_name: None,
            stored_payment_method_id: None,
        };
        match instrument {
            Some(Instrument::Card { card, .. }) => {
                let (month, year) = expiry(card.expiry);
                Self {
                    number: Some(card.number.reveal()),
                    expiry_month: Some(month),
                    expiry_year: Some(year),
                    cvc: cvc(card),
                    holder_name: holder(card, HOLDER),
                    ..nothing
                }
            }
            Some(Instrument::Stored(OnFile { token, gateway_type, .. })) => Self {
                method_type: gateway_type.as_deref().unwrap_or(SCHEME),
                stored_payment_method_id: token.as_ref().map(Secret::reveal),
                ..nothing
            },
            Some(Instrument::Bank { .. } | Instrument::Alternative { .. }) | None => nothing,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModificationBody<'a> {
    merchant_account: &'a str,
    reference: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_refund_reason: Option<&'static str>,
}

pub(super) fn encode(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    let headers = headers(account, Some(&intent.key));
    let below = |what: &str| format!("payments/{}/{what}", escaped(modification::payment(intent)));
    match intent.kind {
        Kind::Authorize | Kind::PostAuthorize | Kind::Sale => {
            post_json(account, "payments", headers, &payment_body(intent, account))
        }
        Kind::Capture { .. } => post_json(account, &below("captures"), headers, &modification_body(intent, account)),
        Kind::Reverse { .. } => post_json(account, &below("cancels"), headers, &modification_body(intent, account)),
        Kind::Refund { .. } => post_json(account, &below("refunds"), headers, &modification_body(intent, account)),
    }
}

fn payment_body<'a>(intent: &'a Intent<'_>, account: &Account<'a>) -> PaymentBody<'a> {
    let Interaction { shopper_interaction, recurring_model, shopper_reference } = interaction(intent);
    let (additional_data, capture_delay_hours) = capture_rule(intent.kind);
    PaymentBody {
        merchant_account: merchant_account(account),
        reference: &intent.reference,
        amount: Amount::sent(intent.amount),
        payment_method: MethodBody::of(intent.instrument),
        return_url: return_url(intent, account).unwrap_or(&account.gateway.base_url),
        shopper_interaction,
        recurring_processing_model: recurring_model,
        shopper_reference,
        shopper_email: intent.details.email.as_deref(),
        shopper_ip: intent.details.ip_address.as_deref(),
        billing_address: billing_address(intent.instrument),
        capture_delay_hours,
        additional_data,
    }
}

/// Where the payer comes back to. The schema wants it even where no payer is there to come back.
pub(super) fn return_url<'a>(intent: &Intent<'a>, account: &Account<'a>) -> Option<&'a str> {
    let usual = account.credential.text(super::RETURN_URL.name);
    more(intent.details, RETURN_URL).or(Some(usual).filter(|usual| !usual.is_empty()))
}

fn modification_body<'a>(intent: &'a Intent<'_>, account: &Account<'a>) -> ModificationBody<'a> {
    // A cancellation is of the whole.
    let is_whole = matches!(intent.kind, Kind::Reverse { .. });
    ModificationBody {
        merchant_account: merchant_account(account),
        reference: &intent.reference,
        amount: (!is_whole).then(|| Amount::sent(intent.amount)),
        merchant_refund_reason: intent.kind.reason().map(|reason| match reason {
            RefundReason::Duplicate => "DUPLICATE",
            RefundReason::Fraudulent => "FRAUD",
            RefundReason::RequestedByCustomer => "CUSTOMER REQUEST",
        }),
    }
}
