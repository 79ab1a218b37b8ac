//! A stored method as an answer: to whoever asked for it, and to whoever asks how it stands.

use kessai_shared::bank::{AccountType, BankFacts, EntryClass, HolderType};
use kessai_shared::card::CardType;
use kessai_shared::ids::{MethodKind, method_log_id, opaque_token};
use kessai_shared::method::{CardCategory, CardOnFile, Details, Facts, Method, State, Status};
use kessai_shared::payment::{Answer, PayerAction};
use kessai_shared::time::Timestamp;
use serde::Serialize;

use super::envelope::{Envelope, GatewayLog, GatewayResponse, MethodDetails, NextAction, PaymentMethod, PendingMember};
use super::view::{decline_code, decline_error};

/// Longer than any page of methods that somebody reads.
pub const MOST_METHODS: u16 = 100;

/// The HTTP status of the answer to whoever asked for it. None where the gateway was never asked.
pub fn http_status(method: &Method) -> Option<u16> {
    match &method.state {
        State::Unsent => None,
        State::Open(_) => Some(202),
        State::Refused { .. } => Some(402),
        State::Accepted { .. } | State::Kept { .. } => Some(201),
    }
}

/// The answer to whoever asked for it: as it was made, whatever was changed since.
pub fn answer(method: &Method) -> Envelope {
    let (answer, at, result, interaction) = match &method.state {
        State::Kept { answer, at, .. } => (answer.clone(), Some(*at), "Success", "Success"),
        // It took the request: whether it keeps the method is not known yet.
        State::Accepted { answer, at, .. } => (answer.clone(), Some(*at), "Indeterminate", "Success"),
        State::Refused { decline, answer, at } => (answer.clone(), Some(*at), decline_code(*decline), "Failed"),
        State::Open(_) | State::Unsent => (Answer::default(), None, "Indeterminate", "Timeout"),
    };
    let is_kept = matches!(method.state, State::Kept { .. });
    let is_refused = matches!(method.state, State::Refused { .. });
    let log = at.map(|at| GatewayLog {
        created_date: at.to_string(),
        gateway_result_code: answer.code.clone(),
        id: method_log_id(&method.id).to_string(),
        interaction_status: interaction,
        more: None,
    });
    let error = if let State::Refused { decline, answer, .. } = &method.state {
        Some(decline_error(*decline, answer))
    } else {
        None
    };
    Envelope {
        gateway_response: Some(GatewayResponse {
            gateway_token_encrypted: is_kept.then(|| opaque_token(&method.merchant, &method.id)),
            ..GatewayResponse::of(answer, result)
        }),
        payment_gateway_logs: log.into_iter().collect(),
        payment_method: (!is_refused).then(|| PaymentMethod {
            account_id: account(method),
            id: Some(method.id.to_string()),
            // As it was made, whatever its owner has made of it since.
            status: is_kept.then_some(Status::Active).or(method.shown_status()).map(Status::literal),
            payment_method_details: details(method),
        }),
        next_action: next_action(method).map(NextAction::of),
        pending: pending(method),
        error,
        ..Envelope::default()
    }
}

/// Why it is not known whether the gateway keeps it.
fn pending(method: &Method) -> Option<PendingMember> {
    let message = match &method.state {
        State::Open(_) | State::Unsent => {
            "The gateway did not say whether it keeps the payment method; ask again with the same idempotency key"
        }
        State::Accepted { action: Some(_), .. } => {
            "The gateway keeps the payment method once the payer has visited the page of nextAction, and tells so then"
        }
        State::Accepted { action: None, .. } => {
            "The gateway has yet to tell whether it keeps the payment method: until then it cannot be used"
        }
        State::Refused { .. } | State::Kept { .. } => return None,
    };
    Some(PendingMember { message, next_check_date: None })
}

fn next_action(method: &Method) -> Option<&PayerAction> {
    match &method.state {
        State::Accepted { action, .. } => action.as_ref(),
        State::Open(_) | State::Unsent | State::Refused { .. } | State::Kept { .. } => None,
    }
}

fn account(method: &Method) -> Option<String> {
    method.asked.details.account.as_ref().map(|account| account.as_str().to_owned())
}

/// What is known of a card; of anything else, that it is one.
fn details(method: &Method) -> Option<MethodDetails> {
    match &method.asked.facts {
        Facts::Card(CardOnFile { bin, last_four, expiry, card_type, category }) => {
            Some(MethodDetails::CardPaymentMethod {
                card_bin: bin.clone(),
                card_category: category.map(CardCategory::literal),
                display_card_number: last_four.as_ref().map(|last_four| format!("************{last_four}")),
                card_last_four: last_four.clone(),
                card_type: card_type.map(CardType::literal),
                expiry_month: expiry.map(|expiry| expiry.month),
                expiry_year: expiry.map(|expiry| expiry.year),
            })
        }
        Facts::Bank(BankFacts { last_four, bank_type, bank_code, account_type, holder_type, entry_class, mandate }) => {
            Some(MethodDetails::BankPaymentMethod {
                account_holder_type: holder_type.map(HolderType::literal),
                account_type: account_type.map(AccountType::literal),
                bank_code: bank_code.clone(),
                bank_type: bank_type.literal(),
                last4: last_four.clone(),
                mandate: mandate.clone(),
                standard_entry_class_code: entry_class.map(EntryClass::literal),
            })
        }
        Facts::Other => None,
    }
}

/// A stored method as it stands now.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    payment_method: ReadingFields,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_action: Option<NextAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<PendingMember>,
}

/// A page of an account's methods.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    payment_methods: Vec<ReadingFields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadingFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    auto_pay: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company_name: Option<String>,
    created_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nick_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_gateway_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method_details: Option<MethodDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method_type: Option<String>,
    processing_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    record_type_id: Option<String>,
    saved_by_merchant: bool,
    status: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl Reading {
    /// None of a method that there is not yet, or never will be.
    pub fn of(method: &Method, now: Timestamp) -> Option<Self> {
        // A page that is of no use any more is not shown to whoever looks.
        let next_action = next_action(method).filter(|action| now < action.expires_at).map(NextAction::of);
        let pending = pending(method);
        fields(method).map(|payment_method| Self { payment_method, next_action, pending })
    }
}

impl Page {
    pub fn of(methods: &[Method], more: bool) -> Self {
        let last = methods.last().filter(|_| more);
        Self {
            payment_methods: methods.iter().filter_map(fields).collect(),
            next_page_token: last.map(|last| last.id.to_string()),
        }
    }
}

fn fields(method: &Method) -> Option<ReadingFields> {
    let status = method.shown_status()?;
    let Details { email, comments, company_name, saved_by_merchant, processing_mode, record_type, method_type, .. } =
        &method.asked.details;
    Some(ReadingFields {
        account_id: account(method),
        auto_pay: method.auto_pay(),
        comments: comments.clone(),
        company_name: company_name.clone(),
        created_date: method.requested_at.to_string(),
        email: email.clone(),
        id: method.id.to_string(),
        nick_name: method.nick_name().map(str::to_owned),
        payment_gateway_id: method.asked.gateway.map(|gateway| gateway.to_string()),
        payment_method_details: details(method),
        payment_method_type: method_type.clone(),
        processing_mode: processing_mode.literal(),
        record_type_id: record_type.clone(),
        saved_by_merchant: *saved_by_merchant,
        status: status.literal(),
        kind: method.id.kind().unwrap_or(MethodKind::Card).object(),
    })
}
