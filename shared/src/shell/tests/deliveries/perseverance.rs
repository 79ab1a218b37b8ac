//! How long an endpoint is tried, and what happens then.

use std::time::Duration;

use super::super::gateway::Fate;
use super::post::Post;
use crate::merchant::Health;
use crate::merchant::tests::endpoint_id;
use crate::payment::outbox::TRY_FOR;
use crate::payment::tests::fixtures::merchant;
use crate::ports::Clock;
use crate::stored::event::Delivery;
use crate::stored::health::encode_health;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A world in which the endpoint was tried until nobody tried any more.
fn given_up(chance: u8) -> Post {
    let post = Post::with(&["payment.*"]).drawing(chance);
    post.break_down(&[1]);
    post.sell(Fate::Answers);
    post.world.notes.read();
    post.tell_all();
    post
}

#[test]
fn an_endpoint_is_tried_for_three_days_and_then_disabled() {
    // Of each wait at least half passes, whatever is drawn.
    for (chance, first_wait, attempts) in [(0, Duration::from_millis(2_500), 21), (255, Duration::from_secs(5), 14)] {
        let post = given_up(chance);
        let arrived = post.arrived(1);
        let waits: Vec<_> = arrived.windows(2).map(|pair| pair[1].at.since(pair[0].at)).collect();
        assert_eq!(waits[0], first_wait, "{chance}");
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]) && waits.iter().all(|wait| *wait <= 10 * HOUR));
        assert_eq!(arrived.len(), attempts, "{chance}: {waits:?}");
        let lasted: Duration = waits.iter().sum();
        assert!(lasted >= TRY_FOR && lasted < TRY_FOR + 10 * HOUR, "{chance}: {lasted:?}");
        assert!(arrived.iter().all(|told| told.name() == "payment.created"));
        assert!(post.health(1).is_disabled(&post.merchant.endpoints[&endpoint_id(1)]));
        let noted = post.world.notes.read();
        assert_eq!(noted.iter().filter(|note| note.contains("Disabled")).count(), 1, "{noted:?}");
        let kept: Vec<_> = post.kept().iter().map(|event| (event.version, event.deliveries.clone())).collect();
        for (version, deliveries) in kept {
            let [told] = deliveries.try_into().expect("one endpoint");
            let expected = if version == 1 { u32::try_from(attempts).expect("few") } else { 0 };
            assert_eq!((told.attempts, told.state), (expected, Delivery::GivenUp), "{version}");
        }
    }
}

#[test]
fn a_disabled_endpoint_hears_nothing_until_it_is_made_active_again() {
    let mut post = given_up(255);
    let before = post.arrived(1).len();
    let entry = post.kept()[0].entry();
    let again = |post: &Post| {
        let deadline = post.world.clock.now().plus(HOUR);
        let telling = post.world.shell.tell_again(post.stored(), post.route(), &entry, deadline);
        super::super::fuse::block_on(telling).expect("nothing hinders it");
        post.tell_all();
    };
    again(&post);
    assert_eq!(post.arrived(1).len(), before);
    post.world.clock.advance(HOUR);
    let now = post.world.clock.now();
    post.endpoint(1).enabled_at = Some(now);
    post.break_down(&[]);
    again(&post);
    assert_eq!(post.arrived(1).len(), before + 1);
    assert_eq!(post.health(1).failing_since, None);
}

#[test]
fn one_event_that_never_gets_through_is_given_up_and_disables_nothing() {
    let post = Post::with(&["payment.*"]);
    post.break_down(&[1]);
    post.sell(Fate::Answers);
    post.tell();
    // Another payment's events get through a day later.
    post.world.clock.advance(24 * HOUR);
    let Health { version, .. } = post.health(1);
    post.merchants.put(encode_health(
        &merchant(),
        &endpoint_id(1),
        &Health { version: version + 1, ..Health::default() },
    ));
    while post.payment().outbox.behind.get(&endpoint_id(1)).is_some_and(|behind| behind.from == 1) {
        let due = post.payment().outbox.due().expect("it is behind");
        post.world.clock.move_to(due);
        post.tell();
    }
    let states: Vec<_> = post.kept().into_iter().map(|event| (event.version, event.deliveries[0].state)).collect();
    assert!(states.contains(&(1, Delivery::GivenUp)) && states.contains(&(2, Delivery::Failed)), "{states:?}");
    assert!(!post.health(1).is_disabled(&post.merchant.endpoints[&endpoint_id(1)]));
    post.break_down(&[]);
    post.tell_all();
    assert_eq!(post.names(1).last().map(String::as_str), Some("payment.succeeded"));
}
