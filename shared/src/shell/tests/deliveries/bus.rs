//! The account's own bus is told like an endpoint, of verdicts alone, and nobody disables it.

use std::time::Duration;

use super::super::fuse::block_on;
use super::super::gateway::Fate;
use super::post::Post;
use crate::event::EventName;
use crate::ids::{EndpointId, Ordinal};
use crate::merchant::tests::endpoint_id;
use crate::payment::outbox::TRY_FOR;
use crate::payment::sequel::{Sequel, What};
use crate::payment::tests::fixtures::LIFE;
use crate::ports::Clock;
use crate::stored::event::Delivery;

#[test]
fn it_is_told_how_a_sale_came_out_and_nothing_else() {
    for (fate, heard) in [(Fate::Answers, "payment.succeeded 2"), (Fate::Declines, "payment.failed 2")] {
        let post = Post::with(&[]).on_bus();
        post.sell(fate);
        post.tell_all();
        assert_eq!(post.heard_on_bus(), [heard]);
        let outbox = post.payment().outbox;
        assert_eq!((outbox.entries.len(), outbox.behind.len()), (0, 0));
    }
}

#[test]
fn where_it_is_not_told_it_is_owed_nothing() {
    let post = Post::with(&["*"]);
    post.sell(Fate::Answers);
    post.tell_all();
    assert!(post.heard_on_bus().is_empty());
    assert!(post.kept().iter().flat_map(|event| &event.deliveries).all(|told| told.endpoint == endpoint_id(1)));
}

#[test]
fn what_failed_after_it_had_succeeded_was_made_once() {
    let post = Post::with(&["payment.failed"]).on_bus();
    post.sell(Fate::Answers);
    post.tell_all();
    let (deadline, at) = (post.world.clock.now().plus(LIFE), post.world.clock.now());
    let sequel = Sequel { id: "F1".to_owned(), what: What::Failed, minor: None, code: None };
    let hearing = post.world.shell.hear_sequel(post.stored(), post.route(), Ordinal::FIRST, &sequel, deadline);
    block_on(hearing).expect("a notice");
    assert!(post.payment().outbox.due().is_some_and(|due| due >= at));
    post.tell_all();
    assert_eq!(post.names(1), ["payment.failed"]);
    assert_eq!(post.heard_on_bus(), ["payment.succeeded 2"]);
}

#[test]
fn while_it_takes_nothing_endpoints_are_told_and_the_other_way_round() {
    let post = Post::with(&["*"]).on_bus();
    post.fill_bus(true);
    post.sell(Fate::Answers);
    post.tell();
    assert_eq!(post.names(1), ["payment.created", "payment.succeeded"]);
    assert!(post.payment().outbox.behind.contains_key(&EndpointId::BUS));
    post.fill_bus(false);
    post.tell_all();
    assert_eq!(post.heard_on_bus(), ["payment.succeeded 2", "payment.succeeded 2"]);
    assert_eq!(post.names(1).len(), 2, "the endpoint is not told again");

    let post = Post::with(&["*"]).on_bus();
    post.break_down(&[1]);
    post.sell(Fate::Answers);
    post.tell();
    assert_eq!(post.heard_on_bus(), ["payment.succeeded 2"]);
    post.break_down(&[]);
    post.tell_all();
    assert_eq!(post.heard_on_bus().len(), 1, "the bus is not told again");
}

#[test]
fn what_came_of_telling_it_is_kept() {
    let post = Post::with(&[]).on_bus();
    post.fill_bus(true);
    post.sell(Fate::Answers);
    post.tell();
    let of_verdict = || {
        let kept = post.kept().into_iter().find(|event| event.name == EventName::PaymentSucceeded);
        let [told] = kept.expect("it is kept").deliveries.try_into().expect("one listener");
        assert_eq!(told.endpoint, EndpointId::BUS);
        (told.attempts, told.status, told.fault, told.state)
    };
    assert_eq!(of_verdict(), (1, None, Some("not taken: the bus is full".to_owned()), Delivery::Failed));
    post.fill_bus(false);
    post.tell_all();
    assert_eq!(of_verdict(), (2, Some(200), None, Delivery::Delivered));
}

#[test]
fn after_three_days_an_event_is_given_up_and_a_person_hears_of_it() {
    let post = Post::with(&[]).on_bus();
    post.fill_bus(true);
    post.sell(Fate::Answers);
    let began_at = post.world.clock.now();
    post.world.notes.read();
    post.tell_all();
    let lasted = post.world.clock.now().since(began_at);
    assert!(lasted >= TRY_FOR && lasted < TRY_FOR + Duration::from_secs(10 * 60 * 60), "{lasted:?}");
    let noted = post.world.notes.read();
    assert_eq!(noted.iter().filter(|note| note.contains("Untold")).count(), 1, "{noted:?}");
    assert!(!noted.iter().any(|note| note.contains("Disabled")), "{noted:?}");
    assert!(post.merchants.items().is_empty(), "nobody keeps how a bus fares");
    let kept = post.kept();
    let states: Vec<_> = kept.iter().flat_map(|event| &event.deliveries).map(|told| told.state).collect();
    assert_eq!(states, [Delivery::GivenUp]);
}

#[test]
fn once_it_is_not_told_any_more_it_is_owed_nothing() {
    let mut post = Post::with(&[]).on_bus();
    post.fill_bus(true);
    post.sell(Fate::Answers);
    post.tell();
    post.tells_bus = false;
    post.tell_all();
    assert_eq!(post.heard_on_bus().len(), 1);
    assert!(post.payment().outbox.behind.is_empty());
}
