//! What is paid with, and what opens a payment.

use kessai_shared::card::Pan;
use serde_json::{Map, Value, json};

use super::payment::{Payment, Status, moment};
use super::refusal::{Members, Refusal};
use super::{Done, Komoju, METHODS, SETTLEMENT_MS};
use crate::models::magic;
use crate::sandbox::{ACTION_MS, Behaviour, Decline, Ending};

/// How long a payer has to pay at a store or a bank: KOMOJU's default is the merchant's to set.
const DEADLINE_MS: i64 = 3 * 24 * 60 * 60 * 1_000;

const OPENING: [&str; 17] = [
    "amount",
    "currency",
    "capture",
    "payment_details",
    "customer",
    "tax",
    "external_order_num",
    "description",
    "return_url",
    "cancel_url",
    "locale",
    "metadata",
    "fraud_details",
    "mcc",
    "statement_descriptor",
    "platform_details",
    "webhooks",
];

const CURRENCIES: [&str; 20] = [
    "JPY", "USD", "EUR", "TWD", "KRW", "PLN", "GBP", "HKD", "SGD", "NZD", "AUD", "IDR", "MYR", "PHP", "THB", "CNY",
    "BRL", "CHF", "CAD", "VND",
];

const CARD: [&str; 17] = [
    "type",
    "email",
    "number",
    "month",
    "year",
    "verification_value",
    "given_name",
    "family_name",
    "name",
    "three_d_secure",
    "expiry_days",
    "intent",
    "initiator",
    "usage",
    "scheme_reference",
    "social_id",
    "corporate_card",
];

const KONBINI: [&str; 5] = ["type", "store", "email", "phone", "expiry_days"];

const BANK: [&str; 8] =
    ["type", "phone", "email", "given_name", "family_name", "given_name_kana", "family_name_kana", "expiry_days"];

const STORES: [&str; 6] = ["lawson", "family-mart", "seven-eleven", "ministop", "seicomart", "daily-yamazaki"];

/// The test cards that KOMOJU's page "Test Cards" names, and its reasons; for two of them it publishes no code.
const TEST_CARDS: [(&str, &str); 6] = [
    ("4123111111111000", "insufficient_funds"),
    ("4123111111111018", "card_declined"),
    ("4123111111111034", "bad_verification_value"),
    ("4123111111111042", "card_expired"),
    ("4123111111111059", "card_declined"),
    ("4123111111111075", "invalid_number"),
];

/// What is paid with. Nothing of it is a secret.
#[derive(Clone)]
pub struct Paying {
    pub kind: String,
    /// As it is shown.
    pub shown: Value,
    /// The code by which its bank refuses it, whatever is asked.
    refused: Option<&'static str>,
}

impl Paying {
    fn of(details: Members<'_>) -> Result<Self, Refusal> {
        let kind = details.needed("type")?;
        match kind {
            "credit_card" => Self::of_card(details.only(&CARD)?),
            "konbini" => {
                let store = details.only(&KONBINI)?.needed("store")?;
                if !STORES.contains(&store) {
                    return Err(Refusal::invalid("store"));
                }
                let shown = json!({"type": kind, "store": store, "email": details.needed("email")?});
                Ok(Self { kind: kind.to_owned(), shown, refused: None })
            }
            "bank_transfer" | "pay_easy" => {
                details.only(&BANK)?;
                for name in BANK.iter().filter(|name| **name != "expiry_days") {
                    details.needed(name)?;
                }
                let shown = json!({"type": kind, "email": details.needed("email")?, "order_id": "100-0001"});
                Ok(Self { kind: kind.to_owned(), shown, refused: None })
            }
            _ if METHODS.iter().any(|(slug, _)| *slug == kind) => {
                details.only(&["type", "email", "phone", "name"])?;
                let shown = json!({"type": kind, "email": details.text("email")?});
                Ok(Self { kind: kind.to_owned(), shown, refused: None })
            }
            _ => Err(Refusal::invalid("type")),
        }
    }

