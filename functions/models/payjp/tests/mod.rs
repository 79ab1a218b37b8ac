//! The adapter and the model, one against the other: what is asked, what became of it, and what is told unasked.

mod flows;
mod keys;
mod notices;
mod refunds;
mod tokens;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use kessai_shared::card::Secret;
use kessai_shared::gateways::payjp::PAYJP;
use kessai_shared::gateways::{
    Account, Answered, Credential, Intent, Known, News, Notice, RawNotice, TokenIntent, Told,
};
use kessai_shared::ids::{MethodId, Ordinal, PaymentId, Record};
use kessai_shared::merchant::Gateway;
use kessai_shared::method;
use kessai_shared::money::{Currency, Money};
use kessai_shared::payment::asked::{Details, OnFile};
use kessai_shared::payment::{Answer, Instrument, Kind, Outcome, PayerAction};
use kessai_shared::ports::{HttpRequest, HttpResponse};
use kessai_shared::time::Timestamp;
use serde_json::{Value, json};

use super::Payjp;
use crate::models::{Act, Model, Request, Webhook, answered, arriving};

const BASE: &str = "https://api.pay.jp";
const TOKEN: &str = "whook_1";

/// A moment in September 2026.
const START_MS: i64 = 1_790_000_000_000;

const CARD: &str = "4242424242424242";

fn yen(minor: i64) -> Money {
    Money::new(minor, Currency::parse("JPY").expect("a currency"))
}

fn reference(record: Record, payment: u64) -> String {
    record.id(PaymentId::from_bits(payment), Ordinal::FIRST).to_string()
}

/// A shop that has an account at the model, and a card on file there.
struct Shop {
    model: Payjp,
    gateway: Gateway,
    credential: Credential,
    now_ms: i64,
    asked: u64,
    instrument: Instrument,
}

/// An operation that the gateway knows.
#[derive(Clone)]
struct Done {
    name: String,
    details: Option<String>,
    amount: i64,
    at_ms: i64,
    payment: u64,
}

impl Shop {
    fn new() -> Self {
        Self::with_card(CARD)
    }

    fn with_card(number: &str) -> Self {
        let card = json!({
            "type": "card", "card": {"number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123"},
            "billing_details": {"email": "carol@example.com"},
        });
        Self::with_method(&card)
    }

    fn with_paypay() -> Self {
        Self::with_method(&json!({"type": "paypay"}))
    }

    fn with_method(method: &Value) -> Self {
        let mut shop = Self::bare(&[("secretKey", "sk_test_1")]);
        let (_, made) = shop.post("/v2/payment_methods", None, method);
        let customer = json!({"id": "cus_carol", "payment_method_id": made["id"]});
        shop.post("/v2/customers", None, &customer);
        shop.instrument = stored(&format!("cus_carol/{}", text(&made["id"])));
        shop
    }

    fn bare(members: &[(&str, &str)]) -> Self {
        let secret = |(name, text): &(&str, &str)| ((*name).to_owned(), Secret::new((*text).to_owned()));
        let credential = Credential::of(members.iter().map(secret).collect(), PAYJP.credential).expect("a credential");
        let gateway = Gateway::at("payjp", BASE);
        let model = Payjp::new(TOKEN);
        Self { model, gateway, credential, now_ms: START_MS, asked: 0, instrument: stored("cus_carol/") }
    }

