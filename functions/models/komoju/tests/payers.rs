//! What a payer pays elsewhere, in time or not.

use kessai_shared::ids::Record;
use kessai_shared::payment::asked::Details;
use kessai_shared::payment::{Kind, Outcome, PayerAction};
use serde_json::json;

use super::{DAY_MS, REFUND, START_MS, URL, World, alternative, bank, details, heard, is, konbini, name, taken};
use crate::models::Act;

fn visit(world: &mut World, action: &PayerAction, said: &str) -> u16 {
    let path = action.url.strip_prefix(URL).expect("a page of the model");
    world.raw("POST", &format!("{path}/{said}"), &json!({})).0
}

fn to_act(outcome: &Outcome) -> PayerAction {
    let Outcome::ActionRequired(_, action) = outcome else { panic!("the payer is to act: {outcome:?}") };
    action.clone()
}

#[test]
fn a_payer_pays_at_a_store_within_days_and_is_refunded_by_bank() {
    let (mut world, said) = (World::new(), konbini());
    let opened = world.open(&Kind::Sale, 1_000, &alternative("none"), &said);
    let action = to_act(&opened);
    assert_eq!(action.expires_at.as_millis(), START_MS + 3 * DAY_MS);
    let mut sale = taken(&opened, &Kind::Sale, 1_000);
    let opening = name(Record::Payment, 0);
    assert_eq!(world.told(), heard(&[(opening.clone(), "action required")]));
    assert_eq!(world.effects(), []);
    assert_eq!(world.raw("GET", &format!("/payers/{}", sale.reference), &json!({})).0, 200);
    world.pass(DAY_MS);
    assert_eq!(visit(&mut world, &action, "approve"), 200);
    assert_eq!(visit(&mut world, &action, "decline"), 422, "once");
    assert_eq!(world.told(), heard(&[(opening.clone(), "approved")]));
    let captured = world.look_up(&Kind::Sale, None, &sale);
    is(&captured, "approved", "captured");
    sale.details = taken(&captured, &Kind::Sale, 1_000).details;

    let (first, status) = (name(Record::Refund, 2), world.act(&REFUND, 400, &sale, &bank()));
    is(&status, "accepted", "pending");
    let refund = taken(&status, &REFUND, 400);
    is(&world.look_up(&REFUND, Some(&sale), &refund), "accepted", "pending");
    world.pass(5_000);
    is(&world.look_up(&REFUND, Some(&sale), &refund), "approved", "completed");
    let expected = [(first.clone(), "approved"), (opening.clone(), "approved"), (first.clone(), "approved")];
    assert_eq!(world.told(), heard(&expected));
    is(&world.act(&REFUND, 601, &sale, &bank()), "declined", "not_refundable");
    assert_eq!(world.effects(), [(Act::Sale, opening, 1_000), (Act::Refund, first, 400)]);
}

#[test]
fn a_refund_by_bank_may_be_rejected() {
    let mut world = World::new();
    let opened = world.open(&Kind::Sale, 20_000, &alternative("none"), &konbini());
    let action = to_act(&opened);
    assert_eq!(visit(&mut world, &action, "approve"), 200);
    let sale = taken(&opened, &Kind::Sale, 20_000);
    world.told();
    let asked = world.act(&REFUND, 9_019, &sale, &bank());
    let refund = taken(&asked, &REFUND, 9_019);
    world.pass(5_000);
    is(&world.look_up(&REFUND, Some(&sale), &refund), "declined", "rejected");
    assert_eq!(world.told(), heard(&[(name(Record::Refund, 2), "declined")]));
    assert_eq!(world.effects().len(), 1, "nothing was given back");
}

#[test]
fn who_does_not_pay_in_time_has_not_paid() {
    let mut world = World::new();
    let opened = world.open(&Kind::Sale, 1_000, &alternative("none"), &konbini());
    let (action, sale) = (to_act(&opened), taken(&opened, &Kind::Sale, 1_000));
    world.told();
    world.pass(3 * DAY_MS);
    assert_eq!(visit(&mut world, &action, "approve"), 422);
    is(&world.look_up(&Kind::Sale, None, &sale), "declined", "expired");
    assert_eq!(world.told(), heard(&[(name(Record::Payment, 0), "declined")]));
    assert_eq!((world.told(), world.effects()), (Vec::new(), Vec::new()));
}

#[test]
fn a_wallet_sends_its_payer_away_and_hears_either_answer() {
    let said = details(&[("paymentMethodType", "paypay"), ("returnUrl", "https://shop.example/back")]);
    for tries in 0..3 {
        let mut world = World::new();
        let opened = world.open(&Kind::Sale, 1_000, &alternative("none"), &said);
        let (action, sale) = (to_act(&opened), taken(&opened, &Kind::Sale, 1_000));
        assert_eq!(world.told(), [], "pending is told by nobody");
        for _ in 0..tries {
            assert_eq!(visit(&mut world, &action, "decline"), 200);
            assert_eq!(world.told(), heard(&[(name(Record::Payment, 0), "action required")]));
            is(&world.look_up(&Kind::Sale, None, &sale), "action required", "failed");
        }
        assert_eq!(visit(&mut world, &action, "approve"), 200);
        assert_eq!(world.told(), heard(&[(name(Record::Payment, 0), "approved")]));
        is(&world.look_up(&Kind::Sale, None, &sale), "approved", "captured");
        assert_eq!(visit(&mut world, &action, "decline"), 422, "it is paid");
        is(&world.act(&REFUND, 1_000, &sale, &Details::default()), "approved", "refunded");
    }
}

#[test]
fn who_tries_in_vain_has_not_paid_when_the_time_is_over() {
    let said = details(&[("paymentMethodType", "paypay"), ("returnUrl", "https://shop.example/back")]);
    let mut world = World::new();
    let opened = world.open(&Kind::Sale, 1_000, &alternative("none"), &said);
    let (action, sale) = (to_act(&opened), taken(&opened, &Kind::Sale, 1_000));
    assert_eq!(visit(&mut world, &action, "decline"), 200);
    world.told();
    world.pass(action.expires_at.as_millis() - START_MS);
    assert_eq!(visit(&mut world, &action, "approve"), 422);
    is(&world.look_up(&Kind::Sale, None, &sale), "declined", "expired");
    assert_eq!(world.told(), heard(&[(name(Record::Payment, 0), "declined")]));
    assert_eq!(world.effects(), []);
}
