//! The sandbox gateway's codec: four gateways of one wire, one for each way to find out what became of
//! a request whose answer was lost. The server behind it is part of the local server.
//!
//! | answer | means |
//! |---|---|
//! | 200 with a status | what the status says |
//! | 400, 404 | refused, not acted |
//! | 429 | not acted, by its documentation |
//! | anything else | unknown |
//!
//! What it tells unasked is in [`notice`].
//!
//! It wants to know nobody. The first of the four may be given a `secretKey` all the same, which it is sent and does not
//! look at, so that the way of a credential from its set-up to a request can be tried.

mod notice;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::credential::tells_no_mode;
use super::wire::{Headers, bearer, get, post_json};
use super::{Account, Adapter, Check, Exchange, Intent, Member, Offer, TokenExchange, TokenIntent};
use crate::card::Secret;
use crate::merchant::address::origin;
use crate::payment::{Answer, Decline, Instrument, Kind, Outcome, PayerAction, Reach};
use crate::ports::{HttpRequest, HttpResponse, Method};
use crate::recurring::retry::{Category, Decision};
use crate::rejection::Rejection;
use crate::time::Timestamp;

const SEND: Exchange = Exchange { encode: encode_operation, decode: decode_operation };
const LOOK_UP_BY_REFERENCE: Exchange = Exchange { encode: encode_look_up, decode: decode_look_up };
const REVERSE_BY_REFERENCE: Exchange = Exchange { encode: encode_timeout_reversal, decode: decode_timeout_reversal };

const PLAIN: Adapter = Adapter {
    name: "sandbox-none",
    credential: &[],
    admits,
    send: SEND,
    look_up: None,
    timeout_reversal: None,
    tokenize: Some(TokenExchange { admits: |_, _| Ok(()), prepare: None, encode: encode_token, decode: decode_token }),
    notice: Some(notice::CODEC),
    judge,
    key_window: None,
    multi_capture: true,
    verdict_within: Duration::from_secs(5),
    rate: |_| None,
    check: Some(Check { encode: encode_check, decode: decode_check }),
};

/// The one member of a credential that one of the four may have.
const SECRET_KEY: Member = Member {
    name: "secretKey",
    is_required: false,
    fits: |text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()),
    form: "visible characters of ASCII",
    is_secret: true,
    mode: tells_no_mode,
};

/// Honours a key for a day, and can be asked.
pub const KEYED: Adapter = Adapter {
    name: "sandbox-keyed",
    credential: &[SECRET_KEY],
    look_up: Some((Reach::Everything, LOOK_UP_BY_REFERENCE)),
    key_window: Some(Duration::from_secs(24 * 60 * 60)),
    ..PLAIN
};

/// Knows no keys, but can be asked.
pub const LOOK_UP: Adapter =
    Adapter { name: "sandbox-look-up", look_up: Some((Reach::Everything, LOOK_UP_BY_REFERENCE)), ..PLAIN };

/// Can neither be asked nor knows keys, but undoes by reference.
pub const TIMEOUT_REVERSAL: Adapter = Adapter {
    name: "sandbox-timeout-reversal",
    timeout_reversal: Some((Reach::Everything, REVERSE_BY_REFERENCE)),
    ..PLAIN
};

/// None of these: a lost answer stays lost.
pub const NONE: Adapter = PLAIN;

/// The four gateways of this codec.
pub const ALL: [&Adapter; 4] = [&KEYED, &LOOK_UP, &TIMEOUT_REVERSAL, &NONE];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OperationBody<'a> {
    reference: &'a str,
    amount: i64,
    currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_initiated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<&'a str>,
    #[serde(rename = "final", skip_serializing_if = "Option::is_none")]
    is_final: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CardBody<'a> {
    number: &'a str,
    expiry_month: u8,
    expiry_year: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    cvc: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenBody<'a> {
    reference: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_account: Option<BankBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved_by_merchant: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BankBody<'a> {
    number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_code: Option<&'a str>,
    #[serde(rename = "type")]
    bank_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<&'a str>,
}

