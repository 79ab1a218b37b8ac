//! Schedulers start payment runs at their times and at no other, what will not do is refused by its name, and nobody else
//! sees any of it.

mod limits;
mod runs;

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::Kessai;
use crate::set_up::{Holder, refused, text, with};

const SCHEDULERS: &str = "/commerce/payments/payment-schedulers";
const RUNS: &str = "/commerce/payments/payment-batch-runs";

/// As it is printed.
fn printed() -> Value {
    let filter = |value: &str, sequence: u8| {
        json!({
            "objectName": "PaymentScheduleItem", "fieldName": "PaymentRunMatchingValue", "operation": "Equals",
            "value": value, "criteriaSequence": sequence,
        })
    };
    json!({
        "schedulerName": "Payment Scheduler", "startDate": "2022-01-01", "endDate": "2022-12-31",
        "preferredTime": "02:05:00.000", "frequencyCadence": "Monthly", "recursEveryMonthOnDay": "28",
        "criteriaMatchType": "MatchAny", "status": "Active",
        "filterCriteria": [filter("1", 1), filter("2", 2), filter("3", 3)],
    })
}

/// The same in a year to come.
fn to_come() -> Value {
    with(with(printed(), "startDate", "2090-01-01"), "endDate", "2090-12-31")
}

/// On each day there is.
fn daily() -> Value {
    json!({
        "schedulerName": "Daily", "startDate": "2020-01-01", "preferredTime": "02:05", "frequencyCadence": "Daily",
        "status": "Active",
    })
}

fn weekly() -> Value {
    with(with(daily(), "frequencyCadence", "Weekly"), "startDate", "2090-01-02")
}

fn without(mut body: Value, member: &str) -> Value {
    body.as_object_mut().expect("an object").remove(member);
    body
}

fn filtered(member: &str, value: impl Into<Value>) -> Value {
    let mut body = to_come();
    body["filterCriteria"][1][member] = value.into();
    body
}

fn optioned(body: Value, options: Value) -> Value {
    with(body, "frequencyCadenceOptions", options)
}

fn made(holder: &Holder<'_>, body: &Value) -> String {
    text(&holder.post(SCHEDULERS, body).expect(201), "/billingBatchScheduler/id")
}

fn shown(holder: &Holder<'_>, id: &str) -> Value {
    holder.get(&format!("{SCHEDULERS}/{id}")).expect(200).at("/billingBatchScheduler")
}

fn started(holder: &Holder<'_>, body: &Value) -> String {
    text(&holder.post(RUNS, body).expect(201), "/paymentBatchRun/id")
}

fn run(holder: &Holder<'_>, id: &str) -> Value {
    holder.get(&format!("{RUNS}/{id}")).expect(200).at("/paymentBatchRun")
}

/// Looks until it is so.
fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    for _ in 0..240 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    panic!("{what} has not come")
}

fn ended(holder: &Holder<'_>, id: &str) -> Value {
    until("the end", || Some(run(holder, id)).filter(|run| run.get("completionTime").is_some()))
}

#[test]
fn what_is_printed_is_taken_as_it_is_printed() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    for path in [SCHEDULERS.to_owned(), format!("{SCHEDULERS}/"), format!("/services/data/v67.0{SCHEDULERS}/")] {
        let reply = developer.post(&path, &printed()).expect(201);
        let id = text(&reply, "/billingBatchScheduler/id");
        assert!(id.starts_with("5BS") && id.len() == 18, "{id}");
        assert_eq!(reply.json(), json!({ "billingBatchScheduler": { "id": id } }), "{path}");
        assert_eq!(shown(&developer, &id)["status"], "Completed", "its times are past");
        refused(
            &developer.patch(&format!("{SCHEDULERS}/{id}"), &json!({ "status": "Active" })),
            422,
            "INVALID_STATUS",
            "",
        );
    }
    let draft = made(&developer, &with(to_come(), "status", "Draft"));
    let turned = developer.patch(&format!("{SCHEDULERS}/{draft}"), &json!({ "status": "Active" })).expect(200);
    assert_eq!(turned.json(), json!({ "status": "Active" }));
    refused(&developer.post(&format!("{SCHEDULERS}/{draft}"), &printed()), 404, "NOT_FOUND", "");
}

