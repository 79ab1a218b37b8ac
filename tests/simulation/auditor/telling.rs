//! What the auditor knows of what merchants are told: he keeps books of everything that happened, and of every endpoint
//! what it has taken.

use kessai_shared::ids::PaymentKey;
use kessai_shared::stored::event::PLACE;
use kessai_shared::stored::payment::{KEY, OWED};
use kessai_shared::stored::{Attribute, Item};
use kessai_shared::time::Timestamp;
use kessai_shared::webhook;
use serde_json::Value;

use super::sequels::sequels;
use super::{Auditor, reference};
use crate::archive::Archive;
use crate::endpoints::{DELIVERY_SECRET, Delivery, ENDPOINTS, Place, merchant_place, wants};
use crate::plan::Plan;
use crate::table::{Table, operations, state};
use kessai_shared::card::Secret;

/// So long an endpoint may fail before what it should hear is given up; clocks differ.
const GIVEN_UP_MS: i64 = 3 * 86_400_000 - 10_000;

#[derive(Default)]
pub struct Telling {
    /// Which endpoints merchants have.
    endpoints: usize,
    /// Everything that was ever to be told.
    events: Vec<Event>,
    /// When something failed since something got through, and whether that went on for too long.
    failing: Vec<(Place, i64)>,
    given_up: Vec<Place>,
}

/// Something to tell.
struct Event {
    payment: PaymentKey,
    version: i64,
    what: What,
    name: String,
    /// As the first delivery said.
    id: Option<String>,
    /// That it is pending was never told, because it is no more.
    is_dropped: bool,
    /// The endpoints that have taken it.
    taken_by: Vec<Place>,
    /// The endpoints that have heard it, whatever they said.
    heard_by: Vec<Place>,
}

/// A change that is told: the operation's place, what it is, and which sequel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct What {
    operation: i64,
    what: &'static str,
    sequel: Option<i64>,
}

impl Telling {
    pub fn of(plan: &Plan) -> Self {
        Self { endpoints: plan.endpoints, ..Self::default() }
    }

    fn is_wanted(&self, name: &str) -> bool {
        (0..ENDPOINTS[self.endpoints].len()).any(|endpoint| wants(self.endpoints, endpoint, name))
    }
}

impl Auditor {
    /// What is to be told is what changed, and nothing else.
    pub(super) fn noted(&mut self, before: Option<&Item>, after: &Item) {
        let (known, made) = (before.map_or(0, made), made(after));
        if self.telling.endpoints == 0 {
            return self.check("events", made == 0, || "somebody is to be told who is not there".to_owned());
        }
        let Some(payment) = after.text(KEY).and_then(PaymentKey::parse) else { return };
        let changed: Vec<(What, String)> =
            changes(before, after).into_iter().filter(|(_, name)| self.telling.is_wanted(name)).collect();
        let new: Vec<&Item> = entries(after).filter(|entry| number(entry) > known).collect();
        let mut told: Vec<What> = new.iter().map(|entry| what(entry)).collect();
        let mut expected: Vec<What> = changed.iter().map(|(what, _)| what.clone()).collect();
        told.sort();
        expected.sort();
        let is_sound = told == expected && i64::try_from(new.len()).ok() == Some(made - known);
        self.check("events", is_sound, || format!("{expected:?} happened, and {told:?} is to be told"));
        for entry in new {
            let name = changed.iter().find(|(changed, _)| *changed == what(entry)).map(|(_, name)| name.clone());
            self.telling.events.push(Event {
                payment,
                version: number(entry),
                what: what(entry),
                name: name.unwrap_or_default(),
                id: None,
                is_dropped: false,
                taken_by: Vec::new(),
                heard_by: Vec::new(),
            });
        }
        let Some(before) = before else { return };
        let seen = outbox(before).and_then(|outbox| outbox.number("s")).unwrap_or_default();
        for gone in entries(before).filter(|entry| entries(after).all(|other| number(other) != number(entry))) {
            let settled = |item: &Item| {
                let operation =
                    usize::try_from(what(gone).operation).ok().and_then(|place| operations(item).nth(place));
                operation.is_some_and(is_settled)
            };
            if what(gone).what == "pending" && number(gone) > seen && settled(after) && !settled(before) {
                let is_it = |event: &&mut Event| event.payment == payment && event.version == number(gone);
                self.telling.events.iter_mut().filter(is_it).for_each(|event| event.is_dropped = true);
            }
        }
    }

