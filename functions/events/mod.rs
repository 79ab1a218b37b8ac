//! What happened, for merchants to read: a list of it, one event, and one told again.
//!
//! An event is shown as its delivery would be, with its record as that stands now, and with what came of telling each
//! endpoint. To have one told again, something is written and endpoints hear of it: whoever asks that needs the scope
//! `set-up` beside `read`. It is the same event then, under the same id, as a later version of its payment.

mod asked;
mod list;

use kessai_shared::delivery::{About, is_for_bus};
use kessai_shared::event::is_id;
use kessai_shared::ids::ItemKey;
use kessai_shared::merchant::{Merchant, Scope};
use kessai_shared::method::Method;
use kessai_shared::payment::{Outbox, Payment};
use kessai_shared::ports::Archive;
use kessai_shared::recurring::ids::RecurringKey;
use kessai_shared::recurring::schedule::Schedule;
use kessai_shared::rejection::Fault;
use kessai_shared::stored::event::{Recorded, decode_recorded};
use kessai_shared::time::Timestamp;

use crate::access::merchant_of;
use crate::door::{App, Caller, Function, Needs, Subject, authenticate, route, see};
use crate::event::{HttpAnswer, HttpEvent};
use crate::problem::Problem;
use crate::recurring::{schedules as agenda, stored_schedule};
use crate::wire::event::Shown;
use crate::wire::view::View;

pub const FUNCTION: Function = Function {
    name: "events",
    scopes: &[Scope::Read],
    needs: Needs::TO_SHOW_EVENTS,
    answer: |app, function, event, deadline, subject| Box::pin(answer(app, function, event, deadline, subject)),
};

/// As much may wait to be told of one payment; asked for more, an endpoint that is down would fill the payment.
const MOST_WAITING: usize = 64;

async fn answer(
    app: &App,
    function: &Function,
    event: &HttpEvent,
    deadline: Timestamp,
    subject: &mut Subject,
) -> Result<HttpAnswer, Problem> {
    let caller = authenticate(app, function, event, deadline, subject).await?;
    let desk = Desk { app, archive: archive(app)?, caller, deadline };
    match (event.path_parameter("eventId"), event.route_key.ends_with("/redeliver")) {
        (None, _) => list::show(&desk, &event.raw_query_string).await,
        (Some(id), false) => desk.show(id, subject).await,
        (Some(id), true) => desk.redeliver(id, subject).await,
    }
}

fn archive(app: &App) -> Result<&dyn Archive, Fault> {
    app.archive.as_deref().ok_or_else(|| Fault::SetUp("this function has no archive".to_owned()))
}

/// One request, with whoever asks.
struct Desk<'a> {
    app: &'a App,
    archive: &'a dyn Archive,
    caller: Caller,
    deadline: Timestamp,
}

