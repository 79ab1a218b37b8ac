//! A merchant sets up how failed payments are tried again: one set at a time is in use, what will not do is refused by its
//! name, and nobody else sees any of it.

use serde_json::{Value, json};

use crate::harness::Kessai;
use crate::set_up::{Holder, refused, text, with};

const SETS: &str = "/sobjects/PaymentRetryRuleSet";
const RULES: &str = "/sobjects/PaymentRetryRule";

/// Active, the default, and fixed.
fn patient() -> Value {
    json!({
        "Name": "Patient", "Status": "Active", "IsDefaultRuleSet": true, "CanUseAltrnPaymentMethod": true,
        "DefaultRetryIntervalType": "Fixed", "DefaultIntervalValue": "6", "DefaultIntervalUnit": "Hours",
        "DefaultMaximumRetryCount": 3, "Description": "for all",
    })
}

fn about_limits(set: &str) -> Value {
    json!({
        "PaymentRetryRuleSetId": set, "PaymentGatewayErrorCategory": "CardLimit", "RetryIntervalType": "Staggered",
        "IntervalValue": "1,3,5", "IntervalUnit": "Days",
    })
}

fn made(holder: &Holder<'_>, path: &str, body: &Value) -> String {
    text(&holder.post(path, body).expect(201), "/id")
}

fn shown(holder: &Holder<'_>, path: &str, id: &str) -> Value {
    holder.get(&format!("{path}/{id}")).expect(200).at("")
}

fn is_default(holder: &Holder<'_>, set: &str) -> bool {
    shown(holder, SETS, set)["IsDefaultRuleSet"] == true
}

#[test]
fn a_set_and_its_rules_are_made_shown_changed_and_deleted() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let gateway = kessai.client.gateway("KEYED").to_owned();
    let set = made(&developer, "/services/data/v67.0/sobjects/PaymentRetryRuleSet", &patient());
    assert!(set.starts_with("1bR") && set.len() == 18, "{set}");
    assert_eq!(shown(&developer, SETS, &set), with(patient(), "Id", set.as_str()));

    let rule = made(&developer, RULES, &about_limits(&set));
    assert!(rule.starts_with("1br") && rule.len() == 18, "{rule}");
    let number = shown(&developer, RULES, &rule)["PaymentRetryRuleNumber"].clone();
    assert!(number.as_str().is_some_and(|number| number.starts_with("PRR-")), "{number}");
    let expected = with(with(about_limits(&set), "Id", rule.as_str()), "PaymentRetryRuleNumber", number);
    assert_eq!(shown(&developer, RULES, &rule), expected);

    let record = format!("{RULES}/{rule}");
    let narrower = json!({ "paymentGatewayId": gateway, "PaymentGatewayErrorCode": "51", "Description": "no money" });
    developer.patch(&record, &narrower).expect(204);
    let changed = shown(&developer, RULES, &rule);
    assert_eq!((&changed["PaymentGatewayId"], &changed["PaymentGatewayErrorCode"]), (&json!(gateway), &json!("51")));
    let inherits =
        json!({ "RetryIntervalType": null, "IntervalValue": "", "IntervalUnit": null, "PaymentGatewayId": "" });
    developer.patch(&record, &inherits).expect(204);
    let changed = shown(&developer, RULES, &rule);
    for member in inherits.as_object().expect("members").keys() {
        assert_eq!(changed[member], Value::Null, "{member}");
    }
    developer.patch(&format!("{SETS}/{set}"), &json!({ "Name": "Calm", "DefaultMaximumRetryCount": "4" })).expect(204);
    assert_eq!(shown(&developer, SETS, &set)["DefaultMaximumRetryCount"], 4);

    let sets = developer.get(SETS).expect(200);
    assert_eq!(
        (sets.at("/totalSize"), sets.at("/done"), sets.at("/records/0/Name")),
        (json!(1), json!(true), json!("Calm"))
    );
    assert_eq!(developer.get(RULES).expect(200).at("/records/0/Id"), json!(rule));
    let all = developer.get("/set-up").expect(200);
    assert_eq!(all.at("/paymentRetryRuleSets/0/id"), json!(set));
    assert_eq!(all.at("/paymentRetryRules/0/paymentRetryRuleSetId"), json!(set));

    let full = developer.delete(&format!("{SETS}/{set}"));
    refused(&full, 422, "INVALID_STATUS", "PaymentRetryRuleSet: cannot be deleted while it has a PaymentRetryRule");
    developer.delete(&record).expect(204);
    developer.delete(&format!("{SETS}/{set}")).expect(204);
    for (path, id) in [(SETS, &set), (RULES, &rule)] {
        refused(&developer.get(&format!("{path}/{id}")), 404, "NOT_FOUND", "");
        refused(&developer.delete(&format!("{path}/{id}")), 404, "NOT_FOUND", "");
        assert_eq!(developer.get(path).expect(200).at("/records"), json!([]));
    }

    let trail: Vec<_> = developer.trail().into_iter().take(7).collect();
    let expected = [
        ("retry-rule-set.deleted", &set),
        ("retry-rule.deleted", &rule),
        ("retry-rule-set.changed", &set),
        ("retry-rule.changed", &rule),
        ("retry-rule.changed", &rule),
        ("retry-rule.created", &rule),
        ("retry-rule-set.created", &set),
    ];
    assert_eq!(trail, expected.map(|(action, id)| (action.to_owned(), id.clone())));
}

