//! The adapter and the model speak to each other: every operation, every outcome.

use std::collections::BTreeMap;

use kessai_shared::card::{Card, Cvv, Expiry, Pan, Secret};
use kessai_shared::gateways::payeezy::ADAPTER;
use kessai_shared::gateways::signatures::{self, PayeezyRequest};
use kessai_shared::gateways::{Account, Credential, Exchange, Intent, Known, TokenIntent};
use kessai_shared::ids::{MethodId, Ordinal, PaymentId, Record};
use kessai_shared::merchant::Gateway;
use kessai_shared::method;
use kessai_shared::money::{Currency, Money};
use kessai_shared::payment::asked::{Address, Details, OnFile};
use kessai_shared::payment::{Answer, Decline, Instrument, Kind, Outcome};
use kessai_shared::ports::HttpRequest;
use kessai_shared::time::Timestamp;
use serde_json::{Value, json};

use super::Payeezy;
use crate::models::{Act, Model, Request, answered, arriving};

const SECRET: &str = "secret-of-the-account";
const URL: &str = "https://payeezy.test/v1";
const NOW: i64 = 1_790_000_000_000;

const AUTHORIZE: Kind = Kind::Authorize;
const SALE: Kind = Kind::Sale;
const CAPTURE: Kind = Kind::Capture { authorization: Ordinal::FIRST, is_final: false };
const REVERSE: Kind = Kind::Reverse { authorization: Ordinal::FIRST };
const REFUND: Kind = Kind::Refund { payment: Ordinal::FIRST, reason: None };

struct World {
    model: Payeezy,
    gateway: Gateway,
    credential: Credential,
    count: u64,
}

impl World {
    fn new() -> Self {
        Self::signing_with(SECRET)
    }

    fn signing_with(secret: &str) -> Self {
        let members = [("apiKey", "key-of-the-account"), ("apiSecret", secret), ("token", "fdoa-merchant")];
        let member = |(name, text): (&str, &str)| (name.to_owned(), Secret::new(text.to_owned()));
        let members: BTreeMap<String, Secret> = members.into_iter().map(member).collect();
        Self {
            model: Payeezy::new(SECRET),
            gateway: Gateway::at("payeezy", URL),
            credential: Credential::of(members, ADAPTER.credential).expect("a credential"),
            count: 0,
        }
    }

    fn exchange(&mut self, exchange: Exchange, asked: &Asked<'_>) -> Outcome {
        self.count += 1;
        let details = Details { submitted_by_merchant: asked.by_merchant, ..Details::default() };
        let intent = asked.intent(&details);
        let account = self.account();
        assert_eq!((ADAPTER.admits)(&intent, &account), Ok(()));
        let request = (exchange.encode)(&intent, &account);
        let answer = self.model.handle(&arriving(&request, URL), NOW);
        (exchange.decode)(&intent, &answered(answer))
    }

    fn account(&self) -> Account<'_> {
        let now = Timestamp::from_millis(NOW);
        Account { gateway: &self.gateway, credential: &self.credential, now, nonce: self.count }
    }

    fn send(&mut self, asked: &Asked<'_>) -> Outcome {
        self.exchange(ADAPTER.send, asked)
    }

    fn undo(&mut self, asked: &Asked<'_>) -> Outcome {
        self.exchange(ADAPTER.timeout_reversal.expect("an exchange").1, asked)
    }

    fn approved(&mut self, asked: &Asked<'_>) -> Answer {
        match self.send(asked) {
            Outcome::Approved(answer) => answer,
            other => panic!("{:?}: {other:?}", asked.kind),
        }
    }

    fn tokenize(&mut self, card: &Instrument) -> (Outcome, Option<Secret>) {
        let (exchange, details) = (ADAPTER.tokenize.expect("it keeps methods"), method::Details::default());
        let intent = TokenIntent {
            reference: "03O000000000001".to_owned(),
            key: "k".to_owned(),
            instrument: card,
            details: &details,
            duplicate: false,
            prepared: None,
        };
        let account = self.account();
        let request = (exchange.encode)(&intent, &account);
        let answer = self.model.handle(&arriving(&request, URL), NOW);
        (exchange.decode)(&intent, &answered(answer))
    }

    /// What moved money, in short.
    fn ledger(&self) -> Vec<(Act, String, i64, bool)> {
        let effects = self.model.effects(NOW);
        effects.into_iter().map(|effect| (effect.act, effect.reference, effect.minor, effect.undone)).collect()
    }
}

