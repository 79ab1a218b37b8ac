//! Carries out what [`step`] decides: write, act, feed the answer back, until nothing is left to do.
//!
//! The order is the protocol. The payment that says what we intend is written before the gateway hears
//! of it, and the payment that says what came of it before the caller does. When somebody else wrote in
//! between, the same event is put to what they wrote. Whoever runs this may be killed at any await:
//! what is written then carries the time at which somebody else must look.

mod account;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use crate::event::EventNames;
use crate::fingerprint::{Fingerprint, FingerprintKey};
use crate::gateways::{Adapter, Credential, Exchange, Intent};
use crate::ids::{GatewayId, Id, MerchantId, Ordinal, PaymentKey};
use crate::merchant::{Gateway, Merchant};
use crate::money::Money;
use crate::payment::asked::{InstrumentFacts, OnFile};
use crate::payment::outbox::{Entry, Round};
use crate::payment::{
    Action, Claim, Effect, Event, Instrument, Nonce, Operation, Outcome, Payment, Request, Sequel, Source, Step, Terms,
    step,
};
use crate::ports::{
    Called, Clock, Decision, Entropy, Expected, Http, HttpFault, Journal, Limiter, Note, Pending, Store, StoreFault,
    Vault, Written,
};
use crate::rejection::{Fault, Refusal, Rejection};
use crate::seal::SealingKeys;
use crate::stored::payment::{MAX_SIZE, Stored};
use crate::time::Timestamp;

/// Kept back before the deadline for writing what the gateway said.
const WRITE_RESERVE: Duration = Duration::from_secs(3);

/// The least time worth giving a gateway.
const CALL_MINIMUM: Duration = Duration::from_secs(2);

/// The most time given to a gateway, whatever the deadline: longer than any of them documents.
const CALL_MAXIMUM: Duration = Duration::from_secs(15);

/// The first wait after the store failed or somebody else wrote; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Operations that one look at a payment finishes at most; the rest is due again at once.
pub const DUE_AT_ONCE: usize = 8;

/// The world, as the shell needs it.
#[derive(Clone)]
pub struct Shell {
    pub store: Arc<dyn Store>,
    pub http: Arc<dyn Http>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub journal: Arc<dyn Journal>,
    /// None in a function that takes no cards.
    pub fingerprint_key: Option<Arc<FingerprintKey>>,
    /// Where stored methods are; none in a function that uses none.
    pub vault: Option<Arc<dyn Vault>>,
    /// None in a function that opens no secrets.
    pub sealing_keys: Option<Arc<SealingKeys>>,
    /// Keeps to the gateways' own limits; none where nobody does.
    pub limiter: Option<Arc<dyn Limiter>>,
}

/// A gateway with the adapter that speaks to it.
#[derive(Clone, Copy)]
pub struct Route<'a> {
    pub merchant: MerchantId,
    pub id: GatewayId,
    pub gateway: &'a Gateway,
    pub adapter: &'static Adapter,
    /// What the merchant wants to hear of.
    pub wanted: EventNames,
}

impl<'a> Route<'a> {
    /// Fails where the gateway was set up for an adapter that this version does not have.
    pub fn to(merchant: &'a Merchant, id: GatewayId, wanted: EventNames) -> Result<Self, Fault> {
        let gateway = merchant.gateways.get(&id).ok_or_else(|| Fault::SetUp(format!("gateway {id} is gone")))?;
        let adapter = Adapter::named(&gateway.adapter);
        let unknown = || Fault::SetUp(format!("this version has no adapter {:?}", gateway.adapter));
        Ok(Self { merchant: merchant.id, id, gateway, adapter: adapter.ok_or_else(unknown)?, wanted })
    }

    fn terms(self) -> Terms {
        Terms { wanted: self.wanted, ..self.adapter.terms(self.gateway) }
    }
}

/// Where an operation stands after it was asked for.
#[derive(Clone, Debug)]
pub struct Reply {
    pub payment: Payment,
    pub operation: Ordinal,
    /// It was asked for before: nothing was done now.
    pub replayed: bool,
}

/// What came of a look at a payment.
#[derive(Clone, Debug)]
pub struct Look {
    /// How it stands now: due at once where the time did not suffice.
    pub payment: Payment,
    /// How long it was due; none where nothing was.
    pub late: Option<Duration>,
    /// What was found out.
    pub settled: Vec<Ordinal>,
}

/// A step that was decided and written.
struct Made {
    stored: Stored,
    operation: Option<Ordinal>,
    effect: Option<Effect>,
    contradiction: bool,
}

