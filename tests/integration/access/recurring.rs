//! The routes of what recurs, in the matrix of who may do what.

use kessai_functions::local::routes::Route;
use kessai_shared::ids::MerchantId;
use kessai_shared::merchant::Scope;
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::recurring::ids::{Cause, RunId, SchedulerId};
use serde_json::{Value, json};

use super::{Holder, Ids};

const SCHEDULERS: &str = "/commerce/payments/payment-schedulers";
const RUNS: &str = "/commerce/payments/payment-batch-runs";

/// A scheduler and a run.
pub async fn make(holder: &Holder<'_>, ids: &mut Ids) {
    let scheduler = holder.make(SCHEDULERS, scheduler("Draft"), "/billingBatchScheduler/id").await;
    let run = holder.make(RUNS, json!({}), "/paymentBatchRun/id").await;
    ids.extend([("billingBatchSchedulerId", scheduler), ("paymentBatchRunId", run)]);
}

/// Well-formed ids of nothing.
pub fn unknown(nobody: &MerchantId, key: &IdempotencyKey) -> [(&'static str, String); 2] {
    let run = RunId::of(nobody, Cause::Asked(key));
    [
        ("billingBatchSchedulerId", SchedulerId::made_under(nobody, key).id().to_string()),
        ("paymentBatchRunId", run.id().to_string()),
    ]
}

/// It starts no run yet.
fn scheduler(name: &str) -> Value {
    json!({
        "schedulerName": name, "startDate": "2026-01-01", "preferredTime": "02:05:00.000", "frequencyCadence": "Daily",
        "status": "Draft",
    })
}

/// What a good request says; `name` stands nowhere yet.
pub fn body(method: &str, path: &str, name: &str) -> Value {
    match (method, path) {
        ("POST", "/commerce/payments/payment-schedulers" | "/commerce/payments/payment-schedulers/{proxy+}") => {
            scheduler(name)
        }
        ("PATCH", "/commerce/payments/payment-schedulers/{billingBatchSchedulerId}") => json!({ "status": "Inactive" }),
        ("POST", RUNS) => json!({ "comments": name }),
        ("PATCH", "/commerce/payments/payment-batch-runs/{paymentBatchRunId}") => json!({ "status": "Stopped" }),
        (method, path) => panic!("nobody knows a good body for {method} {path}"),
    }
}

/// What a key must have: whoever may not make others charge may see how they do.
pub fn scopes(route: &Route) -> &'static [Scope] {
    let only_reads = route.function.name == "schedulers" && route.method == "GET";
    if only_reads { &[Scope::Read] } else { route.function.scopes }
}
