//! `POST /commerce/payments/authorizations/{authorizationId}/captures`: take some or all of a hold.

use kessai_shared::ids::{PaymentId, Record};
use kessai_shared::merchant::Scope;
use kessai_shared::payment::asked::{Details, Request};
use kessai_shared::payment::{Action, Kind};

use crate::door::{Asking, Function, Needs, act};
use crate::problem::Problem;
use crate::wire::body;
use crate::wire::members::Members;

pub const FUNCTION: Function = Function {
    name: "capture",
    scopes: &[Scope::CaptureReverse],
    needs: Needs::TO_ACT,
    answer: |app, function, event, deadline, subject| Box::pin(act(app, function, translate, event, deadline, subject)),
};

fn translate(members: &mut Members<'_>, asking: Asking<'_>) -> Result<(PaymentId, Request), Problem> {
    let (payment, authorization) = asking.record(Record::Authorization, "authorizationId")?;
    let is_final = members.flag("isFinalCapture")?.unwrap_or(false);
    let kind = Kind::Capture { authorization, is_final };
    let amount = body::exact_amount(members)?;
    let client_context = body::client_context(members)?;
    let details = Details { group: body::group(members)?, client_context, ..asking.details };
    Ok((payment, Request { action: Action::Act(kind), key: asking.key, amount, details }))
}
