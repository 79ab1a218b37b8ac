//! Cards: held, charged, kept, disputed, and given back to.

use kessai_shared::card::Secret;
use kessai_shared::gateways::TokenIntent;
use kessai_shared::gateways::komoju::KOMOJU;
use kessai_shared::ids::{MethodId, MethodKind, Record};
use kessai_shared::method;
use kessai_shared::payment::asked::{Details, OnFile};
use kessai_shared::payment::{Instrument, Kind};
use serde_json::json;

use super::{
    CAPTURE, REFUND, REVERSE, START_MS, World, alternative, card, details, heard, is, key, merchant, name, taken,
    told_by, visa, with_account,
};
use crate::models::{Act, Model, answered};

#[test]
fn a_hold_is_captured_in_part_and_given_back_bit_by_bit() {
    let (mut world, none) = (World::new(), Details::default());
    let held = world.open(&Kind::Authorize, 1_000, &visa(), &none);
    is(&held, "approved", "authorized");
    let hold = taken(&held, &Kind::Authorize, 1_000);
    let captured = world.act(&CAPTURE, 700, &hold, &none);
    is(&captured, "approved", "captured");
    let capture = taken(&captured, &CAPTURE, 700);
    let (capture_reference, hold_reference) = (capture.reference.clone(), hold.reference.clone());
    assert_eq!(capture_reference, hold_reference, "a capture goes by the payment");
    is(&world.act(&CAPTURE, 300, &hold, &none), "declined", "unprocessable_entity");
    is(&world.act(&REVERSE, 1_000, &hold, &none), "declined", "not_cancellable");
    is(&world.act(&REFUND, 300, &capture, &none), "approved", "refunded");
    is(&world.act(&REFUND, 401, &capture, &none), "declined", "not_refundable");
    is(&world.act(&REFUND, 400, &capture, &none), "approved", "refunded");
    is(&world.act(&REFUND, 1, &capture, &none), "declined", "not_refundable");

    let opening = name(Record::Authorization, 0);
    let (first, second) = (name(Record::Refund, 5), name(Record::Refund, 7));
    let expected = [
        (Act::Authorize, opening.clone(), 1_000),
        (Act::Capture, opening.clone(), 700),
        (Act::Refund, first.clone(), 300),
        (Act::Refund, second.clone(), 400),
    ];
    assert_eq!(world.effects(), expected);
    let both = [(opening.clone(), "approved"), (first.clone(), "approved"), (second, "approved")];
    let rows: Vec<_> =
        [(opening.clone(), "approved"), (opening.clone(), "approved"), (opening, "approved"), (first, "approved")]
            .into_iter()
            .chain(both.clone())
            .chain(both)
            .collect();
    assert_eq!(world.told(), heard(&rows));
    assert_eq!(world.told(), [], "each is told once");
}

#[test]
fn a_hold_is_cancelled_as_a_whole_and_a_sale_is_not() {
    let (mut world, none) = (World::new(), Details::default());
    let held = world.open(&Kind::Authorize, 1_000, &visa(), &none);
    let hold = taken(&held, &Kind::Authorize, 1_000);
    is(&world.act(&REVERSE, 1_000, &hold, &none), "approved", "cancelled");
    is(&world.look_up(&REVERSE, Some(&hold), &hold), "approved", "cancelled");
    is(&world.act(&REVERSE, 1_000, &hold, &none), "declined", "not_cancellable");
    is(&world.act(&CAPTURE, 1_000, &hold, &none), "declined", "unprocessable_entity");
    let opening = name(Record::Authorization, 0);
    assert_eq!(world.told(), heard(&[(opening.clone(), "approved")]), "the end of a hold is no verdict");
    assert_eq!(world.effects(), [(Act::Authorize, opening.clone(), 1_000), (Act::Reverse, opening, 1_000)]);

    let mut world = World::new();
    let sold = world.open(&Kind::Sale, 1_000, &visa(), &none);
    is(&sold, "approved", "captured");
    let sale = taken(&sold, &Kind::Sale, 1_000);
    is(&world.act(&REVERSE, 1_000, &sale, &none), "declined", "not_cancellable");
    is(&world.act(&REFUND, 1_000, &sale, &none), "approved", "refunded");
    is(&world.look_up(&Kind::Sale, None, &sale), "approved", "refunded");
}

#[test]
fn cards_and_amounts_say_how_it_ends() {
    let none = Details::default();
    let cards = [
        ("4123111111111000", "insufficient_funds"),
        ("4123111111111018", "card_declined"),
        ("4123111111111034", "bad_verification_value"),
        ("4123111111111042", "card_expired"),
        ("4123111111111059", "card_declined"),
        ("4123111111111075", "invalid_number"),
    ];
    for (number, expected) in cards {
        for kind in [Kind::Authorize, Kind::Sale] {
            is(&World::new().open(&kind, 1_000, &card(number), &none), "declined", expected);
        }
    }
    let amounts = [
        (9_001, "declined", "card_declined"),
        (9_002, "declined", "fraudulent"),
        (9_003, "declined", "insufficient_funds"),
        (9_004, "declined", "card_expired"),
        (9_005, "declined", "bad_verification_value"),
        (9_006, "declined", "fraudulent"),
        (9_007, "declined", "invalid_number"),
        (9_018, "accepted", "pending"),
        (9_022, "approved", "captured"),
    ];
    for (minor, outcome, expected) in amounts {
        let mut world = World::new();
        is(&world.open(&Kind::Sale, minor, &visa(), &none), outcome, expected);
        assert_eq!(world.effects().is_empty(), outcome != "approved", "{minor}");
    }
    for (minor, outcome, status) in [(9_018, "approved", "captured"), (9_019, "declined", "failed")] {
        let mut world = World::new();
        let sale = taken(&world.open(&Kind::Sale, minor, &visa(), &none), &Kind::Sale, minor);
        is(&world.look_up(&Kind::Sale, None, &sale), "accepted", "pending");
        assert_eq!(world.told(), heard(&[(name(Record::Payment, 0), outcome)]));
        world.pass(5_000);
        is(&world.look_up(&Kind::Sale, None, &sale), outcome, status);
    }
}

