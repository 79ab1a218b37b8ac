//! The clock is moved, and what is due on the way happens at its time.

use serde_json::{Value, json};

use crate::harness::{Client, Kessai};
use crate::set_up::{refused, text};

const SCHEDULERS: &str = "commerce/payments/payment-schedulers";
const RUNS: &str = "commerce/payments/payment-batch-runs";

fn made(client: &Client, path: &str, pointer: &str, body: &Value) -> String {
    text(&client.ask("POST", path, None, body).expect(201), pointer)
}

fn now(client: &Client) -> String {
    text(&client.control("GET", "KESSAI_URL", "/local/clock", &Value::Null), "/now")
}

/// Begins with the day that follows.
fn each_day(client: &Client, at: &str) -> String {
    let day = now(client)[..10].to_owned();
    let body = json!({
        "schedulerName": "Each day", "status": "Active", "startDate": day, "preferredTime": at,
        "frequencyCadence": "Daily",
    });
    made(client, SCHEDULERS, "/billingBatchScheduler/id", &body)
}

/// The runs of a scheduler, the first first.
fn runs(client: &Client, scheduler: &str) -> Vec<Value> {
    let (mut runs, mut token) = (Vec::new(), String::new());
    loop {
        let path = format!("{RUNS}?billingBatchSchedulerId={scheduler}&pageSize=100{token}");
        let page = client.ask("GET", &path, None, &Value::Null).expect(200);
        runs.extend(page.at("/paymentBatchRuns").as_array().cloned().unwrap_or_default());
        match page.at("/nextPageToken").as_str() {
            Some(next) => token = format!("&pageToken={next}"),
            None => break,
        }
    }
    runs.reverse();
    runs
}

#[test]
fn each_day_of_a_month_has_its_run_at_its_time() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    // At the end of the day, so that today's is yet to come.
    let scheduler = each_day(client, "23:59:59.000");
    let today = now(client);
    let moved = client.control("POST", "KESSAI_URL", "/local/clock", &json!({ "advance": "P1M" }));
    let goal = text(&moved, "/now");
    let days = |text: &str| -> Vec<u32> { text[..10].split('-').map(|part| part.parse().expect("a number")).collect() };
    let (begin, end) = (days(&today), days(&goal));
    assert_eq!((begin[0] * 12 + begin[1]) + 1, end[0] * 12 + end[1], "{today} {goal}");
    assert!(end[2] <= begin[2] && end[2] >= begin[2].min(28), "{today} {goal}");

    let runs = runs(client, &scheduler);
    assert!((28..=31).contains(&runs.len()), "{} runs", runs.len());
    let mut dates = Vec::new();
    for run in &runs {
        let date = run["runDate"].as_str().expect("a day").to_owned();
        assert_eq!(run["status"], "Completed", "{run}");
        for member in ["createdDate", "startTime"] {
            // Seconds later at most, by a clock that was not moved on before it was done.
            let at = run[member].as_str().expect("a time");
            assert!(at.starts_with(&format!("{date}T23:59:59")) || run_of_the_night(at), "{member} {run}");
        }
        dates.push(date);
    }
    let mut each = dates.clone();
    each.sort();
    each.dedup();
    assert_eq!(dates, each, "one for each day, in order");
    assert!(moved.at("/looks").as_u64().expect("a number") >= 2 * runs.len() as u64);
}

/// However slow the machine is, it is not slower than that.
fn run_of_the_night(at: &str) -> bool {
    at[11..].starts_with("00:")
}

#[test]
fn what_others_ask_meanwhile_is_answered() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    each_day(client, "12:00:00.000");
    std::thread::scope(|scope| {
        let moving = scope.spawn(|| client.advance("P1W"));
        let ask = |n| {
            client.authorize("KEYED", &format!("k{n}"), "50").expect(201);
            now(client)
        };
        let times: Vec<_> = (0..20).map(ask).collect();
        assert!(times.is_sorted(), "{times:?}");
        moving.join().expect("it was moved");
    });
}

#[test]
fn it_is_moved_forward_by_ten_years_at_most() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    for advance in ["P10Y1D", "-P1D", "P1M-P1D", "P100Y", "P99999999Y", "soon"] {
        let reply = client.ask("POST", "local/clock", None, &json!({ "advance": advance }));
        refused(&reply, 400, "INVALID_API_INPUT", "advance: must be an ISO 8601 duration forward");
    }
    client.advance("PT0S");
    let year = |text: String| text[..4].parse::<u32>().expect("a year");
    let before = year(now(client));
    client.advance("P10Y");
    assert_eq!(year(now(client)), before + 10);
}
