//! Every request to the letter, and what is not asked at all.

use serde_json::{Value, json};

use super::{ADAPTER, API_SECRET, DETAILS, REFERENCE, TOKEN, account, body, credential, intent, stored, target};
use crate::card::{CardType, Secret};
use crate::gateways::signatures::{self, PayeezyRequest};
use crate::gateways::{Credential, Intent, Known, Member};
use crate::money::{Currency, Money};
use crate::payment::asked::{Address, Details, RefundReason};
use crate::payment::tests::fixtures::{card_of, cents, gateway, known, place, raw_card};
use crate::payment::{Instrument, Kind};
use crate::ports::{HttpRequest, Method};
use crate::rejection::Rejection;

fn sent(intent: &Intent<'_>) -> HttpRequest {
    let (gateway, credential) = (gateway(&ADAPTER), credential(false));
    let account = account(&gateway, &credential);
    assert_eq!((ADAPTER.admits)(intent, &account), Ok(()), "{:?}", intent.kind);
    (ADAPTER.send.encode)(intent, &account)
}

fn check_sent(intent: &Intent<'_>, path: &str, expected: &Value) {
    let request = sent(intent);
    let url = format!("https://gateway.test/{path}");
    assert_eq!((request.method, request.url.as_str()), (Method::Post, url.as_str()), "{:?}", intent.kind);
    assert_eq!(body(&request), *expected, "{:?}", intent.kind);
}

fn with(mut whole: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().expect("an object") {
        whole[name] = value.clone();
    }
    whole
}

fn opening(transaction_type: &str, more: &Value) -> Value {
    let whole = json!({
        "merchant_ref": REFERENCE, "transaction_type": transaction_type, "amount": "12050", "currency_code": "USD",
        "reversal_id": REFERENCE,
    });
    with(whole, more)
}

#[test]
fn a_card_is_authorized_or_charged_with_what_it_needs() {
    let none = Details::default();
    let card = json!({"method": "credit_card", "credit_card": {
        "type": "Visa", "cardholder_name": "Carol Smith", "card_number": "4242424242424242", "exp_date": "1230",
        "cvv": "123",
    }});
    let raw = raw_card();
    check_sent(&intent(&Kind::Authorize, Some(&raw), &none), "transactions", &opening("authorize", &card));
    let purchase = with(card, &json!({"partial_redemption": "false"}));
    check_sent(&intent(&Kind::Sale, Some(&raw), &none), "transactions", &opening("purchase", &purchase));

    let address = Address {
        street: Some("12115 Lackland".to_owned()),
        city: Some("St. Louis".to_owned()),
        state: Some("MO".to_owned()),
        country: Some("US".to_owned()),
        postal_code: Some("63146".to_owned()),
        company_name: Some("Shop".to_owned()),
    };
    let mut whole = card_of("378282246310005", "1234", address);
    if let Instrument::Card { card, .. } = &mut whole {
        (card.card_type, card.holder, card.expiry.month) = (None, None, 1);
    }
    let expected = json!({
        "method": "credit_card",
        "credit_card": {
            "type": "American Express", "card_number": "378282246310005", "exp_date": "0130", "cvv": "1234",
        },
        "billing_address": {
            "street": "12115 Lackland", "city": "St. Louis", "state_province": "MO", "country": "US",
            "zip_postal_code": "63146",
        },
    });
    check_sent(&intent(&Kind::Authorize, Some(&whole), &none), "transactions", &opening("authorize", &expected));
}

#[test]
fn a_token_is_named_whole_and_says_who_started_the_payment() {
    let data: Value = serde_json::from_str(TOKEN).expect("JSON");
    let token = json!({"method": "token", "token": {"token_type": "FDToken", "token_data": data}});
    let (on_file, none) = (stored(TOKEN), Details::default());
    check_sent(&intent(&Kind::Authorize, Some(&on_file), &none), "transactions", &opening("authorize", &token));

    let brought = Instrument::Alternative {
        token: Secret::new(TOKEN.to_owned()),
        token_details: None,
        name: None,
        email: None,
        address: Address { city: Some("Bern".to_owned()), ..Address::default() },
    };
    let expected = with(token.clone(), &json!({"billing_address": {"city": "Bern"}}));
    check_sent(&intent(&Kind::Authorize, Some(&brought), &none), "transactions", &opening("authorize", &expected));

    let by_merchant = |members: &[(&str, &str)]| Details {
        submitted_by_merchant: true,
        additional_data: members.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        ..Details::default()
    };
    let unscheduled = json!({"sequence": "SUBSEQUENT", "initiator": "MERCHANT", "is_scheduled": "false"});
    let scheduled = json!({
        "sequence": "SUBSEQUENT", "initiator": "MERCHANT", "is_scheduled": "true",
        "cardbrand_original_transaction_id": "016150703802094",
    });
    let agreed = [("isScheduled", "true"), ("cardbrandOriginalTransactionId", "016150703802094")];
    for (details, said) in [(by_merchant(&[]), unscheduled), (by_merchant(&agreed), scheduled)] {
        let expected = with(token.clone(), &json!({"partial_redemption": "false", "stored_credentials": said}));
        check_sent(&intent(&Kind::Sale, Some(&on_file), &details), "transactions", &opening("purchase", &expected));
        let body = body(&sent(&intent(&Kind::Sale, Some(&raw_card()), &details)));
        assert_eq!(body.get("stored_credentials"), None, "a card that is not stored is charged by its payer");
    }
}

