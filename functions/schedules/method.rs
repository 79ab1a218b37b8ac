//! What a schedule is paid with: stored methods of the merchant, of the kind and the gateway that a sale takes.
//!
//! Only the token is not looked at here, because this function must not see it. It is a sale that opens it.

use kessai_shared::ids::{GatewayId, MethodId};
use kessai_shared::method::{Method, State, Status};

use super::Desk;
use crate::problem::Problem;

/// The method, where it may be charged; `member` names it.
pub(super) async fn usable(desk: &Desk<'_>, id: MethodId, member: &str) -> Result<Method, Problem> {
    let stored = desk.app.shell.method(&desk.merchant.id, &id, desk.deadline).await?;
    let method = stored.map(|stored| stored.method).ok_or_else(|| unknown(member))?;
    match (&method.state, method.status()) {
        (_, Some(Status::Active)) => Ok(method),
        (_, Some(status @ (Status::Inactive | Status::Canceled))) => Err(unusable(member, status.literal())),
        (State::Accepted { .. }, None) => Err(unusable(member, "Pending")),
        (State::Open(_) | State::Unsent | State::Refused { .. } | State::Kept { .. }, None) => Err(unknown(member)),
    }
}

/// The same, where it is of this gateway or of none.
pub(super) async fn usable_at(
    desk: &Desk<'_>,
    id: MethodId,
    gateway: GatewayId,
    member: &str,
) -> Result<Method, Problem> {
    let method = usable(desk, id, member).await?;
    is_at(&method, gateway, member)?;
    Ok(method)
}

pub(super) fn is_at(method: &Method, gateway: GatewayId, member: &str) -> Result<(), Problem> {
    match method.asked.gateway {
        Some(own) if own != gateway => {
            Err(Problem::new(422, "INVALID_STATUS", format!("{member}: belongs to another payment gateway")))
        }
        Some(_) | None => Ok(()),
    }
}

fn unknown(member: &str) -> Problem {
    Problem::invalid(member, "is no payment method of this merchant")
}

fn unusable(member: &str, status: &str) -> Problem {
    Problem::new(422, "INVALID_STATUS", format!("{member}: has status {status} and cannot be used"))
}
