//! A card or a bank account goes to its gateway's token service; what comes back is a stored method.

use kessai_shared::ids::{MethodId, MethodKind};
use kessai_shared::method::{Asked, Details, Facts};
use kessai_shared::payment::Instrument;
use kessai_shared::vault::Asking;

use super::{Call, reply};
use crate::door::{Subject, route};
use crate::event::HttpAnswer;
use crate::paying::is_active;
use crate::problem::Problem;
use crate::wire::body;
use crate::wire::instrument::{self, CardGiven, Needs};
use crate::wire::members::Members;

pub(super) async fn serve(call: &Call<'_>, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let text = call.event.json_body()?;
    let mut members = Members::parse(&text)?;
    let key = call.key(&mut members)?;
    let given = Given::read(&mut members, call.app.shell.clock.now().year())?;
    let sender = body::sender(&mut members)?;
    let saved_by_merchant = members.flag("savedByMerchant")?.unwrap_or(false);
    let gateway = body::gateway(&mut members, &call.merchant)?;
    members.finish()?;
    let Given { instrument, facts, details } = given;
    let kind = match &facts {
        Facts::Card(_) => MethodKind::Card,
        Facts::Bank(_) | Facts::Other => MethodKind::Alternative,
    };
    let id = MethodId::made_by(kind, &call.merchant.id, &key);
    if let Err(problem) = is_active(&call.merchant, gateway)
        && call.app.shell.method(&call.merchant.id, &id, call.deadline).await?.is_none()
    {
        return Err(problem);
    }
    let gateway_type = call.merchant.gateway_type(gateway, kind, None).map(str::to_owned);
    let details = Details { saved_by_merchant, sender, gateway_type, ..details };
    let asked = Asked { kind, key, gateway: Some(gateway), facts, details };
    let asking = Asking { merchant: call.merchant.id, id, asked, instrument };
    let kept = call.app.shell.tokenize(route(call.app, &call.merchant, gateway)?, &asking, call.deadline).await?;
    reply(&kept, subject)
}

/// What is to be tokenized.
struct Given {
    instrument: Instrument,
    facts: Facts,
    details: Details,
}

impl Given {
    /// Exactly one of a card and a bank account.
    fn read(members: &mut Members<'_>, year: u16) -> Result<Self, Problem> {
        let (card, bank) = (members.object("cardPaymentMethod")?, members.object("bankPaymentMethod")?);
        let address = members.object("address")?.map(instrument::address_of).transpose()?;
        let company_name = address.as_ref().and_then(|address| address.company_name.clone());
        let address = address.unwrap_or_default();
        match (card, bank) {
            (Some(card), None) => {
                let name = card.name("expiryYear");
                let CardGiven { card, category, details } = instrument::card_of(card, Needs::Everything)?;
                expiry_can_be_meant(&name, card.expiry.year, year)?;
                let facts = Facts::Card(card.on_file(category));
                let instrument = Instrument::Card { card: Box::new(card), address };
                Ok(Self { instrument, facts, details: Details { company_name, ..details } })
            }
            (None, Some(bank)) => {
                let (account, details) = instrument::bank_of(bank)?;
                let facts = Facts::Bank(account.facts());
                let instrument = Instrument::Bank { account: Box::new(account), address };
                Ok(Self { instrument, facts, details: Details { company_name, ..details } })
            }
            (None, None) => Err(Problem::missing("cardPaymentMethod or bankPaymentMethod")),
            (Some(_), Some(_)) => {
                Err(Problem::invalid("bankPaymentMethod", "must not be given together with cardPaymentMethod"))
            }
        }
    }
}

/// A card lives some years, and one that has expired may have been renewed under the same number, which its gateway
/// knows: so only what nobody can mean is refused.
fn expiry_can_be_meant(name: &str, expiry: u16, now: u16) -> Result<(), Problem> {
    const PAST_YEARS: u16 = 5;
    const YEARS_TO_COME: u16 = 20;
    let years = now.saturating_sub(PAST_YEARS)..=now.saturating_add(YEARS_TO_COME);
    if years.contains(&expiry) {
        return Ok(());
    }
    Err(Problem::invalid(name, format!("must be a year from {} to {}", years.start(), years.end())))
}
