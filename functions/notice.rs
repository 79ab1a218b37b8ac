//! Takes in what a gateway tells unasked: finds the payment or the stored method it is about and puts it there.
//!
//! A gateway is believed of the operations that it was asked for, and of no others: it must be one of the provider's that
//! the notice is signed for. What is genuine and about nothing that is known is kept for a while, because what it is about
//! may be on its way to us: an authorization that was made in a browser.

use std::borrow::Cow;

use kessai_shared::gateways::{News, Notice};
use kessai_shared::ids::{GatewayId, Id, MerchantId, MethodId, Ordinal, PaymentKey, ProviderId, Record};
use kessai_shared::merchant::Merchant;
use kessai_shared::money::Money;
use kessai_shared::payment::{Kind, Operation, Payment};
use kessai_shared::ports::{Note, Span};
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::stored::event::PLACE;
use kessai_shared::stored::notice::{
    MOST_KEPT, REGISTERED, decode_kept, decode_registered, encode_kept, encode_registered, kept_under,
};
use kessai_shared::stored::payment::Stored;
use kessai_shared::time::Timestamp;

use crate::access::merchant_of;
use crate::door::{App, route};

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is written with the operation of this record, or was before.
    Heard(Id),
    /// There is nothing that it could be about.
    Unmatched,
}

/// What is told of an operation, and of how much.
type What = (News, Option<Money>);

/// Takes in one notice, found genuine by a secret of this merchant's provider. Harmless any number of times.
pub async fn take(
    app: &App,
    merchant: &Merchant,
    provider: ProviderId,
    notice: Notice,
    deadline: Timestamp,
) -> Result<Taken, Refusal> {
    // Any id of ours has the form of a method's; the prefix tells.
    if let Some(method) = MethodId::parse(&notice.reference).filter(|method| method.kind().is_some()) {
        return take_of_method(app, merchant, provider, &method, notice.news, deadline).await;
    }
    if let Some(found) = find(app, merchant, provider, &notice.reference, deadline).await? {
        return put(app, found, (notice.news, notice.amount), deadline).await;
    }
    if let Some(found) = find_registered(app, merchant, provider, &notice.reference, deadline).await? {
        return put_of_elsewhere(app, found, (notice.news, notice.amount), deadline).await;
    }
    keep(app, &merchant.id, provider, &notice, deadline).await?;
    // Whoever registered it meanwhile may have looked before it was kept.
    match find_registered(app, merchant, provider, &notice.reference, deadline).await? {
        Some(found) => put_of_elsewhere(app, found, (notice.news, notice.amount), deadline).await,
        None => Ok(Taken::Unmatched),
    }
}

/// What was made in a browser has another name at the gateway: whatever is told under that name from now on finds its way
/// to this operation.
pub async fn register(
    app: &App,
    merchant: &Merchant,
    payment: &Payment,
    operation: Ordinal,
    deadline: Timestamp,
) -> Result<(), Fault> {
    let Some((archive, known)) = app.archive.as_ref().zip(payment.operation(operation)) else { return Ok(()) };
    let partition = name_elsewhere(known).and_then(|name| kept_under(&merchant.id, name));
    let Some(partition) = partition else { return Ok(()) };
    let way = encode_registered(&partition, known.record().id(payment.id, operation).as_str());
    app.shell.patiently(deadline, || archive.keep(way.clone())).await
}

fn name_elsewhere(operation: &Operation) -> Option<&String> {
    match operation.asked.kind {
        Kind::PostAuthorize => operation.asked.details.additional_data.get("reference"),
        Kind::Authorize | Kind::Sale | Kind::Capture { .. } | Kind::Reverse { .. } | Kind::Refund { .. } => None,
    }
}

/// Takes in whatever was told of an operation before it was known; whether that was anything.
pub async fn take_kept(
    app: &App,
    merchant: &Merchant,
    payment: &Payment,
    operation: Ordinal,
    deadline: Timestamp,
) -> Result<bool, Refusal> {
    let Some((archive, known)) = app.archive.as_ref().zip(payment.operation(operation)) else { return Ok(false) };
    let reference = known.record().id(payment.id, operation).to_string();
    let elsewhere = name_elsewhere(known);
    let mut is_any = false;
    for name in [Some(&reference), elsewhere].into_iter().flatten() {
        let Some(partition) = kept_under(&merchant.id, name) else { continue };
        // One of them may be the way to what is registered.
        let list = || archive.list(&partition, Span::default(), MOST_KEPT + 1);
        let (items, _) = app.shell.patiently(deadline, list).await?;
        for item in items.into_iter().filter(|item| item.text(PLACE) != Some(REGISTERED)) {
            let Ok((provider, news, amount)) = decode_kept(item) else {
                app.shell.journal.note(&Note::Unreadable { what: "kept notice" });
                continue;
            };
            let Some(found) = find(app, merchant, provider, &reference, deadline).await? else { continue };
            let taken = match elsewhere == Some(name) {
                true => put_of_elsewhere(app, found, (news, amount), deadline).await?,
                false => put(app, found, (news, amount), deadline).await?,
            };
            is_any |= matches!(taken, Taken::Heard(_));
        }
    }
    Ok(is_any)
}

