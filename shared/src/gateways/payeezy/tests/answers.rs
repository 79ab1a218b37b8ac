//! Every recorded answer to its outcome, and everything else to none.

use serde_json::{Value, json};

use super::{ADAPTER, TOKEN, intent, recorded, response, stored, text};
use crate::gateways::Intent;
use crate::payment::asked::Details;
use crate::payment::tests::fixtures::{cents, place, raw_card};
use crate::payment::{Answer, Decline, Kind, Outcome};

const AUTHORIZE: Kind = Kind::Authorize;
const SALE: Kind = Kind::Sale;

fn capture() -> Kind {
    Kind::Capture { authorization: place(0), is_final: false }
}

fn reverse() -> Kind {
    Kind::Reverse { authorization: place(0) }
}

fn refund() -> Kind {
    Kind::Refund { payment: place(0), reason: None }
}

fn decoded(kind: &Kind, minor: i64, duplicate: bool, status: u16, body: &str) -> Outcome {
    let details = Details::default();
    let intent = Intent { amount: cents(minor), duplicate, ..intent(kind, None, &details) };
    (ADAPTER.send.decode)(&intent, &response(status, body))
}

fn undone(minor: i64, status: u16, body: &str) -> Outcome {
    let details = Details::default();
    let intent = Intent { amount: cents(minor), duplicate: true, ..intent(&SALE, None, &details) };
    (ADAPTER.timeout_reversal.expect("an exchange").1.decode)(&intent, &response(status, body))
}

fn approval(tag: &str, id: &str, method: &str) -> Answer {
    Answer {
        reference: text(tag),
        reference_details: Some(json!({"transaction_id": id, "method": method}).to_string()),
        code: text("100"),
        description: text("Approved"),
        ..Answer::default()
    }
}

fn same(ours: &Outcome, expected: &Outcome) -> bool {
    // The order of the members of the details is nobody's affair.
    let details = |outcome: &Outcome| {
        outcome.answer().and_then(|answer| serde_json::from_str::<Value>(answer.reference_details.as_deref()?).ok())
    };
    let rest = |outcome: &Outcome| match outcome.clone() {
        Outcome::Approved(answer) => Outcome::Approved(Answer { reference_details: None, ..answer }),
        Outcome::Voided(answer) => Outcome::Voided(Answer { reference_details: None, ..answer }),
        other => other,
    };
    details(ours) == details(expected) && rest(ours) == rest(expected)
}

/// Each recorded answer with what was asked, the HTTP status, and the outcome.
fn recorded_outcomes() -> Vec<(&'static str, Kind, i64, u16, Outcome)> {
    let avs_4 = |answer| Answer { avs_code: text("4"), ..answer };
    let cvv2 = |result: &str, answer| Answer { message: Some(format!("CVV2 result {result}")), ..answer };
    let approved = Outcome::Approved;
    let insufficient = Answer {
        reference: text("4611610442"),
        code: text("302"),
        description: text("Insufficient Funds"),
        ..cvv2("M", avs_4(Answer::default()))
    };
    let unknown_tag = Answer {
        code: text("server_error"),
        description: text("ProcessedBad Request (69) - Invalid Transaction Tag"),
        ..Answer::default()
    };
    let (et1, et176427) = (approval("55083431", "ET114541", "credit_card"), "ET176427");
    vec![
        ("successful_purchase_response", SALE, 1, 201, approved(avs_4(et1))),
        (
            "successful_purchase_echeck_response",
            SALE,
            100,
            201,
            approved(approval("69864362", "ET133078", "tele_check")),
        ),
        (
            "failed_purchase_response_for_insufficient_funds",
            SALE,
            530_200,
            201,
            Outcome::Declined(Decline::Soft, insufficient),
        ),
        (
            "authorize_with_extra_space_in_transaction_id",
            AUTHORIZE,
            100,
            201,
            approved(cvv2("M", avs_4(approval("69601874", et176427, "credit_card")))),
        ),
        (
            "successful_capture_response",
            capture(),
            100,
            201,
            approved(cvv2("I", approval("69601874", et176427, "credit_card"))),
        ),
        (
            "successful_refund_echeck_response",
            refund(),
            50,
            201,
            approved(approval("69864710", "69864710", "tele_check")),
        ),
        (
            "failed_purchase_no_name_response",
            SALE,
            100,
            201,
            approved(cvv2("U", avs_4(approval("10049930801", "ET106024", "3ds")))),
        ),
        (
            "successful_void_response",
            reverse(),
            1,
            201,
            approved(cvv2("I", approval("55083674", "ET196233", "credit_card"))),
        ),
        ("failed_capture_response", capture(), 100, 400, Outcome::Declined(Decline::InvalidData, unknown_tag)),
        ("invalid_token_response_integration", SALE, 100, 401, Outcome::NotSent),
    ]
}

