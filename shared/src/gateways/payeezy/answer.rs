//! What Payeezy's answers mean.
//!
//! | HTTP status | answer | means |
//! |---|---|---|
//! | 200, 201, 202 | `approved`, of what was asked | approved |
//! | the same, 400 | `declined` | declined, by the [table](declines) |
//! | the same, 400 | `Not Processed`, with errors of the checks before | declined: it was not carried out |
//! | 401, 403 | the refusal of our key, token or signature | never carried out: [`Outcome::NotSent`] |
//! | anything else | | unknown |
//!
//! `transaction_status` alone decides. `gateway_resp_code` is `00` even where the bank has declined, and an answer that
//! was refused for its form may lack `validation_status`. An approval must name what was asked (type, amount, currency)
//! and, where something will act on it, both names of it; else it is of something else, and nothing is known.
//!
//! Payeezy carries out whatever comes again. Of a request that may have come before, a refusal says nothing.
//! `Transaction_Throttled` is unknown: no text of Payeezy's says that such a request was not carried out.

pub(super) mod declines;

use serde::Deserialize;
use serde_json::Value;

use super::send::{ReferenceDetails, token_of, transaction_type};
use crate::gateways::Intent;
use crate::payment::{Answer, Kind, Outcome};
use crate::ports::HttpResponse;

#[derive(Deserialize)]
struct AnswerBody {
    transaction_status: Option<String>,
    transaction_type: Option<String>,
    transaction_id: Option<String>,
    transaction_tag: Option<String>,
    method: Option<String>,
    amount: Option<String>,
    currency: Option<String>,
    avs: Option<String>,
    cvv2: Option<String>,
    bank_resp_code: Option<String>,
    bank_message: Option<String>,
    gateway_resp_code: Option<String>,
    gateway_message: Option<String>,
    #[serde(rename = "Error")]
    error: Option<Value>,
}

/// An answer of those who guard Payeezy's door, each in a form of its own.
#[derive(Deserialize)]
struct DoorBody {
    code: Option<String>,
    message: Option<String>,
    error: Option<String>,
    fault: Option<FaultBody>,
}

#[derive(Deserialize)]
struct FaultBody {
    detail: Option<FaultDetail>,
}

#[derive(Deserialize)]
struct FaultDetail {
    errorcode: Option<String>,
}

/// A code of Payeezy's and what it says of it.
#[derive(Default)]
pub(super) struct Said {
    pub code: Option<String>,
    pub description: Option<String>,
}

pub(super) fn decode(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    let outcome = judge(intent, response);
    // The shell knows what is stored; that the token's value is a part of it, it does not.
    match token_of(intent) {
        Some(token) => token.kept_out_of(outcome),
        None => outcome,
    }
}

fn judge(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    match response.status {
        401 | 403 if !intent.duplicate && was_turned_away(&response.body) => Outcome::NotSent,
        200..=202 | 400 => read(intent, response, transaction_type(intent.kind)).map_or(Outcome::Unknown, |body| {
            match body.transaction_status.as_deref() {
                Some("approved") if response.status != 400 => approved(intent, body),
                Some("declined") if !intent.duplicate => declined(body),
                Some("Not Processed") if !intent.duplicate => not_processed(body),
                Some(_) | None => Outcome::Unknown,
            }
        }),
        _ => Outcome::Unknown,
    }
}

/// Whatever an opening came to, it is undone; or nothing is known. What Payeezy answers where it never saw the opening is
/// not documented.
pub(super) fn decode_reversal(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    let body = (200..=202).contains(&response.status).then(|| read(intent, response, "void")).flatten();
    let approved = body.filter(|body| body.names_all() && body.transaction_status.as_deref() == Some("approved"));
    approved.map_or(Outcome::Unknown, |body| Outcome::Voided(body.answer()))
}

/// An answer that speaks of nothing else than what was asked.
fn read(intent: &Intent<'_>, response: &HttpResponse, asked: &str) -> Option<AnswerBody> {
    let body: AnswerBody = serde_json::from_slice(&response.body).ok()?;
    let agrees = |said: &Option<String>, expected: &str| said.as_deref().is_none_or(|said| said == expected);
    let is_ours = agrees(&body.transaction_type, asked)
        && agrees(&body.amount, &intent.amount.minor.to_string())
        && agrees(&body.currency, intent.amount.currency.code());
    is_ours.then_some(body)
}

impl AnswerBody {
    fn names_all(&self) -> bool {
        self.transaction_type.is_some() && self.amount.is_some() && self.currency.is_some()
    }

