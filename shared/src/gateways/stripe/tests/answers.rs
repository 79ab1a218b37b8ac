//! Each answer to its outcome.

use serde_json::{Value, json};

use super::super::STRIPE;
use super::super::answer::{OF_THE_STATE, REFUSALS};
use super::{REFERENCE, SECRET_KEY, intent, more, response, shown, shown_refund, unreadable};
use crate::card::Secret;
use crate::gateways::Intent;
use crate::payment::asked::{Details, OnFile};
use crate::payment::tests::fixtures::{START, known, method_id, place, raw_card};
use crate::payment::{Answer, Decline, Instrument, Kind, Outcome, PayerAction};
use crate::ports::HttpResponse;
use crate::recurring::retry::{Category, Decision};
use crate::time::Timestamp;

const CAPTURE: fn() -> Kind = || Kind::Capture { authorization: place(0), is_final: true };
const REVERSE: fn() -> Kind = || Kind::Reverse { authorization: place(0) };
const REFUND: fn() -> Kind = || Kind::Refund { payment: place(0), reason: None };

fn every_kind() -> [Kind; 6] {
    [Kind::Authorize, Kind::PostAuthorize, Kind::Sale, CAPTURE(), REVERSE(), REFUND()]
}

fn details() -> Details {
    Details { additional_data: more(&[("reference", "pi_1")]), ..Details::default() }
}

fn outcome(kind: &Kind, duplicate: bool, response: &HttpResponse) -> Outcome {
    let details = details();
    (STRIPE.send.decode)(&Intent { duplicate, ..intent(kind, None, &details) }, response)
}

fn looked_up(kind: &Kind, response: &HttpResponse) -> Outcome {
    let (_, exchange) = STRIPE.look_up.expect("it can be asked");
    let details = details();
    (exchange.decode)(&Intent { known: Some(known("pi_1")), ..intent(kind, None, &details) }, response)
}

fn check(kind: &Kind, body: &Value, expected: &Outcome) {
    let response = response(200, body);
    for duplicate in [false, true] {
        assert_eq!(outcome(kind, duplicate, &response), *expected, "{kind:?} {body}");
    }
    assert_eq!(looked_up(kind, &response), *expected, "{kind:?} looked up {body}");
}

fn said(code: &str) -> Answer {
    Answer { reference: Some("pi_1".to_owned()), code: Some(code.to_owned()), ..Answer::default() }
}

fn dated(code: &str) -> Answer {
    Answer { date: Some(START), ..said(code) }
}

#[test]
fn an_intent_means_what_its_status_says_for_what_was_asked() {
    let automatic = json!({"capture_method": "automatic"});
    let taken = json!({"amount_received": 12_050});
    let held = json!({"amount_capturable": 12_050});
    let rows = [
        (Kind::Authorize, shown("requires_capture", &held), Outcome::Approved(dated("requires_capture"))),
        (Kind::Authorize, shown("succeeded", &taken), Outcome::Approved(dated("succeeded"))),
        (Kind::Authorize, shown("succeeded", &automatic), Outcome::Unknown),
        (Kind::Authorize, shown("requires_capture", &automatic), Outcome::Unknown),
        (Kind::Authorize, shown("requires_confirmation", &held), Outcome::Unknown),
        (Kind::Authorize, shown("processing", &held), Outcome::Accepted(said("processing"))),
        (Kind::Sale, shown("succeeded", &automatic), Outcome::Approved(dated("succeeded"))),
        (Kind::Sale, shown("succeeded", &held), Outcome::Unknown),
        (Kind::Sale, shown("requires_capture", &automatic), Outcome::Unknown),
        (Kind::Sale, shown("processing", &automatic), Outcome::Accepted(said("processing"))),
        (Kind::Sale, shown("of another kind", &automatic), Outcome::Unknown),
        (
            Kind::Sale,
            shown("canceled", &json!({"cancellation_reason": "abandoned"})),
            Outcome::Declined(Decline::Soft, said("abandoned")),
        ),
        (Kind::Sale, shown("canceled", &json!({})), Outcome::Declined(Decline::Soft, said("canceled"))),
        (
            Kind::Sale,
            shown("requires_payment_method", &json!({})),
            Outcome::Declined(Decline::Soft, said("requires_payment_method")),
        ),
        (CAPTURE(), shown("succeeded", &taken), Outcome::Approved(said("succeeded"))),
        (CAPTURE(), shown("succeeded", &json!({"amount_received": null})), Outcome::Approved(said("succeeded"))),
        (CAPTURE(), shown("succeeded", &json!({"amount_received": 12_049})), Outcome::Unknown),
        (CAPTURE(), shown("requires_capture", &held), Outcome::Unknown),
        (CAPTURE(), shown("processing", &held), Outcome::Accepted(said("processing"))),
        (
            CAPTURE(),
            shown("succeeded", &json!({"amount_received": 12_050, "metadata": {}})),
            Outcome::Approved(said("succeeded")),
        ),
        (
            CAPTURE(),
            shown("succeeded", &json!({"amount_received": 12_050, "metadata": {"reference": "another"}})),
            Outcome::Unknown,
        ),
        (REVERSE(), shown("canceled", &json!({})), Outcome::Approved(said("canceled"))),
        (REVERSE(), shown("requires_capture", &held), Outcome::Unknown),
        (REVERSE(), shown("succeeded", &taken), Outcome::Unknown),
        (REFUND(), shown("succeeded", &taken), Outcome::Unknown),
        (Kind::PostAuthorize, shown("requires_capture", &held), Outcome::Approved(dated("requires_capture"))),
        (Kind::PostAuthorize, shown("processing", &json!({})), Outcome::Accepted(said("processing"))),
    ];
    for (kind, body, expected) in rows {
        check(&kind, &body, &expected);
    }
    // The authorization's own name, where a dialect leaves it.
    let opened = known("pi_1").record.to_string();
    let body = shown("succeeded", &json!({"amount_received": 12_050, "metadata": {"reference": opened}}));
    check(&CAPTURE(), &body, &Outcome::Approved(said("succeeded")));
}

