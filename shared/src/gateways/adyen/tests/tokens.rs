//! Storing a card, in both dialects.

use serde_json::json;

use super::*;
use crate::gateways::TokenIntent;
use crate::method;
use crate::payment::{Decline, Outcome};
use crate::rejection::Rejection;

const METHOD: &str = "03OKsJpvrFJpBxDAAA";
const TOKEN: &str = "KHQC5N7G84BLNK43";

fn token_intent<'a>(instrument: &'a Instrument, details: &'a method::Details) -> TokenIntent<'a> {
    TokenIntent {
        reference: METHOD.to_owned(),
        key: KEY.to_owned(),
        instrument,
        details,
        duplicate: false,
        prepared: None,
    }
}

fn asked(adapter: &Adapter, details: &method::Details) -> HttpRequest {
    let more: &[(&str, &str)] = if adapter.name == "adyen" { &[] } else { &[("tokenCurrency", "EUR")] };
    let (gateway, credential, card) = (gateway(adapter), credential(adapter, more), card());
    let exchange = adapter.tokenize.expect("it keeps methods");
    assert_eq!((exchange.admits)(&token_intent(&card, details), &account(&gateway, &credential)), Ok(()));
    (exchange.encode)(&token_intent(&card, details), &account(&gateway, &credential))
}

fn decoded(adapter: &Adapter, duplicate: bool, status: u16, body: &str) -> (Outcome, Option<String>) {
    let (card, details) = (card(), method::Details::default());
    let intent = TokenIntent { duplicate, ..token_intent(&card, &details) };
    let (outcome, token) = (adapter.tokenize.expect("it keeps methods").decode)(&intent, &response(status, body));
    let printed = format!("{outcome:?} {token:?}");
    assert!(!printed.contains(TOKEN) && !printed.contains("4242424242424242"), "{printed}");
    (outcome, token.map(|token| token.reveal().to_owned()))
}

#[test]
fn checkout_stores_a_card_under_the_method_itself() {
    let mut details = method::Details { email: Some("carol@shop.test".to_owned()), ..method::Details::default() };
    let request = asked(&CHECKOUT, &details);
    assert_eq!(request.url, "https://gateway.test/storedPaymentMethods");
    assert!(request.headers.contains(&("idempotency-key", KEY.to_owned())));
    let mut expected = json!({
        "merchantAccount": "KessaiCOM", "shopperReference": METHOD, "recurringProcessingModel": "CardOnFile",
        "shopperEmail": "carol@shop.test",
        "paymentMethod": {
            "type": "scheme", "number": "4242424242424242", "expiryMonth": "12", "expiryYear": "2030", "cvc": "123",
            "holderName": "Carol Smith",
        },
    });
    assert_eq!(body(&request), expected);
    details.saved_by_merchant = true;
    expected["recurringProcessingModel"] = json!("UnscheduledCardOnFile");
    assert_eq!(body(&asked(&CHECKOUT, &details)), expected);
    details.sender.additional_data = [("shopperReference".to_owned(), "shopper-1".to_owned())].into();
    expected["shopperReference"] = json!("shopper-1");
    assert_eq!(body(&asked(&CHECKOUT, &details)), expected);
}

#[test]
fn the_older_dialect_authorizes_nothing_under_a_contract() {
    let request = asked(&CLASSIC, &method::Details::default());
    assert_eq!(request.url, "https://gateway.test/authorise");
    let expected = json!({
        "merchantAccount": "KessaiCOM", "reference": METHOD, "shopperReference": METHOD,
        "amount": {"currency": "EUR", "value": 0}, "recurringProcessingModel": "CardOnFile",
        "shopperInteraction": "Ecommerce", "recurring": {"contract": "RECURRING"},
        "card": {"number": "4242424242424242", "expiryMonth": "12", "expiryYear": "2030", "cvc": "123", "holderName": "Carol Smith"},
    });
    assert_eq!(body(&request), expected);
}