#[test]
fn a_scheduler_is_shown_as_its_record() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let asked = with(with(to_come(), "timezone", "asia/tokyo"), "comments", "for gold");
    let id = made(&developer, &asked);
    let mut shown_now = shown(&developer, &id);
    let created = shown_now["createdDate"].take();
    assert!(created.as_str().is_some_and(|at| at.ends_with('Z')), "{created}");
    let expected = json!({
        "id": id, "billingSchedulerName": "Payment Scheduler", "status": "Active", "jobType": "Payment",
        "frequencyCadence": "Monthly", "recurringSubType": "SpecificDate", "recursOnDate": "28",
        "startDate": "2090-01-01", "endDate": "2090-12-31", "startTime": "02:05:00.000", "timeZone": "Asia/Tokyo",
        "shouldExcludeWkendAndHldy": false, "shouldStartRunImmediately": false,
        "nextRunTime": "2090-01-27T17:05:00.000Z", "nextRunDate": "2090-01-28", "comments": "for gold",
        "criteriaMatchType": "MatchAny", "filterCriteria": asked["filterCriteria"], "createdDate": null,
    });
    assert_eq!(shown_now, expected);
}

/// What is asked for, and its next run, its day, and what is shown of when it recurs.
#[test]
fn every_cadence_has_its_days() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let monthly = without(to_come(), "recursEveryMonthOnDay");
    let specific = |date: &str| json!({ "recurringSubType": "SpecificDate", "recursOnDate": date });
    let no_more = json!({ "shouldExcludeWkendAndHldy": false, "shouldStartRunImmediately": false });
    let rows = [
        (optioned(with(daily(), "startDate", "2090-01-05"), no_more), "2090-01-05T02:05:00.000Z", Value::Null),
        (
            with(with(daily(), "frequencyCadence", "once"), "startDate", "2090-01-05"),
            "2090-01-05T02:05:00.000Z",
            Value::Null,
        ),
        // 2090-01-02 is a Monday.
        (weekly(), "2090-01-02T02:05:00.000Z", json!("Monday")),
        (optioned(weekly(), json!({ "recursOnDay": "Sunday" })), "2090-01-08T02:05:00.000Z", json!("Sunday")),
        (with(weekly(), "timezone", "America/New_York"), "2090-01-02T07:05:00.000Z", json!("Monday")),
        (with(to_come(), "recursEveryMonthOnDay", 5), "2090-01-05T02:05:00.000Z", json!("5")),
        (
            with(with(to_come(), "recursEveryMonthOnDay", "31"), "startDate", "2090-02-01"),
            "2090-02-28T02:05:00.000Z",
            json!("31"),
        ),
        (optioned(monthly.clone(), specific("5")), "2090-01-05T02:05:00.000Z", json!("5")),
        (optioned(monthly, json!({ "recursOnDate": "L-1" })), "2090-01-30T02:05:00.000Z", json!("L-1")),
    ];
    for (body, next, on) in rows {
        let shown = shown(&developer, &made(&developer, &body));
        let shown_on = shown.get("recursOnDay").or(shown.get("recursOnDate")).cloned().unwrap_or_default();
        assert_eq!((&shown["nextRunTime"], &shown_on), (&json!(next), &on), "{body}");
    }
}

/// A body that will not do, the code of its refusal, and how that begins.
type Unfit = (Value, &'static str, &'static str);

const INVALID: &str = "INVALID_API_INPUT";
const MISSING: &str = "REQUIRED_FIELD_MISSING";

