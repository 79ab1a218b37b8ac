//! Bad requests to tokenize: each is refused with the name of its member, and nothing is kept.

use serde_json::{Value, json};

use super::{bank, card, tokenize};
use crate::harness::{CARD, Client, Kessai};

/// What is wrong, where, and what the refusal must name.
fn bad(client: &Client) -> Vec<(Value, &'static str)> {
    let mut both = card(client, "KEYED");
    both["bankPaymentMethod"] = bank(client, "KEYED")["bankPaymentMethod"].clone();
    let whole = vec![(json!({}), "cardPaymentMethod"), (json!([]), "body"), (both, "bankPaymentMethod")];
    [whole, bad_cards(client), bad_circumstances(client), bad_accounts(client)].concat()
}

/// A good card with one member replaced.
fn with(client: &Client, pointer: &str, value: Value, names: &'static str) -> (Value, &'static str) {
    let mut body = card(client, "KEYED");
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
    body.pointer_mut(parent).expect("its parent")[member] = value;
    (body, names)
}

fn long(count: usize) -> Value {
    json!("x".repeat(count))
}

fn bad_cards(client: &Client) -> Vec<(Value, &'static str)> {
    let with = |pointer: &str, value, names| with(client, pointer, value, names);
    let of_card = |member: &str, value, names| with(&format!("/cardPaymentMethod/{member}"), value, names);
    vec![
        with("/cardPaymentMethod", json!(CARD), "cardPaymentMethod"),
        with("/cardPaymentMethod", json!({}), "cardPaymentMethod.cardCategory"),
        of_card("cardNumber", Value::Null, "cardPaymentMethod.cardNumber"),
        of_card("cardNumber", json!("4242424242424241"), "cardPaymentMethod.cardNumber"),
        of_card("cardNumber", json!("42424242424"), "cardPaymentMethod.cardNumber"),
        of_card("cardNumber", json!("42424242424242424242"), "cardPaymentMethod.cardNumber"),
        of_card("cardNumber", json!("4242-4242-4242-4242"), "cardPaymentMethod.cardNumber"),
        of_card("cardNumber", json!(4242424242424242_u64), "cardPaymentMethod.cardNumber"),
        of_card("cardNumber", json!([CARD]), "cardPaymentMethod.cardNumber"),
        of_card("expiryMonth", Value::Null, "cardPaymentMethod.expiryMonth"),
        of_card("expiryMonth", json!(0), "cardPaymentMethod.expiryMonth"),
        of_card("expiryMonth", json!(13), "cardPaymentMethod.expiryMonth"),
        of_card("expiryMonth", json!("May"), "cardPaymentMethod.expiryMonth"),
        of_card("expiryMonth", json!(5.5), "cardPaymentMethod.expiryMonth"),
        of_card("expiryYear", json!(""), "cardPaymentMethod.expiryYear"),
        of_card("expiryYear", json!(30), "cardPaymentMethod.expiryYear"),
        of_card("expiryYear", json!(2001), "cardPaymentMethod.expiryYear"),
        of_card("expiryYear", json!(2098), "cardPaymentMethod.expiryYear"),
        of_card("startMonth", json!(13), "cardPaymentMethod.startMonth"),
        of_card("startYear", json!("x"), "cardPaymentMethod.startYear"),
        of_card("cvv", json!("12"), "cardPaymentMethod.cvv"),
        of_card("cvv", json!("12345"), "cardPaymentMethod.cvv"),
        of_card("cvv", json!("abc"), "cardPaymentMethod.cvv"),
        of_card("cardType", Value::Null, "cardPaymentMethod.cardType"),
        of_card("cardType", json!("Viza"), "cardPaymentMethod.cardType"),
        of_card("cardType", json!("MasterCard"), "cardPaymentMethod.cardType"),
        of_card("cardCategory", Value::Null, "cardPaymentMethod.cardCategory"),
        of_card("cardCategory", json!("Prepaid"), "cardPaymentMethod.cardCategory"),
        of_card("cardHolderName", json!(""), "cardPaymentMethod.cardHolderName"),
        of_card("cardHolderName", long(256), "cardPaymentMethod.cardHolderName"),
        of_card("cardHolderFirstName", Value::Null, "cardPaymentMethod.cardHolderFirstName"),
        of_card("cardHolderFirstName", long(256), "cardPaymentMethod.cardHolderFirstName"),
        of_card("cardHolderLastName", json!(""), "cardPaymentMethod.cardHolderLastName"),
        of_card("cardHolderLastName", long(256), "cardPaymentMethod.cardHolderLastName"),
        of_card("nickName", long(256), "cardPaymentMethod.nickName"),
        of_card("email", long(81), "cardPaymentMethod.email"),
        of_card("comments", long(1001), "cardPaymentMethod.comments"),
        of_card("accountId", json!("no spaces"), "cardPaymentMethod.accountId"),
        of_card("autoPay", json!("often"), "cardPaymentMethod.autoPay"),
        of_card("pin", json!("1234"), "cardPaymentMethod.pin"),
    ]
}

