//! `POST /commerce/payments/sales`: authorize and capture in one.

use kessai_shared::merchant::Scope;
use kessai_shared::payment::asked::{Details, Opening, Request};
use kessai_shared::payment::{Action, Kind};

use crate::door::{Ask, Asking, Does, Function};
use crate::problem::Problem;
use crate::wire::body;
use crate::wire::instrument::{self, Ways};
use crate::wire::members::Members;

pub const FUNCTION: Function =
    Function { name: "sale", scopes: &[Scope::Authorize, Scope::CaptureReverse], does: Does::Open(translate) };

fn translate(members: &mut Members<'_>, asking: Asking<'_>) -> Result<Ask, Problem> {
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
    Ok(Ask::open(Request { action: Action::Open(opening), key: asking.key, amount, details }, paying.saving))
}
