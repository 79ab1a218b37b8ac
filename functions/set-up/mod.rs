//! Set-up: providers, gateways and method types in the wire's own records, and what the wire has no record for, below
//! `/set-up`: merchants, API keys, secrets of notices, webhook endpoints, and the trail of all changes. What Kessai is known
//! by at a gateway, and whether that works, is below the gateway's record. Retry rules are set up by
//! [another function](crate::retry_rules), at the same desk.
//!
//! One file for each kind of thing: its members, and how they become a [`Change`]. What is checked against the merchant
//! is in the domain. A creation under an idempotency key is found again by its id, which follows from the key: asked
//! again it gives the same answer, but for a secret, which is shown once. The function itself reads merchants as they are
//! now; the others know of a change within a minute, because they remember what they read.

mod api_key;
mod credential;
mod endpoint;
mod gateway;
mod merchant;
mod method_type;
mod notice_secret;
mod provider;
mod trail;
mod view;

use kessai_shared::card::Secret;
use kessai_shared::ids::MerchantId;
use kessai_shared::merchant::set_up::{Change, Made, Refused, Who};
use kessai_shared::merchant::{Merchant, Scope, SharedWith};
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::registry::{Hindered, Registry};
use kessai_shared::rejection::Fault;
use kessai_shared::seal::{Sealed, SealingKeys};
use kessai_shared::time::Timestamp;
use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::door::{App, Caller, Function, Needs, Subject, authenticate};
use crate::event::{HttpAnswer, HttpEvent};
use crate::key;
use crate::problem::Problem;
use crate::wire::members::Members;

pub const FUNCTION: Function = Function {
    name: "set-up",
    scopes: &[Scope::SetUp],
    needs: Needs::TO_SET_UP,
    answer: |app, function, event, deadline, subject| Box::pin(answer(app, function, event, deadline, subject)),
};

/// Characters of names and labels of records, as the wire has them.
const LABEL: usize = 80;

/// Characters of comments, as of a payment's.
const COMMENTS: usize = 1_000;

/// Characters of an id, with its check characters.
pub(crate) const ID: usize = 18;

/// What stands before a path that names a version of the wire format.
const VERSIONED: &str = "/services/data/{version}";

/// One request, with whoever asks: where every change is made.
pub(crate) struct Desk<'a> {
    app: &'a App,
    event: &'a HttpEvent,
    /// As it was read when its key was looked at.
    pub(crate) merchant: Merchant,
    by: Who,
    deadline: Timestamp,
}

/// Answers one request.
pub async fn answer(
    app: &App,
    function: &Function,
    event: &HttpEvent,
    deadline: Timestamp,
    subject: &mut Subject,
) -> Result<HttpAnswer, Problem> {
    let desk = Desk::of(app, function, event, deadline, subject).await?;
    match desk.route() {
        ("POST", "/tooling/sobjects/PaymentGatewayProvider") => provider::create(&desk).await,
        ("PATCH", "/tooling/sobjects/PaymentGatewayProvider/{providerId}") => provider::edit(&desk).await,
        ("POST", "/set-up/providers/{providerId}/notification-secret") => notice_secret::set(&desk).await,
        ("DELETE", "/set-up/providers/{providerId}/notification-secret") => notice_secret::remove(&desk).await,
        ("POST", "/sobjects/PaymentGateway") => gateway::create(&desk).await,
        ("PATCH", "/sobjects/PaymentGateway/{gatewayId}") => gateway::edit(&desk).await,
        ("POST", "/sobjects/PaymentGateway/{gatewayId}/credential") => credential::set(&desk).await,
        ("POST", "/sobjects/PaymentGateway/{gatewayId}/check") => credential::check(&desk).await,
        ("POST", "/sobjects/GtwyProvPaymentMethodType") => method_type::create(&desk).await,
        ("GET", "/set-up") => view::show(&desk),
        ("GET", "/set-up/audit-trail") => trail::show(&desk).await,
        ("POST", "/set-up/merchants") => merchant::create(&desk).await,
        ("PATCH", "/set-up/merchant") => merchant::edit(&desk).await,
        ("POST", "/set-up/api-keys") => api_key::create(&desk).await,
        ("POST", "/set-up/api-keys/{apiKeyId}/roll") => api_key::roll(&desk).await,
        ("DELETE", "/set-up/api-keys/{apiKeyId}") => api_key::revoke(&desk).await,
        ("POST", "/set-up/webhook-endpoints") => endpoint::create(&desk).await,
        ("PATCH", "/set-up/webhook-endpoints/{endpointId}") => endpoint::edit(&desk).await,
        ("DELETE", "/set-up/webhook-endpoints/{endpointId}") => endpoint::delete(&desk).await,
        ("POST", "/set-up/webhook-endpoints/{endpointId}/roll") => endpoint::roll(&desk).await,
        _ => Err(Problem::not_found()),
    }
}

impl<'a> Desk<'a> {
    /// For whoever may set up.
    pub(crate) async fn of(
        app: &'a App,
        function: &Function,
        event: &'a HttpEvent,
        deadline: Timestamp,
        subject: &mut Subject,
    ) -> Result<Self, Problem> {
        let Caller { merchant, key, .. } = authenticate(app, function, event, deadline, subject).await?;
        let by = Who::Key(key.ok_or_else(Problem::unauthorized)?);
        Ok(Self { app, event, merchant, by, deadline })
    }
}