#[test]
fn there_is_one_default_at_a_time() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let first = made(&developer, SETS, &patient());
    let draft = made(&developer, SETS, &with(with(patient(), "Name", "Next"), "Status", "Draft"));
    assert!(is_default(&developer, &first) && is_default(&developer, &draft), "a draft takes nobody's place");
    developer.patch(&format!("{SETS}/{draft}"), &json!({ "Status": "Active" })).expect(204);
    assert!(is_default(&developer, &draft) && !is_default(&developer, &first));
    assert_eq!(shown(&developer, SETS, &first)["Status"], "Active");
    let said = developer.get("/set-up/audit-trail?limit=1").expect(200);
    assert_eq!(said.at("/changes/0/description"), json!(format!("Status, in the place of {first}")));

    developer.patch(&format!("{SETS}/{first}"), &json!({ "IsDefaultRuleSet": true })).expect(204);
    assert!(is_default(&developer, &first) && !is_default(&developer, &draft));
    let third = made(&developer, SETS, &with(patient(), "Name", "Third"));
    assert!(is_default(&developer, &third) && !is_default(&developer, &first));
    developer.patch(&format!("{SETS}/{third}"), &json!({ "IsDefaultRuleSet": false })).expect(204);
    assert!(![&first, &draft, &third].iter().any(|set| is_default(&developer, set)), "there may be none");
}

#[test]
fn what_is_made_under_an_idempotency_key_is_made_once() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let set = made(&developer, SETS, &patient());
    for (path, body) in [(SETS, patient()), (RULES, about_limits(&set))] {
        let first = developer.send("POST", path, Some("one"), &body).expect(201);
        developer.patch(&format!("{path}/{}", text(&first, "/id")), &json!({ "Description": "since" })).expect(204);
        assert_eq!(developer.send("POST", path, Some("one"), &body).expect(201).text, first.text, "{path}");
        let other = developer.send("POST", path, Some("one"), &with(body, "Description", "other"));
        refused(&other, 422, "IDEMPOTENCY_KEY_REUSED", "");
    }
}

/// Makes what `body` says, but for one member each time, and hears why not; the trail knows nothing of it.
fn check_refused(holder: &Holder<'_>, path: &str, body: &Value, rows: &[(&str, Value, &str, &str)]) {
    let before = holder.trail();
    for (member, value, code, says) in rows {
        refused(&holder.post(path, &with(body.clone(), member, value.clone())), 400, code, says);
    }
    assert_eq!(holder.trail(), before);
}

const INVALID: &str = "INVALID_API_INPUT";
const MISSING: &str = "REQUIRED_FIELD_MISSING";

#[test]
fn what_will_not_do_in_a_set_is_refused_by_name() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let rows = [
        ("Name", json!(""), MISSING, "Name"),
        ("Name", json!("x".repeat(256)), INVALID, "Name: must not be longer than 255"),
        ("Status", json!("Inactive"), INVALID, "Status: must be one of Draft, Active"),
        ("IsDefaultRuleSet", json!("yes"), INVALID, "IsDefaultRuleSet: must be true or false"),
        ("DefaultRetryIntervalType", json!(null), MISSING, "DefaultRetryIntervalType"),
        (
            "DefaultRetryIntervalType",
            json!("Random"),
            INVALID,
            "DefaultRetryIntervalType: must be one of Fixed, Staggered",
        ),
        ("DefaultIntervalValue", json!(null), MISSING, "DefaultIntervalValue"),
        ("DefaultIntervalValue", json!("61"), INVALID, "DefaultIntervalValue: must be a whole number from 1 to 60"),
        ("DefaultIntervalValue", json!("1".repeat(41)), INVALID, "DefaultIntervalValue: must not be longer than 40"),
        ("DefaultIntervalUnit", json!("Weeks"), INVALID, "DefaultIntervalUnit: must be one of Minutes, Hours, Days"),
        (
            "DefaultMaximumRetryCount",
            json!(11),
            INVALID,
            "DefaultMaximumRetryCount: must be a whole number from 1 to 10",
        ),
        ("DefaultMaximumRetryCount", json!(1.5), INVALID, "DefaultMaximumRetryCount: must be a whole number"),
        ("Description", json!("x".repeat(256)), INVALID, "Description: must not be longer than 255"),
        ("Nonsense", json!(1), INVALID, "Nonsense: is not a member"),
    ];
    check_refused(&developer, SETS, &patient(), &rows);
    let rows = [
        ("DefaultIntervalValue", json!("1, 3, 5"), INVALID, "DefaultIntervalValue: must be whole numbers from 1 to 60"),
        ("DefaultIntervalValue", json!("1,3"), INVALID, "DefaultMaximumRetryCount: must be the number of values"),
    ];
    check_refused(&developer, SETS, &with(patient(), "DefaultRetryIntervalType", "Staggered"), &rows);
    for _ in 0..20 {
        developer.post(SETS, &patient()).expect(201);
    }
    refused(&developer.post(SETS, &patient()), 422, "LIMIT_EXCEEDED", "PaymentRetryRuleSet: a merchant has at most 20");
}

