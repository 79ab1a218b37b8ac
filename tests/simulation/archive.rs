//! What rests beside payments: what happened, for those who ask later, and how endpoints fare.

use kessai_shared::ports::{Expected, StoreFault, Written};
use kessai_shared::stored::Item;
use kessai_shared::stored::event::PLACE;
use kessai_shared::stored::payment::KEY;

use crate::chance::Fault;
use crate::port::{Call, Reply};
use crate::story::Lane;
use crate::table::version_of;
use crate::world::World;

/// Items by their keys. They are few.
#[derive(Default)]
pub struct Archive {
    pub events: Vec<Item>,
    health: Vec<Health>,
}

struct Health {
    item: Item,
    before: Option<Item>,
    written_ms: i64,
}

/// Whoever reads what merchants have set up may see it so old.
const STALE_MS: i64 = 60_000;

impl World {
    /// It answers a call of this worker, now. None where the call is about something else.
    pub(crate) fn serve_archive(&mut self, task: usize, call: u32, asked: Call) -> Option<Reply> {
        let fails = self.chance.strikes_call(Fault::ArchiveFails, task, call);
        let fault = || StoreFault("the archive is not there".into());
        match asked {
            Call::Keep(item) => {
                if !fails || self.chance.one_in(2) {
                    self.keep(*item);
                }
                Some(Reply::Kept(if fails { Err(fault()) } else { Ok(()) }))
            }
            Call::FindEvent(partition, place) => {
                let is_it =
                    |item: &&Item| item.text(KEY) == Some(&partition) && item.text(PLACE) == Some(place.as_str());
                let found = self.archive.events.iter().find(is_it).cloned();
                Some(Reply::Read(if fails { Err(fault()) } else { Ok(found) }))
            }
            Call::List(partition, limit) => {
                let listed = self.archive.events.iter().filter(|item| item.text(KEY) == Some(&partition));
                let mut listed: Vec<Item> = listed.cloned().collect();
                listed.sort_by(|one, other| one.text(PLACE).cmp(&other.text(PLACE)));
                let more = listed.len() > limit;
                listed.truncate(limit);
                Some(Reply::Listed(if fails { Err(fault()) } else { Ok((listed, more)) }))
            }
            Call::FindHealth(key) => {
                let known = self.archive.health.iter().find(|known| known.item.text(KEY) == Some(&key));
                let is_fresh = known.is_some_and(|known| self.now_ms - known.written_ms < STALE_MS);
                let stale = is_fresh && self.chance.strikes_call(Fault::HealthStale, task, call);
                let found = if stale {
                    known.and_then(|known| known.before.clone())
                } else {
                    known.map(|known| known.item.clone())
                };
                Some(Reply::Read(if fails { Err(fault()) } else { Ok(found) }))
            }
            Call::WriteHealth(item, expected) => {
                if fails && self.chance.one_in(2) {
                    return Some(Reply::Written(Err(fault())));
                }
                let written = self.write_health(task, *item, expected);
                Some(Reply::Written(if fails { Err(fault()) } else { Ok(written) }))
            }
            Call::Read(_) | Call::Write(..) | Call::Send(..) | Call::Deliver(..) | Call::Sleep(_) => None,
        }
    }

    fn keep(&mut self, item: Item) {
        let is_it = |known: &&mut Item| known.text(KEY) == item.text(KEY) && known.text(PLACE) == item.text(PLACE);
        match self.archive.events.iter_mut().find(is_it) {
            Some(known) => *known = item,
            None => self.archive.events.push(item),
        }
    }

    fn write_health(&mut self, task: usize, item: Item, expected: Expected) -> Written {
        let place = self.archive.health.iter().position(|known| known.item.text(KEY) == item.text(KEY));
        let written_ms = self.now_ms;
        self.tell(Lane::Worker(task), Lane::Store, || {
            let disabled = if item.get("disabled_at").is_some() { ", disabled" } else { "" };
            let failing = if item.get("failing_since").is_some() { "fails" } else { "is well" };
            format!("writes that {} {failing}{disabled}", item.text(KEY).unwrap_or_default())
        });
        match (place, expected) {
            (None, Expected::Absent) => self.archive.health.push(Health { item, before: None, written_ms }),
            (Some(place), Expected::Version(version)) if version_of(&self.archive.health[place].item) == version => {
                let known = &mut self.archive.health[place];
                let before = Some(std::mem::replace(&mut known.item, item));
                *known = Health { item: known.item.clone(), before, written_ms };
            }
            (place, _) => {
                return Written::Conflict(place.map(|place| self.archive.health[place].item.clone()));
            }
        }
        Written::Done
    }
}
