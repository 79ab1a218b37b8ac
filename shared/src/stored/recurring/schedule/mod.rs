//! A payment schedule as an item, with what is to be charged under it.
//!
//! | attribute | of the schedule |
//! |---|---|
//! | `d` | when somebody must look at what is being charged; only then |
//! | `y` `aq` `t` | key, hash of what was asked under it, when made |
//! | `s` `oh` | status, since when it is on hold |
//! | `ac` `g` `m` `c` | account, gateway, method, currency |
//! | `tr` `rf` `co` | all that was asked for in minor units, reference, comments |
//! | `rc` | what recurs |
//! | `i` `ln` | the items, one map each; the number of the last that was made |
//! | `pa` | sums of items that are no longer kept: `n` how many, `r` asked for, `p` processed, `x` canceled |
//! | `ob` `ed` | what merchants are yet to be told, and when somebody must; as of a payment |
//!
//! | attribute | of what recurs |
//! |---|---|
//! | `da` | the days of its charges |
//! | `a` `mv` | amount in minor units, matching value |
//! | `nx` `sk` | the next occurrence without an item, those to come that are left out |
//!
//! Attributes that this version does not know are carried on both levels: of the schedule, and of each item.

mod item;

use std::collections::BTreeMap;

use super::lists::{Index, List};
use super::{Head, another, timing};
use crate::ids::{GatewayId, MethodId};
use crate::money::Currency;
use crate::payment::IdempotencyKey;
use crate::payment::asked::AccountId;
use crate::recurring::calendar::Date;
use crate::recurring::ids::{ItemNumber, RecurringKey};
use crate::recurring::schedule::agenda::{Agenda, Place};
use crate::recurring::schedule::{Past, Recurrence, Schedule, Status};
use crate::stored::item::{Attribute, Item};
use crate::stored::outbox;
use crate::stored::payment::{OWED, carry};
use crate::stored::reader::{Reader, Unreadable, strange};
use crate::time::Timestamp;

/// Most bytes a schedule may have when an item is asked for: what runs write of each item that waits must still fit into
/// the store's 400 KB. That is 2 KB at most, when it has failed as often as card networks let it, with a long message.
pub const MAX_SIZE: usize = 192 * 1024;

/// A schedule as it was read, with what this version does not know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSchedule {
    pub schedule: Schedule,
    unknown: Unknown,
}

/// Attributes that this version does not know. They are written back as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Unknown {
    schedule: Item,
    items: BTreeMap<ItemNumber, Item>,
}

impl StoredSchedule {
    /// The schedule that takes the place of what was read before, if anything was.
    pub fn following(before: Option<&Self>, schedule: Schedule) -> Self {
        Self { schedule, unknown: before.map(|before| before.unknown.clone()).unwrap_or_default() }
    }

    /// The item to write.
    pub fn to_item(&self) -> Item {
        let Self { schedule, unknown } = self;
        let Schedule { merchant, id, version, outbox, .. } = schedule;
        let head =
            Head { merchant: *merchant, key: RecurringKey::Schedule(*id), version: *version, due: schedule.due() };
        let items = schedule.items.iter().map(|item| {
            let encoded = item::encode(item);
            Attribute::Map(match unknown.items.get(&item.number) {
                Some(unknown) => carry(encoded, unknown),
                None => encoded,
            })
        });
        let item = encode_asked(head.to_item(), schedule)
            .with("s", status_name(schedule.status))
            .with_some("oh", on_hold_since(schedule.status).map(|day| day.to_string()))
            .with_some("rc", schedule.recurrence.as_ref().map(encode_recurrence))
            .with("i", items.collect::<Vec<_>>())
            .with("ln", i64::from(schedule.last_number))
            .with_some("pa", encode_past(schedule.past))
            .with_some("ob", outbox::encode(outbox))
            .with_some(OWED, outbox.due().map(Timestamp::as_millis));
        carry(listed(item, schedule), &unknown.schedule)
    }

