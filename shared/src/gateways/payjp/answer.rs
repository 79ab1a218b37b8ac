//! What PAY.JP's answers mean.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::send::registered;
use crate::gateways::{Intent, Known};
use crate::payment::{Answer, Decline, Kind, Outcome, PayerAction};
use crate::ports::HttpResponse;
use crate::recurring::retry::{Category, Decision};
use crate::time::Timestamp;

/// Codes, how each declines, and what kind of failure that is. What is not here may work if tried again. Sources: PAY.JP's OpenAPI for
/// what is refused with 400, 404 and 422, its guides to cards and to errors for 402.
const CODES: [(&str, Decline, Category); 15] = [
    ("already_exists_id", Decline::InvalidData, Category::PaymentInformation),
    ("already_refunded", Decline::InvalidData, Category::PaymentProcessing),
    ("card_declined", Decline::Soft, Category::PaymentProcessing),
    ("customer_required_for_payment_method", Decline::InvalidData, Category::PaymentInformation),
    ("detached_payment_method_not_usable", Decline::Permanent, Category::PaymentInformation),
    ("expired_card", Decline::InvalidData, Category::PaymentInformation),
    ("invalid_idempotency_key", Decline::InvalidData, Category::Unknown),
    ("invalid_status", Decline::InvalidData, Category::PaymentProcessing),
    ("missing_payment_method", Decline::InvalidData, Category::PaymentInformation),
    ("not_found", Decline::InvalidData, Category::PaymentInformation),
    ("payment_method_not_in_allowed_types", Decline::InvalidData, Category::PaymentInformation),
    ("payment_method_not_owned_by_customer", Decline::InvalidData, Category::PaymentInformation),
    ("refund_exceeds_payment", Decline::InvalidData, Category::PaymentProcessing),
    ("three_d_secure_failed", Decline::Soft, Category::Security),
    ("validation_error", Decline::InvalidData, Category::PaymentInformation),
];

/// How long a payer has, where PAY.JP does not say it; then the flow is asked what became of it.
const PAYER_HAS: Duration = Duration::from_secs(60 * 60);

pub(super) fn decline_of(code: &str) -> Decline {
    CODES.iter().find(|(known, ..)| *known == code).map_or(Decline::Soft, |(_, decline, _)| *decline)
}

pub(super) fn judge(decline: Decline, answer: &Answer) -> (Category, Decision) {
    let row = CODES.iter().find(|(known, ..)| answer.code.as_deref() == Some(known));
    (row.map_or(Category::Unknown, |(.., category)| *category), Decision::of(decline))
}

/// A payment flow: of what PAY.JP tells of it, what we need. Its client secret is not among that.
#[derive(Deserialize)]
pub(super) struct Flow {
    pub(super) id: String,
    /// What was asked for; what was taken of it is `amount_received`.
    pub(super) amount: i64,
    currency: String,
    status: String,
    pub(super) amount_received: Option<i64>,
    amount_capturable: Option<i64>,
    capture_method: Option<String>,
    payment_method_types: Option<Vec<String>>,
    next_action: Option<Value>,
    last_payment_error: Option<Value>,
    cancellation_reason: Option<String>,
    expired_at: Option<String>,
    #[serde(skip)]
    common: Common,
}

/// A refund, by either of its forms.
#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) amount: i64,
    status: String,
    payment_flow_id: Option<String>,
    payment_flow: Option<String>,
    #[serde(skip)]
    common: Common,
}

/// What both have, under the names of today and those of before October 2026: they may come together.
#[derive(Default, Deserialize)]
struct Common {
    metadata: Option<Value>,
    meta_data: Option<Value>,
    created_at: Option<String>,
    created_date: Option<String>,
    updated_at: Option<String>,
    updated_date: Option<String>,
}

impl Common {
    fn reference(&self) -> Option<&str> {
        self.metadata.as_ref().or(self.meta_data.as_ref())?.get("reference")?.as_str()
    }

    fn created(&self) -> Option<Timestamp> {
        self.created_at.as_deref().or(self.created_date.as_deref()).and_then(Timestamp::parse)
    }

    fn updated(&self) -> Option<Timestamp> {
        self.updated_at.as_deref().or(self.updated_date.as_deref()).and_then(Timestamp::parse)
    }
}

impl Flow {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let flow: Self = serde_json::from_slice(body).ok()?;
        Some(Self { common: serde_json::from_slice(body).ok()?, ..flow }).filter(|flow| !flow.id.is_empty())
    }
}

impl Refund {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let refund: Self = serde_json::from_slice(body).ok()?;
        Some(Self { common: serde_json::from_slice(body).ok()?, ..refund }).filter(|refund| !refund.id.is_empty())
    }
}

/// What later operations need to know of a flow beside its id.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Details {
    /// The way it was paid, where only one was possible.
    pub(super) method: Option<String>,
    created: Option<String>,
    confirmed: Option<String>,
}

