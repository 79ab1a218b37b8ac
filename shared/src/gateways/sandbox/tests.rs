//! What the sandbox's codec says and understands, to the letter.

mod notices;
mod tokens;

use serde_json::{Value, json};

use super::{ALL, KEYED, LOOK_UP, NONE, TIMEOUT_REVERSAL};
use crate::card::Secret;
use crate::gateways::{Account, Adapter, Credential, Exchange, Intent, Offer};
use crate::payment::asked::{Address, Details, RefundReason};
use crate::payment::tests::fixtures::{START, card_of, cents, gateway, known, place, raw_card, stored_method, unnamed};
use crate::payment::{Answer, Decline, Instrument, Kind, Outcome, Reach};
use crate::ports::{HttpRequest, HttpResponse, Method};
use crate::time::Timestamp;

const REFERENCE: &str = "0Xc000000000001AAA";
const KEY: &str = "00112233445566778899aabbccddeeff";

fn intent<'a>(kind: &'a Kind, instrument: Option<&'a Instrument>, details: &'a Details) -> Intent<'a> {
    Intent {
        kind,
        reference: REFERENCE.to_owned(),
        key: KEY.to_owned(),
        amount: cents(12_050),
        target: kind.target().map(|_| known("ch_1")),
        opening: None,
        known: None,
        instrument,
        details,
        requested_at: START,
        duplicate: false,
    }
}

fn check_sent(kind: &Kind, instrument: Option<&Instrument>, details: &Details, path: &str, more: &Value) {
    let mut expected = json!({"reference": REFERENCE, "amount": 12_050, "currency": "USD"});
    for (name, value) in more.as_object().expect("an object") {
        expected[name] = value.clone();
    }
    for adapter in ALL {
        for duplicate in [false, true] {
            let intent = Intent { duplicate, ..intent(kind, instrument, details) };
            let request = (adapter.send.encode)(&intent, &unnamed(&gateway(adapter)));
            let headers = [("content-type", "application/json".to_owned()), ("idempotency-key", KEY.to_owned())];
            assert_eq!(request.headers, headers, "{kind:?}");
            assert_eq!((request.method, request.url.as_str()), (Method::Post, path), "{kind:?}");
            assert_eq!(body(&request), expected, "{kind:?}");
        }
    }
}

fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

#[test]
fn every_kind_of_operation_has_its_place_and_its_body() {
    let none = Details::default();
    let method = json!({"method": "tok_1"});
    let stored = stored_method();
    check_sent(&Kind::Authorize, Some(&stored), &none, "https://gateway.test/authorizations", &method);
    check_sent(&Kind::Sale, Some(&stored), &none, "https://gateway.test/sales", &method);

    let named = Details { additional_data: [("reference".to_owned(), "cs_1".to_owned())].into(), ..Details::default() };
    let post = "https://gateway.test/post-authorizations";
    check_sent(&Kind::PostAuthorize, None, &named, post, &json!({"authorization": "cs_1"}));

    let capture = |is_final| Kind::Capture { authorization: place(0), is_final };
    let captures = "https://gateway.test/authorizations/ch_1/captures";
    check_sent(&capture(false), None, &none, captures, &json!({}));
    check_sent(&capture(true), None, &none, captures, &json!({"final": true}));
    let reverse = Kind::Reverse { authorization: place(0) };
    check_sent(&reverse, None, &none, "https://gateway.test/authorizations/ch_1/reversals", &json!({}));

    let refunds = "https://gateway.test/payments/ch_1/refunds";
    check_sent(&Kind::Refund { payment: place(1), reason: None }, None, &none, refunds, &json!({}));
    for reason in RefundReason::ALL {
        let refund = Kind::Refund { payment: place(1), reason: Some(reason) };
        check_sent(&refund, None, &none, refunds, &json!({"reason": reason.literal()}));
    }
}

#[test]
fn a_card_goes_to_the_gateway_with_what_it_needs() {
    let sales = "https://gateway.test/sales";
    let whole = json!({"card": {
        "number": "4242424242424242", "expiryMonth": 12, "expiryYear": 2030, "cvc": "123", "holder": "Carol Smith",
    }});
    check_sent(&Kind::Sale, Some(&raw_card()), &Details::default(), sales, &whole);

    let mut bare = card_of("4242424242424242", "", Address::default());
    if let Instrument::Card { card, .. } = &mut bare {
        card.holder = None;
    }
    let least = json!({"card": {"number": "4242424242424242", "expiryMonth": 12, "expiryYear": 2030}});
    check_sent(&Kind::Sale, Some(&bare), &Details::default(), sales, &least);
}