#[derive(Serialize)]
struct ReferenceBody<'a> {
    reference: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerBody {
    id: String,
    reference: String,
    status: String,
    code: String,
    message: Option<String>,
    authorization_code: Option<String>,
    date: Option<String>,
    token: Option<String>,
    action: Option<ActionBody>,
}

#[derive(Deserialize)]
struct ActionBody {
    url: String,
    expires: String,
}

#[derive(Deserialize)]
struct OperationsBody {
    operations: Vec<AnswerBody>,
}

#[derive(Deserialize)]
struct FaultsBody {
    #[serde(rename = "next")]
    _next: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct ErrorBody {
    code: String,
    message: Option<String>,
}

/// The member of `additionalData` by which a client-side authorization is named.
const CLIENT_SIDE_REFERENCE: &str = "reference";

fn encode_operation(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    let target = intent.target.map_or("", |target| target.reference);
    let path = match intent.kind {
        Kind::Authorize => "authorizations".to_owned(),
        Kind::PostAuthorize => "post-authorizations".to_owned(),
        Kind::Sale => "sales".to_owned(),
        Kind::Capture { .. } => format!("authorizations/{target}/captures"),
        Kind::Reverse { .. } => format!("authorizations/{target}/reversals"),
        Kind::Refund { .. } => format!("payments/{target}/refunds"),
    };
    let on_file = if let Some(Instrument::Stored(on_file)) = intent.instrument { Some(on_file) } else { None };
    let body = OperationBody {
        reference: &intent.reference,
        amount: intent.amount.minor,
        currency: intent.amount.currency.code(),
        card: intent.instrument.and_then(encode_card),
        method: on_file.and_then(|on_file| on_file.token.as_ref()).map(Secret::reveal),
        method_type: on_file.and_then(|on_file| on_file.gateway_type.as_deref()),
        merchant_initiated: intent.details.submitted_by_merchant.then_some(true),
        authorization: (*intent.kind == Kind::PostAuthorize).then(|| client_side_reference(intent)),
        is_final: intent.kind.is_final().then_some(true),
        reason: intent.kind.reason().map(super::super::payment::asked::RefundReason::literal),
    };
    post(account, &path, &body, Some(intent.key.clone()))
}

/// What a browser obtained stands for an authorization that was made there, and for nothing else.
fn admits(intent: &Intent<'_>, _: &Account<'_>) -> Result<(), Rejection> {
    let opens = matches!(intent.kind, Kind::Authorize | Kind::Sale);
    match intent.instrument {
        Some(Instrument::Alternative { .. }) if opens => Err(Rejection::NotAtGateway {
            member: "paymentMethod.alternativePaymentMethod",
            limit: "the sandbox takes it in post-authorizations only",
        }),
        Some(_) | None => Ok(()),
    }
}

fn client_side_reference<'a>(intent: &Intent<'a>) -> &'a str {
    intent.details.additional_data.get(CLIENT_SIDE_REFERENCE).map_or("", String::as_str)
}

fn encode_card(instrument: &Instrument) -> Option<CardBody<'_>> {
    let Instrument::Card { card, .. } = instrument else { return None };
    Some(CardBody {
        number: card.number.reveal(),
        expiry_month: card.expiry.month,
        expiry_year: card.expiry.year,
        cvc: card.cvv.as_ref().map(super::super::card::Cvv::reveal),
        holder: card.holder.as_deref(),
    })
}

fn decode_operation(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    match response.status {
        200 => serde_json::from_slice(&response.body).map_or(Outcome::Unknown, |body| decode_answer(intent, body)),
        // Of a request that may have come before, a refusal tells only that this time nothing was done.
        400 | 404 if intent.duplicate => Outcome::Unknown,
        400 | 404 => serde_json::from_slice(&response.body).map_or(Outcome::Unknown, decode_error),
        429 => Outcome::NotSent,
        _ => Outcome::Unknown,
    }
}