#[test]
fn what_was_made_in_a_browser_is_registered_as_it_is_or_not_at_all() {
    let rows = [
        (shown("requires_capture", &json!({"currency": "eur"})), "currency_mismatch"),
        (shown("requires_capture", &json!({"amount_capturable": 12_049})), "amount_mismatch"),
        (shown("requires_capture", &json!({"amount": 1, "amount_capturable": null})), "amount_mismatch"),
        (shown("succeeded", &json!({})), "payment_intent_unexpected_state"),
        (shown("requires_action", &json!({})), "payment_intent_unexpected_state"),
        (shown("requires_payment_method", &json!({})), "payment_intent_unexpected_state"),
        (shown("canceled", &json!({})), "payment_intent_unexpected_state"),
    ];
    for (body, code) in rows {
        check(&Kind::PostAuthorize, &body, &Outcome::Declined(Decline::InvalidData, said(code)));
    }
    // It bears nobody's name, or another's.
    for metadata in [json!({}), json!(null), json!({"reference": "order 7"})] {
        let body = shown("requires_capture", &json!({"amount_capturable": 12_050, "metadata": metadata}));
        check(&Kind::PostAuthorize, &body, &Outcome::Approved(dated("requires_capture")));
    }
}

#[test]
fn what_speaks_of_something_else_tells_nothing() {
    let wrong = [
        json!({"id": "pi_2", "metadata": {"reference": "another"}}),
        json!({"object": "charge"}),
        json!({"amount": 12_051}),
        json!({"currency": "eur"}),
        json!({"metadata": {"reference": "another"}}),
        json!({"metadata": {}}),
        json!({"metadata": null}),
    ];
    for change in &wrong {
        for (kind, status, method) in
            [(Kind::Authorize, "requires_capture", "manual"), (Kind::Sale, "succeeded", "automatic")]
        {
            let mut body = shown(status, change);
            body["capture_method"] = json!(method);
            check(&kind, &body, &Outcome::Unknown);
            for undecided in ["processing", "canceled", "requires_payment_method", "requires_action"] {
                check(&kind, &shown(undecided, change), &Outcome::Unknown);
            }
        }
        check(&REFUND(), &shown_refund("succeeded", change), &Outcome::Unknown);
    }
    for (kind, status) in [(CAPTURE(), "succeeded"), (REVERSE(), "canceled"), (Kind::PostAuthorize, "requires_capture")]
    {
        check(&kind, &shown(status, &json!({"id": "pi_2", "amount_received": 12_050})), &Outcome::Unknown);
    }
    check(&REFUND(), &shown_refund("succeeded", &json!({"payment_intent": "pi_2"})), &Outcome::Unknown);
    check(&REFUND(), &shown_refund("succeeded", &json!({"payment_intent": null})), &Outcome::Unknown);
}