#[test]
fn a_dispute_is_a_chargeback_that_is_told_of_the_sale() {
    let (mut world, none) = (World::new(), Details::default());
    is(&world.open(&Kind::Sale, 9_023, &visa(), &none), "approved", "captured");
    let sale = name(Record::Payment, 0);
    let webhooks = world.model.webhooks(world.now_ms);
    let at: Vec<_> = webhooks.iter().map(|webhook| webhook.at_ms - START_MS).collect();
    assert_eq!(at, [100, 10_100, 10_100]);
    let told: Vec<_> = webhooks.iter().flat_map(|webhook| told_by(&webhook.headers, &webhook.body)).collect();
    let charged_back = [(sale.clone(), "approved"), (sale.clone(), "dispute.charged_back")];
    let rows: Vec<_> =
        [(sale.clone(), "approved")].into_iter().chain(charged_back.clone()).chain(charged_back).collect();
    assert_eq!(told, heard(&rows));
    world.pass(10_000);
    assert_eq!(world.effects(), [(Act::Sale, sale, 9_023)]);
}

#[test]
fn a_card_is_kept_as_a_customer_and_charged() {
    let mut world = World::new();
    let reference = MethodId::made_by(MethodKind::Card, &merchant(), &key("method")).to_string();
    let (instrument, said) = (visa(), method::Details::default());
    let asked = TokenIntent {
        reference: reference.clone(),
        key: "k".to_owned(),
        instrument: &instrument,
        details: &said,
        duplicate: false,
        prepared: None,
    };
    let exchange = KOMOJU.tokenize.expect("it keeps cards");
    let request = with_account(|account| (exchange.encode)(&asked, account));
    let (outcome, token) = (exchange.decode)(&asked, &answered(world.sent(&request)));
    is(&outcome, "approved", "created");
    let token = token.expect("a token");
    assert_eq!(world.told(), [(reference, "approved 25".to_owned())]);

    let method = MethodId::made_by(MethodKind::Card, &merchant(), &key("method"));
    let on_file = |token: &str| {
        Instrument::Stored(OnFile { token: Some(Secret::new(token.to_owned())), ..OnFile::unopened(method) })
    };
    let by_merchant = Details { submitted_by_merchant: true, ..Details::default() };
    let sold = world.open(&Kind::Sale, 1_000, &on_file(token.reveal()), &by_merchant);
    is(&sold, "approved", "captured");
    is(&world.open(&Kind::Authorize, 1_000, &on_file(token.reveal()), &by_merchant), "approved", "authorized");
    is(&world.open(&Kind::Sale, 1_000, &on_file("cus_of_nobody"), &by_merchant), "declined", "not_found");
}

#[test]
fn a_token_of_a_browser_pays_once() {
    let (mut world, none) = (World::new(), Details::default());
    let number = json!({"type": "credit_card", "number": "4111111111111111", "month": "08", "year": "2030"});
    let (status, token) = world.raw("POST", "/tokens", &json!({"payment_details": number}));
    assert_eq!(status, 200);
    let token = alternative(token["id"].as_str().expect("an id"));
    is(&world.open(&Kind::Authorize, 1_000, &token, &none), "approved", "authorized");
    is(&world.open(&Kind::Authorize, 1_000, &token, &none), "declined", "not_found");
}

#[test]
fn a_payment_of_a_browser_is_registered_and_captured() {
    let mut world = World::new();
    let number = json!({"type": "credit_card", "number": "4111111111111111", "month": 8, "year": 2030});
    let body = json!({
        "amount": 1_000, "currency": "JPY", "capture": false, "external_order_num": "ORDER-1", "payment_details": number,
    });
    let (_, made) = world.raw("POST", "/payments", &body);
    let id = made["id"].as_str().expect("an id").to_owned();
    assert_eq!(world.told(), heard(&[(id.clone(), "approved")]));
    let said = details(&[("reference", &id)]);
    let registered = world.intent(&Kind::PostAuthorize, 1_000, &said);
    let held = world.ask(&registered);
    is(&held, "approved", "authorized");
    let hold = taken(&held, &Kind::PostAuthorize, 1_000);
    is(&world.act(&CAPTURE, 1_000, &hold, &Details::default()), "approved", "captured");
    let elsewhere = details(&[("reference", "pay_of_nobody")]);
    let unknown = world.intent(&Kind::PostAuthorize, 1_000, &elsewhere);
    is(&world.ask(&unknown), "declined", "not_found");
}
