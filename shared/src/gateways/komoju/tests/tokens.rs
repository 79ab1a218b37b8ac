//! What is kept, and what an account offers.

use serde_json::{Value, json};

use super::{KEY, alternative, response, with_account};
use crate::card::Secret;
use crate::gateways::komoju::KOMOJU;
use crate::gateways::{Offer, TokenExchange, TokenIntent};
use crate::method::{Details, Sender};
use crate::payment::tests::fixtures::{raw_card, stored_method};
use crate::payment::{Decline, Instrument, Outcome};
use crate::ports::Method;
use crate::rejection::Rejection;

const REFERENCE: &str = "03OKsJpvrFJpBxD";

fn exchange() -> TokenExchange {
    KOMOJU.tokenize.expect("it keeps cards")
}

fn intent<'a>(instrument: &'a Instrument, details: &'a Details, duplicate: bool) -> TokenIntent<'a> {
    TokenIntent { reference: REFERENCE.to_owned(), key: KEY.to_owned(), instrument, details, duplicate, prepared: None }
}

#[test]
fn a_card_becomes_a_customer() {
    let card = raw_card();
    let email = || Some("carol@example.com".to_owned());
    let of_sender = Details { sender: Sender { email: email(), ..Sender::default() }, ..Details::default() };
    let rows = [
        (Details::default(), None),
        (Details { email: email(), ..Details::default() }, Some("carol@example.com")),
        (of_sender, Some("carol@example.com")),
    ];
    for (details, email) in rows {
        let mut expected = json!({
            "payment_details": {
                "type": "credit_card", "number": "4242424242424242", "month": 12, "year": 2030,
                "verification_value": "123", "name": "Carol Smith",
            },
            "metadata": {"reference": REFERENCE},
        });
        if let Some(email) = email {
            expected["email"] = json!(email);
            expected["payment_details"]["email"] = json!(email);
        }
        for duplicate in [false, true] {
            let asked = intent(&card, &details, duplicate);
            let request = with_account(|account| {
                assert_eq!((exchange().admits)(&asked, account), Ok(()));
                (exchange().encode)(&asked, account)
            });
            assert_eq!((request.method, request.url.as_str()), (Method::Post, "https://gateway.test/customers"));
            assert!(request.headers.contains(&("x-komoju-idempotency", KEY.to_owned())));
            assert_eq!(serde_json::from_slice::<Value>(&request.body).expect("JSON"), expected);
        }
    }
    for instrument in [stored_method(), alternative(None)] {
        let details = Details::default();
        let refused = with_account(|account| (exchange().admits)(&intent(&instrument, &details, false), account));
        assert!(matches!(refused, Err(Rejection::NotAtGateway { member: "paymentMethod", .. })));
    }
}

#[test]
fn the_customers_id_is_the_token_and_stands_nowhere_else() {
    let (card, details) = (raw_card(), Details::default());
    let customer = |resource: &str, reference: &Value| {
        json!({
            "id": "cus_secret", "resource": resource, "email": null, "source": {"type": "credit_card"},
            "metadata": {"reference": reference}, "created_at": "2026-09-21T13:33:31Z",
        })
        .to_string()
    };
    let error = |code: &str| json!({"error": {"code": code, "message": "as it is", "param": null}}).to_string();
    let rows = [
        (200, customer("customer", &json!(REFERENCE)), "approved", "approved"),
        (202, customer("customer", &json!(REFERENCE)), "approved", "approved"),
        (200, customer("customer", &json!("another")), "unknown", "unknown"),
        (200, customer("customer", &json!(null)), "unknown", "unknown"),
        (200, customer("token", &json!(REFERENCE)), "unknown", "unknown"),
        (204, String::new(), "unknown", "unknown"),
        (402, error("card_declined"), "declined", "declined"),
        (422, error("invalid_number"), "declined", "declined"),
        (401, error("unauthorized"), "not sent", "unknown"),
        (403, error("forbidden"), "declined", "unknown"),
        (409, error("conflict"), "unknown", "unknown"),
        (504, error("gateway_timeout"), "unknown", "unknown"),
    ];
    for (status, body, first, again) in rows {
        for (duplicate, expected) in [(false, first), (true, again)] {
            let (outcome, token) = (exchange().decode)(&intent(&card, &details, duplicate), &response(status, &body));
            assert_eq!(outcome.name(), expected, "{status} {body}");
            let token = token.as_ref().map(Secret::reveal);
            assert_eq!(token, (expected == "approved").then_some("cus_secret"), "{status} {body}");
            assert!(!format!("{outcome:?}").contains("cus_secret"));
        }
    }
    let refused = (exchange().decode)(&intent(&card, &details, false), &response(422, &error("invalid_number"))).0;
    assert!(matches!(refused, Outcome::Declined(Decline::InvalidData, _)));
}

#[test]
fn whoever_may_list_the_ways_to_pay_has_an_account_that_works() {
    let check = KOMOJU.check.expect("an account can be tried");
    let request = with_account(check.encode);
    assert_eq!((request.method, request.url.as_str()), (Method::Get, "https://gateway.test/payment_methods"));
    assert_eq!(request.headers, [("authorization", "Basic c2tfMTIzNDU6".to_owned())]);

    let listed = json!([
        {"type_slug": "credit_card", "name_en": "Credit Card", "name_ja": "クレジットカード", "currency": "JPY"},
        {"type_slug": "konbini", "name_en": "", "currency": "JPY", "subtypes": ["lawson"]},
        {"type_slug": "paypay"},
    ]);
    let offer = |name: &str, label: &str, currency: Option<&str>| Offer {
        name: name.to_owned(),
        label: label.to_owned(),
        currency: currency.map(str::to_owned),
    };
    let offers = [
        offer("credit_card", "Credit Card", Some("JPY")),
        offer("konbini", "konbini", Some("JPY")),
        offer("paypay", "paypay", None),
    ];
    assert_eq!((check.decode)(&response(200, &listed.to_string())), Ok(offers.to_vec()));
    assert_eq!((check.decode)(&response(200, "[]")), Ok(Vec::new()));
    let rows = [(401, "secret key"), (403, "may not"), (500, "500"), (204, "204")];
    for (status, why) in rows {
        assert!((check.decode)(&response(status, "[]")).is_err_and(|said| said.contains(why)), "{status}");
    }
}
