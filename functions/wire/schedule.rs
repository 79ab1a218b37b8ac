//! A payment schedule and its items as an answer: in the members of the wire's records `PaymentSchedule` and
//! `PaymentScheduleItem`, whose names begin with a small letter here, and what these have no member for.

use kessai_shared::money::Money;
use kessai_shared::recurring::calendar::{Date, Unit, weekday_name};
use kessai_shared::recurring::ids::ItemNumber;
use kessai_shared::recurring::retry::{self, Category, Decision, RetryRuleSet};
use kessai_shared::recurring::schedule::{Failure, Item, Recurrence, Schedule, State, Status};
use kessai_shared::time::Timestamp;
use serde::Serialize;

use super::envelope::Amount;
use super::view::{decline_code, raw};

/// Days of what recurs that are shown ahead.
const AHEAD: usize = 3;

/// Characters of a gateway's code, as the wire has them.
const CODE: usize = 40;

/// When the next run charges an item that is ready; none where no scheduler takes it.
pub type NextRun<'a> = &'a dyn Fn(&Item) -> Option<Timestamp>;

/// What is shown of a schedule that is not its own. Whoever is told of it later is told none of that: it may have changed
/// by then.
#[derive(Clone, Copy, Default)]
pub struct Beside<'a> {
    /// None where it is not known.
    pub next_run: Option<NextRun<'a>>,
    /// How its merchant has failures tried again.
    pub rules: Option<&'a RetryRuleSet>,
}

/// A schedule as it stands now.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    payment_schedule: Fields,
    /// The item that an event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_schedule_item: Option<ItemFields>,
}

/// An item as it stands now.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemReading {
    payment_schedule_item: ItemFields,
}

