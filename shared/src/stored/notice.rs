//! Notices that were genuine and matched nothing, as they are kept for what they may yet match.
//!
//! | attribute | holds |
//! |---|---|
//! | `pk` `sk` | merchant and the name that the notice is about, a hash of what it tells |
//! | `ttl` | when the store may forget it, in seconds |
//! | `f` | format |
//! | `p` `n` | the provider that it is signed for, what it tells: |
//! | `m` `cu` | of how much, where that is said: minor units, currency |
//! | `s` `an` `ru` `re` | of an outcome: which, the answer, what the payer must do and until when |
//! | `r` | of the way to a registered record: that record |
//! | `w` `i` `a` `c` | of a sequel: which, the gateway's id of it, how much, the gateway's code |
//!
//! What tells of a token is never kept.

use super::event::{PLACE, TTL, forget_at};
use super::item::Item;
use super::payment::{KEY, decode_action, decode_answer, encode_answer, verdict_name};
use super::reader::{Reader, Unreadable, strange};
use crate::gateways::{News, Notice};
use crate::ids::{MerchantId, ProviderId, hash};
use crate::money::{Currency, Money};
use crate::payment::sequel::What;
use crate::payment::{Decline, Outcome, Sequel, Verdict};
use crate::time::Timestamp;

/// Notices that are kept under one name. An operation comes to fewer things.
pub const MOST_KEPT: u16 = 8;

/// Bytes of a name. Ours are shorter, and so are those that callers give.
const LONGEST_NAME: usize = 255;

/// The place, among what is kept under a name from elsewhere, of the way to the record that was registered for it. It is
/// never forgotten: a dispute may come after a year.
pub const REGISTERED: &str = "registered";

const FORMAT: i64 = 1;

const DECLINES: [Decline; 4] = [Decline::Soft, Decline::Permanent, Decline::RequiresReview, Decline::InvalidData];

/// Where notices about this name are kept; none of a name that nothing has.
pub fn kept_under(merchant: &MerchantId, reference: &str) -> Option<String> {
    let is_name = (1..=LONGEST_NAME).contains(&reference.len());
    is_name.then(|| format!("{}/notice/{reference}", merchant.as_str()))
}

/// The way from a name from elsewhere to our own.
pub fn encode_registered(partition: &str, record: &str) -> Item {
    Item::new().with(KEY, partition.to_owned()).with(PLACE, REGISTERED).with("f", FORMAT).with("r", record.to_owned())
}

/// The record that it leads to.
pub fn decode_registered(item: &Item) -> Option<&str> {
    item.text("r")
}

/// None where it is nothing to keep. The same news are the same item, whenever they come.
pub fn encode_kept(merchant: &MerchantId, provider: ProviderId, notice: &Notice, now: Timestamp) -> Option<Item> {
    let told = match &notice.news {
        News::Outcome(outcome) => encode_outcome(&outcome.clone().within_limits())?,
        News::Sequel(sequel) => encode_sequel(&sequel.clone().within_limits()),
        News::Token(..) => return None,
    };
    let told = told
        .with_some("m", notice.amount.map(|amount| amount.minor))
        .with_some("cu", notice.amount.map(|amount| amount.currency.code()));
    let place = hash("kept notice", &[provider.as_str().as_bytes(), format!("{told:?}").as_bytes()]);
    let item = Item::new()
        .with(KEY, kept_under(merchant, &notice.reference)?)
        .with(PLACE, format!("{place:032x}"))
        .with(TTL, forget_at(now))
        .with("f", FORMAT)
        .with("p", provider.as_str().to_owned())
        .with("n", told);
    Some(item)
}

/// By whom it was signed, what it tells, and of how much.
pub fn decode_kept(item: Item) -> Result<(ProviderId, News, Option<Money>), Unreadable> {
    let mut reader = Reader::new(item);
    let format = reader.number("f")?;
    if format != FORMAT {
        return Err(Unreadable(format!("format {format} is not {FORMAT}, the one this version knows")));
    }
    let provider = reader.parsed("p", ProviderId::parse)?;
    let mut told = Reader::new(reader.map("n")?);
    let news = match told.maybe_text("s")? {
        Some(name) => News::Outcome(decode_outcome(&name, &mut told)?),
        None => News::Sequel(Sequel {
            id: told.text("i")?,
            what: told.parsed("w", |text| What::ALL.into_iter().find(|what| what.name() == text))?,
            minor: told.maybe_number("a")?,
            code: told.maybe_text("c")?,
        }),
    };
    Ok((provider, news, decode_amount(&mut told)?))
}

fn encode_sequel(sequel: &Sequel) -> Item {
    Item::new()
        .with("i", &sequel.id)
        .with("w", sequel.what.name())
        .with_some("a", sequel.minor)
        .with_some("c", sequel.code.as_ref())
}

/// None of what says nothing.
fn encode_outcome(outcome: &Outcome) -> Option<Item> {
    let (name, action) = match outcome {
        Outcome::Approved(_) | Outcome::Accepted(_) | Outcome::Voided(_) => (outcome.name(), None),
        Outcome::ActionRequired(_, action) => (outcome.name(), Some(action)),
        Outcome::Declined(decline, _) => (verdict_name(Verdict::Declined(*decline)), None),
        Outcome::NotSent | Outcome::Unknown | Outcome::NeverReceived => return None,
    };
    let item = Item::new()
        .with("s", name)
        .with("an", encode_answer(outcome.answer()?))
        .with_some("ru", action.map(|action| action.url.clone()))
        .with_some("re", action.map(|action| action.expires_at.as_millis()));
    Some(item)
}

fn decode_amount(reader: &mut Reader) -> Result<Option<Money>, Unreadable> {
    let (minor, currency) = (reader.maybe_number("m")?, reader.maybe_parsed("cu", Currency::parse)?);
    Ok(minor.zip(currency).map(|(minor, currency)| Money::new(minor, currency)))
}

fn decode_outcome(name: &str, reader: &mut Reader) -> Result<Outcome, Unreadable> {
    let answer = decode_answer(reader.map("an")?)?;
    let action = decode_action(reader)?;
    let decline = DECLINES.into_iter().find(|decline| verdict_name(Verdict::Declined(*decline)) == name);
    match (name, action, decline) {
        ("approved", None, _) => Ok(Outcome::Approved(answer)),
        ("accepted", None, _) => Ok(Outcome::Accepted(answer)),
        ("voided", None, _) => Ok(Outcome::Voided(answer)),
        ("action required", Some(action), _) => Ok(Outcome::ActionRequired(answer, action)),
        (_, None, Some(decline)) => Ok(Outcome::Declined(decline, answer)),
        _ => Err(strange("s")),
    }
}