#[test]
fn what_will_not_do_in_a_rule_is_refused_by_name() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let set = made(&developer, SETS, &patient());
    made(&developer, RULES, &about_limits(&set));
    let rows = [
        ("PaymentRetryRuleSetId", json!(null), MISSING, "PaymentRetryRuleSetId"),
        // The prefixes differ in their case only.
        ("PaymentRetryRuleSetId", json!("1br000000000009"), INVALID, "PaymentRetryRuleSetId: must be the id"),
        ("PaymentRetryRuleSetId", json!("1bR000000000009"), INVALID, "PaymentRetryRuleSetId: names nothing"),
        ("PaymentGatewayErrorCategory", json!(null), MISSING, "PaymentGatewayErrorCategory"),
        ("PaymentGatewayErrorCategory", json!("Weather"), INVALID, "PaymentGatewayErrorCategory: must be one of"),
        ("PaymentGatewayId", json!("0b0000000000009"), INVALID, "PaymentGatewayId: names nothing"),
        (
            "PaymentGatewayErrorCode",
            json!("x".repeat(256)),
            INVALID,
            "PaymentGatewayErrorCode: must not be longer than 255",
        ),
        ("IntervalValue", json!("3,1"), INVALID, "IntervalValue: must rise"),
        ("IntervalUnit", json!("Years"), INVALID, "IntervalUnit: must be one of"),
        ("PaymentGatewayErrorCategory", json!("CardLimit"), "DUPLICATE_VALUE", "PaymentGatewayErrorCode: is taken"),
    ];
    let other = with(about_limits(&set), "PaymentGatewayErrorCategory", "Security");
    check_refused(&developer, RULES, &other, &rows);
    for code in 1..100 {
        made(&developer, RULES, &with(other.clone(), "PaymentGatewayErrorCode", code.to_string()));
    }
    refused(&developer.post(RULES, &other), 422, "LIMIT_EXCEEDED", "PaymentRetryRule: a merchant has at most 100");
}

#[test]
fn a_change_that_would_not_fit_is_refused_and_names_the_rule_that_inherits() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let set = made(&developer, SETS, &patient());
    let fixed = with(json!({ "PaymentRetryRuleSetId": set }), "PaymentGatewayErrorCategory", "Unknown");
    let rule = made(&developer, RULES, &with(fixed, "RetryIntervalType", "Fixed"));
    let unfit = with(json!({ "DefaultRetryIntervalType": "Staggered" }), "DefaultIntervalValue", "1,3");
    let unfit = with(unfit, "DefaultMaximumRetryCount", Value::Null);
    refused(&developer.patch(&format!("{SETS}/{set}"), &unfit), 400, INVALID, &format!("in the rule {rule}"));
    let moved = developer.patch(&format!("{RULES}/{rule}"), &json!({ "PaymentRetryRuleSetId": set }));
    refused(&moved, 400, INVALID, "PaymentRetryRuleSetId: cannot be changed");
}

#[test]
fn another_merchant_sees_and_uses_nothing_of_it() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let set = made(&developer, SETS, &patient());
    let rule = made(&developer, RULES, &about_limits(&set));
    let other = developer.post("/set-up/merchants", &json!({ "name": "Other" })).expect(201);
    let other = developer.with(text(&other, "/apiKey/key"));
    for (path, id) in [(SETS, &set), (RULES, &rule)] {
        assert_eq!(other.get(path).expect(200).at("/records"), json!([]));
        let record = format!("{path}/{id}");
        refused(&other.get(&record), 404, "NOT_FOUND", "");
        refused(&other.patch(&record, &json!({ "Description": "mine" })), 404, "NOT_FOUND", "");
        refused(&other.delete(&record), 404, "NOT_FOUND", "");
    }
    refused(&other.post(RULES, &about_limits(&set)), 400, "INVALID_API_INPUT", "PaymentRetryRuleSetId: names nothing");
    made(&other, SETS, &patient());
    assert!(is_default(&developer, &set), "each has its own default");
    let reader = developer.post("/set-up/api-keys", &json!({ "name": "Till", "scopes": ["read"] })).expect(201);
    let reader = developer.with(text(&reader, "/key"));
    refused(&reader.get(SETS), 403, "INSUFFICIENT_ACCESS", "set-up");
}