fn unfit_times() -> Vec<Unfit> {
    vec![
        (with(to_come(), "schedulerName", ""), MISSING, "schedulerName: "),
        (with(to_come(), "schedulerName", "x".repeat(256)), INVALID, "schedulerName: must not be longer than 255"),
        (with(to_come(), "comments", "x".repeat(1001)), INVALID, "comments: must not be longer than 1000"),
        (without(to_come(), "startDate"), MISSING, "startDate: "),
        (with(to_come(), "startDate", "01-01-2090"), INVALID, "startDate: must be a date"),
        (with(to_come(), "startDate", "2090-02-30"), INVALID, "startDate: must be a date"),
        (with(to_come(), "endDate", "2089-12-31"), INVALID, "endDate: must not be before the start"),
        (with(to_come(), "endDate", "2090-13-01"), INVALID, "endDate: must be a date"),
        (with(to_come(), "endDate", "2090-01-27"), INVALID, "endDate: leaves no day"),
        (without(to_come(), "endDate"), MISSING, "endDate: "),
        (without(to_come(), "preferredTime"), MISSING, "preferredTime: "),
        (with(to_come(), "preferredTime", "24:61"), INVALID, "preferredTime: must be a time of day"),
        (with(to_come(), "preferredTime", "02:05Z"), INVALID, "preferredTime: must be a time of day"),
        (with(to_come(), "preferredTime", 205), INVALID, "preferredTime: must be a string"),
        (with(to_come(), "timezone", "Mars/Olympus"), INVALID, "timezone: must be the IANA name"),
        (without(to_come(), "frequencyCadence"), MISSING, "frequencyCadence: "),
        (with(to_come(), "frequencyCadence", "Yearly"), INVALID, "frequencyCadence: must be one of Once, Daily"),
    ]
}

fn unfit_days() -> Vec<Unfit> {
    let monthly = without(to_come(), "recursEveryMonthOnDay");
    let specific = json!({ "recurringSubType": "SpecificDate" });
    vec![
        (monthly.clone(), MISSING, "recursEveryMonthOnDay: "),
        (with(to_come(), "recursEveryMonthOnDay", "32"), INVALID, "recursEveryMonthOnDay: must be a day"),
        (with(to_come(), "recursEveryMonthOnDay", "0"), INVALID, "recursEveryMonthOnDay: must be a day"),
        (with(to_come(), "recursEveryMonthOnDay", "L-10"), INVALID, "recursEveryMonthOnDay: must be a day"),
        (with(weekly(), "recursEveryMonthOnDay", "28"), INVALID, "recursEveryMonthOnDay: is of Monthly only"),
        (with(to_come(), "frequencyCadenceOptions", "Sunday"), INVALID, "frequencyCadenceOptions: must be an object"),
        (
            optioned(daily(), json!({ "recursOnDay": "Sunday" })),
            INVALID,
            "frequencyCadenceOptions.recursOnDay: is of Weekly",
        ),
        (
            optioned(weekly(), json!({ "recursOnDay": "Sonntag" })),
            INVALID,
            "frequencyCadenceOptions.recursOnDay: must be",
        ),
        (
            optioned(weekly(), json!({ "recursOnDate": "5" })),
            INVALID,
            "frequencyCadenceOptions.recursOnDate: is of Monthly",
        ),
        (optioned(monthly.clone(), specific), MISSING, "frequencyCadenceOptions.recursOnDate: "),
        (
            optioned(monthly.clone(), json!({ "recurringSubType": "Every" })),
            INVALID,
            "frequencyCadenceOptions.recurringSubType",
        ),
        (
            optioned(to_come(), json!({ "recursOnDate": "5" })),
            INVALID,
            "frequencyCadenceOptions.recursOnDate: must not be given together",
        ),
        (
            optioned(daily(), json!({ "shouldExcludeWkendAndHldy": true })),
            INVALID,
            "frequencyCadenceOptions.shouldExcludeWkendAndHldy: must be false",
        ),
        (
            optioned(daily(), json!({ "shouldStartRunImmediately": true })),
            INVALID,
            "frequencyCadenceOptions.shouldStartRunImmediately: must be false",
        ),
        (
            optioned(daily(), json!({ "recursOn": "First" })),
            INVALID,
            "frequencyCadenceOptions.recursOn: is not a member",
        ),
    ]
}