impl Desk<'_> {
    /// Method and path, without the version.
    pub(crate) fn route(&self) -> (&str, &str) {
        let (method, path) = self.event.route_key.split_once(' ').unwrap_or_default();
        (method, path.strip_prefix(VERSIONED).unwrap_or(path))
    }

    fn registry(&self) -> Registry<'_> {
        Registry { store: &*self.app.merchants, clock: &*self.app.shell.clock, deadline: self.deadline }
    }

    fn now(&self) -> Timestamp {
        self.app.shell.clock.now()
    }

    fn random(&self) -> [u8; 16] {
        self.app.shell.entropy.bytes()
    }

    fn sealing_keys(&self) -> Result<&SealingKeys, Problem> {
        let keys = self.app.shell.sealing_keys.as_deref();
        keys.ok_or_else(|| Fault::SetUp("this function has no keys that seal".to_owned()).into())
    }

    /// Seals what this merchant shares with somebody.
    fn seal(&self, with: SharedWith, secret: &Secret) -> Result<Sealed, Problem> {
        let sealed = with.seal(&self.merchant.id, self.sealing_keys()?, secret, self.random());
        sealed.map_err(|error| Fault::SetUp(error.to_string()).into())
    }

    /// The thing that the path names: another merchant's cannot be named.
    pub(crate) fn named<T>(&self, parameter: &str, parse: fn(&str) -> Option<T>) -> Result<T, Problem> {
        self.event.path_parameter(parameter).and_then(parse).ok_or_else(Problem::not_found)
    }

    /// The body; an empty one where nothing must be said.
    pub(crate) fn body(&self) -> Result<Zeroizing<String>, Problem> {
        let text = self.event.json_body()?;
        Ok(if text.is_empty() { Zeroizing::new("{}".to_owned()) } else { text })
    }

    pub(crate) async fn change(&self, change: Change) -> Result<Merchant, Problem> {
        let decide = |merchant: &Merchant, now| merchant.after(&change, now, self.by);
        self.registry().change(self.merchant.clone(), decide).await.map_err(hindered)
    }
}

/// Under which key something is to be made, and out of what.
pub(crate) struct Making {
    key: Option<IdempotencyKey>,
    pub(crate) made: Option<Made>,
}

impl Making {
    /// Takes the key out of the members, if it stands there.
    pub(crate) fn of(desk: &Desk<'_>, members: &mut Members<'_>, body: &str) -> Result<Self, Problem> {
        let key = key::given(desk.event, members)?;
        let made = key.as_ref().map(|key| Made::of(key, &content(desk, body)));
        Ok(Self { key, made })
    }

    /// The id of what is made: the key's, or a new one.
    pub(crate) fn id<T>(
        &self,
        desk: &Desk<'_>,
        under: fn(&MerchantId, &IdempotencyKey) -> T,
        from_random: fn([u8; 16]) -> T,
    ) -> T {
        match &self.key {
            Some(key) => under(&desk.merchant.id, key),
            None => from_random(desk.random()),
        }
    }
}

/// What is asked for, in whatever order and with whatever space: the route, what it names, and the body without the key.
fn content(desk: &Desk<'_>, body: &str) -> String {
    let (method, path) = desk.route();
    let mut body: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| !name.eq_ignore_ascii_case("idempotencyKey"));
    }
    let named = desk.event.path_parameters.iter().filter(|(name, _)| *name != "version");
    let named: Vec<String> = named.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{method} {path} {} {body}", named.join(" "))
}

fn hindered(hindered: Hindered) -> Problem {
    match hindered {
        Hindered::Refused(refused) => refuse(&refused),
        Hindered::Fault(fault) => fault.into(),
    }
}

fn refuse(refused: &Refused) -> Problem {
    let (status, code) = match refused {
        Refused::NotFound => (404, "NOT_FOUND"),
        Refused::Reused => (422, "IDEMPOTENCY_KEY_REUSED"),
        Refused::ShownOnce(_) => (409, "DUPLICATE_VALUE"),
        Refused::Taken(_) => (400, "DUPLICATE_VALUE"),
        Refused::Unknown(_) | Refused::Misfit { .. } => (400, "INVALID_API_INPUT"),
        Refused::Full { .. } | Refused::TooLarge { .. } => (422, "LIMIT_EXCEEDED"),
        Refused::Bound(_) | Refused::LastKey | Refused::DeadKey | Refused::NotEmpty { .. } => (422, "INVALID_STATUS"),
    };
    Problem::new(status, code, refused.to_string())
}

pub(crate) fn json(status: u16, body: &impl Serialize) -> HttpAnswer {
    HttpAnswer::json(status, serde_json::to_string(body).unwrap_or_default())
}

/// Holds a secret, which nobody on the way may keep.
fn shown_once(body: &impl Serialize) -> HttpAnswer {
    json(201, body).with_header("cache-control", "no-store")
}

/// It is done, and there is nothing to say.
pub(crate) fn done() -> HttpAnswer {
    HttpAnswer { status_code: 204, headers: std::collections::BTreeMap::new(), body: String::new() }
}

/// What the wire answers for a record that was made.
#[derive(Serialize)]
struct Created {
    id: String,
    success: bool,
    errors: [&'static str; 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<[&'static str; 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    infos: Option<[&'static str; 0]>,
}

pub(crate) fn created(id: impl ToString) -> HttpAnswer {
    json(201, &Created { id: id.to_string(), success: true, errors: [], warnings: None, infos: None })
}

/// The same in the words of the Tooling API.
fn created_by_tooling(id: impl ToString) -> HttpAnswer {
    json(201, &Created { id: id.to_string(), success: true, errors: [], warnings: Some([]), infos: Some([]) })
}
