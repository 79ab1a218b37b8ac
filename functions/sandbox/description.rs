//! The page at `/` that tells a newcomer what there is.

use serde_json::{Value, json};

use super::answer::Answer;
use super::behaviour::TABLE;
use super::magic::{card_number, method_id};
use super::route::Class;

const ROUTES: [&str; 19] = [
    "POST /{class}/authorizations",
    "POST /{class}/authorizations/{id}/captures",
    "POST /{class}/authorizations/{id}/reversals",
    "POST /{class}/sales",
    "POST /{class}/payments/{id}/refunds",
    "POST /{class}/client-authorizations",
    "POST /{class}/post-authorizations",
    "POST /{class}/tokens",
    "GET /{class}/operations?reference=R",
    "POST /timeout-reversal/timeout-reversals",
    "GET /{class}/challenges/{id}",
    "POST /{class}/challenges/{id}",
    "GET /notices?class=C",
    "POST /notices/resend",
    "GET /ledger?reference=R",
    "GET /faults",
    "POST /faults",
    "DELETE /faults",
    "GET /",
];

#[must_use]
pub fn description() -> Answer {
    let magic: Vec<Value> = TABLE
        .iter()
        .map(|row| {
            json!({
                "code": row.code,
                "fault": row.name,
                "meaning": row.meaning,
                "card": card_number(row.code),
                "method": method_id(row.code),
            })
        })
        .collect();
    Answer::ok(&json!({
        "name": "Kessai sandbox gateway",
        "classes": Class::ALL,
        "routes": ROUTES,
        "tokens": "a token carries the code of its card or bank account and strikes when it is used",
        "amounts": "an amount is magic when its last four digits, in minor units, are a code",
        "magic": magic,
    }))
}
