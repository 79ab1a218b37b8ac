//! How a card is kept: what is asked in two steps, and what the answers mean.

use serde_json::{Value, json};

use super::super::STRIPE;
use super::{KEY, REFERENCE, account, credential, fields, more, response, stripe, unreadable};
use crate::bank::{AccountNumber, BankAccount, BankType};
use crate::card::Secret;
use crate::gateways::{Preparation, TokenExchange, TokenIntent};
use crate::method::{Details, Sender};
use crate::payment::asked::Address;
use crate::payment::tests::fixtures::{raw_card, stored_method};
use crate::payment::{Answer, Decline, Instrument, Outcome};
use crate::ports::{HttpRequest, HttpResponse};
use crate::rejection::Rejection;

pub(super) fn exchange() -> TokenExchange {
    STRIPE.tokenize.expect("it keeps cards")
}

fn preparation() -> Preparation {
    exchange().prepare.expect("a payment method comes first")
}

pub(super) fn intent<'a>(instrument: &'a Instrument, details: &'a Details, prepared: Option<&str>) -> TokenIntent<'a> {
    TokenIntent {
        reference: REFERENCE.to_owned(),
        key: KEY.to_owned(),
        instrument,
        details,
        duplicate: false,
        prepared: prepared.map(|id| Secret::new(id.to_owned())),
    }
}

fn for_customer(customer: &str) -> Details {
    let sender = Sender { additional_data: more(&[("customerId", customer)]), ..Sender::default() };
    Details { sender, ..Details::default() }
}

pub(super) fn check(request: &HttpRequest, path: &str, key: &str, expected: &[(&str, &str)]) {
    assert_eq!(request.url, format!("https://gateway.test/{path}"));
    assert!(request.headers.contains(&("idempotency-key", key.to_owned())));
    let expected: Vec<_> = expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(fields(request), expected);
}

#[test]
fn a_card_becomes_a_payment_method_and_that_a_customers() {
    let (card, gateway, credential) = (raw_card(), stripe(), credential(&[]));
    let account = account(&gateway, &credential);
    let sender = Sender { phone: Some("+81 3".to_owned()), ..Sender::default() };
    let details = Details { email: Some("carol@example.com".to_owned()), sender, ..Details::default() };
    let first = (preparation().encode)(&intent(&card, &details, None), &account).expect("a request");
    let expected = [
        ("type", "card"),
        ("card[number]", "4242424242424242"),
        ("card[exp_month]", "12"),
        ("card[exp_year]", "2030"),
        ("card[cvc]", "123"),
        ("billing_details[name]", "Carol Smith"),
        ("billing_details[email]", "carol@example.com"),
        ("billing_details[phone]", "+81 3"),
        ("metadata[reference]", REFERENCE),
    ];
    check(&first, "v1/payment_methods", &format!("{KEY}-method"), &expected);
    let second = (exchange().encode)(&intent(&card, &details, Some("pm_1")), &account);
    let expected = [
        ("payment_method", "pm_1"),
        ("name", "Carol Smith"),
        ("email", "carol@example.com"),
        ("metadata[reference]", REFERENCE),
    ];
    check(&second, "v1/customers", KEY, &expected);
}

