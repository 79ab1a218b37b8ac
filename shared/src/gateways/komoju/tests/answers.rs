//! What each answer means.

use serde_json::{Value, json};

use super::{
    CAPTURE, KINDS, PAYMENT, REFUND, REVERSE, bank_details, details, intent, looked_up, name, payment,
    payment_at_komoju, refunded, requested, response, sent, yen,
};
use crate::gateways::Intent;
use crate::gateways::komoju::KOMOJU;
use crate::ids::Record;
use crate::payment::asked::Details;
use crate::payment::{Answer, Decline, Kind, Outcome};
use crate::time::Timestamp;

/// What its word for an outcome and the gateway's code are.
fn told(outcome: &Outcome) -> (&'static str, &str) {
    (outcome.name(), outcome.answer().and_then(|answer| answer.code.as_deref()).unwrap_or_default())
}

/// What a payment of this status and type says of an operation that opened it.
fn check_standing(kind: &Kind, status: &str, details: &Value, expected: &str) {
    let none = Details::default();
    let intent = intent(kind, &none);
    let changes = json!({
        "status": status, "payment_details": details, "external_order_num": intent.reference,
        "payment_deadline": "2026-09-24T14:59:59Z",
    });
    let known = Intent { known: Some(payment_at_komoju(None)), ..super::intent(kind, &none) };
    let outcomes = [sent(&intent, 200, &payment(&changes)), looked_up(&known, 200, &payment(&changes))];
    for outcome in outcomes {
        let expected = (expected, if expected == "unknown" { "" } else { status });
        assert_eq!(told(&outcome), expected, "{kind:?} {status} {details}");
    }
}

#[test]
fn a_status_means_what_the_table_says() {
    let card = json!({"type": "credit_card"});
    let store = json!({"type": "konbini", "instructions_url": "https://komoju.com/instructions/1"});
    let bank = json!({"type": "bank_transfer"});
    let wallet = json!({"type": "paypay", "redirect_url": "https://komoju.com/redirect/1"});
    let rows = [
        (Kind::Authorize, "authorized", &card, "approved"),
        (Kind::Authorize, "captured", &card, "approved"),
        (Kind::Authorize, "pending", &card, "accepted"),
        (Kind::Authorize, "authorized", &store, "action required"),
        (Kind::Authorize, "cancelled", &card, "declined"),
        (Kind::Sale, "captured", &card, "approved"),
        (Kind::Sale, "refunded", &card, "approved"),
        (Kind::Sale, "authorized", &card, "accepted"),
        (Kind::Sale, "pending", &wallet, "action required"),
        (Kind::Sale, "captured", &wallet, "approved"),
        (Kind::Sale, "authorized", &store, "action required"),
        (Kind::Sale, "authorized", &bank, "accepted"),
        (Kind::Sale, "captured", &store, "approved"),
        (Kind::Sale, "expired", &store, "declined"),
        (Kind::Sale, "cancelled", &store, "declined"),
        (Kind::Sale, "failed", &card, "declined"),
        (Kind::Sale, "failed", &store, "declined"),
        // One try of the payer, who has a page for another.
        (Kind::Sale, "failed", &wallet, "action required"),
        (Kind::Sale, "expired", &wallet, "declined"),
        (Kind::Sale, "cancelled", &wallet, "declined"),
        (CAPTURE, "failed", &wallet, "declined"),
        (REVERSE, "failed", &wallet, "declined"),
        (Kind::Sale, "canceled", &card, "unknown"),
        (Kind::Sale, "", &card, "unknown"),
        (CAPTURE, "captured", &card, "approved"),
        (CAPTURE, "refunded", &card, "approved"),
        (CAPTURE, "authorized", &card, "accepted"),
        (CAPTURE, "pending", &card, "unknown"),
        (CAPTURE, "expired", &card, "declined"),
        (REVERSE, "cancelled", &card, "approved"),
        (REVERSE, "authorized", &card, "accepted"),
        (REVERSE, "captured", &card, "declined"),
        (REVERSE, "expired", &card, "declined"),
    ];
    for (kind, status, details, expected) in rows {
        check_standing(&kind, status, details, expected);
    }
}