    fn account(&self) -> Account<'_> {
        let now = Timestamp::from_millis(self.now_ms);
        Account { gateway: &self.gateway, credential: &self.credential, now, nonce: 0 }
    }

    fn wait(&mut self, ms: i64) {
        self.now_ms += ms;
    }

    /// What is answered is as PAY.JP's OpenAPI has it.
    fn ask(&mut self, request: &HttpRequest) -> HttpResponse {
        let answer = self.model.handle(&arriving(request, BASE), self.now_ms);
        assert_valid(&serde_json::from_str(&answer.body).expect("JSON"), answer.status);
        answered(answer)
    }

    /// A request that is none of the adapter's.
    fn post(&mut self, path: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
        let mut headers = BTreeMap::from([("authorization".to_owned(), "Bearer sk_test_1".to_owned())]);
        headers.extend(key.map(|key| ("idempotency-key".to_owned(), key.to_owned())));
        let body = body.to_string().into_bytes();
        let request = Request { method: "POST".to_owned(), path: path.to_owned(), query: String::new(), headers, body };
        let answer = self.model.handle(&request, self.now_ms);
        let value = serde_json::from_str(&answer.body).expect("JSON");
        assert_valid(&value, answer.status);
        (answer.status, value)
    }

    fn act(&mut self, kind: &Kind, minor: i64, target: Option<&Done>) -> Outcome {
        self.act_with(kind, minor, target, &Details::default())
    }

    fn act_with(&mut self, kind: &Kind, minor: i64, target: Option<&Done>, details: &Details) -> Outcome {
        self.asked += 1;
        let (asked, known) = (self.asked, target.map(Done::known));
        let intent = self.intent(kind, minor, known, None, details, asked);
        let account = self.account();
        assert_eq!((PAYJP.admits)(&intent, &account), Ok(()), "{kind:?}");
        let request = (PAYJP.send.encode)(&intent, &account);
        let answer = self.ask(&request);
        (PAYJP.send.decode)(&self.intent(kind, minor, known, None, details, asked), &answer)
    }

    /// Asks what became of what was asked last.
    fn look_up(&mut self, kind: &Kind, minor: i64, target: Option<&Done>, done: &Done) -> Outcome {
        let (_, exchange) = PAYJP.look_up.expect("it can be asked");
        let (details, target) = (Details::default(), target.map(Done::known));
        let known = Some(done.known());
        let request =
            (exchange.encode)(&self.intent(kind, minor, target, known, &details, done.payment), &self.account());
        let answer = self.ask(&request);
        (exchange.decode)(&self.intent(kind, minor, target, known, &details, done.payment), &answer)
    }

    fn intent<'a>(
        &'a self,
        kind: &'a Kind,
        minor: i64,
        target: Option<Known<'a>>,
        known: Option<Known<'a>>,
        details: &'a Details,
        payment: u64,
    ) -> Intent<'a> {
        Intent {
            kind,
            reference: reference(kind.record(), payment),
            key: format!("{payment:032x}"),
            amount: yen(minor),
            target,
            opening: target,
            known,
            requested_at: Timestamp::from_millis(self.now_ms),
            instrument: Some(&self.instrument).filter(|_| kind.target().is_none()),
            details,
            duplicate: false,
        }
    }

    /// What the answer to the last request makes of it.
    fn done(&self, answer: &Answer, amount: i64) -> Done {
        let name = answer.reference.clone().expect("a name");
        let details = answer.reference_details.clone();
        Done { name, details, amount, at_ms: self.now_ms, payment: self.asked }
    }

    #[track_caller]
    fn approved(&mut self, kind: &Kind, minor: i64, target: Option<&Done>) -> Done {
        match self.act(kind, minor, target) {
            Outcome::Approved(answer) => self.done(&answer, minor),
            other => panic!("{kind:?} of {minor}: {other:?}"),
        }
    }

    fn ledger(&self) -> Vec<(Act, String, i64)> {
        let effects = self.model.effects(self.now_ms).into_iter();
        effects.map(|effect| (effect.act, effect.reference, effect.minor)).collect()
    }

    /// What is told unasked until now, as the adapter understands it.
    fn hear(&mut self) -> Vec<Notice> {
        let webhooks = self.model.webhooks(self.now_ms);
        webhooks.iter().filter_map(|webhook| self.hear_one(webhook)).collect()
    }

    fn hear_one(&mut self, webhook: &Webhook) -> Option<Notice> {
        let codec = PAYJP.notice.expect("it tells");
        let header =
            |name: &str| webhook.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        let now = Timestamp::from_millis(webhook.at_ms);
        let raw = RawNotice { body: webhook.body.as_bytes(), header: &header, now };
        let mut items = (codec.read)(&raw, &[Secret::new(TOKEN.to_owned())]).expect("it is genuine");
        let Told::Question(question) = items.pop()?.expect("it can be read") else { panic!("it is not believed") };
        let inquiry = codec.ask.expect("it is asked");
        self.now_ms = self.now_ms.max(webhook.at_ms);
        let request = (inquiry.encode)(&question, &self.account());
        let answer = self.ask(&request);
        match (inquiry.decode)(&question, &answer) {
            Answered::Told(notice) => Some(notice),
            Answered::Nothing => None,
            Answered::NoAnswer | Answered::Unreadable => panic!("there is an answer"),
        }
    }

    fn visit(&mut self, action: &PayerAction, decision: &str) -> u16 {
        let url = action.url.replace("/approve", decision);
        let path = url.strip_prefix(BASE).expect("a page of the model's").to_owned();
        let request = Request { method: "POST".to_owned(), path, ..Request::default() };
        self.model.handle(&request, self.now_ms).status
    }
}

impl Done {
    fn known(&self) -> Known<'_> {
        Known {
            record: Record::Authorization.id(PaymentId::from_bits(self.payment), Ordinal::FIRST),
            reference: &self.name,
            details: self.details.as_deref(),
            amount: yen(self.amount),
            requested_at: Timestamp::from_millis(self.at_ms),
        }
    }
}

