//! What Lambda does: invocations, each on one of a few hosts with a clock and a version of the code, until a
//! deadline at which they are killed. They run the functions that are deployed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use kessai_functions::door::{App, answer, perform_acting, perform_opening};
use kessai_functions::event::HttpAnswer;
use kessai_functions::notice;
use kessai_shared::gateways::Notice;
use kessai_shared::ids::MerchantId;
use kessai_shared::memory::Memory;
use kessai_shared::payment::{Generation, Payment};
use kessai_shared::rejection::Refusal;
use kessai_shared::shell::{Look, Shell};
use kessai_shared::stored::Item;
use kessai_shared::time::Timestamp;

use crate::cast::{SetUp, cast};
use crate::chance::Fault;
use crate::endpoints::Place;
use crate::heard::Heard;
use crate::models::Post;
use crate::notices::Told;
use crate::plan::Plan;
use crate::port::{Call, Merchants, Port, Reply};
use crate::queue::Message;
use crate::requests::{Ask, Asking, Letter};
use crate::story::Lane;
use crate::table::as_next_version;
use crate::world::{Happening, START_MS, World};

/// How long an invocation may take, as the template says.
const LIFE_MS: i64 = 25_000;

const WORKERS: usize = 3;

/// How wrong a clock may be, either way.
const MOST_OFFSET_MS: i64 = 2_000;

/// A process that handles invocations.
#[derive(Clone, Copy, Default)]
pub struct Worker {
    offset_ms: i64,
    is_next_version: bool,
}

/// Who there is and what is set up.
pub struct Platform {
    workers: [Worker; WORKERS],
    pub set_up: Arc<SetUp>,
    /// With another account at the gateway.
    pub next_set_up: Arc<SetUp>,
    /// The stored methods, which nobody changes.
    vault: Arc<Memory>,
    /// Messages that nobody could handle.
    pub dead_letters: Vec<Message>,
}

/// What an invocation works with.
pub struct Work {
    pub app: App,
    /// As it is known here.
    pub set_up: Arc<SetUp>,
    pub deliveries: Arc<Port>,
}

/// What an invocation is for.
pub enum Purpose {
    Ask(Box<Asking>),
    FollowUp(Message),
    Deliver(Message),
    Notice(Box<Told>),
    Post(Box<Post>),
}

/// What came of it.
pub enum Done {
    Answered(Heard),
    FollowedUp(Result<Option<Look>, Refusal>),
    Delivered(Result<Option<Payment>, Refusal>),
    Taken(Result<(), Refusal>),
    Posted(HttpAnswer),
}

/// What an invocation spent, and how often the world disturbed it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    pub reads: u32,
    pub writes: u32,
    pub disturbances: u32,
}

type Invocation = Pin<Box<dyn Future<Output = Done> + Send>>;

/// An invocation.
pub struct Task {
    port: Arc<Port>,
    /// None when it has ended, in whatever way.
    future: Option<Invocation>,
    pub worker: usize,
    /// At which of the merchant's accounts it asks.
    pub account: Generation,
    purpose: Option<Purpose>,
    /// The calls that it waits for, and of each what a table was asked.
    waits: Vec<(u32, Option<Call>)>,
    /// Of whoever tells merchants: the payment as it read it last.
    pub seen: Option<Item>,
    /// The deliveries that endpoints took, by call, and when it heard that.
    pub took: Vec<(u32, Place, Option<i64>)>,
    pub deadline_ms: i64,
    pub spent: Spent,
}

impl Platform {
    pub fn of(plan: &Plan) -> Self {
        let strict = usize::from(plan.strict);
        let ([set_up, next_set_up], vault) = match plan.model {
            None => {
                let [first, second] = &cast().set_ups[plan.class as usize][strict][plan.endpoints];
                ([first, second], &cast().vault)
            }
            Some(played) => ([&played.set_ups().each[strict][plan.endpoints]; 2], &played.set_ups().vault),
        };
        let (set_up, next_set_up, vault) = (set_up.clone(), next_set_up.clone(), vault.clone());
        Self { workers: [Worker::default(); WORKERS], set_up, next_set_up, vault, dead_letters: Vec::new() }
    }
}