#[test]
fn an_approval_tells_by_what_it_is_found_and_how_it_is_refunded() {
    let none = Details::default();
    let text = |text: &str| Some(text.to_owned());
    let expected = Answer {
        reference: text(PAYMENT),
        reference_details: text(r#"{"type":"credit_card"}"#),
        code: text("captured"),
        date: Timestamp::parse("2026-09-21T13:33:20Z"),
        ..Answer::default()
    };
    assert_eq!(sent(&intent(&Kind::Sale, &none), 200, &payment(&json!({}))), Outcome::Approved(expected.clone()));
    assert_eq!(sent(&intent(&CAPTURE, &none), 202, &payment(&json!({}))), Outcome::Approved(expected));
}

#[test]
fn a_payer_has_until_the_deadline_or_a_day() {
    let none = Details::default();
    let details = json!({"type": "konbini", "instructions_url": "https://komoju.com/instructions/1"});
    let rows = [
        (json!("2026-09-24T23:59:59+09:00"), "2026-09-24T14:59:59Z"),
        (json!(null), "2026-09-22T13:33:10Z"),
        (json!("soon"), "2026-09-22T13:33:10Z"),
    ];
    for (deadline, expected) in rows {
        let body = payment(&json!({"status": "authorized", "payment_details": details, "payment_deadline": deadline}));
        let Outcome::ActionRequired(_, action) = sent(&intent(&Kind::Sale, &none), 200, &body) else {
            panic!("the payer is to pay: {deadline}")
        };
        assert_eq!(action.url, "https://komoju.com/instructions/1");
        assert_eq!(Some(action.expires_at), Timestamp::parse(expected), "{deadline}");
    }
    let timeless = json!({"status": "authorized", "payment_details": details, "created_at": null});
    assert_eq!(sent(&intent(&Kind::Sale, &none), 200, &payment(&timeless)).name(), "accepted");
}

#[test]
fn an_answer_about_something_else_tells_nothing() {
    let none = Details::default();
    let others = [
        json!({"amount": 999}),
        json!({"currency": "USD"}),
        json!({"external_order_num": name(Record::Payment, 2)}),
        json!({"external_order_num": null}),
    ];
    for changes in &others {
        assert_eq!(sent(&intent(&Kind::Sale, &none), 200, &payment(changes)), Outcome::Unknown, "{changes}");
        let known = Intent { known: Some(payment_at_komoju(None)), ..intent(&Kind::Sale, &none) };
        assert_eq!(looked_up(&known, 200, &payment(changes)), Outcome::Unknown, "{changes}");
    }
    let elsewhere =
        json!({"id": "another", "refunds": [refunded("r1", 1_000, &json!(name(Record::Refund, 1)), false)]});
    for kind in [CAPTURE, REVERSE, REFUND] {
        assert_eq!(sent(&intent(&kind, &none), 200, &payment(&elsewhere)), Outcome::Unknown, "{kind:?}");
        assert_eq!(looked_up(&intent(&kind, &none), 200, &payment(&elsewhere)), Outcome::Unknown, "{kind:?}");
    }
    let known = Intent { known: Some(payment_at_komoju(None)), ..intent(&Kind::Sale, &none) };
    assert_eq!(looked_up(&known, 200, &payment(&json!({"id": "another"}))), Outcome::Unknown);
}

#[test]
fn a_capture_in_part_shows_what_was_held_or_what_was_taken() {
    let none = Details::default();
    let part = || Intent { amount: yen(400), ..intent(&CAPTURE, &none) };
    for (amount, expected) in [(400, "approved"), (1_000, "approved"), (500, "unknown")] {
        assert_eq!(sent(&part(), 200, &payment(&json!({"amount": amount}))).name(), expected, "{amount}");
    }
}

#[test]
fn a_refund_is_the_one_of_our_name_and_amount() {
    let none = Details::default();
    let ours = name(Record::Refund, 1);
    let approved = Outcome::Approved(Answer {
        reference: Some("r1".to_owned()),
        code: Some("refunded".to_owned()),
        date: Timestamp::parse("2026-09-21T13:33:30Z"),
        ..Answer::default()
    });
    let before = refunded("r0", 100, &json!(name(Record::Refund, 2)), false);
    let rows = [
        (json!([before, refunded("r1", 400, &json!(ours), false)]), approved),
        (json!([refunded("r1", 400, &json!(ours), true)]), Outcome::Unknown),
        (json!([refunded("r1", 401, &json!(ours), false)]), Outcome::Unknown),
        (json!([refunded("r1", 400, &json!(null), false)]), Outcome::Unknown),
        (json!([before]), Outcome::Unknown),
        (json!([]), Outcome::Unknown),
        (json!(null), Outcome::Unknown),
    ];
    let part = || Intent { amount: yen(400), ..intent(&REFUND, &none) };
    for (refunds, expected) in rows {
        let body = payment(&json!({"refunds": refunds}));
        assert_eq!(sent(&part(), 200, &body), expected, "{refunds}");
        assert_eq!(looked_up(&part(), 200, &body), expected, "{refunds}");
    }
}

#[test]
fn a_refund_by_bank_is_accepted_and_decided_later() {
    let said = bank_details();
    let ours = name(Record::Refund, 1);
    let by_bank = || intent(&REFUND, &said);
    let pending = |reference: &str, date| Answer {
        reference: Some(reference.to_owned()),
        code: Some("pending".to_owned()),
        date,
        ..Answer::default()
    };
    for (status, body) in [(204, ""), (200, ""), (202, " \n")] {
        let outcome = (KOMOJU.send.decode)(&by_bank(), &response(status, body));
        assert_eq!(outcome, Outcome::Accepted(pending(PAYMENT, None)), "{status}");
    }
    let accepted = Outcome::Accepted(pending("q1", Timestamp::parse("2026-09-21T13:33:30Z")));
    assert_eq!(sent(&by_bank(), 200, &requested("q1", "pending", &ours)), accepted);
    assert_eq!(sent(&by_bank(), 200, &requested("q1", "pending", "another")), Outcome::Unknown);
    let rows = [
        ("pending", "accepted", "pending"),
        ("completed", "approved", "completed"),
        ("rejected", "declined", "rejected"),
        ("lost", "unknown", ""),
    ];
    for (status, outcome, code) in rows {
        let listed = json!({
            "refund_requests": [requested("q1", status, &ours)],
            "refunds": [refunded("r1", 1_000, &json!(ours), false)],
        });
        assert_eq!(told(&sent(&by_bank(), 200, &payment(&listed))), (outcome, code), "{status}");
        let known = Intent { known: Some(payment_at_komoju(None)), ..by_bank() };
        assert_eq!(told(&looked_up(&known, 200, &payment(&listed))), (outcome, code), "{status}");
    }
    let none = Details::default();
    assert_eq!((KOMOJU.send.decode)(&intent(&REFUND, &none), &response(204, "")), Outcome::Unknown, "not by bank");
}

#[test]
fn a_browsers_payment_is_registered_while_it_holds_an_amount() {
    let said = details(&[("reference", PAYMENT)]);
    let theirs = json!("ORDER-1");
    let rows = [
        (json!({"status": "authorized"}), "approved"),
        (json!({"status": "pending"}), "accepted"),
        (json!({"status": "captured"}), "declined"),
        (json!({"status": "refunded"}), "declined"),
        (json!({"status": "cancelled"}), "declined"),
        (json!({"status": "authorized", "payment_details": {"type": "konbini"}}), "declined"),
        (json!({"status": "authorized", "amount": 999}), "unknown"),
        (json!({"status": "authorized", "id": "another"}), "unknown"),
    ];
    for (mut changes, expected) in rows {
        changes["external_order_num"] = theirs.clone();
        assert_eq!(sent(&intent(&Kind::PostAuthorize, &said), 200, &payment(&changes)).name(), expected, "{changes}");
    }
}

fn error(code: &str) -> Value {
    json!({"error": {"code": code, "message": "as it is", "param": "amount"}})
}

#[test]
fn every_code_has_its_line_in_the_table() {
    use Decline::{InvalidData, Permanent, Soft};
    let rows = [
        (402, "card_declined", Soft),
        (402, "insufficient_funds", Soft),
        (402, "request_failed", Soft),
        (402, "fraudulent", Permanent),
        (402, "card_expired", InvalidData),
        (402, "bad_verification_value", InvalidData),
        (422, "invalid_number", InvalidData),
        (422, "missing_parameter", InvalidData),
        (422, "unprocessable_entity", InvalidData),
        (422, "not_cancellable", Permanent),
        (422, "not_refundable", Permanent),
        (400, "bad_request", InvalidData),
        (403, "forbidden", Permanent),
        (404, "not_found", InvalidData),
        (422, "never_heard_of", Soft),
    ];
    let said = details(&[("reference", PAYMENT)]);
    for (status, code, decline) in rows {
        let text = |text: &str| Some(text.to_owned());
        let answer =
            Answer { code: text(code), description: text("as it is"), message: text("amount"), ..Answer::default() };
        for kind in &KINDS {
            let outcome = sent(&intent(kind, &said), status, &error(code));
            assert_eq!(outcome, Outcome::Declined(decline, answer.clone()), "{status} {code} {kind:?}");
        }
    }
}

#[test]
fn what_is_in_doubt_is_unknown_and_what_never_came_in_was_not_sent() {
    let said = details(&[("reference", PAYMENT)]);
    let rows = [
        (401, "unauthorized", "not sent"),
        (409, "conflict", "unknown"),
        (429, "too_many_requests", "unknown"),
        (500, "internal_server_error", "unknown"),
        (502, "bad_gateway", "unknown"),
        (503, "service_unavailable", "unknown"),
        (504, "gateway_timeout", "unknown"),
        (200, "card_declined", "unknown"),
        (302, "card_declined", "unknown"),
    ];
    for (status, code, expected) in rows {
        for kind in &KINDS {
            assert_eq!(sent(&intent(kind, &said), status, &error(code)).name(), expected, "{status} {kind:?}");
            assert_eq!(looked_up(&intent(kind, &said), status, &error(code)), Outcome::Unknown, "{status} {kind:?}");
        }
    }
    for kind in &KINDS {
        assert_eq!(looked_up(&intent(kind, &said), 404, &error("not_found")), Outcome::Unknown, "{kind:?}");
    }
}

#[test]
fn a_refusal_of_a_repeated_request_tells_nothing_of_the_first() {
    let said = details(&[("reference", PAYMENT)]);
    let rows = [
        (400, "bad_request"),
        (402, "card_declined"),
        (422, "not_cancellable"),
        (404, "not_found"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (409, "conflict"),
        (504, "gateway_timeout"),
    ];
    for (status, code) in rows {
        for kind in &KINDS {
            let again = Intent { duplicate: true, ..intent(kind, &said) };
            // A question has no first one.
            let is_answer = *kind == Kind::PostAuthorize && matches!(status, 400 | 402 | 404 | 422);
            let expected = if is_answer { "declined" } else { "unknown" };
            assert_eq!(sent(&again, status, &error(code)).name(), expected, "{status} {code} {kind:?}");
        }
    }
    let none = Details::default();
    let again = Intent { duplicate: true, ..intent(&Kind::Sale, &none) };
    assert_eq!(sent(&again, 200, &payment(&json!({}))).name(), "approved");
}

#[test]
fn what_a_browser_paid_at_once_is_no_hold_whenever_that_is_seen() {
    let said = details(&[("reference", PAYMENT)]);
    let asked = intent(&Kind::PostAuthorize, &said);
    let known = Intent { known: Some(payment_at_komoju(None)), ..intent(&Kind::PostAuthorize, &said) };
    for status in ["captured", "refunded"] {
        let body = payment(&json!({"status": status, "external_order_num": asked.reference}));
        for outcome in [sent(&asked, 200, &body), looked_up(&known, 200, &body)] {
            assert!(matches!(outcome, Outcome::Declined(Decline::InvalidData, _)), "{status}: {outcome:?}");
        }
    }
}