#[test]
fn what_became_of_it_is_asked_by_our_reference_and_undone_by_it() {
    let (kind, details) = (Kind::Sale, Details::default());
    let intent = intent(&kind, None, &details);
    let asked = (exchange(&LOOK_UP, |adapter| adapter.look_up).encode)(&intent, &unnamed(&gateway(&LOOK_UP)));
    let url = format!("https://gateway.test/operations?reference={REFERENCE}");
    assert_eq!((asked.method, asked.url, asked.body.len()), (Method::Get, url, 0));

    let adapter = &TIMEOUT_REVERSAL;
    let undone = (exchange(adapter, |adapter| adapter.timeout_reversal).encode)(&intent, &unnamed(&gateway(adapter)));
    assert_eq!(body(&undone), json!({"reference": REFERENCE}));
    assert_eq!((undone.method, undone.url.as_str()), (Method::Post, "https://gateway.test/timeout-reversals"));
    assert!(undone.headers.iter().all(|(name, _)| *name != "idempotency-key"));
}

#[test]
fn each_gateway_offers_what_its_name_says() {
    let rows = [
        (&KEYED, "sandbox-keyed", true, true, false),
        (&LOOK_UP, "sandbox-look-up", false, true, false),
        (&TIMEOUT_REVERSAL, "sandbox-timeout-reversal", false, false, true),
        (&NONE, "sandbox-none", false, false, false),
    ];
    assert_eq!(rows.len(), ALL.len());
    let reach = |reaches| if reaches { Reach::Everything } else { Reach::Nothing };
    for (adapter, name, keyed, can_look_up, can_reverse_timeouts) in rows {
        let terms = adapter.terms(&gateway(adapter));
        assert_eq!((adapter.name, terms.key_window.is_some()), (name, keyed));
        assert_eq!(
            (terms.look_up, terms.timeout_reversal),
            (reach(can_look_up), reach(can_reverse_timeouts)),
            "{name}"
        );
        assert!(Adapter::named(name).is_some_and(|named| named.name == name));
    }
    assert!(Adapter::named("sandbox").is_none());
}

fn exchange(adapter: &Adapter, which: fn(&Adapter) -> Option<(Reach, Exchange)>) -> Exchange {
    which(adapter).expect("an exchange").1
}

fn decoded(exchange: Exchange, status: u16, body: &str) -> Outcome {
    decoded_for(false, exchange, status, body)
}

fn decoded_for(duplicate: bool, exchange: Exchange, status: u16, body: &str) -> Outcome {
    let (kind, details) = (Kind::Sale, Details::default());
    let intent = Intent { duplicate, ..intent(&kind, None, &details) };
    (exchange.decode)(&intent, &HttpResponse { status, body: body.as_bytes().to_vec() })
}

fn said(code: &str) -> Answer {
    let text = |text: &str| Some(text.to_owned());
    Answer { reference: text("ch_1"), code: text(code), description: text("as it is"), ..Answer::default() }
}

fn of_reference(reference: &str, status: &str, code: &str) -> String {
    json!({"id": "ch_1", "reference": reference, "status": status, "code": code, "message": "as it is"}).to_string()
}

fn answer(status: &str, code: &str) -> String {
    of_reference(REFERENCE, status, code)
}

