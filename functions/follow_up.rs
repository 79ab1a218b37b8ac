//! Finishes what a gateway left open: finds the gateway of a payment and lets the shell do what is due.

use kessai_shared::ids::PaymentKey;
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::time::Timestamp;

use crate::door::{App, merchant_of, route};

/// Looks at one payment; returns when it is due next.
pub async fn follow_up(app: &App, key: PaymentKey, deadline: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let Some(stored) = app.shell.read(key, deadline).await? else { return Ok(None) };
    let gone = || Fault::SetUp(format!("merchant {} is gone", key.merchant));
    let merchant = merchant_of(app, &key.merchant, deadline).await?.ok_or_else(gone)?;
    let route = route(&merchant, stored.payment.gateway)?;
    app.shell.follow_up(stored, route, deadline).await
}
