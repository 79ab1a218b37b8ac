//! What a payment is made with, before it is made: its stored method's token, or what is to be kept of it first.

use kessai_shared::ids::{GatewayId, MethodId, Ordinal, PaymentId, PaymentKey};
use kessai_shared::merchant::Merchant;
use kessai_shared::method::{self, Method, Status};
use kessai_shared::money::{Currency, Money};
use kessai_shared::payment::asked::{Amount, Details, OnFile};
use kessai_shared::payment::{Action, IdempotencyKey, Instrument, Request, State};
use kessai_shared::ports::{Expected, Written};
use kessai_shared::rejection::{Fault, Refusal, Rejection};
use kessai_shared::stored::Item;
use kessai_shared::stored::payment::{KEY, Stored, VERSION};
use kessai_shared::time::Timestamp;
use kessai_shared::vault;

use crate::door::{App, route};
use crate::problem::Problem;
use crate::wire::instrument::Saving;

/// The request as it can be paid: through a gateway that is active, with its stored method's token where it is paid with
/// one. What was opened before is answered as ever, whatever has changed since: whoever asks again must learn what became
/// of it.
pub async fn payable(
    app: &App,
    merchant: &Merchant,
    mut request: Request,
    deadline: Timestamp,
) -> Result<Request, Problem> {
    match pay_with(app, merchant, &mut request, deadline).await {
        Err(problem) if !was_opened(app, merchant, &request.key, deadline).await? => Err(problem),
        Ok(()) | Err(_) => Ok(request),
    }
}

async fn pay_with(app: &App, merchant: &Merchant, request: &mut Request, deadline: Timestamp) -> Result<(), Problem> {
    let Action::Open(opening) = &mut request.action else { return Ok(()) };
    is_active(merchant, opening.gateway)?;
    if let Instrument::Stored(on_file) = &mut opening.instrument {
        let opened = app.shell.on_file(&merchant.id, &on_file.method, opening.gateway, deadline).await;
        *on_file = opened.map_err(unusable)?;
    }
    Ok(())
}

/// Refuses what is new at a gateway that is not active.
pub fn is_active(merchant: &Merchant, gateway: GatewayId) -> Result<(), Problem> {
    match merchant.gateways.get(&gateway) {
        Some(gateway) if !gateway.is_active => Err(Rejection::GatewayInactive.into()),
        Some(_) | None => Ok(()),
    }
}

/// Refuses what would be refused later, when something is kept already.
fn can_be_asked(amount: &Amount, details: &Details, currency: Currency) -> Result<(), Rejection> {
    if let Amount::Exactly(decimal) = amount {
        Money::from_decimal(*decimal, currency).map_err(Rejection::Amount)?;
    }
    details.fit_currency(currency)
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
pub async fn kept_first(
    app: &App,
    merchant: &Merchant,
    mut request: Request,
    saving: Saving,
    deadline: Timestamp,
) -> Result<Result<Request, Box<Method>>, Problem> {
    let Action::Open(opening) = &mut request.action else { return Ok(Ok(request)) };
    if let Err(problem) = is_active(merchant, opening.gateway)
        && !was_opened(app, merchant, &request.key, deadline).await?
    {
        return Err(problem);
    }
    can_be_asked(&request.amount, &request.details, opening.currency)?;
    let Saving { kind, facts, mut details } = saving;
    let method = MethodId::saved_by(kind, &merchant.id, &request.key);
    details.gateway_type = merchant.gateway_type(opening.gateway, kind, None).map(str::to_owned);
    details.account = details.account.or_else(|| request.details.account.clone());
    let asked = method::Asked { kind, key: request.key.clone(), gateway: Some(opening.gateway), facts, details };
    let on_file = Instrument::Stored(OnFile::unopened(method));
    let instrument = std::mem::replace(&mut opening.instrument, on_file);
    let asking = vault::Asking { merchant: merchant.id, id: method, asked, instrument };
    let kept = match &asking.instrument {
        Instrument::Alternative { .. } => app.shell.keep(&asking, Status::Active, merchant.wanted(), deadline).await?,
        Instrument::Card { .. } | Instrument::Bank { .. } | Instrument::Stored(_) => {
            app.shell.tokenize(route(app, merchant, opening.gateway)?, &asking, deadline).await?
        }
    };
    match &kept.method.state {
        method::State::Kept { .. } => Ok(Ok(request)),
        method::State::Refused { .. } => Ok(Err(Box::new(kept.method))),
        method::State::Accepted { .. } => Err(Problem::kept_later(&method)),
        method::State::Open(_) | method::State::Unsent => Err(Problem::not_kept()),
    }
}

/// Whether a payment was opened under this key, and its gateway asked. To look, a write is made that no item allows,
/// because who opens payments may not read them; it is refused with what is there.
async fn was_opened(
    app: &App,
    merchant: &Merchant,
    key: &IdempotencyKey,
    deadline: Timestamp,
) -> Result<bool, Problem> {
    let key = PaymentKey { merchant: merchant.id, payment: PaymentId::opened_by(&merchant.id, key) };
    let item = Item::new().with(KEY, key.to_string()).with(VERSION, 0);
    let never = Expected::Version(u64::MAX);
    let looked = app.shell.patiently(deadline, || app.shell.store.write(item.clone(), never)).await?;
    let found = if let Written::Conflict(Some(item)) = looked { Some(item) } else { None };
    let stored = found.map(Stored::from_item).transpose().map_err(Fault::from)?;
    let first = stored.as_ref().and_then(|stored| stored.payment.operation(Ordinal::FIRST));
    Ok(first.is_some_and(|first| !matches!(first.state, State::Unsent)))
}