#[test]
fn every_recorded_answer_means_what_the_table_says() {
    let rows = recorded_outcomes();
    let bodies = recorded();
    let elsewhere = ["failed_store_response"];
    let all: Vec<&String> = bodies.as_object().expect("an object").keys().collect();
    let seen = |name: &str| rows.iter().any(|row| row.0 == name) || elsewhere.contains(&name);
    assert!(all.iter().all(|name| seen(name)) && all.len() == rows.len() + elsewhere.len(), "{all:?}");
    for (name, kind, minor, status, expected) in &rows {
        let body = bodies[name].to_string();
        let outcome = decoded(kind, *minor, false, *status, &body);
        assert!(same(&outcome, expected), "{name}: {outcome:?}");

        // What was refused now says nothing of what may have come before.
        let again = decoded(kind, *minor, true, *status, &body);
        let expected = if matches!(expected, Outcome::Approved(_)) { expected } else { &Outcome::Unknown };
        assert!(same(&again, expected), "{name}: {again:?}");

        for status in [204, 301, 404, 409, 429, 500, 502, 503, 504] {
            assert_eq!(decoded(kind, *minor, false, status, &body), Outcome::Unknown, "{name} with {status}");
        }
    }
}

#[test]
fn an_answer_that_speaks_of_something_else_says_nothing() {
    let bodies = recorded();
    let approved = &bodies["authorize_with_extra_space_in_transaction_id"];
    let declined = &bodies["failed_purchase_response_for_insufficient_funds"];
    for (kind, minor, body) in [(AUTHORIZE, 100, approved), (SALE, 530_200, declined)] {
        assert_ne!(decoded(&kind, minor, false, 201, &body.to_string()), Outcome::Unknown);
        assert_eq!(decoded(&kind, minor + 1, false, 201, &body.to_string()), Outcome::Unknown);
        assert_eq!(decoded(&refund(), minor, false, 201, &body.to_string()), Outcome::Unknown);
        let other = [
            ("amount", json!("99")),
            ("amount", json!(100.5)),
            ("currency", json!("EUR")),
            ("transaction_type", json!("void")),
            ("transaction_status", json!("pending")),
            ("transaction_status", json!("Approved ")),
            ("transaction_status", Value::Null),
            ("transaction_status", json!(1)),
        ];
        for (name, value) in other {
            let mut changed = body.clone();
            changed[name] = value;
            assert_eq!(decoded(&kind, minor, false, 201, &changed.to_string()), Outcome::Unknown, "{changed}");
        }
    }
    for name in ["amount", "currency", "transaction_type", "transaction_id", "transaction_tag"] {
        for blank in [None, Some(json!(" "))] {
            let mut changed = approved.clone();
            match blank {
                Some(blank) => changed[name] = blank,
                None => drop(changed.as_object_mut().expect("an object").remove(name)),
            }
            assert_eq!(decoded(&AUTHORIZE, 100, false, 201, &changed.to_string()), Outcome::Unknown, "{changed}");
        }
    }
    assert_eq!(decoded(&AUTHORIZE, 100, false, 400, &approved.to_string()), Outcome::Unknown, "it contradicts itself");
}