struct Asked<'a> {
    kind: &'a Kind,
    reference: &'a str,
    minor: i64,
    target: Option<(&'a Answer, i64)>,
    instrument: Option<&'a Instrument>,
    by_merchant: bool,
}

impl Asked<'_> {
    fn intent<'b>(&'b self, details: &'b Details) -> Intent<'b> {
        let dollars = |minor| Money::new(minor, Currency::parse("USD").expect("a currency"));
        let target = self.target.map(|(answer, minor)| Known {
            record: Record::Authorization.id(PaymentId::from_bits(7), Ordinal::FIRST),
            reference: answer.reference.as_deref().expect("a reference"),
            details: answer.reference_details.as_deref(),
            amount: dollars(minor),
            requested_at: Timestamp::from_millis(NOW),
        });
        Intent {
            kind: self.kind,
            reference: self.reference.to_owned(),
            key: "00112233445566778899aabbccddeeff".to_owned(),
            amount: dollars(self.minor),
            target,
            opening: target,
            known: None,
            requested_at: Timestamp::from_millis(NOW),
            instrument: self.instrument,
            details,
            duplicate: false,
        }
    }
}

fn opens<'a>(kind: &'a Kind, reference: &'a str, minor: i64, instrument: &'a Instrument) -> Asked<'a> {
    Asked { kind, reference, minor, target: None, instrument: Some(instrument), by_merchant: false }
}

fn acts<'a>(kind: &'a Kind, reference: &'a str, minor: i64, target: (&'a Answer, i64)) -> Asked<'a> {
    Asked { kind, reference, minor, target: Some(target), instrument: None, by_merchant: false }
}

fn card_until(year: u16) -> Instrument {
    let card = Card {
        number: Pan::parse("4242424242424242").expect("a card number"),
        expiry: Expiry { month: 9, year },
        cvv: Cvv::parse("123"),
        holder: Some("Zoë Smith".to_owned()),
        card_type: None,
    };
    Instrument::Card { card: Box::new(card), address: Address::default() }
}

fn stored(token: Secret) -> Instrument {
    let method = MethodId::parse("03O000000000001").expect("a method id");
    Instrument::Stored(OnFile { token: Some(token), ..OnFile::unopened(method) })
}

fn is_refused(outcome: &Outcome, number: &str) -> bool {
    let Outcome::Declined(Decline::InvalidData, answer) = outcome else { return false };
    answer.description.as_deref().is_some_and(|description| description.contains(&format!("({number})")))
}