#[test]
fn a_refund_means_what_its_status_says() {
    let said = |code: &str| Answer { reference: Some("re_1".to_owned()), ..dated(code) };
    let rows = [
        ("succeeded", json!({}), Outcome::Approved(said("succeeded"))),
        ("succeeded", json!({"payment_intent": {"id": "pi_1"}}), Outcome::Approved(said("succeeded"))),
        ("pending", json!({}), Outcome::Accepted(said("pending"))),
        ("requires_action", json!({}), Outcome::Accepted(said("requires_action"))),
        (
            "failed",
            json!({"failure_reason": "lost_or_stolen_card"}),
            Outcome::Declined(Decline::Soft, said("lost_or_stolen_card")),
        ),
        ("canceled", json!({}), Outcome::Declined(Decline::Soft, said("canceled"))),
        ("of another kind", json!({}), Outcome::Unknown),
    ];
    for (status, members, expected) in rows {
        check(&REFUND(), &shown_refund(status, &members), &expected);
    }
}

#[test]
fn a_payer_who_must_authenticate_is_sent_to_the_page() {
    let url = "https://hooks.stripe.com/3d/1".to_owned();
    let redirect =
        json!({"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": "https://shop.test"}});
    let expires_at = Timestamp::from_millis(START.as_millis() + 24 * 60 * 60 * 1000);
    let action = Outcome::ActionRequired(said("requires_action"), PayerAction { url, expires_at });
    for kind in [Kind::Authorize, Kind::Sale] {
        check(&kind, &shown("requires_action", &json!({"next_action": redirect})), &action);
        for other in [
            json!(null),
            json!({"type": "use_stripe_sdk", "use_stripe_sdk": {}}),
            json!({"redirect_to_url": {"url": null}}),
        ] {
            check(
                &kind,
                &shown("requires_action", &json!({"next_action": other})),
                &Outcome::Accepted(said("requires_action")),
            );
        }
    }
    let failed = json!({"last_payment_error": {"type": "card_error", "code": "payment_intent_authentication_failure", "message": "no"}});
    let expected = Answer { description: Some("no".to_owned()), ..said("payment_intent_authentication_failure") };
    check(&Kind::Sale, &shown("requires_payment_method", &failed), &Outcome::Declined(Decline::Soft, expected));
}

#[test]
fn what_the_bank_said_is_kept() {
    let checks = json!({"address_line1_check": "fail", "address_postal_code_check": "pass", "cvc_check": "pass"});
    let charge =
        json!({"id": "ch_1", "authorization_code": "A1", "payment_method_details": {"card": {"checks": checks}}});
    let expected = Answer {
        authorization_code: Some("A1".to_owned()),
        avs_code: Some("fail/pass".to_owned()),
        ..dated("requires_capture")
    };
    check(
        &Kind::Authorize,
        &shown("requires_capture", &json!({"latest_charge": charge})),
        &Outcome::Approved(expected.clone()),
    );
    let older = json!({"latest_charge": null, "charges": {"data": [charge]}});
    check(&Kind::Authorize, &shown("requires_capture", &older), &Outcome::Approved(expected));
    let of_card = json!({"payment_method_details": {"card": {"authorization_code": "B2", "checks": {"address_line1_check": "pass"}}}});
    let expected = Answer {
        authorization_code: Some("B2".to_owned()),
        avs_code: Some("pass/unprovided".to_owned()),
        ..dated("requires_capture")
    };
    check(
        &Kind::Authorize,
        &shown("requires_capture", &json!({"latest_charge": of_card})),
        &Outcome::Approved(expected),
    );
}

fn error(members: &Value) -> Value {
    let mut error = json!({"type": "card_error", "message": "as it is", "doc_url": "https://stripe.com/docs"});
    for (name, value) in members.as_object().expect("an object") {
        error[name] = value.clone();
    }
    json!({"error": error})
}

#[test]
fn what_stripe_advises_never_to_try_again_is_not_to_be_retried() {
    for (advice, decision) in [("do_not_try_again", Decision::NonRetriable), ("try_again_later", Decision::Retriable)] {
        let members = json!({"code": "card_declined", "decline_code": "generic_decline", "advice_code": advice});
        let heard = outcome(&Kind::Sale, false, &response(402, &error(&members)));
        let Outcome::Declined(decline, answer) = heard else { panic!("{heard:?}") };
        assert_eq!((STRIPE.judge)(decline, &answer), (Category::PaymentProcessing, decision), "{advice}");
    }
}

