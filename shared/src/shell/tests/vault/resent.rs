//! A payment by a stored method is sent again without its caller: with the token from the vault, or not at all.

use std::time::Duration;

use super::super::fuse::block_on;
use super::super::gateway::{Fate, Seen};
use super::super::world::World;
use super::{asking, keys};
use crate::card::Secret;
use crate::event::EventNames;
use crate::gateways::sandbox;
use crate::ids::MethodId;
use crate::method::{Change, Status};
use crate::payment::asked::OnFile;
use crate::payment::tests::fixtures::{gateway_id, merchant, method_id, opening, stored_method};
use crate::payment::{Instrument, Kind, Request, State};
use crate::ports::{Clock, Method};
use crate::shell::Shell;

fn sale(on_file: OnFile) -> Request {
    opening(Kind::Sale, Instrument::Stored(on_file), "order 1", 100)
}

/// A card that the gateway keeps, and a sale by it whose answer was lost.
fn lost() -> (World, MethodId, Seen) {
    let world = World::with(&sandbox::KEYED);
    let mut asking = asking("method 1");
    asking.asked.details.gateway_type = Some("card_v2".to_owned());
    world.tokenize(&asking).expect("an answer");
    world.gateway.foresee(&[Fate::LosesAnswer]);
    let on_file = block_on(world.shell.on_file(&merchant(), &asking.id, gateway_id(), world.deadline()));
    let reply = world.ask(&sale(on_file.expect("a method"))).expect("an answer");
    assert!(matches!(reply.payment.operations[0].state, State::Open(_)), "{reply:?}");
    world.notes.read();
    let sent = world.gateway.seen().pop().expect("a request");
    assert!(sent.body.contains("tok_of_the_gateway_0") && sent.body.contains("card_v2"), "{}", sent.body);
    (world, asking.id, sent)
}

impl World {
    /// Looks as soon as it is due; what was sent then.
    fn look(&self) -> Vec<Seen> {
        let before = self.gateway.seen().len();
        self.clock.move_to(self.payment().and_then(|payment| payment.due_at()).expect("a time to look"));
        block_on(self.following_up()).expect("a look");
        self.gateway.seen().split_off(before)
    }

    fn change_to(&self, id: &MethodId, status: Status) {
        let change = Change { status: Some(status), ..Change::default() };
        block_on(self.shell.change_method(&merchant(), id, &change, EventNames::NONE, self.deadline()))
            .expect("an answer");
    }
}

/// Nothing is sent while the token is not to be had, and the journal hears why; then the gateway is asked what became
/// of the payment.
fn is_looked_up_instead(world: &World, id: &MethodId, says: &str) {
    let start = world.clock.now();
    let mut asked = Vec::new();
    for _ in 0..20 {
        asked.extend(world.look());
        if !asked.is_empty() {
            break;
        }
        let mut noted = world.notes.read();
        // A person is told of that too, in the end.
        noted.retain(|note| !note.starts_with("Overdue"));
        let [note] = noted.as_slice() else { panic!("{noted:?}") };
        for word in ["Locked", &id.to_string(), says] {
            assert!(note.contains(word), "{word} is missing: {note}");
        }
        assert!(matches!(world.last_operation().state, State::Open(_)));
    }
    let [asked] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((asked.method, asked.body.as_str()), (Method::Get, ""), "it is a question");
    assert!(world.clock.now().since(start) >= Duration::from_secs(59 * 60), "as long as it might be sent again");
    assert!(world.last_operation().is_approved());
    assert_eq!((world.effects(0), world.notes.read()), (1, Vec::new()));
}

#[test]
fn it_is_the_first_request_to_the_letter() {
    let (world, _, sent) = lost();
    let again = world.look();
    let [again] = again.as_slice() else { panic!("{again:?}") };
    assert_eq!((&again.path, &again.key, &again.body), (&sent.path, &sent.key, &sent.body));
    assert!(world.last_operation().is_approved() && world.notes.read().is_empty());
    assert_eq!(world.effects(0), 1);
}

#[test]
fn whoever_takes_no_cards_pays_by_it_without_the_key_of_fingerprints() {
    let mut world = World::with(&sandbox::KEYED);
    let asking = asking("method 1");
    world.tokenize(&asking).expect("an answer");
    world.shell.fingerprint_key = None;
    let on_file = block_on(world.shell.on_file(&merchant(), &asking.id, gateway_id(), world.deadline()));
    let reply = world.ask(&sale(on_file.expect("a method"))).expect("an answer");
    assert!(matches!(reply.payment.operations[0].state, State::Settled(_)), "{reply:?}");
    let by_card = opening(Kind::Sale, asking.instrument, "order 2", 100);
    assert!(world.ask(&by_card).is_err(), "a card is not taken without it");
}