#[test]
fn money_is_held_taken_and_given_back() {
    let (mut world, card) = (World::new(), card_until(2026));
    let hold = world.approved(&opens(&AUTHORIZE, "A", 10_000, &card));
    assert_eq!((hold.avs_code.as_deref(), hold.message.as_deref()), (Some("4"), Some("CVV2 result M")));
    assert!(is_refused(&world.send(&acts(&CAPTURE, "X", 10_001, (&hold, 10_000))), "26"));
    let taken = world.approved(&acts(&CAPTURE, "C", 6_000, (&hold, 10_000)));
    assert!(is_refused(&world.send(&acts(&CAPTURE, "X", 1_000, (&hold, 10_000))), "69"), "one capture only");
    assert!(is_refused(&world.send(&acts(&REVERSE, "X", 10_000, (&hold, 10_000))), "69"), "it is captured");
    world.approved(&acts(&REFUND, "R1", 4_000, (&taken, 6_000)));
    assert!(is_refused(&world.send(&acts(&REFUND, "X", 2_001, (&taken, 6_000))), "64"));
    let back = world.approved(&acts(&REFUND, "R2", 2_000, (&taken, 6_000)));
    assert!(is_refused(&world.send(&acts(&REFUND, "X", 2_000, (&back, 2_000))), "69"), "nothing is given back twice");

    let paid = world.approved(&opens(&SALE, "S", 500, &card));
    world.approved(&acts(&REFUND, "R3", 500, (&paid, 500)));
    let other = world.approved(&opens(&AUTHORIZE, "A2", 700, &card));
    world.approved(&acts(&REVERSE, "V", 700, (&other, 700)));
    assert!(is_refused(&world.send(&acts(&CAPTURE, "X", 700, (&other, 700))), "69"));

    let line = |act, reference: &str, minor| (act, reference.to_owned(), minor, false);
    let expected = [
        line(Act::Authorize, "A", 10_000),
        line(Act::Capture, "C", 6_000),
        line(Act::Refund, "R1", 4_000),
        line(Act::Refund, "R2", 2_000),
        line(Act::Sale, "S", 500),
        line(Act::Refund, "R3", 500),
        line(Act::Authorize, "A2", 700),
        line(Act::Reverse, "V", 700),
    ];
    assert_eq!(world.ledger(), expected);
    assert!(world.model.webhooks(NOW).is_empty());
}

#[test]
fn ids_with_a_space_behind_them_lead_back_all_the_same() {
    let (mut world, card) = (World::new(), card_until(2026));
    for number in 1..=8 {
        let hold = world.approved(&opens(&AUTHORIZE, "A", number, &card));
        world.approved(&acts(&CAPTURE, "C", number, (&hold, number)));
    }
    assert!(world.model.effects(NOW).iter().all(|effect| !effect.id.ends_with(' ')));
}

#[test]
fn a_lost_opening_is_undone_by_its_name_and_amount_alone() {
    for kind in [AUTHORIZE, SALE] {
        let (mut world, card) = (World::new(), card_until(2026));
        assert_eq!(world.undo(&opens(&kind, "A", 900, &card)), Outcome::Unknown, "nothing arrived");
        world.approved(&opens(&kind, "A", 900, &card));
        world.approved(&opens(&kind, "B", 900, &card));
        assert_eq!(world.undo(&opens(&kind, "A", 901, &card)), Outcome::Unknown);
        assert!(matches!(world.undo(&opens(&kind, "A", 900, &card)), Outcome::Voided(_)));
        assert_eq!(world.undo(&opens(&kind, "A", 900, &card)), Outcome::Unknown, "it was undone before");
        let undone: Vec<(String, bool)> = world.ledger().into_iter().map(|line| (line.1, line.3)).collect();
        assert_eq!(undone, [("A".to_owned(), true), ("B".to_owned(), false)]);
    }
}

#[test]
fn what_comes_twice_is_carried_out_twice() {
    let (mut world, card) = (World::new(), card_until(2026));
    for _ in 0..2 {
        world.approved(&opens(&SALE, "S", 900, &card));
    }
    assert_eq!(world.ledger().len(), 2);
    assert!(matches!(world.undo(&opens(&SALE, "S", 900, &card)), Outcome::Voided(_)));
    assert!(world.ledger().iter().all(|line| line.3), "both bear the name");
}

#[test]
fn a_token_is_made_and_paid_with() {
    let mut world = World::new();
    let (outcome, token) = world.tokenize(&card_until(2026));
    assert!(matches!(outcome, Outcome::Approved(_)));
    let on_file = stored(token.expect("a token"));
    let paid = world.approved(&opens(&SALE, "S", 800, &on_file));
    world.approved(&acts(&REFUND, "R", 800, (&paid, 800)));
    let by_merchant = Asked { by_merchant: true, ..opens(&AUTHORIZE, "A", 800, &on_file) };
    world.approved(&by_merchant);

    let other = r#"{"type":"Visa","value":"2537446225198291","cardholder_name":"Z","exp_date":"1230"}"#;
    let unknown = stored(Secret::new(other.to_owned()));
    let Outcome::Declined(Decline::InvalidData, answer) = world.send(&opens(&SALE, "S", 800, &unknown)) else {
        panic!("nobody made this token")
    };
    assert_eq!(answer.code.as_deref(), Some("invalid_token"));
    let (outcome, token) = world.tokenize(&card_until(2025));
    assert!(matches!(outcome, Outcome::Declined(Decline::InvalidData, _)) && token.is_none(), "{outcome:?}");
}

