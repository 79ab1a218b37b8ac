//! What Stripe's answers mean.
//!
//! | answer | means |
//! |---|---|
//! | 200 with an intent or a refund | what its status says, where it is the one that was asked for |
//! | 400, 402, 404 with an error | refused, by [`REFUSALS`] |
//! | 401, 403, 429 with `rate_limit` | not acted: it stops before the operation |
//! | anything else, such as 409, 500, and 429 with `lock_timeout` | unknown |
//!
//! Stripe documents ("Idempotent requests") that it keeps the status and the body of the first answer under a key, errors and
//! 500 included, once the endpoint has begun its work; not where parameters are found invalid before, or another request
//! under the key still runs. So what only an endpoint at work says, a card's refusal and what the state of an object
//! forbids, is the first answer even where the request may have come before. What is refused before that says nothing of
//! the first: parameters may be looked at before the key is, and may do no longer what they did. What it says of the key
//! itself tells nothing.

use serde::Deserialize;

use super::super::Intent;
use super::send::parts;
use super::{DAY, REFERENCE, money, units};
use crate::card::Secret;
use crate::money::Money;
use crate::payment::{Answer, Decline, Instrument, Kind, Outcome, PayerAction};
use crate::ports::HttpResponse;
use crate::recurring::retry::{Category, Decision};
use crate::time::Timestamp;

/// A PaymentIntent, as far as it matters.
#[derive(Deserialize)]
pub(super) struct IntentBody {
    pub id: String,
    object: String,
    status: String,
    amount: i64,
    currency: String,
    amount_capturable: Option<i64>,
    amount_received: Option<i64>,
    capture_method: Option<String>,
    metadata: Option<Metadata>,
    next_action: Option<NextAction>,
    last_payment_error: Option<ErrorBody>,
    latest_charge: Option<Expandable<ChargeBody>>,
    /// Before the version of 2022-11-15.
    charges: Option<Charges>,
    cancellation_reason: Option<String>,
    created: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct Metadata {
    pub reference: Option<String>,
}

/// An object, or only its id.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Expandable<T> {
    Id(String),
    Whole(Box<T>),
}

#[derive(Deserialize)]
pub(super) struct NextAction {
    pub redirect_to_url: Option<Redirect>,
}

#[derive(Deserialize)]
pub(super) struct Redirect {
    pub url: Option<String>,
}

#[derive(Deserialize)]
struct Charges {
    data: Vec<ChargeBody>,
}

#[derive(Deserialize)]
struct ChargeBody {
    authorization_code: Option<String>,
    payment_method_details: Option<MethodDetails>,
}

#[derive(Deserialize)]
struct MethodDetails {
    card: Option<CardDetails>,
}

#[derive(Deserialize)]
struct CardDetails {
    authorization_code: Option<String>,
    checks: Option<Checks>,
}

