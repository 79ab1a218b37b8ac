//! Charges what is due of one schedule: writes that it will, makes the sale, writes what came of it.
//!
//! The sale is one like any other, under a key made of the item and of how often it was tried. Whoever comes upon an item
//! that is being charged, and whose time is over, asks for the very same sale: it is made once, or was made already.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kessai_shared::ids::{MerchantId, MethodId, Ordinal, PaymentId, PaymentKey, Record};
use kessai_shared::merchant::Merchant;
use kessai_shared::method::{Method, Status};
use kessai_shared::payment::asked::{Amount, Details, OnFile, Opening};
use kessai_shared::payment::{Action, Claim, Instrument, Kind, MARGIN, Nonce, Payment, Request, State, Verdict};
use kessai_shared::ports::Note;
use kessai_shared::recurring::calendar::Date;
use kessai_shared::recurring::ids::{Cause, RecurringKey, RunId, ScheduleId};
use kessai_shared::recurring::retry::{Category, Decision};
use kessai_shared::recurring::run::{Counts, Run, Takes};
use kessai_shared::recurring::schedule::step::{Came, Charge, Charged, Choice, Event, Sale, step};
use kessai_shared::recurring::schedule::{Failure, Schedule, Tried};
use kessai_shared::recurring::scheduler::Criteria;
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::stored::method::{StoredMethod, account_key};
use kessai_shared::stored::recurring::run::StoredRun;
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use kessai_shared::time::Timestamp;

use super::Looking;
use super::lane::Pace;
use crate::door::{owner, perform_opening, route};
use crate::problem::Problem;

/// Less time than this before the deadline is too little to begin: to write, to ask a gateway, to write.
pub(super) const CHARGE: Duration = Duration::from_secs(12);

/// Items of one schedule that a run charges at once; the rest has to wait for another run.
const ITEMS_AT_ONCE: usize = 100;

/// When to ask again what became of a sale that is open, or was not sent: the longer it has been so, the later.
const ASK_AGAIN: Duration = Duration::from_secs(60);
const ASK_AGAIN_AT_LAST: Duration = Duration::from_secs(6 * 60 * 60);

/// So long a sale is tried to be sent before it counts as failed.
const SEND_FOR: Duration = Duration::from_secs(60 * 60);

/// Methods of an account among which another one is looked for.
const METHODS: u16 = 100;

/// What fails together is tried again together: as many retries as fall into so long a time have one run. A retry that
/// comes soon is not held up for long.
const SOON: Duration = Duration::from_secs(60 * 60);
const BUCKET: Duration = Duration::from_secs(15 * 60);
const SOON_BUCKET: Duration = Duration::from_secs(60);

/// Charges schedules for one page of a run.
#[derive(Clone, Copy)]
pub(super) struct Charging<'a> {
    pub looking: &'a Looking<'a>,
    pub merchant: &'a Merchant,
    pub takes: Takes,
    pub criteria: &'a Criteria,
    pub tried: Tried,
    /// Whether anything is begun that was not.
    pub begins: bool,
    /// None where one schedule alone is looked at.
    pub pace: Option<&'a Pace>,
    pub retries: &'a RetryRuns,
}

/// The runs that try again which are known to be there.
#[derive(Default)]
pub(super) struct RetryRuns(Mutex<BTreeSet<RunId>>);

/// What one turn came to.
enum Turn {
    /// There is nothing to charge, or nothing that can be charged now.
    Nothing,
    /// There may be more.
    Done,
    /// There is no time for it.
    NoTime,
}

/// Looks at a schedule by itself: whether it is known by now what became of the item that is being charged. The lane that
/// began it asks sooner; but that one may be done, because lists lag behind.
pub(super) async fn look(looking: &Looking<'_>, id: ScheduleId) -> Result<(), Refusal> {
    let Some(stored) = read(looking, id).await? else { return Ok(()) };
    let Some(tried) = stored.schedule.processing().and_then(|(item, _)| item.tried_by) else { return Ok(()) };
    let merchant = owner(looking.app, looking.merchant, looking.deadline).await?;
    let (criteria, retries) = (Criteria::default(), RetryRuns::default());
    let takes = Takes::ReadyOn(Date::MIN);
    let charging = Charging {
        looking,
        merchant: &merchant,
        takes,
        criteria: &criteria,
        tried,
        begins: false,
        pace: None,
        retries: &retries,
    };
    charging.turn(stored).await.map(drop)
}

