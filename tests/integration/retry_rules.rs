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

#[test]
fn what_will_not_do_is_refused_by_name() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let set = made(&developer, SETS, &patient());
    made(&developer, RULES, &about_limits(&set));
    let (invalid, missing) = ("INVALID_API_INPUT", "REQUIRED_FIELD_MISSING");
    let other = with(about_limits(&set), "PaymentGatewayErrorCategory", "Security");
    let staggered = with(patient(), "DefaultRetryIntervalType", "Staggered");
    let rows = [
        (SETS, with(patient(), "Name", ""), missing, "Name"),
        (SETS, with(patient(), "Name", "x".repeat(256)), invalid, "Name: must not be longer than 255"),
        (SETS, with(patient(), "Status", "Inactive"), invalid, "Status: must be one of Draft, Active"),
        (SETS, with(patient(), "IsDefaultRuleSet", "yes"), invalid, "IsDefaultRuleSet: must be true or false"),
        (SETS, with(patient(), "DefaultRetryIntervalType", Value::Null), missing, "DefaultRetryIntervalType"),
        (SETS, with(patient(), "DefaultRetryIntervalType", "Random"), invalid, "Fixed, Staggered"),
        (SETS, with(patient(), "DefaultIntervalValue", Value::Null), missing, "DefaultIntervalValue"),
        (
            SETS,
            with(patient(), "DefaultIntervalValue", "61"),
            invalid,
            "DefaultIntervalValue: must be a whole number from 1 to 60",
        ),
        (SETS, with(patient(), "DefaultIntervalValue", "1".repeat(41)), invalid, "40 characters"),
        (SETS, with(staggered.clone(), "DefaultIntervalValue", "1, 3, 5"), invalid, "no spaces"),
        (
            SETS,
            with(staggered, "DefaultIntervalValue", "1,3"),
            invalid,
            "DefaultMaximumRetryCount: must be the number of values",
        ),
        (SETS, with(patient(), "DefaultIntervalUnit", "Weeks"), invalid, "Minutes, Hours, Days"),
        (
            SETS,
            with(patient(), "DefaultMaximumRetryCount", 11),
            invalid,
            "DefaultMaximumRetryCount: must be a whole number from 1 to 10",
        ),
        (
            SETS,
            with(patient(), "DefaultMaximumRetryCount", 1.5),
            invalid,
            "DefaultMaximumRetryCount: must be a whole number",
        ),
        (SETS, with(patient(), "Description", "x".repeat(256)), invalid, "Description: must not be longer than 255"),
        (SETS, with(patient(), "Nonsense", 1), invalid, "Nonsense: is not a member"),
        (RULES, with(other.clone(), "PaymentRetryRuleSetId", Value::Null), missing, "PaymentRetryRuleSetId"),
        // The prefixes differ in their case only.
        (
            RULES,
            with(other.clone(), "PaymentRetryRuleSetId", "1br000000000009"),
            invalid,
            "PaymentRetryRuleSetId: must be the id",
        ),
        (
            RULES,
            with(other.clone(), "PaymentRetryRuleSetId", "1bR000000000009"),
            invalid,
            "PaymentRetryRuleSetId: names nothing",
        ),
        (
            RULES,
            with(other.clone(), "PaymentGatewayErrorCategory", Value::Null),
            missing,
            "PaymentGatewayErrorCategory",
        ),
        (RULES, with(other.clone(), "PaymentGatewayErrorCategory", "Weather"), invalid, "PaymentGatewayErrorCategory"),
        (RULES, with(other.clone(), "PaymentGatewayId", "0b0000000000009"), invalid, "PaymentGatewayId: names nothing"),
        (RULES, with(other.clone(), "PaymentGatewayErrorCode", "x".repeat(256)), invalid, "255"),
        (RULES, with(other.clone(), "IntervalValue", "3,1"), invalid, "IntervalValue: must rise"),
        (RULES, with(other, "IntervalUnit", "Years"), invalid, "IntervalUnit"),
        (RULES, about_limits(&set), "DUPLICATE_VALUE", "PaymentGatewayErrorCode: is taken"),
    ];
    let before = developer.trail().len();
    for (path, body, code, says) in rows {
        refused(&developer.post(path, &body), 400, code, says);
    }
    let rule = made(
        &developer,
        RULES,
        &json!({ "PaymentRetryRuleSetId": set, "PaymentGatewayErrorCategory": "Unknown", "RetryIntervalType": "Fixed" }),
    );
    let unfit = json!({ "DefaultRetryIntervalType": "Staggered", "DefaultIntervalValue": "1,3", "DefaultMaximumRetryCount": null });
    refused(&developer.patch(&format!("{SETS}/{set}"), &unfit), 400, invalid, &format!("in the rule {rule}"));
    let moved = developer.patch(&format!("{RULES}/{rule}"), &json!({ "PaymentRetryRuleSetId": set }));
    refused(&moved, 400, invalid, "PaymentRetryRuleSetId: cannot be changed");
    assert_eq!(developer.trail().len(), before + 1, "what was refused left nothing");

    for _ in 1..20 {
        developer.post(SETS, &patient()).expect(201);
    }
    refused(&developer.post(SETS, &patient()), 422, "LIMIT_EXCEEDED", "PaymentRetryRuleSet: a merchant has at most 20");
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
