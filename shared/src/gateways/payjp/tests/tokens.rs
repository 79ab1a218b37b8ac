//! What keeping a card asks of PAY.JP, and what comes of it.

use serde_json::json;

use super::schema::{assert_valid, validator};
use super::{KEY, PAYJP, SECRET_KEY, World, body, problem, response, stored};
use crate::card::Secret;
use crate::gateways::{Preparation, TokenExchange, TokenIntent};
use crate::method::{Details, Sender};
use crate::payment::asked::Address;
use crate::payment::tests::fixtures::{card_of, raw_card};
use crate::payment::{Answer, Decline, Instrument, Outcome};
use crate::ports::HttpResponse;
use crate::rejection::Rejection;

const METHOD: &str = "03OKsJpvrFJpBxD";
const PAN: &str = "4242424242424242";

fn exchange() -> TokenExchange {
    PAYJP.tokenize.expect("it keeps methods")
}

fn preparation() -> Preparation {
    exchange().prepare.expect("something comes first")
}

fn mailed() -> Details {
    Details { email: Some("carol@example.com".to_owned()), ..Details::default() }
}

fn intent<'a>(instrument: &'a Instrument, details: &'a Details) -> TokenIntent<'a> {
    let prepared = Some(Secret::new("pm_1".to_owned()));
    TokenIntent { reference: METHOD.to_owned(), key: KEY.to_owned(), instrument, details, duplicate: false, prepared }
}

#[test]
fn a_card_is_kept_as_a_method_and_then_by_a_customer() {
    let address = Address {
        street: Some("1-2-3".to_owned()),
        city: Some("Chiyoda".to_owned()),
        state: Some("Tokyo".to_owned()),
        country: Some("JP".to_owned()),
        postal_code: Some("100-0001".to_owned()),
        company_name: None,
    };
    let (card, details, world) = (card_of(PAN, "123", address), mailed(), World::test());
    let request = (preparation().encode)(&intent(&card, &details), &world.account()).expect("there is something to do");
    let expected = json!({
        "type": "card", "card": {"number": PAN, "exp_month": 12, "exp_year": 2030, "cvc": "123"},
        "billing_details": {
            "name": "Carol Smith", "email": "carol@example.com",
            "address": {"country": "JP", "zip": "100-0001", "state": "Tokyo", "city": "Chiyoda", "line1": "1-2-3"},
        },
        "metadata": {"reference": METHOD},
    });
    assert_eq!(body(&request), expected);
    assert_valid(&validator("PaymentMethodCreateRequest"), &expected);
    assert_eq!(request.url, "https://gateway.test/v2/payment_methods");
    assert!(request.headers.contains(&("idempotency-key", format!("{KEY}-method"))));

    let request = (exchange().encode)(&intent(&card, &details), &world.account());
    let expected = json!({
        "id": METHOD, "payment_method_id": "pm_1", "email": "carol@example.com", "metadata": {"reference": METHOD},
    });
    assert_eq!(body(&request), expected);
    assert_valid(&validator("CustomerCreateRequest"), &expected);
    assert_eq!(request.url, "https://gateway.test/v2/customers");
    assert!(request.headers.contains(&("idempotency-key", KEY.to_owned())));
    assert!(request.headers.contains(&("authorization", format!("Bearer {SECRET_KEY}"))));
}

#[test]
fn the_least_of_a_card_is_enough() {
    let sender = Sender { phone: Some("+81300000000".to_owned()), ..Sender::default() };
    let (card, details) = (raw_card(), Details { sender, ..Details::default() });
    let asked = intent(&card, &details);
    assert_eq!((exchange().admits)(&asked, &World::test().account()), Ok(()));
    let request = (preparation().encode)(&asked, &World::test().account()).expect("there is something to do");
    assert_eq!(body(&request)["billing_details"], json!({"name": "Carol Smith", "phone": "+81300000000"}));
    assert_valid(&validator("PaymentMethodCreateRequest"), &body(&request));
    let customer = body(&(exchange().encode)(&asked, &World::test().account()));
    assert!(customer.get("email").is_none());
}

