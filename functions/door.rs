//! The one door: who asks, under which key, for what; and the answer.
//!
//! A function says only how its body becomes a [`Request`]. The door does what all have in common, in
//! this order: the API key, the body, the idempotency key, the translation, the payment it acts on and
//! its gateway, the operation, the answer.

use std::sync::Arc;

use kessai_shared::delivery::on_bus;
use kessai_shared::event::EventNames;
use kessai_shared::ids::{GatewayId, MerchantId, Ordinal, PaymentId, PaymentKey, Record};
use kessai_shared::merchant::{Merchant, Scope};
use kessai_shared::payment::asked::Details;
use kessai_shared::payment::{Action, IdempotencyKey, Kind, Request};
use kessai_shared::ports::{Agenda, Answered, Archive, Directory, Note, Pending, Store};
use kessai_shared::rejection::Fault;
use kessai_shared::shell::{Reply, Route, Shell};
use kessai_shared::time::Timestamp;

use crate::access::merchant_of;
pub use crate::access::{Caller, authenticate};
use crate::event::{HttpAnswer, HttpEvent};
use crate::key;
use crate::paying::{kept_first, payable};
use crate::post_auth;
use crate::problem::Problem;
use crate::rates::Rates;
use crate::wire::body;
use crate::wire::instrument::Saving;
use crate::wire::members::Members;
use crate::wire::view::View;

/// Everything a function needs of the world.
#[derive(Clone)]
pub struct App {
    pub shell: Shell,
    pub directory: Arc<dyn Directory>,
    /// The table that the directory reads, as it is now.
    pub merchants: Arc<dyn Store>,
    pub rates: Arc<Rates>,
    /// What happened, for those who ask later; none in a function that has no use for it.
    pub archive: Option<Arc<dyn Archive>>,
    /// What recurs; none in a function that has no use for it.
    pub schedules: Option<Arc<dyn Agenda>>,
    /// Whether the account's own bus is told how sales and captures come out.
    pub tells_bus: bool,
    /// Whether gateways may listen on this very machine, in plain HTTP. Never in a Lambda function: its platform listens
    /// there too.
    pub takes_loopback: bool,
}

/// A function that answers over HTTP.
#[derive(Debug)]
pub struct Function {
    /// As the template and the binary call it.
    pub name: &'static str,
    /// What an API key must have, all of it; nothing where gateways come, who have none.
    pub scopes: &'static [Scope],
    pub needs: Needs,
    /// A pointer, so that a binary holds its own function and no other.
    pub answer: Answerer,
}

/// Answers a request to a function.
pub type Answerer = for<'a> fn(
    &'a App,
    &'a Function,
    &'a HttpEvent,
    Timestamp,
    &'a mut Subject,
) -> Pending<'a, Result<HttpAnswer, Problem>>;

/// What a function needs of the world, beside the tables of payments and merchants.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// It takes cards, of which only keyed hashes rest.
    pub fingerprint_key: bool,
    pub vault: Vaulted,
    /// It calls gateways.
    pub gateways: bool,
    /// It looks at who asks as it is now, not as it was a minute ago.
    pub merchants_now: bool,
}

/// What a function does with what is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vaulted {
    Unused,
    /// It shows payment methods, and must not read their tokens.
    Shown,
    /// It writes into payment methods, whose tokens stay sealed to it.
    Sealed,
    /// It opens tokens for gateways.
    Opened,
    /// It seals or opens secrets of set-up, and never sees a payment method.
    KeysOnly,
}