fn bad_circumstances(client: &Client) -> Vec<(Value, &'static str)> {
    let with = |pointer: &str, value, names| with(client, pointer, value, names);
    vec![
        with("/address/street", long(256), "address.street"),
        with("/address/city", long(41), "address.city"),
        with("/address/state", long(81), "address.state"),
        with("/address/country", long(81), "address.country"),
        with("/address/postalCode", long(21), "address.postalCode"),
        with("/address/companyName", long(256), "address.companyName"),
        with("/address", json!("128 1st Street"), "address"),
        with("/paymentGatewayId", Value::Null, "paymentGatewayId"),
        with("/paymentGatewayId", json!("0b0000000000009"), "paymentGatewayId"),
        with("/savedByMerchant", json!("perhaps"), "savedByMerchant"),
        with("/email", long(81), "email"),
        with("/ipAddress", long(40), "ipAddress"),
        with("/macAddress", long(33), "macAddress"),
        with("/phone", long(41), "phone"),
        with("/additionalData", json!({ "1": "", "2": "", "3": "", "4": "", "5": "", "6": "" }), "additionalData"),
        with("/additionalData/key1", long(256), "additionalData.key1"),
        with("/amount", json!(1), "amount"),
        with("/gatewayToken", json!("tok"), "gatewayToken"),
        with("/idempotencyKey", long(256), "idempotencyKey"),
    ]
}

fn bad_accounts(client: &Client) -> Vec<(Value, &'static str)> {
    let of_bank = |member: &str, value: Value, names| {
        let mut body = bank(client, "KEYED");
        body["bankPaymentMethod"][member] = value;
        (body, names)
    };
    vec![
        of_bank("accountNumber", Value::Null, "bankPaymentMethod.accountNumber"),
        of_bank("accountNumber", json!("12-34"), "bankPaymentMethod.accountNumber"),
        of_bank("bankCode", json!("110000001"), "bankPaymentMethod.bankCode"),
        of_bank("bankType", Value::Null, "bankPaymentMethod.bankType"),
        of_bank("bankType", json!("SepaDebit"), "bankPaymentMethod.accountNumber"),
        of_bank("bankType", json!("Cheque"), "bankPaymentMethod.bankType"),
        of_bank("accountType", json!("Deposit"), "bankPaymentMethod.accountType"),
        of_bank("accountHolderType", json!("Company"), "bankPaymentMethod.accountHolderType"),
        of_bank("standardEntryClassCode", json!("Xyz"), "bankPaymentMethod.standardEntryClassCode"),
        of_bank("mandate", long(256), "bankPaymentMethod.mandate"),
        of_bank("cvv", json!("123"), "bankPaymentMethod.cvv"),
    ]
}

#[test]
fn a_bad_tokenization_is_refused_and_names_its_member() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let rows = bad(client);
    assert!(rows.len() >= 50, "{} rows", rows.len());
    for (index, (body, names)) in rows.into_iter().enumerate() {
        let reply = tokenize(client, &format!("bad {index}"), &body).expect(400);
        let message = reply.at("/0/message").to_string();
        assert!(message.contains(names), "row {index}: {message} names {names}");
        assert!(!message.contains("4242424242424") && !message.contains("123456789"), "row {index}: {message}");
    }
    let asked = client.control("GET", "SANDBOX_URL", "/keyed/operations?reference=x", &Value::Null);
    assert_eq!(asked.at("/operations"), json!([]));
    let listed = client.get("payment-methods?accountId=001000000000001AAA").expect(200);
    assert_eq!(listed.at("/paymentMethods"), json!([]), "nothing is kept");
}