/// One request or reminder on its way through the loop.
struct Run<'a> {
    shell: &'a Shell,
    route: Route<'a>,
    terms: Terms,
    /// Empty where the gateway is not asked.
    credential: Credential,
    deadline: Timestamp,
    instrument: Option<&'a Instrument>,
    /// Whether anything was written or sent.
    acted: bool,
}

impl Shell {
    /// Reads a payment as it is now.
    pub async fn read(&self, key: PaymentKey, deadline: Timestamp) -> Result<Option<Stored>, Fault> {
        let key = key.to_string();
        let item = self.patiently(deadline, || self.store.read(&key)).await?;
        Ok(item.map(Stored::from_item).transpose()?)
    }

    /// Asks a store until it answers, as long as there is time.
    pub async fn patiently<'a, T>(
        &self,
        deadline: Timestamp,
        ask: impl Fn() -> Pending<'a, Result<T, StoreFault>>,
    ) -> Result<T, Fault> {
        let mut pause = Pause::default();
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(fault) => self.pause_after(fault, &mut pause, deadline).await?,
            }
        }
    }

    /// Carries out a request. `stored` is the payment it acts on; none for one that opens a payment,
    /// which is written without a look.
    pub async fn perform(
        &self,
        merchant: MerchantId,
        route: Route<'_>,
        request: &Request,
        stored: Option<Stored>,
        deadline: Timestamp,
    ) -> Result<Reply, Refusal> {
        let instrument = match &request.action {
            Action::Open(opening) => Some(&opening.instrument),
            Action::Act(_) => None,
        };
        let fingerprint = self.fingerprint(instrument)?;
        let event = Event::Requested { merchant, request, fingerprint, claim: self.claim(deadline) };
        let credential = self.credential(route)?;
        let mut run = Run { instrument, credential, ..Run::of(self, route, deadline) };
        let (stored, operation) = run.drive(stored, event).await?;
        let operation = operation.ok_or(Rejection::NotFound)?;
        Ok(Reply { payment: stored.payment, operation, replayed: !run.acted })
    }

    /// Looks at a payment whose time may have come, and does what is due. Harmless at any time, any
    /// number of times.
    pub async fn follow_up(&self, mut stored: Stored, route: Route<'_>, deadline: Timestamp) -> Result<Look, Refusal> {
        let credential = self.credential(route)?;
        let mut run = Run { credential, ..Run::of(self, route, deadline) };
        let now = self.clock.now();
        let late = stored.payment.due_at().filter(|due| *due <= now).map(|due| now.since(due));
        let mut settled = Vec::new();
        for _ in 0..DUE_AT_ONCE {
            let due = stored.payment.due_at();
            if due.is_none_or(|due| due > self.clock.now()) || run.time_to_call().is_none() {
                break;
            }
            let (next, looked_at) = run.drive(Some(stored), Event::Due { claim: self.claim(deadline) }).await?;
            let is_settled = |ordinal: &Ordinal| next.payment.operation(*ordinal).is_some_and(Operation::is_settled);
            settled.extend(looked_at.filter(is_settled));
            stored = next;
        }
        Ok(Look { payment: stored.payment, late, settled })
    }

    /// Takes in what a gateway tells unasked, of this amount where it says one. Harmless at any time, any number of times.
    pub async fn hear(
        &self,
        stored: Stored,
        route: Route<'_>,
        operation: Ordinal,
        (outcome, amount): (Outcome, Option<Money>),
        deadline: Timestamp,
    ) -> Result<(), Refusal> {
        let mut run = Run::of(self, route, deadline);
        // Nobody asked, so nobody's claim it is.
        let nonce = self.claim(deadline).nonce;
        let outcome = outcome.within_limits();
        let told = Event::Learned { operation, source: Source::Notice, nonce, outcome, amount };
        let made = run.write(Some(stored), &told).await?;
        run.note_contradiction(&made, &told);
        Ok(())
    }

    /// Takes in what a gateway tells of an operation that has its verdict. Harmless at any time, any number of times.
    pub async fn hear_sequel(
        &self,
        stored: Stored,
        route: Route<'_>,
        operation: Ordinal,
        sequel: &Sequel,
        deadline: Timestamp,
    ) -> Result<(), Refusal> {
        let mut run = Run::of(self, route, deadline);
        let before = stored.payment.version;
        let made = run.write(Some(stored), &Event::Followed { operation, sequel }).await?;
        let payment = &made.stored.payment;
        // One that there is no room for changes nothing, and a person must know of it all the more.
        let is_news = payment.version != before || made.contradiction;
        if let (true, Some(operation)) = (is_news, id(payment, operation)) {
            let is_strange = made.contradiction;
            self.journal.note(&Note::Followed { operation, what: sequel.what.name(), is_strange });
        }
        Ok(())
    }

    /// Writes down what came of telling merchants.
    pub async fn told(
        &self,
        stored: Stored,
        route: Route<'_>,
        round: &Round,
        deadline: Timestamp,
    ) -> Result<Payment, Refusal> {
        let made = Run::of(self, route, deadline).write(Some(stored), &Event::Told { round }).await?;
        Ok(made.stored.payment)
    }

    /// Sees to it that merchants are told something once more.
    pub async fn tell_again(
        &self,
        stored: Stored,
        route: Route<'_>,
        entry: &Entry,
        deadline: Timestamp,
    ) -> Result<(), Refusal> {
        let Entry { operation, news, at, .. } = *entry;
        Run::of(self, route, deadline).write(Some(stored), &Event::ToldAgain { operation, news, at }).await.map(drop)
    }

    /// Of what was sent and must not rest.
    pub(crate) fn fingerprint(&self, instrument: Option<&Instrument>) -> Result<Option<Fingerprint>, Fault> {
        // What is stored whole needs none: so whoever charges nothing else needs no key.
        let Some(instrument) = instrument.filter(|instrument| !matches!(instrument, Instrument::Stored(_))) else {
            return Ok(None);
        };
        let no_key = || Fault::SetUp("this function has no fingerprint key".to_owned());
        Ok(Fingerprint::of(instrument, self.fingerprint_key.as_ref().ok_or_else(no_key)?))
    }

    /// Somebody who works until then, told from everybody else.
    pub fn claim(&self, deadline: Timestamp) -> Claim {
        let bytes = self.entropy.bytes();
        Claim { nonce: Nonce(u128::from_be_bytes(bytes) as u64), deadline }
    }

    /// Waits before the store is asked again, as long as that leaves time for anything.
    pub(crate) async fn pause_after(
        &self,
        fault: StoreFault,
        pause: &mut Pause,
        deadline: Timestamp,
    ) -> Result<(), Fault> {
        let waited = self.pause(pause, deadline).await;
        if waited { Ok(()) } else { Err(Fault::Store(Box::new(fault))) }
    }

    /// Whether there was time to wait.
    pub(crate) async fn pause(&self, pause: &mut Pause, deadline: Timestamp) -> bool {
        let is_time = self.clock.now().plus(LONGEST_PAUSE) < deadline;
        if is_time {
            self.clock.sleep(pause.next(self.entropy.bytes()[0])).await;
        }
        is_time
    }

    /// How long the gateway may take, so that its answer can still be written before we are killed.
    pub(crate) fn time_to_call(&self, deadline: Timestamp) -> Option<Duration> {
        let left = deadline.since(self.clock.now()).saturating_sub(WRITE_RESERVE);
        (left >= CALL_MINIMUM).then_some(left.min(CALL_MAXIMUM))
    }
}