impl Details {
    pub(super) fn of(known: &Known<'_>) -> Self {
        known.details.and_then(|details| serde_json::from_str(details).ok()).unwrap_or_default()
    }

    pub(super) fn created(&self) -> Option<Timestamp> {
        self.created.as_deref().and_then(Timestamp::parse)
    }

    pub(super) fn confirmed(&self) -> Option<Timestamp> {
        self.confirmed.as_deref().and_then(Timestamp::parse)
    }
}

/// What opened a payment.
#[derive(Clone, Copy)]
enum Opened {
    /// An authorization, to be captured by hand.
    Held,
    /// A sale.
    Taken,
}

/// A problem, as RFC 9457 has it. One without a code is none of PAY.JP's.
#[derive(Deserialize)]
struct Problem {
    code: String,
    title: Option<String>,
    detail: Option<String>,
}

pub(super) fn decode(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    let is_question = *intent.kind == Kind::PostAuthorize;
    match response.status {
        200 => told(intent, &response.body),
        // PAY.JP does not say that a key brings back what was refused: of a request that may have come before, a refusal
        // tells only that this time nothing was done. A question has no before.
        400 | 402 | 404 | 422 if intent.duplicate && !is_question => Outcome::Unknown,
        400 | 402 | 404 | 422 => refused(&response.body),
        401 | 429 => Outcome::NotSent,
        _ => Outcome::Unknown,
    }
}

pub(super) fn decode_look_up(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    if response.status == 200 { told(intent, &response.body) } else { Outcome::Unknown }
}

pub(super) fn refused(body: &[u8]) -> Outcome {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else { return Outcome::Unknown };
    let decline = decline_of(&problem.code);
    let answer =
        Answer { code: Some(problem.code), description: problem.detail.or(problem.title), ..Answer::default() };
    Outcome::Declined(decline, answer)
}

/// What a flow or a refund says of what was asked.
fn told(intent: &Intent<'_>, body: &[u8]) -> Outcome {
    if let Kind::Refund { .. } = intent.kind {
        return Refund::read(body).map_or(Outcome::Unknown, |refund| told_by_refund(intent, &refund));
    }
    let Some(flow) = Flow::read(body) else { return Outcome::Unknown };
    let is_named = |name: &str| flow.id == name;
    let is_it = match intent.kind {
        Kind::Authorize | Kind::Sale => {
            let is_known = intent.known.is_none_or(|known| is_named(known.reference));
            flow.common.reference() == Some(&intent.reference) && flow.amount == intent.amount.minor && is_known
        }
        Kind::PostAuthorize => is_named(registered(intent)),
        Kind::Capture { .. } | Kind::Reverse { .. } => intent.target.is_some_and(|target| is_named(target.reference)),
        Kind::Refund { .. } => false,
    };
    let is_same_currency = flow.currency.eq_ignore_ascii_case(intent.amount.currency.code());
    match intent.kind {
        _ if !is_it => Outcome::Unknown,
        Kind::PostAuthorize => flow.registered(intent.amount.minor, is_same_currency),
        _ if !is_same_currency => Outcome::Unknown,
        Kind::Authorize => flow.opened(Opened::Held),
        Kind::Sale => flow.opened(Opened::Taken),
        Kind::Capture { .. } => match flow.status.as_str() {
            "succeeded" if flow.amount_received == Some(intent.amount.minor) => Outcome::Approved(flow.answer()),
            "processing" => Outcome::Accepted(flow.answer()),
            _ => Outcome::Unknown,
        },
        Kind::Reverse { .. } => match flow.status.as_str() {
            "canceled" => Outcome::Approved(flow.answer()),
            "processing" => Outcome::Accepted(flow.answer()),
            _ => Outcome::Unknown,
        },
        Kind::Refund { .. } => Outcome::Unknown,
    }
}

impl Flow {
    pub(super) fn reference(&self) -> Option<&str> {
        self.common.reference()
    }

    pub(super) fn is_in_yen(&self) -> bool {
        self.currency.eq_ignore_ascii_case(super::CURRENCY)
    }

    /// What became of the authorization or the sale that opened it, by itself; none where it was canceled: nobody
    /// could tell whether it had been approved before.
    pub(super) fn opening(&self) -> Option<Outcome> {
        let opened = match self.capture_method.as_deref()? {
            "manual" => Opened::Held,
            "automatic" => Opened::Taken,
            _ => return None,
        };
        Some(self.opened(opened)).filter(|_| self.status != "canceled")
    }

    fn opened(&self, opened: Opened) -> Outcome {
        let is_whole = |amount: Option<i64>| amount.is_none_or(|amount| amount == self.amount);
        let is_captured_later = self.capture_method.as_deref() == Some("manual");
        match (self.status.as_str(), opened) {
            ("requires_capture", Opened::Held) if is_whole(self.amount_capturable) => Outcome::Approved(self.answer()),
            // Held first, and taken since.
            ("succeeded", Opened::Held) if is_captured_later => Outcome::Approved(self.answer()),
            ("succeeded", Opened::Taken) if is_whole(self.amount_received) => Outcome::Approved(self.answer()),
            ("processing", _) => Outcome::Accepted(self.answer()),
            ("requires_action", _) => self.awaiting_payer(),
            ("requires_payment_method", _) => self.failed(),
            ("canceled", _) => {
                let code = self.cancellation_reason.clone().or_else(|| Some(self.status.clone()));
                Outcome::Declined(Decline::Soft, Answer { code, ..self.answer() })
            }
            _ => Outcome::Unknown,
        }
    }

