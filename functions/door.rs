//! The one door: who asks, under which key, for what; and the answer.
//!
//! A function says only how its body becomes a [`Request`]. The door does what all have in common, in
//! this order: the API key, the body, the idempotency key, the translation, the payment it acts on and
//! its gateway, the operation, the answer.

use std::sync::Arc;

use kessai_shared::ids::{GatewayId, MerchantId, Ordinal, PaymentId, PaymentKey, Record};
use kessai_shared::merchant::{Merchant, Scope};
use kessai_shared::method::Method;
use kessai_shared::payment::asked::Details;
use kessai_shared::payment::{Action, IdempotencyKey, Request};
use kessai_shared::ports::{Answered, Directory, Note, Store};
use kessai_shared::rejection::Fault;
use kessai_shared::shell::{Reply, Route, Shell};
use kessai_shared::stored::Item;
use kessai_shared::stored::merchant::{decode_merchant, merchant_key};
use kessai_shared::time::Timestamp;

pub use crate::access::{Caller, authenticate};
use crate::event::{HttpAnswer, HttpEvent};
use crate::key;
use crate::paying::{kept_first, payable};
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
    /// Whether gateways may listen on this very machine, in plain HTTP. Never in a Lambda function: its platform listens
    /// there too.
    pub takes_loopback: bool,
}

/// A function that answers callers.
#[derive(Debug)]
pub struct Function {
    /// As the template and the binary call it.
    pub name: &'static str,
    /// What an API key must have, all of it.
    pub scopes: &'static [Scope],
    pub does: Does,
}

#[derive(Clone, Copy, Debug)]
pub enum Does {
    /// Opens a payment.
    Open(Translate),
    /// Acts on one.
    Act(Translate),
    /// Makes and changes stored payment methods.
    Tokenize,
    /// Shows records.
    Retrieve,
    /// Changes and shows what a merchant has set up.
    SetUp,
}

/// How a function's body becomes a request. It takes its own members; the door has taken the common ones.
pub type Translate = fn(&mut Members<'_>, Asking<'_>) -> Result<Ask, Problem>;

/// What the door knows of a request before it is translated.
pub struct Asking<'a> {
    pub merchant: &'a Merchant,
    pub event: &'a HttpEvent,
    pub key: IdempotencyKey,
    pub details: Details,
}

/// A translated request.
pub enum Ask {
    /// It opens a payment.
    Open(Request),
    /// It opens one, and what it is paid with is to be kept.
    Save(Request, Box<Saving>),
    /// It acts on this one.
    Act(PaymentId, Request),
}

