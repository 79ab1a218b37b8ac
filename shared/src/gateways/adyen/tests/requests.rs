//! Every request, to the letter; and what is not sent.

use serde_json::{Value, json};

use super::*;
use crate::gateways::adyen::amount::{Amount, decimals};
use crate::money::{Currency, Money};
use crate::payment::asked::{OnFile, RefundReason};
use crate::payment::tests::fixtures::{method_id, stored_method};
use crate::ports::Method;
use crate::rejection::Rejection;

const BACK: &str = "https://shop.test/back";

fn check_sent(adapter: &Adapter, intent: &Intent<'_>, path: &str, expected: &Value) {
    let request = sent(adapter, intent, &[]);
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("x-api-key", API_KEY.to_owned()),
        ("idempotency-key", KEY.to_owned()),
    ];
    assert_eq!(request.headers, headers);
    assert_eq!((request.method, request.url), (Method::Post, format!("https://gateway.test/{path}")));
    let mut expected = expected.clone();
    expected["merchantAccount"] = json!("KessaiCOM");
    expected["reference"] = json!(intent.reference);
    assert_eq!(serde_json::from_slice::<Value>(&request.body).ok(), Some(expected.clone()), "{path}");
    let other = card();
    let again = super::intent(intent.kind, &other, intent.details);
    let again = Intent { duplicate: true, instrument: intent.instrument, ..again };
    assert_eq!(body(&sent(adapter, &again, &[])), expected, "the same whether it was asked before or not");
}

fn usd() -> Value {
    json!({"currency": "USD", "value": 12_050})
}

#[test]
fn checkout_is_asked_to_pay_by_card_and_by_stored_method() {
    let back = details(&[("returnUrl", BACK)]);
    let plain = json!({
        "amount": usd(), "returnUrl": BACK, "shopperInteraction": "Ecommerce",
        "paymentMethod": {
            "type": "scheme", "number": "4242424242424242", "expiryMonth": "12", "expiryYear": "2030", "cvc": "123",
            "holderName": "Carol Smith",
        },
    });
    let mut hold = plain.clone();
    hold["additionalData"] = json!({"manualCapture": "true"});
    check_sent(&CHECKOUT, &intent(&Kind::Authorize, &card(), &back), "payments", &hold);
    let mut sale = plain;
    sale["captureDelayHours"] = json!(0);
    check_sent(&CHECKOUT, &intent(&Kind::Sale, &card(), &back), "payments", &sale);

    let stored = json!({
        "amount": usd(), "returnUrl": BACK, "shopperInteraction": "ContAuth", "recurringProcessingModel": "CardOnFile",
        "shopperReference": method_id().to_string(), "captureDelayHours": 0,
        "paymentMethod": {"type": "scheme", "storedPaymentMethodId": "tok_1"},
    });
    check_sent(&CHECKOUT, &intent(&Kind::Sale, &stored_method(), &back), "payments", &stored);
}

#[test]
fn who_is_absent_is_charged_by_the_merchant() {
    let absent = Details { submitted_by_merchant: true, ..Details::default() };
    let of = |details: &Details, instrument: &Instrument| {
        body(&sent(&CHECKOUT, &intent(&Kind::Sale, instrument, details), &[]))
    };
    let sent = of(&absent, &stored_method());
    assert_eq!(
        (&sent["shopperInteraction"], &sent["recurringProcessingModel"]),
        (&json!("ContAuth"), &json!("UnscheduledCardOnFile"))
    );
    assert_eq!(sent["returnUrl"], "https://gateway.test", "nobody comes back");
    let said = Details {
        submitted_by_merchant: true,
        ..details(&[("recurringProcessingModel", "Subscription"), ("shopperReference", "shopper-1")])
    };
    let sent = of(&said, &stored_method());
    assert_eq!(
        (&sent["recurringProcessingModel"], &sent["shopperReference"]),
        (&json!("Subscription"), &json!("shopper-1"))
    );
    assert_eq!(of(&absent, &card())["shopperInteraction"], "ContAuth");
}

#[test]
fn the_payment_methods_type_is_what_was_set_up() {
    let wallet = Instrument::Stored(OnFile {
        token: Some(Secret::new("tok_1".to_owned())),
        gateway_type: Some("paypal".to_owned()),
        ..OnFile::unopened(method_id())
    });
    let sent = body(&sent(&CHECKOUT, &intent(&Kind::Sale, &wallet, &Details::default()), &[]));
    assert_eq!(sent["paymentMethod"], json!({"type": "paypal", "storedPaymentMethodId": "tok_1"}));
}