fn stored(token: &str) -> Instrument {
    let method = MethodId::parse("03O000000000001").expect("a method id");
    Instrument::Stored(OnFile { token: Some(Secret::new(token.to_owned())), ..OnFile::unopened(method) })
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn capture() -> Kind {
    Kind::Capture { authorization: Ordinal::FIRST, is_final: true }
}

fn reverse() -> Kind {
    Kind::Reverse { authorization: Ordinal::FIRST }
}

fn refund() -> Kind {
    Kind::Refund { payment: Ordinal::FIRST, reason: None }
}

fn added(name: &str, said: &str) -> Details {
    Details { additional_data: [(name.to_owned(), said.to_owned())].into(), ..Details::default() }
}

/// What PAY.JP answers, by its OpenAPI, and which of its members must be there.
struct Schema {
    validator: jsonschema::Validator,
    required: Vec<String>,
}

const SCHEMAS: [&str; 9] = [
    "PaymentFlowResponse",
    "PaymentRefundResponse",
    "PaymentMethodPayPayResponse",
    "PaymentMethodCardResponse",
    "CustomerResponse",
    "PaymentMethodConfigurationListResponse",
    "EventResponse",
    "PaymentDisputeResponse",
    "ErrorResponse",
];

/// The OpenAPI says `nullable`, which JSON Schema does not know: what is null counts as left out, once it is there.
fn schemas() -> &'static BTreeMap<&'static str, Schema> {
    static SCHEMAS_READ: OnceLock<BTreeMap<&str, Schema>> = OnceLock::new();
    SCHEMAS_READ.get_or_init(|| {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/specs/payjp-v2-openapi-1.3.0-augmented.json");
        let spec = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let whole: Value = serde_json::from_str(&spec).expect("JSON");
        let mut lenient = whole.clone();
        for schema in lenient["components"]["schemas"].as_object_mut().expect("schemas").values_mut() {
            schema.as_object_mut().expect("a schema").remove("required");
        }
        let schema = |name| {
            let required = whole["components"]["schemas"][name]["required"].as_array().expect("a list");
            let mut document = lenient.clone();
            document["$ref"] = json!(format!("#/components/schemas/{name}"));
            let validator = jsonschema::validator_for(&document).expect("a schema");
            (name, Schema { validator, required: required.iter().map(|name| text(name).to_owned()).collect() })
        };
        SCHEMAS.into_iter().map(schema).collect()
    })
}

fn assert_valid(value: &Value, status: u16) {
    let name = match (status, value["object"].as_str()) {
        (200, Some("payment_flow")) => "PaymentFlowResponse",
        (200, Some("payment_refund")) => "PaymentRefundResponse",
        (200, Some("payment_method")) if value["type"] == "paypay" => "PaymentMethodPayPayResponse",
        (200, Some("payment_method")) => "PaymentMethodCardResponse",
        (200, Some("customer")) => "CustomerResponse",
        (200, Some("list")) => "PaymentMethodConfigurationListResponse",
        (200, Some("event")) => "EventResponse",
        (200, Some("payment_dispute")) => "PaymentDisputeResponse",
        (200, other) => panic!("{other:?}: {value}"),
        (_, _) => "ErrorResponse",
    };
    let Schema { validator, required } = &schemas()[name];
    for member in required {
        assert!(value.get(member).is_some(), "{name} has no {member}: {value}");
    }
    if let Err(error) = validator.validate(&without_null(value)) {
        panic!("{error}: {value}");
    }
}

fn without_null(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name.clone(), without_null(value))).collect()
        }
        Value::Array(values) => values.iter().map(without_null).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The names of outcomes that are told, of which operation.
fn told(notices: &[Notice]) -> Vec<(String, &'static str)> {
    let name = |notice: &Notice| match &notice.news {
        News::Outcome(outcome) => outcome.name(),
        News::Sequel(sequel) => sequel.what.name(),
        News::Token(..) => "token",
    };
    notices.iter().map(|notice| (notice.reference.clone(), name(notice))).collect()
}

fn mailed() -> method::Details {
    method::Details { email: Some("carol@example.com".to_owned()), ..method::Details::default() }
}

fn token_intent<'a>(instrument: &'a Instrument, details: &'a method::Details) -> TokenIntent<'a> {
    let reference = "03OKsJpvrFJpBxD".to_owned();
    TokenIntent { reference, key: "a".repeat(32), instrument, details, duplicate: false, prepared: None }
}