    /// An attempt to tell this endpoint failed, as far as its worker can know.
    pub fn failed(&mut self, to: Place, at_ms: i64) {
        self.telling.failing.push((to, at_ms));
        let since_ms = self.telling.failing.iter().filter(|(place, _)| *place == to).map(|(_, at_ms)| *at_ms).min();
        if since_ms.is_some_and(|since_ms| at_ms - since_ms >= GIVEN_UP_MS) {
            self.telling.given_up.push(to);
        }
    }

    /// An endpoint is told something, and takes it or not. `seen` is the payment as its worker read it.
    pub fn delivered(&mut self, delivery: &Delivery, is_taken: bool, seen: Option<&Item>, now_ms: i64) {
        let Delivery { to, headers, body, .. } = delivery;
        let to = *to;
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| said[name].as_str().unwrap_or_default();
        self.search("a delivery", body);
        self.signed(headers, body, text("id"), now_ms);
        let Some((seen, payment)) = seen.and_then(|seen| Some((seen, PaymentKey::parse(seen.text(KEY)?)?))) else {
            return self.object("events", || "told of a payment that nobody read".to_owned());
        };
        let version = said["version"].as_i64();
        let is_mine = |event: &Event| event.payment == payment && Some(event.version) == version;
        let Some(place) = self.telling.events.iter().position(is_mine) else {
            return self.object("events", || format!("told of version {version:?}, which never was"));
        };
        let of = &self.telling.events[place];
        let (what, name, known) = (of.what.clone(), of.name.clone(), of.id.clone());
        self.check("events", name == text("type"), || format!("{name} is told as {}", text("type")));
        let is_meant = merchant_place(&payment.merchant) == to.0 && wants(self.telling.endpoints, to.1, &name);
        self.check("events", is_meant, || format!("{name} is told to endpoint {to:?}"));
        let is_same = known.as_deref().is_none_or(|known| known == text("id"));
        self.check("events", is_same, || format!("{name} was told as {known:?}, and now as {}", text("id")));
        let other = self
            .telling
            .events
            .iter()
            .enumerate()
            .find(|(other, event)| *other != place && event.id.as_deref() == Some(text("id")));
        let is_other = other.is_some();
        self.check("events", !is_other, || format!("{} tells of two things", text("id")));
        self.fresh(&what, seen, &said);
        // Of what is told for the first time, the versions rise.
        // That it is pending may be under way when it is no more: its version says so.
        let is_dropped = self.telling.events[place].is_dropped;
        let earlier = |event: &Event| event.payment == payment && !event.is_dropped && event.heard_by.contains(&to);
        let latest = self.telling.events.iter().filter(|event| earlier(event)).map(|event| event.version).max();
        let is_first = !self.telling.events[place].heard_by.contains(&to);
        let rises = is_dropped || !is_first || latest < version;
        self.check("events", rises, || format!("version {version:?} is told after {latest:?}"));
        let again = self.telling.events[place].taken_by.contains(&to);
        let event = &mut self.telling.events[place];
        event.id = Some(text("id").to_owned());
        event.heard_by.push(to);
        let column = super::TOLD_OF.iter().position(|known| *known == what.what).unwrap_or_default();
        let row = match (is_taken, again) {
            (true, false) => 0,
            (true, true) => 1,
            (false, _) => 2,
        };
        self.deliveries[column][row] += 1;
        if is_taken {
            event.taken_by.push(to);
        }
    }

