//! Each request to the letter, and what is refused before there is one.

use super::super::{STRIPE, minor, units};
use super::{KEY, REFERENCE, SECRET_KEY, account, credential, fields, intent, more, plain, response, stripe};
use crate::bank::{AccountNumber, BankAccount, BankType};
use crate::card::Secret;
use crate::gateways::{Adapter, Credential, Intent};
use crate::merchant::GatewayMode;
use crate::money::{Currency, Money};
use crate::payment::asked::{Address, Details, OnFile, RefundReason};
use crate::payment::tests::fixtures::{card_of, cents, known, method_id, place, raw_card};
use crate::payment::{Instrument, Kind};
use crate::ports::Method;
use crate::rejection::Rejection;

use serde_json::json;

fn stored(token: &str, gateway_type: Option<&str>) -> Instrument {
    Instrument::Stored(OnFile {
        token: Some(Secret::new(token.to_owned())),
        gateway_type: gateway_type.map(str::to_owned),
        ..OnFile::unopened(method_id())
    })
}

fn capture() -> Kind {
    Kind::Capture { authorization: place(0), is_final: false }
}

fn reverse() -> Kind {
    Kind::Reverse { authorization: place(0) }
}

fn refund(reason: Option<RefundReason>) -> Kind {
    Kind::Refund { payment: place(0), reason }
}

fn check_posted(
    credential: &Credential,
    kind: &Kind,
    instrument: Option<&Instrument>,
    details: &Details,
    path: &str,
    expected: &[(&str, &str)],
) {
    for duplicate in [false, true] {
        let intent = Intent { duplicate, ..intent(kind, instrument, details) };
        let request = (STRIPE.send.encode)(&intent, &account(&stripe(), credential));
        assert_eq!(
            (request.method, request.url.as_str()),
            (Method::Post, format!("https://gateway.test/{path}").as_str())
        );
        let headers = [
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("authorization", format!("Bearer {SECRET_KEY}")),
            ("idempotency-key", KEY.to_owned()),
        ];
        assert_eq!(request.headers, headers);
        let expected: Vec<_> = expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(fields(&request), expected, "{kind:?}");
    }
}

/// What every opening says.
fn opening<'a>(capture_method: &'a str, rest: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let head = [
        ("amount", "12050"),
        ("currency", "usd"),
        ("capture_method", capture_method),
        ("confirm", "true"),
        ("metadata[reference]", REFERENCE),
        ("expand[]", "latest_charge"),
    ];
    head.into_iter().chain(rest.iter().copied()).collect()
}

#[test]
fn a_card_goes_out_whole_and_comes_back_where_its_payer_may() {
    let (plain, path) = (credential(&[]), "v1/payment_intents");
    let address = Address {
        street: Some("1-2-3 Kanda".to_owned()),
        city: Some("Tokyo".to_owned()),
        state: Some("東京都".to_owned()),
        country: Some("JP".to_owned()),
        postal_code: Some("101-0001".to_owned()),
        company_name: Some("Kanda Ltd".to_owned()),
    };
    let details = Details {
        email: Some("carol@example.com".to_owned()),
        phone: Some("+81 3".to_owned()),
        additional_data: more(&[("returnUrl", "https://shop.test/back?a=b"), ("customerId", "cus_1")]),
        ..Details::default()
    };
    let card = [
        ("payment_method_types[]", "card"),
        ("customer", "cus_1"),
        ("payment_method_data[type]", "card"),
        ("payment_method_data[card][number]", "4242424242424242"),
        ("payment_method_data[card][exp_month]", "12"),
        ("payment_method_data[card][exp_year]", "2030"),
        ("payment_method_data[card][cvc]", "123"),
        ("payment_method_data[billing_details][name]", "Carol Smith"),
        ("payment_method_data[billing_details][email]", "carol@example.com"),
        ("payment_method_data[billing_details][phone]", "+81 3"),
        ("payment_method_data[billing_details][address][line1]", "1-2-3 Kanda"),
        ("payment_method_data[billing_details][address][city]", "Tokyo"),
        ("payment_method_data[billing_details][address][state]", "東京都"),
        ("payment_method_data[billing_details][address][postal_code]", "101-0001"),
        ("payment_method_data[billing_details][address][country]", "JP"),
        ("return_url", "https://shop.test/back?a=b"),
    ];
    let whole = card_of("4242424242424242", "123", address);
    check_posted(&plain, &Kind::Authorize, Some(&whole), &details, path, &opening("manual", &card));
    check_posted(&plain, &Kind::Sale, Some(&whole), &details, path, &opening("automatic", &card));

    let mut bare = card_of("4242424242424242", "", Address { country: Some("Japan".to_owned()), ..Address::default() });
    if let Instrument::Card { card, .. } = &mut bare {
        card.holder = None;
    }
    let least = [
        ("payment_method_types[]", "card"),
        ("payment_method_data[type]", "card"),
        ("payment_method_data[card][number]", "4242424242424242"),
        ("payment_method_data[card][exp_month]", "12"),
        ("payment_method_data[card][exp_year]", "2030"),
        ("error_on_requires_action", "true"),
    ];
    // Whoever submits it: only a stored method is charged in its payer's absence.
    for submitted_by_merchant in [false, true] {
        let details = Details { submitted_by_merchant, ..Details::default() };
        check_posted(&plain, &Kind::Sale, Some(&bare), &details, path, &opening("automatic", &least));
    }
}

