//! What will not do is refused by its name, and nobody sees or changes what is not theirs.

use serde_json::{Value, json};

use super::{ACCOUNT, Desk, ITEMS, SCHEDULES, method};
use crate::harness::Kessai;
use crate::set_up::{refused, text, with};

const INVALID: &str = "INVALID_API_INPUT";
const MISSING: &str = "REQUIRED_FIELD_MISSING";

#[test]
fn what_will_not_do_is_refused_by_name() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    let (invalid, missing) = (INVALID, MISSING);
    let of = |member: &str, value: Value| with(desk.instalments(), member, value);
    let item = |member: &str, value: Value| {
        let mut body = desk.instalments();
        body["items"][1][member] = value;
        body
    };
    let many = vec![desk.instalments()["items"][2].clone(); 101];
    let rows = [
        (of("defaultPaymentMethodId", Value::Null), missing, "defaultPaymentMethodId: is required"),
        (of("defaultPaymentMethodId", json!("x")), invalid, "defaultPaymentMethodId: must be the id of a payment"),
        (
            of("defaultPaymentMethodId", json!("03O00000000XYZ1")),
            invalid,
            "defaultPaymentMethodId: is no payment method",
        ),
        (of("defaultPaymentAccountId", Value::Null), missing, "defaultPaymentAccountId: is required"),
        (of("defaultPaymentAccountId", json!("a b")), invalid, "defaultPaymentAccountId: must be 1 to 64"),
        (of("paymentGatewayId", Value::Null), missing, "paymentGatewayId: is required"),
        (of("paymentGatewayId", json!("0b0000000000009")), invalid, "paymentGatewayId: is no payment gateway"),
        (of("currencyIsoCode", json!("YEN")), invalid, "currencyIsoCode: must be a currency code"),
        (of("totalRequestedAmount", json!(0)), invalid, "totalRequestedAmount"),
        (of("totalRequestedAmount", json!("1.5")), invalid, "totalRequestedAmount"),
        (of("status", json!("Completed")), invalid, "status: must be one of Draft, Open"),
        (of("comments", json!("x".repeat(1001))), invalid, "comments: must not be longer than 1000"),
        (of("referenceEntityId", json!(7)), invalid, "referenceEntityId: must be a string"),
        (of("nextRunTime", json!("now")), invalid, "nextRunTime: is not a member"),
        (of("items", json!({})), invalid, "items: must be a list of objects"),
        (of("items", json!([1])), invalid, "items[0]: must be an object"),
        (of("items", json!(many)), invalid, "items: must not have more than 100"),
        (of("recurrence", json!({})), invalid, "recurrence: must not be given together with items"),
        (item("requestedAmount", Value::Null), missing, "items[1].requestedAmount: is required"),
        (item("requestedAmount", json!(-1)), invalid, "items[1].requestedAmount"),
        (item("requestedAmount", json!(0.5)), invalid, "items[1].requestedAmount"),
        (
            item("targetPaymentProcessingDate", Value::Null),
            missing,
            "items[1].targetPaymentProcessingDate: is required",
        ),
        (
            item("targetPaymentProcessingDate", json!("2030-02-30")),
            invalid,
            "items[1].targetPaymentProcessingDate: must be a date",
        ),
        (item("paymentMethodId", json!("03O00000000XYZ1")), invalid, "items[1].paymentMethodId: is no payment method"),
        (
            item("paymentRunMatchingValue", json!("x".repeat(41))),
            invalid,
            "items[1].paymentRunMatchingValue: must not be longer than 40",
        ),
        (item("status", json!("Processed")), invalid, "items[1].status: must be one of Draft, Ready for Processing"),
        (item("id", json!("1")), invalid, "items[1].id: is not a member"),
        (with(desk.common(), "status", "Open"), invalid, "items: at least one is needed, or a recurrence"),
    ];
    for (body, code, says) in rows {
        refused(&desk.merchant.post(SCHEDULES, &body), 400, code, says);
    }
    refused(&desk.merchant.post(SCHEDULES, &of("totalRequestedAmount", json!(1))), 422, "AMOUNT_EXCEEDS_BALANCE", "");
    let listed = desk.merchant.get(&format!("{SCHEDULES}?accountId={ACCOUNT}")).expect(200);
    assert_eq!(listed.at("/paymentSchedules"), json!([]), "what was refused left nothing");
}

