//! What is asked, and what is refused before it is asked.

use serde_json::{Value, json};

use super::{
    CAPTURE, KEY, KINDS, PAYMENT, REFUND, REVERSE, alternative, bank_details, credential, details, intent, name,
    payment_at_komoju, shop, with_account, yen,
};
use crate::gateways::komoju::KOMOJU;
use crate::gateways::{Account, Intent};
use crate::ids::Record;
use crate::money::{Currency, Money};
use crate::payment::asked::{Address, Details, OnFile};
use crate::payment::tests::fixtures::{START, card_of, method_id, raw_card, stored_method};
use crate::payment::{Instrument, Kind};
use crate::ports::{HttpRequest, Method};
use crate::rejection::Rejection;

fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

fn encoded(intent: &Intent<'_>) -> HttpRequest {
    with_account(|account| {
        assert_eq!((KOMOJU.admits)(intent, account), Ok(()), "{:?}", intent.kind);
        (KOMOJU.send.encode)(intent, account)
    })
}

fn check_posted(intent: &Intent<'_>, path: &str, expected: &Value) {
    let request = encoded(intent);
    assert_eq!((request.method, request.url.as_str()), (Method::Post, format!("https://gateway.test/{path}").as_str()));
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("authorization", "Basic c2tfMTIzNDU6".to_owned()),
        ("x-komoju-idempotency", KEY.to_owned()),
    ];
    assert_eq!(request.headers, headers);
    assert_eq!(&body(&request), expected);
}

/// What opens a payment, paid with this.
fn check_opened(kind: &Kind, instrument: &Instrument, details: &Details, more: &Value) {
    let reference = name(kind.record(), 0);
    let mut expected = json!({
        "amount": 1_000, "currency": "JPY", "capture": *kind == Kind::Sale,
        "external_order_num": reference, "metadata": {"reference": reference},
    });
    for (name, value) in more.as_object().expect("an object") {
        expected[name] = value.clone();
    }
    check_posted(&Intent { instrument: Some(instrument), ..intent(kind, details) }, "payments", &expected);
}

#[test]
fn a_card_is_charged_or_held() {
    let none = Details::default();
    let card = json!({"payment_details": {
        "type": "credit_card", "number": "4242424242424242", "month": 12, "year": 2030, "verification_value": "123",
        "name": "Carol Smith",
    }});
    check_opened(&Kind::Sale, &raw_card(), &none, &card);
    check_opened(&Kind::Authorize, &raw_card(), &none, &card);

    let mut bare = card_of("4242424242424242", "", Address::default());
    if let Instrument::Card { card, .. } = &mut bare {
        card.holder = None;
    }
    let least = json!({"type": "credit_card", "number": "4242424242424242", "month": 12, "year": 2030});
    check_opened(&Kind::Sale, &bare, &none, &json!({"payment_details": least}));

    let said = Details {
        email: Some("carol@example.com".to_owned()),
        ip_address: Some("203.0.113.7".to_owned()),
        submitted_by_merchant: true,
        ..details(&[("schemeReference", "MCC123"), ("returnUrl", "https://shop.example/back")])
    };
    let mut whole = least.clone();
    whole["email"] = json!("carol@example.com");
    whole["initiator"] = json!("merchant");
    whole["usage"] = json!("used");
    whole["scheme_reference"] = json!("MCC123");
    let expected = json!({
        "payment_details": whole, "return_url": "https://shop.example/back",
        "fraud_details": {"customer_ip": "203.0.113.7", "customer_email": "carol@example.com"},
    });
    check_opened(&Kind::Sale, &bare, &said, &expected);
    let by_payer = details(&[("schemeReference", "MCC123")]);
    check_opened(&Kind::Sale, &bare, &by_payer, &json!({"payment_details": least}));
}

#[test]
fn a_stored_card_is_a_customer_and_nothing_beside() {
    let by_merchant = Details { submitted_by_merchant: true, ..Details::default() };
    for details in [Details::default(), by_merchant] {
        check_opened(&Kind::Authorize, &stored_method(), &details, &json!({"customer": "tok_1"}));
        check_opened(&Kind::Sale, &stored_method(), &details, &json!({"customer": "tok_1"}));
    }
}

#[test]
fn a_token_of_a_browser_stands_for_its_details() {
    let token = json!({"payment_details": "tok_of_a_browser"});
    check_opened(&Kind::Sale, &alternative(None), &Details::default(), &token);
    check_opened(&Kind::Authorize, &alternative(None), &Details::default(), &token);
}

