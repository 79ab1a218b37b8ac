//! Runs a function on AWS Lambda: what it needs from the environment, opened once at the start, and its
//! events from the runtime.
//!
//! | variable | holds |
//! |---|---|
//! | `PAYMENTS_TABLE`, `MERCHANTS_TABLE`, `VAULT_TABLE`, `SCHEDULES_TABLE`, `EVENTS_TABLE` | names of the tables |
//! | `FOLLOW_UP_QUEUE_URL`, `DELIVER_EVENT_FUNCTION` | where reminders go: a queue, a function by its name |
//! | `EVENT_BUS_NAME` | name of the EventBridge bus that is told how sales and captures come out; empty or not there: none |
//! | `FINGERPRINT_KEY_PARAMETER` | name of the parameter with the key of request fingerprints: 64 hexadecimal digits |
//! | `VAULT_KEYS_PARAMETER` | name of the parameter with the keys of the vault: `id:64 hexadecimal digits`, the newest first |
//! | `KESSAI_STAGE` | the dimension of its metrics |
//! | `AWS_REGION`, `AWS_ACCESS_KEY_ID`, … | as Lambda sets them |
//!
//! A function reads only those that it needs. What a caller would wait for, the connections to the tables and to
//! gateways, is opened while it starts; the relay and the tick, for which nobody waits, open theirs when they are
//! called. Nothing is shared between invocations but what never changes, so as many as the platform likes may
//! run at once. A panic ends one invocation, or one record of a batch, and prints where it was, not what it held.

use std::collections::BTreeMap;
use std::convert::identity;
use std::env;
use std::error::Error;
use std::fmt;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER_PERMISSIVE;
use kessai_infra::aws::Account;
use kessai_infra::directory::Cached;
use kessai_infra::dynamodb::DynamoDb;
use kessai_infra::http::HttpClient;
use kessai_infra::system::{SystemClock, SystemEntropy};
use kessai_infra::watch::{Log, Watch, standard_error};
use kessai_infra::webhook::WebhookClient;
use kessai_shared::fingerprint::FingerprintKey;
use kessai_shared::merchant::address::Plain;
use kessai_shared::ports::{
    Agenda, Archive, Bus, Clock, Deliveries, Directory, Http, Journal, Limiter, Note, Queue, Store, Vault,
};
use kessai_shared::reminder::Errand;
use kessai_shared::seal::SealingKeys;
use kessai_shared::shell::Shell;
use kessai_shared::stored::merchant::{ORIGINS_KEY, decode_origins};
use kessai_shared::time::Timestamp;
use kessai_shared::trace::TraceId;
use lambda_runtime::tower::util::MapFutureLayer;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::RwLock;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use crate::batch::{Failures, Message, QueueEvent, StreamEvent, side_by_side};
use crate::deliver_event::Means;
use crate::door::{App, Function, Needs, Vaulted, answer};
use crate::event::{HttpAnswer, HttpEvent};
use crate::problem::{Problem, chain};
use crate::rates::{GatewayRates, Rates};
use crate::scheduler_tick::{self, Tick, Ticking};
use crate::{deliver_event, follow_up, relay};

/// As long as connections may take that are opened before they are needed. The platform gives ten seconds for the whole
/// start, and six of them may go to the secrets.
const WARM_UP: Duration = Duration::from_secs(3);

/// Why a function could not start.
pub struct StartError(Box<dyn Error + Send + Sync>);

/// `main` prints its error by `Debug`: as a sentence.
impl fmt::Debug for StartError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for StartError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// Serves requests to `function`.
pub fn serve(function: &'static Function) -> Result<(), StartError> {
    serve_to(function, identity, Kept::default())
}

/// Serves requests to `function`, which reads what happened, or was told too early.
pub fn serve_with_events(function: &'static Function) -> Result<(), StartError> {
    serve_to(function, identity, Kept { archive: Some(archive), schedules: None })
}

/// Serves requests to `function`, which reads what happened, also to what recurs.
pub fn serve_with_events_and_schedules(function: &'static Function) -> Result<(), StartError> {
    serve_to(function, identity, Kept { archive: Some(archive), schedules: Some(schedules) })
}

