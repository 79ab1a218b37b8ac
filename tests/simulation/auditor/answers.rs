//! What the auditor hears callers being told.

use kessai_functions::sandbox::Gateway;
use kessai_shared::stored::{Attribute, Item};

use super::{Auditor, reference};
use crate::heard::{Heard, Said};
use crate::plan::Pays;
use crate::platform::Spent;
use crate::requests::{Asking, How, Place, number_of};
use crate::table::{Table, operations, state};

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
        if let Said::Text(text) = &heard.said {
            self.search("an answer", text.as_bytes());
        }
        self.cost(asking, spent);
        let place = &asking.place;
        let status = heard.status;
        let row = table.find(place.payment);
        let found = row.and_then(|row| operations(&row.item).enumerate().find(|(_, known)| is_of(known, place)));
        let differs = found.is_some_and(|(_, known)| differs(known, place));
        let allowed: &[u16] = match asking.how {
            How::Mistyped => &[400],
            How::AsMeant | How::Otherwise | How::OtherCard if differs => &[409, 422, 500, 503],
            How::AsMeant | How::Otherwise | How::OtherCard => &[201, 202, 402, 409, 422, 503],
        };
        let is_allowed = allowed.contains(&status) || (status == 503 && spent.disturbances > 0);
        let gist = || format!("{} heard {}", place.key, heard.gist());
        self.check("answers", is_allowed || status == 404 && spent.disturbances > 0 || status == 503, gist);
        if !matches!(status, 201 | 202 | 402) {
            return;
        }
        let Some((ordinal, known)) = found else {
            return self.object("answers", || format!("{} heard {status} of nothing that rests", place.key));
        };
        let reference = reference(place.payment, ordinal, known);
        let sent = self.sent.iter().find(|(other, _)| *other == reference);
        let number = place.pays.map(number_of).unwrap_or_default();
        let is_of_card = sent.is_none_or(|(_, said)| String::from_utf8_lossy(said).contains(number.as_ref()));
        self.check("parameters", is_of_card, || format!("{} heard {status} of another card", place.key));
        if !heard.is_final {
            return;
        }
        let stands = state(known);
        let fits = if status == 201 { stands == "approved" } else { !matches!(stands, "open" | "accepted" | "unsent") };
        self.check("answers", fits, || format!("{} heard {status}, and is {stands}", place.key));
        self.agree(&reference, known, gateway, now_ms);
        let finals = self.finals.iter().find(|(payment, other, ..)| (*payment, *other) == (place.payment, ordinal));
        match finals {
            Some((_, _, first, said)) => {
                if *first != status || *said != heard.said {
                    let what = format!("{}: first {said:?}, now {:?}", place.key, heard.said);
                    self.object("replay", || what);
                }
            }
            None => self.finals.push((place.payment, ordinal, status, heard.said.clone())),
        }
    }

    /// Two writes and at most a read, and no more for what the world did to it.
    fn cost(&mut self, asking: &Asking, spent: Spent) {
        let Spent { reads, writes, disturbances } = spent;
        let least_reads = u32::from(asking.place.on.is_some());
        let within = writes <= 2 + disturbances && reads <= least_reads + disturbances;
        self.check("cost", within, || format!("{}: {reads} reads, {writes} writes", asking.function.name));
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
