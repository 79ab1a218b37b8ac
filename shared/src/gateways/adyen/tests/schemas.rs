//! Every request is one that Adyen's own documents allow, whatever is asked.

use jsonschema::Validator;
use serde_json::{Value, json};

use super::*;
use crate::card::{Card, Cvv, Expiry, Pan};
use crate::gateways::TokenIntent;
use crate::method;
use crate::money::{Currency, Money};
use crate::payment::asked::{OnFile, RefundReason};
use crate::payment::tests::fixtures::method_id;

const SEEDS: u64 = 400;

/// The schema of this name, in a document that it may refer to.
fn schema(document: &Value, name: &str) -> Validator {
    let mut root = json!({"$ref": format!("#/components/schemas/{name}")});
    root["components"] = document["components"].clone();
    jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&root).expect("a schema")
}

fn assert_allows(schema: &Validator, body: &Value) {
    let errors: Vec<String> =
        schema.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(errors.is_empty(), "{body}: {errors:?}");
}

fn some<T>(random: &mut fastrand::Rng, value: impl FnOnce(&mut fastrand::Rng) -> T) -> Option<T> {
    random.bool().then(|| value(random))
}

fn text(random: &mut fastrand::Rng) -> String {
    let words = ["", "a", "415 Mission Street", "Köln", "日本 \"x\"\\", "CA", "US", "California", "\u{1}", "x@y.test"];
    let long = "x".repeat(255);
    let pick = random.usize(..=words.len());
    words.get(pick).map_or(long, |word| (*word).to_owned())
}

fn address(random: &mut fastrand::Rng) -> Address {
    Address {
        street: some(random, text),
        city: some(random, text),
        state: some(random, text),
        country: some(random, text),
        postal_code: some(random, text),
        company_name: some(random, text),
    }
}

fn some_card(random: &mut fastrand::Rng) -> Instrument {
    let numbers = ["4242424242424242", "378282246310005", "6304000000000000", "0000000000000000000"];
    let card = Card {
        number: Pan::parse(numbers[random.usize(..numbers.len())]).expect("a card number"),
        expiry: Expiry { month: random.u8(1..=12), year: random.u16(2000..=2099) },
        cvv: some(random, |random| Cvv::parse(&random.u16(100..=9999).to_string()).expect("a cvv")),
        holder: some(random, text),
        card_type: None,
    };
    Instrument::Card { card: Box::new(card), address: address(random) }
}

fn instrument(random: &mut fastrand::Rng) -> Instrument {
    if random.bool() {
        return some_card(random);
    }
    let token = Some(Secret::new("M5N7TQ4TG5PFWR50".to_owned()));
    Instrument::Stored(OnFile { token, ..OnFile::unopened(method_id()) })
}

fn some_details(random: &mut fastrand::Rng) -> Details {
    let mut more = vec![("returnUrl", "https://shop.test/back")];
    let models = ["CardOnFile", "Subscription", "UnscheduledCardOnFile"];
    more.extend(some(random, |_| ("shopperReference", "shopper-1")));
    more.extend(some(random, |random| ("recurringProcessingModel", models[random.usize(..3)])));
    Details {
        email: some(random, text),
        ip_address: some(random, text),
        phone: some(random, text),
        comments: some(random, text),
        submitted_by_merchant: random.bool(),
        ..details(&more)
    }
}

fn some_kind(random: &mut fastrand::Rng) -> Kind {
    let all = kinds();
    match &all[random.usize(..all.len())] {
        Kind::Refund { payment, .. } => {
            let reasons = RefundReason::ALL;
            Kind::Refund { payment: *payment, reason: some(random, |random| reasons[random.usize(..3)]) }
        }
        kind => kind.clone(),
    }
}

/// The schema by which a request is judged, by its path.
fn judge<'a>(schemas: &'a [(&str, Validator)], url: &str) -> &'a Validator {
    let path = url.strip_prefix("https://gateway.test/").expect("a path");
    let found = schemas.iter().find(|(end, _)| path.ends_with(end));
    &found.unwrap_or_else(|| panic!("no schema for {path}")).1
}

fn check_all(adapter: &Adapter, schemas: &[(&str, Validator)], more: &[(&str, &str)]) {
    for seed in 0..SEEDS {
        let random = &mut fastrand::Rng::with_seed(seed);
        let (kind, instrument, details) = (some_kind(random), instrument(random), some_details(random));
        let currencies = ["USD", "JPY", "BHD", "ISK", "CLP", "EUR"];
        let currency = Currency::parse(currencies[random.usize(..currencies.len())]).expect("a currency");
        let money = Money::new(random.i64(1..=1_000_000_000), currency);
        let whole = kind.target().map(|_| Known { amount: money, ..known(PSP) });
        let intent = Intent { amount: money, target: whole, ..intent(&kind, &instrument, &details) };
        let (gateway, credential) = (gateway(adapter), credential(adapter, more));
        let account = account(&gateway, &credential);
        assert_eq!((adapter.admits)(&intent, &account), Ok(()), "seed {seed}");
        let request = (adapter.send.encode)(&intent, &account);
        assert_allows(judge(schemas, &request.url), &body(&request));

        let (instrument, mut details) = (some_card(random), method::Details::default());
        details.email = some(random, text);
        details.saved_by_merchant = random.bool();
        details.sender.ip_address = some(random, text);
        let intent = TokenIntent {
            reference: "03OKsJpvrFJpBxDAAA".to_owned(),
            key: KEY.to_owned(),
            instrument: &instrument,
            details: &details,
            duplicate: false,
            prepared: None,
        };
        let request = (adapter.tokenize.expect("it keeps methods").encode)(&intent, &account);
        assert_allows(judge(schemas, &request.url), &body(&request));
    }
    let (gateway, credential) = (gateway(adapter), credential(adapter, more));
    let request = (adapter.check.expect("it can be checked").encode)(&account(&gateway, &credential));
    assert_allows(judge(schemas, &request.url), &body(&request));
}

#[test]
fn checkout_allows_every_request() {
    let document = read("specs/adyen-CheckoutService-v71.json");
    let of = |name| schema(&document, name);
    let schemas = [
        ("payments", of("PaymentRequest")),
        ("/captures", of("PaymentCaptureRequest")),
        ("/cancels", of("PaymentCancelRequest")),
        ("/refunds", of("PaymentRefundRequest")),
        ("storedPaymentMethods", of("StoredPaymentMethodRequest")),
        ("paymentMethods", of("PaymentMethodsRequest")),
    ];
    check_all(&CHECKOUT, &schemas, &[]);
    assert!(!schemas[1].1.is_valid(&json!({"merchantAccount": "x"})), "the schema does refuse");
}

#[test]
fn both_ends_of_the_older_dialect_allow_every_request() {
    for version in ["52", "68"] {
        let document = read(&format!("specs/adyen-PaymentService-v{version}.json"));
        let of = |name| schema(&document, name);
        let schemas = [
            ("authorise", of("PaymentRequest")),
            ("capture", of("CaptureRequest")),
            ("cancel", of("CancelRequest")),
            ("refund", of("RefundRequest")),
            ("getAuthenticationResult", of("AuthenticationResultRequest")),
        ];
        check_all(&CLASSIC, &schemas, &[("tokenCurrency", "EUR")]);
        assert!(!schemas[1].1.is_valid(&json!({"modificationAmount": {"value": "100"}})), "the schema does refuse");
    }
}