fn unfit_criteria() -> Vec<Unfit> {
    let many = vec![json!({}); 101];
    let mut hole = filtered("value", "a,,b");
    hole["filterCriteria"][1]["operation"] = json!("InList");
    vec![
        (hole, INVALID, "filterCriteria[1].value: must be of 1 to 40"),
        (without(to_come(), "criteriaMatchType"), MISSING, "criteriaMatchType: "),
        (with(to_come(), "criteriaMatchType", "MatchSome"), INVALID, "criteriaMatchType: must be one of"),
        (without(to_come(), "filterCriteria"), MISSING, "filterCriteria: "),
        (with(to_come(), "filterCriteria", json!([])), MISSING, "filterCriteria: "),
        (with(to_come(), "filterCriteria", json!({})), INVALID, "filterCriteria: must be a list of objects"),
        (with(to_come(), "filterCriteria", json!([1])), INVALID, "filterCriteria[0]: must be an object"),
        (with(to_come(), "filterCriteria", many), INVALID, "filterCriteria: must not have more than 100"),
        (
            filtered("objectName", "Invoice"),
            INVALID,
            "filterCriteria[1].objectName: must be one of PaymentScheduleItem",
        ),
        (
            filtered("fieldName", "Currency"),
            INVALID,
            "filterCriteria[1].fieldName: must be one of PaymentRunMatchingValue",
        ),
        (
            filtered("operation", "Contains"),
            INVALID,
            "filterCriteria[1].operation: must be one of Equals, InList, NotEquals",
        ),
        (filtered("value", ""), MISSING, "filterCriteria[1].value: "),
        (filtered("value", "x".repeat(41)), INVALID, "filterCriteria[1].value: must be of 1 to 40"),
        (filtered("value", "x".repeat(256)), INVALID, "filterCriteria[1].value: must not be longer than 255"),
        (filtered("criteriaSequence", 0), INVALID, "filterCriteria[1].criteriaSequence: must be a whole number from 1"),
        (filtered("criteriaSequence", 1), INVALID, "filterCriteria[1].criteriaSequence: is given twice"),
        (filtered("criteriaSequence", Value::Null), MISSING, "filterCriteria[1].criteriaSequence: "),
        (filtered("more", 1), INVALID, "filterCriteria[1].more: is not a member"),
        (without(to_come(), "status"), MISSING, "status: "),
        (with(to_come(), "status", "Completed"), INVALID, "status: must be one of Active, Canceled, Draft, Inactive"),
        (with(to_come(), "invoiceStatus", "POSTED"), INVALID, "invoiceStatus: is not a member"),
    ]
}

#[test]
fn what_will_not_do_is_refused_by_name_and_changes_nothing() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    for (body, code, says) in [unfit_times(), unfit_days(), unfit_criteria()].concat() {
        refused(&developer.post(SCHEDULERS, &body), 400, code, says);
    }
    assert_eq!(developer.get(SCHEDULERS).expect(200).json(), json!({ "billingBatchSchedulers": [] }));

    let runs = [
        (json!({ "runDate": "today" }), "runDate: must be a date"),
        (json!({ "timezone": "Mars/Olympus" }), "timezone: must be the IANA name"),
        (json!({ "comments": "x".repeat(1001) }), "comments: must not be longer than 1000"),
        (json!({ "filterCriteria": [{ "objectName": "Invoice" }] }), "filterCriteria[0].objectName"),
        (json!({ "status": "New" }), "status: is not a member"),
    ];
    for (body, says) in runs {
        refused(&developer.post(RUNS, &body), 400, INVALID, says);
    }
    assert_eq!(developer.get(RUNS).expect(200).json(), json!({ "paymentBatchRuns": [] }));
    for (path, query) in
        [(SCHEDULERS, "pageSize=0"), (SCHEDULERS, "billingBatchSchedulerId=5BS000000000001"), (RUNS, "status=New")]
    {
        refused(&developer.get(&format!("{path}?{query}")), 400, INVALID, "");
    }
}

