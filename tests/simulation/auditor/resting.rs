//! What the auditor sees in the table.

use kessai_shared::stored::Item;

use super::Auditor;
use crate::table::{NEXT_VERSION, operations, state, version_of};

impl Auditor {
    /// A payment was written.
    pub fn written(&mut self, before: Option<&Item>, after: &Item) {
        let expected = before.map_or(0, version_of) + 1;
        self.check("version", version_of(after) == expected, || {
            format!("version {} follows {}", version_of(after), expected - 1)
        });
        self.search_item(after);
        if let Some(before) = before {
            self.compare(before, after);
        }
        self.balance(after);
    }

    /// What is settled stays as it is, and what another version stored is not lost.
    fn compare(&mut self, before: &Item, after: &Item) {
        let carried = |before: &Item, after: &Item| before.get(NEXT_VERSION) == after.get(NEXT_VERSION);
        self.check("versions", before.get(NEXT_VERSION).is_none() || carried(before, after), || {
            "an attribute of the payment that this version does not know is lost".to_owned()
        });
        for (place, known) in operations(before).enumerate() {
            let Some(now) = operations(after).nth(place) else {
                return self.object("settled", || format!("operation {place} is gone"));
            };
            let is_settled = !matches!(state(known), "open" | "unsent" | "accepted");
            for (name, value) in known.iter() {
                let stays = match name.as_ref() {
                    // Contradictions are added beside what is settled.
                    "n" => continue,
                    "k" | "y" | "on" | "fp" | "m" | "fin" | NEXT_VERSION => true,
                    _ => is_settled,
                };
                self.check("settled", !stays || now.get(name) == Some(value), || {
                    format!("{name} of operation {place} was {value:?} and is {:?}", now.get(name))
                });
            }
        }
    }

    /// What is reserved fits what was approved.
    fn balance(&mut self, item: &Item) {
        let list: Vec<&Item> = operations(item).collect();
        for (place, target) in list.iter().enumerate().filter(|(_, target)| state(target) == "approved") {
            let reserved = |kind: &str| -> i64 {
                let draws = list.iter().filter(|operation| {
                    operation.text("k") == Some(kind)
                        && operation.number("on") == i64::try_from(place).ok()
                        && matches!(state(operation), "open" | "accepted" | "approved")
                });
                draws.filter_map(|operation| operation.number("a")).sum()
            };
            let drawn = match target.text("k") {
                Some("authorize" | "post-authorize") if self.is_strict => reserved("capture") + reserved("reverse"),
                Some("authorize" | "post-authorize") => reserved("capture"),
                Some("sale" | "capture") => reserved("refund"),
                _ => continue,
            };
            let amount = target.number("a").unwrap_or_default();
            self.check("reserved", drawn <= amount, || format!("{drawn} of {amount} is reserved"));
        }
    }
}