impl Needs {
    const NOTHING: Self =
        Self { fingerprint_key: false, vault: Vaulted::Unused, gateways: false, merchants_now: false };
    /// To open payments, or to make payment methods.
    pub const TO_TAKE_CARDS: Self =
        Self { fingerprint_key: true, vault: Vaulted::Opened, gateways: true, ..Self::NOTHING };
    /// To act on payments: what we are known by at gateways is sealed.
    pub const TO_ACT: Self = Self { vault: Vaulted::KeysOnly, gateways: true, ..Self::NOTHING };
    /// To finish what was opened or acted on.
    pub const TO_FOLLOW_UP: Self = Self { vault: Vaulted::Opened, ..Self::TO_ACT };
    /// To show what there is.
    pub const TO_SHOW: Self = Self { vault: Vaulted::Shown, ..Self::NOTHING };
    /// To take in what gateways tell, and to ask them for what they leave open.
    pub const TO_HEAR: Self = Self { vault: Vaulted::Opened, gateways: true, ..Self::NOTHING };
    /// To show what happened.
    pub const TO_SHOW_EVENTS: Self = Self { vault: Vaulted::Sealed, ..Self::NOTHING };
    /// To tell what happened: what signs it is sealed, and what came of telling it is written with a method.
    pub const TO_TELL: Self = Self { vault: Vaulted::Opened, ..Self::NOTHING };
    /// To change what a merchant has set up, and to see whether an account at a gateway works.
    pub const TO_SET_UP: Self = Self { merchants_now: true, ..Self::TO_ACT };
    /// To write down what is to be charged, and when; others charge it.
    pub const TO_SCHEDULE: Self = Self::NOTHING;
    /// To change how failed payments are tried again.
    pub const TO_SET_RULES: Self = Self { merchants_now: true, ..Self::NOTHING };
}

/// How a body becomes a request that opens a payment, and what is to be kept of what it is paid with. It takes its own
/// members; the door has taken the common ones.
pub type TranslateOpening = fn(&mut Members<'_>, Asking<'_>) -> Result<(Request, Option<Saving>), Problem>;

/// How a body becomes a request that acts on a payment.
pub type TranslateActing = fn(&mut Members<'_>, Asking<'_>) -> Result<(PaymentId, Request), Problem>;

/// What the door knows of a request before it is translated.
pub struct Asking<'a> {
    pub merchant: &'a Merchant,
    pub event: &'a HttpEvent,
    pub key: IdempotencyKey,
    pub details: Details,
}

impl Asking<'_> {
    /// The record that the path names: another merchant's cannot be named.
    pub fn record(&self, record: Record, parameter: &str) -> Result<(PaymentId, Ordinal), Problem> {
        let text = self.event.path_parameter(parameter).unwrap_or_default();
        record.locate(text).ok_or_else(Problem::not_found)
    }
}

/// What becomes known of a request on its way to its answer.
pub type Subject = Answered<'static>;

/// The request is about this.
pub fn see(subject: &mut Subject, view: &View<'_>) {
    subject.operation = Some(view.id());
    subject.state = Some(view.operation.state.status());
}

/// Answers one request. `deadline`: when the platform kills us.
pub async fn answer(app: &App, function: &Function, event: &HttpEvent, deadline: Timestamp) -> HttpAnswer {
    let mut subject = Subject::default();
    let answered = match is_version(event.path_parameter("version")) {
        true => (function.answer)(app, function, event, deadline, &mut subject).await,
        false => Err(Problem::not_found()),
    };
    let problem = answered.as_ref().err();
    app.shell.journal.note(&Note::Answered(Answered {
        status: answered.as_ref().map_or_else(|problem| problem.status, |answer| answer.status_code),
        code: problem.map(|problem| problem.code).or(subject.code),
        cause: problem.and_then(|problem| problem.cause.as_deref()),
        ..subject
    }));
    answered.unwrap_or_else(HttpAnswer::from)
}

