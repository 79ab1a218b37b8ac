//! How a customer that is named keeps a card: a SetupIntent, and whether its payer has to act.

use serde_json::{Value, json};

use super::super::STRIPE;
use super::tokens::{check, exchange, intent};
use super::{KEY, REFERENCE, account, credential, more, response, shown_setup, stripe, unreadable};
use crate::card::Secret;
use crate::method::{Details, Sender};
use crate::payment::tests::fixtures::{START, raw_card};
use crate::payment::{Answer, Decline, Outcome, PayerAction};
use crate::ports::HttpResponse;
use crate::time::Timestamp;

const PAGE: &str = "https://hooks.stripe.com/3d_secure/seti_1";

fn with(members: &[(&str, &str)]) -> Details {
    Details { sender: Sender { additional_data: more(members), ..Sender::default() }, ..Details::default() }
}

fn asked_to_return() -> Details {
    with(&[("customerId", "cus_7"), ("returnUrl", "https://shop.test/back?a=1")])
}

fn said(code: &str) -> Answer {
    Answer { reference: Some("seti_1".to_owned()), code: Some(code.to_owned()), ..Answer::default() }
}

fn kept(details: &Details, response: &HttpResponse) -> (Outcome, Option<String>) {
    let card = raw_card();
    let told = [false, true].map(|duplicate| {
        let asked = crate::gateways::TokenIntent { duplicate, ..intent(&card, details, Some("pm_1")) };
        let (outcome, token) = (STRIPE.tokenize.expect("it keeps cards").decode)(&asked, response);
        (outcome, token.map(|token| token.reveal().to_owned()))
    });
    let [first, again] = told;
    assert_eq!(first, again, "a key is answered as the first time");
    first
}

#[test]
fn a_named_customer_keeps_a_card_by_a_setup_intent() {
    let (card, gateway) = (raw_card(), stripe());
    let whole = credential(&[]);
    let expected = [
        ("confirm", "true"),
        ("usage", "off_session"),
        ("customer", "cus_7"),
        ("payment_method", "pm_1"),
        ("payment_method_types[]", "card"),
        ("metadata[reference]", REFERENCE),
        ("return_url", "https://shop.test/back?a=1"),
    ];
    let asked = (exchange().encode)(&intent(&card, &asked_to_return(), Some("pm_1")), &account(&gateway, &whole));
    check(&asked, "v1/setup_intents", KEY, &expected);
    let nowhere = with(&[("customerId", "cus_7")]);
    let asked = (exchange().encode)(&intent(&card, &nowhere, Some("pm_1")), &account(&gateway, &whole));
    check(&asked, "v1/setup_intents", KEY, &expected[..6]);
    let dialect = credential(&[("dialect", "localstripe")]);
    let asked = (exchange().encode)(&intent(&card, &asked_to_return(), Some("pm_1")), &account(&gateway, &dialect));
    check(&asked, "v1/payment_methods/pm_1/attach", KEY, &[("customer", "cus_7")]);
}

