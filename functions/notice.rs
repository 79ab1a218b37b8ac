//! Takes in what a gateway tells unasked: finds the payment it is about and puts it there.

use kessai_shared::gateways::{News, Notice};
use kessai_shared::ids::{GatewayId, MerchantId, PaymentKey, Record};
use kessai_shared::rejection::Refusal;
use kessai_shared::time::Timestamp;

use crate::door::{App, owner, route};

/// Takes in one notice, found genuine by a secret of this merchant's gateway. One of a record that is not there,
/// or that this gateway was not asked for, is let go: whoever speaks for one gateway knows nothing of another's
/// payments.
pub async fn take(
    app: &App,
    merchant: MerchantId,
    gateway: GatewayId,
    notice: Notice,
    deadline: Timestamp,
) -> Result<(), Refusal> {
    let located = Record::ALL.into_iter().find_map(|record| Some((record, record.locate(&notice.reference)?)));
    let Some((record, (payment, operation))) = located else { return Ok(()) };
    let key = PaymentKey { merchant, payment };
    let Some(stored) = app.shell.read(key, deadline).await? else { return Ok(()) };
    // An id can name any place of the payment, whatever kind of record is there.
    let is_record = stored.payment.operation(operation).is_some_and(|known| known.record() == record);
    if stored.payment.gateway != gateway || !is_record {
        return Ok(());
    }
    let merchant = owner(app, key, deadline).await?;
    let route = route(&merchant, gateway)?;
    match notice.news {
        News::Outcome(outcome) => app.shell.hear(stored, route, operation, outcome, deadline).await,
        News::Sequel(sequel) => app.shell.hear_sequel(stored, route, operation, &sequel, deadline).await,
        // It names a stored method, and this is an operation.
        News::Token(..) => Ok(()),
    }
}
