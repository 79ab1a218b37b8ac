//! The adapter and the model, each asked by the other.

mod account;
mod cards;
mod payers;

use data_encoding::BASE64;
use kessai_shared::card::{Card, Cvv, Expiry, Pan, Secret};
use kessai_shared::gateways::komoju::KOMOJU;
use kessai_shared::gateways::{Account, Credential, Intent, Known, News, RawNotice, Told};
use kessai_shared::ids::{Id, MerchantId, Ordinal, PaymentId, Record};
use kessai_shared::merchant::Gateway;
use kessai_shared::money::{Currency, Money};
use kessai_shared::payment::asked::{Address, Details};
use kessai_shared::payment::{Answer as Said, IdempotencyKey, Instrument, Kind, Outcome};
use kessai_shared::ports::HttpRequest;
use kessai_shared::time::Timestamp;
use serde_json::Value;

use super::Komoju;
use crate::models::{Act, Answer, Model, Request, answered, arriving};

const URL: &str = "https://komoju.test/api/v1";
const START_MS: i64 = 1_790_000_000_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

const CAPTURE: Kind = Kind::Capture { authorization: Ordinal::FIRST, is_final: false };
const REVERSE: Kind = Kind::Reverse { authorization: Ordinal::FIRST };
const REFUND: Kind = Kind::Refund { payment: Ordinal::FIRST, reason: None };

/// A model, the moment, and how many requests of their own it was asked.
struct World {
    model: Komoju,
    now_ms: i64,
    asked: usize,
}

/// An operation that KOMOJU has taken.
struct Taken {
    record: Id,
    reference: String,
    details: Option<String>,
    amount: Money,
}

impl Taken {
    fn known(&self) -> Known<'_> {
        Known {
            record: self.record,
            reference: &self.reference,
            details: self.details.as_deref(),
            amount: self.amount,
            requested_at: Timestamp::from_millis(START_MS),
        }
    }
}

fn yen(minor: i64) -> Money {
    Money::new(minor, Currency::parse("JPY").expect("a currency"))
}

fn merchant() -> MerchantId {
    MerchantId::from_random([1; 16])
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("a key")
}

/// Our name for the operation at this place of the one payment.
fn name(record: Record, place: usize) -> String {
    record.id(PaymentId::opened_by(&merchant(), &key("payment")), Ordinal::new(place).expect("a place")).to_string()
}

fn card(number: &str) -> Instrument {
    let card = Card {
        number: Pan::parse(number).expect("a card number"),
        expiry: Expiry { month: 12, year: 2030 },
        cvv: Cvv::parse("123"),
        holder: Some("Carol Smith".to_owned()),
        card_type: None,
    };
    Instrument::Card { card: Box::new(card), address: Address::default() }
}

fn visa() -> Instrument {
    card("4111111111111111")
}

fn alternative(token: &str) -> Instrument {
    Instrument::Alternative {
        token: Secret::new(token.to_owned()),
        token_details: None,
        name: None,
        email: Some("taro@example.com".to_owned()),
        address: Address::default(),
    }
}

fn details(additional: &[(&str, &str)]) -> Details {
    let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Details {
        additional_data: additional.iter().map(text).collect(),
        phone: Some("08011112222".to_owned()),
        ..Details::default()
    }
}

fn konbini() -> Details {
    details(&[("paymentMethodType", "konbini"), ("store", "lawson")])
}

fn bank() -> Details {
    details(&[
        ("customerName", "ｻｲﾄｳ ﾏｻﾋﾛ"),
        ("bankName", "サンプル銀行"),
        ("branchNumber", "100"),
        ("accountType", "normal"),
        ("accountNumber", "0012345"),
    ])
}

