//! Charges what is due of one schedule: writes that it will, makes the sale, writes what came of it.
//!
//! The sale is one like any other, under a key made of the item and of how often it was tried. Whoever goes on for the run
//! that began to charge an item, once its time is over, asks for the very same sale: it is made once, or was made already.

use std::time::Duration;

use kessai_shared::ids::{Id, MethodId, Ordinal, PaymentId, PaymentKey, Record};
use kessai_shared::merchant::Merchant;
use kessai_shared::method::{self, Method};
use kessai_shared::payment::asked::{Amount, Details, OnFile, Opening};
use kessai_shared::payment::{
    Action, IdempotencyKey, Instrument, Kind, MARGIN, Nonce, Operation, Payment, Request, Settled, State, Verdict,
};
use kessai_shared::ports::Note;
use kessai_shared::recurring::calendar::Date;
use kessai_shared::recurring::ids::{ItemNumber, RecurringKey, ScheduleId};
use kessai_shared::recurring::retry::{self, Category, Decision};
use kessai_shared::recurring::run::{Counts, Takes};
use kessai_shared::recurring::schedule::step::{Came, Charge, Charged, Event, Sale, step};
use kessai_shared::recurring::schedule::{Failure, Schedule, Status, Tried};
use kessai_shared::recurring::scheduler::Criteria;
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::stored::method::{StoredMethod, account_key};
use kessai_shared::stored::recurring::lane::StoredLane;
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use kessai_shared::time::Timestamp;

use super::Looking;
use super::lane::Pace;
use super::retries::{self, RetryRuns};
use crate::door::{owner, perform_opening, route};
use crate::problem::Problem;

/// Less time than this before the deadline is too little to begin: to write, to ask a gateway, to write.
pub(super) const CHARGE: Duration = Duration::from_secs(12);

/// Items of one schedule that are charged one after the other before somebody looks at its page anew.
const ITEMS_AT_ONCE: usize = 100;

/// When to ask again what became of a sale that is open, or was not made: the longer it has been so, the later.
const ASK_AGAIN: Duration = Duration::from_secs(60);
const ASK_AGAIN_AT_LAST: Duration = Duration::from_secs(6 * 60 * 60);

/// So long a gateway is tried to be reached before the sale counts as failed.
const SEND_FOR: Duration = Duration::from_secs(60 * 60);

/// Methods of an account among which another one is looked for.
const METHODS: u16 = 100;

/// Charges schedules for one page of a run.
#[derive(Clone, Copy)]
pub(super) struct Charging<'a> {
    pub looking: &'a Looking<'a>,
    pub merchant: &'a Merchant,
    pub takes: Takes,
    pub criteria: &'a Criteria,
    pub tried: Tried,
    /// Whether it looks again at what it began in other pages.
    pub is_open: bool,
    /// Whether anything is begun that was not.
    pub begins: bool,
    /// None where one schedule alone is looked at.
    pub pace: Option<&'a Pace>,
    pub retries: &'a RetryRuns,
}

/// What came of a schedule.
#[derive(Clone, Copy, Default)]
pub(super) struct Looked {
    /// Of what ended in this page.
    pub counts: Counts,
    /// There is more to charge, once another run is done with it.
    pub is_held_up: bool,
}

/// What one turn came to.
enum Turn {
    /// There is nothing to charge, or nothing that can be charged now.
    Nothing { is_held_up: bool },
    /// There may be more.
    Done,
    /// There is no time for it.
    NoTime,
}

/// Looks at a schedule by itself, later than a run should have: its lists lag behind, and somebody may have stopped what
/// was to come.
pub(super) async fn look(looking: &Looking<'_>, id: ScheduleId) -> Result<(), Refusal> {
    let Some(mut stored) = read(looking, id).await? else { return Ok(()) };
    let Some((item, _)) = stored.schedule.processing() else {
        return match stored.schedule.earliest_retry() {
            Some(at) => retries::try_again_now(looking, at).await,
            None => Ok(()),
        };
    };
    let Some(tried) = item.tried_by else { return Ok(()) };
    let lane = RecurringKey::Lane(tried.run, id.lane());
    let lane = looking.read(lane, StoredLane::from_item).await?;
    if lane.is_some_and(|stored| !stored.lane.is_done()) {
        // It counts what becomes of this.
        return Ok(());
    }
    let merchant = owner(looking.app, looking.merchant, looking.deadline).await?;
    let (criteria, retries) = (Criteria::default(), RetryRuns::default());
    let takes = Takes::ReadyOn(Date::MIN);
    let charging = Charging {
        looking,
        merchant: &merchant,
        takes,
        criteria: &criteria,
        tried,
        is_open: false,
        begins: false,
        pace: None,
        retries: &retries,
    };
    charging.turn(&mut stored).await.map(drop)
}

