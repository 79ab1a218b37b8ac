//! The world to order, with a caller and a follow-up in it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fuse::{Fuse, block_on};
use super::gateway::Sandbox;
use super::shelf::Shelf;
use crate::event::EventNames;
use crate::gateways::Adapter;
use crate::ids::{Ordinal, PaymentId};
use crate::merchant::Gateway;
use crate::money::Money;
use crate::payment::tests::fixtures::{LIFE, START, fingerprint_key, gateway, gateway_id, merchant, vault};
use crate::payment::{Action, Operation, Outcome, Payment, Request};
use crate::ports::{Called, Clock, Decision, Entropy, Journal, Note, Pending};
use crate::rejection::Refusal;
use crate::shell::{Reply, Route, Shell};
use crate::stored::payment::Stored;
use crate::time::Timestamp;

/// A clock that stands still until it is moved; to sleep moves it.
pub(super) struct Hands {
    now: AtomicI64,
    fuse: Arc<Fuse>,
}

impl Hands {
    pub(super) fn advance(&self, duration: Duration) {
        self.move_to(self.now().plus(duration));
    }

    /// Never back.
    pub(super) fn move_to(&self, moment: Timestamp) {
        self.now.fetch_max(moment.as_millis(), Ordering::Relaxed);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::Relaxed))
    }

    fn sleep(&self, duration: Duration) -> Pending<'_, ()> {
        Box::pin(self.fuse.around(async move { self.advance(duration) }))
    }
}

/// Counts, at both ends; its first byte, by which waits are drawn, is always the greatest.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn bytes(&self) -> [u8; 16] {
        let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        (u128::from(u8::MAX) << 120 | u128::from(count) << 64 | u128::from(count)).to_be_bytes()
    }
}

/// Remembers what a person should know, as text, and what was decided, as versions.
#[derive(Default)]
pub(super) struct Notes {
    notes: Mutex<Vec<String>>,
    decisions: Mutex<Vec<[Option<u64>; 2]>>,
}

impl Notes {
    /// What was noted since it was last read.
    pub(super) fn read(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().expect("the notes"))
    }

    /// What was decided since it was last asked for: the version there was, and the one that follows. None for
    /// nothing stored, and for a refusal.
    pub(super) fn decisions(&self) -> Vec<[Option<u64>; 2]> {
        std::mem::take(&mut *self.decisions.lock().expect("the decisions"))
    }
}

impl Journal for Notes {
    fn note(&self, note: &Note<'_>) {
        // A gateway that answers is nothing to worry about.
        if !matches!(note, Note::Called(Called { fault: None, .. })) {
            self.notes.lock().expect("the notes").push(format!("{note:?}"));
        }
    }

    fn decided(&self, decision: &Decision<'_>) {
        let before = decision.before.map(|payment| payment.version);
        let after = decision.follows.ok().map(|step| step.payment.version);
        self.decisions.lock().expect("the decisions").push([before, after]);
    }
}

pub(super) struct World {
    pub(super) shell: Shell,
    pub(super) store: Arc<Shelf>,
    pub(super) vault: Arc<Shelf>,
    pub(super) gateway: Arc<Sandbox>,
    pub(super) clock: Arc<Hands>,
    pub(super) notes: Arc<Notes>,
    pub(super) fuse: Arc<Fuse>,
    pub(super) set_up: Gateway,
    adapter: &'static Adapter,
}

impl World {
    pub(super) fn with(adapter: &'static Adapter) -> Self {
        let fuse = Arc::new(Fuse::default());
        let clock = Arc::new(Hands { now: AtomicI64::new(START.as_millis()), fuse: fuse.clone() });
        let store = Arc::new(Shelf::with(fuse.clone()));
        let notes = Arc::new(Notes::default());
        let gateway_server = Arc::new(Sandbox::of(adapter, clock.clone(), fuse.clone()));
        let (stored_methods, sealing_keys) = vault();
        let vault = Arc::new(Shelf::with(fuse.clone()));
        stored_methods.items().into_iter().for_each(|item| vault.put(item));
        let shell = Shell {
            store: store.clone(),
            http: gateway_server.clone(),
            clock: clock.clone(),
            entropy: Arc::new(Counting::default()),
            journal: notes.clone(),
            fingerprint_key: Some(Arc::new(fingerprint_key())),
            vault: Some(vault.clone()),
            sealing_keys: Some(Arc::new(sealing_keys)),
            limiter: None,
        };
        Self { shell, store, vault, gateway: gateway_server, clock, notes, fuse, set_up: gateway(adapter), adapter }
    }

