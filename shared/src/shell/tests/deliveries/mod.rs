//! Merchants are told everything at least once and in order, and one that cannot be reached holds up nobody else.

mod bus;
mod crashes;
mod perseverance;
mod post;

use std::time::Duration;

use self::post::{Post, secret};
use super::fuse::block_on;
use super::gateway::Fate;
use crate::event::EventName;
use crate::merchant::tests::endpoint_id;
use crate::payment::Outcome;
use crate::payment::tests::fixtures::{LIFE, answer};
use crate::ports::Clock;
use crate::rejection::{Fault, Refusal};
use crate::stored::event::Delivery;
use crate::webhook::{self, Headers};

#[test]
fn each_endpoint_is_told_in_order_and_one_that_is_down_holds_up_nobody_else() {
    let post = Post::with(&["*", "*"]);
    post.sell(Fate::Answers);
    post.break_down(&[1]);
    post.tell();
    assert_eq!(post.names(1), ["payment.created"], "it fails, so nothing comes after it");
    assert_eq!(post.names(2), ["payment.created", "payment.succeeded"]);
    post.break_down(&[]);
    post.tell_all();
    assert_eq!(post.names(1), ["payment.created", "payment.created", "payment.succeeded"]);
    assert_eq!(post.names(2).len(), 2, "nobody is told again");
    let versions: Vec<_> = post.arrived(1).iter().map(post::Arrived::version).collect();
    assert_eq!(versions, [1, 1, 2]);
    assert_eq!((post.payment().outbox.entries.len(), post.payment().outbox.behind.len()), (0, 0));
}

#[test]
fn an_endpoint_hears_what_it_asked_for_and_everything_is_kept() {
    let post = Post::with(&["payment.succeeded", "refund.*", "payment.created dispute.*"]);
    post.sell(Fate::Answers);
    post.tell_all();
    let heard = [1, 2, 3].map(|number| post.names(number).join(" "));
    assert_eq!(heard, ["payment.succeeded", "", "payment.created"]);
    let kept: Vec<_> = post
        .kept()
        .into_iter()
        .map(|event| {
            let told: Vec<_> = event.deliveries.iter().map(|told| (told.endpoint, told.status, told.state)).collect();
            (event.name, event.version, told)
        })
        .collect();
    let got = |number| vec![(endpoint_id(number), Some(204), Delivery::Delivered)];
    let mut expected = [(EventName::PaymentCreated, 1, got(3)), (EventName::PaymentSucceeded, 2, got(1))];
    let mut kept = kept;
    kept.sort_by_key(|(_, version, _)| *version);
    expected.sort_by_key(|(_, version, _)| *version);
    assert_eq!(kept, expected);
}

#[test]
fn what_nobody_wants_is_kept_all_the_same() {
    let post = Post::with(&[]);
    post.sell(Fate::Declines);
    post.tell_all();
    let mut names: Vec<_> = post.kept().iter().map(|event| event.name).collect();
    names.sort();
    assert_eq!(names, [EventName::PaymentCreated, EventName::PaymentFailed]);
    assert!(post.kept().iter().all(|event| event.deliveries.is_empty()));
}

#[test]
fn an_endpoint_that_is_switched_off_or_gone_is_owed_nothing_any_more() {
    for is_removed in [false, true] {
        let mut post = Post::with(&["*", "*"]);
        post.sell(Fate::Answers);
        post.break_down(&[1]);
        post.tell();
        if is_removed {
            post.merchant.endpoints.remove(&endpoint_id(1));
        } else {
            post.endpoint(1).is_active = false;
        }
        post.tell_all();
        assert_eq!(post.names(1), ["payment.created"]);
        assert!(post.payment().outbox.behind.is_empty());
    }
}

#[test]
fn each_valid_secret_signs_what_is_sent() {
    let mut post = Post::with(&["payment.created"]);
    let end = post.world.clock.now().plus(Duration::from_secs(10));
    post.rotate(1, 7, end);
    post.sell(Fate::Answers);
    post.tell_all();
    let [arrived] = post.arrived(1).try_into().expect("one delivery");
    let header = |name: &str| arrived.headers[name].as_str();
    let headers = Headers {
        id: header(webhook::ID),
        timestamp: header(webhook::TIMESTAMP),
        signature: header(webhook::SIGNATURE),
    };
    assert_eq!(headers.signature.split(' ').count(), 2);
    for known in [1, 7] {
        assert_eq!(webhook::verify(headers, &arrived.body, &[secret(known)], arrived.at), Ok(()), "{known}");
    }
    assert!(webhook::verify(headers, &arrived.body, &[secret(2)], arrived.at).is_err());
    assert_eq!(post.payment().outbox.entries.len(), 0);
}

#[test]
fn what_cannot_be_signed_is_not_sent_and_is_nothing_that_the_endpoint_did() {
    let mut post = Post::with(&["payment.created"]);
    post.endpoint(1).secrets.clear();
    post.sell(Fate::Answers);
    post.world.notes.read();
    post.tell();
    assert!(post.arrived(1).is_empty());
    assert_eq!(post.health(1).failing_since, None);
    let noted = post.world.notes.read();
    assert!(noted.iter().any(|note| note.contains("Unsigned")), "{noted:?}");
    post.rotate(1, 7, post.world.clock.now());
    post.tell_all();
    assert_eq!(post.names(1), ["payment.created"]);
}

#[test]
fn what_there_is_no_time_for_is_due_at_once() {
    let post = Post::with(&["*"]);
    post.sell(Fate::Answers);
    post.take(Duration::from_secs(10));
    let early = block_on(post.telling(post.stored(), Duration::from_secs(10)));
    assert!(matches!(early, Err(Refusal::Fault(Fault::NoTime))), "{early:?}");
    assert!(post.arrived(1).is_empty());
    let left = block_on(post.telling(post.stored(), Duration::from_secs(20))).expect("time for one");
    assert_eq!(post.names(1), ["payment.created"]);
    assert!(left.outbox.due().is_some_and(|due| due <= post.world.clock.now()));
    post.tell_all();
    assert_eq!(post.names(1), ["payment.created", "payment.succeeded"], "neither is told twice");
}

/// juspay/hyperswitch#9278: a webhook showed an older state than the payment had when it was sent.
#[test]
fn juspay_hyperswitch_9278_what_is_told_is_how_the_payment_stands_then() {
    let post = Post::with(&["*"]);
    post.break_down(&[1]);
    post.sell(Fate::Accepts);
    post.tell();
    let deadline = post.world.clock.now().plus(LIFE);
    let last = crate::ids::Ordinal::FIRST;
    let approved = Outcome::Approved(answer("deed0"));
    block_on(post.world.shell.hear(post.stored(), post.route(), last, (approved, None), deadline)).expect("a notice");
    post.break_down(&[]);
    post.tell_all();
    let told: Vec<_> = post.arrived(1).iter().skip(1).map(|told| (told.name(), told.status())).collect();
    let expected = ["payment.created", "payment.pending", "payment.succeeded"];
    assert_eq!(told, expected.map(|name| (name.to_owned(), "Processed".to_owned())));
}
