//! `GET` of each record: how it stands, what is left of it, and what was heard of it.

use kessai_shared::ids::{PaymentKey, Record};
use kessai_shared::merchant::Scope;
use kessai_shared::time::Timestamp;

use crate::door::{App, Function, Needs, Subject, authenticate, see};
use crate::event::{HttpAnswer, HttpEvent};
use crate::problem::Problem;
use crate::wire::view::View;

mod methods;

pub const FUNCTION: Function = Function {
    name: "retrieve",
    scopes: &[Scope::Read],
    needs: Needs::TO_SHOW,
    answer: |app, function, event, deadline, subject| Box::pin(show(app, function, event, deadline, subject)),
};

/// The path's parameters, the innermost first: the first that is there names the record, the next the
/// record it must belong to.
const PARAMETERS: [(&str, Record); 4] = [
    ("refundId", Record::Refund),
    ("reversalId", Record::Adjustment),
    ("paymentId", Record::Payment),
    ("authorizationId", Record::Authorization),
];

/// Shows the record that the path names.
pub async fn show(
    app: &App,
    function: &Function,
    event: &HttpEvent,
    deadline: Timestamp,
    subject: &mut Subject,
) -> Result<HttpAnswer, Problem> {
    let merchant = authenticate(app, function, event, deadline, subject).await?.merchant;
    if event.route_key.contains("/payment-methods") {
        return methods::show(app, &merchant, event, deadline).await;
    }
    let mut named = PARAMETERS.into_iter().filter_map(|(name, record)| Some((record, event.path_parameter(name)?)));
    let (record, id) = named.next().ok_or_else(Problem::not_found)?;
    let (payment, ordinal) = record.locate(id).ok_or_else(Problem::not_found)?;
    let key = PaymentKey { merchant: merchant.id, payment };
    let stored = app.shell.read(key, deadline).await?.ok_or_else(Problem::not_found)?;
    let view = View::of(&stored.payment, ordinal).ok_or_else(Problem::not_found)?;
    let kind = &view.operation.asked.kind;
    let belongs = match named.next() {
        Some((parent, id)) => kind.target().is_some_and(|target| parent.locate(id) == Some((payment, target))),
        None => true,
    };
    if view.operation.record() != record || !belongs {
        return Err(Problem::not_found());
    }
    see(subject, &view);
    let reading = view.reading(app.shell.clock.now());
    Ok(HttpAnswer::json(200, serde_json::to_string(&reading).unwrap_or_default()))
}