#[test]
fn what_is_made_under_an_idempotency_key_is_made_once() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let first = developer.send("POST", SCHEDULERS, Some("one"), &to_come()).expect(201);
    let id = text(&first, "/billingBatchScheduler/id");
    developer.patch(&format!("{SCHEDULERS}/{id}"), &json!({ "status": "Inactive" })).expect(200);
    let in_other_words = with(with(to_come(), "criteriaMatchType", "Match Any"), "timezone", "UTC");
    let in_other_words = with(in_other_words, "preferredTime", "02:05");
    for body in [to_come(), in_other_words.clone()] {
        let again = developer.send("POST", SCHEDULERS, Some("one"), &body).expect(201);
        assert!(again.replayed() && again.text == first.text, "{body}");
    }
    let in_the_body = developer.post(SCHEDULERS, &with(in_other_words, "idempotencyKey", "one")).expect(201);
    assert_eq!(in_the_body.text, first.text);
    for (member, value) in
        [("comments", "new"), ("recursEveryMonthOnDay", "27"), ("status", "Draft"), ("timezone", "Asia/Tokyo")]
    {
        let other = developer.send("POST", SCHEDULERS, Some("one"), &with(to_come(), member, value));
        refused(&other, 422, "IDEMPOTENCY_KEY_REUSED", "");
    }
    let twice = developer.send("POST", SCHEDULERS, Some("one"), &with(to_come(), "idempotencyKey", "one"));
    refused(&twice, 400, "INVALID_API_INPUT", "idempotencyKey");
    assert_ne!(made(&developer, &to_come()), made(&developer, &to_come()), "without a key each is another");

    let run = developer.send("POST", RUNS, Some("one"), &json!({ "comments": "by hand" })).expect(201);
    let id = text(&run, "/paymentBatchRun/id");
    ended(&developer, &id);
    // A day later the same is meant, though today is another.
    kessai.client.advance("P1D");
    let again =
        developer.send("POST", RUNS, Some("one"), &json!({ "comments": "by hand", "timezone": "UTC" })).expect(201);
    assert!(again.replayed());
    for member in ["id", "runDate", "createdDate"] {
        let pointer = format!("/paymentBatchRun/{member}");
        assert_eq!(again.at(&pointer), run.at(&pointer), "{member}");
    }
    for other in [json!({}), json!({ "comments": "by hand", "runDate": "2020-01-01" })] {
        refused(&developer.send("POST", RUNS, Some("one"), &other), 422, "IDEMPOTENCY_KEY_REUSED", "");
    }
    assert_eq!(developer.get(RUNS).expect(200).at("/paymentBatchRuns/1"), Value::Null, "there is one");
}

#[test]
fn another_merchant_sees_nothing_and_whoever_only_reads_starts_nothing() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let (scheduler, run) = (made(&developer, &to_come()), started(&developer, &json!({})));
    let other = developer.post("/set-up/merchants", &json!({ "name": "Other" })).expect(201);
    let other = developer.with(text(&other, "/apiKey/key"));
    let key = |holder: &Holder<'_>, scopes: Value| {
        let key = holder.post("/set-up/api-keys", &json!({ "name": "Till", "scopes": scopes })).expect(201);
        text(&key, "/key")
    };
    let stranger = developer.with(key(&other, json!(["read", "authorize", "capture-reverse"])));
    let rows = [
        (format!("{SCHEDULERS}/{scheduler}"), json!({ "status": "Canceled" })),
        (format!("{RUNS}/{run}"), json!({ "status": "Stopped" })),
    ];
    for (path, body) in &rows {
        refused(&stranger.get(path), 404, "NOT_FOUND", "");
        refused(&stranger.patch(path, body), 404, "NOT_FOUND", "");
    }
    assert_eq!(stranger.get(SCHEDULERS).expect(200).at("/billingBatchSchedulers"), json!([]));
    assert_eq!(stranger.get(RUNS).expect(200).at("/paymentBatchRuns"), json!([]));
    assert_eq!(shown(&developer, &scheduler)["status"], "Active");

    let reader = developer.with(key(&developer, json!(["read"])));
    let seller = developer.with(key(&developer, json!(["authorize", "capture-reverse"])));
    for (path, body) in &rows {
        reader.get(path).expect(200);
        refused(&reader.patch(path, body), 403, "INSUFFICIENT_ACCESS", "authorize");
        refused(&seller.get(path), 403, "INSUFFICIENT_ACCESS", "read");
    }
    for (path, body) in [(SCHEDULERS, to_come()), (RUNS, json!({}))] {
        reader.get(path).expect(200);
        refused(&reader.post(path, &body), 403, "INSUFFICIENT_ACCESS", "authorize");
        seller.post(path, &body).expect(201);
    }
}

