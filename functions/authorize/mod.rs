//! `POST /commerce/payments/authorizations`: hold an amount.

use kessai_shared::merchant::Scope;
use kessai_shared::payment::asked::{Opening, Request};
use kessai_shared::payment::{Action, Kind};

use crate::door::{Asking, Function, Needs, open};
use crate::problem::Problem;
use crate::wire::body;
use crate::wire::instrument::{self, Saving, Ways};
use crate::wire::members::Members;

pub const FUNCTION: Function = Function {
    name: "authorize",
    scopes: &[Scope::Authorize],
    needs: Needs::TO_TAKE_CARDS,
    answer: |app, function, event, deadline, subject| {
        Box::pin(open(app, function, translate, event, deadline, subject))
    },
};

fn translate(members: &mut Members<'_>, asking: Asking<'_>) -> Result<(Request, Option<Saving>), Problem> {
    hold(Kind::Authorize, members, asking)
}

/// What authorizations and post-authorizations have in common: a hold belongs to an account.
pub fn hold(kind: Kind, members: &mut Members<'_>, asking: Asking<'_>) -> Result<(Request, Option<Saving>), Problem> {
    if asking.details.account.is_none() {
        return Err(Problem::missing("accountId"));
    }
    let paying = instrument::paying(members, Ways::Authorization)?;
    let opening = Opening {
        kind,
        gateway: body::gateway(members, asking.merchant)?,
        currency: body::currency(members, asking.merchant)?,
        instrument: paying.instrument,
    };
    let amount = body::exact_amount(members)?;
    let details = kessai_shared::payment::asked::Details { group: body::group(members)?, ..asking.details };
    Ok((Request { action: Action::Open(opening), key: asking.key, amount, details }, paying.saving))
}