impl<'a> Run<'a> {
    /// Whoever asks for nothing brings nothing.
    fn of(shell: &'a Shell, route: Route<'a>, deadline: Timestamp) -> Self {
        let credential = Credential::default();
        Self { shell, route, terms: route.terms(), credential, deadline, instrument: None, acted: false }
    }
    /// Puts the event to the payment, and what comes of its effects, until nothing is left to do.
    async fn drive(&mut self, stored: Option<Stored>, event: Event<'_>) -> Result<(Stored, Option<Ordinal>), Refusal> {
        let mut made = self.write(stored, &event).await?;
        while let Some(effect) = made.effect {
            let learned = self.carry_out(effect, &made.stored.payment).await;
            match self.write(Some(made.stored.clone()), &learned).await {
                Ok(next) => {
                    self.note_contradiction(&next, &learned);
                    made = next;
                }
                // What we learned could not be written, so no caller may hear of it: the operation stays open.
                Err(Refusal::Fault(fault)) => {
                    self.note_unwritten(&made.stored.payment, &learned);
                    if sent_nothing(effect, &learned) {
                        return Err(fault.into());
                    }
                    break;
                }
                Err(Refusal::Rejection(rejection)) => return Err(rejection.into()),
            }
        }
        if let (true, Some(ordinal)) = (self.acted, made.operation) {
            self.note_overdue(&made.stored.payment, ordinal);
        }
        Ok((made.stored, made.operation))
    }