#[test]
fn what_cannot_recur_is_refused_by_name() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    let (invalid, missing) = (INVALID, MISSING);
    let recurring = |member: &str, value: Value| {
        let mut body = desk.subscription();
        body["recurrence"][member] = value;
        body
    };
    let rows = [
        (recurring("amount", Value::Null), missing, "recurrence.amount: is required"),
        (recurring("startDate", Value::Null), missing, "recurrence.startDate: is required"),
        (recurring("startDate", json!("2030-1-1")), invalid, "recurrence.startDate: must be a date"),
        (recurring("frequency", Value::Null), missing, "recurrence.frequency: is required"),
        (recurring("frequency", json!("Hour")), invalid, "recurrence.frequency: must be one of Day, Week, Month, Year"),
        (recurring("every", json!(0)), invalid, "recurrence.every: must be a whole number from 1 to 999"),
        (recurring("every", json!(1000)), invalid, "recurrence.every"),
        (recurring("onDay", json!(32)), invalid, "recurrence.onDay: must be a day of the month"),
        (recurring("onDay", json!("Monday")), invalid, "recurrence.onDay: must be a day of the month"),
        (recurring("trialDays", json!(1000)), invalid, "recurrence.trialDays: must be a whole number"),
        (recurring("occurrences", json!(0)), invalid, "recurrence.occurrences: must be a whole number"),
        (recurring("endDate", json!("2030-01-27")), invalid, "recurrence.endDate: must not be before the start"),
        (recurring("until", json!("2030-01-27")), invalid, "recurrence.until: is not a member"),
        (
            with(desk.subscription(), "totalRequestedAmount", 1),
            invalid,
            "totalRequestedAmount: must not be given together",
        ),
    ];
    for (body, code, says) in rows {
        refused(&desk.merchant.post(SCHEDULES, &body), 400, code, says);
    }
}

#[test]
fn a_list_that_cannot_be_meant_is_refused_by_name() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    let (invalid, missing) = (INVALID, MISSING);
    for (query, code, says) in [
        ("", missing, "accountId: is required"),
        ("?accountId=a%20b", invalid, "accountId"),
        ("?accountId=a&pageSize=0", invalid, "pageSize: must be a whole number from 1 to 100"),
        ("?accountId=a&pageToken=x", invalid, "pageToken: must be the nextPageToken of a page"),
    ] {
        refused(&desk.merchant.get(&format!("{SCHEDULES}{query}")), 400, code, says);
    }
}