#[test]
fn amounts_and_cards_ask_for_an_outcome() {
    let rows = [
        (530_200, Decline::Soft, "302"),
        (501_300, Decline::Soft, "013"),
        (550_200, Decline::Permanent, "502"),
        (9_001, Decline::Soft, "530"),
        (9_002, Decline::Permanent, "502"),
        (9_003, Decline::Soft, "302"),
        (9_004, Decline::InvalidData, "522"),
        (9_005, Decline::InvalidData, "531"),
        (9_006, Decline::RequiresReview, "401"),
        (9_007, Decline::InvalidData, "201"),
    ];
    let card = card_until(2026);
    for (minor, decline, code) in rows {
        for kind in [AUTHORIZE, SALE] {
            let mut world = World::new();
            let Outcome::Declined(said, answer) = world.send(&opens(&kind, "A", minor, &card)) else {
                panic!("{minor} is not declined")
            };
            assert_eq!((said, answer.code.as_deref()), (decline, Some(code)), "{minor}");
            assert!(world.ledger().is_empty());
        }
    }
    for minor in [500_000, 510_000, 499_900, 600_000, 530_201, 9_018, 9_022, 9_011] {
        World::new().approved(&opens(&SALE, "S", minor, &card));
    }
    let mut world = World::new();
    let Outcome::Declined(Decline::InvalidData, answer) = world.send(&opens(&SALE, "S", 100, &card_until(2025))) else {
        panic!("it has expired")
    };
    assert_eq!(answer.code.as_deref(), Some("card_expired"));

    let hold = world.approved(&opens(&AUTHORIZE, "A", 20_000, &card));
    let declined = world.send(&acts(&CAPTURE, "C", 9_001, (&hold, 20_000)));
    assert!(matches!(declined, Outcome::Declined(Decline::Soft, _)), "{declined:?}");
    world.approved(&acts(&CAPTURE, "C", 9_000, (&hold, 20_000)));
}

#[test]
fn who_signs_with_another_secret_is_turned_away_and_nothing_happens() {
    let (mut world, card) = (World::signing_with("another-secret"), card_until(2026));
    assert_eq!(world.send(&opens(&SALE, "S", 100, &card)), Outcome::NotSent);
    assert_eq!(world.tokenize(&card).0, Outcome::NotSent);
    assert!(world.ledger().is_empty());
}

/// A request of the adapter's, and what is changed on its way.
fn answer_to(change: impl FnOnce(&mut Request)) -> (u16, String) {
    let (mut world, card, details) = (World::new(), card_until(2026), Details::default());
    let asked = opens(&SALE, "S", 100, &card);
    let request: HttpRequest = (ADAPTER.send.encode)(&asked.intent(&details), &world.account());
    let mut request = arriving(&request, URL);
    change(&mut request);
    let answer = world.model.handle(&request, NOW);
    (answer.status, answer.body)
}