/// Charges all that is due of a schedule; what ended in this page. None where there was no time for it.
pub(super) async fn charge(charging: Charging<'_>, id: ScheduleId) -> Result<Option<Looked>, Refusal> {
    let Some(mut stored) = read(charging.looking, id).await? else { return Ok(Some(Looked::default())) };
    for _ in 0..ITEMS_AT_ONCE {
        let counts = stored.schedule.counted(charging.tried);
        match charging.turn(&mut stored).await? {
            Turn::Nothing { is_held_up } => return Ok(Some(Looked { counts, is_held_up })),
            Turn::NoTime => return Ok(None),
            Turn::Done => {}
        }
    }
    Ok(None)
}

async fn read(looking: &Looking<'_>, id: ScheduleId) -> Result<Option<StoredSchedule>, Fault> {
    looking.read(RecurringKey::Schedule(id), StoredSchedule::from_item).await
}

impl Charging<'_> {
    /// Charges one item; what is stored then is there.
    async fn turn(&self, stored: &mut StoredSchedule) -> Result<Turn, Refusal> {
        let Looking { app, deadline, .. } = *self.looking;
        let claim = app.shell.claim(deadline);
        let Self { tried, is_open, takes, criteria, .. } = *self;
        let mut charge = Charge { tried, is_open, takes, criteria, claim, other_method: None };
        let schedule = &stored.schedule;
        let now = self.looking.now();
        let choice = schedule.choose(&charge, now);
        let Some(choice) = choice.filter(|choice| choice.is_known || self.begins) else {
            return Ok(Turn::Nothing { is_held_up: self.begins && schedule.is_held_up(&charge, now) });
        };
        if !self.has_turn(schedule).await? {
            return Ok(Turn::NoTime);
        }
        let last = schedule.item(choice.item).map_or(0, |item| item.attempts);
        for attempt in (1..choice.attempt).filter(|_| !choice.is_known) {
            let payment = self.payment(&schedule.sale_key(choice.item, attempt)).await?;
            let is_contradicted = payment.as_ref().and_then(opening).is_some_and(Operation::is_said_to_have_happened);
            if let Some(payment) = payment.filter(|_| is_contradicted) {
                let came = Came::Contradicted { payment: record(&payment) };
                self.put(stored, choice.item, last, claim.nonce, came).await?;
                return Ok(Turn::Done);
            }
        }
        if let Some(method) = choice.other_than {
            charge.other_method = self.other_method(schedule, method).await?;
        }
        let now = self.looking.now();
        let begun = step(schedule, Event::Charge(charge), now).map_err(|refused| strange(&refused))?;
        if begun.schedule.version == schedule.version && begun.effect.is_none() {
            return Ok(Turn::Nothing { is_held_up: false });
        }
        let next = self.following(stored, begun.schedule, now);
        if !self.looking.write(next.to_item()).await? {
            self.read_again(stored).await?;
            return Ok(Turn::Done);
        }
        *stored = next;
        let Some(sale) = begun.effect else { return Ok(Turn::Done) };
        let Some(came) = self.sell(&stored.schedule, &sale).await? else { return Ok(Turn::Done) };
        self.put(stored, sale.item, sale.attempt, claim.nonce, came).await?;
        Ok(Turn::Done)
    }

    /// Somebody else has written.
    async fn read_again(&self, stored: &mut StoredSchedule) -> Result<(), Fault> {
        let found = read(self.looking, stored.schedule.id).await?;
        *stored = found.ok_or_else(|| Fault::SetUp("a schedule was there, and is gone".to_owned()))?;
        Ok(())
    }

    /// Writes what came of an attempt; what is stored then is there.
    async fn put(
        &self,
        stored: &mut StoredSchedule,
        item: ItemNumber,
        attempt: u16,
        nonce: Nonce,
        came: Came,
    ) -> Result<(), Refusal> {
        let id = stored.schedule.id;
        loop {
            let rules = self.merchant.retry_rules();
            let charged = Charged { item, attempt, nonce, came: came.clone(), rules: rules.as_ref() };
            let now = self.looking.now();
            let next = step(&stored.schedule, Event::Charged(charged), now).map_err(|refused| strange(&refused))?;
            if next.contradiction {
                let cause = format!("{}: what is heard of a charge contradicts what is known", id.item_id(item));
                self.looking.app.shell.journal.note(&Note::Failed { cause: &cause });
            }
            if next.schedule.version == stored.schedule.version {
                return Ok(());
            }
            if let Some(at) = next.retry_at {
                self.retries.ensure(self.looking, at, now).await?;
            }
            let next = self.following(stored, next.schedule, now);
            if self.looking.write(next.to_item()).await? {
                *stored = next;
                return Ok(());
            }
            self.read_again(stored).await?;
        }
    }

    /// What is written after `stored`, with what merchants are to be told of the difference.
    fn following(&self, stored: &StoredSchedule, mut schedule: Schedule, now: Timestamp) -> StoredSchedule {
        schedule.tell(Some(&stored.schedule), self.merchant.wanted(), now);
        StoredSchedule::following(Some(stored), schedule)
    }

    /// Waits until a gateway that takes so many requests a second can be asked; whether there is time for that.
    async fn has_turn(&self, schedule: &Schedule) -> Result<bool, Refusal> {
        let Looking { app, deadline, .. } = *self.looking;
        let now = self.looking.now();
        let spare = deadline.since(now);
        if spare < CHARGE {
            return Ok(false);
        }
        let per_second = match route(app, self.merchant, schedule.gateway) {
            Ok(route) => (route.adapter.rate)(route.gateway.mode),
            Err(_) => None,
        };
        let Some((pace, per_second)) = self.pace.zip(per_second) else { return Ok(true) };
        let latest = now.plus(spare.saturating_sub(CHARGE));
        let Some(turn) = pace.take(schedule.gateway, per_second, now, latest) else { return Ok(false) };
        if turn > now {
            app.shell.clock.sleep(turn.since(now)).await;
        }
        Ok(true)
    }

    /// Makes the sale, or asks what became of it. None where that cannot be said now.
    async fn sell(&self, schedule: &Schedule, sale: &Sale) -> Result<Option<Came>, Refusal> {
        let Looking { app, deadline, .. } = *self.looking;
        if schedule.status != Status::Open && self.payment(&sale.key).await?.is_none_or(|payment| is_unsent(&payment)) {
            // Its owner wants nothing begun any more, and nothing was.
            return Ok(Some(Came::NotSent));
        }
        let since = schedule.processing().map_or(self.looking.now(), |(_, processing)| processing.since);
        let problem = match perform_opening(app, self.merchant, request(schedule, sale)?, deadline).await {
            Ok(reply) => return self.came(&reply.payment, since),
            Err(problem) => problem,
        };
        // It may have been made before, and cannot be asked for in the same words any more.
        if let Some(payment) = self.payment(&sale.key).await? {
            return self.came(&payment, since);
        }
        Ok(match problem.status {
            409 => None,
            400..500 => Some(Came::Failed { payment: None, failure: refused(problem) }),
            _ => {
                let item = schedule.id.item_id(sale.item);
                let cause = format!("{item}: {}", problem.cause.unwrap_or(problem.message));
                app.shell.journal.note(&Note::Failed { cause: &cause });
                Some(Came::Pending { payment: None, due: self.ask_again(since) })
            }
        })
    }

    /// The payment that a sale opened.
    async fn payment(&self, key: &IdempotencyKey) -> Result<Option<Payment>, Fault> {
        let payment = PaymentId::opened_by(&self.merchant.id, key);
        let key = PaymentKey { merchant: self.merchant.id, payment };
        Ok(self.looking.app.shell.read(key, self.looking.deadline).await?.map(|stored| stored.payment))
    }

    /// When to ask again what became of an attempt.
    fn ask_again(&self, since: Timestamp) -> Timestamp {
        let now = self.looking.now();
        now.plus((now.since(since) / 2).clamp(ASK_AGAIN, ASK_AGAIN_AT_LAST))
    }

    /// What became of the sale that opened a payment; none while somebody is asking the gateway.
    fn came(&self, payment: &Payment, since: Timestamp) -> Result<Option<Came>, Refusal> {
        let Some(operation) = opening(payment) else { return Ok(None) };
        let (id, now) = (record(payment), self.looking.now());
        Ok(Some(match &operation.state {
            State::Open(open) if !open.unknown && open.deadline.plus(MARGIN) > now => return Ok(None),
            State::Open(_) | State::Accepted(_) => Came::Pending { payment: Some(id), due: self.ask_again(since) },
            State::Settled(_) if operation.is_approved() => Came::Processed { payment: id },
            State::Unsent | State::Settled(_) if operation.is_said_to_have_happened() => {
                Came::Contradicted { payment: id }
            }
            // The gateway is not to be reached: the same is asked for again, but not for ever.
            State::Unsent if now.since(since) < SEND_FOR => {
                Came::Pending { payment: Some(id), due: now.plus(ASK_AGAIN) }
            }
            state @ (State::Unsent | State::Settled(_)) => {
                let judge = route(self.looking.app, self.merchant, payment.gateway)?.adapter.judge;
                let Some(failure) = retry::Failure::of(state, payment.gateway, judge) else { return Ok(None) };
                Came::Failed { payment: Some(id), failure: told(state, failure) }
            }
        }))
    }

    /// Another method of the payer: the one that is for automatic payments, or else the latest.
    async fn other_method(&self, schedule: &Schedule, than: MethodId) -> Result<Option<MethodId>, Refusal> {
        let Looking { app, deadline, .. } = *self.looking;
        let (Some(vault), Some(account)) = (&app.shell.vault, &schedule.account) else { return Ok(None) };
        let key = account_key(&self.merchant.id, account);
        let (items, _) = app.shell.patiently(deadline, || vault.of_account(&key, None, METHODS)).await?;
        // One that cannot be read is none that could be charged.
        let methods =
            items.into_iter().filter_map(|item| StoredMethod::from_item(item).ok()).map(|stored| stored.method);
        let fits = |method: &Method| {
            let is_elsewhere = method.asked.gateway.is_some_and(|gateway| gateway != schedule.gateway);
            let is_usable = method.status() == Some(method::Status::Active) && schedule.gone(method.id).is_none();
            method.id != than && is_usable && !is_elsewhere
        };
        let best = methods.filter(fits).max_by_key(|method| (method.auto_pay(), method.requested_at));
        Ok(best.map(|method| method.id))
    }
}