#[test]
fn what_is_paid_elsewhere_goes_with_what_its_type_needs() {
    let konbini = Details {
        phone: Some("08011112222".to_owned()),
        ..details(&[("paymentMethodType", "konbini"), ("store", "lawson")])
    };
    let expected = json!({"type": "konbini", "store": "lawson", "email": "taro@example.com", "phone": "08011112222"});
    check_opened(&Kind::Sale, &alternative(Some("taro@example.com")), &konbini, &json!({"payment_details": expected}));

    let payer =
        [("givenName", "太郎"), ("familyName", "山田"), ("givenNameKana", "タロウ"), ("familyNameKana", "ヤマダ")];
    for kind in ["bank_transfer", "pay_easy"] {
        let said: Vec<_> = payer.into_iter().chain([("paymentMethodType", kind)]).collect();
        let said = Details {
            phone: Some("08011112222".to_owned()),
            email: Some("taro@example.com".to_owned()),
            ..details(&said)
        };
        let expected = json!({
            "type": kind, "email": "taro@example.com", "phone": "08011112222", "given_name": "太郎",
            "family_name": "山田", "given_name_kana": "タロウ", "family_name_kana": "ヤマダ",
        });
        check_opened(&Kind::Sale, &alternative(None), &said, &json!({"payment_details": expected}));
    }

    let wallet = details(&[("paymentMethodType", "paypay"), ("returnUrl", "https://shop.example/back")]);
    let expected = json!({
        "payment_details": {"type": "paypay", "name": "Taro Yamada"}, "return_url": "https://shop.example/back",
    });
    check_opened(&Kind::Sale, &alternative(None), &wallet, &expected);
}

#[test]
fn what_follows_acts_on_the_payment() {
    let none = Details::default();
    let part = |kind| Intent { amount: yen(400), ..intent(kind, &none) };
    let path = |path: &str| format!("payments/{PAYMENT}/{path}");
    check_posted(&intent(&CAPTURE, &none), &path("capture"), &json!({"amount": 1_000}));
    check_posted(&part(&CAPTURE), &path("capture"), &json!({"amount": 400}));
    check_posted(&intent(&REVERSE, &none), &path("cancel"), &json!({}));
    let refund = json!({"amount": 400, "description": name(Record::Refund, 1)});
    check_posted(&part(&REFUND), &path("refund"), &refund);
}

