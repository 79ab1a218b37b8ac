//! Its owner changes a method, while others write.

use super::super::fuse::{Moment, block_on, poll_once};
use super::super::shelf::Mishap;
use super::super::world::World;
use super::asking;
use crate::event::EventNames;
use crate::gateways::sandbox;
use crate::ids::MerchantId;
use crate::method::tests::fixtures::text;
use crate::method::{Change, Method, Status};
use crate::payment::tests::fixtures::{merchant, method_id};
use crate::rejection::{Fault, Refusal, Rejection};
use crate::stored::Item;

fn renamed() -> Change {
    Change { nick_name: Some(text("the red one")), ..Change::default() }
}

fn to(status: Status) -> Change {
    Change { status: Some(status), ..Change::default() }
}

impl World {
    async fn changing(&self, change: &Change) -> Result<Method, Refusal> {
        self.shell.change_method(&merchant(), &method_id(), change, EventNames::NONE, self.deadline()).await
    }

    fn change(&self, change: &Change) -> Result<Method, Refusal> {
        block_on(self.changing(change))
    }

    fn version(&self) -> Option<u64> {
        self.stored(&method_id()).map(|method| method.version)
    }
}

#[test]
fn a_change_is_written_once_and_the_same_again_is_not_written() {
    let world = World::with(&sandbox::KEYED);
    let (before, meter) = (world.stored(&method_id()).expect("a method"), world.vault.meter());
    let changed = world.change(&renamed()).expect("an answer");
    assert_eq!((changed.nick_name(), changed.version), (Some("the red one"), before.version + 1));
    assert_eq!(world.change(&renamed()).expect("an answer"), changed);
    let spent = world.vault.meter();
    assert_eq!((spent.reads - meter.reads, spent.writes - meter.writes), (2, 1));
    assert_eq!(world.stored(&method_id()), Some(changed));
    assert_eq!(world.token(&method_id()).as_deref(), Some("tok_1"), "its token is as it was");
}

#[test]
fn a_method_that_is_canceled_has_no_token_any_more() {
    let world = World::with(&sandbox::KEYED);
    world.change(&to(Status::Canceled)).expect("an answer");
    assert_eq!(world.vault.items().iter().filter_map(|item| item.get("t")).count(), 0);
    let refused = world.change(&to(Status::Active));
    assert!(
        matches!(refused, Err(Refusal::Rejection(Rejection::MethodUnusable { status: "Canceled" }))),
        "{refused:?}"
    );
}

#[test]
fn a_change_comes_after_what_others_wrote_in_between() {
    for times in 1..5 {
        let world = World::with(&sandbox::KEYED);
        let before = world.version();
        world.vault.suffer(&vec![Mishap::Overtaken; times], Mishap::None);
        let changed = world.change(&renamed()).expect("an answer");
        assert_eq!(Some(changed.version), before.map(|version| version + times as u64 + 1), "{times}");
        assert_eq!(world.stored(&method_id()), Some(changed));
    }
    let world = World::with(&sandbox::KEYED);
    world.vault.suffer(&[], Mishap::Overtaken);
    let refused = world.change(&renamed());
    assert!(matches!(refused, Err(Refusal::Fault(Fault::Busy))), "{refused:?}");
}

#[test]
fn whoever_wants_it_back_while_it_is_canceled_comes_too_late() {
    let world = World::with(&sandbox::KEYED);
    world.change(&to(Status::Inactive)).expect("an answer");
    world.vault.suffer(&[Mishap::Canceled], Mishap::None);
    let refused = world.change(&to(Status::Active));
    assert!(matches!(refused, Err(Refusal::Rejection(Rejection::MethodUnusable { .. }))), "{refused:?}");
    let stored = world.stored(&method_id()).expect("a method");
    assert_eq!((stored.status(), stored.token), (Some(Status::Canceled), None));
}

#[test]
fn a_change_whose_acknowledgement_is_lost_is_made_once() {
    let rows = [&[Mishap::Unacknowledged][..], &[Mishap::SentTwice], &[Mishap::Unreachable, Mishap::Unacknowledged]];
    for mishaps in rows {
        let world = World::with(&sandbox::KEYED);
        let before = world.version();
        world.vault.suffer(mishaps, Mishap::None);
        let changed = world.change(&renamed()).expect("an answer");
        assert_eq!(Some(changed.version), before.map(|version| version + 1), "{mishaps:?}");
        assert_eq!(world.stored(&method_id()), Some(changed));
    }
}

#[test]
fn a_vault_that_is_down_is_a_fault_and_changes_nothing() {
    let world = World::with(&sandbox::KEYED);
    let before = world.stored(&method_id());
    world.vault.suffer(&[], Mishap::Unreachable);
    let refused = world.change(&renamed());
    assert!(matches!(refused, Err(Refusal::Fault(Fault::Store(_)))), "{refused:?}");
    world.vault.fail_to_read(usize::MAX);
    let refused = world.change(&renamed());
    assert!(matches!(refused, Err(Refusal::Fault(Fault::Store(_)))), "{refused:?}");
    assert_eq!(world.stored(&method_id()), before);
}

#[test]
fn what_is_not_there_or_another_merchants_or_not_kept_is_not_found() {
    let world = World::with(&sandbox::KEYED);
    let other = MerchantId::from_random([9; 16]);
    let open = asking("method 1");
    world.fuse.burn_at(Some((1, Moment::Before)));
    assert!(poll_once(world.tokenizing(&open)).is_none(), "its asker is killed");
    world.fuse.burn_at(None);
    for (merchant, id) in [(other, method_id()), (merchant(), asking("nobody's").id), (merchant(), open.id)] {
        let refused =
            block_on(world.shell.change_method(&merchant, &id, &renamed(), EventNames::NONE, world.deadline()));
        assert!(matches!(refused, Err(Refusal::Rejection(Rejection::NotFound))), "{refused:?}");
    }
}

#[test]
fn whoever_is_killed_while_changing_leaves_it_changed_or_not() {
    let mut ends = 0;
    for call in 0..3 {
        for moment in [Moment::Before, Moment::After] {
            let world = World::with(&sandbox::KEYED);
            let before = world.version();
            world.fuse.burn_at(Some((call, moment)));
            ends += usize::from(poll_once(world.changing(&renamed())).is_some());
            world.fuse.burn_at(None);
            let changed = world.change(&renamed()).expect("an answer");
            assert_eq!(Some(changed.version), before.map(|version| version + 1), "{call} {moment:?}");
            assert_eq!(world.token(&method_id()).as_deref(), Some("tok_1"));
        }
    }
    assert_eq!(ends, 2, "it is a read and a write");
}

#[test]
fn what_a_newer_version_wrote_survives_a_change() {
    let world = World::with(&sandbox::KEYED);
    let later = Item::new().with("of", "a newer version");
    world.vault.put(world.vault.items().remove(0).with("later", later.clone()));
    world.change(&renamed()).expect("an answer");
    assert_eq!(world.vault.items()[0].get("later"), Some(&later.into()));
}