/// The sale, as it is asked for each time.
fn request(schedule: &Schedule, sale: &Sale) -> Result<Request, Fault> {
    let amount = sale.amount.to_decimal().ok_or_else(|| Fault::SetUp("an amount".to_owned()))?;
    let opening = Opening {
        kind: Kind::Sale,
        gateway: sale.gateway,
        currency: schedule.currency,
        instrument: Instrument::Stored(OnFile::unopened(sale.method)),
    };
    let details = Details { account: schedule.account.clone(), submitted_by_merchant: true, ..Details::default() };
    Ok(Request { action: Action::Open(opening), key: sale.key.clone(), amount: Amount::Exactly(amount), details })
}

/// What opened a payment.
fn opening(payment: &Payment) -> Option<&Operation> {
    payment.operation(Ordinal::FIRST)
}

/// The id of the record of that.
fn record(payment: &Payment) -> Id {
    Record::Payment.id(payment.id, Ordinal::FIRST)
}

/// Whether no gateway has heard of it, for all that is known.
fn is_unsent(payment: &Payment) -> bool {
    let is_unsent = |operation: &Operation| operation.state == State::Unsent && !operation.is_said_to_have_happened();
    opening(payment).is_some_and(is_unsent)
}

/// Why it failed, in words.
fn told(state: &State, failure: retry::Failure<'_>) -> Failure {
    let retry::Failure { category, decision, decline, code, .. } = failure;
    let message = match state {
        State::Settled(Settled { verdict: Verdict::Declined(_), answer, .. }) => {
            answer.description.clone().or_else(|| answer.message.clone())
        }
        State::Settled(Settled { verdict: Verdict::Voided, .. }) => {
            Some("the gateway did not answer, and the sale was undone".to_owned())
        }
        State::Settled(_) => Some("the gateway has not received it".to_owned()),
        State::Unsent | State::Open(_) | State::Accepted(_) => Some("the gateway could not be reached".to_owned()),
    };
    Failure { category, decision, decline, code: code.map(str::to_owned), message }
}

/// It failed before it was sent. What its merchant has to set up, or its gateway has yet to tell, may be there by then.
fn refused(problem: Problem) -> Failure {
    let decision = if problem.is_for_now { Decision::Retriable } else { Decision::NonRetriable };
    let (category, code) = (Category::ValidationFailure, Some(problem.code.to_owned()));
    Failure { category, decision, decline: None, code, message: Some(problem.message) }
}

/// Charging refuses nothing.
fn strange(refused: &dyn std::fmt::Display) -> Refusal {
    Fault::SetUp(refused.to_string()).into()
}