    /// A person should know of what the gateway leaves open for too long, and of what nobody can find out.
    fn note_overdue(&self, payment: &Payment, ordinal: Ordinal) {
        let Some(operation) = payment.operation(ordinal) else { return };
        let now = self.shell.clock.now();
        if let (true, Some(id)) = (operation.is_overdue(&self.terms, now), id(payment, ordinal)) {
            self.shell.journal.note(&Note::Overdue { operation: id, since: now.since(operation.requested_at) });
        }
    }

    fn note_unwritten(&self, payment: &Payment, learned: &Event<'_>) {
        let Event::Learned { operation, outcome, .. } = learned else { return };
        if let Some(operation) = id(payment, *operation) {
            self.shell.journal.note(&Note::Unwritten { operation, heard: outcome });
        }
    }

    fn note_contradiction(&self, made: &Made, learned: &Event<'_>) {
        let (true, Event::Learned { operation, outcome, .. }) = (made.contradiction, learned) else { return };
        let payment = &made.stored.payment;
        let settled = payment.operation(*operation).map_or("", |operation| operation.state.status());
        if let Some(operation) = id(payment, *operation) {
            self.shell.journal.note(&Note::Contradiction { operation, settled, heard: outcome });
        }
    }

    /// Decides what follows from the event and makes it so, against whoever else is writing.
    async fn write(&mut self, mut stored: Option<Stored>, event: &Event<'_>) -> Result<Made, Refusal> {
        let mut pause = Pause::default();
        let mut may_be_written = false;
        loop {
            let now = self.shell.clock.now();
            let before = stored.as_ref().map(|stored| &stored.payment);
            let decided = step(before, event, &self.terms, now);
            self.shell.journal.decided(&Decision { before, event, follows: decided.as_ref() });
            let Step { payment, operation, effect, contradiction } = decided?;
            if let (Event::Requested { .. }, Some(effect)) = (event, effect) {
                self.admit(effect, &payment)?;
            }
            let version = stored.as_ref().map(|stored| stored.payment.version);
            let next = Stored::following(stored.as_ref(), payment);
            let made = Made { stored: next, operation, effect, contradiction };
            if version == Some(made.stored.payment.version) {
                return Ok(made);
            }
            let item = made.stored.to_item();
            if matches!(event, Event::Requested { .. }) {
                if item.size_bytes() > MAX_SIZE {
                    return Err(Rejection::Full.into());
                }
                // A claim that leaves no time to use it would only be in the way, unless it already is: then
                // it is taken up, to be given back.
                if !may_be_written {
                    self.time_to_call().ok_or(Fault::NoTime)?;
                }
            }
            let expected = version.map_or(Expected::Absent, Expected::Version);
            match self.shell.store.write(item, expected).await {
                Ok(Written::Done) => {
                    self.acted = true;
                    return Ok(made);
                }
                Ok(Written::Conflict(found)) => {
                    stored = found.map(Stored::from_item).transpose().map_err(Fault::from)?;
                    self.give_way(&mut pause).await?;
                }
                Err(fault) => {
                    may_be_written = true;
                    self.shell.pause_after(fault, &mut pause, self.deadline).await?;
                }
            }
        }
    }

    /// Whether the gateway takes what is to be sent, as far as it documents that.
    fn admit(&self, effect: Effect, payment: &Payment) -> Result<(), Rejection> {
        let Effect::Send { operation: ordinal, duplicate: false, .. } = effect else { return Ok(()) };
        let Some(operation) = payment.operation(ordinal) else { return Ok(()) };
        let intent = Intent::of(payment, ordinal, operation, self.instrument, false);
        (self.route.adapter.admits)(&intent, &self.shell.account(self.route, &self.credential))
    }

    /// Somebody else wrote first. Many callers on one payment must not starve each other.
    async fn give_way(&self, pause: &mut Pause) -> Result<(), Refusal> {
        if pause.is_first() {
            pause.next(0);
            return Ok(());
        }
        let waited = self.shell.pause(pause, self.deadline).await;
        if waited { Ok(()) } else { Err(Fault::Busy.into()) }
    }