    pub(super) fn route(&self) -> Route<'_> {
        Route {
            merchant: merchant(),
            id: gateway_id(),
            gateway: &self.set_up,
            adapter: self.adapter,
            wanted: EventNames::NONE,
        }
    }

    /// A caller asks, as a function would pass it on.
    pub(super) async fn asking(&self, request: &Request) -> Result<Reply, Refusal> {
        let deadline = self.clock.now().plus(LIFE);
        self.asking_until(request, deadline).await
    }

    pub(super) async fn asking_until(&self, request: &Request, deadline: Timestamp) -> Result<Reply, Refusal> {
        let stored = match (&request.action, self.payment()) {
            (Action::Act(_), Some(payment)) => self.shell.read(payment.key(), deadline).await?,
            (Action::Act(_) | Action::Open(_), _) => None,
        };
        self.shell.perform(merchant(), self.route(), request, stored, deadline).await
    }

    pub(super) fn ask(&self, request: &Request) -> Result<Reply, Refusal> {
        block_on(self.asking(request))
    }

    /// Somebody looks at the payment, as a message would make them.
    pub(super) async fn following_up(&self) -> Result<Option<Timestamp>, Refusal> {
        let deadline = self.clock.now().plus(LIFE);
        let Some(payment) = self.payment() else { return Ok(None) };
        let stored = self.shell.read(payment.key(), deadline).await?.expect("it is there");
        Ok(self.shell.follow_up(stored, self.route(), deadline).await?.payment.due_at())
    }

    /// The gateway tells unasked what became of the last operation.
    pub(super) async fn hearing(&self, outcome: Outcome) -> Result<(), Refusal> {
        self.hearing_until(outcome, self.clock.now().plus(LIFE)).await
    }

    pub(super) async fn hearing_until(&self, outcome: Outcome, deadline: Timestamp) -> Result<(), Refusal> {
        self.hearing_amount(outcome, None, deadline).await
    }

    /// The same, of this amount.
    pub(super) async fn hearing_amount(
        &self,
        outcome: Outcome,
        amount: Option<Money>,
        deadline: Timestamp,
    ) -> Result<(), Refusal> {
        let payment = self.payment().expect("a payment");
        let last = Ordinal::new(payment.operations.len() - 1).expect("a place");
        let stored = self.shell.read(payment.key(), deadline).await?.expect("it is there");
        self.shell.hear(stored, self.route(), last, (outcome, amount), deadline).await
    }

    /// Looks whenever it is due, until nothing is.
    pub(super) fn settle(&self) {
        for _ in 0..20 {
            let Some(due) = self.payment().and_then(|payment| payment.due_at()) else { return };
            self.clock.move_to(due);
            self.gateway.deliver_what_is_late();
            block_on(self.following_up()).expect("a look that nothing hinders");
        }
        panic!("it never settles: {:?}", self.payment());
    }

    /// The payment as it is stored; each world has one at most.
    pub(super) fn payment(&self) -> Option<Payment> {
        let mut items = self.store.items();
        assert!(items.len() <= 1, "two payments in one world");
        items.pop().map(|item| Stored::from_item(item).expect("an item of ours").payment)
    }

    pub(super) fn last_operation(&self) -> Operation {
        self.payment().and_then(|mut payment| payment.operations.pop()).expect("an operation")
    }

    /// Our name for the operation at this place.
    pub(super) fn reference(&self, place: usize) -> String {
        let payment = self.payment().expect("a payment");
        let (ordinal, operation) = payment.numbered().nth(place).expect("an operation");
        reference(payment.id, operation, ordinal)
    }

    /// What the gateway did under that name.
    pub(super) fn effects(&self, place: usize) -> usize {
        self.gateway.effects(&self.reference(place))
    }
}

pub(super) fn reference(payment: PaymentId, operation: &Operation, ordinal: Ordinal) -> String {
    operation.record().id(payment, ordinal).to_string()
}