#[test]
fn only_cards_are_stored_and_the_older_dialect_needs_a_currency() {
    let details = method::Details::default();
    let (card, stored) = (card(), crate::payment::tests::fixtures::stored_method());
    for (adapter, instrument, member) in [
        (&CHECKOUT, &stored, "paymentMethod"),
        (&CLASSIC, &stored, "paymentMethod"),
        (&CLASSIC, &card, "paymentGatewayId"),
    ] {
        let (gateway, credential) = (gateway(adapter), credential(adapter, &[]));
        let refused = (adapter.tokenize.expect("it keeps methods").admits)(
            &token_intent(instrument, &details),
            &account(&gateway, &credential),
        );
        assert!(matches!(refused, Err(Rejection::NotAtGateway { member: found, .. }) if found == member), "{member}");
    }
}

#[test]
fn checkout_answers_with_the_token() {
    let whole =
        json!({"id": TOKEN, "lastFour": "4242", "shopperReference": METHOD, "type": "scheme", "expiryYear": "2030"});
    let with = |name: &str, value: &str| {
        let mut body = whole.clone();
        body[name] = json!(value);
        body.to_string()
    };
    let error =
        |code: &str| json!({"status": 422, "errorCode": code, "message": "m", "errorType": "validation"}).to_string();
    let approved = || Outcome::Approved(Answer { code: Some("stored".to_owned()), ..Answer::default() });
    let invalid = |code: &str| {
        let text = |text: &str| Some(text.to_owned());
        let answer =
            Answer { code: text(code), description: text("m"), message: text("validation"), ..Answer::default() };
        Outcome::Declined(Decline::InvalidData, answer)
    };
    let rows = [
        (201, whole.to_string(), approved(), Some(TOKEN)),
        (201, json!({"id": TOKEN, "lastFour": "4242"}).to_string(), approved(), Some(TOKEN)),
        (201, json!({"id": TOKEN}).to_string(), Outcome::Unknown, None),
        (201, with("lastFour", "1111"), Outcome::Unknown, None),
        (201, with("shopperReference", "another"), Outcome::Unknown, None),
        (201, with("id", ""), Outcome::Unknown, None),
        (200, whole.to_string(), Outcome::Unknown, None),
        (422, error("101"), invalid("101"), None),
        (422, error("704"), Outcome::Unknown, None),
        (409, error("704"), Outcome::Unknown, None),
        (500, error("101"), Outcome::Unknown, None),
    ];
    for (status, body, outcome, token) in rows {
        for duplicate in [false, true] {
            let expected = (outcome.clone(), token.map(str::to_owned));
            assert_eq!(decoded(&CHECKOUT, duplicate, status, &body), expected, "{status} {body}");
        }
    }
    for body in unreadable(&whole.to_string()) {
        assert_eq!(decoded(&CHECKOUT, false, 201, &body), (Outcome::Unknown, None));
    }
}

#[test]
fn the_older_dialect_answers_with_the_token_or_leaves_it_to_a_notice() {
    let of =
        |code: &str, more: Value| json!({"pspReference": PSP, "resultCode": code, "additionalData": more}).to_string();
    let approved = || Outcome::Approved(said(PSP, "Authorised"));
    let rows = [
        (of("Authorised", json!({"tokenization.storedPaymentMethodId": TOKEN})), approved(), Some(TOKEN)),
        (of("Authorised", json!({"recurring.recurringDetailReference": TOKEN})), approved(), Some(TOKEN)),
        (of("Authorised", json!({})), Outcome::Accepted(said(PSP, "Authorised")), None),
        (of("Refused", json!({})), Outcome::Declined(Decline::Soft, said(PSP, "Refused")), None),
        (of("Authorised", json!({"merchantReference": "another"})), Outcome::Unknown, None),
    ];
    for (body, outcome, token) in rows {
        assert_eq!(decoded(&CLASSIC, false, 200, &body), (outcome, token.map(str::to_owned)), "{body}");
    }
    for body in unreadable(&of("Authorised", json!({}))) {
        assert_eq!(decoded(&CLASSIC, false, 200, &body), (Outcome::Unknown, None));
    }
}