/// Keeps a notice for what may yet come, but not more of one name than an operation comes to.
async fn keep(
    app: &App,
    merchant: &MerchantId,
    provider: ProviderId,
    notice: &Notice,
    deadline: Timestamp,
) -> Result<(), Fault> {
    let now = app.shell.clock.now();
    let kept = kept_under(merchant, &notice.reference).zip(encode_kept(merchant, provider, notice, now));
    let Some((partition, item)) = kept else { return Ok(()) };
    let no_archive = || Fault::SetUp("this function has no archive".to_owned());
    let archive = app.archive.as_ref().ok_or_else(no_archive)?;
    let list = || archive.list(&partition, Span::default(), MOST_KEPT);
    let (known, _) = app.shell.patiently(deadline, list).await?;
    let is_known = known.iter().any(|known| known.text(PLACE) == item.text(PLACE));
    if is_known || known.len() >= usize::from(MOST_KEPT) {
        return Ok(());
    }
    app.shell.patiently(deadline, || archive.keep(item.clone())).await
}

/// An operation that a notice is about, and the merchant as it was when it was found.
struct Found<'a> {
    merchant: Cow<'a, Merchant>,
    stored: Stored,
    operation: Ordinal,
}

/// The operation of this name, if a gateway of the provider's was asked for it. One of another's, or of nobody's, is not
/// there: whoever speaks for one gateway learns nothing of another's payments.
async fn find<'a>(
    app: &App,
    merchant: &'a Merchant,
    provider: ProviderId,
    reference: &str,
    deadline: Timestamp,
) -> Result<Option<Found<'a>>, Fault> {
    let located = Record::ALL.into_iter().find_map(|record| Some((record, record.locate(reference)?)));
    let Some((record, (payment, operation))) = located else { return Ok(None) };
    let key = PaymentKey { merchant: merchant.id, payment };
    let Some(stored) = app.shell.read(key, deadline).await? else { return Ok(None) };
    let merchant = with_gateway(app, merchant, stored.payment.gateway, deadline).await?;
    let is_asked = is_of(&merchant, stored.payment.gateway, provider);
    // An id can name any place of the payment, whatever kind of record is there.
    let is_record = stored.payment.operation(operation).is_some_and(|known| known.record() == record);
    Ok((is_asked && is_record).then_some(Found { merchant, stored, operation }))
}

/// The same by the name that an authorization made in a browser has at the gateway, once it is registered.
async fn find_registered<'a>(
    app: &App,
    merchant: &'a Merchant,
    provider: ProviderId,
    reference: &str,
    deadline: Timestamp,
) -> Result<Option<Found<'a>>, Fault> {
    let Some((archive, partition)) = app.archive.as_ref().zip(kept_under(&merchant.id, reference)) else {
        return Ok(None);
    };
    let pointer = app.shell.patiently(deadline, || archive.find(&partition, REGISTERED)).await?;
    let Some(record) = pointer.as_ref().and_then(decode_registered) else { return Ok(None) };
    find(app, merchant, provider, record, deadline).await
}

/// Under a name from elsewhere only what came afterwards is believed: the gateway's word on the browser's authorization is
/// not its word on our registration of it.
async fn put_of_elsewhere(app: &App, found: Found<'_>, what: What, deadline: Timestamp) -> Result<Taken, Refusal> {
    match what.0 {
        News::Sequel(_) => put(app, found, what, deadline).await,
        News::Outcome(_) | News::Token(..) => Ok(Taken::Unmatched),
    }
}

/// The merchant that has this gateway: it may have been set up within the minute.
async fn with_gateway<'a>(
    app: &App,
    merchant: &'a Merchant,
    gateway: GatewayId,
    deadline: Timestamp,
) -> Result<Cow<'a, Merchant>, Fault> {
    match merchant.gateways.contains_key(&gateway) {
        true => Ok(Cow::Borrowed(merchant)),
        false => Ok(merchant_of(app, true, &merchant.id, deadline).await?.map_or(Cow::Borrowed(merchant), Cow::Owned)),
    }
}

fn is_of(merchant: &Merchant, gateway: GatewayId, provider: ProviderId) -> bool {
    merchant.gateways.get(&gateway).is_some_and(|gateway| gateway.provider == Some(provider))
}

/// Takes in what is told of a stored method, by the same rule.
async fn take_of_method(
    app: &App,
    merchant: &Merchant,
    provider: ProviderId,
    method: &MethodId,
    news: News,
    deadline: Timestamp,
) -> Result<Taken, Refusal> {
    let News::Token(outcome, token) = news else { return Ok(Taken::Unmatched) };
    let Some(stored) = app.shell.method(&merchant.id, method, deadline).await? else { return Ok(Taken::Unmatched) };
    let Some(gateway) = stored.method.asked.gateway else { return Ok(Taken::Unmatched) };
    let merchant = with_gateway(app, merchant, gateway, deadline).await?;
    if !is_of(&merchant, gateway, provider) {
        return Ok(Taken::Unmatched);
    }
    app.shell.hear_token(stored, outcome, token, merchant.wanted(), deadline).await?;
    Ok(Taken::Heard(method.id()))
}

async fn put(app: &App, found: Found<'_>, (news, amount): What, deadline: Timestamp) -> Result<Taken, Refusal> {
    let Found { merchant, stored, operation } = found;
    let known = stored.payment.operation(operation).map(|known| known.record().id(stored.payment.id, operation));
    let route = route(app, &merchant, stored.payment.gateway)?;
    match news {
        News::Outcome(outcome) => app.shell.hear(stored, route, operation, (outcome, amount), deadline).await?,
        News::Sequel(sequel) => {
            let sequel = sequel.within_limits().counted_in(stored.payment.currency, amount);
            app.shell.hear_sequel(stored, route, operation, &sequel, deadline).await?;
        }
        // It names a stored method, and this is an operation.
        News::Token(..) => return Ok(Taken::Unmatched),
    }
    Ok(known.map_or(Taken::Unmatched, Taken::Heard))
}
