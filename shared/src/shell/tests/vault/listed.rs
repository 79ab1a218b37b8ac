//! The methods of an account, a page at a time, and never their tokens.

use super::super::fuse::block_on;
use super::super::gateway::Fate;
use super::super::world::World;
use super::asking;
use crate::event::EventNames;
use crate::gateways::sandbox;
use crate::ids::{MerchantId, MethodId};
use crate::method::{Change, Method, Status};
use crate::payment::asked::AccountId;
use crate::payment::tests::fixtures::merchant;

const LONG: &str = "001xx000003DHP0AAO";
const SHORT: &str = "001xx000003DHP0";

impl World {
    /// Stores a card of this account, whatever the gateway says of it.
    fn of(&self, account: Option<&str>, name: &str, fate: Fate) -> MethodId {
        let mut asking = asking(name);
        asking.asked.details.account = account.and_then(AccountId::parse);
        self.gateway.foresee(&[fate]);
        self.tokenize(&asking).expect("an answer").method.id
    }

    fn list(&self, merchant: &MerchantId, account: &str, after: Option<&MethodId>, limit: u16) -> (Vec<Method>, bool) {
        let account = AccountId::parse(account).expect("an account");
        block_on(self.shell.methods_of(merchant, &account, after, limit, self.deadline())).expect("an answer")
    }
}

fn ids(methods: &[Method]) -> Vec<MethodId> {
    methods.iter().map(|method| method.id).collect()
}

/// Five of one account, named by either form of its id, and some that are none of its own.
fn world() -> (World, Vec<MethodId>) {
    let world = World::with(&sandbox::NONE);
    let mut ids: Vec<_> = (0..5)
        .map(|place| world.of(Some(if place % 2 == 0 { LONG } else { SHORT }), &format!("card {place}"), Fate::Answers))
        .collect();
    ids.sort();
    world.of(None, "of nobody", Fate::Answers);
    world.of(Some("001xx000003DHp0"), "of another", Fate::Answers);
    world.of(Some(LONG), "declined", Fate::Declines);
    world.of(Some(LONG), "lost", Fate::LosesAnswer);
    world.of(Some(LONG), "not sent", Fate::Refuses);
    (world, ids)
}

#[test]
fn an_account_is_listed_with_what_is_kept_of_it_and_nothing_else() {
    let (world, known) = world();
    for account in [LONG, SHORT] {
        let (methods, more) = world.list(&merchant(), account, None, 100);
        assert_eq!((ids(&methods), more), (known.clone(), false), "{account}");
        for method in methods {
            assert_eq!(Some(Method { token: None, ..world.stored(&method.id).expect("a method") }), Some(method));
        }
    }
    let other = MerchantId::from_random([9; 16]);
    assert_eq!(world.list(&other, LONG, None, 100), (Vec::new(), false), "another merchant's account of this id");
    assert_eq!(world.list(&merchant(), "001", None, 100), (Vec::new(), false));
}

#[test]
fn a_page_goes_on_where_the_one_before_ended() {
    let (world, known) = world();
    for limit in 1..=6 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let (methods, more) = world.list(&merchant(), LONG, after.as_ref(), limit);
            seen.extend(ids(&methods));
            assert_eq!((more, methods.len() <= usize::from(limit)), (seen.len() < known.len(), true), "{limit}");
            after = seen.last().copied();
            if !more {
                break;
            }
        }
        assert_eq!(seen, known, "{limit}");
    }
}

#[test]
fn what_is_canceled_is_still_listed() {
    let (world, known) = world();
    let change = Change { status: Some(Status::Canceled), ..Change::default() };
    block_on(world.shell.change_method(&merchant(), &known[2], &change, EventNames::NONE, world.deadline()))
        .expect("an answer");
    let (methods, _) = world.list(&merchant(), LONG, None, 100);
    assert_eq!((ids(&methods), methods[2].status()), (known, Some(Status::Canceled)));
}