#[test]
fn what_payjp_does_not_keep_is_refused() {
    let live = World::of(&[("secretKey", "sk_live_1")]);
    let test = World::test();
    let (mailed, silent) = (mailed(), Details::default());
    let rows = [
        (raw_card(), &mailed, &live, Some("cardPaymentMethod")),
        (raw_card(), &silent, &test, Some("email")),
        (card_of(PAN, "", Address::default()), &mailed, &test, Some("cardPaymentMethod.cvv")),
        (
            card_of("4000000000000000006", "123", Address::default()),
            &mailed,
            &test,
            Some("cardPaymentMethod.cardNumber"),
        ),
        (stored("cus_1/pm_1"), &mailed, &test, Some("paymentMethod")),
        (raw_card(), &mailed, &test, None),
    ];
    for (instrument, details, world, expected) in rows {
        let refused = match (exchange().admits)(&intent(&instrument, details), &world.account()) {
            Ok(()) => None,
            Err(Rejection::NotAtGateway { member, .. }) => Some(member),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(refused, expected);
    }
}

fn decoded(is_duplicate: bool, answer: &HttpResponse) -> (Outcome, Option<String>) {
    let (card, details) = (raw_card(), mailed());
    let asked = TokenIntent { duplicate: is_duplicate, ..intent(&card, &details) };
    let (outcome, token) = (exchange().decode)(&asked, answer);
    (outcome, token.map(|token| token.reveal().to_owned()))
}

#[test]
fn a_customer_of_ours_is_a_token() {
    let customer =
        |id: &str, default: Option<&str>| response(200, &json!({"id": id, "default_payment_method_id": default}));
    let kept = Outcome::Approved(Answer { reference: Some(METHOD.to_owned()), ..Answer::default() });
    let token = |text: &str| Some(text.to_owned());
    assert_eq!(decoded(false, &customer(METHOD, Some("pm_1"))), (kept, token("03OKsJpvrFJpBxD/pm_1")));
    for answer in
        [customer(METHOD, None), customer("cus_2", Some("pm_1")), response(200, &json!([])), response(500, &json!({}))]
    {
        assert_eq!(decoded(false, &answer), (Outcome::Unknown, None));
    }
    let exists = problem(400, "already_exists_id");
    assert!(matches!(decoded(false, &exists), (Outcome::Declined(Decline::InvalidData, _), None)), "somebody else's");
    match decoded(true, &exists) {
        (Outcome::Approved(answer), known) => {
            assert_eq!((answer.reference.as_deref(), known), (Some(METHOD), token("03OKsJpvrFJpBxD/")));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(decoded(false, &problem(404, "not_found")), (Outcome::Declined(Decline::InvalidData, _), None)));
    assert_eq!(decoded(false, &problem(401, "x")), (Outcome::NotSent, None));
    assert_eq!(decoded(false, &problem(409, "idempotency_timeout")), (Outcome::Unknown, None));
}

#[test]
fn a_card_that_is_declined_when_it_is_registered_is_refused() {
    let (card, details) = (raw_card(), mailed());
    let asked = intent(&card, &details);
    let prepared = |answer: &HttpResponse| (preparation().decode)(&asked, answer).err();
    let made = (preparation().decode)(
        &asked,
        &response(200, &json!({"id": "pm_1", "type": "card", "card": {"last4": "4242"}})),
    );
    assert_eq!(made.ok().as_ref().map(Secret::reveal), Some("pm_1"));
    let other = json!({"id": "pm_1", "type": "card", "card": {"last4": "1111"}});
    assert_eq!(prepared(&response(200, &other)), Some(Outcome::Unknown));
    assert!(matches!(prepared(&problem(402, "card_declined")), Some(Outcome::Declined(Decline::Soft, _))));
    assert!(matches!(prepared(&problem(422, "validation_error")), Some(Outcome::Declined(Decline::InvalidData, _))));
    assert_eq!(prepared(&problem(429, "x")), Some(Outcome::NotSent));
    for answer in [response(200, &json!({})), response(200, &json!({"id": ""})), problem(503, "x"), problem(409, "x")] {
        assert_eq!(prepared(&answer), Some(Outcome::Unknown));
    }
}

#[test]
fn what_nobody_can_read_tells_nothing_and_no_secret_is_kept() {
    let (card, details) = (raw_card(), mailed());
    for text in ["", "<html>", "[]", "null", "{\"id\":", "{\"id\":7}"] {
        for status in [200, 400, 402, 404, 422, 500] {
            let answer = HttpResponse { status, body: text.as_bytes().to_vec() };
            assert_eq!(decoded(false, &answer), (Outcome::Unknown, None), "{status} {text}");
            let asked = intent(&card, &details);
            let told = (preparation().decode)(&asked, &answer).err();
            assert_eq!(told, Some(Outcome::Unknown), "{status} {text}");
        }
    }
    let answer = response(200, &json!({"id": METHOD, "default_payment_method_id": "pm_canary", "number": PAN}));
    let (outcome, _) = decoded(false, &answer);
    assert!(!format!("{outcome:?}").contains("canary") && !format!("{outcome:?}").contains(PAN));
}
