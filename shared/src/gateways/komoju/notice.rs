//! What KOMOJU tells unasked. The body alone is signed; what the headers `X-Komoju-ID` and `X-Komoju-Event` say stands in
//! it too, and they are not read.
//!
//! | event | what it comes to |
//! |---|---|
//! | `payment.*` | how the payment stands, its refunds that bear our reference, its chargebacks |
//! | `refund_request.updated` | how a refund by bank stands |
//! | `customer.created` | the token of a stored method |
//! | any other, such as `ping` | nothing |
//!
//! A payment bears the reference of the operation that opened it, and from that is known whether it was to hold an amount
//! or to take it. One that was made in a browser bears another, and is known by KOMOJU's id.
//!
//! That a hold was cancelled or has expired is left out: it is how a hold ends, by us or by time, and no verdict on it;
//! where it never was one, a look-up finds out. A try of a payer that fails, with a page to try again on, is no verdict
//! either: the payment waits as before.
//!
//! A chargeback is a refund that nobody asked for. It is told of the operation that opened the payment: captures have no
//! name there, and a hold is captured once.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::payment::{PaymentBody, RefundBody, RefundRequestBody};
use super::tokens::CustomerBody;
use crate::card::Secret;
use crate::gateways::signatures::is_from_komoju;
use crate::gateways::{Items, News, NotTaken, Notice, NoticeAnswer, NoticeCodec, RawNotice, Told, Unreadable};
use crate::ids::{MethodId, Record};
use crate::money::Money;
use crate::payment::sequel::{Stage, What};
use crate::payment::{Kind, Outcome, Sequel};

pub(super) const CODEC: NoticeCodec = NoticeCodec {
    read,
    taken: NoticeAnswer { status: 200, body: "taken" },
    irrelevant: NoticeAnswer { status: 200, body: "nothing to take" },
    // As KOMOJU's plug-in for Magento answers it.
    forged: NoticeAnswer { status: 401, body: "the signature does not fit" },
    ask: None,
};

const SIGNATURE: &str = "x-komoju-signature";

#[derive(Deserialize)]
struct EventBody<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

fn read(raw: &RawNotice<'_>, secrets: &[Secret]) -> Result<Items, NotTaken> {
    let signature = (raw.header)(SIGNATURE).ok_or(NotTaken::Forged)?;
    if !is_from_komoju(raw.body, signature, secrets) {
        return Err(NotTaken::Forged);
    }
    let event: EventBody<'_> = serde_json::from_slice(raw.body).map_err(|_| NotTaken::Malformed)?;
    let read = match event.kind.as_str() {
        kind if kind.starts_with("payment.") => data(&event).map(|payment| of_payment(&payment)),
        "refund_request.updated" => of_refund_request(&event),
        "customer.created" => data(&event).map(|customer| of_customer(customer).into_iter().map(Ok).collect()),
        _ => return Ok(Vec::new()),
    };
    let items = read.unwrap_or_else(|unreadable| vec![Err(unreadable)]).into_iter();
    Ok(items.map(|item| item.map(Told::Notice)).collect())
}

/// One thing that is told of a payment.
type Item = Result<Notice, Unreadable>;

fn data<'a, T: Deserialize<'a>>(event: &EventBody<'a>) -> Result<T, Unreadable> {
    event.data.and_then(|data| serde_json::from_str(data.get()).ok()).ok_or(Unreadable)
}

/// What KOMOJU sends here is not documented: the request, or the payment that lists it.
fn of_refund_request(event: &EventBody<'_>) -> Result<Vec<Item>, Unreadable> {
    if let Ok(payment) = data(event) {
        return Ok(of_payment(&payment));
    }
    let request: RefundRequestBody = data(event)?;
    Ok(of_request(&request).map(Ok).into_iter().collect())
}