/// Whether the prefix, where there is one, names a version of the wire format: `v67.0`.
fn is_version(parameter: Option<&str>) -> bool {
    let is_number = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(parameter) = parameter else { return true };
    let numbers = parameter.strip_prefix('v').and_then(|numbers| numbers.split_once('.'));
    numbers.is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

/// What all requests about payments have in common: the body, the key and the details.
fn translated<T>(
    app: &App,
    merchant: &Merchant,
    event: &HttpEvent,
    translate: fn(&mut Members<'_>, Asking<'_>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let text = event.json_body()?;
    let mut members = Members::parse(&text)?;
    let key = key::given(event, &mut members)?.unwrap_or_else(|| fresh_key(app));
    let details = body::details(&mut members)?;
    let translated = translate(&mut members, Asking { merchant, event, key, details })?;
    members.finish()?;
    Ok(translated)
}

/// Answers a request that opens a payment.
pub async fn open(
    app: &App,
    function: &Function,
    translate: TranslateOpening,
    event: &HttpEvent,
    deadline: Timestamp,
    subject: &mut Subject,
) -> Result<HttpAnswer, Problem> {
    let caller = authenticate(app, function, event, deadline, subject).await?;
    let merchant = &caller.merchant;
    let (request, saving) = translated(app, merchant, event, translate)?;
    let request = match saving {
        None => request,
        Some(saving) => {
            caller.must_have(Scope::Tokenize)?;
            match kept_first(app, merchant, request, saving, deadline).await? {
                Ok(request) => request,
                // Nothing was paid with it.
                Err(refused) => return crate::tokenize::render(&refused, true, subject),
            }
        }
    };
    let reply = perform_opening(app, merchant, request, deadline).await?;
    subject.opened = !reply.replayed;
    render(&reply, subject)
}

/// Answers a request that acts on a payment.
pub async fn act(
    app: &App,
    function: &Function,
    translate: TranslateActing,
    event: &HttpEvent,
    deadline: Timestamp,
    subject: &mut Subject,
) -> Result<HttpAnswer, Problem> {
    let Caller { merchant, .. } = authenticate(app, function, event, deadline, subject).await?;
    let (payment, request) = translated(app, &merchant, event, translate)?;
    let reply = perform_acting(app, &merchant, payment, request, deadline).await?;
    render(&reply, subject)
}

/// The merchant that something stored belongs to.
pub async fn owner(app: &App, merchant: MerchantId, deadline: Timestamp) -> Result<Merchant, Fault> {
    let gone = || Fault::SetUp(format!("merchant {merchant} is gone"));
    merchant_of(app, false, &merchant, deadline).await?.ok_or_else(gone)
}

/// Stands in where the caller gave no key: a new one that nobody else has.
pub fn fresh_key(app: &App) -> IdempotencyKey {
    let [_, _, _, _, _, _, random @ ..] = app.shell.entropy.bytes();
    let millis = u64::try_from(app.shell.clock.now().as_millis()).unwrap_or_default();
    IdempotencyKey::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

/// Carries out a request that opens a payment.
pub async fn perform_opening(
    app: &App,
    merchant: &Merchant,
    request: Request,
    deadline: Timestamp,
) -> Result<Reply, Problem> {
    let request = payable(app, merchant, request, deadline).await?;
    let Action::Open(opening) = &request.action else { return Err(Problem::not_found()) };
    let route = route(app, merchant, opening.gateway)?;
    let reply = app.shell.perform(merchant.id, route, &request, None, deadline).await?;
    match opening.kind {
        // What was made in a browser may have been told of before it was registered.
        Kind::PostAuthorize => Ok(post_auth::with_kept(app, merchant, reply, deadline).await),
        Kind::Authorize | Kind::Sale | Kind::Capture { .. } | Kind::Reverse { .. } | Kind::Refund { .. } => Ok(reply),
    }
}

/// Carries out a request that acts on a payment.
pub async fn perform_acting(
    app: &App,
    merchant: &Merchant,
    payment: PaymentId,
    request: Request,
    deadline: Timestamp,
) -> Result<Reply, Problem> {
    let key = PaymentKey { merchant: merchant.id, payment };
    let stored = app.shell.read(key, deadline).await?.ok_or_else(Problem::not_found)?;
    let route = route(app, merchant, stored.payment.gateway)?;
    Ok(app.shell.perform(merchant.id, route, &request, Some(stored), deadline).await?)
}

/// The merchant's gateway with the adapter that speaks to it.
pub fn route<'a>(app: &App, merchant: &'a Merchant, id: GatewayId) -> Result<Route<'a>, Fault> {
    let bus = if app.tells_bus { on_bus() } else { EventNames::NONE };
    Route::to(merchant, id, merchant.wanted().and(bus))
}

fn render(reply: &Reply, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let view = View::of(&reply.payment, reply.operation).ok_or_else(Problem::not_found)?;
    see(subject, &view);
    subject.replayed = reply.replayed;
    let status = view.http_status().ok_or_else(Problem::not_sent)?;
    let answer = HttpAnswer::json(status, serde_json::to_string(&view.answer()).unwrap_or_default());
    let is_replay = reply.replayed && view.operation.is_settled();
    Ok(if is_replay { answer.with_header("idempotent-replayed", "true") } else { answer })
}
