//! What the auditor hears callers being told.

use kessai_functions::sandbox::Gateway;
use kessai_shared::stored::{Attribute, Item};

use super::resting::drawn;
use super::sequels::{charged_back, stands};
use super::{Auditor, Final, reference};
use crate::heard::{Heard, Said};
use crate::plan::Pays;
use crate::platform::Spent;
use crate::requests::{Asking, How, Place, number_of};
use crate::table::{Table, operations, state, version_of};
use crate::world::START_MS;

impl Auditor {
    /// A caller is answered.
    pub fn answered(
        &mut self,
        asking: &Asking,
        heard: &Heard,
        spent: Spent,
        table: &Table,
        gateway: &Gateway,
        now_ms: i64,
    ) {
        self.requests += 1;
        match &heard.said {
            Said::Text(text) => self.search("an answer", text.as_bytes()),
            Said::Problem(problem) => self.search("an answer", problem.message.as_bytes()),
            // Of what rests, which is searched where it rests.
            Said::Operation(_) => {}
        }
        self.cost(asking.function.name, spent, u32::from(asking.place.on.is_some()), 2);
        let place = &asking.place;
        let status = heard.status;
        let row = table.find(place.payment);
        let found = row.and_then(|row| operations(&row.item).enumerate().find(|(_, known)| is_of(known, place)));
        let differs = found.is_some_and(|(_, known)| differs(known, place));
        let known = found.and_then(|(ordinal, _)| self.final_of(place, ordinal, asking.started_ms));
        let is_allowed = match (asking.how, status) {
            // What could not be done for reasons of the world, and for no others.
            (_, 503) => spent.disturbances > 0,
            (How::Mistyped, _) => status == 400,
            (_, 409 | 422) if differs => true,
            _ if differs => false,
            // Once it was told what became of it, nobody hears anything else.
            (How::AsMeant, _) if known.is_some() => known == Some(status),
            (_, 201 | 202 | 402 | 409 | 422) => true,
            _ => false,
        };
        self.check("answers", is_allowed, || format!("{} heard {}", place.key, heard.gist()));
        let version = row.map(|row| version_of(&row.item));
        if let (422, Some(row), true) = (status, row, version == asking.version && !differs) {
            self.refused(place, heard, &operations(&row.item).collect::<Vec<_>>());
        }
        if !matches!(status, 201 | 202 | 402) {
            return;
        }
        let Some((ordinal, known)) = found else {
            return self.object("answers", || format!("{} heard {status} of nothing that rests", place.key));
        };
        let reference = reference(place.payment, ordinal, known);
        let sent = self.sent.iter().find(|sent| sent.reference == reference);
        let number = place.pays.map(number_of).unwrap_or_default();
        let is_of_card = sent.is_none_or(|sent| String::from_utf8_lossy(&sent.said).contains(number.as_ref()));
        self.check("parameters", is_of_card, || format!("{} heard {status} of another card", place.key));
        if !heard.is_final {
            return;
        }
        let stands = state(known);
        let fits = match stands {
            "open" | "accepted" | "unsent" => false,
            "approved" => status == 201,
            _ => status == 402,
        };
        self.check("answers", fits, || format!("{} heard {status}, and is {stands}", place.key));
        self.agree(&reference, known, gateway, now_ms);
        let is_mine = |known: &&Final| (known.payment, known.ordinal) == (place.payment, ordinal);
        match self.finals.iter().find(is_mine) {
            Some(first) => {
                if first.status != status || first.said != heard.said {
                    let what = format!("{}: first {:?}, now {:?}", place.key, first.said, heard.said);
                    self.object("replay", || what);
                }
            }
            None => {
                let Place { payment, pays, .. } = *place;
                let (said, told_ms) = (heard.said.clone(), now_ms - START_MS);
                self.finals.push(Final { payment, ordinal, pays, status, said, told_ms });
            }
        }
    }

    /// What was told for good before then of the same, paid with the same.
    fn final_of(&self, place: &Place, ordinal: usize, before_ms: i64) -> Option<u16> {
        let is_same = |known: &&Final| {
            (known.payment, known.ordinal, known.pays) == (place.payment, ordinal, place.pays)
                && known.told_ms < before_ms
        };
        self.finals.iter().find(is_same).map(|known| known.status)
    }

    /// Nothing is refused for want of money that is there. Nobody wrote since it was asked for.
    fn refused(&mut self, place: &Place, heard: &Heard, list: &[&Item]) {
        let (Some(on), Some(amount)) = (place.on, place.amount) else { return };
        let kinds: &[&str] = if place.kind == "refund" { &["refund"] } else { &["capture", "reverse"] };
        let target = list.get(on.index()).filter(|target| stands(target));
        let approved = target.and_then(|target| target.number("a")).unwrap_or_default();
        // Where the gateway has no name for a capture, a dispute of it is told of what it captured.
        let held = target
            .filter(|_| self.books.played.is_some())
            .and_then(|target| list.get(target.number("on")?.try_into().ok().unwrap_or(usize::MAX)));
        let back = |known: Option<&&Item>| known.map_or(0, |known| charged_back(known));
        let taken = drawn(list, on.index(), kinds) + back(target) + back(held);
        let fits = taken + amount <= approved;
        let is_for_money = heard.code() == Some("AMOUNT_EXCEEDS_BALANCE");
        self.check("refused", !(fits && is_for_money), || format!("{} heard {}", place.key, heard.gist()));
        let is_for_state = heard.code() == Some("INVALID_STATUS") && place.kind == "refund";
        self.check("refused", !(target.is_some() && is_for_state), || format!("{} heard {}", place.key, heard.gist()));
    }

    /// Each item of a notice costs a read and a write.
    pub fn took_notices(&mut self, items: usize, spent: Spent) {
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        self.cost("a notice", spent, items, items);
    }

    /// It costs no more than this, and as much again as the world disturbed it.
    pub(crate) fn cost(&mut self, what: &str, spent: Spent, most_reads: u32, most_writes: u32) {
        let Spent { reads, writes, disturbances } = spent;
        let within = writes <= most_writes + disturbances && reads <= most_reads + disturbances;
        self.check("cost", within, || format!("{what}: {reads} reads, {writes} writes"));
    }
}

/// Whether a stored operation is the one that a request is about.
fn is_of(known: &Item, place: &Place) -> bool {
    match place.on {
        // The key alone names what opens a payment.
        None => known.number("on").is_none(),
        Some(_) => known.text("k") == Some(place.kind) && known.text("y") == Some(place.key.as_str()),
    }
}

/// Whether something else was asked before under the same key.
fn differs(known: &Item, place: &Place) -> bool {
    let all = matches!(known.get("all"), Some(Attribute::Flag(true)));
    let amount = if all { None } else { known.number("a") };
    let is_final = matches!(known.get("fin"), Some(Attribute::Flag(true)));
    let instrument = if let Some(Attribute::Map(instrument)) = known.get("m") { Some(instrument) } else { None };
    let pays = place.pays.is_none_or(|pays| {
        let (name, end) = match pays {
            Pays::Method(code) => ("id", format!("{code:04}")),
            Pays::Card(_) | Pays::OtherCard => ("l4", number_of(pays).into_owned().split_off(12)),
        };
        instrument.and_then(|instrument| instrument.text(name)).is_some_and(|text| text.ends_with(&end))
    });
    let on = place.on.and_then(|on| i64::try_from(on.index()).ok());
    known.text("k") != Some(place.kind)
        || amount != place.amount
        || is_final != (place.is_final && place.kind == "capture")
        || known.number("on") != on
        || !pays
}
