//! Stored payment methods: made of a card or a bank account by a gateway's token service, kept with a token that the
//! merchant has already, and changed.
//!
//! | route | does |
//! |---|---|
//! | `POST /commerce/payments/payment-methods`, `…/payment-method/tokens` | asks the gateway for a token ([`made`]) |
//! | `POST /sobjects/CardPaymentMethod` and the other kinds | keeps one that is there ([`brought`]) |
//! | `PATCH /commerce/payments/payment-methods/{paymentMethodId}` | nick name, auto-pay, status ([`changed`]) |

mod brought;
mod changed;
mod made;

use kessai_shared::ids::MethodKind;
use kessai_shared::merchant::{Merchant, Scope};
use kessai_shared::method::{Method, State};
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::time::Timestamp;
use kessai_shared::vault::Kept;

use crate::door::{App, Function, Needs, Subject, authenticate, fresh_key};
use crate::event::{HttpAnswer, HttpEvent};
use crate::key;
use crate::problem::Problem;
use crate::wire::members::Members;
use crate::wire::method;

pub const FUNCTION: Function = Function {
    name: "tokenize",
    scopes: &[Scope::Tokenize],
    needs: Needs::TO_TAKE_CARDS,
    answer: |app, function, event, deadline, subject| Box::pin(serve(app, function, event, deadline, subject)),
};

/// A request on its way.
struct Call<'a> {
    app: &'a App,
    merchant: Merchant,
    event: &'a HttpEvent,
    deadline: Timestamp,
}

/// Answers one request.
pub async fn serve(
    app: &App,
    function: &Function,
    event: &HttpEvent,
    deadline: Timestamp,
    subject: &mut Subject,
) -> Result<HttpAnswer, Problem> {
    let merchant = authenticate(app, function, event, deadline, subject).await?.merchant;
    let call = Call { app, merchant, event, deadline };
    // The route of the path that ends with a slash takes whatever follows it.
    if event.path_parameter("proxy").is_some_and(|rest| !rest.is_empty()) {
        return Err(Problem::not_found());
    }
    if event.path_parameter("paymentMethodId").is_some() {
        return changed::serve(&call, subject).await;
    }
    let (_, path) = event.route_key.split_once(' ').unwrap_or_default();
    let object = path.rsplit_once("/sobjects/").map(|(_, object)| object);
    match object {
        Some(object) => {
            let kind = MethodKind::ALL.into_iter().find(|kind| kind.object() == object);
            brought::serve(&call, kind.ok_or_else(Problem::not_found)?, subject).await
        }
        None => made::serve(&call, subject).await,
    }
}

impl Call<'_> {
    /// The key of the request, new where the caller gave none.
    fn key(&self, members: &mut Members<'_>) -> Result<IdempotencyKey, Problem> {
        Ok(key::given(self.event, members)?.unwrap_or_else(|| fresh_key(self.app)))
    }
}

/// The answer to whoever asked for a method.
fn reply(kept: &Kept, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    render(&kept.method, kept.replayed, subject)
}

/// A method as it was made, or refused.
pub fn render(kept: &Method, replayed: bool, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    see(subject, kept, replayed);
    let status = method::http_status(kept).ok_or_else(Problem::not_sent)?;
    let answer = HttpAnswer::json(status, serde_json::to_string(&method::answer(kept)).unwrap_or_default());
    let is_settled = matches!(kept.state, State::Refused { .. } | State::Kept { .. });
    Ok(if replayed && is_settled { answer.with_header("idempotent-replayed", "true") } else { answer })
}

/// The request is about this method.
fn see(subject: &mut Subject, kept: &Method, replayed: bool) {
    subject.operation = Some(kept.id.id());
    subject.state = kept.status().map(kessai_shared::method::Status::literal);
    subject.replayed = replayed;
}