    /// Whoever told this endpoint knows that it has taken something then.
    pub fn got_through(&mut self, to: Place, heard_ms: i64) {
        self.telling.failing.retain(|(place, at_ms)| *place != to || *at_ms > heard_ms);
    }

    fn signed(&mut self, headers: &[(&'static str, String)], body: &[u8], id: &str, now_ms: i64) {
        let header = |name| headers.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str());
        self.check("signed", header(webhook::ID) == id, || format!("{id} is told as {}", header(webhook::ID)));
        if self.is_searching {
            let (id, timestamp) = (header(webhook::ID), header(webhook::TIMESTAMP));
            let headers = webhook::Headers { id, timestamp, signature: header(webhook::SIGNATURE) };
            let secrets = [Secret::new(DELIVERY_SECRET.to_owned())];
            let verified = webhook::verify(headers, body, &secrets, Timestamp::from_millis(now_ms));
            self.check("signed", verified.is_ok(), || format!("{id} is not signed by us"));
        }
    }

    /// What is told is the record as it was read: never as it was before what is told, never as it is not yet.
    fn fresh(&mut self, what: &What, seen: &Item, said: &Value) {
        let place = usize::try_from(what.operation).unwrap_or_default();
        let Some(known) = operations(seen).nth(place) else {
            return self.object("events", || format!("{what:?} is told, and is not there"));
        };
        let is_there = match what.what {
            "created" => true,
            // Whoever was not told before it was settled is not told at all.
            "pending" => {
                !is_settled(known) || said["version"].as_i64() <= outbox(seen).and_then(|seen| seen.number("s"))
            }
            "verdict" => is_settled(known),
            _ => what.sequel.is_some_and(|sequel| sequels(known).count() as i64 > sequel),
        };
        self.check("events", is_there, || format!("{what:?} is told, and did not happen"));
        let status = match state(known) {
            "unsent" => "Draft",
            "open" | "accepted" => "Pending",
            "approved" => "Processed",
            "voided" | "lapsed" => "Canceled",
            // That of a reversal has no other word.
            _ if known.text("k") == Some("reverse") => "Canceled",
            _ => "Failed",
        };
        let Some(key) = seen.text(KEY).and_then(PaymentKey::parse) else { return };
        let record = reference(key, place, known);
        let records = said["data"].as_object().into_iter().flat_map(|data| data.values());
        let told = records.filter(|told| told["id"] == record).find_map(|told| told["status"].as_str());
        self.check("events", told == Some(status), || {
            format!("{what:?} of {record} is {status}, and told as {told:?}")
        });
    }

    /// At the end: everybody has heard everything, or could not for so long that it was given up.
    pub fn close_telling(&mut self, table: &Table, archive: &Archive) {
        for row in &table.rows {
            let owes = entries(&row.item).next().is_some() || row.item.get(OWED).is_some();
            self.check("told", !owes, || format!("somebody is yet to be told of {}", row.key));
        }
        let events = std::mem::take(&mut self.telling.events);
        for Event { payment, version, what, name, is_dropped, taken_by, id, .. } in &events {
            let column = super::TOLD_OF.iter().position(|known| *known == what.what).unwrap_or_default();
            if *is_dropped {
                self.deliveries[column][4] += 1;
                continue;
            }
            let merchant = merchant_place(&payment.merchant);
            for endpoint in 0..ENDPOINTS[self.telling.endpoints].len() {
                let place = (merchant, endpoint);
                if !wants(self.telling.endpoints, endpoint, name) || taken_by.contains(&place) {
                    continue;
                }
                self.deliveries[column][3] += 1;
                let is_given_up = self.telling.given_up.contains(&place);
                self.check("told", is_given_up, || format!("endpoint {place:?} never heard {name} of {payment}"));
            }
            let is_it = |item: &&Item| {
                item.text(KEY) == Some(payment.merchant.as_str())
                    && item.text("p") == Some(payment.to_string().as_str())
                    && item.number("v") == Some(*version)
            };
            let kept = archive.events.iter().find(is_it);
            let is_kept = kept.is_some_and(|item| {
                item.text("n") == Some(name) && id.as_deref().is_none_or(|id| item.text(PLACE) == Some(id))
            });
            self.check("kept", is_kept, || format!("{name}, version {version} of {payment}, is not to be looked up"));
        }
    }
}

fn outbox(item: &Item) -> Option<&Item> {
    if let Some(Attribute::Map(outbox)) = item.get("ob") { Some(outbox) } else { None }
}

fn made(item: &Item) -> i64 {
    outbox(item).and_then(|outbox| outbox.number("n")).unwrap_or_default()
}

fn entries(item: &Item) -> impl Iterator<Item = &Item> {
    let list = outbox(item).and_then(|outbox| outbox.get("e"));
    let list = if let Some(Attribute::List(list)) = list { list.as_slice() } else { &[] };
    list.iter().filter_map(|entry| if let Attribute::Map(entry) = entry { Some(entry) } else { None })
}

fn number(entry: &Item) -> i64 {
    entry.number("n").unwrap_or_default()
}

fn what(entry: &Item) -> What {
    let what = match entry.text("w") {
        Some("created") => "created",
        Some("pending") => "pending",
        Some("verdict") => "verdict",
        Some("sequel") => "sequel",
        _ => "nothing",
    };
    What { operation: entry.number("o").unwrap_or(-1), what, sequel: entry.number("i") }
}

fn is_settled(operation: &Item) -> bool {
    !matches!(state(operation), "open" | "accepted" | "unsent")
}

fn is_pending(operation: &Item) -> bool {
    let flag = |name: &str| {
        let state = if let Some(Attribute::Map(state)) = operation.get("s") { state.get(name) } else { None };
        matches!(state, Some(Attribute::Flag(true)))
    };
    state(operation) == "accepted" || state(operation) == "open" && flag("un")
}

/// What changed, and what it is called.
fn changes(before: Option<&Item>, after: &Item) -> Vec<(What, String)> {
    let known: Vec<&Item> = before.into_iter().flat_map(operations).collect();
    let mut changes = Vec::new();
    for (operation, place, now) in
        operations(after).zip(0_i64..).zip(0_usize..).map(|((now, operation), place)| (operation, place, now))
    {
        let was = known.get(place).copied();
        let mut add = |what, sequel, name: String| changes.push((What { operation, what, sequel }, name));
        let (kind, is_refund) = match now.text("k") {
            Some("authorize" | "post-authorize") => ("authorization", false),
            Some("sale" | "capture") => ("payment", false),
            Some("reverse") => ("reversal", false),
            _ => ("refund", true),
        };
        let turn = |turn: &str| {
            let turn = if is_refund && ["pending", "succeeded"].contains(&turn) { "updated" } else { turn };
            format!("{kind}.{turn}")
        };
        if was.is_none() {
            add("created", None, turn("created"));
        }
        if is_pending(now) && !was.is_some_and(is_pending) {
            add("pending", None, turn("pending"));
        }
        if is_settled(now) && !was.is_some_and(is_settled) {
            let name = if state(now) == "approved" { "succeeded" } else { "failed" };
            add("verdict", None, turn(name));
        }
        if state(now) != "approved" {
            continue;
        }
        // Before the verdict nobody hears what came after it.
        let heard = was.filter(|was| is_settled(was)).map_or(0, |was| sequels(was).count());
        for (sequel, number) in sequels(now).zip(0_i64..).skip(heard) {
            let name = match sequel.text("w") {
                Some("failed") | None => turn("failed"),
                Some(stage) => stage.to_owned(),
            };
            add("sequel", Some(number), name);
        }
    }
    changes
}