impl World {
    /// Whose clock is wrong, and who runs the next version.
    pub(crate) fn set_clocks(&mut self) {
        for worker in 0..WORKERS {
            if self.chance.strikes(Fault::ClockDiffers) {
                self.platform.workers[worker].offset_ms = self.offset();
            }
            if self.chance.strikes(Fault::ClockSteps) {
                let at = self.chance.millis(0..120_000);
                self.foresee(at, Happening::Steps { worker });
            }
            self.platform.workers[worker].is_next_version = self.chance.strikes(Fault::NextVersion);
        }
    }

    fn offset(&mut self) -> i64 {
        self.chance.millis(-MOST_OFFSET_MS..MOST_OFFSET_MS + 1)
    }

    pub(crate) fn step_clock(&mut self, worker: usize) {
        let offset = self.offset();
        self.platform.workers[worker].offset_ms = offset;
        self.tell(Lane::Queue, Lane::Queue, || format!("the clock of host {worker} steps: it is {offset} ms off"));
    }

    /// Starts an invocation.
    pub(crate) fn start(&mut self, purpose: Purpose, work: impl FnOnce(Work, Timestamp) -> Invocation) {
        let worker = self.chance.pick(WORKERS);
        let is_short = self.chance.strikes(Fault::LittleTime);
        let life = if is_short { self.chance.millis(500..8_000) } else { LIFE_MS };
        let deadline_ms = self.now_ms + life;
        let seed = self.chance.seed();
        let set_up = self.set_up_known();
        let account = set_up.generation;
        let port = Port::new(seed, self.time_of(worker), set_up.clone());
        let directory_fails = self.chance.strikes(Fault::DirectoryFails);
        port.inner().directory_fails = u32::from(directory_fails);
        let shell = Shell {
            store: port.clone(),
            http: port.clone(),
            clock: port.clone(),
            entropy: port.clone(),
            journal: port.clone(),
            fingerprint_key: Some(cast().fingerprint_key.clone()),
            vault: Some(self.platform.vault.clone()),
            sealing_keys: Some(cast().sealing_keys.clone()),
            limiter: None,
        };
        // Nobody sets anything up here: of merchants there is the directory only.
        let app = App {
            shell,
            directory: port.clone(),
            merchants: Arc::new(Merchants(port.clone())),
            archive: Some(port.clone()),
            schedules: None,
            rates: Arc::default(),
            tells_bus: false,
            takes_loopback: false,
        };
        let future =
            work(Work { app, set_up, deliveries: port.clone() }, Timestamp::from_millis(START_MS + deadline_ms));
        let task = self.tasks.len();
        self.tasks.push(Task {
            port,
            future: Some(future),
            worker,
            account,
            purpose: Some(purpose),
            waits: Vec::new(),
            seen: None,
            took: Vec::new(),
            deadline_ms,
            spent: Spent { disturbances: u32::from(is_short) + u32::from(directory_fails), ..Spent::default() },
        });
        self.foresee(deadline_ms, Happening::Killed { task });
        self.poll(task);
    }

    /// A caller's request comes in.
    pub(crate) fn start_asking(&mut self, asking: Box<Asking>, letter: Letter) {
        let (function, kind) = (asking.function, asking.place.kind);
        self.start(Purpose::Ask(asking), move |Work { app, set_up, .. }, deadline| match letter {
            Letter::Http(event) => {
                Box::pin(
                    async move { Done::Answered(Heard::text(kind, answer(&app, function, &event, deadline).await)) },
                )
            }
            Letter::Translated(merchant, ask) => Box::pin(async move {
                let merchant = &set_up.merchants[merchant];
                Done::Answered(Heard::reply(match *ask {
                    Ask::Open(request) => perform_opening(&app, merchant, request, deadline).await,
                    Ask::Act(payment, request) => perform_acting(&app, merchant, payment, request, deadline).await,
                }))
            }),
        });
    }

