//! A world of payment runs: schedules that fall due, workers that charge them side by side, and everything that can go
//! wrong on the way. Smaller than the world of payments, whose sales it takes for granted: workers are killed between any
//! two calls, calls fail or seem to, messages come twice and at once, owners pause and go on, skip and stop.
//!
//! The seed decides all of it. [`audit`] compares what is stored with what the gateway did.

mod audit;
mod owners;
mod plan;
mod set_up;
mod totals;
mod worker;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use kessai_functions::door::App;
use kessai_functions::follow_up::{Left, look_at};
use kessai_functions::sandbox::{Class, Gateway};
use kessai_shared::memory::Memory;
use kessai_shared::merchant::Merchant;
use kessai_shared::recurring::ids::RuleSetId;
use kessai_shared::recurring::schedule::Schedule;
use kessai_shared::recurring::scheduler::Scheduler;
use kessai_shared::rejection::Refusal;
use kessai_shared::reminder::{Errand, Image, Reminder, TICK};
use kessai_shared::shell::Shell;
use kessai_shared::stored::merchant::encode_merchant;
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use kessai_shared::stored::recurring::scheduler::StoredScheduler;
use kessai_shared::time::Timestamp;

use self::owners::Wishes;
use self::set_up::{DAYS, day};
use self::worker::{Inner, Shared, Table, Worker};
use crate::auditor::Violation;
use crate::cast::cast;
use crate::platform::millis;

pub use self::plan::Plan;
pub use self::totals::{Happened, Totals};

/// 2026-11-01T00:00:00Z.
const START_MS: i64 = 1_793_491_200_000;

const DAY_MS: i64 = 86_400_000;

/// How long an invocation may take.
const LIFE_MS: i64 = 25_000;

/// What passes at one step while workers work.
const STEP_MS: i64 = 40;

/// After which a message that was not handled comes again.
const VISIBLE_AGAIN_MS: i64 = 30_000;

/// More steps than any history needs: beyond, something goes round in circles.
const MOST_STEPS: u32 = 400_000;

type Looking = Pin<Box<dyn Future<Output = Result<Option<Left>, Refusal>> + Send>>;

/// An invocation.
struct Task {
    looking: Looking,
    message: Reminder,
    deadline_ms: i64,
}

struct World {
    plan: Plan,
    random: fastrand::Rng,
    shared: Arc<Shared>,
    merchant: Merchant,
    /// By when they are seen.
    queue: BTreeMap<(i64, u64), Reminder>,
    messages: u64,
    tasks: Vec<Task>,
    is_calm: bool,
    wishes: Wishes,
}

/// Lets a history happen; what came of it, or what is wrong with that.
pub fn run(plan: Plan) -> Result<Totals, Violation> {
    let mut world = World::new(plan);
    world.set_up();
    world.go_on()?;
    audit::audit(&world.shared, &world.merchant, &world.wishes, DAYS, day(i64::from(DAYS) - 1))
}

impl World {
    fn new(plan: Plan) -> Self {
        let random = fastrand::Rng::with_seed(plan.seed);
        let set_up = Memory::default();
        // Where nobody can find out what became of a request, a schedule waits for a person: not here.
        let class = [Class::Keyed, Class::LookUp, Class::TimeoutReversal][(plan.seed % 3) as usize];
        let mut merchant = cast().set_ups[class as usize][1][0][0].merchants[0].clone();
        merchant.retry_rule_sets.insert(RuleSetId::parse("1bR000000000001").expect("an id"), set_up::rules(&plan));
        merchant.connect();
        set_up.put(encode_merchant(&merchant));
        let inner = Inner {
            random: fastrand::Rng::with_seed(plan.seed ^ 1),
            gateway: Gateway::default(),
            fails_one_in: plan.fails_one_in,
            images: Vec::new(),
            totals: Totals::default(),
        };
        let shared = Shared {
            now_ms: START_MS.into(),
            payments: Memory::default(),
            schedules: Memory::default(),
            set_up,
            inner: Mutex::new(inner),
        };
        let shared = Arc::new(shared);
        Self {
            plan,
            random,
            shared,
            merchant,
            queue: BTreeMap::new(),
            messages: 0,
            tasks: Vec::new(),
            is_calm: false,
            wishes: Wishes::default(),
        }
    }

    /// Schedules, and what starts their runs.
    fn set_up(&mut self) {
        for number in 0..self.plan.schedules {
            let asked = set_up::schedule(&self.plan, &self.merchant, &mut self.random, number);
            let schedule = Schedule::make(asked, self.shared.now()).expect("a schedule");
            self.shared.schedules.put(StoredSchedule::following(None, schedule).to_item());
        }
        for asked in set_up::schedulers(&self.plan) {
            let scheduler = Scheduler::new(self.merchant.id, asked, self.shared.now());
            let item = StoredScheduler::following(None, scheduler).to_item();
            self.stream(Image::of(&item).expect("an item of ours"));
            self.shared.schedules.put(item);
        }
    }