    /// Reads an item of this format.
    pub fn from_item(item: Item) -> Result<Self, Unreadable> {
        let mut reader = Reader::new(item);
        let Head { merchant, key, version, .. } = Head::take(&mut reader)?;
        let RecurringKey::Schedule(id) = key else { return Err(another("schedule")) };
        // It follows from the outbox.
        reader.maybe_number(OWED)?;
        let (items, unknown): (Vec<_>, Vec<_>) =
            reader.maps("i")?.into_iter().map(item::decode).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        let unknown = items.iter().map(|item| item.number).zip(unknown);
        let unknown = unknown.filter(|(_, unknown)| *unknown != Item::default()).collect();
        let schedule = Schedule {
            merchant,
            id,
            version,
            key: reader.parsed("y", IdempotencyKey::stored)?,
            asked: reader.sixteen("aq")?,
            created_at: reader.moment("t")?,
            status: decode_status(&mut reader)?,
            account: reader.maybe_parsed("ac", AccountId::parse)?,
            gateway: reader.parsed("g", GatewayId::parse)?,
            method: reader.parsed("m", MethodId::parse)?,
            currency: reader.parsed("c", Currency::parse)?,
            total_requested: reader.maybe_number("tr")?,
            reference: reader.maybe_text("rf")?,
            comments: reader.maybe_text("co")?,
            recurrence: reader.maybe_map("rc")?.map(decode_recurrence).transpose()?,
            items,
            last_number: u16::try_from(reader.number("ln")?).map_err(|_| strange("ln"))?,
            past: decode_past(reader.maybe_map("pa")?)?,
            outbox: outbox::decode(reader.maybe_map("ob")?)?,
        };
        Ok(Self { schedule, unknown: Unknown { schedule: reader.rest(), items: unknown } })
    }
}

/// On the lists on which it is to be found.
fn listed(item: Item, schedule: &Schedule) -> Item {
    let Schedule { merchant, id, account, created_at, .. } = schedule;
    let Agenda { ready, again } = schedule.agenda();
    let made =
        Place { list: List::schedules_of(merchant, account.as_ref()).name, place: List::made_at(*created_at, id.id()) };
    let places = [(Index::Agenda, ready), (Index::Again, again), (Index::Of, Some(made))];
    places.into_iter().fold(item, |item, (index, place)| match place {
        Some(Place { list, place }) => List { index, name: list }.with(item, place),
        None => item,
    })
}

/// What was asked for.
fn encode_asked(item: Item, schedule: &Schedule) -> Item {
    item.with("y", schedule.key.as_str().to_owned())
        .with("aq", schedule.asked.to_vec())
        .with("t", schedule.created_at.as_millis())
        .with_some("ac", schedule.account.as_ref().map(|account| account.as_str().to_owned()))
        .with("g", schedule.gateway.as_str().to_owned())
        .with("m", schedule.method.as_str().to_owned())
        .with("c", schedule.currency.code())
        .with_some("tr", schedule.total_requested)
        .with_some("rf", schedule.reference.as_ref())
        .with_some("co", schedule.comments.as_ref())
}

fn encode_recurrence(recurrence: &Recurrence) -> Item {
    let Recurrence { dates, amount, matching_value, next, skipped } = recurrence;
    let skipped: Vec<_> = skipped.iter().map(|skipped| Attribute::Number(i64::from(*skipped))).collect();
    Item::new()
        .with("da", timing::encode_dates(dates))
        .with("a", *amount)
        .with_some("mv", matching_value.as_ref())
        .with_some("nx", next.map(i64::from))
        .with_some("sk", (!skipped.is_empty()).then_some(skipped))
}

fn decode_recurrence(item: Item) -> Result<Recurrence, Unreadable> {
    let mut reader = Reader::new(item);
    let skipped = reader.numbers("sk")?.into_iter().map(|skipped| u32::try_from(skipped).map_err(|_| strange("sk")));
    Ok(Recurrence {
        dates: timing::decode_dates(reader.map("da")?)?,
        amount: reader.number("a")?,
        matching_value: reader.maybe_text("mv")?,
        next: reader.maybe_small("nx")?,
        skipped: skipped.collect::<Result<_, _>>()?,
    })
}

/// None where every item is still kept.
fn encode_past(past: Past) -> Option<Item> {
    let Past { items, requested, processed, canceled } = past;
    (past != Past::default()).then(|| {
        let item = Item::new().with("n", i64::from(items)).with("r", requested);
        item.with("p", processed).with("x", canceled)
    })
}

fn decode_past(item: Option<Item>) -> Result<Past, Unreadable> {
    let Some(item) = item else { return Ok(Past::default()) };
    let mut reader = Reader::new(item);
    Ok(Past {
        items: reader.small("n")?,
        requested: reader.number("r")?,
        processed: reader.number("p")?,
        canceled: reader.number("x")?,
    })
}

fn status_name(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Open => "open",
        Status::OnHold { .. } => "on hold",
        Status::Completed => "completed",
        Status::Canceled => "canceled",
    }
}

fn on_hold_since(status: Status) -> Option<Date> {
    if let Status::OnHold { since } = status { Some(since) } else { None }
}

fn decode_status(reader: &mut Reader) -> Result<Status, Unreadable> {
    match &*reader.word("s")? {
        "draft" => Ok(Status::Draft),
        "open" => Ok(Status::Open),
        "on hold" => Ok(Status::OnHold { since: timing::day(reader, "oh")? }),
        "completed" => Ok(Status::Completed),
        "canceled" => Ok(Status::Canceled),
        _ => Err(strange("s")),
    }
}