#[test]
fn a_refusal_means_what_the_table_says_and_under_its_key_again_where_that_is_kept() {
    let listed = REFUSALS.iter().flat_map(|(decline, _, codes)| codes.iter().map(|code| (*decline, *code)));
    let rows: Vec<_> = listed.chain([(Decline::Soft, "of another kind")]).collect();
    for (decline, code) in &rows {
        for kind in every_kind() {
            for (status, members) in [
                (402, json!({"code": "card_declined", "decline_code": code})),
                (402, json!({"code": code})),
                (400, json!({"type": "invalid_request_error", "code": code})),
                (404, json!({"type": "invalid_request_error", "code": code})),
            ] {
                let answer = Answer {
                    code: Some((*code).to_owned()),
                    description: Some("as it is".to_owned()),
                    ..Answer::default()
                };
                let declined = Outcome::Declined(*decline, answer);
                let is_kept = status == 402 || OF_THE_STATE.contains(code) || kind == Kind::PostAuthorize;
                for duplicate in [false, true] {
                    let heard = outcome(&kind, duplicate, &response(status, &error(&members)));
                    let expected = if duplicate && !is_kept { &Outcome::Unknown } else { &declined };
                    assert_eq!(heard, *expected, "{kind:?} {status} {members}");
                }
                let looked_up = looked_up(&kind, &response(status, &error(&members)));
                assert_eq!(looked_up, Outcome::Unknown, "a question that is refused tells nothing");
            }
        }
    }
    let codes: Vec<_> = rows.iter().map(|(_, code)| code).collect();
    assert!(codes.iter().enumerate().all(|(place, code)| !codes[..place].contains(code)), "no code stands twice");
    // The bank's own word counts first, and where there is no word the kind of error.
    let rows = [
        (json!({"code": "incorrect_cvc", "decline_code": "stolen_card"}), Decline::Permanent, "stolen_card"),
        (json!({"code": "expired_card", "decline_code": "generic_decline"}), Decline::InvalidData, "generic_decline"),
        (json!({"type": "invalid_request_error"}), Decline::InvalidData, "invalid_request_error"),
        (json!({}), Decline::Soft, "card_error"),
    ];
    for (members, decline, code) in rows {
        let answer =
            Answer { code: Some(code.to_owned()), description: Some("as it is".to_owned()), ..Answer::default() };
        assert_eq!(outcome(&Kind::Sale, false, &response(402, &error(&members))), Outcome::Declined(decline, answer));
    }
}

#[test]
fn what_certainly_did_nothing_was_not_sent_and_all_other_doubt_is_unknown() {
    let declined = error(&json!({"code": "card_declined"}));
    let throttled = error(&json!({"type": "rate_limit_error", "code": "rate_limit"}));
    let locked = error(&json!({"type": "invalid_request_error", "code": "lock_timeout"}));
    let of_the_key = [
        json!({"type": "idempotency_error"}),
        json!({"type": "invalid_request_error", "code": "idempotency_key_in_use"}),
        json!({"type": "invalid_request_error", "code": "lock_timeout"}),
        json!({"type": "api_error"}),
        json!({"type": null, "code": "card_declined"}),
    ];
    for kind in every_kind() {
        for duplicate in [false, true] {
            for (status, body) in [(401, &declined), (403, &declined), (429, &throttled)] {
                assert_eq!(outcome(&kind, duplicate, &response(status, body)), Outcome::NotSent, "{status}");
            }
            for body in [&declined, &locked, &json!({}), &json!(null)] {
                assert_eq!(outcome(&kind, duplicate, &response(429, body)), Outcome::Unknown, "{body}");
            }
            for status in [0, 100, 201, 204, 302, 405, 409, 422, 424, 500, 502, 503, 504, 599] {
                for body in [&declined, &shown("succeeded", &json!({})), &shown_refund("succeeded", &json!({}))] {
                    assert_eq!(outcome(&kind, duplicate, &response(status, body)), Outcome::Unknown, "{status}");
                }
            }
            for members in &of_the_key {
                for status in [400, 402, 404] {
                    let heard = outcome(&kind, duplicate, &response(status, &error(members)));
                    assert_eq!(heard, Outcome::Unknown, "{status} {members}");
                }
            }
        }
        for status in [401, 403, 404, 409, 429, 500] {
            assert_eq!(looked_up(&kind, &response(status, &shown("succeeded", &json!({})))), Outcome::Unknown);
        }
    }
}

