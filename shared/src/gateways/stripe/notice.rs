//! What Stripe tells unasked: one event a body, signed under `Stripe-Signature`.
//!
//! | event | is |
//! |---|---|
//! | `payment_intent.succeeded`, `.amount_capturable_updated`, `.payment_failed`, `.canceled`, `.processing`, `.requires_action` | how the operation stands that `metadata[reference]` names |
//! | `setup_intent.succeeded`, `.setup_failed`, `.canceled` | whether the card is kept that `metadata[reference]` names, with its token |
//! | `refund.created`, `.updated`, `.failed`, `charge.refund.updated` | how the refund stands, or that it did not stand |
//! | `charge.dispute.created`, `.funds_withdrawn`, `.funds_reinstated`, `.closed` | a stage of a dispute; whose, we ask |
//!
//! All others are irrelevant. Events come in any order and more than once. A dispute names the intent without what we call
//! it, so its operation is asked for: `GET /v1/disputes/{id}?expand[]=payment_intent`. An intent that bears no reference of
//! ours may have been registered under its own id.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::signatures::check_stripe;
use super::super::wire::{escaped, get};
use super::super::{
    Account, Answered, Inquiry, Items, News, NotTaken, Notice, NoticeAnswer, NoticeCodec, Question, RawNotice, Told,
    Unreadable,
};
use super::answer::{Expandable, IntentBody, RefundBody};
use super::setup::SetupBody;
use super::{headers, is_id, money};
use crate::card::Secret;
use crate::ids::Record;
use crate::payment::Outcome;
use crate::payment::sequel::{Sequel, Stage, What};
use crate::ports::{HttpRequest, HttpResponse};

pub(super) const CODEC: NoticeCodec = NoticeCodec {
    read,
    taken: NoticeAnswer { status: 200, body: "taken" },
    irrelevant: NoticeAnswer { status: 200, body: "not processed" },
    forged: NoticeAnswer { status: 400, body: "the signature does not fit" },
    ask: Some(Inquiry { encode, decode }),
};

const SIGNATURE: &str = "stripe-signature";

/// How far Stripe's clock and ours may be apart, as its libraries have it.
const TOLERANCE: Duration = Duration::from_secs(300);

#[derive(Deserialize)]
struct Event<'a> {
    object: String,
    #[serde(rename = "type")]
    event_type: String,
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
    previous_attributes: Option<Before>,
}

/// What it was before, where that changed.
#[derive(Deserialize)]
struct Before {
    status: Option<String>,
}

#[derive(Deserialize)]
struct Disputed {
    id: String,
}

#[derive(Deserialize)]
struct DisputeBody {
    id: String,
    object: String,
    status: String,
    amount: i64,
    currency: String,
    reason: Option<String>,
    payment_intent: Option<Expandable<IntentBody>>,
}

fn read(raw: &RawNotice<'_>, secrets: &[Secret]) -> Result<Items, NotTaken> {
    let signature = (raw.header)(SIGNATURE).ok_or(NotTaken::Forged)?;
    check_stripe(signature, raw.body, secrets, raw.now, TOLERANCE)?;
    let event: Event<'_> = serde_json::from_slice(raw.body).map_err(|_| NotTaken::Malformed)?;
    if event.object != "event" {
        return Err(NotTaken::Malformed);
    }
    Ok(told(&event).transpose().into_iter().collect())
}

/// None where it is of no interest to us.
fn told(event: &Event<'_>) -> Result<Option<Told>, Unreadable> {
    fn parsed<'a, T: Deserialize<'a>>(data: &Data<'a>) -> Result<T, Unreadable> {
        serde_json::from_str(data.object.get()).map_err(|_| Unreadable)
    }
    let data = || event.data.as_ref().ok_or(Unreadable);
    match event.event_type.as_str() {
        "payment_intent.succeeded"
        | "payment_intent.amount_capturable_updated"
        | "payment_intent.payment_failed"
        | "payment_intent.canceled"
        | "payment_intent.processing"
        | "payment_intent.requires_action" => of_intent(parsed(data()?)?),
        "setup_intent.succeeded" | "setup_intent.setup_failed" | "setup_intent.canceled" => of_setup(parsed(data()?)?),
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            let data = data()?;
            let is_new = event.event_type == "refund.created";
            of_refund(parsed(data)?, is_new, data.previous_attributes.as_ref())
        }
        "charge.dispute.created"
        | "charge.dispute.funds_withdrawn"
        | "charge.dispute.funds_reinstated"
        | "charge.dispute.closed" => {
            let Disputed { id } = parsed(data()?)?;
            let question = Question { about: id, told: Secret::new(event.event_type.clone()) };
            is_id(&question.about).then_some(Some(Told::Question(question))).ok_or(Unreadable)
        }
        _ => Ok(None),
    }
}

