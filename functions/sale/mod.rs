//! `POST /commerce/payments/sales`: authorize and capture in one.

use kessai_shared::merchant::Scope;
use kessai_shared::payment::asked::{Details, Opening, Request};
use kessai_shared::payment::{Action, Kind};

use crate::door::{Asking, Function, Needs, open};
use crate::problem::Problem;
use crate::wire::body;
use crate::wire::instrument::{self, Saving, Ways};
use crate::wire::members::Members;

pub const FUNCTION: Function = Function {
    name: "sale",
    scopes: &[Scope::Authorize, Scope::CaptureReverse],
    needs: Needs::TO_TAKE_CARDS,
    answer: |app, function, event, deadline, subject| {
        Box::pin(open(app, function, translate, event, deadline, subject))
    },
};

fn translate(members: &mut Members<'_>, asking: Asking<'_>) -> Result<(Request, Option<Saving>), Problem> {
    let paying = instrument::paying(members, Ways::Sale)?;
    let opening = Opening {
        kind: Kind::Sale,
        gateway: body::gateway(members, asking.merchant)?,
        currency: body::currency(members, asking.merchant)?,
        instrument: paying.instrument,
    };
    let amount = body::exact_amount(members)?;
    let submitted_by_merchant = members.flag("submittedByMerchant")?.unwrap_or(false);
    let details = Details { group: body::group(members)?, submitted_by_merchant, ..asking.details };
    Ok((Request { action: Action::Open(opening), key: asking.key, amount, details }, paying.saving))
}