#[derive(Deserialize)]
struct Checks {
    address_line1_check: Option<String>,
    address_postal_code_check: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RefundBody {
    pub id: String,
    object: String,
    status: Option<String>,
    amount: i64,
    currency: String,
    payment_intent: Option<Expandable<NamedBody>>,
    metadata: Option<Metadata>,
    pub failure_reason: Option<String>,
    created: Option<i64>,
}

#[derive(Deserialize)]
struct NamedBody {
    id: String,
}

#[derive(Deserialize)]
struct Refused {
    error: ErrorBody,
}

#[derive(Deserialize)]
pub(super) struct ErrorBody {
    #[serde(rename = "type")]
    error_type: Option<String>,
    code: Option<String>,
    decline_code: Option<String>,
    message: Option<String>,
    advice_code: Option<String>,
    payment_intent: Option<Box<IntentBody>>,
}

/// Codes of errors and of declines ("Error codes", "Decline codes"): how they decline, and what kind of failure that is. One
/// that is not here may work if tried again.
pub(super) const REFUSALS: &[(Decline, Category, &[&str])] = &[
    (
        Decline::Permanent,
        Category::PaymentProcessing,
        &[
            "account_closed",
            "debit_not_authorized",
            "invalid_account",
            "restricted_card",
            "revocation_of_all_authorizations",
            "revocation_of_authorization",
            "stop_payment_order",
        ],
    ),
    (
        Decline::Permanent,
        Category::Security,
        &["lost_card", "merchant_blacklist", "pickup_card", "security_violation", "stolen_card"],
    ),
    (Decline::RequiresReview, Category::PaymentProcessing, &["approval_required", "call_issuer", "refer_to_customer"]),
    (Decline::RequiresReview, Category::Security, &["fraudulent"]),
    (Decline::InvalidData, Category::CardLimit, &["amount_too_large"]),
    (
        Decline::InvalidData,
        Category::PaymentInformation,
        &[
            "amount_too_small",
            "country_code_invalid",
            "email_invalid",
            "expired_card",
            "incorrect_address",
            "incorrect_cvc",
            "incorrect_number",
            "incorrect_postal_code",
            "incorrect_zip",
            "invalid_characters",
            "invalid_charge_amount",
            "invalid_cvc",
            "invalid_expiry_month",
            "invalid_expiry_year",
            "invalid_number",
            "parameter_invalid_empty",
            "parameter_invalid_integer",
            "parameter_invalid_string_blank",
            "parameter_invalid_string_empty",
            "parameter_missing",
            "parameter_unknown",
            "parameters_exclusive",
            "payment_intent_incompatible_payment_method",
            "payment_intent_invalid_parameter",
            "payment_method_currency_mismatch",
            "payment_method_invalid_parameter",
            "postal_code_invalid",
            "resource_missing",
            "setup_intent_invalid_parameter",
            "url_invalid",
        ],
    ),
    (
        Decline::InvalidData,
        Category::PaymentProcessing,
        &["payment_method_unexpected_state", "setup_intent_unexpected_state"],
    ),
    (Decline::InvalidData, Category::PaymentProcessing, OF_THE_STATE),
    (
        Decline::Soft,
        Category::CardLimit,
        &["card_velocity_exceeded", "insufficient_funds", "invalid_amount", "withdrawal_count_limit_exceeded"],
    ),
    (
        Decline::Soft,
        Category::PaymentProcessing,
        &[
            "card_declined",
            "card_not_supported",
            "do_not_honor",
            "do_not_try_again",
            "duplicate_transaction",
            "generic_decline",
            "new_account_information_available",
            "no_action_taken",
            "not_permitted",
            "service_not_allowed",
            "setup_attempt_failed",
            "transaction_not_allowed",
        ],
    ),
    (Decline::Soft, Category::PaymentInformation, &["currency_not_supported"]),
    (
        Decline::Soft,
        Category::Security,
        &[
            "approve_with_id",
            "authentication_not_handled",
            "authentication_required",
            "incorrect_pin",
            "invalid_pin",
            "mobile_device_authentication_required",
            "offline_pin_required",
            "online_or_offline_pin_required",
            "payment_intent_authentication_failure",
            "pin_try_exceeded",
            "setup_intent_authentication_failure",
        ],
    ),
    (
        Decline::Soft,
        Category::GatewayConnection,
        &["issuer_not_available", "processing_error", "reenter_transaction", "try_again_later"],
    ),
];

/// What the state of an intent, a charge or a refund forbids: an endpoint must have begun its work to see it.
pub(super) const OF_THE_STATE: &[&str] = &[
    "capture_charge_authorization_expired",
    "charge_already_captured",
    "charge_already_refunded",
    "charge_disputed",
    "charge_expired_for_capture",
    "charge_not_refundable",
    "payment_intent_unexpected_state",
    "refund_disputed_payment",
];

/// Soft by Stripe's word, and yet hopeless: the bank says so, or it does not allow this to be paid with this card (Visa's
/// response code 57, which is never to be tried again).
const HOPELESS: [&str; 2] = ["do_not_try_again", "transaction_not_allowed"];

/// By the advice too, which rests as the message: Stripe sums up in it what card networks advise.
pub(super) fn judge(decline: Decline, answer: &Answer) -> (Category, Decision) {
    let code = answer.code.as_deref().unwrap_or_default();
    let row = REFUSALS.iter().find(|(.., codes)| codes.contains(&code));
    let is_hopeless = HOPELESS.contains(&code) || answer.message.as_deref() == Some("do_not_try_again");
    let decision = if is_hopeless { Decision::NonRetriable } else { Decision::of(decline) };
    (row.map_or(Category::Unknown, |(_, category, _)| *category), decision)
}

/// What Stripe says of a key, or of who else is at work: nothing of the operation.
const OF_THE_KEY: [&str; 3] = ["idempotency_error", "idempotency_key_in_use", "lock_timeout"];

pub(super) fn decode(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    match response.status {
        200 => told(intent, response),
        400 | 402 | 404 => {
            let error = says_no(response).filter(|error| !may_have_acted(intent) || error.is_the_first_answer());
            error.map_or(Outcome::Unknown, |error| refused(intent, error))
        }
        _ if is_turned_away(response) => Outcome::NotSent,
        _ => Outcome::Unknown,
    }
}

/// Whether the request may have come before. To look is no act.
fn may_have_acted(intent: &Intent<'_>) -> bool {
    intent.duplicate && !matches!(intent.kind, Kind::PostAuthorize)
}

/// Whether it stopped before the operation. A lock that was not to be had is answered with 429 too, and when that was, is
/// not documented.
pub(super) fn is_turned_away(response: &HttpResponse) -> bool {
    match response.status {
        401 | 403 => true,
        429 => serde_json::from_slice::<Refused>(&response.body).is_ok_and(|refused| refused.error.is_of_the_rate()),
        _ => false,
    }
}

/// What is not found, or refused, tells nothing of what was asked for before.
pub(super) fn decode_look_up(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    if response.status == 200 { told(intent, response) } else { Outcome::Unknown }
}

fn told(intent: &Intent<'_>, response: &HttpResponse) -> Outcome {
    if let Kind::Refund { .. } = intent.kind {
        let body = serde_json::from_slice::<RefundBody>(&response.body);
        return body.ok().filter(|body| body.is_asked(intent)).map_or(Outcome::Unknown, RefundBody::outcome);
    }
    match serde_json::from_slice::<IntentBody>(&response.body) {
        Ok(body) if body.object == "payment_intent" => of_intent(intent, body),
        Ok(_) | Err(_) => Outcome::Unknown,
    }
}

fn of_intent(intent: &Intent<'_>, body: IntentBody) -> Outcome {
    let asked = units(intent.amount);
    let is_same_currency = body.currency.eq_ignore_ascii_case(intent.amount.currency.code());
    let is_target = intent.target.is_some_and(|target| target.reference == body.id);
    let is_manual = body.capture_method.as_deref() == Some("manual");
    let is_new = is_same_currency && Some(body.amount) == asked && body.reference() == Some(&intent.reference);
    match (intent.kind, body.status.as_str()) {
        (Kind::PostAuthorize, _) => registered(intent, body),
        // Taken by somebody else meanwhile: the hold was there.
        (Kind::Authorize, "requires_capture" | "succeeded") if is_new && is_manual => body.approved(),
        (Kind::Sale, "succeeded") if is_new && !is_manual => body.approved(),
        (Kind::Authorize | Kind::Sale, "requires_capture" | "succeeded") => Outcome::Unknown,
        (Kind::Authorize | Kind::Sale, _) if is_new => body.undecided(),
        (Kind::Capture { .. }, "succeeded") if is_target && is_same_currency => {
            let is_all = Some(body.amount_received.unwrap_or(body.amount)) == asked;
            // A dialect without metadata of captures leaves the authorization's.
            let opened = intent.target.map(|target| target.record.to_string());
            let is_ours =
                body.reference().is_none_or(|found| *found == intent.reference || Some(found) == opened.as_ref());
            if is_all && is_ours { Outcome::Approved(body.answer(&body.status)) } else { Outcome::Unknown }
        }
        (Kind::Capture { .. }, "processing") if is_target => Outcome::Accepted(body.answer(&body.status)),
        (Kind::Reverse { .. }, "canceled") if is_target => Outcome::Approved(body.answer(&body.status)),
        (Kind::Authorize | Kind::Sale | Kind::Capture { .. } | Kind::Reverse { .. } | Kind::Refund { .. }, _) => {
            Outcome::Unknown
        }
    }
}

/// Nothing is done here but to look, so a mismatch is certain.
fn registered(intent: &Intent<'_>, body: IntentBody) -> Outcome {
    let named = intent.details.additional_data.get(REFERENCE);
    if named != Some(&body.id) {
        return Outcome::Unknown;
    }
    let is_same_currency = body.currency.eq_ignore_ascii_case(intent.amount.currency.code());
    let held = body.amount_capturable.filter(|_| body.status == "requires_capture").unwrap_or(body.amount);
    let misfit = match body.status.as_str() {
        _ if !is_same_currency => "currency_mismatch",
        _ if Some(held) != units(intent.amount) => "amount_mismatch",
        "requires_capture" => return body.approved(),
        "processing" => return Outcome::Accepted(body.answer(&body.status)),
        _ => "payment_intent_unexpected_state",
    };
    Outcome::Declined(Decline::InvalidData, body.answer(misfit))
}

impl IntentBody {
    pub(super) fn reference(&self) -> Option<&String> {
        self.metadata.as_ref().and_then(|metadata| metadata.reference.as_ref())
    }

