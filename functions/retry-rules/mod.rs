//! How failed payments are tried again: the wire's records `PaymentRetryRuleSet` and `PaymentRetryRule`.
//!
//! They are a part of what a merchant sets up: requests come to the same [`Desk`], changes stand in the same trail, and
//! `GET /set-up` shows them too. The function is another because the policy by which one may be called has room
//! for forty routes; and this one opens no secret.
//!
//! A page of records has all of them: there are no more than their limits.

mod rule;
mod rule_set;

pub(crate) use self::rule::{ShownRule, shown_rules};
pub(crate) use self::rule_set::{ShownRuleSet, shown_rule_sets};

use kessai_shared::merchant::Scope;
use kessai_shared::merchant::set_up::TimingEdit;
use kessai_shared::recurring::retry::{IntervalType, IntervalUnit, TimingMembers};
use kessai_shared::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::door::{App, Function, Needs, Subject};
use crate::event::{HttpAnswer, HttpEvent};
use crate::problem::Problem;
use crate::set_up::{Desk, json};
use crate::wire::members::Members;

pub const FUNCTION: Function = Function {
    name: "retry-rules",
    scopes: &[Scope::SetUp],
    needs: Needs::TO_SET_RULES,
    answer: |app, function, event, deadline, subject| Box::pin(answer(app, function, event, deadline, subject)),
};

/// Characters of a name, a description and a gateway's code, as the wire has them.
const TEXT: usize = 255;

/// Characters of an interval's value, as the wire has them.
const VALUE: usize = 40;

/// Answers one request.
pub async fn answer(
    app: &App,
    function: &Function,
    event: &HttpEvent,
    deadline: Timestamp,
    subject: &mut Subject,
) -> Result<HttpAnswer, Problem> {
    let desk = Desk::of(app, function, event, deadline, subject).await?;
    match desk.route() {
        ("GET", "/sobjects/PaymentRetryRuleSet") => Ok(page(&shown_rule_sets(&desk.merchant))),
        ("POST", "/sobjects/PaymentRetryRuleSet") => rule_set::create(&desk).await,
        ("GET", "/sobjects/PaymentRetryRuleSet/{ruleSetId}") => rule_set::show(&desk),
        ("PATCH", "/sobjects/PaymentRetryRuleSet/{ruleSetId}") => rule_set::edit(&desk).await,
        ("DELETE", "/sobjects/PaymentRetryRuleSet/{ruleSetId}") => rule_set::delete(&desk).await,
        ("GET", "/sobjects/PaymentRetryRule") => Ok(page(&shown_rules(&desk.merchant))),
        ("POST", "/sobjects/PaymentRetryRule") => rule::create(&desk).await,
        ("GET", "/sobjects/PaymentRetryRule/{ruleId}") => rule::show(&desk),
        ("PATCH", "/sobjects/PaymentRetryRule/{ruleId}") => rule::edit(&desk).await,
        ("DELETE", "/sobjects/PaymentRetryRule/{ruleId}") => rule::delete(&desk).await,
        _ => Err(Problem::not_found()),
    }
}

/// When it is tried again, as far as that is said. A member that is there and empty takes its value away.
fn timing(members: &mut Members<'_>, names: &TimingMembers) -> Result<TimingEdit, Problem> {
    let (kind, unit) = (names.interval_type, names.interval_unit);
    let (value, count) = (names.interval_value, names.maximum_retry_count);
    Ok(TimingEdit {
        interval_type: members
            .edited(kind, |members| choice(members, kind, IntervalType::ALL, IntervalType::literal))?,
        interval_value: members.edited(value, |members| members.text(value, VALUE))?,
        interval_unit: members
            .edited(unit, |members| choice(members, unit, IntervalUnit::ALL, IntervalUnit::literal))?,
        maximum_retry_count: members.edited(count, |members| whole_number(members, count))?,
    })
}

fn choice<T: Copy>(
    members: &mut Members<'_>,
    member: &str,
    all: &[T],
    literal: fn(T) -> &'static str,
) -> Result<Option<T>, Problem> {
    let literals: Vec<(&str, T)> = all.iter().map(|each| (literal(*each), *each)).collect();
    members.literal(member, &literals)
}

/// How large it may be depends on the type of the interval.
fn whole_number(members: &mut Members<'_>, member: &str) -> Result<Option<i64>, Problem> {
    let Some(digits) = members.digits(member)? else { return Ok(None) };
    let number = digits.parse().map_err(|_| Problem::invalid(&members.name(member), "must be a whole number"))?;
    Ok(Some(number))
}

/// Records as the wire lists them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    total_size: usize,
    done: bool,
    records: Vec<Value>,
}

fn page(shown: &[impl Serialize]) -> HttpAnswer {
    let records: Vec<Value> = shown.iter().map(record).collect();
    json(200, &Page { total_size: records.len(), done: true, records })
}

/// What is shown, in the words of the wire's records: their members begin with a capital.
fn record(shown: &impl Serialize) -> Value {
    match serde_json::to_value(shown) {
        Ok(Value::Object(members)) => {
            let capital = |name: &str| {
                let mut letters = name.chars();
                letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
            };
            members.into_iter().map(|(name, value)| (capital(&name), value)).collect::<Map<_, _>>().into()
        }
        Ok(other) => other,
        Err(_) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_of_records_begin_with_a_capital() {
        let shown = json!({ "id": "1", "isDefaultRuleSet": false, "": 1 });
        assert_eq!(record(&shown), json!({ "Id": "1", "IsDefaultRuleSet": false, "": 1 }));
        let page: Value = serde_json::from_str(&page(&[shown]).body).expect("JSON");
        assert_eq!(
            (&page["totalSize"], &page["done"], &page["records"][0]["Id"]),
            (&json!(1), &json!(true), &json!("1"))
        );
    }

    #[test]
    fn a_number_of_retries_is_whole() {
        let read = |text: &str| whole_number(&mut Members::parse(text).expect("an object"), "a").ok();
        for (body, expected) in [(r#"{"a":3}"#, Some(3)), (r#"{"a":"17"}"#, Some(17)), (r#"{"a":-1}"#, Some(-1))] {
            assert_eq!(read(body), Some(expected), "{body}");
        }
        assert_eq!((read("{}"), read(r#"{"a":null}"#)), (Some(None), Some(None)));
        for body in [r#"{"a":1.5}"#, r#"{"a":"many"}"#, r#"{"a":[]}"#, r#"{"a":99999999999999999999}"#] {
            assert_eq!(read(body), None, "{body}");
        }
    }
}
