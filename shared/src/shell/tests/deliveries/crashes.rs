//! Whoever tells may be killed at any call, and may not be alone: nothing is lost.

use super::super::fuse::{Moment, block_on, poll_once};
use super::super::gateway::Fate;
use super::post::Post;
use crate::merchant::tests::endpoint_id;
use crate::payment::tests::fixtures::LIFE;
use crate::stored::event::Delivery;

const ALL: [&str; 2] = ["payment.created", "payment.succeeded"];

/// What was told, each when it was first told.
fn first_told(post: &Post, number: u8) -> Vec<String> {
    let mut names = post.names(number);
    let mut seen = Vec::new();
    names.retain(|name| {
        let is_new = !seen.contains(name);
        seen.push(name.clone());
        is_new
    });
    names
}

fn audit(post: &Post, what: &str) {
    for number in [1, 2] {
        assert_eq!(first_told(post, number), ALL, "{what}: endpoint {number}");
    }
    let kept = post.kept();
    assert_eq!(kept.len(), 2, "{what}");
    for event in kept {
        let states: Vec<_> = event.deliveries.iter().map(|told| told.state).collect();
        assert_eq!(states, [Delivery::Delivered; 2], "{what}: {event:?}");
    }
    let outbox = post.payment().outbox;
    assert!(outbox.due().is_none() && outbox.entries.is_empty(), "{what}: {outbox:?}");
}

#[test]
fn nobody_who_is_killed_loses_an_event() {
    let mut histories = 0;
    for broken in [&[][..], &[1], &[1, 2]] {
        for (call, moment) in (0..50).flat_map(|call| [(call, Moment::Before), (call, Moment::After)]) {
            let post = Post::with(&["*", "*"]);
            post.sell(Fate::Answers);
            post.break_down(broken);
            let stored = post.stored();
            post.world.fuse.burn_at(Some((call, moment)));
            let ended = poll_once(post.telling(stored, LIFE)).is_some();
            post.world.fuse.burn_at(None);
            post.break_down(&[]);
            post.tell_all();
            audit(&post, &format!("{broken:?} down, killed {moment:?} call {call}"));
            histories += 1;
            if ended && moment == Moment::After {
                break;
            }
        }
    }
    assert!(histories > 3 * 2 * 8, "{histories} histories");
}

#[test]
fn of_two_who_tell_at_once_neither_loses_what_the_other_could_not_tell() {
    for broken in [[&[][..], &[1]], [&[1], &[]], [&[1, 2], &[]], [&[1], &[2]], [&[], &[]]] {
        let post = Post::with(&["*", "*"]);
        post.sell(Fate::Answers);
        // Both have read before either writes.
        let stored = [post.stored(), post.stored()];
        for (stored, broken) in stored.into_iter().zip(broken) {
            post.break_down(broken);
            block_on(post.telling(stored, LIFE)).expect("nothing hinders it");
        }
        post.break_down(&[]);
        post.tell_all();
        audit(&post, &format!("{broken:?}"));
    }
}

#[test]
fn who_saw_less_does_not_hide_what_another_saw_and_could_not_tell() {
    let post = Post::with(&["*", "*"]);
    post.sell(Fate::Answers);
    let newer = post.stored();
    let mut older = newer.clone();
    older.payment.outbox.entries.truncate(1);
    older.payment.outbox.made = 1;
    post.break_down(&[1]);
    block_on(post.telling(newer, LIFE)).expect("nothing hinders it");
    post.break_down(&[]);
    block_on(post.telling(older, LIFE)).expect("nothing hinders it");
    let outbox = post.payment().outbox;
    assert_eq!(outbox.behind.get(&endpoint_id(1)).map(|behind| behind.from), Some(2));
    post.tell_all();
    audit(&post, "an older view");
}