    /// A genuine notice comes in. Of several items each is taken, whatever becomes of the others.
    pub(crate) fn start_taking(&mut self, merchant: MerchantId, notices: Vec<Notice>, told: Box<Told>) {
        self.start(Purpose::Notice(told), move |Work { app, set_up, .. }, deadline| {
            Box::pin(async move {
                let merchant = set_up.merchants.iter().find(|known| known.id == merchant).expect("a merchant");
                let mut taken = Ok(());
                for notice in notices {
                    let one = notice::take(&app, merchant, cast().provider, notice, deadline).await;
                    taken = taken.and(one.map(drop));
                }
                Done::Taken(taken)
            })
        });
    }

    pub(crate) fn time(&self) -> Timestamp {
        Timestamp::from_millis(START_MS + self.now_ms)
    }

    pub(crate) fn time_of(&self, worker: usize) -> Timestamp {
        Timestamp::from_millis(START_MS + self.now_ms + self.platform.workers[worker].offset_ms)
    }

    /// What a worker waits for has come.
    pub(crate) fn serve(&mut self, task: usize, call: u32, reply: Option<Reply>) {
        let waits = &mut self.tasks[task].waits;
        let Some(place) = waits.iter().position(|(number, _)| *number == call) else { return };
        let (_, asked) = waits.swap_remove(place);
        let reply = match reply {
            Some(reply) => Some(reply),
            None => asked.and_then(|asked| self.serve_table(task, call, asked)),
        };
        if let (Some(_), Some(reply)) = (&self.tasks[task].future, reply) {
            if let Reply::Delivered(Ok(_)) = reply {
                let heard_ms = START_MS + self.now_ms;
                let took = self.tasks[task].took.iter_mut().filter(|(number, ..)| *number == call);
                took.for_each(|(_, _, heard)| *heard = Some(heard_ms));
            }
            self.tasks[task].port.inner().replies.push((call, reply));
            self.poll(task);
        }
    }

    /// Lets a worker go on until it waits again or is done.
    fn poll(&mut self, task: usize) {
        let now = self.time_of(self.tasks[task].worker);
        let Some(mut future) = self.tasks[task].future.take() else { return };
        self.tasks[task].port.inner().now = now;
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.listen(task);
        match polled {
            Poll::Ready(done) => self.finish(task, done),
            Poll::Pending => {
                self.tasks[task].future = Some(future);
                self.take_calls(task);
            }
        }
    }

    /// Sees to everything that the worker waits for now.
    fn take_calls(&mut self, task: usize) {
        let calls = std::mem::take(&mut self.tasks[task].port.inner().calls);
        for (number, call) in calls {
            if self.tasks[task].future.is_none() {
                return;
            }
            self.take_call(task, number, call);
        }
    }

    /// Hears what the worker decided and noted.
    fn listen(&mut self, task: usize) {
        let mut inner = self.tasks[task].port.inner();
        for cell in inner.decided.drain(..) {
            self.auditor.cells[cell.stands][cell.happened] += 1;
        }
        for note in inner.noted.drain(..) {
            self.auditor.search("a note", note.as_bytes());
            self.story.tell(self.now_ms, Lane::Worker(task), Lane::Worker(task), || format!("notes {note}"));
        }
    }

