//! Finishes what a gateway left open: finds the gateway of a payment and lets the shell do what is due.

use kessai_shared::ids::PaymentKey;
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::shell::Route;
use kessai_shared::time::Timestamp;

use crate::door::{App, merchant_of};

/// Looks at one payment; returns when it is due next.
pub async fn follow_up(app: &App, key: PaymentKey, deadline: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let Some(stored) = app.shell.read(key, deadline).await? else { return Ok(None) };
    let merchant = merchant_of(app, &key.merchant).await?;
    let gateway = merchant.as_ref().and_then(|merchant| merchant.gateways.get(&stored.payment.gateway));
    let gateway = gateway.ok_or_else(|| Fault::SetUp(format!("gateway {} is gone", stored.payment.gateway)))?;
    app.shell.follow_up(stored, Route::to(gateway)?, deadline).await
}