#[test]
fn a_decline_is_told_apart_by_its_code() {
    let declined = |bank: Option<&str>, gateway: &str| {
        let body = json!({
            "transaction_status": "declined", "validation_status": "success", "transaction_type": "purchase",
            "transaction_tag": "1", "method": "credit_card", "amount": "100", "currency": "USD", "bank_resp_code": bank,
            "bank_message": bank.map(|_| "of the bank"), "gateway_resp_code": gateway,
            "gateway_message": "of the gateway",
        });
        decoded(&SALE, 100, false, 201, &body.to_string())
    };
    let rows = [
        (Some("302"), "00", Decline::Soft),
        (Some("013"), "00", Decline::Soft),
        (Some("303"), "00", Decline::Soft),
        (Some("530"), "00", Decline::Soft),
        (Some("000"), "00", Decline::Soft),
        (Some("999"), "00", Decline::Soft),
        (Some(""), "00", Decline::Soft),
        (Some("20"), "00", Decline::Soft),
        (Some("2019"), "00", Decline::Soft),
        (Some("201"), "00", Decline::InvalidData),
        (Some("260"), "00", Decline::InvalidData),
        (Some("522"), "00", Decline::InvalidData),
        (Some("401"), "00", Decline::RequiresReview),
        (Some("502"), "00", Decline::Permanent),
        (Some("596"), "00", Decline::Permanent),
        (None, "36", Decline::InvalidData),
        (None, "22", Decline::InvalidData),
        (None, "68", Decline::Permanent),
        (None, "07", Decline::Soft),
        (None, "00", Decline::Soft),
        (Some("502"), "08", Decline::InvalidData),
    ];
    for (bank, gateway, expected) in rows {
        let Outcome::Declined(decline, answer) = declined(bank, gateway) else { panic!("{bank:?} {gateway}") };
        assert_eq!(decline, expected, "{bank:?} {gateway}");
        let said = match bank {
            Some(code) if gateway == "00" => (code, "of the bank"),
            Some(_) | None => (gateway, "of the gateway"),
        };
        assert_eq!((answer.code.as_deref(), answer.description.as_deref()), (Some(said.0), Some(said.1)));
        assert_eq!(answer.reference_details, None, "a decline has no id");
    }
}

#[test]
fn what_was_not_processed_names_its_errors_whatever_they_look_like() {
    let refused = |errors: Value| {
        let body = json!({"transaction_status": "Not Processed", "validation_status": "failed", "Error": errors});
        decoded(&SALE, 100, false, 400, &body.to_string())
    };
    let invalid = |code: Option<&str>, description: Option<&str>, message: Option<&str>| {
        let [code, description, message] = [code, description, message].map(|text| text.map(str::to_owned));
        Outcome::Declined(Decline::InvalidData, Answer { code, description, message, ..Answer::default() })
    };
    let error = |code: &str, description: &str| json!({"code": code, "description": description});
    let card = || error("invalid_card_number", "The credit card number check failed");
    let (code, description) = (Some("invalid_card_number"), Some("The credit card number check failed"));
    let both = json!({"messages": [card(), error("card_expired", "The card has expired")]});
    let rows = [
        (json!({"messages": [card()]}), invalid(code, description, None)),
        (both, invalid(code, description, Some("The card has expired"))),
        (json!({"messages": card()}), invalid(code, description, None)),
        (json!({"messages": [1, {"code": 7}, null, card()]}), invalid(code, description, None)),
        (json!({"messages": [{"code": "card_expired"}]}), invalid(Some("card_expired"), None, None)),
        (
            json!({"messages": [{"code": "missing_transaction_tag"}]}),
            invalid(Some("missing_transaction_tag"), None, None),
        ),
        (json!({"messages": [{"code": "invalid_exp_date"}]}), invalid(Some("invalid_exp_date"), None, None)),
        // Nobody says how far it came.
        (json!({"messages": []}), Outcome::Unknown),
        (json!({"messages": {}}), Outcome::Unknown),
        (json!({"messages": "no"}), Outcome::Unknown),
        (json!({}), Outcome::Unknown),
        (json!("no"), Outcome::Unknown),
        (Value::Null, Outcome::Unknown),
        (json!({"messages": [{"code": "gateway_timeout"}]}), Outcome::Unknown),
        (json!({"messages": [{"code": "card_declined"}]}), Outcome::Unknown),
        (json!({"messages": [{"code": "an_invalid_card"}]}), Outcome::Unknown),
        (json!({"messages": [{"description": "Bad Request"}]}), Outcome::Unknown),
        (json!({"messages": [card(), {"code": "never_heard_of"}]}), Outcome::Unknown),
        (json!({"messages": [error("server_error", "Internal Server Error")]}), Outcome::Unknown),
        (json!({"messages": [{"code": "server_error"}]}), Outcome::Unknown),
        (json!({"messages": [card(), {"code": "server_error"}]}), Outcome::Unknown),
    ];
    for (errors, expected) in rows {
        assert_eq!(refused(errors.clone()), expected, "{errors}");
    }
}