#[test]
fn the_payer_comes_back_where_the_request_says_or_else_the_account() {
    let usual = [("returnUrl", "https://shop.test/usual")];
    for (said, expected) in [(details(&[("returnUrl", BACK)]), BACK), (Details::default(), usual[0].1)] {
        let sent = body(&sent(&CHECKOUT, &intent(&Kind::Sale, &card(), &said), &usual));
        assert_eq!(sent["returnUrl"], expected);
    }
}

#[test]
fn checkout_is_asked_to_act_on_the_payment_that_was_opened() {
    let none = Details::default();
    let amount = json!({"amount": usd()});
    let [_, _, capture, reverse, refund] = kinds();
    check_sent(&CHECKOUT, &intent(&capture, &card(), &none), &format!("payments/{PSP}/captures"), &amount);
    check_sent(&CHECKOUT, &intent(&reverse, &card(), &none), &format!("payments/{PSP}/cancels"), &json!({}));
    check_sent(&CHECKOUT, &intent(&refund, &card(), &none), &format!("payments/{PSP}/refunds"), &amount);
    let reasons = [
        (RefundReason::Duplicate, "DUPLICATE"),
        (RefundReason::Fraudulent, "FRAUD"),
        (RefundReason::RequestedByCustomer, "CUSTOMER REQUEST"),
    ];
    for (reason, literal) in reasons {
        let refund = Kind::Refund { payment: Ordinal::FIRST, reason: Some(reason) };
        let expected = json!({"amount": usd(), "merchantRefundReason": literal});
        check_sent(&CHECKOUT, &intent(&refund, &card(), &none), &format!("payments/{PSP}/refunds"), &expected);
    }
    let other = card();
    let strange = Intent { opening: Some(known("a/b?c")), ..intent(&capture, &other, &none) };
    assert_eq!(sent(&CHECKOUT, &strange, &[]).url, "https://gateway.test/payments/a%2Fb%3Fc/captures");
}

#[test]
fn the_older_dialect_is_asked_the_same_in_its_words() {
    let none = Details::default();
    let card_body = json!({"number": "4242424242424242", "expiryMonth": "12", "expiryYear": "2030", "cvc": "123", "holderName": "Carol Smith"});
    let hold = json!({
        "amount": usd(), "card": card_body, "shopperInteraction": "Ecommerce", "additionalData": {"manualCapture": "true"},
    });
    check_sent(&CLASSIC, &intent(&Kind::Authorize, &card(), &none), "authorise", &hold);
    let sale = json!({"amount": usd(), "card": card_body, "shopperInteraction": "Ecommerce", "captureDelayHours": 0});
    check_sent(&CLASSIC, &intent(&Kind::Sale, &card(), &none), "authorise", &sale);
    let stored = json!({
        "amount": usd(), "shopperInteraction": "ContAuth", "recurringProcessingModel": "CardOnFile",
        "shopperReference": method_id().to_string(), "recurring": {"contract": "RECURRING"},
        "selectedRecurringDetailReference": "tok_1", "captureDelayHours": 0,
    });
    check_sent(&CLASSIC, &intent(&Kind::Sale, &stored_method(), &none), "authorise", &stored);
    let amount = json!({"originalReference": PSP, "modificationAmount": usd()});
    let [_, _, capture, reverse, refund] = kinds();
    check_sent(&CLASSIC, &intent(&capture, &card(), &none), "capture", &amount);
    check_sent(&CLASSIC, &intent(&reverse, &card(), &none), "cancel", &json!({"originalReference": PSP}));
    check_sent(&CLASSIC, &intent(&refund, &card(), &none), "refund", &amount);
}