    /// Until nothing is left to happen.
    fn go_on(&mut self) -> Result<(), Violation> {
        for _ in 0..MOST_STEPS {
            self.see_to_stops();
            let images = std::mem::take(&mut self.shared.inner().images);
            images.into_iter().for_each(|image| self.stream(image));
            self.start_due();
            if self.tasks.is_empty() {
                let Some((&(at_ms, _), _)) = self.queue.first_key_value() else { return Ok(()) };
                self.pass_until(at_ms);
                continue;
            }
            self.work();
            self.own();
            let calm_ms = START_MS + i64::from(DAYS) * DAY_MS;
            if !self.is_calm && self.now_ms() > calm_ms {
                self.is_calm = true;
                self.shared.inner().fails_one_in = None;
            }
        }
        let next: Vec<_> = self.queue.iter().take(6).collect();
        let what = format!("round in circles at {}: {} messages, {next:?}", self.shared.now(), self.queue.len());
        Err(Violation { rule: "liveness", what })
    }

    fn now_ms(&self) -> i64 {
        self.shared.now_ms.load(Ordering::Relaxed)
    }

    fn pass_until(&mut self, at_ms: i64) {
        self.shared.now_ms.fetch_max(at_ms, Ordering::Relaxed);
    }

    /// A stream shows what was written: who is due soon is reminded by a message, and who is due late by the tick.
    fn stream(&mut self, image: Image) {
        let Some(due) = image.due(Errand::FollowUp) else { return };
        let at_ms = due.at.as_millis().max(self.now_ms());
        let minute = millis(TICK);
        let at_ms = if due.is_late { (at_ms + minute - 1).div_euclid(minute) * minute } else { at_ms };
        for _ in 0..self.plan.copies {
            self.send(image.reminder, at_ms);
        }
    }

    fn send(&mut self, message: Reminder, at_ms: i64) {
        self.messages += 1;
        self.queue.insert((at_ms, self.messages), message);
    }

    /// Whoever is reminded now begins to look.
    fn start_due(&mut self) {
        while let Some((&(at_ms, number), &message)) = self.queue.first_key_value() {
            if at_ms > self.now_ms() || self.tasks.len() >= 12 {
                return;
            }
            self.queue.remove(&(at_ms, number));
            let app = self.app();
            let deadline_ms = self.now_ms() + LIFE_MS;
            let deadline = Timestamp::from_millis(deadline_ms);
            let looking = Box::pin(async move { look_at(&app, message.item, deadline).await });
            self.tasks.push(Task { looking, message, deadline_ms });
        }
    }

    fn app(&self) -> App {
        let worker = Arc::new(Worker { shared: self.shared.clone() });
        let table = |of| Arc::new(Table { shared: self.shared.clone(), of });
        let shell = Shell {
            store: table(|shared| &shared.payments),
            http: worker.clone(),
            clock: worker.clone(),
            entropy: worker.clone(),
            journal: worker.clone(),
            fingerprint_key: Some(cast().fingerprint_key.clone()),
            vault: Some(set_up::methods()),
            sealing_keys: Some(cast().sealing_keys.clone()),
            limiter: None,
        };
        App {
            shell,
            directory: worker.clone(),
            merchants: worker,
            archive: None,
            schedules: Some(table(|shared| &shared.schedules)),
            rates: Arc::default(),
            tells_bus: false,
            takes_loopback: false,
        }
    }

    /// One of the workers gets on, or is killed.
    fn work(&mut self) {
        let place = self.random.usize(0..self.tasks.len());
        let is_out_of_time = self.tasks[place].deadline_ms <= self.now_ms();
        let is_killed = !self.is_calm && self.plan.killed_one_in.is_some_and(|one_in| self.random.u32(0..one_in) == 0);
        let polled = match is_out_of_time || is_killed {
            true => {
                self.count(Happened::Killed);
                Poll::Ready(None)
            }
            false => {
                let polled = self.tasks[place].looking.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                polled.map(Some)
            }
        };
        self.shared.now_ms.fetch_add(self.random.i64(0..STEP_MS), Ordering::Relaxed);
        let Poll::Ready(done) = polled else { return };
        let Task { message, .. } = self.tasks.swap_remove(place);
        match done {
            Some(Ok(left)) => {
                if let Some(due) = left.and_then(|left| message.again(left.version, left.due)) {
                    self.send(message, due.as_millis().max(self.now_ms()));
                }
            }
            Some(Err(_)) | None => self.send(message, self.now_ms() + VISIBLE_AGAIN_MS),
        }
    }

    fn count(&self, happened: Happened) {
        self.shared.inner().totals.add(happened, 1);
    }
}

/// What does not have to wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("memory does not wait"),
    }
}
