//! The one door: who asks, under which key, for what; and the answer.
//!
//! A function says only how its body becomes a [`Request`]. The door does what all have in common, in
//! this order: the API key, the body, the idempotency key, the translation, the payment it acts on and
//! its gateway, the operation, the answer.

use std::sync::Arc;

use kessai_shared::ids::{MerchantId, Ordinal, PaymentId, PaymentKey, Record};
use kessai_shared::merchant::{ApiKey, Merchant};
use kessai_shared::payment::asked::Details;
use kessai_shared::payment::{Action, IdempotencyKey, Request};
use kessai_shared::ports::Directory;
use kessai_shared::rejection::Fault;
use kessai_shared::shell::{Reply, Route, Shell};
use kessai_shared::stored::merchant::{api_key_key, decode_api_key, decode_merchant, merchant_key};
use kessai_shared::time::Timestamp;

use crate::event::{HttpAnswer, HttpEvent};
use crate::problem::Problem;
use crate::wire::body::{self, KEY_FORM};
use crate::wire::envelope::View;
use crate::wire::members::Members;

/// The idempotency key's headers: the wire's own and the one of the IETF draft.
const KEY_HEADERS: [&str; 2] = ["sfdc-payments-idempotency-key", "idempotency-key"];

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
    /// Carries out an operation.
    Operation(Translate),
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
    /// It acts on this one.
    Act(PaymentId, Request),
}

impl Asking<'_> {
    /// The record that the path names: another merchant's cannot be named.
    pub fn record(&self, record: Record, parameter: &str) -> Result<(PaymentId, Ordinal), Problem> {
        let text = self.event.path_parameter(parameter).unwrap_or_default();
        record.locate(text).ok_or_else(Problem::not_found)
    }
}

/// Answers one request. `deadline`: when the platform kills us.
pub async fn answer(app: &App, function: &Function, event: &HttpEvent, deadline: Timestamp) -> HttpAnswer {
    let answered = match function.does {
        Does::Operation(translate) => operate(app, translate, event, deadline).await,
        Does::Retrieve => crate::retrieve::show(app, event, deadline).await,
    };
    answered.unwrap_or_else(|problem| {
        if let Some(cause) = &problem.cause {
            eprintln!("{}: {} {}: {cause}", function.name, problem.status, problem.code);
        }
        HttpAnswer::from(problem)
    })
}

async fn operate(
    app: &App,
    translate: Translate,
    event: &HttpEvent,
    deadline: Timestamp,
) -> Result<HttpAnswer, Problem> {
    let merchant = authenticate(app, event).await?;
    let text = event.json_body()?;
    let mut members = Members::parse(&text)?;
    let key = idempotency_key(app, event, &mut members)?;
    let details = body::details(&mut members)?;
    let ask = translate(&mut members, Asking { merchant: &merchant, event, key, details })?;
    members.finish()?;
    let reply = perform(app, &merchant, ask, deadline).await?;
    render(&reply)
}

/// The merchant that the API key belongs to.
pub async fn authenticate(app: &App, event: &HttpEvent) -> Result<Merchant, Problem> {
    let bearer = event.header("authorization").and_then(|header| header.split_once(' '));
    let token = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let key = token.and_then(ApiKey::parse).ok_or_else(Problem::unauthorized)?;
    let item = find(app, &api_key_key(&key.hash())).await?.ok_or_else(Problem::unauthorized)?;
    let merchant = decode_api_key(item).map_err(Fault::from)?;
    merchant_of(app, &merchant).await?.ok_or_else(Problem::unauthorized)
}

/// A merchant's set-up.
pub async fn merchant_of(app: &App, id: &MerchantId) -> Result<Option<Merchant>, Fault> {
    let item = find(app, &merchant_key(id)).await?;
    Ok(item.map(decode_merchant).transpose()?)
}

async fn find(app: &App, key: &str) -> Result<Option<kessai_shared::stored::Item>, Fault> {
    app.directory.find(key).await.map_err(|fault| Fault::Store(Box::new(fault)))
}

/// The key that names the operation: from one of the headers or the body, never from two places. Where
/// there is none, a new one that nobody else has.
fn idempotency_key(app: &App, event: &HttpEvent, members: &mut Members<'_>) -> Result<IdempotencyKey, Problem> {
    let mut given = Vec::new();
    for name in KEY_HEADERS {
        if let Some(text) = event.header(name) {
            let key = IdempotencyKey::parse(unquoted(text))
                .ok_or_else(|| Problem::invalid(name, format!("must be {KEY_FORM}")))?;
            given.push((name, key));
        }
    }
    if let Some(key) = body::idempotency_key(members)? {
        given.push(("idempotencyKey", key));
    }
    match (given.pop(), given.pop()) {
        (Some((second, _)), Some((first, _))) => {
            Err(Problem::invalid(second, format!("must not be given together with {first}")))
        }
        (Some((_, key)), None) => Ok(key),
        (None, _) => Ok(fresh_key(app)),
    }
}

/// The draft's header is a structured string, in quotes; callers send it with and without them.
fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

fn fresh_key(app: &App) -> IdempotencyKey {
    let [_, _, _, _, _, _, random @ ..] = app.shell.entropy.bytes();
    let millis = u64::try_from(app.shell.clock.now().as_millis()).unwrap_or_default();
    IdempotencyKey::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

async fn perform(app: &App, merchant: &Merchant, ask: Ask, deadline: Timestamp) -> Result<Reply, Problem> {
    let (stored, request) = match ask {
        Ask::Open(request) => (None, request),
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
    let gateway = merchant.gateways.get(&id).ok_or_else(|| Fault::SetUp(format!("gateway {id} is gone")))?;
    Ok(app.shell.perform(merchant.id, Route::to(gateway)?, &request, stored, deadline).await?)
}

fn render(reply: &Reply) -> Result<HttpAnswer, Problem> {
    let view = View::of(&reply.payment, reply.operation).ok_or_else(Problem::not_found)?;
    let status = view.http_status().ok_or_else(Problem::not_sent)?;
    let answer = HttpAnswer::json(status, serde_json::to_string(&view.answer()).unwrap_or_default());
    Ok(if reply.replayed { answer.with_header("idempotent-replayed", "true") } else { answer })
}