#[test]
fn only_cards_are_kept() {
    let number = AccountNumber::parse("DE89370400440532013000").expect("an account number");
    let account_of = BankAccount {
        number,
        bank_type: BankType::SepaDebit,
        bank_code: None,
        account_type: None,
        holder: None,
        holder_type: None,
        entry_class: None,
        mandate: None,
    };
    let bank = Instrument::Bank { account: Box::new(account_of), address: Address::default() };
    let (gateway, credential, none) = (stripe(), credential(&[]), Details::default());
    let (good, strange) = (for_customer("cus_7"), for_customer("cus_7/x"));
    let rows = [
        (raw_card(), &none, None),
        (raw_card(), &good, None),
        (raw_card(), &strange, Some("additionalData.customerId")),
        (bank, &none, Some("bankPaymentMethod")),
        (stored_method(), &none, Some("bankPaymentMethod")),
    ];
    for (instrument, details, expected) in rows {
        let admitted = (exchange().admits)(&intent(&instrument, details, None), &account(&gateway, &credential));
        let refused = match admitted {
            Ok(()) => None,
            Err(Rejection::NotAtGateway { member, .. }) => Some(member),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(refused, expected);
    }
}

fn method(members: &Value) -> Value {
    let mut body = json!({"id": "pm_1", "object": "payment_method", "type": "card", "customer": null, "metadata": {"reference": REFERENCE}});
    for (name, value) in members.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

#[expect(clippy::result_large_err, reason = "one a test")]
fn prepared(response: &HttpResponse) -> Result<String, Outcome> {
    let (card, none) = (raw_card(), Details::default());
    (preparation().decode)(&intent(&card, &none, None), response).map(|id| id.reveal().to_owned())
}

fn kept(details: &Details, response: &HttpResponse) -> (Outcome, Option<String>) {
    let card = raw_card();
    let (outcome, token) = (exchange().decode)(&intent(&card, details, Some("pm_1")), response);
    (outcome, token.map(|token| token.reveal().to_owned()))
}

#[test]
fn a_payment_method_of_ours_goes_on_and_anything_else_ends_here() {
    assert_eq!(prepared(&response(200, &method(&json!({})))), Ok("pm_1".to_owned()));
    for members in [
        json!({"object": "customer"}),
        json!({"metadata": {}}),
        json!({"metadata": null}),
        json!({"id": "a/b"}),
        json!({"id": ""}),
    ] {
        assert_eq!(prepared(&response(200, &method(&members))), Err(Outcome::Unknown), "{members}");
    }
}

#[test]
fn a_token_holds_the_customer_and_the_payment_method() {
    let approved = Outcome::Approved(Answer { code: Some("succeeded".to_owned()), ..Answer::default() });
    let customer = |members: &Value| {
        let mut body = method(members);
        (body["object"], body["id"]) = (json!("customer"), json!("cus_1"));
        body
    };
    let (none, named) = (Details::default(), for_customer("cus_7"));
    let rows = [
        (&none, customer(&json!({})), Some("cus_1/pm_1")),
        (&none, customer(&json!({"metadata": {"reference": "another"}})), None),
        (&none, method(&json!({})), None),
        (&named, method(&json!({"customer": "cus_7"})), Some("cus_7/pm_1")),
        (&named, method(&json!({"customer": "cus_8"})), None),
        (&named, method(&json!({"customer": "cus_7", "id": "pm_2"})), None),
        (&named, customer(&json!({})), None),
    ];
    for (details, body, token) in rows {
        let expected = if token.is_some() { approved.clone() } else { Outcome::Unknown };
        assert_eq!(kept(details, &response(200, &body)), (expected, token.map(str::to_owned)), "{body}");
    }
}

#[test]
fn a_refusal_is_one_at_either_step_and_all_doubt_is_unknown() {
    let error = |members: &Value| {
        let mut error = json!({"type": "card_error", "code": "card_declined", "message": "no pm_1"});
        for (name, value) in members.as_object().expect("an object") {
            error[name] = value.clone();
        }
        json!({"error": error})
    };
    let none = Details::default();
    let soft = error(&json!({}));
    let rows = [
        (402, soft.clone(), Some(Decline::Soft)),
        (402, error(&json!({"decline_code": "lost_card"})), Some(Decline::Permanent)),
        (
            400,
            error(&json!({"type": "invalid_request_error", "code": "invalid_expiry_year"})),
            Some(Decline::InvalidData),
        ),
        (404, error(&json!({"type": "invalid_request_error", "code": "resource_missing"})), Some(Decline::InvalidData)),
        (400, error(&json!({"type": "idempotency_error"})), None),
        (409, soft.clone(), None),
        (500, soft.clone(), None),
        (201, soft.clone(), None),
    ];
    for (status, body, decline) in rows {
        let response = response(status, &body);
        for heard in [prepared(&response).expect_err("it ends here"), kept(&none, &response).0] {
            match (heard, decline) {
                (Outcome::Declined(heard, _), Some(decline)) => assert_eq!(heard, decline, "{status} {body}"),
                (Outcome::Unknown, None) => {}
                (other, _) => panic!("{status} {body}: {other:?}"),
            }
        }
        let printed = format!("{:?}", kept(&none, &response));
        assert!(!printed.contains("pm_1"), "{printed}");
    }
    let throttled = json!({"error": {"type": "rate_limit_error", "code": "rate_limit"}});
    for (status, body) in [(401, &soft), (403, &soft), (429, &throttled)] {
        assert_eq!(prepared(&response(status, body)), Err(Outcome::NotSent));
        assert_eq!(kept(&none, &response(status, body)), (Outcome::NotSent, None));
    }
    assert_eq!(prepared(&response(429, &soft)), Err(Outcome::Unknown));
    for body in unreadable(&method(&json!({}))) {
        for status in [200, 400, 402, 404] {
            let response = HttpResponse { status, body: body.clone() };
            assert_eq!(prepared(&response), Err(Outcome::Unknown));
            assert_eq!(kept(&none, &response), (Outcome::Unknown, None));
        }
    }
    // A payment method that is there, and nobody holds it.
    let unprepared = (exchange().decode)(&intent(&raw_card(), &none, None), &response(200, &method(&json!({}))));
    assert!(matches!(unprepared, (Outcome::Unknown, None)));
}