fn of_customer(customer: CustomerBody) -> Option<Notice> {
    let is_ours = |text: &&str| MethodId::parse(text).and_then(|id| id.kind()).is_some();
    let reference = customer.reference().filter(is_ours).map(str::to_owned)?;
    let (outcome, token) = customer.kept();
    Some(Notice { reference, news: News::Token(outcome, token), amount: None })
}

/// An approval of what we cannot count is of nothing that we have asked for.
fn of_payment(payment: &PaymentBody) -> Vec<Item> {
    let ours = payment.external_order_num.as_deref().filter(|reference| opened(reference).is_some());
    let kind = ours.and_then(opened).unwrap_or(Kind::PostAuthorize);
    // A browser's payment is found by the id under which it was registered.
    let reference = ours.unwrap_or(&payment.id);
    let standing = payment.standing(&kind);
    let is_end_of_hold = matches!(standing, Outcome::Declined(..)) && kind.holds();
    // What has become of a hold may be another amount than was held.
    let is_of_a_part = kind.holds() && payment.status != "authorized";
    let amount = payment.money(payment.amount, None);
    let is_uncounted = amount.is_none() && matches!(standing, Outcome::Approved(_));
    let told = |(news, amount)| Notice { reference: reference.to_owned(), news, amount };
    let is_told = !is_end_of_hold && standing != Outcome::Unknown;
    let standing = is_told.then(|| match is_uncounted {
        true => Err(Unreadable),
        false => Ok(told((News::Outcome(standing), amount.filter(|_| !is_of_a_part)))),
    });
    let requests = || payment.refund_requests.iter().flatten();
    let refunds = || payment.refunds.iter().flatten();
    let is_requested = |refund: &&RefundBody| {
        refund.description.is_some() && requests().any(|request| request.description == refund.description)
    };
    let charged_back =
        refunds().filter(|refund| refund.chargeback == Some(true)).map(|refund| told(charged_back(payment, refund)));
    let given_back = refunds().filter(|refund| refund.chargeback != Some(true) && !is_requested(refund));
    standing
        .into_iter()
        .chain(given_back.filter_map(|refund| of_refund(payment, refund)))
        .chain(requests().filter_map(of_request).map(Ok))
        .chain(charged_back.map(Ok))
        .collect()
}

/// What the operation of this reference did that opened a payment; none where it is no such reference.
fn opened(reference: &str) -> Option<Kind> {
    let is = |record: Record| record.locate(reference).is_some();
    is(Record::Authorization).then_some(Kind::Authorize).or_else(|| is(Record::Payment).then_some(Kind::Sale))
}

fn of_refund(payment: &PaymentBody, refund: &RefundBody) -> Option<Item> {
    let reference = refund_reference(refund.description.as_ref())?;
    let amount = payment.money(refund.amount, refund.currency.as_deref()).ok_or(Unreadable);
    let news = News::Outcome(Outcome::Approved(refund.answer()));
    Some(amount.map(|amount| Notice { reference, news, amount: Some(amount) }))
}

fn of_request(request: &RefundRequestBody) -> Option<Notice> {
    let reference = refund_reference(request.description.as_ref())?;
    Some(request.standing()).filter(|standing| *standing != Outcome::Unknown).map(|standing| Notice {
        reference,
        news: News::Outcome(standing),
        amount: None,
    })
}

/// Refunds that a merchant makes at KOMOJU itself say something else, or nothing.
fn refund_reference(description: Option<&String>) -> Option<String> {
    description.filter(|text| Record::Refund.locate(text).is_some()).cloned()
}

fn charged_back(payment: &PaymentBody, refund: &RefundBody) -> (News, Option<Money>) {
    let amount = payment.money(refund.amount, refund.currency.as_deref());
    let sequel = Sequel {
        id: refund.id.clone(),
        what: What::Dispute(Stage::ChargedBack),
        minor: amount.map(|amount| amount.minor),
        code: refund.description.clone(),
    };
    (News::Sequel(sequel), amount)
}
