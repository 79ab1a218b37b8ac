//! Takes in what a gateway tells unasked: finds the payment it is about and puts it there.

use kessai_shared::gateways::Notice;
use kessai_shared::ids::{MerchantId, PaymentKey, Record};
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::time::Timestamp;

use crate::door::{App, merchant_of, route};

/// Takes in one notice, already found genuine, for a merchant. One of a payment that is not there is let go.
pub async fn take(app: &App, merchant: MerchantId, notice: Notice, deadline: Timestamp) -> Result<(), Refusal> {
    let located = Record::ALL.into_iter().find_map(|record| record.locate(&notice.reference));
    let Some((payment, operation)) = located else { return Ok(()) };
    let key = PaymentKey { merchant, payment };
    let Some(stored) = app.shell.read(key, deadline).await? else { return Ok(()) };
    let gone = || Fault::SetUp(format!("merchant {merchant} is gone"));
    let merchant = merchant_of(app, &merchant, deadline).await?.ok_or_else(gone)?;
    let route = route(&merchant, stored.payment.gateway)?;
    app.shell.hear(stored, route, operation, notice.outcome, deadline).await
}