    /// By what was carried out; codes are the bank's, or the gateway's where it asked no bank.
    fn answer(self) -> Answer {
        let details =
            named(self.transaction_id).map(|transaction_id| ReferenceDetails { transaction_id, method: self.method });
        let Said { code, description } = if self.bank_resp_code.is_some() {
            Said { code: self.bank_resp_code, description: self.bank_message }
        } else {
            Said { code: self.gateway_resp_code, description: self.gateway_message }
        };
        Answer {
            reference: named(self.transaction_tag),
            reference_details: details.and_then(|details| serde_json::to_string(&details).ok()),
            code,
            description,
            message: named(self.cvv2).map(|result| format!("CVV2 result {result}")),
            avs_code: named(self.avs),
            ..Answer::default()
        }
    }
}

/// A name of Payeezy's: one of them was recorded with a space behind it.
fn named(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn approved(intent: &Intent<'_>, body: AnswerBody) -> Outcome {
    let is_acted_on = match intent.kind {
        Kind::Authorize | Kind::PostAuthorize | Kind::Sale | Kind::Capture { .. } => true,
        Kind::Reverse { .. } | Kind::Refund { .. } => false,
    };
    let is_named = body.names_all();
    let answer = body.answer();
    let is_reachable = answer.reference.is_some() && answer.reference_details.is_some();
    if is_named && (is_reachable || !is_acted_on) { Outcome::Approved(answer) } else { Outcome::Unknown }
}

fn declined(body: AnswerBody) -> Outcome {
    let decline = declines::of_codes(body.bank_resp_code.as_deref(), body.gateway_resp_code.as_deref());
    let by_gateway = body.gateway_resp_code.as_deref().is_some_and(|code| code != declines::NORMAL);
    let said = Said { code: body.gateway_resp_code.clone(), description: body.gateway_message.clone() };
    let answer = body.answer();
    let Said { code, description } =
        if by_gateway { said } else { Said { code: answer.code, description: answer.description } };
    Outcome::Declined(decline, Answer { code, description, ..answer })
}

fn not_processed(body: AnswerBody) -> Outcome {
    let mut errors = errors(body.error.as_ref());
    let decline = declines::of_errors(&errors);
    let answer = body.answer();
    if errors.is_empty() {
        errors.push(Said { code: answer.code, description: answer.description });
    }
    let answer = Answer { code: None, description: None, ..answer };
    decline.map_or(Outcome::Unknown, |decline| Outcome::Declined(decline, with_errors(answer, errors)))
}

/// The first error as code and description, the others as a message.
pub(super) fn with_errors(answer: Answer, errors: Vec<Said>) -> Answer {
    let mut errors = errors.into_iter();
    let Said { code, description } = errors.next().unwrap_or_default();
    let others: Vec<String> = errors.filter_map(|other| other.description.or(other.code)).collect();
    let message = if others.is_empty() { answer.message } else { Some(others.join("; ")) };
    Answer { code, description, message, ..answer }
}

/// Errors stand in a list. Salesforce's tests know an answer with an object in its place, so that is one error.
pub(super) fn errors(error: Option<&Value>) -> Vec<Said> {
    let text = |message: &Value, name| message.get(name).and_then(Value::as_str).map(str::to_owned);
    let said = |message: &Value| Said { code: text(message, "code"), description: text(message, "description") };
    let has_any = |said: &Said| said.code.is_some() || said.description.is_some();
    match error.and_then(|error| error.get("messages")) {
        Some(Value::Array(messages)) => messages.iter().map(said).filter(has_any).collect(),
        Some(message @ Value::Object(_)) => Some(said(message)).filter(has_any).into_iter().collect(),
        Some(_) | None => Vec::new(),
    }
}

/// Whether Payeezy did not know our key, our token or our signature: nothing behind its door has seen the request.
pub(super) fn was_turned_away(body: &[u8]) -> bool {
    let Ok(body) = serde_json::from_slice::<DoorBody>(body) else { return false };
    let key = body.fault.and_then(|fault| fault.detail).and_then(|detail| detail.errorcode);
    let is_hmac = body.code.as_deref() == Some("403")
        && body.message.is_some_and(|message| message.eq_ignore_ascii_case("HMAC validation Failure"));
    is_hmac
        || body.error.as_deref() == Some("Access denied")
        || key.is_some_and(|code| code.starts_with("oauth.v2.InvalidApiKey"))
}