#[test]
fn what_was_paid_at_a_store_or_a_bank_is_refunded_by_bank() {
    let said = bank_details();
    let expected = json!({
        "amount": 1_000, "customer_name": "ｻｲﾄｳ ﾏｻﾋﾛ", "bank_name": "サンプル銀行", "branch_number": "100",
        "account_type": "normal", "account_number": "0012345", "include_payment_method_fee": false,
        "description": name(Record::Refund, 1),
    });
    let path = format!("payments/{PAYMENT}/refund_request");
    for kind in ["konbini", "bank_transfer", "pay_easy", "web_money"] {
        let of_type = json!({"type": kind}).to_string();
        let target = Some(payment_at_komoju(Some(&of_type)));
        check_posted(&Intent { target, ..intent(&REFUND, &said) }, &path, &expected);
    }
    let mut whole = bank_details();
    for (member, text) in [("bankCode", "0900"), ("branchName", "本店"), ("includePaymentMethodFee", "true")] {
        whole.additional_data.insert(member.to_owned(), text.to_owned());
    }
    let mut expected = expected;
    expected["bank_code"] = json!("0900");
    expected["branch_name"] = json!("本店");
    expected["include_payment_method_fee"] = json!(true);
    let target = Some(payment_at_komoju(Some(r#"{"type":"konbini"}"#)));
    check_posted(&Intent { target, ..intent(&REFUND, &whole) }, &path, &expected);
}

#[test]
fn a_payment_is_looked_up_by_its_id_and_a_browsers_is_read() {
    let (_, look_up) = KOMOJU.look_up.expect("it can be asked");
    let headers =
        [("authorization", "Basic c2tfMTIzNDU6".to_owned()), ("x-komoju-api-version", "2025-01-28".to_owned())];
    let (gateway, known) = (shop(), credential(&[("secretKey", "sk_12345"), ("apiVersion", "2025-01-28")]));
    let account = Account { gateway: &gateway, credential: &known, now: START, nonce: 1 };
    let said = details(&[("reference", PAYMENT)]);
    let asked = |request: HttpRequest| {
        let url = format!("https://gateway.test/payments/{PAYMENT}");
        assert_eq!((request.method, request.url, request.body.len()), (Method::Get, url, 0));
        assert_eq!(request.headers, headers);
    };
    for kind in &KINDS {
        let known = kind.target().is_none().then(|| payment_at_komoju(None));
        asked((look_up.encode)(&Intent { known, ..intent(kind, &said) }, &account));
    }
    let registered = intent(&Kind::PostAuthorize, &said);
    assert_eq!((KOMOJU.admits)(&registered, &account), Ok(()));
    asked((KOMOJU.send.encode)(&registered, &account));

    let elsewhere = details(&[("reference", "a/../b?c#d")]);
    let request = (KOMOJU.send.encode)(&intent(&Kind::PostAuthorize, &elsewhere), &account);
    assert_eq!(request.url, "https://gateway.test/payments/a%2F..%2Fb%3Fc%23d");
}

#[test]
fn what_komoju_does_not_do_is_refused_by_the_member_that_asks_it() {
    let none = Details::default();
    let paid = |instrument, details| Intent { instrument: Some(instrument), ..intent(&Kind::Sale, details) };
    let (card, token, mail) = (raw_card(), alternative(None), alternative(Some("taro@example.com")));
    let unopened = Instrument::Stored(OnFile::unopened(method_id()));
    let of = |kind| details(&[("paymentMethodType", kind)]);
    let (konbini, transfer, paypay) = (of("konbini"), of("bank_transfer"), of("paypay"));
    let (as_card, as_path) = (of("credit_card"), of("../x"));
    let store = details(&[("paymentMethodType", "konbini"), ("store", "lawson")]);
    let payer = details(&[
        ("paymentMethodType", "pay_easy"),
        ("givenName", "太郎"),
        ("familyName", "山田"),
        ("givenNameKana", "タロウ"),
        ("familyNameKana", "ヤマダ"),
    ]);
    let no_number = {
        let mut said = bank_details();
        said.additional_data.remove("accountNumber");
        said
    };
    let at_store = Some(payment_at_komoju(Some(r#"{"type":"konbini"}"#)));
    let shillings = Money::new(1_000, Currency::parse("KES").expect("a currency"));
    let rows = [
        (Intent { amount: shillings, ..paid(&card, &none) }, "currencyIsoCode"),
        (Intent { amount: shillings, ..intent(&CAPTURE, &none) }, "currencyIsoCode"),
        (intent(&Kind::Sale, &none), "paymentMethod"),
        (paid(&unopened, &none), "paymentMethod"),
        (paid(&mail, &as_card), "additionalData"),
        (paid(&mail, &as_path), "additionalData"),
        (Intent { kind: &Kind::Authorize, ..paid(&mail, &store) }, "paymentMethod"),
        (Intent { kind: &Kind::Authorize, ..paid(&mail, &paypay) }, "paymentMethod"),
        (paid(&token, &store), "email"),
        (paid(&mail, &konbini), "additionalData"),
        (paid(&mail, &transfer), "additionalData"),
        (paid(&mail, &payer), "phone"),
        (intent(&Kind::PostAuthorize, &none), "additionalData"),
        (Intent { amount: yen(999), ..intent(&REVERSE, &none) }, "amount"),
        (Intent { target: at_store, ..intent(&REFUND, &none) }, "additionalData"),
        (Intent { target: at_store, ..intent(&REFUND, &no_number) }, "additionalData"),
    ];
    for (place, (asked, expected)) in rows.iter().enumerate() {
        match with_account(|account| (KOMOJU.admits)(asked, account)) {
            Err(Rejection::NotAtGateway { member, .. }) => assert_eq!(member, *expected, "row {place}"),
            taken => panic!("row {place}: {taken:?}"),
        }
    }
}

/// Whatever is asked, a request comes of it: what cannot be sent was refused before.
#[test]
fn nothing_that_is_asked_makes_it_stumble() {
    let instruments = [None, Some(raw_card()), Some(stored_method()), Some(alternative(None))];
    let known = [None, Some(payment_at_komoju(Some("not JSON"))), Some(payment_at_komoju(None))];
    let members = ["paymentMethodType", "store", "reference", "accountNumber", "returnUrl", "schemeReference"];
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut said = Details { submitted_by_merchant: random.bool(), ..Details::default() };
        for member in members {
            let length = random.usize(..40);
            let text: String = std::iter::repeat_with(|| random.char(..)).take(length).collect();
            if random.bool() {
                continue;
            }
            said.additional_data.insert(member.to_owned(), text);
        }
        let kind = &KINDS[random.usize(..KINDS.len())];
        let asked = Intent {
            amount: yen(random.i64(..)),
            target: known[random.usize(..known.len())],
            known: known[random.usize(..known.len())],
            instrument: instruments[random.usize(..instruments.len())].as_ref(),
            ..intent(kind, &said)
        };
        let request = with_account(|account| (KOMOJU.send.encode)(&asked, account));
        assert!(request.url.starts_with("https://gateway.test/payments"), "seed {seed}: {}", request.url);
        assert_eq!(request.body.is_empty(), *kind == Kind::PostAuthorize, "seed {seed}");
        if !request.body.is_empty() {
            assert!(body(&request).is_object(), "seed {seed}");
        }
    }
}

#[test]
fn an_account_is_known_by_its_secret_key_and_a_version_if_it_likes() {
    let fits =
        |name: &str, text: &str| KOMOJU.credential.iter().any(|member| member.name == name && (member.fits)(text));
    let rows = [
        ("secretKey", "sk_12345", true),
        ("secretKey", "pk_123", false),
        ("secretKey", "sk:123", false),
        ("secretKey", "sk 123", false),
        ("secretKey", "", false),
        ("apiVersion", "2025-01-28", true),
        ("apiVersion", "2025-1-28", false),
        ("apiVersion", "2025/01/28", false),
        ("apiVersion", "2025-01-2x", false),
    ];
    for (name, text, expected) in rows {
        assert_eq!(fits(name, text), expected, "{name} {text}");
    }
}