#[test]
fn who_is_turned_away_at_the_door_has_asked_nothing() {
    let fault = json!({"fault": {"detail": {"errorcode": "oauth.v2.InvalidApiKeyForGivenResource"}}});
    let rows = [
        (403, json!({"code": "403", "message": "HMAC validation Failure"}), Outcome::NotSent),
        (401, json!({"error": "Access denied"}), Outcome::NotSent),
        (401, fault.clone(), Outcome::NotSent),
        (401, json!({"fault": {"detail": {"errorcode": "oauth.v2.InvalidApiKey"}}}), Outcome::NotSent),
        // Someone else's refusal, or no refusal of the door.
        (401, json!({"fault": {"detail": {"errorcode": "policies.ratelimit.QuotaViolation"}}}), Outcome::Unknown),
        (401, json!({}), Outcome::Unknown),
        (403, json!({"code": "403", "message": "Forbidden"}), Outcome::Unknown),
        (400, fault.clone(), Outcome::Unknown),
        (500, fault, Outcome::Unknown),
        (429, json!({"code": "Transaction_Throttled", "message": "Transaction throttled"}), Outcome::Unknown),
        (400, json!({"code": "Transaction_Throttled", "message": "Transaction throttled"}), Outcome::Unknown),
    ];
    for (status, body, expected) in rows {
        assert_eq!(decoded(&SALE, 100, false, status, &body.to_string()), expected, "{status} {body}");
        assert_eq!(decoded(&SALE, 100, true, status, &body.to_string()), Outcome::Unknown, "{status} {body}");
        assert_eq!(undone(100, status, &body.to_string()), Outcome::Unknown, "{status} {body}");
    }
}

#[test]
fn a_reversal_by_our_name_is_believed_where_it_says_that_it_voided_this_amount() {
    let bodies = recorded();
    let void = &bodies["successful_void_response"];
    assert!(matches!(undone(1, 201, &void.to_string()), Outcome::Voided(answer) if answer.code == text("100")));
    for status in [400, 401, 404, 500, 502] {
        assert_eq!(undone(1, status, &void.to_string()), Outcome::Unknown);
    }
    assert_eq!(undone(2, 201, &void.to_string()), Outcome::Unknown);
    for (name, value) in [("transaction_status", "declined"), ("transaction_type", "purchase"), ("currency", "EUR")] {
        let mut changed = void.clone();
        changed[name] = json!(value);
        assert_eq!(undone(1, 201, &changed.to_string()), Outcome::Unknown, "{changed}");
    }
    for name in ["transaction_type", "amount", "currency", "transaction_status"] {
        let mut changed = void.clone();
        changed.as_object_mut().expect("an object").remove(name);
        assert_eq!(undone(1, 201, &changed.to_string()), Outcome::Unknown, "{changed}");
    }
    for name in ["failed_capture_response", "failed_purchase_response_for_insufficient_funds"] {
        assert_eq!(undone(100, 400, &bodies[name].to_string()), Outcome::Unknown, "{name}");
    }
}

#[test]
fn half_an_answer_says_nothing() {
    let bodies = recorded();
    let (approved, void) =
        (bodies["successful_purchase_response"].to_string(), bodies["successful_void_response"].to_string());
    for end in 0..approved.len() {
        assert_eq!(decoded(&SALE, 1, false, 201, &approved[..end]), Outcome::Unknown, "{end}");
    }
    for end in 0..void.len() {
        assert_eq!(undone(1, 201, &void[..end]), Outcome::Unknown, "{end}");
    }
}

#[test]
fn what_is_paid_with_stands_in_no_outcome() {
    let details = Details::default();
    let body = json!({
        "transaction_status": "declined", "transaction_type": "purchase", "amount": "12050", "currency": "USD",
        "bank_resp_code": "201", "bank_message": "no such number: 2537446225198291", "gateway_resp_code": "00",
        "token": {"token_type": "FDToken", "token_data": {"value": "2537446225198291"}},
        "card": {"card_number": "4242424242424242"},
    });
    for instrument in [stored(TOKEN), raw_card()] {
        let outcome =
            (ADAPTER.send.decode)(&intent(&SALE, Some(&instrument), &details), &response(201, &body.to_string()));
        // As the shell does it.
        let printed = format!("{:?}", outcome.without_instrument(&instrument));
        let is_stored = matches!(instrument, crate::payment::Instrument::Stored(_));
        assert!(printed.contains("no such number"), "{printed}");
        assert!(!is_stored || !printed.contains("2537446225198291"), "{printed}");
        assert!(!printed.contains("4242424242424242"), "{printed}");
    }
}