    /// Sees to what the worker waits for now; it may be killed while it does.
    fn take_call(&mut self, task: usize, number: u32, mut call: Call) {
        if self.platform.workers[self.tasks[task].worker].is_next_version
            && let Call::Write(item, _) = &mut call
        {
            as_next_version(item);
        }
        let delivers = matches!(self.tasks[task].purpose, Some(Purpose::Deliver(_)));
        let is_killed = self.chance.strikes_call(Fault::Killed, task, number)
            || delivers && self.chance.strikes_call(Fault::DeliverKilled, task, number);
        self.tasks[task].waits.push((number, None));
        if !is_killed || self.chance.strikes_call(Fault::DyingWish, task, number) {
            match call {
                Call::Send(request, timeout) => self.depart(task, number, &request, timeout),
                Call::Sleep(duration) => {
                    let reply = Some(Reply::Slept);
                    self.foresee_in(millis(duration), Happening::Served { task, call: number, reply });
                }
                Call::Deliver(told) => {
                    let (url, headers, body) = *told;
                    self.deliver((task, number), &url, headers, body);
                }
                Call::Read(_)
                | Call::Write(..)
                | Call::Keep(_)
                | Call::FindEvent(..)
                | Call::List(..)
                | Call::FindHealth(_)
                | Call::WriteHealth(..) => {
                    if let Some(waits) = self.tasks[task].waits.last_mut() {
                        waits.1 = Some(call);
                    }
                    let at = match self.chance.moment(task, number) {
                        Some(at_ms) => at_ms,
                        None => self.now_ms + self.latency(2..20),
                    };
                    self.foresee(at, Happening::Served { task, call: number, reply: None });
                }
            }
        }
        if is_killed {
            self.kill(task, "while it waits");
        }
    }

    /// Mostly short; now and then long.
    pub(crate) fn latency(&mut self, usual: std::ops::Range<i64>) -> i64 {
        if self.chance.one_in(24) { self.chance.millis(200..3_000) } else { self.chance.millis(usual) }
    }

    /// The platform ends a worker; what it asked for may still happen.
    pub(crate) fn kill(&mut self, task: usize, when: &str) {
        if self.tasks[task].future.take().is_none() {
            return;
        }
        self.tell(Lane::Worker(task), Lane::Worker(task), || format!("is killed {when}"));
        match self.tasks[task].purpose.take() {
            Some(Purpose::Ask(asking)) => self.hear(&asking, None),
            Some(Purpose::FollowUp(message) | Purpose::Deliver(message)) => self.give_back(message),
            Some(Purpose::Notice(told)) => self.tell_again(*told),
            Some(Purpose::Post(post)) => self.post_again(*post),
            None => {}
        }
    }

    fn finish(&mut self, task: usize, done: Done) {
        let spent = self.tasks[task].spent;
        match (self.tasks[task].purpose.take(), done) {
            (Some(Purpose::Ask(asking)), Done::Answered(heard)) => {
                self.tell(Lane::Worker(task), Lane::Caller(asking.errand), || heard.gist());
                self.look_at_ledgers();
                self.auditor.answered(&asking, &heard, spent, &self.table, &self.gateway, START_MS + self.now_ms);
                let heard = (!self.chance.strikes(Fault::CallerDeaf)).then_some(heard);
                self.hear(&asking, heard);
            }
            (Some(Purpose::FollowUp(message)), Done::FollowedUp(followed)) => match followed {
                Ok(look) => self.look_again(message, look, self.time_of(self.tasks[task].worker)),
                Err(refusal) => {
                    self.tell(Lane::Worker(task), Lane::Queue, || format!("fails: {refusal}"));
                    self.give_back(message);
                }
            },
            (Some(Purpose::Deliver(message)), Done::Delivered(delivered)) => match delivered {
                Ok(_) => {
                    for (_, to, heard_ms) in std::mem::take(&mut self.tasks[task].took) {
                        heard_ms.into_iter().for_each(|heard_ms| self.auditor.got_through(to, heard_ms));
                    }
                }
                Err(refusal) => {
                    self.tell(Lane::Worker(task), Lane::Queue, || format!("fails: {refusal}"));
                    self.give_back(message);
                }
            },
            (Some(Purpose::Notice(told)), Done::Taken(taken)) => {
                self.auditor.took_notices(told.items.len(), spent);
                match taken {
                    Ok(()) if told.is_astray => {}
                    Ok(()) => self.auditor.kept(&told.items, &self.gateway, &self.table),
                    Err(_) => self.tell_again(*told),
                }
            }
            (Some(Purpose::Post(post)), Done::Posted(answer)) => self.posted(*post, &answer, spent),
            (_, Done::Posted(_) | Done::Answered(_) | Done::FollowedUp(_) | Done::Delivered(_) | Done::Taken(_)) => {}
        }
    }
}

pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).expect("a short time")
}