#[test]
fn a_stored_method_is_charged_with_its_customer_and_without_its_payer_where_the_merchant_does() {
    let (plain, path) = (credential(&[]), "v1/payment_intents");
    let rest = |customer: Option<&'static str>, kind, last| {
        let customer = customer.map(|customer| ("customer", customer));
        let types = ("payment_method_types[]", kind);
        [Some(types), customer, Some(("payment_method", "pm_1")), Some(last)].into_iter().flatten().collect::<Vec<_>>()
    };
    let present = ("error_on_requires_action", "true");
    let absent = Details {
        submitted_by_merchant: true,
        additional_data: more(&[("returnUrl", "https://shop.test")]),
        ..Details::default()
    };
    let named = Details { additional_data: more(&[("customerId", "cus_2")]), ..Details::default() };
    let none = Details::default();
    let rows = [
        (stored("cus_1/pm_1", None), &none, rest(Some("cus_1"), "card", present)),
        (stored("cus_1/pm_1", None), &absent, rest(Some("cus_1"), "card", ("off_session", "true"))),
        (stored("cus_1/pm_1", Some("sepa_debit")), &none, rest(Some("cus_1"), "sepa_debit", present)),
        (stored("pm_1", None), &named, rest(Some("cus_2"), "card", present)),
        (stored("pm_1", None), &none, rest(None, "card", present)),
    ];
    for (instrument, details, expected) in rows {
        check_posted(&plain, &Kind::Sale, Some(&instrument), details, path, &opening("automatic", &expected));
    }
    let alternative = Instrument::Alternative {
        token: Secret::new("pm_1".to_owned()),
        token_details: None,
        name: None,
        email: None,
        address: Address::default(),
    };
    let expected = opening("manual", &rest(None, "card", present));
    check_posted(&plain, &Kind::Authorize, Some(&alternative), &none, path, &expected);
}

#[test]
fn what_acts_on_an_intent_names_it_and_bears_its_own_reference() {
    let (plain, none) = (credential(&[]), Details::default());
    let named = [("amount_to_capture", "12050"), ("metadata[reference]", REFERENCE)];
    for is_final in [false, true] {
        let kind = Kind::Capture { authorization: place(0), is_final };
        check_posted(&plain, &kind, None, &none, "v1/payment_intents/pi_1/capture", &named);
    }
    check_posted(&plain, &reverse(), None, &none, "v1/payment_intents/pi_1/cancel", &[]);
    let (head, tail) = ([("payment_intent", "pi_1"), ("amount", "12050")], ("metadata[reference]", REFERENCE));
    for reason in
        [None, Some(RefundReason::Duplicate), Some(RefundReason::Fraudulent), Some(RefundReason::RequestedByCustomer)]
    {
        let reason_field = reason.map(|reason| ("reason", reason.literal()));
        let expected: Vec<_> = head.into_iter().chain(reason_field).chain([tail]).collect();
        check_posted(&plain, &refund(reason), None, &none, "v1/refunds", &expected);
    }
}

#[test]
fn localstripe_is_spared_what_it_does_not_know() {
    let (local, none) = (credential(&[("dialect", "localstripe")]), Details::default());
    let returning = Details { additional_data: more(&[("returnUrl", "https://shop.test")]), ..Details::default() };
    let rest = [("payment_method_types[]", "card"), ("customer", "cus_1"), ("payment_method", "pm_1")];
    for details in [&none, &returning] {
        let expected = opening("manual", &rest);
        let instrument = stored("cus_1/pm_1", None);
        check_posted(&local, &Kind::Authorize, Some(&instrument), details, "v1/payment_intents", &expected);
    }
    let captured = [("amount_to_capture", "12050")];
    check_posted(&local, &capture(), None, &none, "v1/payment_intents/pi_1/capture", &captured);
    let refunded = [("payment_intent", "pi_1"), ("amount", "12050"), ("metadata[reference]", REFERENCE)];
    check_posted(&local, &refund(Some(RefundReason::Duplicate)), None, &none, "v1/refunds", &refunded);
}