    /// What is told of an intent unasked; none where it tells nothing.
    pub(super) fn told_unasked(self) -> Option<Outcome> {
        match self.status.as_str() {
            "requires_capture" | "succeeded" => Some(Outcome::Approved(self.answer(&self.status))),
            // One that was authorized is canceled because somebody asked for that, or because its time was over.
            "canceled" if self.has_charge() => None,
            "canceled" | "requires_payment_method" | "requires_action" | "processing" => Some(self.undecided()),
            _ => None,
        }
    }

    /// Of how much is told unasked: of a sale or a capture, which takes money, what was taken; of an authorization what is
    /// held, and that was the intent's amount where it has been taken since, in part too. None where we cannot count it.
    pub(super) fn amount_told(&self, takes: bool) -> Option<Money> {
        let units = match self.status.as_str() {
            "requires_capture" => self.amount_capturable,
            "succeeded" if takes => self.amount_received,
            _ => None,
        };
        money(units.unwrap_or(self.amount), &self.currency)
    }

    pub(super) fn is_held(&self) -> bool {
        self.status == "requires_capture"
    }

    fn has_charge(&self) -> bool {
        self.latest_charge.is_some() || self.charges.as_ref().is_some_and(|charges| !charges.data.is_empty())
    }

    fn approved(self) -> Outcome {
        let date = moment(self.created);
        Outcome::Approved(Answer { date, ..self.answer(&self.status) })
    }

