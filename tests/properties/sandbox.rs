//! Whatever is asked of the sandbox's model, it answers, its books only grow, and its records make the
//! same books again.

use std::collections::BTreeSet;

use bolero::TypeGenerator;
use bolero::generator::produce;
use kessai_functions::sandbox::{Class, Gateway, Kind, Record, Request, TABLE, card_number, method_id};
use serde_json::{Value, json};

use crate::fixtures::START;

/// The statuses of the module's documentation.
const STATUSES: [u16; 9] = [200, 400, 404, 405, 409, 422, 429, 500, 507];

/// One request. Small numbers choose among what is known, so that requests meet each other.
#[derive(Debug, TypeGenerator)]
struct Visit {
    after: u8,
    method: u8,
    class: u8,
    place: u8,
    id: u8,
    key: u8,
    reference: u8,
    code: u8,
    by_card: bool,
    /// Another value for a member; most often none.
    odd: (u8, i64),
    /// A body of its own; most often unused.
    has_own_body: u8,
    #[generator(produce::<Vec<_>>().with().len(0..16_usize))]
    own_body: Vec<u8>,
}

#[test]
fn the_books_of_the_sandbox_only_grow() {
    fuzz!(1_500, produce::<Vec<Visit>>().with().len(0..16_usize), |visits: &Vec<Visit>| {
        let (mut gateway, mut now_ms) = (Gateway::default(), START.as_millis());
        let (mut records, mut ids) = (Vec::<Record>::new(), BTreeSet::<String>::new());
        for visit in visits {
            let before = ledger(&gateway, &records, now_ms);
            now_ms = now_ms.saturating_add(pick(&[0, 1, 5_000, 86_400_000, i64::MAX], visit.after % 16));
            let reaction = gateway.handle(&visit.request(), now_ms);
            records.extend(reaction.records.iter().cloned());
            let after = ledger(&gateway, &records, now_ms);
            assert!(STATUSES.contains(&reaction.answer.status), "{:?}", reaction.answer);
            assert_eq!(after.len() - before.len(), moved(&reaction.records), "{:?}", reaction.records);
            for (was, is) in before.iter().zip(&after) {
                assert_eq!(was.what, is.what);
                assert!(is.voided >= was.voided, "what is voided stays so");
            }
            for record in &reaction.records {
                if let Some(id) = new_id(record) {
                    assert!(ids.insert(id.to_owned()), "{id} is given out twice");
                }
            }
        }
        let restored = Gateway::restore(records.clone());
        assert_eq!(ledger(&restored, &records, now_ms), ledger(&gateway, &records, now_ms));
        for place in 0..gateway.operations() {
            let notices = gateway.notices(place);
            assert_eq!(restored.notices(place), notices);
            assert!(notices.is_sorted_by_key(|item| item.at_ms), "{notices:?}");
        }
    });
}

/// A line of the ledger as it was entered, whatever became of it.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    what: String,
    voided: bool,
}

fn ledger(gateway: &Gateway, records: &[Record], now_ms: i64) -> Vec<Line> {
    // Before time began every accepted operation is still under way.
    let lines: Vec<Line> = gateway
        .effects(i64::MIN)
        .map(|effect| {
            let what =
                (effect.id, effect.class, effect.kind, effect.reference, effect.amount, effect.currency, effect.on);
            Line { what: format!("{what:?} {} {}", effect.status, effect.at), voided: effect.voided }
        })
        .collect();
    let agreed = records.iter().filter(|record| matches!(record, Record::Act(act) if act.decision.approved)).count();
    assert!(gateway.effects(now_ms).count() <= lines.len() + agreed, "time can only undo, and payers agree");
    lines
}

/// How many of these records enter an effect.
fn moved(records: &[Record]) -> usize {
    let moves = |record: &&Record| match record {
        Record::Operation(operation) => operation.is_effect(i64::MIN),
        Record::Unacted(_) | Record::Reversal(_) | Record::Act(_) | Record::Taken(_) | Record::Resend(_) => false,
    };
    records.iter().filter(moves).count()
}