/// A page of an account's schedules, without their items.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    pub payment_schedules: Vec<Fields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fields {
    available_requested_amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<String>,
    created_date: String,
    currency_iso_code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_payment_account_id: Option<String>,
    default_payment_method_id: String,
    id: String,
    is_past_due: bool,
    /// How many there ever were.
    item_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<ItemFields>>,
    /// Of the item that comes next; none within where nobody waits for a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_run_time: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_hold_since: Option<String>,
    payment_gateway_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurrence: Option<RecurrenceFields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_entity_id: Option<String>,
    remaining_amount_to_be_processed: Amount,
    status: &'static str,
    total_applied_amount: Amount,
    total_canceled_amount: Amount,
    total_payment_schedule_item_amount: Amount,
    total_processed_amount: Amount,
    total_requested_amount: Amount,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecurrenceFields {
    amount: Amount,
    /// In plain words.
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<String>,
    every: u16,
    frequency: &'static str,
    next_dates: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    occurrences: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_day: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_run_matching_value: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skipped_dates: Vec<String>,
    start_date: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemFields {
    applied_amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<String>,
    currency_iso_code: &'static str,
    id: String,
    is_past_due: bool,
    is_retriable_as_same_request: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_retry_count: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_payment_retry_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_run_time: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_batch_run_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_gateway_error_category: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_gateway_error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_gateway_resp_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<String>,
    payment_method_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_processing_message: Option<String>,
    payment_retry_count: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_run_matching_value: Option<String>,
    payment_schedule_id: String,
    payment_source: &'static str,
    processed_amount: Amount,
    requested_amount: Amount,
    status: &'static str,
    target_payment_processing_date: String,
}

impl Reading {
    pub fn of(schedule: &Schedule, beside: Beside<'_>) -> Self {
        Self { payment_schedule: Fields::with_items(schedule, beside), payment_schedule_item: None }
    }

    /// As an event tells it, with the item that it is about.
    pub fn told(schedule: &Schedule, item: Option<ItemNumber>) -> Self {
        let item = item.and_then(|number| schedule.item(number));
        Self {
            payment_schedule: Fields::with_items(schedule, Beside::default()),
            payment_schedule_item: item.map(|item| ItemFields::of(schedule, item, Beside::default())),
        }
    }
}

impl ItemReading {
    pub fn of(schedule: &Schedule, item: &Item, beside: Beside<'_>) -> Self {
        Self { payment_schedule_item: ItemFields::of(schedule, item, beside) }
    }
}

impl Fields {
    fn with_items(schedule: &Schedule, beside: Beside<'_>) -> Self {
        let items = schedule.items.iter().map(|item| ItemFields::of(schedule, item, beside));
        Self { items: Some(items.collect()), ..Self::of(schedule, beside) }
    }

    pub fn of(schedule: &Schedule, beside: Beside<'_>) -> Self {
        let amounts = schedule.amounts();
        let amount = |minor| raw(Money::new(minor, schedule.currency));
        Self {
            available_requested_amount: amount(amounts.available()),
            comments: schedule.comments.clone(),
            created_date: schedule.created_at.to_string(),
            currency_iso_code: schedule.currency.code(),
            default_payment_account_id: schedule.account.as_ref().map(|account| account.as_str().to_owned()),
            default_payment_method_id: schedule.method.to_string(),
            id: schedule.id.id().to_string(),
            is_past_due: schedule.past_due().next().is_some(),
            item_count: schedule.item_count(),
            items: None,
            next_run_time: beside.next_run.map(|next_run| {
                let next = next_ready(schedule).filter(|_| schedule.status == Status::Open);
                next.and_then(next_run).map(|at| at.to_string())
            }),
            on_hold_since: match schedule.status {
                Status::OnHold { since } => Some(since.to_string()),
                Status::Draft | Status::Open | Status::Completed | Status::Canceled => None,
            },
            payment_gateway_id: schedule.gateway.to_string(),
            recurrence: schedule.recurrence.as_ref().map(|recurrence| RecurrenceFields::of(schedule, recurrence)),
            reference_entity_id: schedule.reference.clone(),
            remaining_amount_to_be_processed: amount(amounts.remaining()),
            status: schedule.status.literal(),
            total_applied_amount: amount(0),
            total_canceled_amount: amount(amounts.canceled),
            total_payment_schedule_item_amount: amount(amounts.items()),
            total_processed_amount: amount(amounts.processed),
            total_requested_amount: amount(amounts.total_requested),
        }
    }
}

/// The item that is charged next.
pub fn next_ready(schedule: &Schedule) -> Option<&Item> {
    let ready = schedule.items.iter().filter(|item| item.state == State::Ready);
    ready.min_by_key(|item| (item.target, item.number))
}

impl RecurrenceFields {
    fn of(schedule: &Schedule, recurrence: &Recurrence) -> Self {
        let (dates, rhythm) = (&recurrence.dates, recurrence.dates.rhythm());
        let (frequency, on_day) = frequency(rhythm.unit());
        Self {
            amount: raw(Money::new(recurrence.amount, schedule.currency)),
            description: dates.to_string(),
            end_date: dates.last().map(|last| last.to_string()),
            every: rhythm.every(),
            frequency,
            next_dates: ahead(schedule, recurrence).map(|date| date.to_string()).take(AHEAD).collect(),
            occurrences: dates.count(),
            on_day,
            payment_run_matching_value: recurrence.matching_value.clone(),
            skipped_dates: recurrence
                .skipped
                .iter()
                .filter_map(|n| dates.date(*n))
                .map(|date| date.to_string())
                .collect(),
            start_date: dates.first().to_string(),
        }
    }
}

/// What is counted from one charge to the next, and the day that is meant in it, as the wire calls them.
pub fn frequency(unit: Unit) -> (&'static str, Option<String>) {
    match unit {
        Unit::Days => ("Day", None),
        Unit::Weeks(day) => ("Week", Some(weekday_name(day).to_owned())),
        Unit::Months(day) => ("Month", Some(day.to_string())),
        Unit::Years(day) => ("Year", Some(day.to_string())),
    }
}

/// The days of the charges to come: of that which waits, and of those for which there is no item yet.
fn ahead<'a>(schedule: &'a Schedule, recurrence: &'a Recurrence) -> impl Iterator<Item = Date> + 'a {
    let waiting = schedule.items.iter().filter(|item| item.occurrence.is_some() && item.is_untried());
    let numbers = recurrence.next.into_iter().flat_map(|next| next..);
    let to_come = numbers.filter(|number| !recurrence.skipped.contains(number));
    waiting.map(|item| item.target).chain(to_come.map_while(|number| recurrence.dates.date(number)))
}

impl ItemFields {
    fn of(schedule: &Schedule, item: &Item, beside: Beside<'_>) -> Self {
        let amount = |minor| raw(Money::new(minor, schedule.currency));
        let failure = failure(item);
        let (is_past_due, retry) = match &item.state {
            State::Failed { retry, .. } => (retry.is_none(), *retry),
            State::Draft | State::Ready | State::Processing(_) | State::Processed { .. } | State::Canceled { .. } => {
                (false, None)
            }
        };
        // Whatever is charged again is charged by what its schedule has then.
        let tried_with = item.tried_with.filter(|_| item.state != State::Ready && retry.is_none());
        let next_run = beside.next_run.filter(|_| item.state == State::Ready).map(|next_run| {
            Some(item).filter(|_| schedule.status == Status::Open).and_then(next_run).map(|at| at.to_string())
        });
        Self {
            applied_amount: amount(0),
            comments: item.comments.clone(),
            currency_iso_code: schedule.currency.code(),
            id: schedule.id.item_id(item.number).to_string(),
            is_past_due,
            is_retriable_as_same_request: failure.is_some_and(|failure| failure.decision == Decision::Retriable),
            maximum_retry_count: failure
                .filter(|_| retry.is_some())
                .zip(beside.rules)
                .map(|(failure, rules)| most_retries(schedule, failure, rules)),
            next_payment_retry_time: retry.map(|retry| retry.at.to_string()),
            next_run_time: next_run,
            payment_account_id: schedule.account.as_ref().map(|account| account.as_str().to_owned()),
            payment_batch_run_id: item.tried_by.map(|tried| tried.run.id().to_string()),
            payment_gateway_error_category: failure.map(|failure| failure.category.literal()),
            payment_gateway_error_code: failure
                .and_then(|failure| failure.code.as_ref())
                .map(|code| code.chars().take(CODE).collect()),
            payment_gateway_resp_status: match &item.state {
                State::Processed { .. } => Some("Success"),
                State::Processing(_) => Some("Indeterminate"),
                State::Draft | State::Ready | State::Failed { .. } | State::Canceled { .. } => failure.map(response),
            },
            payment_id: item.payment.map(|payment| payment.to_string()),
            payment_method_id: tried_with.unwrap_or_else(|| schedule.method_of(item)).to_string(),
            payment_processing_message: failure.and_then(|failure| failure.message.clone()),
            payment_retry_count: item.retries(),
            payment_run_matching_value: item.matching_value.clone(),
            payment_schedule_id: schedule.id.id().to_string(),
            payment_source: "Payment Run",
            processed_amount: amount(item.processed_amount()),
            requested_amount: amount(item.amount),
            status: item.state.literal(),
            target_payment_processing_date: item.target.to_string(),
        }
    }
}

/// How often it is tried again at most, by the rules as they are now.
fn most_retries(schedule: &Schedule, failure: &Failure, rules: &RetryRuleSet) -> u8 {
    let Failure { category, decision, decline, ref code, message: _ } = *failure;
    let gateway = Some(schedule.gateway);
    rules.plan_for(&retry::Failure { category, decision, decline, gateway, code: code.as_deref() }).interval.most()
}

/// Why it failed last, unless it was processed since.
fn failure(item: &Item) -> Option<&Failure> {
    let last = item.failures.as_ref().map(|failures| &failures.last);
    last.filter(|_| !matches!(item.state, State::Processed { .. }))
}

/// The wire's word for what the gateway said; where it said nothing, for why that is.
fn response(failure: &Failure) -> &'static str {
    match (failure.decline, failure.category) {
        (Some(decline), _) => decline_code(decline),
        (None, Category::ValidationFailure | Category::PaymentInformation) => "ValidationError",
        (
            None,
            Category::CardLimit
            | Category::PaymentProcessing
            | Category::Security
            | Category::GatewayConnection
            | Category::Unknown,
        ) => "SystemError",
    }
}