    /// What an intent means that holds nothing and took nothing, yet or ever.
    fn undecided(self) -> Outcome {
        match self.status.as_str() {
            "processing" => Outcome::Accepted(self.answer(&self.status)),
            "requires_action" => self.waiting(),
            "requires_payment_method" => match &self.last_payment_error {
                Some(error) => {
                    Outcome::Declined(error.decline(), Answer { reference: Some(self.id.clone()), ..error.answer() })
                }
                None => Outcome::Declined(Decline::Soft, self.answer(&self.status)),
            },
            "canceled" => {
                let reason = self.cancellation_reason.as_deref().unwrap_or(&self.status);
                Outcome::Declined(Decline::Soft, self.answer(reason))
            }
            _ => Outcome::Unknown,
        }
    }

    /// Stripe documents no end of the page: it is taken to be of use for a day.
    fn waiting(self) -> Outcome {
        let answer = self.answer(&self.status);
        let url = self.next_action.and_then(|action| action.redirect_to_url).and_then(|redirect| redirect.url);
        match (url, moment(self.created)) {
            (Some(url), Some(created)) => {
                Outcome::ActionRequired(answer, PayerAction { url, expires_at: created.plus(DAY) })
            }
            (None, _) | (_, None) => Outcome::Accepted(answer),
        }
    }

    fn answer(&self, code: &str) -> Answer {
        let charge = match &self.latest_charge {
            Some(Expandable::Whole(charge)) => Some(&**charge),
            Some(Expandable::Id(_)) | None => self.charges.as_ref().and_then(|charges| charges.data.first()),
        };
        let card = charge.and_then(|charge| charge.payment_method_details.as_ref()?.card.as_ref());
        let checks = card.and_then(|card| card.checks.as_ref());
        let authorization_code = charge.and_then(|charge| charge.authorization_code.as_ref());
        Answer {
            reference: Some(self.id.clone()),
            code: Some(code.to_owned()),
            authorization_code: authorization_code.or(card.and_then(|card| card.authorization_code.as_ref())).cloned(),
            avs_code: checks.and_then(Checks::avs_code),
            ..Answer::default()
        }
    }
}

impl Checks {
    /// The street's check and the postal code's, in Stripe's words.
    fn avs_code(&self) -> Option<String> {
        let (line, code) = (self.address_line1_check.as_deref(), self.address_postal_code_check.as_deref());
        (line.is_some() || code.is_some())
            .then(|| format!("{}/{}", line.unwrap_or("unprovided"), code.unwrap_or("unprovided")))
    }
}

impl RefundBody {
    pub(super) fn reference(&self) -> Option<&String> {
        self.metadata.as_ref().and_then(|metadata| metadata.reference.as_ref())
    }

    /// None where we cannot count it.
    pub(super) fn amount_told(&self) -> Option<Money> {
        money(self.amount, &self.currency)
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self.status.as_deref(), Some("failed" | "canceled"))
    }

    fn is_asked(&self, intent: &Intent<'_>) -> bool {
        let of = self.payment_intent.as_ref().map(|of| match of {
            Expandable::Id(id) => id,
            Expandable::Whole(body) => &body.id,
        });
        self.object == "refund"
            && self.reference() == Some(&intent.reference)
            && Some(self.amount) == units(intent.amount)
            && self.currency.eq_ignore_ascii_case(intent.amount.currency.code())
            && of.map(String::as_str) == intent.target.map(|target| target.reference)
    }