/// Serves requests to `function`, which is about what recurs.
pub fn serve_with_schedules(function: &'static Function) -> Result<(), StartError> {
    serve_to(function, identity, Kept { archive: None, schedules: Some(schedules) })
}

/// Serves requests to `function`, which lists what is in the vault. Apart, so that no other binary can.
pub fn serve_with_lists(function: &'static Function) -> Result<(), StartError> {
    serve_to(function, DynamoDb::with_lists, Kept::default())
}

/// Opens a table.
type Open<T> = fn(&Account) -> Result<Arc<T>, StartError>;

/// What a function keeps beside payments and methods: apart, so that no binary holds what it does not use.
#[derive(Clone, Copy, Default)]
struct Kept {
    archive: Option<Open<dyn Archive>>,
    schedules: Option<Open<dyn Agenda>>,
}

/// `listed`: the vault, with its lists or as it is.
fn serve_to(function: &'static Function, listed: fn(DynamoDb) -> DynamoDb, kept: Kept) -> Result<(), StartError> {
    start(function.name, async move |log| {
        let account = account()?;
        let app = app(&account, &log, function.needs, listed).await?;
        let archive = kept.archive.map(|open| open(&account)).transpose()?;
        let app = App { archive, schedules: kept.schedules.map(|open| open(&account)).transpose()?, ..app };
        run(move |event: HttpEvent, invocation: Invocation| {
            let (app, log) = (app.clone(), log.clone());
            async move {
                let request = event.request_context.request_id.clone();
                let trace = event.header("x-amzn-trace-id").and_then(TraceId::parse).or(invocation.trace);
                let app = watched(&app, &Watch::new(&log, request, trace));
                let deadline = invocation.deadline;
                Ok::<_, StartError>(apart(app, function, event, deadline).await)
            }
        })
        .await
    })
}

/// Answers one request apart from all others, so that a panic is this request's affair.
pub async fn apart(app: App, function: &'static Function, event: HttpEvent, deadline: Timestamp) -> HttpAnswer {
    let answered = tokio::spawn(async move { answer(&app, function, &event, deadline).await });
    answered.await.unwrap_or_else(|_| HttpAnswer::from(Problem::broken()))
}

/// Serves messages that say what to look at.
pub fn serve_follow_up() -> Result<(), StartError> {
    start(follow_up::NAME, async |log| {
        let account = account()?;
        // It takes no cards: what carried one is not sent again. What cannot be charged from one method may be from
        // another of the account's.
        let app = app(&account, &log, Needs::TO_FOLLOW_UP, DynamoDb::with_lists).await?;
        let app = App { archive: Some(archive(&account)?), schedules: Some(schedules(&account)?), ..app };
        let queue = queue(&account, Arc::clone(&app.shell.http), &[Errand::FollowUp])?;
        run(move |event: QueueEvent, invocation: Invocation| {
            let (app, log, queue) = (app.clone(), log.clone(), Arc::clone(&queue));
            async move {
                let handle = |message: Message| {
                    let app = watched(&app, &Watch::new(&log, message.message_id.clone(), message.trace()));
                    let (queue, deadline) = (Arc::clone(&queue), invocation.deadline);
                    let id = message.message_id.clone();
                    (id, async move { follow_up::handle(&app, &queue, &message, deadline).await })
                };
                let handling = event.records.into_iter().map(handle).collect();
                Ok::<Failures, StartError>(side_by_side(handling, &*log.clock, invocation.deadline).await)
            }
        })
        .await
    })
}