    async fn carry_out(&mut self, effect: Effect, payment: &Payment) -> Event<'static> {
        let (operation, source, nonce, duplicate, exchange) = match effect {
            Effect::Send { operation, claim, duplicate } => {
                (operation, Source::Answer, claim.nonce, duplicate, Some(self.route.adapter.send))
            }
            Effect::LookUp { operation, nonce } => {
                (operation, Source::LookUp, nonce, true, self.route.adapter.look_up.map(|(_, exchange)| exchange))
            }
            Effect::Reverse { operation, nonce } => (
                operation,
                Source::TimeoutReversal,
                nonce,
                true,
                self.route.adapter.timeout_reversal.map(|(_, exchange)| exchange),
            ),
        };
        self.acted = true;
        let outcome = match exchange {
            Some(exchange) => self.call(exchange, source, payment, operation, duplicate).await,
            None => Outcome::Unknown,
        };
        // Of how much an answer speaks, whoever decodes it has compared.
        Event::Learned { operation, source, nonce, outcome, amount: None }
    }

    async fn call(
        &self,
        exchange: Exchange,
        source: Source,
        payment: &Payment,
        ordinal: Ordinal,
        duplicate: bool,
    ) -> Outcome {
        let Some(operation) = payment.operation(ordinal) else { return Outcome::Unknown };
        let Ok(stored) = self.stored_instrument(payment, operation, source).await else { return Outcome::NotSent };
        if !self.shell.is_within_rate(self.route).await {
            return Outcome::NotSent;
        }
        // Not before: the vault and the table of rates may have taken their time.
        let Some(timeout) = self.time_to_call() else { return Outcome::NotSent };
        let instrument = stored.as_ref().or(self.instrument);
        let intent = Intent::of(payment, ordinal, operation, instrument, duplicate);
        let request = (exchange.encode)(&intent, &self.shell.account(self.route, &self.credential));
        let asked_at = self.shell.clock.now();
        let (outcome, fault) = match self.shell.http.send(request, timeout).await {
            Ok(response) => ((exchange.decode)(&intent, &response), None),
            Err(fault @ HttpFault::NotSent(_)) => (Outcome::NotSent, Some(fault)),
            Err(fault @ HttpFault::Lost(_)) => (Outcome::Unknown, Some(fault)),
        };
        let outcome = match instrument {
            Some(instrument) => outcome.without_instrument(instrument),
            None => outcome,
        };
        let outcome = self.credential.secrets().fold(outcome, Outcome::without);
        // A journal rests too.
        let outcome = outcome.within_limits();
        self.shell.journal.note(&Note::Called(Called {
            gateway: payment.gateway,
            source,
            operation: operation.record().id(payment.id, ordinal),
            outcome: &outcome,
            fault: fault.as_ref(),
            took: self.shell.clock.now().since(asked_at),
        }));
        outcome
    }

    /// The stored method that it is paid with, where nobody has opened its token: the request is sent again, or the
    /// caller named a method that cannot be used any more.
    async fn stored_instrument(
        &self,
        payment: &Payment,
        operation: &Operation,
        source: Source,
    ) -> Result<Option<Instrument>, Fault> {
        let Some(InstrumentFacts::Stored(method)) = &operation.asked.instrument else { return Ok(None) };
        let is_opened = matches!(self.instrument, Some(Instrument::Stored(OnFile { token: Some(_), .. })));
        if is_opened || source != Source::Answer {
            return Ok(None);
        }
        let opened = self.shell.on_file_again(&payment.merchant, method, self.deadline).await;
        if let Err(fault) = &opened {
            let source = fault.source().map(|source| format!(": {source}")).unwrap_or_default();
            self.shell.journal.note(&Note::Locked { method: method.id(), cause: &format!("{fault}{source}") });
        }
        opened.map(|on_file| Some(Instrument::Stored(on_file)))
    }

    fn time_to_call(&self) -> Option<Duration> {
        self.shell.time_to_call(self.deadline)
    }
}

/// Whether the gateway certainly never heard of the operation. If that was written after all, unacknowledged,
/// nothing is left to find out: whoever were told to wait would wait for ever. The same key may be used again
/// whether it was written or not.
fn sent_nothing(effect: Effect, learned: &Event<'_>) -> bool {
    let is_first = matches!(effect, Effect::Send { duplicate: false, .. });
    is_first && matches!(learned, Event::Learned { outcome: Outcome::NotSent, .. })
}

fn id(payment: &Payment, ordinal: Ordinal) -> Option<Id> {
    payment.operation(ordinal).map(|operation| operation.record().id(payment.id, ordinal))
}

/// A growing wait, each a random part of twice the one before.
#[derive(Default)]
pub(crate) struct Pause(u32);

impl Pause {
    fn is_first(&self) -> bool {
        self.0 == 0
    }

    fn next(&mut self, random: u8) -> Duration {
        let longest = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.0)).min(LONGEST_PAUSE);
        self.0 = self.0.saturating_add(1);
        longest.saturating_mul(u32::from(random)) / u32::from(u8::MAX)
    }
}

#[cfg(test)]
mod tests;