    fn of_card(details: Members<'_>) -> Result<Self, Refusal> {
        let number = details.needed("number")?;
        if Pan::parse(number).is_none() {
            return Err(Refusal::invalid("number"));
        }
        let part = |name: &str, from: i64, to: i64| {
            let value = details.value(name).ok_or_else(|| Refusal::missing(name))?;
            let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
            number.filter(|number| (from..=to).contains(number)).ok_or_else(|| Refusal::invalid(name))
        };
        let (month, year) = (part("month", 1, 12)?, part("year", 0, 2_099)?);
        if !matches!(details.text("initiator")?, None | Some("customer" | "merchant")) {
            return Err(Refusal::invalid("initiator"));
        }
        if !matches!(details.text("usage")?, None | Some("first" | "used")) {
            return Err(Refusal::invalid("usage"));
        }
        for name in ["verification_value", "name", "email", "scheme_reference"] {
            details.text(name)?;
        }
        let last: String = number.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
        let shown = json!({
            "type": "credit_card", "email": details.text("email")?, "brand": brand(number), "last_four_digits": last,
            "month": month, "year": year,
        });
        let refused = TEST_CARDS.iter().find(|(card, _)| *card == number).map(|(_, code)| *code);
        Ok(Self { kind: "credit_card".to_owned(), shown, refused })
    }

    pub fn is_card(&self) -> bool {
        self.kind == "credit_card"
    }

    /// Whether the payer has days, at a store or a bank.
    pub fn waits_long(&self) -> bool {
        matches!(self.kind.as_str(), "konbini" | "bank_transfer" | "pay_easy")
    }
}

impl Komoju {
    pub(super) fn open(&mut self, body: &Map<String, Value>, now_ms: i64) -> Done {
        let members = Members(body).only(&OPENING)?;
        let amount = members.amount("amount")?.ok_or_else(|| Refusal::missing("amount"))?;
        let currency = members.needed("currency")?;
        if !CURRENCIES.contains(&currency) {
            return Err(Refusal::invalid("currency"));
        }
        let captures = members.flag("capture")?.unwrap_or(true);
        let (order, metadata) = (members.text("external_order_num")?.map(str::to_owned), members.metadata()?);
        members.text("return_url")?;
        members.object("fraud_details")?;
        let (paying, customer) = self.paid_with(members)?;
        if !captures && !paying.is_card() {
            return Err(Refusal::unprocessable("only a credit card can be captured later"));
        }
        if paying.waits_long() && currency != "JPY" {
            return Err(Refusal::invalid("currency"));
        }
        let behaviour = magic(amount);
        if let Some(code) = paying.refused.or_else(|| refusal_of(behaviour)) {
            return Err(declined(code));
        }
        let id = self.id("pay");
        let page = (!paying.is_card()).then(|| format!("{}/payers/{id}", self.url));
        let time_ms = if paying.waits_long() { DEADLINE_MS } else { i64::try_from(ACTION_MS).unwrap_or(i64::MAX) };
        let course = course(&paying, captures, behaviour, now_ms);
        let payment = Payment {
            id: id.clone(),
            made_ms: now_ms,
            amount,
            currency: currency.to_owned(),
            captures,
            paying,
            customer,
            order,
            metadata,
            ends_ms: page.is_some().then(|| now_ms.saturating_add(time_ms)),
            page,
            turns: Vec::new(),
            captured: if captures { amount } else { 0 },
            refunds: Vec::new(),
            requests: Vec::new(),
            is_told_expired: false,
        };
        self.payments.insert(id.clone(), payment);
        let is_unfinished = course.len() > 1;
        for (at_ms, status) in course {
            self.turn(&id, at_ms, status);
        }
        let view = self.payments.get(&id).map(|payment| payment.view(now_ms)).unwrap_or_default();
        Ok((if is_unfinished { 202 } else { 200 }, view))
    }

