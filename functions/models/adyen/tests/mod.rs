//! The model as the adapters see it, and what it decides by itself.

mod rules;
mod trips;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jsonschema::Validator;
use kessai_shared::card::{Card, Cvv, Expiry, Pan, Secret};
use kessai_shared::gateways::{Account, Adapter, Credential, Intent, Known, News, Notice, RawNotice};
use kessai_shared::ids::{MethodId, Ordinal, PaymentId, Record};
use kessai_shared::merchant::Gateway;
use kessai_shared::money::{Currency, Money};
use kessai_shared::payment::asked::{Address, Details, OnFile};
use kessai_shared::payment::{Instrument, Kind, Outcome};
use kessai_shared::ports::HttpRequest;
use kessai_shared::time::Timestamp;
use serde_json::{Value, json};

use super::super::{Act, Answer, Model, Request, Webhook, answered, arriving};
use super::Adyen;

const KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
const NOW: i64 = 1_790_000_000_000;
const SECOND: i64 = 1_000;

fn adapter(name: &str) -> &'static Adapter {
    Adapter::named(name).expect("an adapter")
}

fn base_url(adapter: &Adapter) -> &'static str {
    match adapter.name {
        "adyen" => "https://checkout-test.adyen.com/v71",
        _ => "https://pal-test.adyen.com/pal/servlet/Payment/v68",
    }
}

fn credential(adapter: &Adapter) -> Credential {
    let more = if adapter.name == "adyen" { ("returnUrl", "https://shop.test/back") } else { ("tokenCurrency", "EUR") };
    let members = [("apiKey", "AQEyhmfxLI3MaBFLw0m"), ("merchantAccount", "KessaiCOM"), more];
    let members: BTreeMap<String, Secret> =
        members.into_iter().map(|(name, text)| (name.to_owned(), Secret::new(text.to_owned()))).collect();
    Credential::of(members, adapter.credential).expect("a credential")
}

fn card_of(number: &str, holder: &str) -> Instrument {
    let card = Card {
        number: Pan::parse(number).expect("a card number"),
        expiry: Expiry { month: 3, year: 2030 },
        cvv: Cvv::parse("737"),
        holder: Some(holder.to_owned()),
        card_type: None,
    };
    Instrument::Card { card: Box::new(card), address: Address::default() }
}

fn card() -> Instrument {
    card_of("4111111111111111", "Carol Smith")
}

/// Of one document, the schemas by which answers are judged.
struct Schemas(Value);

impl Schemas {
    fn of(adapter: &Adapter) -> Self {
        let name = if adapter.name == "adyen" { "CheckoutService-v71" } else { "PaymentService-v68" };
        let path = format!("../../shared/specs/adyen-{name}.json");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(serde_json::from_str(&text).expect("JSON"))
    }

    fn named(&self, name: &str) -> Validator {
        let root = json!({"$ref": format!("#/components/schemas/{name}"), "components": self.0["components"]});
        jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&root).expect("a schema")
    }

    fn assert_allow(&self, name: &str, answer: &Answer) {
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        let errors: Vec<String> = self.named(name).iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {body}: {errors:?}");
    }
}

/// A shop whose payments are in the model.
struct Shop {
    adapter: &'static Adapter,
    model: Adyen,
    now: i64,
    asked: u64,
}

impl Shop {
    fn at(name: &str) -> Self {
        Self { adapter: adapter(name), model: Adyen::new(KEY), now: NOW, asked: 0 }
    }

    fn both() -> [Self; 2] {
        ["adyen", "adyen-classic"].map(Self::at)
    }

    fn send(&mut self, request: &HttpRequest) -> Answer {
        self.model.handle(&arriving(request, base_url(self.adapter)), self.now)
    }