#[test]
fn an_address_is_sent_whole_or_not_at_all() {
    let text = |text: &str| Some(text.to_owned());
    let whole = Address {
        street: text("415 Mission Street"),
        city: text("San Francisco"),
        state: text("CA"),
        country: text("US"),
        postal_code: text("94105"),
        company_name: text("Kessai"),
    };
    let abroad = Address { street: text("Keizersgracht 174a"), state: None, country: text("NL"), ..whole.clone() };
    let rows = [
        (whole.clone(), Some(("415", "Mission Street", json!("CA")))),
        (abroad.clone(), Some(("174a", "Keizersgracht", Value::Null))),
        (Address { state: text("North Holland"), ..abroad }, Some(("174a", "Keizersgracht", Value::Null))),
        (Address { state: text("California"), ..whole.clone() }, None),
        (Address { country: text("United States"), ..whole.clone() }, None),
        (Address { street: text("Mission Street"), ..whole.clone() }, None),
        (Address { city: text(" "), ..whole.clone() }, None),
        (Address { postal_code: None, ..whole }, None),
        (Address::default(), None),
    ];
    for (address, expected) in rows {
        let instrument = card_of("4242424242424242", "", address.clone());
        for adapter in BOTH {
            let sent = body(&sent(adapter, &intent(&Kind::Sale, &instrument, &Details::default()), &[]));
            let said = &sent["billingAddress"];
            let found = said
                .as_object()
                .map(|_| (&said["houseNumberOrName"], &said["street"], said["stateOrProvince"].clone()));
            let expected = expected.as_ref().map(|(house, street, state)| (json!(house), json!(street), state.clone()));
            assert_eq!(
                found.map(|(house, street, state)| (house.clone(), street.clone(), state)),
                expected,
                "{address:?}"
            );
        }
    }
}

#[test]
fn amounts_are_counted_as_adyen_counts_them_and_come_back() {
    let rows = [
        ("USD", 1_299, Some(1_299)),
        ("JPY", 500, Some(500)),
        ("BHD", 1_501, Some(1_501)),
        ("IDR", 150_000, Some(1_500)),
        ("IDR", 150_050, None),
        ("CVE", 100, Some(1)),
        ("CLP", 1_299, Some(129_900)),
        ("ISK", 12, Some(1_200)),
        ("BIF", 12, None),
        ("CLF", 12, None),
        ("CLP", i64::MAX, None),
    ];
    for (code, minor, value) in rows {
        let money = Money::new(minor, Currency::parse(code).expect("a currency"));
        let counted = Amount::of(money);
        assert_eq!(counted.as_ref().map(|amount| amount.value), value, "{code} {minor}");
        assert_eq!(counted.and_then(|amount| amount.minor()), value.map(|_| minor), "{code} {minor}");
    }
    let deviating = ["CVE", "IDR", "CLP", "ISK"];
    for first in b'A'..=b'Z' {
        for rest in 0..676_u16 {
            let letters =
                [first, b'A' + u8::try_from(rest / 26).expect("small"), b'A' + u8::try_from(rest % 26).expect("small")];
            let Some(currency) = Currency::parse(&String::from_utf8_lossy(&letters)) else { continue };
            let departs = decimals(currency).is_some_and(|theirs| theirs != currency.exponent());
            assert_eq!(departs, deviating.contains(&currency.code()), "{currency:?}");
        }
    }
}

#[test]
fn what_could_not_be_right_is_not_sent() {
    let back = details(&[("returnUrl", BACK)]);
    let money = |minor, code| Money::new(minor, Currency::parse(code).expect("a currency"));
    let [authorize, sale, capture, reverse, refund] = kinds();
    let alternative = Instrument::Alternative {
        token: Secret::new("t".to_owned()),
        token_details: None,
        name: None,
        email: None,
        address: Address::default(),
    };
    let (card, sealed) = (card(), Instrument::Stored(OnFile::unopened(method_id())));
    let post = Kind::PostAuthorize;
    let named = |name, text| details(&[("returnUrl", BACK), (name, text)]);
    let (shopper, model, url) = (
        named("shopperReference", "ab"),
        named("recurringProcessingModel", "Sometimes"),
        details(&[("returnUrl", "shop")]),
    );
    let base = |kind, details| intent(kind, &card, details);
    let rows = [
        (base(&authorize, &back), None),
        (base(&sale, &back), None),
        (base(&capture, &back), None),
        (base(&reverse, &back), None),
        (base(&refund, &back), None),
        (base(&post, &back), Some("paymentGatewayId")),
        (Intent { amount: money(150_050, "IDR"), ..base(&sale, &back) }, Some("amount")),
        (Intent { amount: money(100, "BIF"), ..base(&sale, &back) }, Some("currencyIsoCode")),
        (Intent { amount: cents(100), ..base(&reverse, &back) }, Some("amount")),
        (Intent { amount: cents(100), ..base(&capture, &back) }, None),
        (Intent { opening: None, ..base(&refund, &back) }, Some("id")),
        (Intent { opening: Some(known("")), ..base(&capture, &back) }, Some("id")),
        (Intent { instrument: Some(&alternative), ..base(&sale, &back) }, Some("paymentMethod")),
        (Intent { instrument: Some(&sealed), ..base(&sale, &back) }, Some("paymentMethod")),
        (Intent { instrument: None, ..base(&sale, &back) }, Some("paymentMethod")),
        (base(&sale, &shopper), Some("additionalData.shopperReference")),
        (base(&sale, &model), Some("additionalData.recurringProcessingModel")),
        (base(&sale, &url), Some("additionalData.returnUrl")),
    ];
    for (row, (intent, member)) in rows.iter().enumerate() {
        for adapter in BOTH {
            let (gateway, credential) = (gateway(adapter), credential(adapter, &[]));
            let refused = (adapter.admits)(intent, &account(&gateway, &credential)).err();
            let refused = refused.map(|refused| match refused {
                Rejection::NotAtGateway { member, .. } => member,
                other => panic!("{other}"),
            });
            let expected = member.filter(|member| adapter.name == "adyen" || *member != "additionalData.returnUrl");
            assert_eq!(refused, expected, "{} {row}", adapter.name);
        }
    }
}

