//! What Adyen tells unasked: standard webhooks, each item signed by itself.
//!
//! | event | about | means |
//! |---|---|---|
//! | `AUTHORISATION`, `OFFER_CLOSED` | what opened the payment | its verdict |
//! | `CAPTURE` | a capture | its verdict; of a sale a failure, if it failed |
//! | `CANCELLATION`, `CANCEL_OR_REFUND` | a reversal | its verdict |
//! | `REFUND` | a refund | its verdict |
//! | `CAPTURE_FAILED` | a capture or a sale | it did not stand |
//! | `REFUND_FAILED`, `REFUNDED_REVERSED` | a refund | it did not stand |
//! | `REQUEST_FOR_INFORMATION`, `NOTIFICATION_OF_CHARGEBACK` | what opened the payment | a dispute is opened |
//! | `CHARGEBACK`, `CHARGEBACK_REVERSED`, `SECOND_CHARGEBACK`, `PREARBITRATION_LOST` | the same | charged back, reversed, lost, lost |
//! | `RECURRING_CONTRACT`, `AUTHORISATION` that failed | a stored method | its token; that there is none |
//!
//! An event is taken only where its `merchantReference` names a record of the kind that it can be about: what a person
//! does in Adyen's Customer Area bears the payment's reference, and says nothing of what we asked for.
//!
//! The signature covers eight fields and not `additionalData`. What stands there decides nothing: a token is taken from
//! `RECURRING_CONTRACT`, whose `pspReference` it is, and all stages of a dispute are told of what opened the payment,
//! which each of them names, though some name the capture beside it.

use serde::Deserialize;

use super::amount::Amount;
use super::refusal;
use crate::card::Secret;
use crate::gateways::signatures::{AdyenItem, is_from_adyen};
use crate::gateways::{Items, News, NotTaken, Notice, NoticeAnswer, NoticeCodec, RawNotice, Told, Unreadable};
use crate::ids::{MethodId, Ordinal, Record};
use crate::money::Money;
use crate::payment::sequel::{Sequel, Stage, What};
use crate::payment::{Answer, Outcome};
use crate::time::Timestamp;

pub(super) const CODEC: NoticeCodec = NoticeCodec {
    read,
    taken: NoticeAnswer { status: 200, body: "[accepted]" },
    irrelevant: NoticeAnswer { status: 200, body: "[accepted]" },
    forged: NoticeAnswer { status: 403, body: "Not a valid notification request" },
    ask: None,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    notification_items: Vec<Wrapped>,
}

#[derive(Deserialize)]
struct Wrapped {
    #[serde(rename = "NotificationRequestItem")]
    item: Item,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    event_code: String,
    psp_reference: String,
    #[serde(default)]
    original_reference: Option<String>,
    #[serde(default)]
    merchant_account_code: Option<String>,
    #[serde(default)]
    merchant_reference: Option<String>,
    #[serde(default)]
    amount: Option<Amount>,
    success: Success,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    event_date: Option<String>,
    #[serde(default)]
    additional_data: More,
}

/// A text by the document; whoever writes a truth value means the same.
#[derive(Deserialize)]
#[serde(untagged)]
enum Success {
    Text(String),
    Is(bool),
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct More {
    hmac_signature: Option<String>,
    auth_code: Option<String>,
    chargeback_reason_code: Option<String>,
}

impl Item {
    fn success(&self) -> &str {
        match &self.success {
            Success::Text(text) => text,
            Success::Is(true) => "true",
            Success::Is(false) => "false",
        }
    }

