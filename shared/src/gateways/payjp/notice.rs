//! What PAY.JP tells unasked.
//!
//! The header `X-Payjp-Webhook-Token` is the same with every notice and signs nothing, so a notice is not believed: it
//! says what to look at, and the flow or the refund is fetched. Only the stage of a dispute is taken from it, because no
//! resource has both that and our reference. Where PAY.JP has no answer within ten seconds it tells again, three times.
//!
//! A cancellation is left out: what is fetched then does not say whether the flow had been approved before, and whoever
//! canceled it through us has heard that already. Sources: PAY.JP's sample server and its guide to events.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Flow, Refund};
use super::send::{get_flow, get_refund};
use crate::card::Secret;
use crate::gateways::signatures::is_from_payjp;
use crate::gateways::{
    Account, Answered, Inquiry, Items, News, NotTaken, Notice, NoticeAnswer, NoticeCodec, Question, RawNotice, Told,
    Unreadable,
};
use crate::ids::Record;
use crate::money::{Currency, Money};
use crate::payment::Outcome;
use crate::payment::sequel::{Sequel, Stage, What};
use crate::ports::{HttpRequest, HttpResponse};

pub(super) const CODEC: NoticeCodec = NoticeCodec {
    read,
    taken: NoticeAnswer { status: 200, body: "taken" },
    irrelevant: NoticeAnswer { status: 200, body: "irrelevant" },
    forged: NoticeAnswer { status: 401, body: r#"{"error":"Invalid webhook token"}"# },
    ask: Some(Inquiry { encode: ask, decode: answered }),
};

const TOKEN: &str = "x-payjp-webhook-token";

/// What an event is about; its members have had other names, but not these.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    data: Value,
}

/// What is asked about, and what the notice said that nobody else says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum About {
    Flow,
    Refund,
    Dispute { id: String, status: String, reason: Option<String> },
}

fn read(raw: &RawNotice<'_>, secrets: &[Secret]) -> Result<Items, NotTaken> {
    let token = (raw.header)(TOKEN).ok_or(NotTaken::Forged)?;
    if !is_from_payjp(token, secrets) {
        return Err(NotTaken::Forged);
    }
    let event: Event = serde_json::from_slice(raw.body).map_err(|_| NotTaken::Malformed)?;
    Ok(question(&event).map(|question| question.map(Told::Question)).into_iter().collect())
}

/// None where it is of no interest to us.
fn question(event: &Event) -> Option<Result<Question, Unreadable>> {
    let text = |name: &str| event.data.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let flow = || text("payment_flow_id").or_else(|| text("payment_flow"));
    let (about, told) = match event.kind.as_str() {
        "payment_flow.succeeded"
        | "payment_flow.payment_failed"
        | "payment_flow.requires_action"
        | "payment_flow.processing"
        | "payment_flow.amount_capturable_updated" => (text("id"), Some(About::Flow)),
        "refund.created" | "refund.updated" | "refund.failed" => (text("id"), Some(About::Refund)),
        kind if kind.starts_with("dispute.") => {
            let dispute = text("id").zip(text("status")).map(|(id, status)| About::Dispute {
                id: id.to_owned(),
                status: status.to_owned(),
                reason: text("reason").map(str::to_owned),
            });
            (flow(), dispute)
        }
        _ => return None,
    };
    let question = about.zip(told).and_then(|(about, told)| {
        let told = Secret::new(serde_json::to_string(&told).ok()?);
        Some(Question { about: about.to_owned(), told })
    });
    Some(question.ok_or(Unreadable))
}

fn told(question: &Question) -> Option<About> {
    serde_json::from_str(question.told.reveal()).ok()
}

fn ask(question: &Question, account: &Account<'_>) -> HttpRequest {
    match told(question) {
        Some(About::Refund) => get_refund(account, &question.about),
        Some(About::Flow | About::Dispute { .. }) | None => get_flow(account, &question.about),
    }
}

fn answered(question: &Question, response: &HttpResponse) -> Answered {
    match response.status {
        200 => {}
        404 => return Answered::Nothing,
        _ => return Answered::NoAnswer,
    }
    let notice = match told(question) {
        Some(About::Refund) => match Refund::read(&response.body) {
            Some(refund) if refund.id == question.about => of_refund(&refund),
            Some(_) | None => return Answered::NoAnswer,
        },
        Some(about) => match Flow::read(&response.body) {
            Some(flow) if flow.id == question.about => match of_flow(&flow, about) {
                Ok(notice) => notice,
                Err(Unreadable) => return Answered::Unreadable,
            },
            Some(_) | None => return Answered::NoAnswer,
        },
        None => None,
    };
    notice.map_or(Answered::Nothing, Answered::Told)
}

/// Our name for an operation, and not a merchant's own word.
fn ours(reference: Option<&str>) -> Option<String> {
    let is_ours = |reference: &&str| Record::ALL.into_iter().any(|record| record.locate(reference).is_some());
    reference.filter(is_ours).map(str::to_owned)
}

fn of_refund(refund: &Refund) -> Option<Notice> {
    let news = News::Outcome(refund.outcome());
    Some(Notice { reference: ours(refund.reference())?, news, amount: yen(refund.amount) })
}

fn of_flow(flow: &Flow, about: About) -> Result<Option<Notice>, Unreadable> {
    let reference = ours(flow.reference());
    match about {
        About::Flow => {
            let Some((reference, outcome)) = reference.zip(flow.opening()) else { return Ok(None) };
            // PAY.JP knows no other currency, and of another we have asked nothing.
            let amount = yen(flow.amount).filter(|_| flow.is_in_yen());
            match (amount, outcome) {
                (None, Outcome::Approved(_)) => Err(Unreadable),
                (None, _) => Ok(None),
                (Some(_), outcome) => Ok(Some(Notice { reference, news: News::Outcome(outcome), amount })),
            }
        }
        // One that was made in a browser is known by its own name.
        About::Dispute { id, status, reason } => {
            let Some(stage) = stage_of(&status) else { return Ok(None) };
            // What is disputed at most; the amount of the notice is not believed.
            let sequel = Sequel { id, what: What::Dispute(stage), minor: flow.amount_received, code: reason };
            let amount = flow.amount_received.and_then(yen);
            let reference = reference.unwrap_or_else(|| flow.id.clone());
            Ok(Some(Notice { reference, news: News::Sequel(sequel), amount }))
        }
        About::Refund => Ok(None),
    }
}

fn yen(minor: i64) -> Option<Money> {
    Some(Money::new(minor, Currency::parse(super::CURRENCY)?))
}

/// The statuses of PAY.JP's OpenAPI: until one is lost or dropped, it is not said whether money has moved.
fn stage_of(status: &str) -> Option<Stage> {
    match status {
        "pre_warning_needs_response"
        | "warning_needs_response"
        | "warning_needs_refund"
        | "warning_under_review"
        | "needs_response"
        | "under_review" => Some(Stage::Opened),
        "lost" => Some(Stage::Lost),
        "cancel" => Some(Stage::Reversed),
        _ => None,
    }
}