#[test]
fn what_acts_on_an_operation_names_it_by_both_its_names_and_how_it_was_made() {
    let none = Details::default();
    let kinds = [
        (Kind::Capture { authorization: place(0), is_final: false }, "capture"),
        (Kind::Capture { authorization: place(0), is_final: true }, "capture"),
        (Kind::Reverse { authorization: place(0) }, "void"),
        (Kind::Refund { payment: place(0), reason: Some(RefundReason::Duplicate) }, "refund"),
    ];
    let rows = [
        (DETAILS, "ET176427", "credit_card"),
        (r#"{"transaction_id":"ET176427 ","method":"token"}"#, "ET176427", "credit_card"),
        (r#"{"transaction_id":"69864710","method":"3ds"}"#, "69864710", "credit_card"),
        (r#"{"transaction_id":"69864710","method":"3DS"}"#, "69864710", "credit_card"),
        (r#"{"transaction_id":"69864710","method":"tele_check"}"#, "69864710", "tele_check"),
        (r#"{"transaction_id":"a/b?c","method":null}"#, "a%2Fb%3Fc", "credit_card"),
    ];
    for (kind, transaction_type) in &kinds {
        for (details, id, method) in rows {
            let intent = Intent { target: Some(target(details)), ..intent(kind, None, &none) };
            let expected = json!({
                "merchant_ref": REFERENCE, "transaction_type": transaction_type, "transaction_tag": "69601874",
                "method": method, "amount": "12050", "currency_code": "USD",
            });
            check_sent(&intent, &format!("transactions/{id}"), &expected);
        }
    }
}

#[test]
fn a_lost_opening_is_undone_by_the_name_that_it_was_sent_with() {
    let (gateway, credential, none) = (gateway(&ADAPTER), credential(false), Details::default());
    let (_, reversal) = ADAPTER.timeout_reversal.expect("an exchange");
    for kind in [Kind::Authorize, Kind::Sale] {
        let opening = body(&sent(&intent(&kind, Some(&raw_card()), &none)));
        // Nobody has the card any more.
        let request = (reversal.encode)(&intent(&kind, None, &none), &account(&gateway, &credential));
        let expected = json!({
            "transaction_type": "void", "method": "credit_card", "amount": "12050", "currency_code": "USD",
            "reversal_id": opening["reversal_id"],
        });
        assert_eq!((request.url.as_str(), body(&request)), ("https://gateway.test/transactions", expected));
    }
}

#[test]
fn every_request_is_signed_over_the_bytes_that_are_sent() {
    let holder = "Zoë Ångström 😀 \"quoted\"";
    let mut card = raw_card();
    if let Instrument::Card { card, .. } = &mut card {
        card.holder = Some(holder.to_owned());
    }
    let request = sent(&intent(&Kind::Sale, Some(&card), &Details::default()));
    assert_eq!(body(&request)["credit_card"]["cardholder_name"], holder);
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["content-type", "apikey", "token", "nonce", "timestamp", "authorization"]);
    let values: Vec<&str> = request.headers.iter().map(|(_, value)| value.as_str()).collect();
    let signed = PayeezyRequest {
        api_key: "key-of-the-account",
        nonce: "6057786719490086000",
        timestamp_ms: "1790000000000",
        token: "fdoa-merchant",
        payload: &request.body,
    };
    let authorization = signatures::payeezy(&signed, &Secret::new(API_SECRET.to_owned()));
    let PayeezyRequest { api_key, nonce, timestamp_ms, token, .. } = signed;
    assert_eq!(values, ["application/json", api_key, token, nonce, timestamp_ms, authorization.as_str()]);
}

#[test]
fn schemes_have_payeezys_names_and_two_are_not_taken() {
    let rows = [
        (CardType::AmericanExpress, Some("American Express")),
        (CardType::DinersClub, Some("Diners Club")),
        (CardType::Discover, Some("Discover")),
        (CardType::Jcb, Some("JCB")),
        (CardType::Maestro, None),
        (CardType::MasterCard, Some("Mastercard")),
        (CardType::UnionPay, None),
        (CardType::Visa, Some("Visa")),
    ];
    assert_eq!(rows.map(|(scheme, _)| scheme), CardType::ALL);
    let (gateway, credential, none) = (gateway(&ADAPTER), credential(false), Details::default());
    for (scheme, name) in rows {
        let mut card = raw_card();
        if let Instrument::Card { card, .. } = &mut card {
            card.card_type = Some(scheme);
        }
        let intent = intent(&Kind::Sale, Some(&card), &none);
        let is_admitted = (ADAPTER.admits)(&intent, &account(&gateway, &credential)).is_ok();
        assert_eq!(is_admitted, name.is_some(), "{scheme:?}");
        if let Some(name) = name {
            assert_eq!(body(&sent(&intent))["credit_card"]["type"], name);
        }
    }
}

#[test]
fn what_payeezy_does_not_do_is_refused_before_it_is_asked() {
    let (gateway, credential, none) = (gateway(&ADAPTER), credential(false), Details::default());
    let yen = Money::new(500, Currency::parse("JPY").expect("a currency"));
    let dinars = Money::new(1_500, Currency::parse("KWD").expect("a currency"));
    let (raw, bare) = (raw_card(), stored("2537446225198291"));
    let nameless = card_of("9999999999999995", "", Address::default());
    let nameless = match nameless {
        Instrument::Card { mut card, address } => {
            card.card_type = None;
            Instrument::Card { card, address }
        }
        other => other,
    };
    let reverse = Kind::Reverse { authorization: place(0) };
    let refund = Kind::Refund { payment: place(0), reason: None };
    let (part, unnamed, elsewhere) = (cents(12_049), known("69601874"), target(r#"{"id":"ET1"}"#));
    let on = |kind, target: Option<Known<'static>>| Intent { target, ..intent(kind, None, &none) };
    let rows = [
        (Intent { amount: yen, ..intent(&Kind::Sale, Some(&raw), &none) }, "currencyIsoCode"),
        (Intent { amount: dinars, ..on(&refund, Some(target(DETAILS))) }, "currencyIsoCode"),
        (intent(&Kind::PostAuthorize, None, &none), "paymentGatewayId"),
        (intent(&Kind::Sale, Some(&bare), &none), "paymentMethod"),
        (intent(&Kind::Sale, Some(&nameless), &none), "paymentMethod"),
        (intent(&Kind::Authorize, None, &none), "paymentMethod"),
        (Intent { amount: part, ..on(&reverse, Some(target(DETAILS))) }, "amount"),
        (on(&refund, None), "path"),
        (on(&refund, Some(unnamed)), "path"),
        (on(&reverse, Some(elsewhere)), "path"),
    ];
    for (intent, expected) in rows {
        let account = account(&gateway, &credential);
        let Err(Rejection::NotAtGateway { member, .. }) = (ADAPTER.admits)(&intent, &account) else {
            panic!("{:?} with {expected} is admitted", intent.kind)
        };
        assert_eq!(member, expected);
        // Asked all the same it is a request, not a panic.
        assert_eq!((ADAPTER.send.encode)(&intent, &account).method, Method::Post);
    }
}

#[test]
fn a_credential_has_three_plain_members_and_perhaps_a_fourth() {
    let rows = [("k", true), ("fdoa-a480ce", true), ("", false), ("a b", false), ("é", false), ("a\nb", false)];
    for Member { name, fits, .. } in ADAPTER.credential {
        for (text, expected) in rows {
            assert_eq!(fits(text), expected, "{name} {text}");
        }
        assert!(fits(&"x".repeat(128)) && !fits(&"x".repeat(129)));
    }
    let required: Vec<&str> =
        ADAPTER.credential.iter().filter(|member| member.is_required).map(|member| member.name).collect();
    assert_eq!(required, ["apiKey", "apiSecret", "token"]);
    assert!(Credential::of([].into(), ADAPTER.credential).is_err());
}
