//! What merchants are yet to be told of a schedule: kept in the schedule itself, so that an event exists exactly when its
//! change does.
//!
//! The outbox is a payment's ([`crate::payment::outbox`]), and a schedule is its first operation and its only one. Which
//! item it is about, and which attempt, is part of the news: by the time it is told, the item may have been tried again.

use super::{Item, Schedule, State, Status};
use crate::event::{EventName, EventNames};
use crate::ids::{Ordinal, hash};
use crate::payment::outbox::{Entry, News, event_id};
use crate::recurring::ids::ItemNumber;
use crate::time::Timestamp;

/// What became of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// An item was charged.
    Processed(Attempt),
    /// An attempt failed, and the item is tried again.
    Failed(Attempt),
    /// An attempt failed, and it was the last.
    PastDue(Attempt),
    /// Everything has ended, in this version: what is asked for anew opens it again.
    Completed(u32),
    Canceled,
}

/// Which attempt at which item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub item: ItemNumber,
    pub number: u16,
}

impl Attempt {
    /// As one number: the item above the attempt.
    pub fn as_number(self) -> u32 {
        u32::from(self.item.get()) << 16 | u32::from(self.number)
    }

    pub fn from_number(number: u32) -> Option<Self> {
        let item = ItemNumber::new(u16::try_from(number >> 16).ok()?)?;
        Some(Self { item, number: u16::try_from(number & u32::from(u16::MAX)).ok()? })
    }
}

impl Turn {
    pub fn name(self) -> EventName {
        match self {
            Self::Processed(_) => EventName::ScheduleProcessed,
            Self::Failed(_) => EventName::ScheduleFailed,
            Self::PastDue(_) => EventName::SchedulePastDue,
            Self::Completed(_) => EventName::ScheduleCompleted,
            Self::Canceled => EventName::ScheduleCanceled,
        }
    }

    /// The attempt, or the version; none where it happens once.
    pub fn which(self) -> Option<u32> {
        match self {
            Self::Processed(attempt) | Self::Failed(attempt) | Self::PastDue(attempt) => Some(attempt.as_number()),
            Self::Completed(version) => Some(version),
            Self::Canceled => None,
        }
    }

    /// From the name and which.
    pub fn parse(name: EventName, which: Option<u32>) -> Option<Self> {
        let attempt = which.and_then(Attempt::from_number).into_iter();
        let of_attempt =
            attempt.flat_map(|attempt| [Self::Processed, Self::Failed, Self::PastDue].map(|turn| turn(attempt)));
        let of_all = which.map(Self::Completed).or(which.is_none().then_some(Self::Canceled));
        of_attempt.chain(of_all).find(|turn| turn.name() == name)
    }

    /// The attempt it is about.
    pub fn attempt(self) -> Option<Attempt> {
        match self {
            Self::Processed(attempt) | Self::Failed(attempt) | Self::PastDue(attempt) => Some(attempt),
            Self::Completed(_) | Self::Canceled => None,
        }
    }
}

impl Schedule {
    /// Puts into the outbox what follows from the change from `before`: of what is `wanted`, and nothing else.
    pub fn tell(&mut self, before: Option<&Self>, wanted: EventNames, now: Timestamp) {
        if wanted.is_empty() {
            return;
        }
        let news = self.news_since(before).into_iter();
        let wanted = news.filter(|news| self.name_of(*news).is_some_and(|name| wanted.contains(name)));
        for news in wanted.collect::<Vec<_>>() {
            self.outbox.push(Ordinal::FIRST, news, now);
        }
    }

    /// The name of an entry of the outbox.
    pub fn event(&self, entry: &Entry) -> Option<EventName> {
        self.name_of(entry.news)
    }

    /// The id of an event: whoever is told twice can tell by it. Ids are in the order of time.
    pub fn event_id(&self, entry: &Entry) -> Option<String> {
        let name = self.name_of(entry.news)?.text();
        let which = if let News::Schedule(turn) = entry.news { turn.which() } else { None };
        let id = self.id.id();
        let [merchant, id, name] = [self.merchant.as_str(), id.as_str(), name].map(str::as_bytes);
        let which = which.unwrap_or_default().to_be_bytes();
        Some(event_id(entry.at, hash("event", &[merchant, id, name, &which])))
    }

    fn news_since(&self, before: Option<&Self>) -> Vec<News> {
        let created = before.is_none().then_some(News::Created);
        let items = self.items.iter().filter_map(|item| {
            let was = before.and_then(|before| before.item(item.number));
            self.turn_of(item, was)
        });
        let is_new = before.is_none_or(|before| before.status != self.status);
        let ended = match self.status {
            // Beyond any number of writes.
            Status::Completed => Some(Turn::Completed(u32::try_from(self.version).unwrap_or(u32::MAX))),
            Status::Canceled => Some(Turn::Canceled),
            Status::Draft | Status::Open | Status::OnHold { .. } => None,
        };
        let turns = items.chain(ended.filter(|_| is_new)).map(News::Schedule);
        created.into_iter().chain(turns).collect()
    }

    fn turn_of(&self, item: &Item, was: Option<&Item>) -> Option<Turn> {
        let attempt = Attempt { item: item.number, number: item.attempts };
        let is_new = was.is_none_or(|was| was.state != item.state);
        match &item.state {
            State::Processed { .. } => Some(Turn::Processed(attempt)),
            State::Failed { retry: Some(_), .. } => Some(Turn::Failed(attempt)),
            // Nothing is due of a schedule that is canceled.
            State::Failed { retry: None, .. } if self.status != Status::Canceled => Some(Turn::PastDue(attempt)),
            State::Failed { .. } | State::Draft | State::Ready | State::Processing(_) | State::Canceled { .. } => None,
        }
        .filter(|_| is_new)
    }

    fn name_of(&self, news: News) -> Option<EventName> {
        match news {
            News::Created => Some(EventName::ScheduleCreated),
            News::Schedule(turn) => Some(turn.name()),
            // What a gateway says of an operation is a payment's.
            News::Pending | News::Verdict | News::Sequel(_) | News::Changed(_) => None,
        }
    }
}