#[test]
fn a_method_that_cannot_be_charged_is_refused() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    let keep = |gateway: &str| {
        let token = json!({ "GatewayToken": method("0"), "AccountId": "Carol", "PaymentGatewayId": gateway });
        text(&desk.merchant.post("/sobjects/SavedPaymentMethod", &token).expect(201), "/id")
    };
    let (own, elsewhere) = (keep(&desk.gateway), keep(kessai.client.gateway("NONE")));
    // Gateway and account follow from the method, where nothing else is said.
    let mut body = with(desk.instalments(), "defaultPaymentMethodId", own.as_str());
    for member in ["paymentGatewayId", "defaultPaymentAccountId"] {
        body.as_object_mut().expect("members").remove(member);
    }
    let made = desk.merchant.send("POST", SCHEDULES, Some("own"), &body).expect(201);
    let (id, schedule) = (text(&made, "/paymentSchedule/id"), made.at("/paymentSchedule"));
    assert_eq!(schedule["defaultPaymentAccountId"], "Carol");
    assert!(text(&made, "/paymentSchedule/paymentGatewayId").starts_with(&desk.gateway[..15]));

    let other = "belongs to another payment gateway";
    refused(&desk.change(&id, &json!({ "defaultPaymentMethodId": elsewhere })), 422, "INVALID_STATUS", other);
    let both = with(desk.instalments(), "defaultPaymentMethodId", elsewhere.as_str());
    refused(&desk.merchant.post(SCHEDULES, &both), 422, "INVALID_STATUS", other);
    let mut item = desk.instalments();
    item["items"][2]["paymentMethodId"] = json!(elsewhere);
    refused(
        &desk.merchant.post(SCHEDULES, &item),
        422,
        "INVALID_STATUS",
        &format!("items[2].paymentMethodId: {other}"),
    );

    let gone = json!({ "status": "Canceled" });
    desk.merchant.patch(&format!("/commerce/payments/payment-methods/{own}"), &gone).expect(200);
    let says = "defaultPaymentMethodId: has status Canceled";
    refused(&desk.merchant.post(SCHEDULES, &body), 422, "INVALID_STATUS", says);
    refused(&desk.change(&id, &json!({ "defaultPaymentMethodId": own })), 422, "INVALID_STATUS", says);
    let more = json!({ "requestedAmount": 1, "targetPaymentProcessingDate": "2030-04-30", "paymentMethodId": own });
    let added = desk.merchant.post(&format!("{SCHEDULES}/{id}/payment-schedule-items"), &more);
    refused(&added, 422, "INVALID_STATUS", "paymentMethodId: has status Canceled");
    // What was made before is told whatever became of its method.
    assert_eq!(desk.merchant.send("POST", SCHEDULES, Some("own"), &body).expect(201).text, made.text);
}

#[test]
fn another_merchant_sees_nothing_of_it_and_who_may_only_read_changes_nothing() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    let (id, _) = desk.made(&desk.instalments());
    let item = desk.item(&id, 0);
    let other = desk.merchant.post("/set-up/merchants", &json!({ "name": "Other" })).expect(201);
    let other = desk.merchant.with(text(&other, "/apiKey/key"));
    let everything = json!({ "name": "All", "scopes": ["authorize", "capture-reverse", "read", "tokenize"] });
    let other = other.with(text(&other.post("/set-up/api-keys", &everything).expect(201), "/key"));
    let (schedule, item) = (format!("{SCHEDULES}/{id}"), format!("{ITEMS}/{item}"));
    let items = format!("{schedule}/payment-schedule-items");
    let more = json!({ "requestedAmount": 1, "targetPaymentProcessingDate": "2030-04-30" });
    let canceled = json!({ "status": "Canceled" });
    for answer in [
        other.get(&schedule),
        other.get(&item),
        other.patch(&schedule, &canceled),
        other.patch(&item, &canceled),
        other.post(&items, &more),
    ] {
        refused(&answer, 404, "NOT_FOUND", "");
    }
    let listed = other.get(&format!("{SCHEDULES}?accountId={ACCOUNT}")).expect(200);
    assert_eq!(listed.at("/paymentSchedules"), json!([]));
    let foreign = other.post(SCHEDULES, &desk.instalments());
    refused(&foreign, 400, "INVALID_API_INPUT", "paymentGatewayId: is no payment gateway of this merchant");

    let holder = |scopes: Value| {
        let key = desk.merchant.post("/set-up/api-keys", &json!({ "name": "Till", "scopes": scopes })).expect(201);
        desk.merchant.with(text(&key, "/key"))
    };
    let writer = holder(json!(["authorize", "capture-reverse"]));
    writer.post(SCHEDULES, &desk.instalments()).expect(201);
    refused(&writer.get(&schedule), 403, "INSUFFICIENT_ACCESS", "read");
    for scopes in [json!(["read"]), json!(["read", "authorize"]), json!(["read", "capture-reverse"])] {
        let reader = holder(scopes);
        reader.get(&schedule).expect(200);
        reader.get(&item).expect(200);
        for answer in [
            reader.post(SCHEDULES, &desk.instalments()),
            reader.patch(&schedule, &canceled),
            reader.patch(&item, &canceled),
            reader.post(&items, &more),
        ] {
            refused(&answer, 403, "INSUFFICIENT_ACCESS", "lacks the scope");
        }
    }
    assert_eq!(desk.shown(&id)["status"], "Draft");
}