impl Ask {
    /// It opens a payment, and what it is paid with may be kept.
    pub fn open(request: Request, saving: Option<Saving>) -> Self {
        match saving {
            Some(saving) => Self::Save(request, Box::new(saving)),
            None => Self::Open(request),
        }
    }
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
    let answered = match function.does {
        _ if !is_version(event.path_parameter("version")) => Err(Problem::not_found()),
        Does::Open(translate) | Does::Act(translate) => {
            operate(app, function, translate, event, deadline, &mut subject).await
        }
        Does::Tokenize => crate::tokenize::serve(app, event, deadline, &mut subject).await,
        Does::Retrieve => crate::retrieve::show(app, event, deadline, &mut subject).await,
        Does::SetUp => crate::set_up::answer(app, event, deadline, &mut subject).await,
    };
    let problem = answered.as_ref().err();
    app.shell.journal.note(&Note::Answered(Answered {
        status: answered.as_ref().map_or_else(|problem| problem.status, |answer| answer.status_code),
        code: problem.map(|problem| problem.code),
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

async fn operate(
    app: &App,
    function: &Function,
    translate: Translate,
    event: &HttpEvent,
    deadline: Timestamp,
    subject: &mut Subject,
) -> Result<HttpAnswer, Problem> {
    let caller = authenticate(app, function, event, deadline, subject).await?;
    let merchant = &caller.merchant;
    let text = event.json_body()?;
    let mut members = Members::parse(&text)?;
    let key = key::given(event, &mut members)?.unwrap_or_else(|| fresh_key(app));
    let details = body::details(&mut members)?;
    let ask = translate(&mut members, Asking { merchant, event, key, details })?;
    members.finish()?;
    if matches!(ask, Ask::Save(..)) {
        caller.must_have(Scope::Tokenize)?;
    }
    let opens = matches!(ask, Ask::Open(_) | Ask::Save(..));
    let reply = match perform(app, merchant, ask, deadline).await? {
        Performed::Replied(reply) => reply,
        Performed::NotKept(method) => return crate::tokenize::render(&method, true, subject),
    };
    subject.replayed = reply.replayed;
    subject.opened = opens && !reply.replayed;
    render(&reply, subject)
}

async fn merchant_of(app: &App, id: &MerchantId, deadline: Timestamp) -> Result<Option<Merchant>, Fault> {
    let item = find(app, &merchant_key(id), deadline).await?;
    Ok(item.map(decode_merchant).transpose()?)
}

/// The merchant that a stored payment belongs to.
pub async fn owner(app: &App, payment: PaymentKey, deadline: Timestamp) -> Result<Merchant, Fault> {
    let gone = || Fault::SetUp(format!("merchant {} is gone", payment.merchant));
    merchant_of(app, &payment.merchant, deadline).await?.ok_or_else(gone)
}

async fn find(app: &App, key: &str, deadline: Timestamp) -> Result<Option<Item>, Fault> {
    app.shell.patiently(deadline, || app.directory.find(key)).await
}

/// Stands in where the caller gave no key: a new one that nobody else has.
pub fn fresh_key(app: &App) -> IdempotencyKey {
    let [_, _, _, _, _, _, random @ ..] = app.shell.entropy.bytes();
    let millis = u64::try_from(app.shell.clock.now().as_millis()).unwrap_or_default();
    IdempotencyKey::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

/// What came of a translated request.
pub enum Performed {
    Replied(Reply),
    /// What was to be kept was refused by its gateway's token service: nothing was paid with it.
    NotKept(Box<Method>),
}

/// Carries out a translated request.
pub async fn perform(app: &App, merchant: &Merchant, ask: Ask, deadline: Timestamp) -> Result<Performed, Problem> {
    let (stored, request) = match ask {
        Ask::Open(request) => (None, payable(app, merchant, request, deadline).await?),
        Ask::Save(request, saving) => match kept_first(app, merchant, request, *saving, deadline).await? {
            Ok(request) => (None, payable(app, merchant, request, deadline).await?),
            Err(refused) => return Ok(Performed::NotKept(refused)),
        },
        Ask::Act(payment, request) => {
            let key = PaymentKey { merchant: merchant.id, payment };
            (Some(app.shell.read(key, deadline).await?.ok_or_else(Problem::not_found)?), request)
        }
    };
    let id = match (&request.action, &stored) {
        (Action::Open(opening), _) => opening.gateway,
        (Action::Act(_), Some(stored)) => stored.payment.gateway,
        (Action::Act(_), None) => return Err(Problem::not_found()),
    };
    let reply = app.shell.perform(merchant.id, route(merchant, id)?, &request, stored, deadline).await?;
    Ok(Performed::Replied(reply))
}

/// The merchant's gateway with the adapter that speaks to it.
pub fn route(merchant: &Merchant, id: GatewayId) -> Result<Route<'_>, Fault> {
    let gateway = merchant.gateways.get(&id).ok_or_else(|| Fault::SetUp(format!("gateway {id} is gone")))?;
    Route::to(gateway)
}

fn render(reply: &Reply, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let view = View::of(&reply.payment, reply.operation).ok_or_else(Problem::not_found)?;
    see(subject, &view);
    let status = view.http_status().ok_or_else(Problem::not_sent)?;
    let answer = HttpAnswer::json(status, serde_json::to_string(&view.answer()).unwrap_or_default());
    let is_replay = reply.replayed && view.operation.is_settled();
    Ok(if is_replay { answer.with_header("idempotent-replayed", "true") } else { answer })
}
