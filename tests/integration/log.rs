//! What is logged: one line for each request and each call of a gateway, less than a kilobyte for a payment, and
//! nothing of a person.

use kessai_functions::{authorize, capture, refund, sale};
use kessai_shared::stored::Item;
use kessai_shared::stored::payment::{DUE, VERSION};
use kessai_shared::trace::TRACE;
use serde_json::{Value, json};

use crate::harness::CARD;
use crate::in_process::{self, InProcess};

/// Bytes that an ordinary operation may leave in the log.
const BUDGET: usize = 1024;

fn read(line: &str) -> Value {
    assert!(line.ends_with('\n') && line.matches('\n').count() == 1, "a line: {line:?}");
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// The metrics that a line carries, each of which must be described where CloudWatch looks.
fn metrics(line: &Value) -> Vec<String> {
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().cloned().unwrap_or_default();
    let described: Vec<Value> =
        directives.iter().flat_map(|directive| directive["Metrics"].as_array().cloned().unwrap_or_default()).collect();
    for directive in &directives {
        assert_eq!(directive["Namespace"], "Kessai");
        assert_eq!(directive["Dimensions"], json!([["stage"]]));
        assert_eq!(line["stage"], "test");
        assert!(line["_aws"]["Timestamp"].is_i64());
    }
    let name = |metric: &Value| metric["Name"].as_str().expect("a name").to_owned();
    let names: Vec<_> = described.iter().map(name).collect();
    assert!(names.iter().all(|name| line[name].is_u64()), "each has a value: {line}");
    names
}

fn id(body: &str, record: &str) -> String {
    let body: Value = serde_json::from_str(body).expect("JSON");
    body[record]["id"].as_str().unwrap_or_else(|| panic!("no {record} in {body}")).to_owned()
}

#[tokio::test]
async fn an_operation_leaves_two_lines_and_less_than_a_kilobyte() {
    let bench = InProcess::new().await;
    let (authorized, _) = bench.ask(&authorize::FUNCTION, None, "a", bench.opening()).await;
    let authorization = id(&authorized.body, "paymentAuthorization");
    let lines = bench.lines();
    let [called, answered] = lines.as_slice() else { panic!("{lines:?}") };
    let bytes = called.len() + answered.len();
    assert!(bytes <= BUDGET, "{bytes} bytes: {called}{answered}");
    let (called, answered) = (read(called), read(answered));
    assert_eq!(metrics(&called), ["GatewayLatency"]);
    assert_eq!(metrics(&answered), ["Approved"]);
    for line in [&called, &answered] {
        assert_eq!(line["operation"], json!(authorization));
        assert_eq!(line["trace"], in_process::TRACE);
        assert_eq!(line["request"], "request");
    }
    assert_eq!(
        (&called["note"], &called["source"], &called["outcome"]),
        (&json!("called"), &json!("send"), &json!("approved"))
    );
    assert_eq!((&answered["status"], &answered["reads"], &answered["writes"]), (&json!(201), &json!(0), &json!(2)));
    assert_eq!(answered["units"], 2);

    let to = Some(("authorizationId", authorization.as_str()));
    let (captured, _) = bench.ask(&capture::FUNCTION, to, "c", json!({ "amount": 100 })).await;
    let payment = id(&captured.body, "payment");
    let to = Some(("paymentId", payment.as_str()));
    bench.ask(&refund::FUNCTION, to, "r", json!({})).await;
    let lines = bench.lines();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().map(String::len).sum::<usize>() <= 2 * BUDGET, "{lines:?}");
    let opened: Vec<_> = lines.iter().flat_map(|line| metrics(&read(line))).collect();
    assert_eq!(opened, ["GatewayLatency", "GatewayLatency"], "only what opens a payment is counted as one");
}

#[tokio::test]
async fn what_opened_a_payment_is_counted_by_how_it_came_out_and_once() {
    let bench = InProcess::new().await;
    let rows = [("50", 201, "Approved"), ("90.01", 402, "Declined"), ("90.13", 202, "Unknown")];
    for (amount, status, metric) in rows {
        let mut opening = bench.opening();
        opening["amount"] = json!(amount);
        for is_first in [true, false] {
            let (answer, _) = bench.ask(&sale::FUNCTION, None, amount, opening.clone()).await;
            assert_eq!(answer.status_code, status, "{}", answer.body);
            let lines: Vec<_> = bench.lines().iter().map(|line| read(line)).collect();
            let answered = lines.iter().find(|line| line["note"] == "answered").expect("a line");
            let counted = metrics(answered);
            assert_eq!(counted, if is_first { vec![metric] } else { Vec::new() }, "{answered}");
            assert_eq!(answered["replayed"], if is_first { Value::Null } else { json!(true) });
        }
    }
}

#[tokio::test]
async fn a_line_holds_nothing_of_a_person() {
    let bench = InProcess::new().await;
    for (key, amount) in [("a", "50"), ("b", "90.01"), ("c", "90.12"), ("d", "90.13"), ("e", "90.16"), ("f", "x")] {
        let mut opening = bench.opening();
        opening["amount"] = json!(amount);
        bench.ask(&sale::FUNCTION, None, key, opening).await;
    }
    let log = bench.lines().concat();
    assert!(log.contains("\"fault\":\"lost: "), "it sees the lines: {log}");
    let opening = bench.opening();
    let card = &opening["paymentMethod"]["cardPaymentMethod"];
    let personal =
        [&opening["email"], &opening["ipAddress"], &opening["phone"], &opening["comments"], &card["cardHolderName"]];
    for text in personal.into_iter().map(|value| value.as_str().expect("a text")).chain([CARD, "kessai_"]) {
        assert!(!log.contains(text), "{text:?} is in {log}");
    }
}

#[tokio::test]
async fn the_trace_of_a_request_goes_on_with_what_it_wrote() {
    let bench = InProcess::new().await;
    bench.ask(&sale::FUNCTION, None, "a", bench.opening()).await;
    let items = bench.payments.items();
    let [item] = items.as_slice() else { panic!("one payment") };
    let trace = item.get(TRACE).cloned().expect("a trace");
    let rest: Item = item.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    assert_eq!(rest.number(VERSION), Some(2));
    let open = rest.with(DUE, 1).with(TRACE, trace);
    let image = kessai_shared::reminder::Image::of(&open).expect("an item of ours");
    assert_eq!(image.trace.map(|trace| trace.to_string()).as_deref(), Some(in_process::TRACE));
}
