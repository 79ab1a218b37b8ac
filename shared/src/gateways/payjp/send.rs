//! What PAY.JP is asked.

use serde::Serialize;

use super::{authorized, authorized_under, has_plain_refunds, refunds_path};
use crate::card::Secret;
use crate::gateways::wire::{escaped, get, post_json};
use crate::gateways::{Account, Intent};
use crate::payment::asked::RefundReason;
use crate::payment::{Instrument, Kind};
use crate::ports::HttpRequest;

// Members of `additionalData`.
pub(super) const CUSTOMER_ID: &str = "customerId";
pub(super) const PAYMENT_METHOD_TYPE: &str = "paymentMethodType";
pub(super) const RETURN_URL: &str = "returnUrl";
pub(super) const THREE_D_SECURE: &str = "threeDSecure";
pub(super) const EXTENDED_AUTHORIZATION: &str = "extendedAuthorization";
pub(super) const REFERENCE: &str = "reference";
pub(super) const CANCELLATION_REASON: &str = "cancellationReason";

/// What the caller added under this name.
pub(super) fn added<'a>(intent: &Intent<'a>, name: &str) -> Option<&'a str> {
    intent.details.additional_data.get(name).map(String::as_str)
}

/// The flow that a post-authorization registers; empty where none is named, which is not admitted.
pub(super) fn registered<'a>(intent: &Intent<'a>) -> &'a str {
    added(intent, REFERENCE).unwrap_or_default()
}

/// Whose payment method is charged; the customer's default where none is named.
pub(super) struct Payer<'a> {
    customer: &'a str,
    method: Option<&'a str>,
}

impl<'a> Payer<'a> {
    pub(super) fn of(intent: &Intent<'a>) -> Option<Self> {
        let token = match intent.instrument? {
            Instrument::Stored(on_file) => on_file.token.as_ref()?,
            Instrument::Alternative { token, .. } => token,
            Instrument::Card { .. } | Instrument::Bank { .. } => return None,
        };
        let (customer, method) = match Secret::reveal(token).split_once('/') {
            Some(parts) => parts,
            None => (added(intent, CUSTOMER_ID)?, token.reveal()),
        };
        let method = Some(method).filter(|method| !method.is_empty());
        (!customer.is_empty()).then_some(Self { customer, method })
    }
}

/// What is kept with a flow, a refund or a customer, and comes back with it.
#[derive(Serialize)]
pub(super) struct Metadata<'a> {
    pub(super) reference: &'a str,
}

#[derive(Serialize)]
struct FlowBody<'a> {
    amount: i64,
    currency: &'static str,
    capture_method: &'static str,
    confirm: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method_types: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method_options: Option<OptionsBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<&'a str>,
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
struct OptionsBody<'a> {
    card: CardOptionsBody<'a>,
}

#[derive(Serialize)]
struct CardOptionsBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    request_extended_authorization: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_three_d_secure: Option<&'a str>,
}

#[derive(Serialize)]
struct CaptureBody {
    amount_to_capture: i64,
}

#[derive(Serialize)]
struct CancelBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cancellation_reason: Option<&'a str>,
}

#[derive(Serialize)]
struct RefundBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_flow_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_flow: Option<&'a str>,
    amount: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    metadata: Metadata<'a>,
}

pub(super) fn encode(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    let flow = intent.target.map_or("", |target| target.reference);
    let amount = intent.amount.minor;
    let headers = authorized_under(account, intent.key.clone());
    match intent.kind {
        Kind::Authorize => post_json(account, FLOWS, headers, &flow_body(intent, "manual")),
        Kind::Sale => post_json(account, FLOWS, headers, &flow_body(intent, "automatic")),
        Kind::PostAuthorize => get_flow(account, registered(intent)),
        Kind::Capture { .. } => {
            let path = format!("{FLOWS}/{}/capture", escaped(flow));
            post_json(account, &path, headers, &CaptureBody { amount_to_capture: amount })
        }
        Kind::Reverse { .. } => {
            let path = format!("{FLOWS}/{}/cancel", escaped(flow));
            let body = CancelBody { cancellation_reason: added(intent, CANCELLATION_REASON) };
            post_json(account, &path, headers, &body)
        }
        Kind::Refund { reason, .. } => {
            let is_plain = has_plain_refunds(account);
            let body = RefundBody {
                payment_flow_id: Some(flow).filter(|_| !is_plain),
                payment_flow: Some(flow).filter(|_| is_plain),
                amount,
                reason: reason.map(RefundReason::literal),
                metadata: Metadata { reference: &intent.reference },
            };
            post_json(account, refunds_path(account), headers, &body)
        }
    }
}

const FLOWS: &str = "v2/payment_flows";

pub(super) fn get_flow(account: &Account<'_>, flow: &str) -> HttpRequest {
    get(account, &format!("{FLOWS}/{}", escaped(flow)), authorized(account))
}

pub(super) fn get_refund(account: &Account<'_>, refund: &str) -> HttpRequest {
    get(account, &format!("{}/{}", refunds_path(account), escaped(refund)), authorized(account))
}

fn flow_body<'a>(intent: &'a Intent<'_>, capture_method: &'static str) -> FlowBody<'a> {
    let payer = Payer::of(intent);
    let of_set_up = match intent.instrument {
        Some(Instrument::Stored(on_file)) => on_file.gateway_type.as_deref(),
        Some(Instrument::Card { .. } | Instrument::Bank { .. } | Instrument::Alternative { .. }) | None => None,
    };
    // A merchant's set-up may have words of its own.
    let of_set_up = of_set_up.filter(|named| ["card", "paypay", "apple_pay"].contains(named));
    let card = CardOptionsBody {
        request_extended_authorization: added(intent, EXTENDED_AUTHORIZATION)
            .filter(|_| *intent.kind == Kind::Authorize),
        request_three_d_secure: added(intent, THREE_D_SECURE),
    };
    let has_options = card.request_extended_authorization.is_some() || card.request_three_d_secure.is_some();
    FlowBody {
        amount: intent.amount.minor,
        currency: "jpy",
        capture_method,
        confirm: true,
        customer_id: payer.as_ref().map(|payer| payer.customer),
        payment_method_id: payer.as_ref().and_then(|payer| payer.method),
        payment_method_types: added(intent, PAYMENT_METHOD_TYPE).or(of_set_up).map(|named| [named]),
        payment_method_options: has_options.then_some(OptionsBody { card }),
        return_url: added(intent, RETURN_URL),
        metadata: Metadata { reference: &intent.reference },
    }
}

/// Of the operation's own flow or refund, and failing that of the flow that it acts on.
pub(super) fn encode_look_up(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    let known = intent.known.or(intent.target).map_or("", |known| known.reference);
    match (intent.kind, intent.known) {
        (Kind::Refund { .. }, Some(refund)) => get_refund(account, refund.reference),
        (Kind::PostAuthorize, _) => get_flow(account, registered(intent)),
        (Kind::Authorize | Kind::Sale | Kind::Capture { .. } | Kind::Reverse { .. } | Kind::Refund { .. }, _) => {
            get_flow(account, known)
        }
    }
}
