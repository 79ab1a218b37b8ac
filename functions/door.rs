//! The one door: who asks, under which key, for what; and the answer.
//!
//! A function says only how its body becomes a [`Request`]. The door does what all have in common, in
//! this order: the API key, the body, the idempotency key, the translation, the payment it acts on and
//! its gateway, the operation, the answer.

use std::sync::Arc;

use kessai_shared::ids::{GatewayId, MerchantId, MethodId, Ordinal, PaymentId, PaymentKey, Record};
use kessai_shared::merchant::{ApiKey, Merchant};
use kessai_shared::method::{self, Method, Status};
use kessai_shared::payment::asked::{Details, OnFile};
use kessai_shared::payment::{Action, IdempotencyKey, Instrument, Request};
use kessai_shared::ports::{Answered, Directory, Note};
use kessai_shared::rejection::{Fault, Refusal, Rejection};
use kessai_shared::shell::{Reply, Route, Shell};
use kessai_shared::stored::merchant::{api_key_key, decode_api_key, decode_merchant, merchant_key};
use kessai_shared::time::Timestamp;
use kessai_shared::vault;

use crate::event::{HttpAnswer, HttpEvent};
use crate::key;
use crate::problem::Problem;
use crate::wire::body::{self, Saving};
use crate::wire::members::Members;
use crate::wire::view::View;

/// Everything a function needs of the world.
#[derive(Clone)]
pub struct App {
    pub shell: Shell,
    pub directory: Arc<dyn Directory>,
}

/// A function that answers callers.
#[derive(Debug)]
pub struct Function {
    /// As the template and the binary call it.
    pub name: &'static str,
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
        Does::Open(translate) | Does::Act(translate) => operate(app, translate, event, deadline, &mut subject).await,
        Does::Tokenize => crate::tokenize::serve(app, event, deadline, &mut subject).await,
        Does::Retrieve => crate::retrieve::show(app, event, deadline, &mut subject).await,
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
    translate: Translate,
    event: &HttpEvent,
    deadline: Timestamp,
    subject: &mut Subject,
) -> Result<HttpAnswer, Problem> {
    let merchant = authenticate(app, event, deadline, subject).await?;
    let text = event.json_body()?;
    let mut members = Members::parse(&text)?;
    let key = key::given(event, &mut members)?.unwrap_or_else(|| fresh_key(app));
    let details = body::details(&mut members)?;
    let ask = translate(&mut members, Asking { merchant: &merchant, event, key, details })?;
    members.finish()?;
    let opens = matches!(ask, Ask::Open(_) | Ask::Save(..));
    let reply = match perform(app, &merchant, ask, deadline).await? {
        Performed::Replied(reply) => reply,
        Performed::NotKept(method) => return crate::tokenize::render(&method, true, subject),
    };
    subject.replayed = reply.replayed;
    subject.opened = opens && !reply.replayed;
    render(&reply, subject)
}

/// The merchant that the API key belongs to.
pub async fn authenticate(
    app: &App,
    event: &HttpEvent,
    deadline: Timestamp,
    subject: &mut Subject,
) -> Result<Merchant, Problem> {
    let bearer = event.header("authorization").and_then(|header| header.split_once(' '));
    let token = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let key = token.and_then(ApiKey::parse).ok_or_else(Problem::unauthorized)?;
    let item = find(app, &api_key_key(&key.hash()), deadline).await?.ok_or_else(Problem::unauthorized)?;
    let merchant = decode_api_key(item).map_err(Fault::from)?;
    let merchant = merchant_of(app, &merchant, deadline).await?.ok_or_else(Problem::unauthorized)?;
    subject.merchant = Some(merchant.id);
    Ok(merchant)
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

async fn find(app: &App, key: &str, deadline: Timestamp) -> Result<Option<kessai_shared::stored::Item>, Fault> {
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
        Ask::Open(request) => (None, with_token(app, merchant, request, deadline).await?),
        Ask::Save(request, saving) => match kept_first(app, merchant, request, *saving, deadline).await? {
            Ok(request) => (None, with_token(app, merchant, request, deadline).await?),
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

/// The request with its stored method's token, where it is paid with one.
async fn with_token(
    app: &App,
    merchant: &Merchant,
    mut request: Request,
    deadline: Timestamp,
) -> Result<Request, Problem> {
    let Action::Open(opening) = &mut request.action else { return Ok(request) };
    let Instrument::Stored(on_file) = &mut opening.instrument else { return Ok(request) };
    match app.shell.on_file(&merchant.id, &on_file.method, opening.gateway, deadline).await {
        Ok(opened) => *on_file = opened,
        // Whoever asked before, when the method could be used, is to hear the same as then.
        Err(refusal) => {
            let payment = PaymentId::opened_by(&merchant.id, &request.key);
            let asked_before = app.shell.read(PaymentKey { merchant: merchant.id, payment }, deadline).await?;
            if asked_before.is_none() {
                return Err(unusable(refusal));
            }
        }
    }
    Ok(request)
}

fn unusable(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Rejection(Rejection::NotFound) => {
            Problem::invalid("paymentMethod.id", "is no payment method of this merchant")
        }
        Refusal::Rejection(_) | Refusal::Fault(_) => refusal.into(),
    }
}

/// The request, paid with what is kept of it; or what its gateway refused to keep. Keeping comes first: until it is
/// known, nothing is charged.
async fn kept_first(
    app: &App,
    merchant: &Merchant,
    mut request: Request,
    saving: Saving,
    deadline: Timestamp,
) -> Result<Result<Request, Box<Method>>, Problem> {
    let Action::Open(opening) = &mut request.action else { return Ok(Ok(request)) };
    let Saving { kind, facts, mut details } = saving;
    let method = MethodId::saved_by(kind, &merchant.id, &request.key);
    details.account = details.account.or_else(|| request.details.account.clone());
    let asked = method::Asked { kind, key: request.key.clone(), gateway: Some(opening.gateway), facts, details };
    let on_file = Instrument::Stored(OnFile::unopened(method));
    let instrument = std::mem::replace(&mut opening.instrument, on_file);
    let asking = vault::Asking { merchant: merchant.id, id: method, asked, instrument };
    let kept = match &asking.instrument {
        Instrument::Alternative { .. } => app.shell.keep(&asking, Status::Active, deadline).await?,
        Instrument::Card { .. } | Instrument::Bank { .. } | Instrument::Stored(_) => {
            app.shell.tokenize(route(merchant, opening.gateway)?, &asking, deadline).await?
        }
    };
    match &kept.method.state {
        method::State::Kept { .. } => Ok(Ok(request)),
        method::State::Refused { .. } => Ok(Err(Box::new(kept.method))),
        method::State::Open(_) | method::State::Unsent => Err(Problem::not_kept()),
    }
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
