//! Answers as people read them: a line, a table, or a secret set apart.

use serde_json::Value;

use crate::lambda::StartError;

/// One kind of thing in the answer of `GET /set-up`.
pub struct Section {
    pub title: &'static str,
    pub member: &'static str,
    pub columns: &'static [Column],
}

/// A heading, and where its value is: at the first of these JSON pointers that leads to one.
pub type Column = (&'static str, &'static [&'static str]);

/// What stands where there is nothing.
pub const NOTHING: &str = "-";

/// Between two columns.
const GAP: &str = "  ";

/// A body; an empty one is nothing.
pub fn read(text: &str) -> Result<Value, StartError> {
    if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(text)?) }
}

/// A text of lines.
pub fn ending(text: String) -> String {
    if text.is_empty() { text } else { text + "\n" }
}

/// Rows under their headings, in columns as wide as they must be.
pub fn table(things: &Value, columns: &[Column]) -> String {
    let things = things.as_array().map(Vec::as_slice).unwrap_or_default();
    if things.is_empty() {
        return "(none)".to_owned();
    }
    let heading: Vec<String> = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    let rows = things.iter().map(|thing| columns.iter().map(|(_, places)| cell(thing, places)).collect());
    aligned(&std::iter::once(heading).chain(rows).collect::<Vec<Vec<String>>>())
}

/// Names and what they stand for, one to a line.
pub fn facts(thing: &Value, columns: &[Column]) -> String {
    let rows = columns.iter().map(|(heading, places)| vec![(*heading).to_owned(), cell(thing, places)]);
    aligned(&rows.collect::<Vec<_>>())
}

/// What is shown this once.
pub fn with_secret(said: &str, what: &str, secret: &str) -> String {
    format!("{said}\n\nThis is {what}. It is shown once, now, and never again:\n\n    {}\n", printable(secret))
}

/// The value at a pointer.
pub fn at(thing: &Value, pointer: &str) -> String {
    cell(thing, &[pointer])
}

pub fn cell(thing: &Value, places: &[&str]) -> String {
    places.iter().find_map(|place| thing.pointer(place)).map_or_else(|| NOTHING.to_owned(), shown)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::Bool(is_so) => if *is_so { "yes" } else { "no" }.to_owned(),
        Value::String(text) => printable(text),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(","),
        Value::Number(_) | Value::Object(_) => printable(&value.to_string()),
    }
}

/// What others have named must not steer the terminal.
pub fn printable(text: &str) -> String {
    let shown = |character: char| match character.is_control() {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    text.chars().map(shown).collect()
}

fn aligned(rows: &[Vec<String>]) -> String {
    let width = |text: &String| text.chars().count();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(width).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_has_columns_as_wide_as_they_must_be_and_steers_no_terminal() {
        let things = json!([
            { "id": "1", "name": "Café", "works": true, "scopes": ["read", "refund"] },
            { "id": "22", "name": "\u{1b}[2J", "works": false, "last": { "four": "4242" } },
        ]);
        let columns: &[Column] = &[
            ("ID", &["/id"]),
            ("NAME", &["/name"]),
            ("WORKS", &["/works"]),
            ("SCOPES", &["/scopes"]),
            ("LAST FOUR", &["/first/four", "/last/four"]),
        ];
        let expected = [
            "ID  NAME       WORKS  SCOPES       LAST FOUR",
            "1   Café       yes    read,refund  -",
            "22  \\u{1b}[2J  no     -            4242",
        ];
        assert_eq!(table(&things, columns), expected.join("\n"));
        assert_eq!(table(&json!([]), columns), "(none)");
        assert_eq!(facts(&things[0], &columns[..2]), "ID    1\nNAME  Café");
    }
}