#[cfg(test)]
mod tests {
    use kessai_shared::ids::{GatewayId, Id, MerchantId, MethodId};
    use kessai_shared::money::Currency;
    use kessai_shared::payment::asked::AccountId;
    use kessai_shared::payment::{Decline, IdempotencyKey};
    use kessai_shared::recurring::ids::{Cause, RunId};
    use kessai_shared::recurring::schedule::making::{Asked, AskedItem, Charges};
    use kessai_shared::recurring::schedule::{Failures, Retry, Tried};
    use serde_json::{Value, json};

    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    /// Of one item, which failed with this.
    fn failed(failure: Failure, retry: Option<Retry>) -> Schedule {
        let merchant = MerchantId::from_random([1; 16]);
        let item = AskedItem {
            amount: 1_050,
            target: Date::parse("2026-10-01").expect("a date"),
            method: None,
            matching_value: None,
            comments: None,
            is_draft: false,
            made: None,
        };
        let asked = Asked {
            merchant,
            key: IdempotencyKey::parse("a").expect("a key"),
            hash: [0; 16],
            is_draft: false,
            account: AccountId::parse("Carol"),
            gateway: GatewayId::from_random([2; 16]),
            method: MethodId::parse("03O000000000000").expect("a method"),
            currency: Currency::parse("USD").expect("a currency"),
            total_requested: None,
            reference: None,
            comments: None,
            charges: Charges::Items(vec![item]),
        };
        let mut schedule = Schedule::make(asked, AT).expect("a schedule");
        let tried = Tried { run: RunId::of(&merchant, Cause::Retries(AT)), page: 1 };
        for item in &mut schedule.items {
            item.state = State::Failed { at: AT, retry };
            item.attempts = 2;
            item.tried_by = Some(tried);
            item.payment = Id::parse("0aQR00000004ZkK");
            item.failures = Some(Failures { count: 2, first_at: AT, recent: Vec::new(), last: failure.clone() });
        }
        schedule
    }

