//! What is told unasked, and what the adapter makes of it.

use kessai_shared::gateways::News;
use kessai_shared::ids::Record;
use kessai_shared::payment::{Kind, Outcome};
use serde_json::Value;

use super::{Shop, TOKEN, assert_valid, capture, reference, refund, reverse, told};
use crate::models::Model;

fn held(payment: u64) -> String {
    reference(Record::Authorization, payment)
}

fn sold(payment: u64) -> String {
    reference(Record::Payment, payment)
}

#[test]
fn whatever_becomes_of_a_payment_is_told() {
    let mut shop = Shop::new();
    let hold = shop.approved(&Kind::Authorize, 1_200, None);
    assert_eq!(told(&shop.hear()), [(held(1), "approved")]);
    let taken = shop.approved(&capture(), 1_000, Some(&hold));
    assert_eq!(told(&shop.hear()), [(held(1), "approved")], "the flow is known by what opened it");
    shop.approved(&refund(), 400, Some(&taken));
    assert_eq!(told(&shop.hear()), [(reference(Record::Refund, 3), "approved")]);
    let hold = shop.approved(&Kind::Authorize, 1_200, None);
    shop.hear();
    shop.approved(&reverse(), 1_200, Some(&hold));
    assert!(shop.hear().is_empty(), "nobody could tell what was canceled");
    shop.act(&Kind::Sale, 9_001, None);
    assert_eq!(told(&shop.hear()), [(sold(6), "declined")]);
}

#[test]
fn what_is_open_is_told_when_it_is_decided() {
    let mut shop = Shop::new();
    shop.act(&Kind::Sale, 9_018, None);
    shop.act(&Kind::Sale, 9_019, None);
    let heard = told(&shop.hear());
    let last = |payment| heard.iter().rfind(|(reference, _)| *reference == sold(payment)).map(|(_, name)| *name);
    assert_eq!((last(1), last(2)), (Some("approved"), Some("declined")), "{heard:?}");

    let Outcome::ActionRequired(_, action) = shop.act(&Kind::Sale, 9_022, None) else { panic!("the payer is asked") };
    assert_eq!(told(&shop.hear()), [(sold(3), "action required")]);
    shop.visit(&action, "/approve");
    assert_eq!(told(&shop.hear()), [(sold(3), "approved")]);
}

#[test]
fn a_pending_refund_is_told_twice_under_one_name() {
    let mut shop = Shop::new();
    let paid = shop.approved(&Kind::Sale, 50_000, None);
    shop.hear();
    shop.act(&refund(), 9_018, Some(&paid));
    let webhooks = shop.model.webhooks(shop.now_ms);
    let kinds: Vec<Value> = webhooks.iter().map(|webhook| event(&webhook.body)["type"].clone()).collect();
    assert_eq!(kinds, ["refund.created", "refund.created"]);
    let names: Vec<_> = webhooks.iter().filter_map(|webhook| shop.hear_one(webhook)).collect();
    let name = reference(Record::Refund, 2);
    assert_eq!(told(&names), [(name.clone(), "accepted"), (name, "approved")]);
}

#[test]
fn a_dispute_is_told_of_what_opened_the_payment() {
    for (minor, end) in [(9_023, "dispute.lost"), (9_024, "dispute.reversed")] {
        let mut shop = Shop::new();
        shop.approved(&Kind::Sale, minor, None);
        let heard = shop.hear();
        let expected = [(sold(1), "approved"), (sold(1), "dispute.opened"), (sold(1), end)];
        assert_eq!(told(&heard), expected);
        let amounts = heard.iter().filter_map(|notice| match &notice.news {
            News::Sequel(sequel) => sequel.minor,
            News::Outcome(_) | News::Token(..) => None,
        });
        assert_eq!(amounts.collect::<Vec<_>>(), [minor, minor]);
    }
    let mut shop = Shop::new();
    let hold = shop.approved(&Kind::Authorize, 9_023, None);
    assert_eq!(told(&shop.hear()), [(held(1), "approved")], "nothing was taken");
    shop.approved(&capture(), 9_023, Some(&hold));
    assert_eq!(told(&shop.hear()).len(), 3);
}

fn event(body: &str) -> Value {
    serde_json::from_str(body).expect("JSON")
}

#[test]
fn the_older_names_come_along_until_october() {
    // 2026-10-01 in Tokyo.
    for (now_ms, has_old) in [(1_790_780_400_000 - 1, true), (1_790_780_400_000, false)] {
        let mut shop = Shop::new();
        shop.now_ms = now_ms;
        shop.model.webhooks(now_ms);
        shop.approved(&Kind::Sale, 1_200, None);
        for webhook in shop.model.webhooks(now_ms) {
            assert!(webhook.headers.contains(&("x-payjp-webhook-token", TOKEN.to_owned())));
            let event = event(&webhook.body);
            assert_valid(&event, 200);
            assert_valid(&event["data"], 200);
            for value in [&event, &event["data"]] {
                assert_eq!(value.get("created_date").is_some(), has_old);
                assert!(value.get("created_at").is_some());
            }
            assert_eq!(event["data"].get("meta_data").is_some(), has_old);
        }
    }
}