    /// Whether it is the hold that it is said to be. Nothing is done at PAY.JP either way.
    fn registered(&self, amount: i64, is_same_currency: bool) -> Outcome {
        let refused = |decline, code: &str| {
            let code = Some(code.to_owned());
            let description = Some(format!("The payment flow has status {}", self.status));
            Outcome::Declined(decline, Answer { code, description, ..self.answer() })
        };
        match self.status.as_str() {
            _ if !is_same_currency => refused(Decline::InvalidData, "currency_mismatch"),
            _ if self.amount != amount => refused(Decline::InvalidData, "amount_mismatch"),
            "requires_capture" if self.amount_capturable.is_none_or(|held| held == amount) => {
                Outcome::Approved(self.answer())
            }
            "processing" | "requires_action" => Outcome::Accepted(self.answer()),
            // The payer may still be choosing.
            "requires_payment_method" | "requires_confirmation" => refused(Decline::Soft, "not_authorized"),
            "requires_capture" | "succeeded" | "canceled" => refused(Decline::InvalidData, "invalid_status"),
            _ => Outcome::Unknown,
        }
    }

    /// What the payer must do: PAY.JP leaves open what `next_action` looks like, so a URL in it is looked for, at most
    /// one level down.
    fn awaiting_payer(&self) -> Outcome {
        let is_url = |text: &&str| text.starts_with("https://") || text.starts_with("http://");
        let url_of = |value: &Value| value.get("url").and_then(Value::as_str).filter(is_url).map(str::to_owned);
        let url = self.next_action.as_ref().and_then(|action| {
            url_of(action).or_else(|| action.as_object().and_then(|members| members.values().find_map(url_of)))
        });
        let said = self.expired_at.as_deref().and_then(Timestamp::parse);
        let expires_at = said.or_else(|| Some(self.common.created()?.plus(PAYER_HAS)));
        match url.zip(expires_at) {
            Some((url, expires_at)) => Outcome::ActionRequired(self.answer(), PayerAction { url, expires_at }),
            None => Outcome::Accepted(self.answer()),
        }
    }

    /// The last error is as free as what comes next; without one, nothing was there to pay with.
    fn failed(&self) -> Outcome {
        let said = |name: &str| {
            let text = self.last_payment_error.as_ref()?.get(name)?.as_str()?;
            Some(text.to_owned())
        };
        let code = said("code").unwrap_or_else(|| self.status.clone());
        let description = said("detail").or_else(|| said("message")).or_else(|| said("title"));
        Outcome::Declined(decline_of(&code), Answer { code: Some(code), description, ..self.answer() })
    }

    fn answer(&self) -> Answer {
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let is_confirmed = self.status == "succeeded";
        let details = Details {
            method: match self.payment_method_types.as_deref() {
                Some([only]) => Some(only.clone()),
                Some(_) | None => None,
            },
            created: text(self.common.created()),
            confirmed: text(self.common.updated().filter(|_| is_confirmed)),
        };
        Answer {
            reference: Some(self.id.clone()),
            reference_details: serde_json::to_string(&details).ok(),
            code: Some(self.status.clone()),
            date: self.common.updated(),
            ..Answer::default()
        }
    }
}

fn told_by_refund(intent: &Intent<'_>, refund: &Refund) -> Outcome {
    let flow = refund.payment_flow_id.as_deref().or(refund.payment_flow.as_deref());
    // The form that PAY.JP's guide prints may come without metadata: then it is known by what was asked.
    let is_ours = refund.common.reference().is_none_or(|reference| reference == intent.reference);
    let is_known = intent.known.is_none_or(|known| known.reference == refund.id);
    let is_of_target = intent.target.is_some_and(|target| flow == Some(target.reference));
    let is_it = is_ours && is_known && is_of_target && refund.amount == intent.amount.minor;
    if is_it { refund.outcome() } else { Outcome::Unknown }
}

impl Refund {
    pub(super) fn reference(&self) -> Option<&str> {
        self.common.reference()
    }

    pub(super) fn outcome(&self) -> Outcome {
        let answer = Answer {
            reference: Some(self.id.clone()),
            code: Some(self.status.clone()),
            date: self.common.updated(),
            ..Answer::default()
        };
        match self.status.as_str() {
            "succeeded" => Outcome::Approved(answer),
            "pending" | "requires_action" => Outcome::Accepted(answer),
            "failed" | "canceled" => Outcome::Declined(Decline::Soft, answer),
            _ => Outcome::Unknown,
        }
    }
}