fn decode_answer(intent: &Intent<'_>, body: AnswerBody) -> Outcome {
    if body.reference != intent.reference {
        // It speaks of something else: what became of this one is as unknown as before.
        return Outcome::Unknown;
    }
    outcome(body)
}

/// Result codes, how each declines, and what kind of failure that is. What is not here may work if tried again.
const DECLINES: &[(&str, Decline, Category)] = &[
    ("05", Decline::Soft, Category::PaymentProcessing),
    ("12", Decline::Soft, Category::PaymentProcessing),
    ("14", Decline::InvalidData, Category::PaymentInformation),
    ("43", Decline::Permanent, Category::Security),
    ("51", Decline::Soft, Category::CardLimit),
    ("54", Decline::Soft, Category::PaymentInformation),
    ("59", Decline::RequiresReview, Category::Security),
    ("78", Decline::Soft, Category::Security),
    ("82", Decline::Soft, Category::PaymentInformation),
    ("96", Decline::Soft, Category::GatewayConnection),
];

fn row(code: &str) -> Option<&'static (&'static str, Decline, Category)> {
    DECLINES.iter().find(|(known, ..)| *known == code)
}

fn judge(decline: Decline, answer: &Answer) -> (Category, Decision) {
    let row = answer.code.as_deref().and_then(row);
    (row.map_or(Category::Unknown, |(.., category)| *category), Decision::of(decline))
}

fn outcome(body: AnswerBody) -> Outcome {
    let decline = row(&body.code).map_or(Decline::Soft, |(_, decline, _)| *decline);
    let answer = Answer {
        reference: Some(body.id),
        code: Some(body.code),
        description: body.message,
        authorization_code: body.authorization_code,
        date: body.date.as_deref().and_then(Timestamp::parse),
        ..Answer::default()
    };
    match body.status.as_str() {
        "approved" => Outcome::Approved(answer),
        "accepted" => Outcome::Accepted(answer),
        "action_required" => match body.action.and_then(payer_action) {
            Some(action) => Outcome::ActionRequired(answer, action),
            None => Outcome::Accepted(answer),
        },
        "declined" => Outcome::Declined(decline, answer),
        _ => Outcome::Unknown,
    }
}

fn payer_action(body: ActionBody) -> Option<PayerAction> {
    Some(PayerAction { expires_at: Timestamp::parse(&body.expires)?, url: body.url })
}

fn decode_error(body: ErrorBody) -> Outcome {
    let answer = Answer { code: Some(body.code), description: body.message, ..Answer::default() };
    Outcome::Declined(Decline::InvalidData, answer)
}

fn encode_token(intent: &TokenIntent<'_>, account: &Account<'_>) -> HttpRequest {
    let bank_account = if let Instrument::Bank { account, .. } = intent.instrument {
        Some(BankBody {
            number: account.number.reveal(),
            bank_code: account.bank_code.as_deref(),
            bank_type: account.bank_type.literal(),
            holder: account.holder.as_deref(),
        })
    } else {
        None
    };
    let body = TokenBody {
        reference: &intent.reference,
        card: encode_card(intent.instrument),
        bank_account,
        saved_by_merchant: intent.details.saved_by_merchant.then_some(true),
    };
    post(account, "tokens", &body, Some(intent.key.clone()))
}

fn decode_token(intent: &TokenIntent<'_>, response: &HttpResponse) -> (Outcome, Option<Secret>) {
    match response.status {
        200 => match serde_json::from_slice::<AnswerBody>(&response.body) {
            Ok(mut body) if body.reference == intent.reference => {
                let token = body.token.take().map(Secret::new);
                (outcome(body), token)
            }
            Ok(_) | Err(_) => (Outcome::Unknown, None),
        },
        // Even if it came before: a token moves no money, and what is refused now is not to be had.
        400 | 404 => (serde_json::from_slice(&response.body).map_or(Outcome::Unknown, decode_error), None),
        429 => (Outcome::NotSent, None),
        _ => (Outcome::Unknown, None),
    }
}