#[test]
fn questions_change_nothing() {
    let credential = credential(&[("apiVersion", "2024-06-20")]);
    let headers = [("authorization", format!("Bearer {SECRET_KEY}")), ("stripe-version", "2024-06-20".to_owned())];
    let gateway = stripe();
    let account = account(&gateway, &credential);
    let registered = Details { additional_data: more(&[("reference", "pi_2")]), ..Details::default() };
    let none = Details::default();
    let (_, look_up) = STRIPE.look_up.expect("it can be asked");
    let known = |reference| Some(known(reference));
    let post_authorize = Kind::PostAuthorize;
    let of_intent = "https://gateway.test/v1/payment_intents/pi_2?expand%5B%5D=latest_charge";
    let mut asked = vec![((STRIPE.send.encode)(&intent(&post_authorize, None, &registered), &account), of_intent)];
    for kind in [Kind::Authorize, Kind::Sale, Kind::PostAuthorize, capture(), reverse()] {
        let intent = Intent { known: known("pi_2"), ..intent(&kind, None, &none) };
        asked.push(((look_up.encode)(&intent, &account), of_intent));
    }
    let kind = refund(None);
    let intent = Intent { known: known("re_2"), ..intent(&kind, None, &none) };
    asked.push(((look_up.encode)(&intent, &account), "https://gateway.test/v1/refunds/re_2"));
    let check = STRIPE.check.expect("it can be checked");
    asked.push(((check.encode)(&account), "https://gateway.test/v1/balance"));
    for (request, url) in asked {
        assert_eq!((request.method, request.url.as_str(), request.body.len()), (Method::Get, url, 0));
        assert_eq!(request.headers, headers);
    }
}

#[test]
fn what_a_caller_says_stays_where_it_is_said() {
    let nasty = "a&b=c[d]%00\u{0}/../?#é\r\n";
    let details = Details {
        additional_data: more(&[("returnUrl", nasty), ("customerId", nasty), ("reference", nasty)]),
        ..Details::default()
    };
    let (plain_account, gateway) = (credential(&[]), stripe());
    let request =
        (STRIPE.send.encode)(&intent(&Kind::Sale, Some(&raw_card()), &details), &account(&gateway, &plain_account));
    let sent = fields(&request);
    for name in ["return_url", "customer"] {
        assert!(sent.contains(&(name.to_owned(), nasty.to_owned())), "{name}");
    }
    let request =
        (STRIPE.send.encode)(&intent(&Kind::PostAuthorize, None, &details), &account(&gateway, &plain_account));
    let id = request
        .url
        .strip_prefix("https://gateway.test/v1/payment_intents/")
        .and_then(|rest| rest.strip_suffix("?expand%5B%5D=latest_charge"));
    assert_eq!(id.map(plain).as_deref(), Some(nasty));
}