/// Serves calls for which nobody waits, with messages that say of what merchants are to be told something.
pub fn serve_deliver_event() -> Result<(), StartError> {
    start(deliver_event::NAME, async |log| {
        let account = account()?;
        let app = app(&account, &log, Needs::TO_TELL, identity).await?;
        let app = App { archive: Some(archive(&account)?), schedules: Some(schedules(&account)?), ..app };
        let deliveries: Arc<dyn Deliveries> = Arc::new(WebhookClient::new(Plain::Nowhere)?);
        let bus = event_bus().map(|name| account.bus(Arc::clone(&app.shell.http), name));
        let bus = bus.map(|bus| -> Arc<dyn Bus> { Arc::new(bus) });
        run(move |event: QueueEvent, invocation: Invocation| {
            let (app, log, deliveries, bus) = (app.clone(), log.clone(), Arc::clone(&deliveries), bus.clone());
            async move {
                let handle = |message: Message| {
                    let app = watched(&app, &Watch::new(&log, message.message_id.clone(), message.trace()));
                    let (deliveries, bus, deadline) = (Arc::clone(&deliveries), bus.clone(), invocation.deadline);
                    let id = message.message_id.clone();
                    (id, async move {
                        let means = Means { deliveries: &*deliveries, bus: bus.as_deref() };
                        deliver_event::handle(&app, means, &message, deadline).await
                    })
                };
                let handling = event.records.into_iter().map(handle).collect();
                let failures = side_by_side(handling, &*log.clock, invocation.deadline).await;
                // Nobody waits for an answer and reads in it which failed: all come again, which does no harm.
                failures.is_empty().then_some(()).ok_or_else(|| StartError::from("not all reminders were handled"))
            }
        })
        .await
    })
}

/// Serves what the streams of tables show.
pub fn serve_relay() -> Result<(), StartError> {
    start(relay::NAME, async |log| {
        let queue = queue(&account()?, Arc::new(HttpClient::new()?), &Errand::ALL)?;
        run(move |event: StreamEvent, invocation: Invocation| {
            let (log, queue) = (log.clone(), Arc::clone(&queue));
            async move {
                let watch = Watch::new(&log, invocation.request, invocation.trace);
                let relayed = relay::relay(&*watch, &*queue, &event, log.clock.now()).await;
                relayed.map(|()| Failures::default()).map_err(|fault| noted(&watch, fault.into()))
            }
        })
        .await
    })
}

/// Serves the schedule.
pub fn serve_scheduler_tick() -> Result<(), StartError> {
    start(scheduler_tick::NAME, async |log| {
        let account = account()?;
        let patient = account.patient();
        let payments = patient.table(required("PAYMENTS_TABLE")?);
        let vault = patient.table(required("VAULT_TABLE")?);
        let schedules = patient.table(required("SCHEDULES_TABLE")?);
        let queue = queue(&account, Arc::new(HttpClient::new()?), &Errand::ALL)?;
        run(move |tick: Tick, invocation: Invocation| {
            let (log, payments, vault) = (log.clone(), payments.clone(), vault.clone());
            let (schedules, queue) = (schedules.clone(), Arc::clone(&queue));
            async move {
                let watch = Watch::new(&log, invocation.request, invocation.trace);
                let (now, deadline) = (log.clock.now(), invocation.deadline);
                let ticking = Ticking {
                    payments: &payments,
                    vault: &vault,
                    schedules: &schedules,
                    queue: &*queue,
                    journal: &*watch,
                    clock: &*log.clock,
                    now,
                    deadline,
                };
                ticking.tick(tick).await.map_err(|fault| noted(&watch, fault))
            }
        })
        .await
    })
}

/// What the platform says of an invocation.
struct Invocation {
    request: String,
    trace: Option<TraceId>,
    /// When the platform kills us.
    deadline: Timestamp,
}

/// Starts the process of the function `name`.
fn start(name: &'static str, work: impl AsyncFnOnce(Log) -> Result<(), StartError>) -> Result<(), StartError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let log = Log { function: name, stage: Some(required("KESSAI_STAGE")?), clock, out: standard_error() };
    std::panic::set_hook(Box::new(on_panic(log.clone())));
    // Nothing here computes for long: one thread starts faster than two, and serves many at once.
    Builder::new_current_thread().enable_all().build()?.block_on(work(log))
}

/// Says where a panic was, and nothing of what it held.
pub fn on_panic(log: Log) -> impl Fn(&PanicHookInfo<'_>) + Send + Sync {
    move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        log.panicked(&place);
    }
}