#[test]
fn the_door_is_guarded() {
    let header = |name: &'static str, value: &'static str| {
        answer_to(move |request| drop(request.headers.insert(name.to_owned(), value.to_owned())))
    };
    assert_eq!(answer_to(|_| ()).0, 201);
    assert_eq!(answer_to(|request| request.path = "/v1/transactions".to_owned()).0, 201, "wherever it is served");
    assert_eq!(header("apikey", "short").0, 401);
    assert!(header("apikey", "").1.contains("InvalidApiKey"));
    assert_eq!(header("token", "merchant"), (401, r#"{"error":"Access denied"}"#.to_owned()));
    for (name, value) in [("nonce", "x"), ("timestamp", ""), ("timestamp", "1"), ("authorization", "")] {
        assert!(header(name, value).1.contains("HMAC validation Failure"), "{name}");
    }
    assert_eq!(answer_to(|request| request.body.push(b' ')).0, 403, "the bytes are signed");
    assert_eq!(answer_to(|request| request.method = "GET".to_owned()).0, 404);
    assert_eq!(answer_to(|request| request.path = "/transactionsx".to_owned()).0, 404);
}

/// The HTTP status and the code of the first error of a body that is signed well.
fn answer_to_body(path: &str, body: &Value) -> (u16, String) {
    let (mut world, card, details) = (World::new(), card_until(2026), Details::default());
    let asked = opens(&SALE, "S", 100, &card);
    let mut request = arriving(&(ADAPTER.send.encode)(&asked.intent(&details), &world.account()), URL);
    (request.path, request.body) = (path.to_owned(), body.to_string().into_bytes());
    let signed = PayeezyRequest {
        api_key: request.header("apikey"),
        nonce: request.header("nonce"),
        timestamp_ms: request.header("timestamp"),
        token: request.header("token"),
        payload: &request.body,
    };
    let signature = signatures::payeezy(&signed, &Secret::new(SECRET.to_owned()));
    request.headers.insert("authorization".to_owned(), signature);
    let answer = world.model.handle(&request, NOW);
    assert!(world.ledger().is_empty());
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    (answer.status, body["Error"]["messages"][0]["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn what_is_not_sound_is_not_processed() {
    let card = json!({
        "type": "visa", "cardholder_name": "Z", "card_number": "4242424242424242", "exp_date": "1230", "cvv": "123",
    });
    let sale = json!({
        "merchant_ref": "S", "transaction_type": "purchase", "method": "credit_card", "amount": "100",
        "currency_code": "USD", "credit_card": card,
    });
    let with = |name: &str, value: Value| {
        let mut body = sale.clone();
        match name.split_once('.') {
            Some((outer, inner)) => body[outer][inner] = value,
            None => body[name] = value,
        }
        body
    };
    let null = Value::Null;
    let rows = [
        (with("amount", 100.into()), "invalid_amount"),
        (with("amount", "1.00".into()), "invalid_amount"),
        (with("amount", "0".into()), "invalid_amount"),
        (with("amount", null.clone()), "missing_amount"),
        (with("currency_code", "XYZ".into()), "invalid_currency_code"),
        (with("method", "cash".into()), "invalid_method"),
        (with("transaction_type", "split".into()), "invalid_transaction_type"),
        (with("transaction_type", "capture".into()), "missing_transaction_id"),
        (with("transaction_type", "void".into()), "missing_transaction_id"),
        (with("credit_card", null.clone()), "missing_credit_card"),
        (with("credit_card.card_number", "4242424242424241".into()), "invalid_card_number"),
        (with("credit_card.exp_date", "0826".into()), "card_expired"),
        (with("credit_card.exp_date", "1326".into()), "invalid_exp_date"),
        (with("credit_card.exp_date", "12/26".into()), "invalid_exp_date"),
        (with("credit_card.cvv", "12345".into()), "invalid_cvv"),
        (with("credit_card.type", "maestro".into()), "invalid_card_type"),
        (with("stored_credentials", json!({"sequence": "SECOND"})), "invalid_sequence"),
        (json!([]), "missing_transaction_type"),
    ];
    for (body, code) in rows {
        assert_eq!(answer_to_body("/transactions", &body.clone()), (400, code.to_owned()), "{body}");
    }
    assert_eq!(
        answer_to_body("/transactions/ET1", &with("transaction_type", "refund".into())).1,
        "missing_transaction_tag"
    );
    let mut tagged = with("transaction_type", "refund".into());
    tagged["transaction_tag"] = "1".into();
    assert_eq!(answer_to_body("/transactions/ET1", &tagged), (400, "server_error".to_owned()));
    assert_eq!(answer_to_body("/transactions/", &sale.clone()).1, "missing_transaction_id");
    let keep = json!({"type": "FDToken", "auth": "perhaps", "credit_card": card});
    assert_eq!(answer_to_body("/transactions/tokens", &keep), (400, "invalid_auth".to_owned()));
}
