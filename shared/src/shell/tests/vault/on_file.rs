//! What a payment needs of a stored method: its token, or nothing at all.

use super::super::fuse::{Moment, block_on, poll_once};
use super::super::gateway::Fate;
use super::super::shelf::Mishap;
use super::super::world::World;
use super::secrets::assert_nothing_rests_in_the_clear;
use super::{asking, keys};
use crate::card::Secret;
use crate::gateways::sandbox;
use crate::ids::{GatewayId, MerchantId, MethodId, MethodKind, method_key};
use crate::method::{Method, State, Status};
use crate::payment::asked::OnFile;
use crate::payment::tests::fixtures::{gateway_id, key, merchant, method_id};
use crate::rejection::{Fault, Refusal, Rejection};
use crate::seal::{KeyId, SealFault};
use crate::stored::method::{StoredMethod, TOKEN};
use crate::stored::payment::KEY;

impl World {
    fn use_for(&self, merchant: &MerchantId, id: &MethodId, gateway: GatewayId) -> Result<OnFile, Refusal> {
        block_on(self.shell.on_file(merchant, id, gateway, self.deadline()))
    }

    fn use_it(&self) -> Result<OnFile, Refusal> {
        self.use_for(&merchant(), &method_id(), gateway_id())
    }

    /// Why it is not to be had; nothing was sent, and nothing was written.
    fn refusal(&self, use_it: impl FnOnce(&Self) -> Result<OnFile, Refusal>) -> Refusal {
        let (before, seen) = (self.vault.items(), self.gateway.seen());
        let refused = use_it(self).map(|_| "its token").expect_err("it is not to be had");
        assert_eq!((self.vault.items(), self.gateway.seen()), (before, seen));
        refused
    }

    fn rejection(&self, use_it: impl FnOnce(&Self) -> Result<OnFile, Refusal>) -> Rejection {
        match self.refusal(use_it) {
            Refusal::Rejection(rejection) => rejection,
            Refusal::Fault(fault) => panic!("{fault:?}"),
        }
    }

    fn seal_fault(&self) -> SealFault {
        match self.refusal(Self::use_it) {
            Refusal::Fault(Fault::Sealed(fault)) => fault,
            other => panic!("{other:?}"),
        }
    }

    /// Changes the method that is stored there, as nobody would.
    fn alter(&self, change: impl FnOnce(&mut Method)) {
        let mut method = self.stored(&method_id()).expect("a method");
        change(&mut method);
        self.vault.put(StoredMethod::following(None, method).to_item());
    }
}

fn opened(on_file: &OnFile) -> Option<&str> {
    on_file.token.as_ref().map(Secret::reveal)
}

#[test]
fn an_active_method_is_had_with_its_token_and_the_gateways_word_for_it() {
    let world = World::with(&sandbox::KEYED);
    for own in [None, Some(gateway_id())] {
        for word in [None, Some("klarna_v2".to_owned())] {
            world.alter(|method| (method.asked.gateway, method.asked.details.gateway_type) = (own, word.clone()));
            let meter = world.vault.meter();
            let on_file = world.use_it().expect("a method");
            assert_eq!((on_file.method, opened(&on_file)), (method_id(), Some("tok_1")));
            assert_eq!(on_file.gateway_type, word);
            assert_eq!((world.vault.meter().reads, world.vault.meter().writes), (meter.reads + 1, meter.writes));
        }
    }
    assert!(world.gateway.seen().is_empty());
}

#[test]
fn what_a_gateway_gave_out_is_what_a_payment_gets() {
    let (world, asking) = (World::with(&sandbox::KEYED), asking("method 1"));
    world.tokenize(&asking).expect("an answer");
    let on_file = world.use_for(&merchant(), &asking.id, gateway_id()).expect("a method");
    assert_eq!(opened(&on_file), Some("tok_of_the_gateway_0"));
}

#[test]
fn what_is_not_there_and_what_is_another_merchants_look_the_same() {
    let world = World::with(&sandbox::KEYED);
    let other = MerchantId::from_random([9; 16]);
    let nobodys = MethodId::made_by(MethodKind::Card, &merchant(), &key("nobody's"));
    for (merchant, id) in [(merchant(), nobodys), (other, method_id()), (other, nobodys)] {
        let rejection = world.rejection(|world| world.use_for(&merchant, &id, gateway_id()));
        assert_eq!(rejection, Rejection::NotFound);
    }
    for fate in [Fate::LosesAnswer, Fate::Refuses, Fate::Declines] {
        let asking = asking(&format!("{fate:?}"));
        world.gateway.foresee(&[fate]);
        world.tokenize(&asking).expect("an answer");
        let rejection = world.rejection(|world| world.use_for(&merchant(), &asking.id, gateway_id()));
        assert_eq!(rejection, Rejection::NotFound, "{fate:?}: nothing is kept yet, or ever");
    }
}

#[test]
fn what_is_not_to_be_used_says_why() {
    let rows = [
        (Status::Inactive, Rejection::MethodUnusable { status: "InActive" }),
        (Status::Canceled, Rejection::MethodUnusable { status: "Canceled" }),
    ];
    for (to, expected) in rows {
        let world = World::with(&sandbox::KEYED);
        world.alter(|method| {
            if let State::Kept { status, .. } = &mut method.state {
                *status = to;
            }
        });
        assert_eq!(world.rejection(World::use_it), expected);
    }
    let world = World::with(&sandbox::KEYED);
    world.alter(|method| method.asked.gateway = Some(GatewayId::from_random([9; 16])));
    assert_eq!(world.rejection(World::use_it), Rejection::MethodElsewhere);
    world.alter(|method| (method.asked.gateway, method.token) = (None, None));
    assert_eq!(world.rejection(World::use_it), Rejection::MethodWithoutToken);
}