    /// Either details or a customer, whose own name then stands with the payment.
    fn paid_with(&mut self, members: Members<'_>) -> Result<(Paying, Option<String>), Refusal> {
        match (members.value("payment_details"), members.text("customer")?) {
            (Some(Value::String(token)), None) => {
                let paying = self.tokens.remove(token).ok_or_else(|| Refusal::not_found("token"))?;
                Ok((paying, None))
            }
            (Some(Value::Object(details)), None) => Ok((Paying::of(Members(details))?, None)),
            (Some(_), None) => Err(Refusal::invalid("payment_details")),
            (None, Some(customer)) => {
                let paying = self.customers.get(customer).ok_or_else(|| Refusal::not_found("customer"))?;
                Ok((paying.clone(), Some(customer.to_owned())))
            }
            (None, None) => Err(Refusal::missing("payment_details")),
            (Some(_), Some(_)) => Err(Refusal::unprocessable("payment_details and customer exclude each other")),
        }
    }

    pub(super) fn make_token(&mut self, body: &Map<String, Value>, now_ms: i64) -> Done {
        let details = Members(body).only(&["payment_details"])?.object("payment_details")?;
        let paying = Paying::of(details.ok_or_else(|| Refusal::missing("payment_details"))?)?;
        let id = self.id("tok_");
        let view = json!({
            "id": id, "resource": "token", "created_at": moment(now_ms), "payment_details": paying.shown,
        });
        self.tokens.insert(id, paying);
        Ok((200, view))
    }

    pub(super) fn make_customer(&mut self, body: &Map<String, Value>, now_ms: i64) -> Done {
        let members = Members(body).only(&["email", "currency", "payment_details", "metadata"])?;
        let details = members.object("payment_details")?.ok_or_else(|| Refusal::missing("payment_details"))?;
        let paying = Paying::of(details)?;
        if !paying.is_card() {
            return Err(Refusal::invalid("payment_details"));
        }
        let id = self.id("cus");
        let view = json!({
            "id": id, "resource": "customer", "email": members.text("email")?, "source": paying.shown,
            "metadata": members.metadata()?, "created_at": moment(now_ms),
        });
        self.customers.insert(id, paying);
        self.tell(now_ms, "customer.created", &view);
        Ok((200, view))
    }
}

/// What the payment comes to, now and by itself.
fn course(paying: &Paying, captures: bool, behaviour: Behaviour, now_ms: i64) -> Vec<(i64, Status)> {
    let paid = if captures { Status::Captured } else { Status::Authorized };
    let later_ms = now_ms.saturating_add(i64::try_from(SETTLEMENT_MS).unwrap_or(i64::MAX));
    let end = match behaviour {
        Behaviour::Accept(Ending::Approved) | Behaviour::AcceptThenFail => Some((later_ms, paid)),
        Behaviour::Accept(Ending::Declined) => Some((later_ms, Status::Failed)),
        Behaviour::Approve
        | Behaviour::Decline(_)
        | Behaviour::AcceptToken(_)
        | Behaviour::Challenge
        | Behaviour::Dispute(_)
        | Behaviour::Fault(_) => None,
    };
    let start = match paying.kind.as_str() {
        "credit_card" if end.is_none() => paid,
        _ if paying.waits_long() => Status::Authorized,
        _ => Status::Pending,
    };
    [(now_ms, start)].into_iter().chain(end).collect()
}

/// The code of a decline that an amount asks for.
pub(super) fn refusal_of(behaviour: Behaviour) -> Option<&'static str> {
    let Behaviour::Decline(because) = behaviour else { return None };
    Some(match because {
        Decline::InsufficientFunds => "insufficient_funds",
        Decline::ExpiredCard => "card_expired",
        Decline::CvcMismatch => "bad_verification_value",
        Decline::StolenCard | Decline::SuspectedFraud => "fraudulent",
        Decline::InvalidCardData => "invalid_number",
        Decline::DoNotHonour
        | Decline::UnknownMethod
        | Decline::UnknownAuthorization
        | Decline::AlreadyReversed
        | Decline::PayerDidNotAct => "card_declined",
    })
}

pub(super) fn declined(code: &str) -> Refusal {
    let status = if code.starts_with("invalid_") { 422 } else { 402 };
    Refusal::new(status, code, "The payment was declined")
}

fn brand(number: &str) -> &'static str {
    match number.as_bytes() {
        [b'3', b'4' | b'7', ..] => "american_express",
        [b'3', b'5', ..] => "jcb",
        [b'3', ..] => "diners_club",
        [b'2' | b'5', ..] => "master",
        _ => "visa",
    }
}
