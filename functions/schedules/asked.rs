//! Members of what is asked for: items, and what recurs.

use kessai_shared::ids::MethodId;
use kessai_shared::money::{Currency, Money};
use kessai_shared::recurring::calendar::{Date, MAX_EVERY, MonthDay, Rhythm, Unfit, Unit, parse_weekday};
use kessai_shared::recurring::schedule::making::{AskedItem, AskedRecurrence, first_charge};
use serde_json::{Value, json};

use super::{MATCHING_VALUE, refuse};
use crate::problem::Problem;
use crate::wire::body::{COMMENTS, ID};
use crate::wire::members::Members;
use crate::wire::schedule::frequency;

/// Longer than any date, or name of a day.
const WORD: usize = 64;

/// What is counted from one charge to the next.
#[derive(Clone, Copy)]
enum Frequency {
    Day,
    Week,
    Month,
    Year,
}

const FREQUENCIES: [(&str, Frequency); 4] =
    [("Day", Frequency::Day), ("Week", Frequency::Week), ("Month", Frequency::Month), ("Year", Frequency::Year)];

const ITEM_STATUS: [(&str, bool); 2] = [("Draft", true), ("Ready for Processing", false)];

/// An item, and by what name its method is given.
pub(super) fn item(mut members: Members<'_>, currency: Currency) -> Result<(AskedItem, String), Problem> {
    let item = item_of(&mut members, currency)?;
    let method = members.name("paymentMethodId");
    members.finish()?;
    Ok((item, method))
}

/// The members of an item.
pub(super) fn item_of(members: &mut Members<'_>, currency: Currency) -> Result<AskedItem, Problem> {
    Ok(AskedItem {
        amount: needed(members, "requestedAmount", |members, name| amount(members, name, currency))?,
        target: needed(members, "targetPaymentProcessingDate", date)?,
        method: method(members, "paymentMethodId")?,
        matching_value: members.text("paymentRunMatchingValue", MATCHING_VALUE)?,
        comments: members.text("comments", COMMENTS)?,
        is_draft: members.literal("status", &ITEM_STATUS)?.unwrap_or(false),
        made: None,
    })
}

/// What recurs. Where no day is said it is that of the first charge.
pub(super) fn recurrence(mut members: Members<'_>, currency: Currency) -> Result<AskedRecurrence, Problem> {
    let amount = needed(&mut members, "amount", |members, name| amount(members, name, currency))?;
    let start = needed(&mut members, "startDate", date)?;
    let trial_days = members.integer("trialDays", 0..=MAX_EVERY)?;
    let first = first_charge(start, trial_days).map_err(refuse)?;
    let counted = needed(&mut members, "frequency", |members, name| members.literal(name, &FREQUENCIES))?;
    let on_day = members.digits("onDay")?;
    let unfit = |name: &str, members: &Members<'_>, unfit: Unfit| Problem::invalid(&members.name(name), unfit);
    let unit = match (counted, &on_day) {
        (Frequency::Day, None) => Unit::Days,
        (Frequency::Day, Some(_)) => {
            return Err(Problem::invalid(&members.name("onDay"), "must not be given where the frequency is Day"));
        }
        (Frequency::Week, None) => Unit::Weeks(first.weekday()),
        (Frequency::Week, Some(day)) => {
            Unit::Weeks(parse_weekday(day).map_err(|error| unfit("onDay", &members, error))?)
        }
        (Frequency::Month, day) => Unit::Months(month_day(&members, day.as_deref(), first)?),
        (Frequency::Year, day) => Unit::Years(month_day(&members, day.as_deref(), first)?),
    };
    let every = members.integer("every", 1..=MAX_EVERY)?.unwrap_or(1);
    let rhythm = Rhythm::new(every, unit).map_err(|error| unfit("every", &members, error))?;
    let until = date(&mut members, "endDate")?;
    let count = members.integer("occurrences", 1..=u16::MAX)?.map(u32::from);
    let matching_value = members.text("paymentRunMatchingValue", MATCHING_VALUE)?;
    members.finish()?;
    Ok(AskedRecurrence { rhythm, start, trial_days, until, count, amount, matching_value })
}

fn month_day(members: &Members<'_>, day: Option<&str>, first: Date) -> Result<MonthDay, Problem> {
    match day {
        Some(day) => MonthDay::parse(day).map_err(|error| Problem::invalid(&members.name("onDay"), error)),
        None => Ok(MonthDay::of(first)),
    }
}

/// An item in one way, however it was written.
pub(super) fn canonical_item(item: &AskedItem) -> Value {
    let AskedItem { amount, target, method, matching_value, comments, is_draft, made: _ } = item;
    json!([amount, target.to_string(), method.map(|method| method.to_string()), matching_value, comments, is_draft])
}

/// The same of what recurs.
pub(super) fn canonical_recurrence(recurrence: &AskedRecurrence) -> Value {
    let AskedRecurrence { rhythm, start, trial_days, until, count, amount, matching_value } = recurrence;
    let until = until.map(|until| until.to_string());
    let (frequency, on_day) = frequency(rhythm.unit());
    json!([amount, rhythm.every(), frequency, on_day, start.to_string(), trial_days, until, count, matching_value])
}

/// A member that must be there.
pub(super) fn needed<'a, T>(
    members: &mut Members<'a>,
    name: &str,
    read: impl FnOnce(&mut Members<'a>, &str) -> Result<Option<T>, Problem>,
) -> Result<T, Problem> {
    read(members, name)?.ok_or_else(|| Problem::missing(&members.name(name)))
}

/// In minor units.
pub(super) fn amount(members: &mut Members<'_>, name: &str, currency: Currency) -> Result<Option<i64>, Problem> {
    let Some(decimal) = members.decimal(name)? else { return Ok(None) };
    let money = Money::from_decimal(decimal, currency);
    money.map(|money| Some(money.minor)).map_err(|error| Problem::invalid(&members.name(name), error))
}

pub(super) fn date(members: &mut Members<'_>, name: &str) -> Result<Option<Date>, Problem> {
    let Some(text) = members.text(name, WORD)? else { return Ok(None) };
    Date::parse(&text).map(Some).map_err(|error| Problem::invalid(&members.name(name), error))
}

pub(super) fn method(members: &mut Members<'_>, name: &str) -> Result<Option<MethodId>, Problem> {
    members.parsed(name, ID, "the id of a payment method", MethodId::parse)
}
