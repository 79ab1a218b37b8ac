//! What becomes of an operation as time goes by: in look-ups, in the ledger, and in what is told unasked.

use super::super::{NOTICE_MS, card_number};
use super::*;

/// The first and every later moment at which something changes, in milliseconds after the request, and what it is.
type Timeline = Vec<(i64, &'static str)>;

struct Row {
    code: u16,
    path: &'static str,
    looked_up: Timeline,
    in_ledger: Timeline,
    told: Timeline,
}

const SALES: &str = "/keyed/sales";
const AUTHORIZATIONS: &str = "/keyed/authorizations";

fn rows() -> Vec<Row> {
    let row = |code, path, looked_up: &[_], in_ledger: &[_], told: &[_]| Row {
        code,
        path,
        looked_up: looked_up.to_vec(),
        in_ledger: in_ledger.to_vec(),
        told: told.to_vec(),
    };
    let approved = [(0, "approved")];
    let charged_back = [(0, "approved"), (10_000, "approved chargedBack 1000")];
    let won = [(0, "approved"), (10_000, "approved chargedBack 1000"), (15_000, "approved")];
    let failed = [(0, "accepted"), (5_000, "approved"), (10_000, "approved failed")];
    let expired = [(0, "action_required"), (900_000, "declined")];
    vec![
        row(0, SALES, &approved, &approved, &[(NOTICE_MS, "approved")]),
        row(9001, SALES, &[(0, "declined")], &[], &[(NOTICE_MS, "declined")]),
        row(9011, SALES, &approved, &approved, &[(3_000 + NOTICE_MS, "approved")]),
        row(9012, SALES, &[], &[], &[]),
        row(9013, SALES, &approved, &approved, &[(NOTICE_MS, "approved")]),
        row(
            9018,
            SALES,
            &[(0, "accepted"), (5_000, "approved")],
            &[(0, "accepted"), (5_000, "approved")],
            &[(NOTICE_MS, "accepted"), (5_000, "approved")],
        ),
        row(
            9019,
            SALES,
            &[(0, "accepted"), (5_000, "declined")],
            &[(0, "accepted"), (5_000, "")],
            &[(NOTICE_MS, "accepted"), (5_000, "declined")],
        ),
        row(9021, SALES, &failed, &failed, &[(NOTICE_MS, "accepted"), (5_000, "approved"), (10_000, "failed")]),
        row(9022, SALES, &expired, &[], &[(NOTICE_MS, "action_required"), (900_000, "declined")]),
        row(
            9023,
            SALES,
            &charged_back,
            &charged_back,
            &[(NOTICE_MS, "approved"), (5_000, "opened"), (10_000, "charged_back")],
        ),
        row(9023, AUTHORIZATIONS, &approved, &approved, &[(NOTICE_MS, "approved")]),
        row(
            9024,
            SALES,
            &won,
            &won,
            &[(NOTICE_MS, "approved"), (5_000, "opened"), (10_000, "charged_back"), (15_000, "reversed")],
        ),
        row(9025, SALES, &approved, &approved, &[(0, "approved")]),
        row(9026, SALES, &approved, &approved, &[(NOTICE_MS, "approved")]),
    ]
}

/// What is said of an operation in a look-up or a ledger; nothing where there is none.
fn said(told: &Value) -> String {
    let mut said = told["status"].as_str().unwrap_or_default().to_owned();
    if told["failed"] == json!(true) {
        said += " failed";
    }
    if let Some(amount) = told["chargedBack"].as_u64() {
        said += &format!(" chargedBack {amount}");
    }
    said
}

/// What changes in what is said, at the moments where anything can.
fn changes(world: &mut World, look: impl Fn(&mut World) -> Value) -> Vec<(i64, String)> {
    let mut changes: Vec<(i64, String)> = Vec::new();
    for after_ms in [0, 4_999, 5_000, 9_999, 10_000, 14_999, 15_000, 899_999, 900_000, 1_000_000_000] {
        world.now_ms = START_MS + after_ms;
        let now = said(&look(world));
        if now != changes.last().map_or("", |(_, before)| before) {
            changes.push((after_ms, now));
        }
    }
    changes
}

#[test]
fn an_operation_changes_at_its_moments_and_what_is_told_of_it_is_what_it_is_then() {
    for Row { code, path, looked_up, in_ledger, told } in rows() {
        let mut world = World::new();
        world.post(path, &with(order("r"), "card", card(&card_number(code))));
        let owned = |timeline: Timeline| -> Vec<(i64, String)> {
            timeline.into_iter().map(|(after_ms, said)| (after_ms, said.to_owned())).collect()
        };
        let look_up = |world: &mut World| world.get("/keyed/operations?reference=r")["operations"][0].clone();
        let ledger = |world: &mut World| world.get("/ledger?reference=r")["effects"][0].clone();
        assert_eq!(changes(&mut world, look_up), owned(looked_up), "look-ups of {code} by {path}");
        assert_eq!(changes(&mut world, ledger), owned(in_ledger), "ledger of {code} by {path}");
        let items = world.gateway.notices(0);
        let news = items.iter().map(|item| {
            let names = ["status", "stage", "event"].map(|name| item.told[name].as_str());
            (item.at_ms - START_MS, names.into_iter().flatten().next().unwrap_or_default().to_owned())
        });
        assert_eq!(news.collect::<Vec<_>>(), owned(told), "notices of {code} by {path}");
        for item in items.iter().filter(|item| item.told["event"] == json!("operation")) {
            world.now_ms = item.at_ms;
            let mut operation = look_up(&mut world);
            operation["event"] = json!("operation");
            assert_eq!(item.told, operation, "{code} by {path}");
        }
    }
}

/// Money that was taken and is not given back stands; what failed does not, and what is charged back is the payer's.
#[test]
fn the_ledger_tells_what_a_merchant_has_at_every_moment() {
    let rows = [(0, [1000; 4]), (9021, [1000, 1000, 0, 0]), (9023, [1000, 1000, 0, 0]), (9024, [1000, 1000, 0, 1000])];
    for (code, balances) in rows {
        let mut world = World::new();
        world.post("/none/sales", &with(order("r"), "card", card(&card_number(code))));
        for (after_ms, balance) in [0, 5_000, 10_000, 15_000].into_iter().zip(balances) {
            world.now_ms = START_MS + after_ms;
            let effects: Vec<_> = world.gateway.effects(world.now_ms).filter(|effect| !effect.failed).collect();
            let has: u64 = effects.iter().map(|effect| effect.amount - effect.charged_back.unwrap_or(0)).sum();
            assert_eq!(has, balance, "{code} after {after_ms} ms");
        }
    }
}

#[test]
fn what_a_scripted_delay_holds_back_is_told_after_its_answer() {
    for (fault, first_ms) in [("charged-back", 60_000 + NOTICE_MS), ("notice-first", 0)] {
        let mut world = World::new();
        world.post("/faults", &json!({"next": [{"fault": fault, "delayMs": 60_000}]}));
        world.post("/none/sales", &order("r"));
        let items = world.gateway.notices(0);
        assert!(items.iter().all(|item| item.at_ms == START_MS + first_ms), "{fault}: {items:?}");
    }
}

#[test]
fn captures_and_refunds_have_sequels_by_their_amounts() {
    let mut world = World::new();
    let authorization = world.approved("/none/authorizations", &order("a"));
    let captures = format!("/none/authorizations/{authorization}/captures");
    let capture = world.approved(&captures, &part("c", 9023));
    world.post(&format!("/none/payments/{capture}/refunds"), &part("f", 9021));
    world.approved(&format!("/none/payments/{capture}/refunds"), &part("g", 9023));
    world.now_ms += 10_000;
    let said: Vec<String> = world.effects().iter().map(said).collect();
    assert_eq!(said, ["approved", "approved chargedBack 9023", "approved failed", "approved"]);
}