/// Hands events to `handle` until somebody ends the process; then what runs is finished and answered. Lambda itself ends
/// a process only between invocations, and says so only where an extension asks it to.
async fn run<E, A, F, R>(handle: F) -> Result<(), StartError>
where
    E: DeserializeOwned + Send + 'static,
    A: Serialize + Send + 'static,
    F: Fn(E, Invocation) -> R + Clone + Send + 'static,
    R: Future<Output = Result<A, StartError>> + Send + 'static,
{
    let serve = service_fn(move |event: LambdaEvent<E>| {
        let LambdaEvent { payload, context } = event;
        let invocation = Invocation {
            request: context.request_id,
            trace: context.xray_trace_id.as_deref().and_then(TraceId::parse),
            deadline: Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX)),
        };
        let handled = handle(payload, invocation);
        async move { handled.await.map_err(|StartError(error)| lambda_runtime::Error::from(error)) }
    });
    // Held from the event until the platform has its answer.
    let work = Arc::new(RwLock::new(()));
    let working = Arc::clone(&work);
    let held = MapFutureLayer::new(move |answering| {
        let working = Arc::clone(&working);
        async move {
            let _works = working.read().await;
            answering.await
        }
    });
    let runtime = Runtime::new(serve).layer(held);
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        served = runtime.run_concurrent() => Ok(served?),
        () = async {
            terminated.recv().await;
            drop(work.write().await);
        } => Ok(()),
    }
}

/// The platform says nothing of why an invocation failed.
fn noted(watch: &Watch, fault: Box<dyn Error + Send + Sync>) -> StartError {
    watch.note(&Note::Failed { cause: &chain(&*fault) });
    StartError(fault)
}

/// Where reminders go.
fn queue(account: &Account, http: Arc<dyn Http>, errands: &[Errand]) -> Result<Arc<dyn Queue>, StartError> {
    let places = errands.iter().map(|errand| {
        let variable = match errand {
            Errand::FollowUp => "FOLLOW_UP_QUEUE_URL",
            Errand::Deliver => "DELIVER_EVENT_FUNCTION",
        };
        Ok((*errand, required(variable)?))
    });
    Ok(Arc::new(account.reminders(http, places.collect::<Result<_, StartError>>()?)))
}

/// Where events are kept.
fn archive(account: &Account) -> Result<Arc<dyn Archive>, StartError> {
    Ok(Arc::new(account.table(required("EVENTS_TABLE")?)))
}

/// Where what recurs is kept.
fn schedules(account: &Account) -> Result<Arc<dyn Agenda>, StartError> {
    Ok(Arc::new(account.table(required("SCHEDULES_TABLE")?)))
}

/// The name of the bus that is told how sales and captures come out, where one is.
fn event_bus() -> Option<String> {
    variable("EVENT_BUS_NAME").filter(|name| !name.is_empty())
}

fn account() -> Result<Account, StartError> {
    Ok(Account::from_environment(&variable)?)
}

/// The same functions, with what this invocation asks and leaves behind written down.
pub fn watched(app: &App, watch: &Arc<Watch>) -> App {
    let store = Arc::new(watch.over(Arc::clone(&app.shell.store)));
    let shell = Shell { store, journal: Arc::clone(watch) as _, ..app.shell.clone() };
    let schedules = app.schedules.as_ref().map(|schedules| watch.over(Arc::clone(schedules)));
    let schedules = schedules.map(|schedules| -> Arc<dyn Agenda> { Arc::new(schedules) });
    App { shell, schedules, ..app.clone() }
}