#[test]
fn an_answer_means_what_the_table_says() {
    let error = r#"{"code":"bad_request","message":"no such card"}"#;
    let text = |text: &str| Some(text.to_owned());
    let refused = Answer { code: text("bad_request"), description: text("no such card"), ..Answer::default() };
    let rows = [
        (200, answer("approved", "00"), Outcome::Approved(said("00"))),
        (200, answer("accepted", "09"), Outcome::Accepted(said("09"))),
        (200, answer("declined", "05"), Outcome::Declined(Decline::Soft, said("05"))),
        (200, answer("declined", "51"), Outcome::Declined(Decline::Soft, said("51"))),
        (200, answer("declined", "43"), Outcome::Declined(Decline::Permanent, said("43"))),
        (200, answer("declined", "59"), Outcome::Declined(Decline::RequiresReview, said("59"))),
        (200, answer("declined", "14"), Outcome::Declined(Decline::InvalidData, said("14"))),
        (200, answer("perhaps", "00"), Outcome::Unknown),
        (200, answer("reversed", "00"), Outcome::Unknown),
        (200, of_reference("0Xc000000000002AAA", "approved", "00"), Outcome::Unknown),
        (200, of_reference("0Xc000000000002AAA", "declined", "05"), Outcome::Unknown),
        (200, r#"{"id":"ch_1","status":"approved"}"#.to_owned(), Outcome::Unknown),
        (200, "<html>".to_owned(), Outcome::Unknown),
        (200, String::new(), Outcome::Unknown),
        (201, answer("approved", "00"), Outcome::Unknown),
        (204, String::new(), Outcome::Unknown),
        (302, answer("approved", "00"), Outcome::Unknown),
        (400, error.to_owned(), Outcome::Declined(Decline::InvalidData, refused.clone())),
        (404, error.to_owned(), Outcome::Declined(Decline::InvalidData, refused)),
        (400, "<html>".to_owned(), Outcome::Unknown),
        (404, String::new(), Outcome::Unknown),
        (401, error.to_owned(), Outcome::Unknown),
        (409, error.to_owned(), Outcome::Unknown),
        (422, error.to_owned(), Outcome::Unknown),
        (429, String::new(), Outcome::NotSent),
        (500, error.to_owned(), Outcome::Unknown),
        (502, answer("approved", "00"), Outcome::Unknown),
        (504, String::new(), Outcome::Unknown),
    ];
    for (status, body, expected) in rows {
        assert_eq!(decoded(KEYED.send, status, &body), expected, "{status} {body}");
    }
}

#[test]
fn a_refusal_of_what_may_have_come_before_tells_nothing() {
    let error = r#"{"code":"bad_request"}"#;
    for status in [400, 404] {
        assert!(matches!(decoded_for(false, KEYED.send, status, error), Outcome::Declined(Decline::InvalidData, _)));
        assert_eq!(decoded_for(true, KEYED.send, status, error), Outcome::Unknown);
    }
    assert!(matches!(decoded_for(true, KEYED.send, 200, &answer("declined", "05")), Outcome::Declined(..)));
}

#[test]
fn everything_a_gateway_says_is_kept() {
    let body = json!({
        "id": "ch_1", "reference": REFERENCE, "status": "approved", "code": "00", "message": "approved",
        "authorizationCode": "A1", "date": "2026-09-21T15:33:20.000Z", "risk": {"score": 3},
    });
    let Outcome::Approved(kept) = decoded(KEYED.send, 200, &body.to_string()) else { panic!("it is approved") };
    assert_eq!(kept.authorization_code.as_deref(), Some("A1"));
    assert_eq!(kept.date, Timestamp::parse("2026-09-21T15:33:20Z"));
    let mut garbled = body;
    garbled["date"] = json!("yesterday");
    let Outcome::Approved(kept) = decoded(KEYED.send, 200, &garbled.to_string()) else { panic!("it is approved") };
    assert_eq!(kept.date, None);
}

#[test]
fn a_look_up_finds_what_took_effect_or_the_last_refusal() {
    let look_up = exchange(&KEYED, |adapter| adapter.look_up);
    let found = |answers: &[(&str, &str)]| {
        let answers: Vec<String> = answers.iter().map(|(status, code)| answer(status, code)).collect();
        format!("{{\"operations\":[{}]}}", answers.join(","))
    };
    let rows = [
        (200, found(&[]), Outcome::NeverReceived),
        (200, found(&[("approved", "00")]), Outcome::Approved(said("00"))),
        (200, found(&[("declined", "05"), ("approved", "00")]), Outcome::Approved(said("00"))),
        (200, found(&[("approved", "00"), ("declined", "05")]), Outcome::Approved(said("00"))),
        (200, found(&[("accepted", "09"), ("declined", "05")]), Outcome::Accepted(said("09"))),
        (200, found(&[("declined", "43"), ("declined", "05")]), Outcome::Declined(Decline::Soft, said("05"))),
        (200, found(&[("perhaps", "00")]), Outcome::Unknown),
        (200, found(&[("perhaps", "00"), ("declined", "05")]), Outcome::Unknown),
        (200, found(&[("perhaps", "00"), ("approved", "00")]), Outcome::Approved(said("00"))),
        (200, format!("{{\"operations\":[{}]}}", of_reference("R", "approved", "00")), Outcome::Unknown),
        (200, "{}".to_owned(), Outcome::Unknown),
        (200, "<html>".to_owned(), Outcome::Unknown),
        (404, found(&[]), Outcome::Unknown),
        (429, String::new(), Outcome::Unknown),
        (500, found(&[("approved", "00")]), Outcome::Unknown),
    ];
    for (status, body, expected) in rows {
        assert_eq!(decoded(look_up, status, &body), expected, "{status} {body}");
    }
}

#[test]
fn a_reference_that_bears_more_than_one_effect_is_told() {
    let look_up = exchange(&KEYED, |adapter| adapter.look_up);
    for (second, first) in [("approved", "approved"), ("accepted", "approved")] {
        let body = format!("{{\"operations\":[{},{}]}}", answer(first, "00"), answer(second, "00"));
        let Outcome::Approved(kept) = decoded(look_up, 200, &body) else { panic!("the first is approved") };
        assert_eq!(kept.message.as_deref(), Some("2 operations at the gateway bear this reference"));
    }
}

#[test]
fn a_reversal_by_reference_means_that_nothing_is_charged() {
    let reversal = exchange(&TIMEOUT_REVERSAL, |adapter| adapter.timeout_reversal);
    let rows = [
        (200, answer("reversed", "00"), Outcome::Voided(said("00"))),
        (200, answer("nothing_to_reverse", "00"), Outcome::Voided(said("00"))),
        (200, answer("approved", "00"), Outcome::Unknown),
        (200, answer("failed", "96"), Outcome::Unknown),
        (200, of_reference("0Xc000000000002AAA", "reversed", "00"), Outcome::Unknown),
        (200, "<html>".to_owned(), Outcome::Unknown),
        (404, answer("reversed", "00"), Outcome::Unknown),
        (500, answer("reversed", "00"), Outcome::Unknown),
    ];
    for (status, body, expected) in rows {
        assert_eq!(decoded(reversal, status, &body), expected, "{status} {body}");
    }
}

#[test]
fn a_key_that_one_of_them_may_have_is_sent_with_everything() {
    let members = [("secretKey".to_owned(), Secret::new("sk_12345".to_owned()))].into();
    let credential = Credential::of(members, KEYED.credential).expect("a credential");
    let gateway = gateway(&KEYED);
    let account = Account { credential: &credential, ..unnamed(&gateway) };
    let (instrument, details) = (stored_method(), Details::default());
    let intent = intent(&Kind::Sale, Some(&instrument), &details);
    let (_, look_up) = KEYED.look_up.expect("it can be asked");
    let check = KEYED.check.expect("it can be checked");
    for request in
        [(KEYED.send.encode)(&intent, &account), (look_up.encode)(&intent, &account), (check.encode)(&account)]
    {
        let expected = ("authorization", "Bearer sk_12345".to_owned());
        assert!(request.headers.contains(&expected), "{} {:?}", request.url, request.headers);
    }
    for adapter in [LOOK_UP, TIMEOUT_REVERSAL, NONE] {
        assert!(adapter.credential.is_empty(), "{}", adapter.name);
    }
}

#[test]
fn a_check_asks_for_what_changes_nothing_and_knows_a_sandbox() {
    for adapter in ALL {
        let check = adapter.check.expect("it can be checked");
        let request = (check.encode)(&unnamed(&gateway(adapter)));
        assert_eq!((request.method, request.url.as_str()), (Method::Get, "https://gateway.test/faults"));
        assert!(request.headers.is_empty() && request.body.is_empty());
        let told = |status, body: &str| (check.decode)(&HttpResponse { status, body: body.as_bytes().to_vec() });
        let offered =
            |name: &str, label: &str| Offer { name: name.to_owned(), label: label.to_owned(), currency: None };
        let offers = vec![offered("card", "Card"), offered("bankAccount", "Bank account")];
        assert_eq!(told(200, r#"{"next":[{"fault":"decline"}]}"#), Ok(offers));
        for (status, body) in [(200, ""), (200, "<html>"), (200, "[]"), (200, "{}"), (404, r#"{"next":[]}"#), (500, "")]
        {
            let why = format!("the answer is none of the sandbox's: {status}");
            assert_eq!(told(status, body), Err(why), "{body}");
        }
    }
}
