//! `POST /commerce/payments/authorizations/{authorizationId}/reversals`: release some or all of a hold.

use kessai_shared::ids::{PaymentId, Record};
use kessai_shared::merchant::Scope;
use kessai_shared::payment::asked::Request;
use kessai_shared::payment::{Action, Kind};

use crate::door::{Asking, Function, Needs, act};
use crate::problem::Problem;
use crate::wire::body;
use crate::wire::members::Members;

pub const FUNCTION: Function = Function {
    name: "reverse",
    scopes: &[Scope::CaptureReverse],
    needs: Needs::TO_ACT,
    answer: |app, function, event, deadline, subject| Box::pin(act(app, function, translate, event, deadline, subject)),
};

fn translate(members: &mut Members<'_>, asking: Asking<'_>) -> Result<(PaymentId, Request), Problem> {
    let (payment, authorization) = asking.record(Record::Authorization, "authorizationId")?;
    let action = Action::Act(Kind::Reverse { authorization });
    let amount = body::exact_amount(members)?;
    Ok((payment, Request { action, key: asking.key, amount, details: asking.details }))
}
