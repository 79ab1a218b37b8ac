//! Which items a run charges, as the wire says it: by their `PaymentRunMatchingValue`.

use std::collections::BTreeSet;

use kessai_shared::recurring::scheduler::{Criteria, Filter, FilterOperation, Matches};
use serde::Serialize;

use crate::problem::Problem;
use crate::wire::members::Members;

const MATCHES: &str = "criteriaMatchType";
const FILTERS: &str = "filterCriteria";
const OBJECT: &str = "PaymentScheduleItem";
const FIELD: &str = "PaymentRunMatchingValue";

const MOST_FILTERS: usize = 100;

/// Bytes of all their values together: each run has them too, and is written anew with every sum.
const ALL_VALUES: usize = 8_000;

/// Characters of a filter's value, as the wire has them.
const VALUE: usize = 255;

/// Characters of an item's `PaymentRunMatchingValue`: what is longer would never match.
const MATCHING_VALUE: usize = 40;

const MATCH_TYPES: [(&str, Matches); 2] = [("MatchAny", Matches::Any), ("MatchNone", Matches::None)];

const OPERATIONS: [(&str, FilterOperation); 3] = [
    ("Equals", FilterOperation::Equals),
    ("InList", FilterOperation::InList),
    ("NotEquals", FilterOperation::NotEquals),
];

/// Takes the criteria; without any, every item is meant, and where they are required that is not to be said.
pub(super) fn criteria(members: &mut Members<'_>, are_required: bool) -> Result<Criteria, Problem> {
    let matches = match_type(members)?;
    let filters = filters(members)?;
    if are_required && matches.is_none() {
        return Err(Problem::missing(MATCHES));
    }
    if are_required && filters.is_empty() {
        return Err(Problem::missing(FILTERS));
    }
    Ok(Criteria { matches: matches.unwrap_or_default(), filters })
}

/// It is printed with a space and without one.
fn match_type(members: &mut Members<'_>) -> Result<Option<Matches>, Problem> {
    members.parsed(MATCHES, super::LONGEST, "one of MatchAny, MatchNone", |text| {
        let text: String = text.chars().filter(|character| *character != ' ').collect();
        MATCH_TYPES.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(&text)).map(|(_, matches)| matches)
    })
}

fn filters(members: &mut Members<'_>) -> Result<Vec<Filter>, Problem> {
    let (mut filters, mut sequences) = (Vec::new(), BTreeSet::new());
    for mut given in members.objects(FILTERS, MOST_FILTERS)?.unwrap_or_default() {
        let filter = filter(&mut given)?;
        if !sequences.insert(filter.sequence) {
            return Err(Problem::invalid(&given.name("criteriaSequence"), "is given twice"));
        }
        given.finish()?;
        filters.push(filter);
    }
    if filters.iter().map(|filter| filter.value.len()).sum::<usize>() > ALL_VALUES {
        let what = format!("must not have more than {ALL_VALUES} bytes in all their values together");
        return Err(Problem::invalid(&members.name(FILTERS), what));
    }
    filters.sort_by_key(|filter| filter.sequence);
    Ok(filters)
}

fn filter(given: &mut Members<'_>) -> Result<Filter, Problem> {
    for (member, only) in [("objectName", OBJECT), ("fieldName", FIELD)] {
        given.literal(member, &[(only, ())])?.ok_or_else(|| Problem::missing(&given.name(member)))?;
    }
    let operation = given.literal("operation", &OPERATIONS)?;
    let operation = operation.ok_or_else(|| Problem::missing(&given.name("operation")))?;
    let value = given.text("value", VALUE)?.ok_or_else(|| Problem::missing(&given.name("value")))?;
    let values = match operation {
        FilterOperation::InList => value.split(',').map(str::trim).collect(),
        FilterOperation::Equals | FilterOperation::NotEquals => vec![value.as_str()],
    };
    if values.into_iter().any(|value| value.is_empty() || value.chars().count() > MATCHING_VALUE) {
        let what = format!("must be of 1 to {MATCHING_VALUE} characters, in a list each between two commas");
        return Err(Problem::invalid(&given.name("value"), what));
    }
    let sequence = given.integer("criteriaSequence", 1..=u16::MAX)?;
    let sequence = sequence.ok_or_else(|| Problem::missing(&given.name("criteriaSequence")))?;
    Ok(Filter { operation, value, sequence })
}

/// As they are compared under a key.
pub(super) fn parts(criteria: &Criteria) -> impl Iterator<Item = String> {
    let Criteria { matches, filters } = criteria;
    let filters = filters.iter().flat_map(|Filter { operation, value, sequence }| {
        [name(&OPERATIONS, *operation).to_owned(), value.clone(), sequence.to_string()]
    });
    std::iter::once(name(&MATCH_TYPES, *matches).to_owned()).chain(filters)
}

fn name<T: Copy + PartialEq>(names: &[(&'static str, T)], meant: T) -> &'static str {
    names.iter().find(|(_, each)| *each == meant).map(|(name, _)| *name).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownCriteria<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    criteria_match_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filter_criteria: Vec<ShownFilter<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownFilter<'a> {
    object_name: &'static str,
    field_name: &'static str,
    operation: &'static str,
    value: &'a str,
    criteria_sequence: u16,
}

/// Nothing of them where every item is meant.
pub(super) fn shown(criteria: &Criteria) -> ShownCriteria<'_> {
    let Criteria { matches, filters } = criteria;
    ShownCriteria {
        criteria_match_type: (!filters.is_empty()).then(|| name(&MATCH_TYPES, *matches)),
        filter_criteria: filters
            .iter()
            .map(|filter| ShownFilter {
                object_name: OBJECT,
                field_name: FIELD,
                operation: name(&OPERATIONS, filter.operation),
                value: &filter.value,
                criteria_sequence: filter.sequence,
            })
            .collect(),
    }
}
