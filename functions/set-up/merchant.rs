//! The merchant itself, and new ones.

use kessai_shared::ids::{ApiKeyId, MerchantId};
use kessai_shared::merchant::Merchant;
use kessai_shared::merchant::set_up::{Change, LastChange, MerchantEdit, Refused};
use serde::Serialize;

use super::api_key::{NewKey, first, fresh, new_key, point};
use super::view::{ShownMerchant, shown_merchant};
use super::{Desk, LABEL, Making, done, hindered, refuse, shown_once};
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::wire::members::Members;

/// A merchant with the key that sets it up.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewMerchant<'a> {
    #[serde(flatten)]
    shown: ShownMerchant<'a>,
    api_key: NewKey<'a>,
}

/// Another merchant, which whoever asks has no more to do with than its first key allows. Both trails tell of it: that of
/// whoever asks first, so that there is no merchant that nobody made.
pub(super) async fn create(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let text = desk.body()?;
    let mut members = Members::parse(&text)?;
    let making = Making::of(desk, &mut members, &text)?;
    let name = members.text("name", LABEL)?.ok_or_else(|| Problem::missing("name"))?;
    let default_currency = members.currency("defaultCurrency")?;
    members.finish()?;
    let id = making.id(desk, MerchantId::made_under, MerchantId::from_random);
    let key = making.id(desk, ApiKeyId::made_under, ApiKeyId::from_random);
    if let Some(known) = desk.registry().merchant(&id).await? {
        return Err(made_before(&known, key, &making));
    }
    let secret = fresh(desk);
    desk.change(Change::MakeMerchant { id, name: name.clone() }).await?;
    let mut merchant = Merchant { default_currency, ..Merchant::new(id, name) };
    first(desk, &mut merchant, key, &secret, &making);
    let (action, description) = ("merchant.created".to_owned(), format!("by {}", desk.merchant.id));
    let change = LastChange { at: desk.now(), by: desk.by, action, subject: id.into(), description };
    let merchant = merchant.signed(0, change);
    point(desk, id, key, &secret).await?;
    if !desk.registry().make(&merchant).await.map_err(hindered)? {
        let known = desk.registry().merchant(&id).await?.ok_or_else(Problem::broken)?;
        return Err(made_before(&known, key, &making));
    }
    let listed = merchant.api_keys.get(&key).ok_or_else(Problem::broken)?;
    Ok(shown_once(&NewMerchant { shown: shown_merchant(&merchant), api_key: new_key(desk, key, listed, &secret) }))
}

fn made_before(known: &Merchant, key: ApiKeyId, making: &Making) -> Problem {
    let made = known.api_keys.get(&key).and_then(|key| key.made);
    let is_again = made.is_some() && made == making.made;
    refuse(&if is_again { Refused::ShownOnce(known.id.into()) } else { Refused::Reused })
}

pub(super) async fn edit(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let text = desk.body()?;
    let mut members = Members::parse(&text)?;
    let edit = MerchantEdit {
        name: members.text("name", LABEL)?,
        default_currency: members.edited("defaultCurrency", |members| members.currency("defaultCurrency"))?,
        keeps_events: members.flag("keepEvents")?,
    };
    members.finish()?;
    desk.change(Change::EditMerchant(edit)).await?;
    Ok(done())
}