#[test]
fn what_is_sealed_under_an_older_key_is_sealed_anew_once() {
    let mut world = World::with(&sandbox::KEYED);
    world.shell.sealing_keys = keys(&["k2", "k1"]);
    let before = world.stored(&method_id()).expect("a method");
    assert_eq!(
        world.use_it().map(|on_file| opened(&on_file).map(str::to_owned)).expect("a method").as_deref(),
        Some("tok_1")
    );
    let after = world.stored(&method_id()).expect("a method");
    assert_eq!(after.token.as_ref().map(|sealed| sealed.key.as_str()), Some("k2"));
    assert_eq!(world.token(&method_id()).as_deref(), Some("tok_1"));
    assert_eq!(after, Method { version: before.version + 1, token: after.token.clone(), ..before });
    assert_eq!(opened(&world.use_it().expect("a method")), Some("tok_1"));
    assert_eq!(world.stored(&method_id()), Some(after), "it is done once");
    world.shell.sealing_keys = keys(&["k2"]);
    assert_eq!(opened(&world.use_it().expect("the old key is needed no more")), Some("tok_1"));
    assert_nothing_rests_in_the_clear(&world);
}

#[test]
fn sealing_anew_hinders_no_payment_and_undoes_nothing() {
    for mishap in [Mishap::Unreachable, Mishap::Unacknowledged, Mishap::SentTwice, Mishap::Overtaken, Mishap::Canceled]
    {
        let mut world = World::with(&sandbox::KEYED);
        world.shell.sealing_keys = keys(&["k2", "k1"]);
        world.vault.suffer(&[mishap], Mishap::None);
        assert_eq!(opened(&world.use_it().expect("a method")), Some("tok_1"), "{mishap:?}");
        let token = if mishap == Mishap::Canceled { None } else { Some("tok_1") };
        assert_eq!(world.token(&method_id()).as_deref(), token, "{mishap:?}");
    }
}

#[test]
fn whoever_is_killed_while_sealing_anew_leaves_a_token_that_opens() {
    let mut ends = 0;
    for call in 0..3 {
        for moment in [Moment::Before, Moment::After] {
            let mut world = World::with(&sandbox::KEYED);
            world.shell.sealing_keys = keys(&["k2", "k1"]);
            world.fuse.burn_at(Some((call, moment)));
            let (merchant, id) = (merchant(), method_id());
            let used = world.shell.on_file(&merchant, &id, gateway_id(), world.deadline());
            ends += usize::from(poll_once(used).is_some());
            world.fuse.burn_at(None);
            assert_eq!(opened(&world.use_it().expect("a method")), Some("tok_1"));
            assert_eq!(world.stored(&id).and_then(|method| method.token).expect("a token").key.as_str(), "k2");
        }
    }
    assert_eq!(ends, 2, "it is a read and a write");
}

#[test]
fn a_token_whose_key_is_lost_is_a_fault_and_never_an_empty_token() {
    let mut world = World::with(&sandbox::KEYED);
    world.shell.sealing_keys = keys(&["k2"]);
    assert_eq!(world.seal_fault(), SealFault::UnknownKey(KeyId::parse("k1").expect("an id")));
    world.shell.sealing_keys = keys(&["k1"]);
    world.alter(|method| method.token.as_mut().expect("a token").bytes.truncate(11));
    assert_eq!(world.seal_fault(), SealFault::Broken, "cut to less than its nonce");
    world.shell.sealing_keys = None;
    let refused = world.refusal(World::use_it);
    assert!(matches!(refused, Refusal::Fault(Fault::SetUp(_))), "{refused:?}");
}

#[test]
fn a_token_that_is_copied_to_another_method_or_merchant_does_not_open_there() {
    let world = World::with(&sandbox::KEYED);
    let item = world.vault.items().remove(0);
    // The same sealed token, or the whole item, under another name.
    let other = MerchantId::from_random([9; 16]);
    let another = MethodId::made_by(MethodKind::Card, &merchant(), &key("another"));
    for (thief, id) in [(other, method_id()), (merchant(), another), (other, another)] {
        world.vault.put(item.clone().with(KEY, method_key(&thief, &id)));
        let refused = world.refusal(|world| world.use_for(&thief, &id, gateway_id()));
        assert!(matches!(refused, Refusal::Fault(Fault::Sealed(SealFault::Broken))), "{refused:?}");
    }
    let asking = asking("method 1");
    world.tokenize(&asking).expect("an answer");
    let theirs =
        world.vault.items().into_iter().find(|item| item.text(KEY) == Some(&*method_key(&merchant(), &asking.id)));
    let stolen = theirs.and_then(|item| item.get(TOKEN).cloned()).expect("a token");
    world.vault.put(item.with("t", stolen));
    assert_eq!(world.seal_fault(), SealFault::Broken);
}

#[test]
fn a_vault_that_is_down_or_holds_what_cannot_be_read_is_a_fault() {
    let world = World::with(&sandbox::KEYED);
    world.vault.fail_to_read(3);
    assert_eq!(opened(&world.use_it().expect("it is asked again")), Some("tok_1"));
    world.vault.fail_to_read(usize::MAX);
    assert!(matches!(world.refusal(World::use_it), Refusal::Fault(Fault::Store(_))));
    world.vault.fail_to_read(0);
    world.vault.put(world.vault.items().remove(0).with("f", 2));
    assert!(matches!(world.refusal(World::use_it), Refusal::Fault(Fault::Stored(_))));
}