fn with_account<T>(then: impl FnOnce(&Account<'_>) -> T) -> T {
    let gateway = Gateway::at("komoju", URL);
    let members = [("secretKey".to_owned(), Secret::new("sk_12345".to_owned()))];
    let credential = Credential::of(members.into(), KOMOJU.credential).expect("a credential");
    then(&Account { gateway: &gateway, credential: &credential, now: Timestamp::from_millis(START_MS), nonce: 1 })
}

impl World {
    fn new() -> Self {
        Self { model: Komoju::new("secret").at(URL), now_ms: START_MS, asked: 0 }
    }

    fn sent(&mut self, request: &HttpRequest) -> Answer {
        self.model.handle(&arriving(request, URL), self.now_ms)
    }

    /// A request of its own, past the adapter.
    fn raw(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let authorization = ("authorization".to_owned(), format!("Basic {}", BASE64.encode(b"sk_12345:")));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers: [authorization].into(),
            body: body.to_string().into_bytes(),
        };
        let answer = self.model.handle(&request, self.now_ms);
        (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
    }

    fn intent<'a>(&self, kind: &'a Kind, minor: i64, said: &'a Details) -> Intent<'a> {
        Intent {
            kind,
            reference: name(kind.record(), if kind.target().is_some() { self.asked } else { 0 }),
            key: format!("{:032x}", self.asked),
            amount: yen(minor),
            target: None,
            opening: None,
            known: None,
            requested_at: Timestamp::from_millis(START_MS),
            instrument: None,
            details: said,
            duplicate: false,
        }
    }

    fn ask(&mut self, intent: &Intent<'_>) -> Outcome {
        let request = with_account(|account| {
            assert_eq!((KOMOJU.admits)(intent, account), Ok(()));
            (KOMOJU.send.encode)(intent, account)
        });
        (KOMOJU.send.decode)(intent, &answered(self.sent(&request)))
    }

    fn open(&mut self, kind: &Kind, minor: i64, instrument: &Instrument, said: &Details) -> Outcome {
        self.asked += 1;
        let intent = Intent { instrument: Some(instrument), ..self.intent(kind, minor, said) };
        self.ask(&intent)
    }

    fn act(&mut self, kind: &Kind, minor: i64, target: &Taken, said: &Details) -> Outcome {
        self.asked += 1;
        let intent = Intent { target: Some(target.known()), ..self.intent(kind, minor, said) };
        self.ask(&intent)
    }

    /// What became of what was asked last.
    fn look_up(&mut self, kind: &Kind, target: Option<&Taken>, known: &Taken) -> Outcome {
        let (_, exchange) = KOMOJU.look_up.expect("it can be asked");
        let said = bank();
        let intent = self.intent(kind, known.amount.minor, &said);
        let intent = Intent { target: target.map(Taken::known), known: Some(known.known()), ..intent };
        let request = with_account(|account| (exchange.encode)(&intent, account));
        (exchange.decode)(&intent, &answered(self.sent(&request)))
    }

    /// What the model tells until now and for sure later: of what, and what.
    fn told(&mut self) -> Vec<(String, String)> {
        let webhooks = self.model.webhooks(self.now_ms);
        webhooks.iter().flat_map(|webhook| told_by(&webhook.headers, &webhook.body)).collect()
    }

    fn effects(&self) -> Vec<(Act, String, i64)> {
        let effects = self.model.effects(self.now_ms);
        effects.into_iter().map(|effect| (effect.act, effect.reference, effect.minor)).collect()
    }

    fn pass(&mut self, millis: i64) {
        self.now_ms += millis;
    }
}

fn told_by(headers: &[(&'static str, String)], body: &str) -> Vec<(String, String)> {
    let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    let event: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!((header("x-komoju-event"), header("x-komoju-id")), (event["type"].as_str(), event["id"].as_str()));
    assert_eq!(header("user-agent"), Some("Komoju-Webhook"));
    let raw = RawNotice { body: body.as_bytes(), header: &header, now: Timestamp::from_millis(START_MS) };
    let read = KOMOJU.notice.expect("it tells").read;
    let items = read(&raw, &[Secret::new("secret".to_owned())]).expect("it is signed");
    let tell = |told: Told| {
        let notice = told.notice().expect("nothing is left open");
        let what = match notice.news {
            News::Outcome(outcome) => outcome.name().to_owned(),
            News::Sequel(sequel) => sequel.what.name().to_owned(),
            News::Token(outcome, token) => {
                format!("{} {}", outcome.name(), token.map_or(0, |token| token.reveal().len()))
            }
        };
        (notice.reference, what)
    };
    items.into_iter().map(|item| tell(item.expect("it can be read"))).collect()
}

/// What was approved or accepted, as the operation that it is.
fn taken(outcome: &Outcome, kind: &Kind, minor: i64) -> Taken {
    let said: &Said = outcome.answer().expect("an answer");
    Taken {
        record: kind.record().id(PaymentId::opened_by(&merchant(), &key("payment")), Ordinal::FIRST),
        reference: said.reference.clone().expect("a reference"),
        details: said.reference_details.clone(),
        amount: yen(minor),
    }
}

fn code(outcome: &Outcome) -> (&'static str, String) {
    (outcome.name(), outcome.answer().and_then(|answer| answer.code.clone()).unwrap_or_default())
}

fn is(outcome: &Outcome, name: &str, word: &str) {
    assert_eq!(code(outcome), (name, (word.to_owned())), "{outcome:?}");
}

fn heard(rows: &[(String, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(of, what)| (of.clone(), (*what).to_owned())).collect()
}