#[test]
fn a_setup_intent_means_what_its_status_says_for_what_was_asked() {
    let page = json!({"next_action": {"type": "redirect_to_url", "redirect_to_url": {"url": PAGE}}});
    let pageless = json!({"next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {}}});
    let expires_at = Timestamp::from_millis(START.as_millis() + 24 * 60 * 60 * 1_000);
    let waiting = Outcome::ActionRequired(said("requires_action"), PayerAction { url: PAGE.to_owned(), expires_at });
    let failed = json!({"payment_method": null, "last_setup_error": {
        "type": "card_error", "code": "setup_intent_authentication_failure", "message": "no",
    }});
    let failure = Answer { description: Some("no".to_owned()), ..said("setup_intent_authentication_failure") };
    let lost = json!({"last_setup_error": {
        "type": "card_error", "code": "card_declined", "decline_code": "lost_card", "message": "pm_1 of cus_7",
    }});
    let of_lost = Answer { description: Some("**** of ****".to_owned()), ..said("lost_card") };
    let rows = [
        ("succeeded", json!({}), Outcome::Approved(said("succeeded")), Some("cus_7/pm_1")),
        ("succeeded", json!({"payment_method": null}), Outcome::Unknown, None),
        ("processing", json!({}), Outcome::Accepted(said("processing")), None),
        ("requires_action", page.clone(), waiting, None),
        ("requires_action", pageless.clone(), Outcome::Accepted(said("requires_action")), None),
        ("requires_payment_method", failed, Outcome::Declined(Decline::Soft, failure), None),
        ("requires_payment_method", lost, Outcome::Declined(Decline::Permanent, of_lost), None),
        ("requires_payment_method", json!({}), Outcome::Declined(Decline::Soft, said("requires_payment_method")), None),
        ("canceled", json!({}), Outcome::Declined(Decline::Soft, said("canceled")), None),
        (
            "canceled",
            json!({"cancellation_reason": "abandoned"}),
            Outcome::Declined(Decline::Soft, said("abandoned")),
            None,
        ),
        ("requires_confirmation", json!({}), Outcome::Unknown, None),
        ("of another kind", json!({}), Outcome::Unknown, None),
    ];
    for (status, members, expected, token) in rows {
        let heard = kept(&asked_to_return(), &response(200, &shown_setup(status, &members)));
        assert_eq!(heard, (expected, token.map(str::to_owned)), "{status} {members}");
    }
    // Nobody was to come back, so nobody has a page to act on.
    let nowhere = with(&[("customerId", "cus_7")]);
    let heard = kept(&nowhere, &response(200, &shown_setup("requires_action", &pageless)));
    assert_eq!(heard, (Outcome::Declined(Decline::Soft, said("authentication_required")), None));
    let others = [
        json!({"metadata": {"reference": "another"}}),
        json!({"metadata": null}),
        json!({"customer": "cus_8"}),
        json!({"customer": null}),
        json!({"payment_method": "pm_2"}),
        json!({"object": "payment_intent"}),
    ];
    for status in ["succeeded", "processing", "requires_action", "requires_payment_method", "canceled"] {
        for members in &others {
            let heard = kept(&asked_to_return(), &response(200, &shown_setup(status, members)));
            assert_eq!(heard, (Outcome::Unknown, None), "{status} {members}");
        }
    }
    // One that nobody asked for.
    let heard = kept(&Details::default(), &response(200, &shown_setup("succeeded", &json!({}))));
    assert_eq!(heard, (Outcome::Unknown, None));
    for body in unreadable(&shown_setup("succeeded", &page)) {
        assert_eq!(kept(&asked_to_return(), &HttpResponse { status: 200, body }), (Outcome::Unknown, None));
    }
}

#[test]
fn an_error_is_a_refusal_unless_its_setup_intent_says_otherwise() {
    let error = |setup_intent: &Value| {
        json!({"error": {
            "type": "card_error", "code": "card_declined", "decline_code": "stolen_card", "message": "no pm_1",
            "setup_intent": setup_intent,
        }})
    };
    let over = |members: &Value| shown_setup("requires_payment_method", members);
    let rows = [
        (over(&json!({"payment_method": null})), true),
        (over(&json!({})), true),
        (json!(null), true),
        (over(&json!({"metadata": {"reference": "another"}})), false),
        (over(&json!({"customer": "cus_8"})), false),
        (over(&json!({"payment_method": "pm_2"})), false),
        (shown_setup("succeeded", &json!({})), false),
        (shown_setup("processing", &json!({})), false),
        (json!("seti_1"), false),
    ];
    for (setup_intent, is_refused) in rows {
        let (outcome, token) = kept(&asked_to_return(), &response(402, &error(&setup_intent)));
        assert_eq!(matches!(outcome, Outcome::Declined(Decline::Permanent, _)), is_refused, "{setup_intent}");
        assert!(token.is_none() && (is_refused || outcome == Outcome::Unknown), "{setup_intent}");
        assert!(!format!("{outcome:?}").contains("pm_1"), "{outcome:?}");
    }
    let prepared = (exchange().prepare.expect("a method comes first").decode)(
        &intent(&raw_card(), &asked_to_return(), None),
        &response(402, &error(&over(&json!({})))),
    );
    assert_eq!(prepared.map(|id: Secret| id.reveal().to_owned()), Err(Outcome::Unknown), "none was asked for yet");
}