fn encode_look_up(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    // A reference is made of letters and digits: nothing to escape.
    get(account, &format!("operations?reference={}", intent.reference), known_by(account))
}

/// The first operation that took effect; if none did, and each says so, the last that was refused.
fn decode_look_up(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    if response.status != 200 {
        return Outcome::Unknown;
    }
    let Ok(found) = serde_json::from_slice::<OperationsBody>(&response.body) else { return Outcome::Unknown };
    let mut outcomes: Vec<Outcome> = found.operations.into_iter().map(|body| decode_answer(intent, body)).collect();
    let took_effect = |outcome: &Outcome| match outcome {
        Outcome::Approved(_) | Outcome::Accepted(_) | Outcome::ActionRequired(..) => true,
        Outcome::Declined(..) | Outcome::NotSent | Outcome::Unknown | Outcome::NeverReceived | Outcome::Voided(_) => {
            false
        }
    };
    let effects = outcomes.iter().filter(|outcome| took_effect(outcome)).count();
    let mut outcome = match outcomes.iter().position(took_effect) {
        Some(place) => outcomes.swap_remove(place),
        None if outcomes.contains(&Outcome::Unknown) => Outcome::Unknown,
        None => outcomes.pop().unwrap_or(Outcome::NeverReceived),
    };
    if let (2.., Outcome::Approved(answer) | Outcome::Accepted(answer)) = (effects, &mut outcome) {
        // Nothing of ours sends twice without a key; whoever reads the record must hear of it all the same.
        answer.message = Some(format!("{effects} operations at the gateway bear this reference"));
    }
    outcome
}

fn encode_timeout_reversal(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    post(account, "timeout-reversals", &ReferenceBody { reference: &intent.reference }, None)
}

fn decode_timeout_reversal(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    let body = (response.status == 200).then(|| serde_json::from_slice::<AnswerBody>(&response.body).ok()).flatten();
    let Some(body) = body.filter(|body| body.reference == intent.reference) else { return Outcome::Unknown };
    match body.status.as_str() {
        "reversed" | "nothing_to_reverse" => Outcome::Voided(Answer {
            reference: Some(body.id),
            code: Some(body.code),
            description: body.message,
            ..Answer::default()
        }),
        _ => Outcome::Unknown,
    }
}

fn post(account: &Account<'_>, path: &str, body: &impl Serialize, key: Option<String>) -> HttpRequest {
    let mut headers = known_by(account);
    headers.extend(key.map(|key| ("idempotency-key", key)));
    post_json(account, path, headers, body)
}

fn known_by(account: &Account<'_>) -> Headers {
    let key = account.credential.text(SECRET_KEY.name);
    if key.is_empty() { Headers::new() } else { vec![bearer(key)] }
}

/// What faults are to come: the same for all four, at the server's root.
fn encode_check(account: &Account<'_>) -> HttpRequest {
    let url = format!("{}/faults", origin(&account.gateway.base_url));
    HttpRequest { method: Method::Get, url, headers: known_by(account), body: zeroize::Zeroizing::default() }
}

fn decode_check(response: &HttpResponse) -> Result<Vec<Offer>, String> {
    let is_it = response.status == 200 && serde_json::from_slice::<FaultsBody>(&response.body).is_ok();
    if !is_it {
        return Err(format!("the answer is none of the sandbox's: {}", response.status));
    }
    let offer = |name: &str, label: &str| Offer { name: name.to_owned(), label: label.to_owned(), currency: None };
    Ok(vec![offer("card", "Card"), offer("bankAccount", "Bank account")])
}

#[cfg(test)]
mod tests;
