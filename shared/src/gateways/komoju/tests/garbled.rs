//! What nobody can read, and what nobody may: for every exchange.

use serde_json::{Value, json};

use super::{
    KINDS, PAYMENT, alternative, bank_details, details, intent, name, payment, payment_at_komoju, refunded, requested,
    response, with_account,
};
use crate::card::Secret;
use crate::gateways::komoju::KOMOJU;
use crate::gateways::signatures::komoju;
use crate::gateways::{Intent, RawNotice, TokenIntent};
use crate::ids::Record;
use crate::method;
use crate::payment::tests::fixtures::{START, card_of, raw_card};
use crate::payment::{Kind, Outcome};
use crate::ports::HttpResponse;

/// All that an answer could be and is not.
fn garbled(whole: &str) -> Vec<String> {
    let truncated = (1..whole.len()).filter(|end| whole.is_char_boundary(*end)).map(|end| whole[..end].to_owned());
    let others = [
        "<html><body>502</body></html>".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "7".to_owned(),
        "{}".to_owned(),
        r#"{"error":null}"#.to_owned(),
        r#"{"error":{"code":7}}"#.to_owned(),
        "[".repeat(100_000),
        format!("{}1{}", r#"{"data":"#.repeat(50_000), "}".repeat(50_000)),
        format!("\"{}\"", "x".repeat(300_000)),
    ];
    truncated.chain(others).collect()
}

/// An answer that approves any operation.
fn approval(kind: &Kind) -> Value {
    let status = match kind {
        Kind::Authorize | Kind::PostAuthorize => "authorized",
        Kind::Reverse { .. } => "cancelled",
        Kind::Sale | Kind::Capture { .. } | Kind::Refund { .. } => "captured",
    };
    payment(&json!({
        "status": status, "external_order_num": name(kind.record(), 0),
        "refunds": [refunded("r1", 1_000, &json!(name(Record::Refund, 1)), false)],
    }))
}

#[test]
fn an_answer_that_nobody_can_read_is_unknown() {
    let said = details(&[("reference", PAYMENT)]);
    let (_, look_up) = KOMOJU.look_up.expect("it can be asked");
    for kind in &KINDS {
        let whole = approval(kind).to_string();
        let known = kind.target().is_none().then(|| payment_at_komoju(None));
        let asked = Intent { known, ..intent(kind, &said) };
        assert_eq!((KOMOJU.send.decode)(&asked, &response(200, &whole)).name(), "approved", "{kind:?}");
        assert_eq!((look_up.decode)(&asked, &response(200, &whole)).name(), "approved", "{kind:?}");
        for body in garbled(&whole).iter().map(String::as_str).chain([""]) {
            for status in [200, 204, 401, 422, 500] {
                let answer = response(status, body);
                let start = &body[..body.len().min(40)];
                assert_eq!((KOMOJU.send.decode)(&asked, &answer), Outcome::Unknown, "{kind:?} {status} {start}");
                assert_eq!((look_up.decode)(&asked, &answer), Outcome::Unknown, "{kind:?} {status} {start}");
            }
        }
    }
}

#[test]
fn a_refund_by_bank_that_is_answered_in_riddles_is_unknown() {
    let said = bank_details();
    let whole = requested("q1", "pending", &name(Record::Refund, 1)).to_string();
    let asked = intent(&super::REFUND, &said);
    assert_eq!((KOMOJU.send.decode)(&asked, &response(200, &whole)).name(), "accepted");
    for body in garbled(&whole) {
        for status in [200, 204, 422, 500] {
            let outcome = (KOMOJU.send.decode)(&asked, &response(status, &body));
            assert_eq!(outcome, Outcome::Unknown, "{status} {}", body.len());
        }
    }
    assert_eq!((KOMOJU.send.decode)(&asked, &response(422, "")), Outcome::Unknown);
}

#[test]
fn a_token_or_a_list_that_nobody_can_read_is_none() {
    let (instrument, said) = (raw_card(), method::Details::default());
    let tokens = KOMOJU.tokenize.expect("it keeps cards");
    let asked = TokenIntent {
        reference: "03O000000000001AAA".to_owned(),
        key: super::KEY.to_owned(),
        instrument: &instrument,
        details: &said,
        duplicate: false,
        prepared: None,
    };
    let whole = json!({"id": "c1", "resource": "customer", "metadata": {"reference": asked.reference}}).to_string();
    assert_eq!((tokens.decode)(&asked, &response(200, &whole)).0.name(), "approved");
    let check = KOMOJU.check.expect("an account can be tried");
    for body in garbled(&whole).iter().map(String::as_str).chain([""]) {
        for status in [200, 204, 401, 422, 500] {
            let (outcome, token) = (tokens.decode)(&asked, &response(status, body));
            assert!(outcome == Outcome::Unknown && token.is_none(), "{status} {}", body.len());
            if body != "[]" {
                assert!((check.decode)(&response(status, body)).is_err(), "{status} {}", body.len());
            }
        }
    }
}

#[test]
fn a_notice_that_nobody_can_read_is_signed_in_vain() {
    let secret = || Secret::new("secret".to_owned());
    let whole = json!({"id": "e1", "type": "payment.captured", "data": payment(&json!({}))}).to_string();
    let codec = KOMOJU.notice.expect("it tells");
    let read = |body: &str| {
        let signature = komoju(body.as_bytes(), &secret()).expect("signed");
        let header = |_: &str| Some(signature.as_str());
        (codec.read)(&RawNotice { body: body.as_bytes(), header: &header, now: START }, &[secret()])
    };
    assert!(read(&whole).is_ok_and(|items| items.len() == 1 && items.iter().all(Result::is_ok)));
    for body in garbled(&whole).iter().map(String::as_str).chain([""]) {
        assert!(read(body).is_err(), "{}", body.len());
    }
}

#[test]
fn no_secret_survives_in_an_outcome() {
    let said = bank_details();
    let number = "4242424242424242";
    let secrets = [number, "737", "tok_of_a_browser", "0012345", "sk_12345"];
    let cards = [card_of(number, "737", crate::payment::asked::Address::default()), alternative(None)];
    let (_, look_up) = KOMOJU.look_up.expect("it can be asked");
    // A gateway that repeats what it was sent, wherever it can.
    let all = secrets.join(" ");
    let echo =
        json!({"type": "credit_card", "number": number, "verification_value": "737", "token": "tok_of_a_browser"});
    for kind in &KINDS {
        let mut whole = approval(kind);
        whole["payment_details"] = echo.clone();
        whole["description"] = json!(all);
        whole["refund_requests"] = json!([requested("q1", "pending", &name(Record::Refund, 1))]);
        for instrument in &cards {
            let asked = Intent { instrument: Some(instrument), ..intent(kind, &said) };
            let answer = response(200, &whole.to_string());
            let error =
                json!({"error": {"code": "card_declined", "message": format!("no {number} {}", "tok_of_a_browser")}});
            let outcomes = [
                (KOMOJU.send.decode)(&asked, &answer),
                (look_up.decode)(&asked, &answer),
                (KOMOJU.send.decode)(&asked, &response(402, &error.to_string())),
            ];
            for outcome in outcomes {
                let outcome = outcome.without_instrument(instrument).within_limits();
                let printed = format!("{outcome:?}");
                for secret in [number, "0012345", "sk_12345"] {
                    assert!(!printed.contains(secret), "{secret} in {printed}");
                }
                let is_token = matches!(instrument, crate::payment::Instrument::Alternative { .. });
                assert!(!is_token || !printed.contains("tok_of_a_browser"), "{printed}");
            }
        }
    }
    with_account(|account| {
        let asked = intent(&Kind::Sale, &said);
        let request = (KOMOJU.send.encode)(&asked, account);
        let answer = HttpResponse { status: 200, body: request.body.to_vec() };
        assert_eq!((KOMOJU.send.decode)(&asked, &answer), Outcome::Unknown, "its own request is no answer");
    });
}