#[test]
fn a_refusal_names_the_intent_that_it_left_or_is_not_believed() {
    let of = |intent: Value| response(402, &error(&json!({"code": "card_declined", "payment_intent": intent})));
    let answer = Answer { description: Some("as it is".to_owned()), ..said("card_declined") };
    let declined = Outcome::Declined(Decline::Soft, answer);
    let left = shown("requires_payment_method", &json!({"latest_charge": "ch_1"}));
    for kind in every_kind() {
        assert_eq!(outcome(&kind, false, &of(left.clone())), declined, "{kind:?}");
    }
    for kind in [Kind::Authorize, Kind::Sale] {
        for status in ["requires_capture", "succeeded", "processing"] {
            assert_eq!(outcome(&kind, false, &of(shown(status, &json!({})))), Outcome::Unknown);
        }
        let of_another = shown("requires_payment_method", &json!({"metadata": {"reference": "another"}}));
        assert_eq!(outcome(&kind, false, &of(of_another)), Outcome::Unknown);
    }
    for kind in [CAPTURE(), REVERSE(), REFUND()] {
        assert_eq!(outcome(&kind, false, &of(shown("succeeded", &json!({"id": "pi_2"})))), Outcome::Unknown);
    }
}

#[test]
fn what_nobody_can_read_is_unknown() {
    let wholes = [
        shown("requires_capture", &json!({})),
        shown_refund("succeeded", &json!({})),
        error(&json!({"code": "card_declined"})),
    ];
    for body in wholes.iter().flat_map(unreadable) {
        for kind in every_kind() {
            for status in [200, 400, 402, 404] {
                let response = HttpResponse { status, body: body.clone() };
                assert_eq!(outcome(&kind, false, &response), Outcome::Unknown, "{kind:?} {status}");
                assert_eq!(looked_up(&kind, &response), Outcome::Unknown, "{kind:?} {status}");
            }
        }
    }
}

#[test]
fn any_member_may_be_of_any_shape() {
    let mut random = fastrand::Rng::with_seed(7);
    let shapes =
        [json!(null), json!(7), json!("text"), json!([1]), json!({"a": {}}), json!(true), json!(-1.5), json!(1e300)];
    for whole in [
        shown("succeeded", &json!({"latest_charge": {"id": "ch_1"}})),
        shown_refund("succeeded", &json!({})),
        error(&json!({"code": "x"})),
    ] {
        for _ in 0..400 {
            let mut body = whole.clone();
            let object = if let Some(error) = body.get_mut("error") { error } else { &mut body };
            let members: Vec<String> = object.as_object().expect("an object").keys().cloned().collect();
            let (member, shape) = (&members[random.usize(..members.len())], &shapes[random.usize(..shapes.len())]);
            object[member] = shape.clone();
            for kind in every_kind() {
                for status in [200, 402] {
                    let heard = outcome(&kind, random.bool(), &response(status, &body));
                    let is_known = matches!(heard, Outcome::Approved(_));
                    let is_asked = kind != REFUND() && body["object"] == "payment_intent"
                        || kind == REFUND() && body["object"] == "refund";
                    assert!(!is_known || is_asked, "{kind:?} {body}");
                }
            }
        }
    }
}

#[test]
fn no_secret_is_in_any_outcome() {
    let token = "cus_secret/pm_secret";
    let stored =
        Instrument::Stored(OnFile { token: Some(Secret::new(token.to_owned())), ..OnFile::unopened(method_id()) });
    let (card, details) = (raw_card(), details());
    let message = format!("No such PaymentMethod: 'pm_secret' of cus_secret; {token}");
    let answers = [
        response(200, &shown("requires_capture", &json!({"payment_method": "pm_secret", "customer": "cus_secret"}))),
        response(
            400,
            &error(&json!({"code": "resource_missing", "type": "invalid_request_error", "message": message})),
        ),
        response(
            402,
            &error(&json!({"code": "card_declined", "payment_method": {"id": "pm_secret"}, "message": message})),
        ),
    ];
    for kind in every_kind() {
        for response in &answers {
            let heard =
                (STRIPE.send.decode)(&intent(&kind, Some(&stored), &details), response).without_instrument(&stored);
            let printed = format!("{heard:?}");
            for secret in [token, "cus_secret", "pm_secret", "pi_1_secret", SECRET_KEY] {
                assert!(!printed.contains(secret), "{secret} in {printed}");
            }
        }
    }
    let repeated = error(
        &json!({"code": "incorrect_number", "message": "4242 4242 4242 4242 is no card, nor is 4242424242424242 with 123"}),
    );
    let heard = (STRIPE.send.decode)(&intent(&Kind::Sale, Some(&card), &details), &response(402, &repeated));
    let printed = format!("{:?}", heard.without_instrument(&card).within_limits());
    for secret in ["4242424242424242", "4242 4242 4242 4242", "123"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    assert!(printed.contains("incorrect_number"), "{printed} {REFERENCE}");
}