    fn is_signed(&self, keys: &[Secret]) -> bool {
        let value = self.amount.as_ref().map(|amount| amount.value.to_string()).unwrap_or_default();
        let signed = AdyenItem {
            psp_reference: &self.psp_reference,
            original_reference: self.original_reference.as_deref().unwrap_or_default(),
            merchant_account_code: self.merchant_account_code.as_deref().unwrap_or_default(),
            merchant_reference: self.merchant_reference.as_deref().unwrap_or_default(),
            amount_value: &value,
            amount_currency: self.amount.as_ref().map_or("", |amount| amount.currency.as_str()),
            event_code: &self.event_code,
            success: self.success(),
        };
        let signature = self.additional_data.hmac_signature.as_deref();
        signature.is_some_and(|signature| is_from_adyen(&signed, signature, keys))
    }
}

/// The signature is inside what it signs, so the items are parsed first. One that is not signed makes all of it suspect:
/// only Adyen puts items together.
fn read(raw: &RawNotice<'_>, keys: &[Secret]) -> Result<Items, NotTaken> {
    let envelope: Envelope = serde_json::from_slice(raw.body).map_err(|_| NotTaken::Forged)?;
    let items: Vec<Item> = envelope.notification_items.into_iter().map(|wrapped| wrapped.item).collect();
    if items.is_empty() || !items.iter().all(|item| item.is_signed(keys)) {
        return Err(NotTaken::Forged);
    }
    Ok(items.into_iter().filter_map(|item| told(item).transpose()).collect())
}

/// What an item may be about.
enum About {
    /// What opened the payment.
    Opening(Record),
    Capture,
    Reversal,
    Refund,
    Method,
}

fn about(reference: &str) -> Option<About> {
    let located = Record::ALL.into_iter().find_map(|record| Some((record, record.locate(reference)?.1)));
    match located {
        Some((Record::Authorization, _)) => Some(About::Opening(Record::Authorization)),
        Some((Record::Payment, Ordinal::FIRST)) => Some(About::Opening(Record::Payment)),
        Some((Record::Payment, _)) => Some(About::Capture),
        Some((Record::Adjustment, _)) => Some(About::Reversal),
        Some((Record::Refund, _)) => Some(About::Refund),
        None => MethodId::parse(reference).and_then(|id| id.kind()).map(|_| About::Method),
    }
}

/// None where it is of no interest to us.
fn told(item: Item) -> Result<Option<Told>, Unreadable> {
    let is_done = match item.success() {
        "true" => true,
        "false" => false,
        _ => return Err(Unreadable),
    };
    let reference = item.merchant_reference.clone().unwrap_or_default();
    let Some(about) = about(&reference) else { return Ok(None) };
    let amount = amount(&item, &about, is_done)?;
    let news = match (item.event_code.as_str(), about) {
        ("AUTHORISATION", About::Opening(_)) => News::Outcome(verdict(item, is_done)),
        ("AUTHORISATION", About::Method) if !is_done => News::Token(verdict(item, false), None),
        ("OFFER_CLOSED", About::Opening(_)) if is_done => News::Outcome(verdict(item, false)),
        ("CAPTURE", About::Capture)
        | ("CANCELLATION" | "CANCEL_OR_REFUND", About::Reversal)
        | ("REFUND", About::Refund) => News::Outcome(verdict(item, is_done)),
        ("CAPTURE", About::Opening(Record::Payment)) if !is_done => News::Sequel(failed(item)),
        ("CAPTURE_FAILED", About::Capture | About::Opening(Record::Payment)) if is_done => News::Sequel(failed(item)),
        ("REFUND_FAILED" | "REFUNDED_REVERSED", About::Refund) if is_done => News::Sequel(failed(item)),
        ("RECURRING_CONTRACT", About::Method) if is_done => contract(item),
        (event, About::Opening(_)) if is_done => match stage(event) {
            Some(stage) => News::Sequel(dispute(item, stage)),
            None => return Ok(None),
        },
        (_, About::Opening(_) | About::Capture | About::Reversal | About::Refund | About::Method) => return Ok(None),
    };
    Ok(Some(Told::Notice(Notice { reference, news, amount })))
}

/// Of how much an item tells. That of a cancellation is the payment's, which is canceled whole. An approval of what we
/// cannot count is of nothing that we have asked for.
fn amount(item: &Item, about: &About, is_done: bool) -> Result<Option<Money>, Unreadable> {
    let said = item.amount.as_ref();
    match about {
        About::Reversal | About::Method => Ok(None),
        About::Opening(_) | About::Capture | About::Refund => match said.map(Amount::money) {
            Some(None) if is_done && matches!(item.event_code.as_str(), "AUTHORISATION" | "CAPTURE" | "REFUND") => {
                Err(Unreadable)
            }
            said => Ok(said.flatten()),
        },
    }
}

fn stage(event: &str) -> Option<Stage> {
    match event {
        "REQUEST_FOR_INFORMATION" | "NOTIFICATION_OF_CHARGEBACK" => Some(Stage::Opened),
        "CHARGEBACK" => Some(Stage::ChargedBack),
        "CHARGEBACK_REVERSED" => Some(Stage::Reversed),
        "SECOND_CHARGEBACK" | "PREARBITRATION_LOST" => Some(Stage::Lost),
        _ => None,
    }
}

fn verdict(item: Item, is_done: bool) -> Outcome {
    let answer = Answer {
        reference: Some(item.psp_reference),
        code: Some(item.event_code),
        date: item.event_date.as_deref().and_then(Timestamp::parse),
        ..Answer::default()
    };
    if is_done {
        return Outcome::Approved(Answer { authorization_code: item.additional_data.auth_code, ..answer });
    }
    let decline = refusal::decline(None, item.reason.as_deref());
    Outcome::Declined(decline, Answer { description: item.reason, ..answer })
}

fn failed(item: Item) -> Sequel {
    Sequel { id: item.psp_reference, what: What::Failed, minor: None, code: Some(item.event_code) }
}

fn dispute(item: Item, stage: Stage) -> Sequel {
    let code = item.additional_data.chargeback_reason_code.map(|code| code.trim().to_owned());
    Sequel {
        id: item.psp_reference,
        what: What::Dispute(stage),
        minor: item.amount.as_ref().and_then(Amount::minor),
        code: code.filter(|code| !code.is_empty()).or(Some(item.event_code)),
    }
}

fn contract(item: Item) -> News {
    let answer = Answer {
        reference: item.original_reference,
        code: Some(item.event_code),
        date: item.event_date.as_deref().and_then(Timestamp::parse),
        ..Answer::default()
    };
    News::Token(Outcome::Approved(answer), Some(Secret::new(item.psp_reference)))
}