/// An approval of what we cannot count is of nothing that we have asked for.
fn of_intent(body: IntentBody) -> Result<Option<Told>, Unreadable> {
    let Some(reference) = body.reference().cloned() else { return Ok(None) };
    let takes = Record::Payment.locate(&reference).is_some();
    let amount = body.amount_told(takes);
    // What is only held is no news of who was to take it.
    let is_news = !(takes && body.is_held());
    match body.told_unasked().filter(|_| is_news) {
        None => Ok(None),
        Some(Outcome::Approved(_)) if amount.is_none() => Err(Unreadable),
        Some(outcome) => Ok(Some(Told::Notice(Notice { reference, news: News::Outcome(outcome), amount }))),
    }
}

/// That it succeeded says nothing without what it keeps.
fn of_setup(body: SetupBody) -> Result<Option<Told>, Unreadable> {
    let Some(reference) = body.reference().cloned() else { return Ok(None) };
    match body.told_unasked() {
        None => Ok(None),
        Some((Outcome::Unknown, _)) => Err(Unreadable),
        Some((outcome, token)) => {
            Ok(Some(Told::Notice(Notice { reference, news: News::Token(outcome, token), amount: None })))
        }
    }
}

/// That a refund failed is its verdict as long as it had none. What comes without what it was before may come after one:
/// as a sequel it is right either way, for one that comes too early waits.
fn of_refund(body: RefundBody, is_new: bool, before: Option<&Before>) -> Result<Option<Told>, Unreadable> {
    let Some(reference) = body.reference().cloned() else { return Ok(None) };
    let amount = body.amount_told();
    let had_no_verdict = before.and_then(|before| before.status.as_deref()).is_some_and(|status| status != "succeeded");
    let news = if body.has_failed() && !is_new && !had_no_verdict {
        News::Sequel(Sequel { id: body.id, what: What::Failed, minor: None, code: body.failure_reason })
    } else {
        match body.outcome() {
            Outcome::Unknown => return Ok(None),
            Outcome::Approved(_) if amount.is_none() => return Err(Unreadable),
            outcome => News::Outcome(outcome),
        }
    };
    Ok(Some(Told::Notice(Notice { reference, news, amount })))
}

fn encode(question: &Question, account: &Account<'_>) -> HttpRequest {
    let path = format!("v1/disputes/{}?expand%5B%5D=payment_intent", escaped(&question.about));
    get(account, &path, headers(account, None))
}

fn decode(question: &Question, response: &HttpResponse) -> Answered {
    match response.status {
        200 => match serde_json::from_slice::<DisputeBody>(&response.body) {
            Ok(body) if body.object == "dispute" && body.id == question.about => of_dispute(question, body),
            Ok(_) | Err(_) => Answered::NoAnswer,
        },
        404 => Answered::Nothing,
        _ => Answered::NoAnswer,
    }
}

fn of_dispute(question: &Question, body: DisputeBody) -> Answered {
    let stage = match (question.told.reveal(), body.status.as_str()) {
        ("charge.dispute.created", _) => Stage::Opened,
        ("charge.dispute.funds_withdrawn", _) => Stage::ChargedBack,
        ("charge.dispute.funds_reinstated", _) | ("charge.dispute.closed", "won") => Stage::Reversed,
        ("charge.dispute.closed", "lost") => Stage::Lost,
        // An inquiry that came to nothing moved nothing.
        _ => return Answered::Nothing,
    };
    let reference = match body.payment_intent {
        Some(Expandable::Whole(intent)) => intent.reference().cloned().unwrap_or(intent.id),
        Some(Expandable::Id(id)) => id,
        None => return Answered::Nothing,
    };
    let amount = money(body.amount, &body.currency);
    let minor = amount.map(|amount| amount.minor);
    let sequel = Sequel { id: body.id, what: What::Dispute(stage), minor, code: body.reason };
    Answered::Told(Notice { reference, news: News::Sequel(sequel), amount })
}