    fn with_account<T>(&self, ask: impl FnOnce(&Account<'_>) -> T) -> T {
        let gateway = Gateway::at(self.adapter.name, base_url(self.adapter));
        let credential = credential(self.adapter);
        ask(&Account { gateway: &gateway, credential: &credential, now: Timestamp::from_millis(self.now), nonce: 1 })
    }

    /// Asks, and asks again under the same key.
    fn ask(
        &mut self,
        kind: &Kind,
        minor: i64,
        instrument: Option<&Instrument>,
        opening: Option<&Opened>,
    ) -> (String, Outcome) {
        self.asked += 1;
        let index = usize::from(kind.target().is_some());
        let payment = opening.map_or(self.asked, |opened| opened.payment);
        let place =
            Ordinal::new(if index == 0 { 0 } else { usize::try_from(self.asked).expect("small") }).expect("a place");
        let reference = kind.record().id(PaymentId::from_bits(payment), place).to_string();
        let details = Details::default();
        let money = |minor| Money::new(minor, Currency::parse("EUR").expect("a currency"));
        let opening = opening.map(|opened| Known {
            record: Record::Authorization.id(PaymentId::from_bits(payment), Ordinal::FIRST),
            reference: &opened.name,
            details: None,
            amount: money(opened.minor),
            requested_at: Timestamp::from_millis(NOW),
        });
        let intent = Intent {
            kind,
            reference: reference.clone(),
            key: format!("{:032x}", self.asked),
            amount: money(minor),
            target: opening,
            opening,
            known: None,
            instrument,
            details: &details,
            requested_at: Timestamp::from_millis(self.now),
            duplicate: false,
        };
        let request = self.with_account(|account| {
            assert_eq!((self.adapter.admits)(&intent, account), Ok(()), "{kind:?}");
            (self.adapter.send.encode)(&intent, account)
        });
        let effects = self.model.effects(i64::MAX).len();
        let first = self.send(&request);
        let (made, told) = (self.model.effects(i64::MAX).len(), self.model.outbox.waiting());
        let again = self.send(&request);
        assert_eq!(first, again, "the same key is answered as before");
        assert_eq!((self.model.effects(i64::MAX).len(), self.model.outbox.waiting()), (made, told), "and does nothing");
        assert!(made <= effects + 1);
        (reference, (self.adapter.send.decode)(&intent, &answered(first)))
    }

    /// A payment that was opened, whatever came of it.
    fn open(&mut self, kind: &Kind, minor: i64, instrument: &Instrument) -> (Opened, Outcome) {
        let (reference, outcome) = self.ask(kind, minor, Some(instrument), None);
        let name = outcome.answer().and_then(|answer| answer.reference.clone()).unwrap_or_default();
        (Opened { payment: self.asked, name, reference, minor }, outcome)
    }

    /// What the model tells until then, as the adapter reads it, in order.
    fn told(&mut self, until: i64) -> Vec<Notice> {
        let posts = self.model.webhooks(until);
        assert!(posts.is_sorted_by_key(|post| post.at_ms));
        posts.iter().flat_map(|post| self.read(post)).collect()
    }

    fn read(&self, post: &Webhook) -> Vec<Notice> {
        let header = |_: &str| None;
        let raw = RawNotice { body: post.body.as_bytes(), header: &header, now: Timestamp::from_millis(post.at_ms) };
        let codec = self.adapter.notice.expect("it tells");
        let keys = [Secret::new("AB".repeat(32)), Secret::new(KEY.to_owned())];
        let items = (codec.read)(&raw, &keys).unwrap_or_else(|refused| panic!("{refused:?}: {}", post.body));
        assert!((codec.read)(&raw, &keys[..1]).is_err(), "it is signed");
        items.into_iter().filter_map(|item| item.expect("it can be read").notice()).collect()
    }

    /// Names, acts and amounts of what happened until then, with what did not stand.
    fn ledger(&self, now: i64) -> Vec<(Act, i64, bool)> {
        self.model.effects(now).into_iter().map(|effect| (effect.act, effect.minor, effect.undone)).collect()
    }
}

struct Opened {
    payment: u64,
    name: String,
    reference: String,
    minor: i64,
}

fn capture() -> Kind {
    Kind::Capture { authorization: Ordinal::FIRST, is_final: false }
}

fn reverse() -> Kind {
    Kind::Reverse { authorization: Ordinal::FIRST }
}

fn refund() -> Kind {
    Kind::Refund { payment: Ordinal::FIRST, reason: None }
}

fn verdict(notices: &[Notice], reference: &str) -> Option<&'static str> {
    let mut outcomes = notices
        .iter()
        .filter(|notice| notice.reference == reference)
        .filter_map(|notice| if let News::Outcome(outcome) = &notice.news { Some(outcome.name()) } else { None });
    let only = outcomes.next();
    assert!(outcomes.next().is_none(), "one verdict");
    only
}

fn method_id() -> MethodId {
    MethodId::parse("03OKsJpvrFJpBxD").expect("a method id")
}

fn on_file(token: &str) -> Instrument {
    Instrument::Stored(OnFile { token: Some(Secret::new(token.to_owned())), ..OnFile::unopened(method_id()) })
}
