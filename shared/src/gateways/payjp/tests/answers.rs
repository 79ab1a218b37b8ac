//! What PAY.JP's answers come to; what is doubtful stays unknown.

use serde_json::{Value, json};

use super::{PAYJP, SECRET_KEY, flow, kinds, looked_up, problem, reference, refund, response, sent, success};
use crate::ids::Record;
use crate::payment::{Answer, Decline, Kind, Outcome, PayerAction};
use crate::ports::HttpResponse;
use crate::time::Timestamp;

fn moment(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a moment")
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// What is kept of a flow.
fn said(status: &str) -> Answer {
    let confirmed = if status == "succeeded" { r#""2026-09-21T14:00:01.500Z""# } else { "null" };
    Answer {
        reference: text("pfw_1"),
        reference_details: Some(format!(
            r#"{{"method":"card","created":"2026-09-21T14:00:00.000Z","confirmed":{confirmed}}}"#
        )),
        code: text(status),
        date: Some(moment("2026-09-21T14:00:01.5Z")),
        ..Answer::default()
    }
}

fn said_of_refund(status: &str) -> Answer {
    Answer {
        reference: text("re_1"),
        code: text(status),
        date: Some(moment("2026-09-21T14:00:01.5Z")),
        ..Answer::default()
    }
}

fn both(kind: &Kind, body: &Value) -> Outcome {
    let outcome = sent(kind, false, &response(200, body));
    assert_eq!(
        sent(kind, true, &response(200, body)),
        outcome,
        "told of itself, it is the same however often it is asked"
    );
    assert_eq!(looked_up(kind, &response(200, body)), outcome, "{kind:?} {body}");
    outcome
}

#[test]
fn what_goes_well_is_approved() {
    for kind in kinds() {
        let expected = match kind {
            Kind::Authorize | Kind::PostAuthorize => said("requires_capture"),
            Kind::Sale | Kind::Capture { .. } => said("succeeded"),
            Kind::Reverse { .. } => said("canceled"),
            Kind::Refund { .. } => said_of_refund("succeeded"),
        };
        assert_eq!(both(&kind, &success(&kind)), Outcome::Approved(expected), "{kind:?}");
    }
}

#[test]
fn a_flow_means_what_its_status_says() {
    let soft = |status| Outcome::Declined(Decline::Soft, said(status));
    let rows = [
        ("requires_capture", Outcome::Approved(said("requires_capture")), Outcome::Unknown),
        ("succeeded", Outcome::Approved(said("succeeded")), Outcome::Approved(said("succeeded"))),
        ("processing", Outcome::Accepted(said("processing")), Outcome::Accepted(said("processing"))),
        ("requires_action", Outcome::Accepted(said("requires_action")), Outcome::Accepted(said("requires_action"))),
        ("requires_payment_method", soft("requires_payment_method"), soft("requires_payment_method")),
        ("canceled", soft("canceled"), soft("canceled")),
        ("requires_confirmation", Outcome::Unknown, Outcome::Unknown),
        ("of another kind", Outcome::Unknown, Outcome::Unknown),
    ];
    for (status, authorized, sold) in rows {
        let held = flow(status, "manual", &reference(Record::Authorization));
        assert_eq!(both(&Kind::Authorize, &held), authorized, "{status}");
        let taken = flow(status, "automatic", &reference(Record::Payment));
        assert_eq!(both(&Kind::Sale, &taken), sold, "{status}");
    }
    let taken_at_once = flow("succeeded", "automatic", &reference(Record::Authorization));
    assert_eq!(both(&Kind::Authorize, &taken_at_once), Outcome::Unknown, "it was to be held");
}

#[test]
fn a_failed_payment_tells_its_last_error() {
    let rows =
        [("card_declined", Decline::Soft), ("expired_card", Decline::InvalidData), ("unheard_of", Decline::Soft)];
    for (code, decline) in rows {
        let mut failed = flow("requires_payment_method", "automatic", &reference(Record::Payment));
        failed["last_payment_error"] = json!({"code": code, "detail": "As it is"});
        let answer = Answer { code: text(code), description: text("As it is"), ..said("requires_payment_method") };
        assert_eq!(both(&Kind::Sale, &failed), Outcome::Declined(decline, answer), "{code}");
    }
}

#[test]
fn a_payer_is_sent_where_payjp_says() {
    let url = "https://tds.test/1";
    let rows = [
        json!({"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": "https://shop.test"}}),
        json!({"url": url}),
    ];
    for action in rows {
        let mut waiting = flow("requires_action", "automatic", &reference(Record::Payment));
        waiting["next_action"] = action;
        let expected = |expires| PayerAction { url: url.to_owned(), expires_at: moment(expires) };
        let outcome = Outcome::ActionRequired(said("requires_action"), expected("2026-09-21T15:00:00Z"));
        assert_eq!(both(&Kind::Sale, &waiting), outcome);
        waiting["expired_at"] = json!("2026-09-21T14:10:00Z");
        let outcome = Outcome::ActionRequired(said("requires_action"), expected("2026-09-21T14:10:00Z"));
        assert_eq!(both(&Kind::Sale, &waiting), outcome);
    }
    for action in [json!({}), json!([]), json!({"url": "javascript:alert(1)"}), json!("https://tds.test")] {
        let mut waiting = flow("requires_action", "automatic", &reference(Record::Payment));
        waiting["next_action"] = action;
        assert_eq!(both(&Kind::Sale, &waiting), Outcome::Accepted(said("requires_action")));
    }
}

#[test]
fn a_refund_means_what_its_status_says_by_either_form() {
    let refunding = &kinds()[5];
    let rows = [
        ("succeeded", Outcome::Approved(said_of_refund("succeeded"))),
        ("pending", Outcome::Accepted(said_of_refund("pending"))),
        ("requires_action", Outcome::Accepted(said_of_refund("requires_action"))),
        ("failed", Outcome::Declined(Decline::Soft, said_of_refund("failed"))),
        ("canceled", Outcome::Declined(Decline::Soft, said_of_refund("canceled"))),
        ("of another kind", Outcome::Unknown),
    ];
    for (status, expected) in rows {
        let mut body = refund(status);
        assert_eq!(both(refunding, &body), expected, "{status}");
        let members = body.as_object_mut().expect("an object");
        let named = members.remove("payment_flow_id").expect("a flow");
        members.insert("payment_flow".to_owned(), named);
        assert_eq!(both(refunding, &body), expected, "{status}");
        body.as_object_mut().expect("an object").remove("metadata");
        assert_eq!(both(refunding, &body), expected, "{status}");
    }
}

#[test]
fn the_older_names_are_read_as_well() {
    let mut body = success(&Kind::Sale);
    let members = body.as_object_mut().expect("an object");
    for (name, old) in [("metadata", "meta_data"), ("created_at", "created_date"), ("updated_at", "updated_date")] {
        let value = members.get(name).cloned().expect("it is there");
        members.insert(old.to_owned(), value);
    }
    assert_eq!(both(&Kind::Sale, &body), Outcome::Approved(said("succeeded")), "both come for a while");
    let members = body.as_object_mut().expect("an object");
    for name in ["metadata", "created_at", "updated_at"] {
        members.remove(name);
    }
    assert_eq!(both(&Kind::Sale, &body), Outcome::Approved(said("succeeded")));
}

#[test]
fn what_is_of_something_else_is_unknown() {
    for kind in kinds() {
        let mut changes = vec![("id", json!("")), ("id", json!(7)), ("status", json!(7)), ("amount", json!("1200"))];
        match kind {
            Kind::Authorize | Kind::Sale => changes.extend([
                ("amount", json!(1_201)),
                ("currency", json!("usd")),
                ("metadata", json!({"reference": "0Xc000000000001"})),
                ("metadata", json!({})),
                ("metadata", json!(null)),
            ]),
            Kind::PostAuthorize => changes.push(("id", json!("pfw_2"))),
            Kind::Capture { .. } => changes.extend([
                ("id", json!("pfw_2")),
                ("currency", json!("usd")),
                ("amount_received", json!(1_199)),
                ("amount_received", json!(null)),
                ("status", json!("requires_capture")),
            ]),
            Kind::Reverse { .. } => {
                changes.extend([
                    ("id", json!("pfw_2")),
                    ("status", json!("requires_capture")),
                    ("status", json!("succeeded")),
                ]);
            }
            Kind::Refund { .. } => changes.extend([
                ("amount", json!(1_201)),
                ("payment_flow_id", json!("pfw_2")),
                ("metadata", json!({"reference": "0Xc000000000001"})),
            ]),
        }
        for (name, value) in changes {
            let mut body = success(&kind);
            body[name] = value.clone();
            assert_eq!(both(&kind, &body), Outcome::Unknown, "{kind:?} with {name} {value}");
        }
    }
    let held = |name: &str| {
        let mut body = success(&Kind::Authorize);
        body[name] = json!(7);
        both(&Kind::Authorize, &body)
    };
    assert_eq!(held("amount_capturable"), Outcome::Unknown);
}

#[test]
fn only_the_hold_that_is_named_is_registered() {
    let kind = Kind::PostAuthorize;
    let rows = [
        ("amount", json!(1_300), Decline::InvalidData, "amount_mismatch"),
        ("currency", json!("usd"), Decline::InvalidData, "currency_mismatch"),
        ("status", json!("succeeded"), Decline::InvalidData, "invalid_status"),
        ("status", json!("canceled"), Decline::InvalidData, "invalid_status"),
        ("status", json!("requires_payment_method"), Decline::Soft, "not_authorized"),
    ];
    for (name, value, decline, code) in rows {
        let mut body = success(&kind);
        body[name] = value;
        match both(&kind, &body) {
            Outcome::Declined(told, answer) => assert_eq!((told, answer.code.as_deref()), (decline, Some(code))),
            other => panic!("{other:?}"),
        }
    }
    let mut body = success(&kind);
    body["metadata"] = json!({"order": "A-1"});
    assert!(matches!(both(&kind, &body), Outcome::Approved(_)), "a browser knows nothing of our names");
    assert!(matches!(sent(&kind, true, &problem(404, "not_found")), Outcome::Declined(Decline::InvalidData, _)));
}

#[test]
fn a_refusal_means_what_the_table_says_and_of_a_repeated_request_nothing() {
    let rows = [
        (400, "invalid_status", Decline::InvalidData),
        (400, "already_refunded", Decline::InvalidData),
        (400, "refund_exceeds_payment", Decline::InvalidData),
        (400, "detached_payment_method_not_usable", Decline::Permanent),
        (400, "payment_method_not_owned_by_customer", Decline::InvalidData),
        (400, "payment_method_not_in_allowed_types", Decline::InvalidData),
        (400, "invalid_idempotency_key", Decline::InvalidData),
        (402, "card_declined", Decline::Soft),
        (402, "expired_card", Decline::InvalidData),
        (402, "three_d_secure_failed", Decline::Soft),
        (402, "unheard_of", Decline::Soft),
        (404, "not_found", Decline::InvalidData),
        (422, "validation_error", Decline::InvalidData),
    ];
    for kind in kinds() {
        for (status, code, decline) in rows {
            let answer = Answer { code: text(code), description: text("What is wrong"), ..Answer::default() };
            let refused = problem(status, code);
            assert_eq!(sent(&kind, false, &refused), Outcome::Declined(decline, answer), "{kind:?} {code}");
            if kind != Kind::PostAuthorize {
                assert_eq!(sent(&kind, true, &refused), Outcome::Unknown, "{kind:?} {code}");
            }
            assert_eq!(looked_up(&kind, &refused), Outcome::Unknown, "{kind:?} {code}");
        }
        for (status, expected) in [(401, Outcome::NotSent), (429, Outcome::NotSent)] {
            assert_eq!(sent(&kind, false, &problem(status, "x")), expected);
        }
        let doubtful = [
            (409, "idempotency_timeout"),
            (409, "idempotency_conflict"),
            (503, "idempotency_infrastructure_error"),
            (500, "internal_error"),
            (504, "timeout"),
            (403, "forbidden"),
            (201, "x"),
            (302, "x"),
        ];
        for (status, code) in doubtful {
            assert_eq!(sent(&kind, false, &problem(status, code)), Outcome::Unknown, "{kind:?} {status} {code}");
        }
    }
}

#[test]
fn what_nobody_can_read_is_unknown() {
    let whole = success(&Kind::Sale).to_string().into_bytes();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let nested = format!(r#"{{"id":"pfw_1","metadata":{deep}}}"#);
    let mut bodies: Vec<Vec<u8>> =
        ["", "<html>502</html>", "[]", "null", "{}", "7", "\"\"", "\u{feff}{}", &deep, &nested]
            .map(|text| text.as_bytes().to_vec())
            .to_vec();
    bodies.push(vec![b'x'; 300_000]);
    bodies.push(vec![0xff, 0xfe]);
    bodies.extend((0..whole.len()).map(|length| whole[..length].to_vec()));
    let refusal = problem(402, "card_declined");
    bodies.extend((0..refusal.body.len()).map(|length| refusal.body[..length].to_vec()));
    for body in bodies {
        for status in [200, 400, 402, 404, 409, 422, 500] {
            let answer = HttpResponse { status, body: body.clone() };
            for kind in kinds() {
                assert_eq!(sent(&kind, false, &answer), Outcome::Unknown, "{status}");
                assert_eq!(looked_up(&kind, &answer), Outcome::Unknown, "{status}");
            }
        }
    }
}

#[test]
fn no_secret_is_in_what_is_kept() {
    for kind in kinds() {
        for status in ["requires_capture", "succeeded", "requires_action", "requires_payment_method", "canceled"] {
            let mut body = flow(status, "manual", &reference(kind.record()));
            body["authorization"] = json!(SECRET_KEY);
            for outcome in [sent(&kind, false, &response(200, &body)), looked_up(&kind, &response(200, &body))] {
                let printed = format!("{outcome:?}");
                assert!(!printed.contains("canary") && !printed.contains(SECRET_KEY), "{printed}");
            }
        }
    }
    assert_eq!(PAYJP.timeout_reversal.map(|(reach, _)| reach), None);
}