    pub(super) fn outcome(self) -> Outcome {
        let status = self.status.unwrap_or_default();
        let answer = |code: &str| Answer {
            reference: Some(self.id),
            code: Some(code.to_owned()),
            date: moment(self.created),
            ..Answer::default()
        };
        match status.as_str() {
            "succeeded" => Outcome::Approved(answer(&status)),
            "pending" | "requires_action" => Outcome::Accepted(answer(&status)),
            "failed" | "canceled" => {
                let code = self.failure_reason.as_deref().unwrap_or(&status);
                Outcome::Declined(Decline::Soft, answer(code))
            }
            _ => Outcome::Unknown,
        }
    }
}

impl ErrorBody {
    /// Whether it comes back under its key, because only an endpoint at work says it.
    fn is_the_first_answer(&self) -> bool {
        let is_of_a_card = self.error_type.as_deref() == Some("card_error");
        is_of_a_card || self.codes().any(|code| OF_THE_STATE.contains(&code))
    }

    fn is_of_the_rate(&self) -> bool {
        self.code.as_deref() == Some("rate_limit")
    }

    fn codes(&self) -> impl Iterator<Item = &str> {
        [self.decline_code.as_deref(), self.code.as_deref()].into_iter().flatten()
    }

    fn decline(&self) -> Decline {
        // A code that may mean anything leaves it to the other one.
        let says_more = || REFUSALS.iter().filter(|(decline, ..)| *decline != Decline::Soft);
        let of = |code: &str| says_more().find(|(.., codes)| codes.contains(&code)).map(|(decline, ..)| *decline);
        let is_nameless = self.codes().next().is_none() && self.error_type.as_deref() == Some("invalid_request_error");
        self.codes().find_map(of).unwrap_or(if is_nameless { Decline::InvalidData } else { Decline::Soft })
    }

    fn answer(&self) -> Answer {
        Answer {
            reference: self.payment_intent.as_ref().map(|intent| intent.id.clone()),
            code: self.codes().next().or(self.error_type.as_deref()).map(str::to_owned),
            description: self.message.clone(),
            message: self.advice_code.clone(),
            ..Answer::default()
        }
    }
}

/// The error of an answer that is one, unless it is about the key.
pub(super) fn says_no(response: &HttpResponse) -> Option<ErrorBody> {
    let Refused { error } = serde_json::from_slice(&response.body).ok()?;
    let is_error = matches!(error.error_type.as_deref(), Some("card_error" | "invalid_request_error"));
    let is_of_the_key = error.codes().any(|code| OF_THE_KEY.contains(&code));
    (is_error && !is_of_the_key).then_some(error)
}

fn refused(intent: &Intent<'_>, error: ErrorBody) -> Outcome {
    if let Some(found) = &error.payment_intent {
        let is_of_another = match intent.kind {
            Kind::Authorize | Kind::Sale => {
                let is_alive = matches!(found.status.as_str(), "requires_capture" | "succeeded" | "processing");
                found.reference() != Some(&intent.reference) || is_alive
            }
            Kind::PostAuthorize => false,
            Kind::Capture { .. } | Kind::Reverse { .. } | Kind::Refund { .. } => {
                intent.target.is_none_or(|target| target.reference != found.id)
            }
        };
        if is_of_another {
            return Outcome::Unknown;
        }
    }
    let token = match intent.instrument {
        Some(Instrument::Stored(on_file)) => on_file.token.as_ref().map_or("", Secret::reveal),
        Some(Instrument::Alternative { token, .. }) => token.reveal(),
        Some(Instrument::Card { .. } | Instrument::Bank { .. }) | None => "",
    };
    let (customer, method) = parts(token);
    refusal(error, &[customer.unwrap_or_default(), method])
}

/// What is refused, without these texts wherever Stripe repeats them: a part of a token is not found by who masks it whole.
pub(super) fn refusal(error: ErrorBody, secrets: &[&str]) -> Outcome {
    let known = |secret: &&&str| !secret.is_empty();
    let mask = |text: String| secrets.iter().filter(known).fold(text, |text, secret| text.replace(*secret, "****"));
    let answer = error.answer();
    let answer = Answer { description: answer.description.map(mask), ..answer };
    Outcome::Declined(error.decline(), answer)
}

pub(super) fn moment(seconds: Option<i64>) -> Option<Timestamp> {
    seconds?.checked_mul(1000).map(Timestamp::from_millis)
}