#[test]
fn a_scheduler_becomes_what_it_may_become() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let all = ["Draft", "Active", "Inactive", "Canceled"];
    let rows = [
        ("Draft", to_come(), [true, true, true, true]),
        ("Active", to_come(), [false, true, true, true]),
        ("Inactive", to_come(), [false, true, true, true]),
        ("Canceled", to_come(), [false, false, false, true]),
        ("Completed", printed(), [false; 4]),
    ];
    for (from, body, allowed) in rows {
        for (to, is_allowed) in all.into_iter().zip(allowed) {
            let body = if from == "Completed" { body.clone() } else { with(body.clone(), "status", from) };
            let id = made(&developer, &body);
            let before = shown(&developer, &id);
            assert_eq!(before["status"], from);
            let reply = developer.patch(&format!("{SCHEDULERS}/{id}"), &json!({ "status": to }));
            let after = shown(&developer, &id);
            if is_allowed {
                assert_eq!(reply.expect(200).json(), json!({ "status": to }), "{from} to {to}");
                assert_eq!((&after["status"], after.get("nextRunTime").is_some()), (&json!(to), to == "Active"));
            } else {
                refused(&reply, 422, "INVALID_STATUS", &format!("status: a scheduler that is {from}"));
                assert_eq!(after, before, "{from} to {to}");
            }
        }
    }
    let past = made(&developer, &with(printed(), "status", "Draft"));
    let turned = developer.patch(&format!("{SCHEDULERS}/{past}"), &json!({ "status": "Active" })).expect(200);
    assert_eq!(turned.json(), json!({ "status": "Completed" }), "it has no time to come");
    for body in [json!({}), json!({ "status": "Completed" }), json!({ "status": "Active", "schedulerName": "x" })] {
        let reply = developer.patch(&format!("{SCHEDULERS}/{past}"), &body);
        assert_eq!(reply.status, 400, "{body}: {}", reply.text);
    }
}

#[test]
fn lists_are_read_page_by_page_the_newest_first() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let schedulers: Vec<_> = (0..5)
        .map(|_| {
            kessai.client.advance("PT1S");
            made(&developer, &to_come())
        })
        .collect();
    let runs: Vec<_> = (0..3)
        .map(|_| {
            kessai.client.advance("PT1S");
            started(&developer, &json!({}))
        })
        .collect();
    for (path, member, made) in [(SCHEDULERS, "billingBatchSchedulers", schedulers), (RUNS, "paymentBatchRuns", runs)] {
        let (mut listed, mut token) = (Vec::new(), String::new());
        loop {
            let page = developer.get(&format!("{path}?pageSize=2{token}")).expect(200).json();
            let ids = page[member]
                .as_array()
                .expect("a list")
                .iter()
                .map(|thing| thing["id"].as_str().expect("an id").to_owned());
            listed.extend(ids);
            match page["nextPageToken"].as_str() {
                Some(next) => token = format!("&pageToken={next}"),
                None => break,
            }
        }
        assert_eq!(listed, made.into_iter().rev().collect::<Vec<_>>(), "{path}");
    }
}
