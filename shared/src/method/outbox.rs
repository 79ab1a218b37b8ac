//! What merchants are yet to be told of a stored method: kept in the method itself, so that an event exists exactly when
//! its change does.
//!
//! The outbox is a payment's ([`crate::payment::outbox`]), and a method is its first operation and its only one. It is
//! told as pending while nobody knows whether its gateway keeps it, as created once it is kept, as failed where it is
//! refused, and as updated whenever its owner changes what may be shown.

use super::{Method, State};
use crate::event::{EventName, EventNames};
use crate::ids::{Ordinal, hash};
use crate::payment::outbox::{Entry, News, event_id};
use crate::time::Timestamp;

impl Method {
    /// Puts into the outbox what follows from the change from `before`: of what is `wanted`, and nothing else.
    pub fn tell(&mut self, before: Option<&Self>, wanted: EventNames, now: Timestamp) {
        if wanted.is_empty() {
            return;
        }
        if matches!(self.state, State::Refused { .. } | State::Kept { .. }) {
            self.outbox.forget_pending(Ordinal::FIRST);
        }
        let news = self.news_since(before);
        if let Some(news) = news.filter(|news| self.name_of(*news).is_some_and(|name| wanted.contains(name))) {
            self.outbox.push(Ordinal::FIRST, news, now);
        }
    }

    /// The name of an entry of the outbox.
    pub fn event(&self, entry: &Entry) -> Option<EventName> {
        self.name_of(entry.news)
    }

    /// The id of an event: whoever is told twice can tell by it. Ids are in the order of time.
    pub fn event_id(&self, entry: &Entry) -> Option<String> {
        let version = if let News::Changed(version) = entry.news { version } else { 0 };
        let name = self.name_of(entry.news)?.text();
        let parts = [self.merchant.as_str(), self.id.as_str(), name].map(str::as_bytes);
        let [merchant, id, name] = parts;
        Some(event_id(entry.at, hash("event", &[merchant, id, name, &version.to_be_bytes()])))
    }

    fn news_since(&self, before: Option<&Self>) -> Option<News> {
        match (&self.state, before.map(|before| &before.state)) {
            (State::Kept { status, .. }, Some(State::Kept { status: was, .. })) => {
                let changes = before.map(|before| &before.changes);
                let is_changed = status != was || changes != Some(&self.changes);
                // Beyond any number of changes that a person makes.
                is_changed.then(|| News::Changed(u32::try_from(self.version).unwrap_or(u32::MAX)))
            }
            (State::Kept { .. }, _) => Some(News::Created),
            (State::Refused { .. }, Some(State::Refused { .. })) => None,
            (State::Refused { .. }, _) => Some(News::Verdict),
            (State::Open(_) | State::Unsent | State::Accepted { .. }, _) => {
                (self.is_pending() && !before.is_some_and(Self::is_pending)).then_some(News::Pending)
            }
        }
    }

    /// Whether the gateway may know of it, and nobody knows whether it keeps it.
    fn is_pending(&self) -> bool {
        match &self.state {
            State::Open(open) => open.may_be_known(),
            State::Accepted { .. } => true,
            State::Unsent | State::Refused { .. } | State::Kept { .. } => false,
        }
    }

    fn name_of(&self, news: News) -> Option<EventName> {
        match news {
            News::Created => Some(EventName::PaymentMethodCreated),
            News::Pending => Some(EventName::PaymentMethodPending),
            News::Verdict => Some(EventName::PaymentMethodFailed),
            News::Changed(_) => Some(EventName::PaymentMethodUpdated),
            // What follows a verdict is a payment's.
            News::Sequel(_) | News::Schedule(_) => None,
        }
    }
}