#[test]
fn a_payer_who_may_be_asked_needs_a_way_back() {
    let (gateway, none) = (gateway(&CHECKOUT), Details::default());
    let absent = Details { submitted_by_merchant: true, ..Details::default() };
    let usual = [("returnUrl", BACK)];
    let rows: [(&Details, Members<'_>, bool); 3] = [(&none, &[], false), (&none, &usual, true), (&absent, &[], true)];
    for (details, more, admitted) in rows {
        let credential = credential(&CHECKOUT, more);
        let card = card();
        let taken = (CHECKOUT.admits)(&intent(&Kind::Sale, &card, details), &account(&gateway, &credential));
        assert_eq!(taken.is_ok(), admitted, "{more:?}");
    }
}

#[test]
fn an_account_is_checked_by_a_request_that_changes_nothing() {
    for (adapter, path, more) in [
        (&CHECKOUT, "paymentMethods", json!({})),
        (&CLASSIC, "getAuthenticationResult", json!({"pspReference": "0000000000000000"})),
    ] {
        let (gateway, credential) = (gateway(adapter), credential(adapter, &[]));
        let check = adapter.check.expect("it can be checked");
        let request = (check.encode)(&account(&gateway, &credential));
        assert_eq!(request.url, format!("https://gateway.test/{path}"));
        assert!(request.headers.contains(&("x-api-key", API_KEY.to_owned())));
        assert!(request.headers.iter().all(|(name, _)| *name != "idempotency-key"));
        let mut expected = more;
        expected["merchantAccount"] = json!("KessaiCOM");
        assert_eq!(body(&request), expected);
        let refused = r#"{"status":401,"errorCode":"000","message":"Unauthorized","errorType":"security"}"#;
        let why = (check.decode)(&response(401, refused)).expect_err("it is refused");
        assert_eq!(why, "HTTP 401, error 000: Unauthorized");
        for (status, strange) in [(200, "<html>"), (422, "<html>"), (500, ""), (404, "{}")] {
            let taken = (check.decode)(&response(status, strange));
            assert!(taken.is_err() || (adapter.name, status) == ("adyen-classic", 200), "{status} {strange}");
        }
    }
    let check = CHECKOUT.check.expect("it can be checked");
    let listed = r#"{"paymentMethods":[{"name":"Cards","type":"scheme"},{"type":"ideal"}]}"#;
    let offers = (check.decode)(&response(200, listed)).expect("it works");
    let offers: Vec<_> = offers.iter().map(|offer| (offer.name.as_str(), offer.label.as_str())).collect();
    assert_eq!(offers, [("scheme", "Cards"), ("ideal", "ideal")]);
    let wrong = r#"{"status":422,"errorCode":"167","message":"Original pspReference required for this operation","errorType":"validation"}"#;
    assert!(
        (CLASSIC.check.expect("it can be checked").decode)(&response(422, wrong)).is_ok_and(|offers| offers.is_empty())
    );
}