async fn app(account: &Account, log: &Log, needs: Needs, listed: fn(DynamoDb) -> DynamoDb) -> Result<App, StartError> {
    let payments = account.table(required("PAYMENTS_TABLE")?);
    let merchants = account.table(required("MERCHANTS_TABLE")?);
    let http = HttpClient::new()?;
    let (secrets, ()) = tokio::join!(secrets(account, &http, needs), warm_up(&merchants, &http, needs.gateways));
    let Secrets { fingerprint_key, sealing_keys } = secrets?;
    let vault: Option<Arc<dyn Vault>> = match needs.vault {
        Vaulted::Unused | Vaulted::KeysOnly => None,
        Vaulted::Shown => Some(Arc::new(listed(account.table(required("VAULT_TABLE")?).without_tokens()))),
        Vaulted::Sealed | Vaulted::Opened => Some(Arc::new(listed(account.table(required("VAULT_TABLE")?)))),
    };
    let clock = Arc::new(SystemClock);
    let (rates, merchants_now): (Arc<Rates>, Arc<dyn Store>) = (Arc::default(), Arc::new(merchants.clone()));
    let limiter = GatewayRates { rates: Arc::clone(&rates), store: Arc::clone(&merchants_now) };
    let shell = Shell {
        store: Arc::new(payments),
        http: Arc::new(http),
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
        journal: Watch::new(log, String::new(), None),
        fingerprint_key: fingerprint_key.map(Arc::new),
        vault,
        sealing_keys: sealing_keys.map(Arc::new),
        limiter: needs.gateways.then(|| -> Arc<dyn Limiter> { Arc::new(limiter) }),
    };
    Ok(App {
        shell,
        directory: Arc::new(Cached::new(merchants, clock)),
        merchants: merchants_now,
        rates,
        archive: None,
        schedules: None,
        tells_bus: event_bus().is_some(),
        takes_loopback: false,
    })
}

/// Opens connections before they are needed: to the tables, and to the gateways that merchants use. What fails now, or
/// takes longer than is good at a start, is tried again by whoever needs it.
async fn warm_up(merchants: &DynamoDb, http: &HttpClient, gateways: bool) {
    let opening = async {
        let Ok(Some(item)) = Directory::find(merchants, ORIGINS_KEY).await else { return };
        let mut connections = JoinSet::new();
        for origin in decode_origins(item).unwrap_or_default().into_iter().filter(|_| gateways) {
            let http = http.clone();
            connections.spawn(async move { http.warm_up(&origin).await });
        }
        while connections.join_next().await.is_some() {}
    };
    drop(tokio::time::timeout(WARM_UP, opening).await);
}

/// What a function has from the Parameter Store.
struct Secrets {
    fingerprint_key: Option<FingerprintKey>,
    sealing_keys: Option<SealingKeys>,
}

/// All that it needs, in one call.
async fn secrets(account: &Account, http: &HttpClient, needs: Needs) -> Result<Secrets, StartError> {
    let named = |is_needed: bool, variable| is_needed.then(|| required(variable)).transpose();
    let fingerprint = named(needs.fingerprint_key, "FINGERPRINT_KEY_PARAMETER")?;
    let opens_or_seals = matches!(needs.vault, Vaulted::Opened | Vaulted::KeysOnly);
    let vault = named(opens_or_seals, "VAULT_KEYS_PARAMETER")?;
    let names: Vec<&str> = [&fingerprint, &vault].into_iter().flatten().map(String::as_str).collect();
    if names.is_empty() {
        return Ok(Secrets { fingerprint_key: None, sealing_keys: None });
    }
    let values = account.secrets().fetch(http, &names).await?;
    Ok(Secrets {
        fingerprint_key: read(&values, fingerprint, read_fingerprint_key, "64 hexadecimal digits")?,
        sealing_keys: read(&values, vault, SealingKeys::parse, "id:64 hexadecimal digits, perhaps several")?,
    })
}

/// What the parameter holds. Where that cannot be read nothing of it is said.
fn read<T>(
    values: &BTreeMap<String, Zeroizing<String>>,
    name: Option<String>,
    read: fn(&str) -> Option<T>,
    form: &str,
) -> Result<Option<T>, StartError> {
    let Some(name) = name else { return Ok(None) };
    let value = values.get(&name).and_then(|value| read(value));
    value.map(Some).ok_or_else(|| format!("the parameter {name} must hold {form}").into())
}

/// Reads 64 hexadecimal digits.
pub fn read_fingerprint_key(hex: &str) -> Option<FingerprintKey> {
    let bytes = Zeroizing::new(HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?);
    <[u8; 32]>::try_from(bytes.as_slice()).ok().map(FingerprintKey::new)
}

fn required(name: &str) -> Result<String, StartError> {
    variable(name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| format!("the environment variable {name} is missing").into())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment of a Lambda function is its set-up; it is read here only"
)]
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