fn refused(intent: &Intent<'_>) -> Option<&'static str> {
    match (STRIPE.admits)(intent, &account(&stripe(), &credential(&[]))) {
        Ok(()) => None,
        Err(Rejection::NotAtGateway { member, .. }) => Some(member),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn what_stripe_does_not_do_is_refused_before_anything_is_stored() {
    let (none, card) = (Details::default(), raw_card());
    let account = BankAccount {
        number: AccountNumber::parse("DE89370400440532013000").expect("an account number"),
        bank_type: BankType::SepaDebit,
        bank_code: None,
        account_type: None,
        holder: None,
        holder_type: None,
        entry_class: None,
        mandate: None,
    };
    let bank = Instrument::Bank { account: Box::new(account), address: Address::default() };
    let of = |reference: &str| Details { additional_data: more(&[("reference", reference)]), ..Details::default() };
    let (named, nameless, strange) = (of("pi_1"), of(""), of("pi_1/capture"));
    let rows = [
        (Kind::Authorize, Some(&card), &none, None),
        (Kind::Sale, Some(&card), &none, None),
        (Kind::Sale, Some(&bank), &none, Some("paymentMethod")),
        (Kind::PostAuthorize, None, &named, None),
        (Kind::PostAuthorize, None, &none, Some("additionalData.reference")),
        (Kind::PostAuthorize, None, &nameless, Some("additionalData.reference")),
        (Kind::PostAuthorize, None, &strange, Some("additionalData.reference")),
        (capture(), None, &none, None),
        (reverse(), None, &none, None),
        (refund(None), None, &none, None),
    ];
    for (kind, instrument, details, expected) in rows {
        let whole = intent(&kind, instrument, details);
        assert_eq!(refused(&whole), expected, "{kind:?}");
        let in_part = Intent { amount: cents(12_049), ..whole };
        let of_part = if kind == reverse() { Some("amount") } else { expected };
        assert_eq!(refused(&in_part), of_part, "{kind:?} of a part");
        let of_nothing = Intent { target: None, ..in_part };
        let nameless = if kind.target().is_some() { Some("path") } else { expected };
        assert_eq!(refused(&of_nothing), nameless, "{kind:?} of nothing");
    }
}

#[test]
fn an_amount_has_the_units_that_stripe_counts_in() {
    let money = |minor, code| Money::new(minor, Currency::parse(code).expect("a currency"));
    let rows = [
        (12_050, "USD", Some(12_050)),
        (500, "JPY", Some(500)),
        (5, "ISK", Some(500)),
        (500, "MGA", Some(5)),
        (501, "MGA", None),
        (1_230, "KWD", Some(1_230)),
        (1_234, "KWD", None),
        (5, "UGX", None),
        (999_999_999_999, "IDR", Some(999_999_999_999)),
        (1_000_000_000_000, "IDR", None),
        (10_000_000_000, "ISK", None),
        (0, "USD", None),
        (i64::MAX, "JPY", None),
    ];
    let (details, card) = (Details::default(), raw_card());
    for (ours, code, expected) in rows {
        let intent = Intent { amount: money(ours, code), ..intent(&Kind::Sale, Some(&card), &details) };
        let member = if code == "UGX" { "currencyIsoCode" } else { "amount" };
        assert_eq!(refused(&intent), if expected.is_none() { Some(member) } else { None }, "{ours} {code}");
        if let Some(theirs) = expected {
            assert_eq!(units(intent.amount), Some(theirs));
            assert_eq!(minor(theirs, &code.to_lowercase()), Some(ours), "and back");
        }
    }
    for code in
        ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
    {
        let currency = Currency::parse(code).expect("a currency");
        let one = Money::new(10_i64.pow(currency.exponent()), currency);
        assert_eq!(units(one), Some(1), "{code} has no decimals at Stripe");
    }
    assert_eq!(minor(1, "xyz"), None);
}

#[test]
fn a_credential_has_a_secret_key_and_perhaps_a_version() {
    let fits = |name: &str, text: &str| {
        let member = STRIPE.credential.iter().find(|member| member.name == name).expect("a member");
        (member.fits)(text)
    };
    for key in ["sk_test_51abc", "sk_live_51abc", "rk_live_51abc", "sk_abc"] {
        assert!(fits("secretKey", key), "{key}");
    }
    for key in ["", "sk_", "pk_test_51abc", "sk_test_51 abc", "whsec_abc", "sk_test\r\nx"] {
        assert!(!fits("secretKey", key), "{key}");
    }
    for (version, is_one) in [
        ("2024-06-20", true),
        ("2026-10-28.endive", true),
        ("2026-10-28.", false),
        ("2026-10-28.Endive", false),
        ("2026-1-28", false),
        ("today", false),
        ("", false),
    ] {
        assert_eq!(fits("apiVersion", version), is_one, "{version}");
    }
    assert_eq!(Adapter::named("stripe").map(|adapter| adapter.name), Some("stripe"));
    assert_eq!((STRIPE.rate)(GatewayMode::Test), Some(25));
    assert_eq!([GatewayMode::Live, GatewayMode::Connected].map(STRIPE.rate), [Some(100), Some(100)]);
}

#[test]
fn an_account_works_if_it_may_read_its_balance() {
    let check = STRIPE.check.expect("it can be checked");
    let works = |status, body| (check.decode)(&response(status, &body));
    assert_eq!(works(200, json!({"object": "balance", "available": []})), Ok(Vec::new()));
    for (status, body) in
        [(200, json!({})), (200, json!({"object": "list"})), (401, json!({})), (403, json!({})), (500, json!({}))]
    {
        let why = works(status, body).expect_err("it does not work");
        assert!(!why.contains("sk_"), "{why}");
    }
}