impl Desk<'_> {
    fn merchant(&self) -> &Merchant {
        &self.caller.merchant
    }

    async fn show(&self, id: &str, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
        let recorded = self.find(id).await?;
        let item = self.item(recorded.item).await?;
        Ok(self.shown(200, &recorded, item.as_ref().map(Item::about), subject))
    }

    async fn redeliver(&self, id: &str, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
        self.caller.must_have(Scope::SetUp)?;
        let recorded = self.find(id).await?;
        self.is_wanted(&recorded).await?;
        let (shell, entry, deadline) = (&self.app.shell, recorded.entry(), self.deadline);
        match recorded.item {
            ItemKey::Payment(key) => {
                let stored = shell.read(key, deadline).await?.ok_or_else(Problem::not_found)?;
                let payment = stored.payment.clone();
                has_room(&payment.outbox)?;
                let route = route(self.app, self.merchant(), payment.gateway)?;
                shell.tell_again(stored, route, &entry, deadline).await?;
                Ok(self.shown(202, &recorded, Some(About::Payment(&payment)), subject))
            }
            ItemKey::Recurring(merchant, RecurringKey::Schedule(id)) => {
                let agenda = agenda(self.app)?;
                let stored = stored_schedule(self.app, merchant, id, deadline).await?.ok_or_else(Problem::not_found)?;
                let schedule = stored.schedule.clone();
                has_room(&schedule.outbox)?;
                shell.tell_of_schedule_again(agenda, stored, &entry, deadline).await?;
                Ok(self.shown(202, &recorded, Some(About::Schedule(&schedule)), subject))
            }
            // Nothing that happened is about it.
            ItemKey::Recurring(..) => Err(Problem::not_found()),
            ItemKey::Method(merchant, method) => {
                let stored = shell.method(&merchant, &method, deadline).await?.ok_or_else(Problem::not_found)?;
                let method = stored.method.clone();
                has_room(&method.outbox)?;
                shell.tell_of_method_again(stored, &entry, deadline).await?;
                Ok(self.shown(202, &recorded, Some(About::Method(&method)), subject))
            }
        }
    }

    /// Another merchant's is not there.
    async fn find(&self, id: &str) -> Result<Recorded, Problem> {
        let partition = self.merchant().id.as_str().to_owned();
        let id = is_id(id).then_some(id).ok_or_else(Problem::not_found)?;
        let item = self.app.shell.patiently(self.deadline, || self.archive.find(&partition, id)).await?;
        Ok(decode_recorded(item.ok_or_else(Problem::not_found)?).map_err(Fault::from)?)
    }

    /// Refuses what nobody would hear. An endpoint may be newer than what is known of the merchant: then somebody looks
    /// again.
    async fn is_wanted(&self, recorded: &Recorded) -> Result<(), Problem> {
        let name = recorded.name.text();
        if self.app.tells_bus && is_for_bus(recorded.name, recorded.news) {
            return Ok(());
        }
        let wanted_by = |merchant: &Merchant| {
            merchant.endpoints.values().any(|endpoint| endpoint.is_active && endpoint.wants(name))
        };
        if wanted_by(self.merchant()) {
            return Ok(());
        }
        let merchant = merchant_of(self.app, true, &self.merchant().id, self.deadline).await?;
        match merchant.is_some_and(|merchant| wanted_by(&merchant)) {
            true => Ok(()),
            false => {
                let message = format!("eventId: no webhook endpoint that is active wants {name}");
                Err(Problem::new(422, "INVALID_STATUS", message))
            }
        }
    }

    /// What an event is about, as it stands now.
    async fn item(&self, key: ItemKey) -> Result<Option<Item>, Fault> {
        let (shell, deadline) = (&self.app.shell, self.deadline);
        Ok(match key {
            ItemKey::Payment(key) => shell.read(key, deadline).await?.map(|stored| Item::Payment(stored.payment)),
            ItemKey::Recurring(merchant, RecurringKey::Schedule(id)) => {
                let stored = stored_schedule(self.app, merchant, id, deadline).await?;
                stored.map(|stored| Item::Schedule(Box::new(stored.schedule)))
            }
            ItemKey::Recurring(..) => None,
            ItemKey::Method(merchant, method) => {
                shell.method(&merchant, &method, deadline).await?.map(|stored| Item::Method(Box::new(stored.method)))
            }
        })
    }

    fn shown(&self, status: u16, recorded: &Recorded, about: Option<About<'_>>, subject: &mut Subject) -> HttpAnswer {
        match about {
            Some(About::Payment(payment)) => {
                View::of(payment, recorded.operation).iter().for_each(|view| see(subject, view));
            }
            Some(About::Method(method)) => subject.operation = Some(method.id.id()),
            Some(About::Schedule(schedule)) => subject.operation = Some(schedule.id.id()),
            None => {}
        }
        let shown = Shown::of(recorded, about, self.app.shell.clock.now());
        HttpAnswer::json(status, serde_json::to_string(&shown).unwrap_or_default())
    }
}

fn has_room(outbox: &Outbox) -> Result<(), Problem> {
    let message = "eventId: too much waits already to be told of the same record";
    let is_full = outbox.entries.len() >= MOST_WAITING;
    if is_full { Err(Problem::new(422, "LIMIT_EXCEEDED", message)) } else { Ok(()) }
}

/// What an event is about.
enum Item {
    Payment(Payment),
    Method(Box<Method>),
    Schedule(Box<Schedule>),
}

impl Item {
    fn about(&self) -> About<'_> {
        match self {
            Self::Payment(payment) => About::Payment(payment),
            Self::Method(method) => About::Method(method),
            Self::Schedule(schedule) => About::Schedule(schedule),
        }
    }
}