#[test]
fn it_is_sent_again_whatever_key_its_token_is_sealed_under_by_then() {
    let (mut world, id, sent) = lost();
    world.shell.sealing_keys = keys(&["k2", "k1"]);
    block_on(world.shell.on_file(&merchant(), &id, gateway_id(), world.deadline())).map(|_| ()).expect("a method");
    assert_eq!(world.stored(&id).and_then(|method| method.token).expect("a token").key.as_str(), "k2");
    assert_eq!(world.look().pop().map(|again| (again.key, again.body)), Some((sent.key, sent.body)));
}

#[test]
fn it_is_sent_again_by_a_method_that_is_not_to_be_used_for_now() {
    let (world, id, sent) = lost();
    world.change_to(&id, Status::Inactive);
    assert_eq!(world.look().pop().map(|again| (again.key, again.body)), Some((sent.key, sent.body)));
    assert!(world.last_operation().is_approved());
}

#[test]
fn it_is_not_sent_again_where_its_token_does_not_open_and_is_looked_up_instead() {
    let (mut world, id, _) = lost();
    world.shell.sealing_keys = keys(&["k2"]);
    is_looked_up_instead(&world, &id, "sealed under the key");
}

#[test]
fn it_is_not_sent_again_where_its_method_was_canceled_and_is_looked_up_instead() {
    let (world, id, _) = lost();
    world.change_to(&id, Status::Canceled);
    is_looked_up_instead(&world, &id, "is gone");
}

#[test]
fn it_is_sent_again_as_soon_as_its_token_is_to_be_had_again() {
    let (mut world, _, sent) = lost();
    let keys = std::mem::replace(&mut world.shell.sealing_keys, keys(&["k2"]));
    assert!(world.look().is_empty());
    world.shell.sealing_keys = keys;
    assert_eq!(world.look().pop().map(|again| (again.key, again.body)), Some((sent.key, sent.body)));
    assert_eq!(world.effects(0), 1);
}

#[test]
fn it_is_not_sent_again_while_the_vault_is_down() {
    let (world, id, _) = lost();
    world.vault.fail_to_read(usize::MAX);
    assert!(world.look().is_empty());
    let noted = world.notes.read().join("\n");
    assert!(["Locked", &id.to_string(), "the store is down"].iter().all(|word| noted.contains(word)), "{noted}");
    world.vault.fail_to_read(0);
    assert_eq!(world.look().len(), 1);
    assert!(world.last_operation().is_approved());
}

#[test]
fn a_vault_that_is_slow_takes_no_time_from_writing_the_answer() {
    let (world, ..) = lost();
    world.clock.move_to(world.payment().and_then(|payment| payment.due_at()).expect("a time to look"));
    let deadline = world.deadline();
    world.vault.fail_to_read(20);
    let before = world.clock.now();
    block_on(world.following_up()).expect("a look");
    let waited = world.clock.now().since(before);
    let timeout = world.gateway.seen().pop().expect("a request").timeout;
    assert!(waited > Duration::from_secs(12), "it waited for {waited:?}");
    assert_eq!(timeout, deadline.since(world.clock.now()) - Duration::from_secs(3), "what is left, but the reserve");
}

#[test]
fn a_payment_whose_caller_has_no_token_is_not_sent_where_the_vault_has_none() {
    for locked in [false, true] {
        let mut world = World::with(&sandbox::KEYED);
        if locked {
            world.shell.sealing_keys = keys(&["k2"]);
        }
        let reply = world.ask(&sale(OnFile::unopened(method_id()))).expect("an answer");
        let operation = &reply.payment.operations[0];
        assert_eq!((operation.state == State::Unsent, operation.is_approved()), (locked, !locked));
        let seen = world.gateway.seen();
        assert_eq!((seen.len(), world.notes.read().len()), (usize::from(!locked), usize::from(locked)));
        assert!(seen.iter().all(|seen| seen.body.contains("tok_1")));
    }
}

#[test]
fn a_token_that_the_caller_brought_is_used_without_asking_the_vault() {
    let world = World::with(&sandbox::KEYED);
    let shell = Shell { vault: None, sealing_keys: None, ..world.shell.clone() };
    let token = Some(Secret::new("tok_1".to_owned()));
    let request = sale(OnFile { token, ..OnFile::unopened(method_id()) });
    let reply = block_on(shell.perform(merchant(), world.route(), &request, None, world.deadline()));
    assert!(reply.is_ok_and(|reply| reply.payment.operations[0].is_approved()));
}

#[test]
fn a_question_needs_no_token() {
    let mut world = World::with(&sandbox::LOOK_UP);
    world.gateway.foresee(&[Fate::LosesAnswer]);
    world.ask(&opening(Kind::Sale, stored_method(), "order 1", 100)).expect("an answer");
    world.notes.read();
    (world.shell.vault, world.shell.sealing_keys) = (None, None);
    assert_eq!(world.look().first().map(|seen| seen.method), Some(Method::Get));
    assert!(world.last_operation().is_approved() && world.notes.read().is_empty());
}
