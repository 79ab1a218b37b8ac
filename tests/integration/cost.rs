//! What an operation costs, counted: writes, reads and write units of the payments table.

use kessai_functions::event::HttpAnswer;
use kessai_functions::{authorize, capture, refund, sale};
use kessai_shared::memory::Meter;
use serde_json::{Value, json};

use crate::in_process::InProcess;

fn id(answer: &HttpAnswer, record: &str) -> String {
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    body[record]["id"].as_str().unwrap_or_else(|| panic!("no {record} in {}", answer.body)).to_owned()
}

#[tokio::test]
async fn an_operation_costs_two_writes_and_a_duplicate_at_most_one() {
    let bench = InProcess::new().await;
    let (authorized, spent) = bench.ask(&authorize::FUNCTION, None, "a", bench.opening()).await;
    assert_eq!(authorized.status_code, 201, "{}", authorized.body);
    assert_eq!(spent, Meter { reads: 0, writes: 2, write_units: 2 }, "an authorization of a typical request");

    let (again, spent) = bench.ask(&authorize::FUNCTION, None, "a", bench.opening()).await;
    assert_eq!(again.body, authorized.body);
    assert_eq!(spent, Meter { reads: 0, writes: 1, write_units: 1 }, "its duplicate");

    let (_, spent) = bench.ask(&sale::FUNCTION, None, "s", bench.opening()).await;
    assert_eq!(spent, Meter { reads: 0, writes: 2, write_units: 2 }, "a sale");

    let authorization = id(&authorized, "paymentAuthorization");
    let to = Some(("authorizationId", authorization.as_str()));
    let (captured, spent) = bench.ask(&capture::FUNCTION, to, "c", json!({ "amount": 100 })).await;
    assert_eq!(spent, Meter { reads: 1, writes: 2, write_units: 2 }, "a capture: {}", captured.body);

    let (_, spent) = bench.ask(&capture::FUNCTION, to, "c", json!({ "amount": 100 })).await;
    assert_eq!(spent, Meter { reads: 1, writes: 0, write_units: 0 }, "its duplicate");
    let (_, spent) = bench.ask(&capture::FUNCTION, to, "d", json!({ "amount": 5000 })).await;
    assert_eq!(spent, Meter { reads: 1, writes: 0, write_units: 0 }, "a refused capture");

    let payment = id(&captured, "payment");
    let to = Some(("paymentId", payment.as_str()));
    let (refunded, spent) = bench.ask(&refund::FUNCTION, to, "r", json!({})).await;
    assert_eq!(refunded.status_code, 201, "{}", refunded.body);
    assert_eq!(spent, Meter { reads: 1, writes: 2, write_units: 2 }, "a refund");
}

#[tokio::test]
async fn a_notice_costs_a_read_and_a_write_and_its_duplicate_the_read() {
    use crate::notify::{Told, dispute, operation};
    let told = Told::new().await;
    let sale = told.sale("KEYED", "90.18").await;
    let meter = |writes| Meter { reads: 1, writes, write_units: writes };
    for (item, writes) in [
        (operation(&sale, "accepted"), 0),
        (operation(&sale, "approved"), 1),
        (operation(&sale, "approved"), 0),
        (dispute(&sale, "opened", 9_018), 1),
        (dispute(&sale, "opened", 9_018), 0),
    ] {
        let (answer, spent) = told.tell(std::slice::from_ref(&item)).await;
        assert_eq!(answer.status_code, 200, "{}", answer.body);
        assert_eq!(spent.payments, meter(writes), "{item}");
    }
}