/// Charges all that is due of a schedule; what ended in this page. None where there was no time for it.
pub(super) async fn charge(charging: Charging<'_>, id: ScheduleId) -> Result<Option<Counts>, Refusal> {
    for _ in 0..ITEMS_AT_ONCE {
        let Some(stored) = read(charging.looking, id).await? else { return Ok(Some(Counts::default())) };
        let counts = stored.schedule.counted(charging.tried);
        match charging.turn(stored).await? {
            Turn::Nothing => return Ok(Some(counts)),
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
    /// Charges one item.
    async fn turn(&self, stored: StoredSchedule) -> Result<Turn, Refusal> {
        let Looking { app, deadline, .. } = *self.looking;
        let nonce = Nonce(u128::from_be_bytes(app.shell.entropy.bytes()) as u64);
        let claim = Claim { nonce, deadline };
        let mut charge =
            Charge { tried: self.tried, takes: self.takes, criteria: self.criteria, claim, other_method: None };
        let schedule = &stored.schedule;
        let choice = schedule.choose(&charge, self.looking.now());
        let Some(choice) = choice.filter(|choice| choice.is_known || self.begins) else { return Ok(Turn::Nothing) };
        if !self.has_turn(schedule).await? {
            return Ok(Turn::NoTime);
        }
        if let Some(method) = choice.other_than {
            charge.other_method = self.other_method(schedule, method).await?;
        }
        let now = self.looking.now();
        let begun = step(schedule, Event::Charge(charge), now).map_err(|refused| strange(&refused))?;
        let Some(sale) = begun.effect else { return Ok(Turn::Nothing) };
        let begun = self.following(&stored, begun.schedule, now);
        if !self.looking.write(begun.to_item()).await? {
            return Ok(Turn::Done);
        }
        let Some(came) = self.sell(schedule, &choice, &sale).await? else { return Ok(Turn::Done) };
        self.put(begun, &sale, nonce, came).await?;
        Ok(Turn::Done)
    }

    /// Writes what came of a sale.
    async fn put(&self, mut stored: StoredSchedule, sale: &Sale, nonce: Nonce, came: Came) -> Result<(), Refusal> {
        let id = stored.schedule.id;
        loop {
            let rules = self.merchant.retry_rules();
            let Sale { item, attempt, .. } = *sale;
            let charged = Charged { item, attempt, nonce, came: came.clone(), rules };
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
                self.ensure_retries(at, now).await?;
            }
            let next = self.following(&stored, next.schedule, now);
            if self.looking.write(next.to_item()).await? {
                return Ok(());
            }
            let Some(found) = read(self.looking, id).await? else { return Ok(()) };
            stored = found;
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
    async fn sell(&self, schedule: &Schedule, choice: &Choice, sale: &Sale) -> Result<Option<Came>, Refusal> {
        let Looking { app, deadline, .. } = *self.looking;
        let Some(amount) = sale.amount.to_decimal() else { return Err(Fault::SetUp("an amount".to_owned()).into()) };
        let opening = Opening {
            kind: Kind::Sale,
            gateway: sale.gateway,
            currency: schedule.currency,
            instrument: Instrument::Stored(OnFile::unopened(sale.method)),
        };
        let details = Details { account: schedule.account.clone(), submitted_by_merchant: true, ..Details::default() };
        let request =
            Request { action: Action::Open(opening), key: sale.key.clone(), amount: Amount::Exactly(amount), details };
        match perform_opening(app, self.merchant, request, deadline).await {
            Ok(reply) => Ok(self.came(&reply.payment)),
            // It may have been made before, and cannot be asked for in the same words any more.
            Err(problem) if problem.status < 500 => {
                let key = PaymentKey {
                    merchant: self.merchant.id,
                    payment: PaymentId::opened_by(&self.merchant.id, &sale.key),
                };
                match app.shell.read(key, deadline).await? {
                    Some(stored) => Ok(self.came(&stored.payment)),
                    None if problem.status == 409 => Ok(None),
                    None => Ok(Some(Came::Failed { payment: None, failure: refused(problem) })),
                }
            }
            Err(problem) => {
                let item = schedule.id.item_id(choice.item);
                let cause = format!("{item}: {}", problem.cause.unwrap_or(problem.message));
                app.shell.journal.note(&Note::Failed { cause: &cause });
                Ok(None)
            }
        }
    }

    /// What became of the sale that opened a payment; none while somebody is asking the gateway.
    fn came(&self, payment: &Payment) -> Option<Came> {
        let operation = payment.operation(Ordinal::FIRST)?;
        let (id, now) = (Record::Payment.id(payment.id, Ordinal::FIRST), self.looking.now());
        let failed = |category, decision, decline, code, message| {
            let failure = Failure { category, decision, decline, code, message };
            Came::Failed { payment: Some(id), failure }
        };
        let unreached = |message: &str| {
            let (category, decision) = (Category::GatewayConnection, Decision::Retriable);
            failed(category, decision, None, None, Some(message.to_owned()))
        };
        Some(match &operation.state {
            State::Open(open) if !open.unknown && open.deadline.plus(MARGIN) > now => return None,
            State::Open(_) | State::Accepted(_) => {
                let wait = (now.since(operation.requested_at) / 2).clamp(ASK_AGAIN, ASK_AGAIN_AT_LAST);
                Came::Pending { payment: id, due: now.plus(wait) }
            }
            // The gateway is not to be reached: the same is asked for again, but not for ever.
            State::Unsent if now.since(operation.requested_at) < SEND_FOR => {
                Came::Pending { payment: id, due: now.plus(ASK_AGAIN) }
            }
            State::Unsent => unreached("the gateway could not be reached"),
            State::Settled(settled) => match settled.verdict {
                Verdict::Approved => Came::Processed { payment: id },
                Verdict::Declined(decline) => {
                    let adapter = route(self.looking.app, self.merchant, payment.gateway).ok()?.adapter;
                    let (category, decision) = (adapter.judge)(decline, &settled.answer);
                    let answer = &settled.answer;
                    let message = answer.description.as_ref().or(answer.message.as_ref());
                    failed(category, decision, Some(decline), answer.code.clone(), message.cloned())
                }
                Verdict::Voided => unreached("the gateway did not answer, and the sale was undone"),
                Verdict::NeverReceived | Verdict::Lapsed => unreached("the gateway has not received it"),
            },
        })
    }

    /// Another method of the payer: the one that is for automatic payments, or else the latest.
    async fn other_method(&self, schedule: &Schedule, than: MethodId) -> Result<Option<MethodId>, Refusal> {
        let Looking { app, deadline, .. } = *self.looking;
        let (Some(vault), Some(account)) = (&app.shell.vault, &schedule.account) else { return Ok(None) };
        let key = account_key(&self.merchant.id, account);
        let (items, _) = app.shell.patiently(deadline, || vault.of_account(&key, None, METHODS)).await?;
        let methods: Result<Vec<_>, _> = items.into_iter().map(StoredMethod::from_item).collect();
        let methods = methods.map_err(Fault::from)?.into_iter().map(|stored| stored.method);
        let fits = |method: &Method| {
            let is_elsewhere = method.asked.gateway.is_some_and(|gateway| gateway != schedule.gateway);
            method.id != than && method.status() == Some(Status::Active) && !is_elsewhere
        };
        let best = methods.filter(fits).max_by_key(|method| (method.auto_pay(), method.requested_at));
        Ok(best.map(|method| method.id))
    }

    /// Sees to it that there is a run that tries again what is to be tried again at that time.
    async fn ensure_retries(&self, at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
        let run = retry_run(self.merchant.id, at, now);
        let is_known = self.retries.known().contains(&run.id);
        if !is_known {
            // Known once it is there, and no sooner: others side by side go on to write what needs it.
            self.looking.write(StoredRun::following(None, run.clone()).to_item()).await?;
            self.retries.known().insert(run.id);
        }
        Ok(())
    }
}

impl RetryRuns {
    fn known(&self) -> std::sync::MutexGuard<'_, BTreeSet<RunId>> {
        // Nothing panics while it holds the lock, so what it guards is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The run that tries again what is to be tried again at that time. Whoever writes a schedule of which something is to be
/// tried again sees to it first that this is there.
pub fn retry_run(merchant: MerchantId, at: Timestamp, now: Timestamp) -> Run {
    let at = bucket(at, now);
    Run::new(merchant, Cause::Retries(at), Takes::RetriesBy(at), Criteria::default(), now)
}

/// The time of the run that tries again at `at`: not so soon that it could be over before what it is for is written.
fn bucket(at: Timestamp, now: Timestamp) -> Timestamp {
    let at = at.max(now.plus(SOON_BUCKET));
    let width = if at.since(now) < SOON { SOON_BUCKET } else { BUCKET };
    let width = i64::try_from(width.as_millis()).unwrap_or(i64::MAX);
    let millis = at.as_millis();
    Timestamp::from_millis(millis.saturating_add((width - millis.rem_euclid(width)) % width))
}

/// It failed before it was sent. What its merchant has to set up may be mended by then.
fn refused(problem: Problem) -> Failure {
    let decision = match problem.message.starts_with("paymentGatewayId") {
        true => Decision::Retriable,
        false => Decision::NonRetriable,
    };
    let (category, code) = (Category::ValidationFailure, Some(problem.code.to_owned()));
    Failure { category, decision, decline: None, code, message: Some(problem.message) }
}

/// Charging refuses nothing.
fn strange(refused: &dyn std::fmt::Display) -> Refusal {
    Fault::SetUp(refused.to_string()).into()
}
