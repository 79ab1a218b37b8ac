//! Reading what is asked: what is of the wrong type is refused by its name.

use serde_json::{Map, Value};

use super::problem::Problem;

pub(super) type Body = Map<String, Value>;

/// Pairs of metadata at most.
const MOST_METADATA: usize = 20;

/// Nothing at all is an empty object.
pub(super) fn object(body: &[u8]) -> Result<Body, Problem> {
    if body.trim_ascii().is_empty() {
        return Ok(Body::new());
    }
    serde_json::from_slice(body).map_err(|_| Problem::invalid("body", "Input should be a valid object"))
}

fn given<'a>(body: &'a Body, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !value.is_null())
}

pub(super) fn text<'a>(body: &'a Body, name: &str) -> Result<Option<&'a str>, Problem> {
    let wrong = || Problem::invalid(name, "Input should be a valid string");
    given(body, name).map(|value| value.as_str().ok_or_else(wrong)).transpose()
}

pub(super) fn needed<'a>(body: &'a Body, name: &str) -> Result<&'a str, Problem> {
    text(body, name)?.ok_or_else(|| Problem::invalid(name, "Field required"))
}

pub(super) fn flag(body: &Body, name: &str) -> Result<bool, Problem> {
    let wrong = || Problem::invalid(name, "Input should be a valid boolean");
    Ok(given(body, name).map(|value| value.as_bool().ok_or_else(wrong)).transpose()?.unwrap_or(false))
}

pub(super) fn integer(body: &Body, name: &str, range: std::ops::RangeInclusive<i64>) -> Result<Option<i64>, Problem> {
    let wrong = || Problem::invalid(name, "Input should be a valid integer");
    let value = given(body, name).map(|value| value.as_i64().ok_or_else(wrong)).transpose()?;
    match value {
        Some(value) if !range.contains(&value) => Err(Problem::invalid(name, "Input is out of range")),
        value => Ok(value),
    }
}

pub(super) fn choice<'a>(body: &'a Body, name: &str, choices: &[&str]) -> Result<Option<&'a str>, Problem> {
    match text(body, name)? {
        Some(value) if !choices.contains(&value) => Err(Problem::invalid(name, "Input is none of the choices")),
        value => Ok(value),
    }
}

/// An object within, empty where there is none.
pub(super) fn within(body: &Body, name: &str) -> Result<Body, Problem> {
    let wrong = || Problem::invalid(name, "Input should be a valid dictionary");
    Ok(given(body, name).map(|value| value.as_object().cloned().ok_or_else(wrong)).transpose()?.unwrap_or_default())
}

pub(super) fn texts(body: &Body, name: &str, choices: &[&str]) -> Result<Option<Vec<String>>, Problem> {
    let wrong = || Problem::invalid(name, "Input should be a valid list");
    let Some(value) = given(body, name) else { return Ok(None) };
    let one = |value: &Value| value.as_str().filter(|text| choices.contains(text)).map(str::to_owned).ok_or_else(wrong);
    value.as_array().ok_or_else(wrong)?.iter().map(one).collect::<Result<Vec<_>, _>>().map(Some)
}

pub(super) fn metadata(body: &Body) -> Result<Body, Problem> {
    let metadata = within(body, "metadata")?;
    let is_plain = |value: &Value| value.is_string() || value.is_i64() || value.is_boolean();
    if metadata.len() > MOST_METADATA || !metadata.values().all(is_plain) {
        return Err(Problem::invalid("metadata", "Input should be at most 20 pairs of plain values"));
    }
    Ok(metadata)
}
