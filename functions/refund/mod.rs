//! `POST /commerce/payments/payments/{paymentId}/refunds`: give back some or all of a sale or capture;
//! without an amount, all that is left.

use kessai_shared::ids::{PaymentId, Record};
use kessai_shared::merchant::Scope;
use kessai_shared::payment::asked::{Amount, Details, RefundReason, Request};
use kessai_shared::payment::{Action, Kind};

use crate::door::{Asking, Function, Needs, act};
use crate::problem::Problem;
use crate::wire::body;
use crate::wire::members::Members;

pub const FUNCTION: Function = Function {
    name: "refund",
    scopes: &[Scope::Refund],
    needs: Needs::TO_ACT,
    answer: |app, function, event, deadline, subject| Box::pin(act(app, function, translate, event, deadline, subject)),
};

fn translate(members: &mut Members<'_>, asking: Asking<'_>) -> Result<(PaymentId, Request), Problem> {
    let (payment, refunded) = asking.record(Record::Payment, "paymentId")?;
    let reasons = RefundReason::ALL.map(|reason| (reason.literal(), reason));
    let kind = Kind::Refund { payment: refunded, reason: members.literal("reason", &reasons)? };
    // Only a member that is not there means all: an empty one is a caller's mistake, and a costly one.
    let amount = if members.has("amount") { body::exact_amount(members)? } else { Amount::Rest };
    let client_context = body::client_context(members)?;
    let details = Details { group: body::group(members)?, client_context, ..asking.details };
    Ok((payment, Request { action: Action::Act(kind), key: asking.key, amount, details }))
}