/// The id that this record is the first to bear; a post-authorization bears that of what it registers.
fn new_id(record: &Record) -> Option<&str> {
    match record {
        Record::Operation(operation) => (operation.kind != Kind::PostAuthorize
            || operation.on.as_ref() != Some(&operation.id))
        .then_some(operation.id.as_str()),
        Record::Reversal(reversal) => Some(&reversal.id),
        Record::Unacted(_) | Record::Act(_) | Record::Taken(_) | Record::Resend(_) => None,
    }
}

fn pick<T: Copy>(from: &[T], which: u8) -> T {
    from[usize::from(which) % from.len()]
}

impl Visit {
    fn request(&self) -> Request {
        // Mostly one class, and mostly no magic: so that requests meet.
        let class = Class::ALL.get(usize::from(self.class % 16)).copied().unwrap_or(Class::Keyed).name();
        let id = pick(&["1000000001", "1000000001", "1000000002", "SF1000001", ""], self.id);
        let path = match self.place % 20 {
            0 => format!("/{}", pick(&["", class, "keyed/1000000001", "é"], self.id)),
            1 => "/ledger".to_owned(),
            2 => "/faults".to_owned(),
            3 => format!("/{class}/operations"),
            4 | 5 => format!("/{class}/timeout-reversals"),
            6 | 13 => format!("/{class}/client-authorizations"),
            7 | 14 => format!("/{class}/post-authorizations"),
            8 | 9 => format!("/{class}/sales"),
            10 => format!("/{class}/authorizations/{id}/captures"),
            11 => format!("/{class}/authorizations/{id}/reversals"),
            12 => format!("/{class}/payments/{id}/refunds"),
            15 | 16 => format!("/{class}/tokens"),
            18 => format!("/{class}/challenges/{id}"),
            19 => pick(&["/notices", "/notices/resend"], self.id).to_owned(),
            _ => format!("/{class}/authorizations"),
        };
        let usual = if matches!(self.place % 20, 0 | 1 | 3) { "GET" } else { "POST" };
        Request {
            method: pick(&[usual, usual, usual, usual, usual, "GET", "DELETE", "PUT"], self.method).to_owned(),
            path,
            query: pick(&["reference=r1", "reference=%F", "reference=%ff", ""], self.id).to_owned(),
            idempotency_key: pick(&[None, None, None, None, None, Some("k1"), Some("k1"), Some("é")], self.key)
                .map(str::to_owned),
            body: self.body(id),
        }
    }

    fn body(&self, id: &str) -> Vec<u8> {
        if self.has_own_body % 16 == 1 {
            return self.own_body.clone();
        }
        let row = TABLE.get(usize::from(self.code % 64)).unwrap_or(&TABLE[0]);
        let mut body = json!({
            "reference": pick(&["r1", "r2", "r3", ""], self.reference % 13),
            "amount": u64::from(row.code) + 10_000, "currency": "USD", "authorization": id,
        });
        if self.place % 20 == 18 {
            body = json!({"result": pick(&["approve", "approve", "decline", "perhaps"], self.code)});
        } else if self.place % 20 == 2 {
            body = json!({"next": [{"fault": row.name, "times": self.reference, "delayMs": self.method}]});
        } else if self.by_card || matches!(self.place % 20, 6 | 13) {
            body["card"] = json!({"number": card_number(row.code), "expiryMonth": 1, "expiryYear": "2030"});
        } else if matches!(self.place % 20, 15 | 16) {
            body["bankAccount"] = json!({"number": format!("DE{:04}", row.code), "type": "Checking"});
        } else {
            body["method"] = json!(method_id(row.code));
        }
        let (which, value) = self.odd;
        if which % 16 == 1 {
            let name = pick(&["reference", "amount", "currency", "final", "reason", "card", "method"], which / 16);
            body[name] = if value % 3 == 0 { Value::Null } else { json!(value) };
        }
        body.to_string().into_bytes()
    }
}
