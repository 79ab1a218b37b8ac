//! What the Payment API is asked: `POST /authorise`, `/capture`, `/cancel` and `/refund`.

use serde::Serialize;

use super::amount::Amount;
use super::payer::{
    AddressBody, Interaction, ManualCapture, billing_address, capture_rule, cvc, expiry, holder, interaction, on_file,
};
use super::{headers, merchant_account, modification};
use crate::card::Secret;
use crate::gateways::wire::post_json;
use crate::gateways::{Account, Intent};
use crate::payment::{Instrument, Kind};
use crate::ports::HttpRequest;

/// Characters of a holder's name.
const HOLDER: usize = 50;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthoriseBody<'a> {
    pub merchant_account: &'a str,
    pub reference: &'a str,
    pub amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<CardBody<'a>>,
    pub shopper_interaction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurring_processing_model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shopper_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurring: Option<Contract>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected_recurring_detail_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shopper_email: Option<&'a str>,
    #[serde(rename = "shopperIP", skip_serializing_if = "Option::is_none")]
    pub shopper_ip: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<AddressBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture_delay_hours: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_data: Option<ManualCapture>,
}

/// The contract by which a stored method is used, and made.
#[derive(Serialize)]
pub(super) struct Contract {
    contract: &'static str,
}

pub(super) const RECURRING: Contract = Contract { contract: "RECURRING" };

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CardBody<'a> {
    number: &'a str,
    expiry_month: String,
    expiry_year: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cvc: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModificationBody<'a> {
    merchant_account: &'a str,
    reference: &'a str,
    original_reference: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    modification_amount: Option<Amount>,
}

pub(super) fn encode(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    let headers = headers(account, Some(&intent.key));
    match intent.kind {
        Kind::Authorize | Kind::PostAuthorize | Kind::Sale => {
            post_json(account, "authorise", headers, &authorise_body(intent, account))
        }
        Kind::Capture { .. } => post_json(account, "capture", headers, &modification_body(intent, account)),
        Kind::Reverse { .. } => post_json(account, "cancel", headers, &modification_body(intent, account)),
        Kind::Refund { .. } => post_json(account, "refund", headers, &modification_body(intent, account)),
    }
}

fn authorise_body<'a>(intent: &'a Intent<'_>, account: &Account<'a>) -> AuthoriseBody<'a> {
    let Interaction { shopper_interaction, recurring_model, shopper_reference } = interaction(intent);
    let (additional_data, capture_delay_hours) = capture_rule(intent.kind);
    AuthoriseBody {
        merchant_account: merchant_account(account),
        reference: &intent.reference,
        amount: Amount::sent(intent.amount),
        card: intent.instrument.and_then(card),
        shopper_interaction,
        recurring_processing_model: recurring_model,
        shopper_reference,
        recurring: on_file(intent).map(|_| RECURRING),
        selected_recurring_detail_reference: on_file(intent)
            .and_then(|on_file| on_file.token.as_ref())
            .map(Secret::reveal),
        shopper_email: intent.details.email.as_deref(),
        shopper_ip: intent.details.ip_address.as_deref(),
        billing_address: billing_address(intent.instrument),
        capture_delay_hours,
        additional_data,
    }
}

pub(super) fn card(instrument: &Instrument) -> Option<CardBody<'_>> {
    let Instrument::Card { card, .. } = instrument else { return None };
    let (expiry_month, expiry_year) = expiry(card.expiry);
    let (cvc, holder_name) = (cvc(card), holder(card, HOLDER));
    Some(CardBody { number: card.number.reveal(), expiry_month, expiry_year, cvc, holder_name })
}

fn modification_body<'a>(intent: &'a Intent<'_>, account: &Account<'a>) -> ModificationBody<'a> {
    // A cancellation is of the whole.
    let is_whole = matches!(intent.kind, Kind::Reverse { .. });
    ModificationBody {
        merchant_account: merchant_account(account),
        reference: &intent.reference,
        original_reference: modification::payment(intent),
        modification_amount: (!is_whole).then(|| Amount::sent(intent.amount)),
    }
}