    fn shown(schedule: &Schedule) -> Value {
        let told = Reading::told(schedule, Some(ItemNumber::FIRST));
        serde_json::to_value(told).expect("JSON")["paymentScheduleItem"].clone()
    }

    #[test]
    fn an_item_says_why_it_failed_and_whether_it_is_past_due() {
        let failure = Failure {
            category: Category::CardLimit,
            decision: Decision::Retriable,
            decline: Some(Decline::Soft),
            code: Some("5".repeat(50)),
            message: Some("insufficient funds".to_owned()),
        };
        let retry = Retry { at: AT.plus(std::time::Duration::from_secs(60)), with_other_method: false };
        let again = failed(failure.clone(), Some(retry));
        let item = shown(&again);
        let run = again.items[0].tried_by.expect("tried").run.id().to_string();
        let expected = json!({
            "appliedAmount": 0.0, "currencyIsoCode": "USD", "id": item["id"], "isPastDue": false,
            "isRetriableAsSameRequest": true, "nextPaymentRetryTime": "2026-09-21T14:14:20.000Z",
            "paymentAccountId": "Carol", "paymentBatchRunId": run,
            "paymentGatewayErrorCategory": "CardLimit", "paymentGatewayErrorCode": "5".repeat(40),
            "paymentGatewayRespStatus": "Decline", "paymentId": "0aQR00000004ZkKMAU",
            "paymentMethodId": again.method.to_string(), "paymentProcessingMessage": "insufficient funds",
            "paymentRetryCount": 1, "paymentScheduleId": again.id.id().to_string(), "paymentSource": "Payment Run",
            "processedAmount": 0.0, "requestedAmount": 10.5, "status": "Failed",
            "targetPaymentProcessingDate": "2026-10-01",
        });
        assert_eq!(item, expected);
        let for_good = failed(failure.clone(), None);
        assert_eq!(
            (&shown(&for_good)["isPastDue"], &shown(&for_good)["nextPaymentRetryTime"]),
            (&json!(true), &Value::Null)
        );
        let told = serde_json::to_value(Reading::told(&for_good, None)).expect("JSON");
        assert_eq!((&told["paymentSchedule"]["isPastDue"], told.get("paymentScheduleItem")), (&json!(true), None));

        for (category, decline, expected) in [
            (Category::Security, Some(Decline::Permanent), "PermanentFail"),
            (Category::GatewayConnection, None, "SystemError"),
            (Category::ValidationFailure, None, "ValidationError"),
        ] {
            let failure = Failure { category, decline, decision: Decision::NonRetriable, ..failure.clone() };
            let item = shown(&failed(failure, None));
            assert_eq!(
                (&item["paymentGatewayRespStatus"], &item["isRetriableAsSameRequest"]),
                (&json!(expected), &json!(false))
            );
        }
    }

    #[test]
    fn what_was_processed_in_the_end_says_nothing_of_its_failures() {
        let failure = Failure {
            category: Category::CardLimit,
            decision: Decision::Retriable,
            decline: Some(Decline::Soft),
            code: Some("51".to_owned()),
            message: None,
        };
        let mut schedule = failed(failure, None);
        schedule.items[0].state = State::Processed { at: AT };
        let item = shown(&schedule);
        assert_eq!((&item["status"], &item["paymentGatewayRespStatus"]), (&json!("Processed"), &json!("Success")));
        assert_eq!((&item["processedAmount"], &item["paymentRetryCount"]), (&json!(10.5), &json!(2)));
        for member in ["paymentGatewayErrorCategory", "paymentGatewayErrorCode", "paymentProcessingMessage"] {
            assert_eq!(item[member], Value::Null, "{member}");
        }
    }
}
