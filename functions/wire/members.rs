//! A JSON object, read member by member.
//!
//! Each read takes its member out; what is left at the end nobody asked for, and is refused by name.
//! Numbers are read from their text, never through a float. An absent member, `null` and an empty text
//! all mean "not given", as callers of this wire format send them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use kessai_shared::card::Secret;
use kessai_shared::money::{Currency, Decimal};
use kessai_shared::time::{Timestamp, parse_duration};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::problem::Problem;

/// The members of one object that nobody has taken yet.
pub struct Members<'a> {
    /// Where the object stands, with a dot at the end; empty at the top.
    path: String,
    entries: BTreeMap<String, &'a RawValue>,
    /// Whether names may be written in any case.
    any_case: bool,
}

impl<'a> Members<'a> {
    /// Reads the object at the top.
    pub fn parse(text: &'a str) -> Result<Self, Problem> {
        let Entries(entries) = Entries::parse(text).map_err(|error| Problem::unreadable(format!("body: {error}")))?;
        Ok(Self { path: String::new(), entries, any_case: false })
    }

    /// Reads the object at the top, whose members may be named in any case. Two that differ in case only are one, given
    /// twice.
    pub fn parse_any_case(text: &'a str) -> Result<Self, Problem> {
        let members = Self { any_case: true, ..Self::parse(text)? };
        let mut known = BTreeSet::new();
        match members.entries.keys().find(|name| !known.insert(name.to_ascii_lowercase())) {
            Some(name) => Err(Problem::unreadable(format!("body: member {} is given twice", shown(name)))),
            None => Ok(members),
        }
    }

    /// The member's name from the top of the body.
    pub fn name(&self, member: &str) -> String {
        format!("{}{member}", self.path)
    }

    /// Refuses what nobody took.
    pub fn finish(self) -> Result<(), Problem> {
        match self.entries.keys().next() {
            Some(member) => Err(Problem::invalid(&self.name(&shown(member)), "is not a member of this request")),
            None => Ok(()),
        }
    }

    /// Whether the member is there at all, be it `null` or empty.
    pub fn has(&self, member: &str) -> bool {
        self.written(member).is_some()
    }

    /// Whether the member says anything.
    pub fn holds(&self, member: &str) -> bool {
        let raw = self.written(member).and_then(|written| self.entries.get(written));
        raw.is_some_and(|raw| !["null", "\"\""].contains(&raw.get()))
    }

    fn take(&mut self, member: &str) -> Option<&'a str> {
        let written = self.written(member)?.to_owned();
        let text = self.entries.remove(&written)?.get();
        (text != "null").then_some(text)
    }

    /// The member's name as it is written here.
    fn written(&self, member: &str) -> Option<&str> {
        let is_it = |name: &&String| self.any_case && name.eq_ignore_ascii_case(member);
        let (name, _) = self.entries.get_key_value(member).or_else(|| {
            let name = self.entries.keys().find(is_it)?;
            self.entries.get_key_value(name)
        })?;
        Some(name)
    }

    /// What is to become of a value that may be absent: none where the member is not there, none within where it is
    /// there and empty, so that the value is taken away.
    pub fn edited<T>(
        &mut self,
        member: &str,
        read: impl FnOnce(&mut Self) -> Result<Option<T>, Problem>,
    ) -> Result<Option<Option<T>>, Problem> {
        if self.has(member) { read(self).map(Some) } else { Ok(None) }
    }

    /// A text of at most `max` characters.
    pub fn text(&mut self, member: &str, max: usize) -> Result<Option<String>, Problem> {
        Ok(self.secret_text(member, max)?.map(|text| text.as_str().to_owned()))
    }

    /// A text that must not stay in memory.
    pub fn secret_text(&mut self, member: &str, max: usize) -> Result<Option<Zeroizing<String>>, Problem> {
        let Some(raw) = self.take(member) else { return Ok(None) };
        let text: Zeroizing<String> = serde_json::from_str(raw)
            .map_err(|_| Problem::invalid(&self.name(member), "must be a string of valid Unicode"))?;
        if text.chars().count() > max {
            return Err(Problem::invalid(&self.name(member), format!("must not be longer than {max} characters")));
        }
        Ok((!text.is_empty()).then_some(text))
    }

    /// A text that stands for something.
    pub fn parsed<T>(
        &mut self,
        member: &str,
        max: usize,
        what: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.secret_text(member, max)? else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| Problem::invalid(&self.name(member), format!("must be {what}")))
    }

    /// One of some literals, in whatever case.
    pub fn literal<T: Copy>(&mut self, member: &str, literals: &[(&str, T)]) -> Result<Option<T>, Problem> {
        let names: Vec<&str> = literals.iter().map(|(name, _)| *name).collect();
        self.parsed(member, LONGEST_LITERAL, &format!("one of {}", names.join(", ")), |text| {
            literals.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, value)| *value)
        })
    }

    /// A positive decimal, as a number or as the text of one.
    pub fn decimal(&mut self, member: &str) -> Result<Option<Decimal>, Problem> {
        let Some(digits) = self.digits(member)? else { return Ok(None) };
        Decimal::parse(&digits).map(Some).map_err(|error| Problem::invalid(&self.name(member), error))
    }

    /// A whole number in a range, as a number or as the text of one.
    pub fn integer(&mut self, member: &str, range: RangeInclusive<u16>) -> Result<Option<u16>, Problem> {
        let Some(digits) = self.digits(member)? else { return Ok(None) };
        let number = digits.parse().ok().filter(|number| range.contains(number));
        let limits = format!("must be a whole number from {} to {}", range.start(), range.end());
        number.map(Some).ok_or_else(|| Problem::invalid(&self.name(member), limits))
    }

    /// The text of a number; of a string, what it holds.
    pub fn digits(&mut self, member: &str) -> Result<Option<String>, Problem> {
        let Some(raw) = self.take(member) else { return Ok(None) };
        match raw.as_bytes().first() {
            Some(b'"') => {
                let text: String = serde_json::from_str(raw)
                    .map_err(|_| Problem::invalid(&self.name(member), "must be a number or the text of one"))?;
                Ok((!text.is_empty()).then_some(text))
            }
            Some(b'-' | b'0'..=b'9') => Ok(Some(raw.to_owned())),
            Some(_) | None => Err(Problem::invalid(&self.name(member), "must be a number")),
        }
    }

    /// `true` or `false`, as a boolean or as the text of one.
    pub fn flag(&mut self, member: &str) -> Result<Option<bool>, Problem> {
        match self.take(member) {
            None | Some("\"\"") => Ok(None),
            Some("true" | "\"true\"") => Ok(Some(true)),
            Some("false" | "\"false\"") => Ok(Some(false)),
            Some(_) => Err(Problem::invalid(&self.name(member), "must be true or false")),
        }
    }

    /// A moment.
    pub fn moment(&mut self, member: &str) -> Result<Option<Timestamp>, Problem> {
        self.parsed(member, LONGEST_LITERAL, "a date and time such as 2020-10-18T11:32:27.000Z", Timestamp::parse)
    }

    /// A currency of ISO 4217.
    pub fn currency(&mut self, member: &str) -> Result<Option<Currency>, Problem> {
        self.parsed(member, LONGEST_LITERAL, "a currency code of ISO 4217 such as USD", Currency::parse)
    }

    /// An object within.
    pub fn object(&mut self, member: &str) -> Result<Option<Self>, Problem> {
        let Some(raw) = self.take(member) else { return Ok(None) };
        let Entries(entries) = Entries::parse(raw).map_err(|error| Problem::invalid(&self.name(member), error))?;
        Ok(Some(Self { path: format!("{}.", self.name(member)), entries, any_case: self.any_case }))
    }

    /// A list of objects.
    pub fn objects(&mut self, member: &str, most: usize) -> Result<Option<Vec<Self>>, Problem> {
        let Some(raw) = self.take(member) else { return Ok(None) };
        let name = self.name(member);
        let all: Vec<&'a RawValue> =
            serde_json::from_str(raw).map_err(|_| Problem::invalid(&name, "must be a list of objects"))?;
        if all.len() > most {
            return Err(Problem::invalid(&name, format!("must not have more than {most} entries")));
        }
        let objects = all.into_iter().enumerate().map(|(place, raw)| {
            let name = format!("{name}[{place}]");
            let Entries(entries) = Entries::parse(raw.get()).map_err(|error| Problem::invalid(&name, error))?;
            Ok(Self { path: format!("{name}."), entries, any_case: self.any_case })
        });
        objects.collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// A list of texts that each stand for something.
    pub fn list<T>(
        &mut self,
        member: &str,
        most: usize,
        what: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<Vec<T>>, Problem> {
        let Some(raw) = self.take(member) else { return Ok(None) };
        let name = self.name(member);
        let texts: Vec<String> =
            serde_json::from_str(raw).map_err(|_| Problem::invalid(&name, "must be a list of strings"))?;
        if texts.len() > most {
            return Err(Problem::invalid(&name, format!("must not have more than {most} entries")));
        }
        let parsed: Option<Vec<T>> = texts.iter().map(|text| parse(text)).collect();
        parsed.map(Some).ok_or_else(|| Problem::invalid(&name, format!("must hold {what}")))
    }

    /// A span of time: an ISO 8601 duration, or a number of seconds.
    pub fn duration(&mut self, member: &str) -> Result<Option<Duration>, Problem> {
        let form = "an ISO 8601 duration forward such as P1D or PT30M, or a number of seconds";
        let is_number = |raw: &&RawValue| raw.get().bytes().all(|byte| byte.is_ascii_digit());
        let written = self.written(member).map(str::to_owned);
        match written.and_then(|name| self.entries.get(&name).copied()).filter(is_number) {
            Some(raw) => {
                self.take(member);
                let read = parse_duration(raw.get());
                read.map(Some).ok_or_else(|| Problem::invalid(&self.name(member), format!("must be {form}")))
            }
            None => self.parsed(member, LONGEST_LITERAL, form, parse_duration),
        }
    }

    /// An object of texts.
    pub fn texts(&mut self, member: &str, pairs: usize, max: usize) -> Result<BTreeMap<String, String>, Problem> {
        let Some(mut object) = self.object(member)? else { return Ok(BTreeMap::new()) };
        let names: BTreeSet<String> = object.entries.keys().cloned().collect();
        if names.len() > pairs {
            return Err(Problem::invalid(&self.name(member), format!("must not have more than {pairs} pairs")));
        }
        if names.iter().any(|name| name.is_empty() || name.chars().count() > max) {
            return Err(Problem::invalid(&self.name(member), format!("keys must have 1 to {max} characters")));
        }
        let texts = names.into_iter().map(|name| {
            let text = object.text_of_anybodys(&name, max)?;
            Ok((name, text))
        });
        texts.collect()
    }
}

impl Members<'_> {
    /// An object of texts that must not stay in memory, named as callers like.
    pub fn secrets(&mut self, member: &str, pairs: usize) -> Result<Option<BTreeMap<String, Secret>>, Problem> {
        let Some(mut object) = self.object(member)? else { return Ok(None) };
        let name = self.name(member);
        let names: BTreeSet<String> = object.entries.keys().cloned().collect();
        if names.len() > pairs {
            return Err(Problem::invalid(&name, format!("must not have more than {pairs} members")));
        }
        let not_a_text = |_| Problem::invalid(&name, "must hold strings of valid Unicode");
        let mut secrets = BTreeMap::new();
        for within in names {
            let text = object.secret_text(&within, usize::MAX).map_err(not_a_text)?;
            secrets.extend(text.map(|text| (within, Secret::new(text.as_str().to_owned()))));
        }
        Ok(Some(secrets))
    }

    /// The text of a member that callers name as they like.
    fn text_of_anybodys(&mut self, member: &str, max: usize) -> Result<String, Problem> {
        let text = self.text(member, max);
        let renamed =
            |problem: Problem| Problem { message: problem.message.replace(member, &shown(member)), ..problem };
        Ok(text.map_err(renamed)?.unwrap_or_default())
    }
}

/// Longer than any literal, code or date of the wire format.
const LONGEST_LITERAL: usize = 64;

/// Longest unknown name that an error repeats.
const LONGEST_NAME: usize = 64;

/// Most digits of a name that an error repeats: names of this wire format have none, and tokens have many.
const MOST_DIGITS: usize = 2;

/// The name as an error may repeat it. What does not look like a name may be a value in the wrong place.
fn shown(name: &str) -> String {
    let is_name = name.len() <= LONGEST_NAME
        && name.bytes().filter(u8::is_ascii_digit).count() <= MOST_DIGITS
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name { name.to_owned() } else { "(a strange name)".to_owned() }
}

/// An object whose names are all different.
struct Entries<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Entries<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        // The parser's own complaint about another type would repeat the value, which may be a card number.
        if !text.trim_start().starts_with('{') {
            return Err("must be an object".to_owned());
        }
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Entries<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    let value: &RawValue = map.next_value()?;
                    if entries.insert(name.clone(), value).is_some() {
                        return Err(A::Error::custom(format!("member {} is given twice", shown(&name))));
                    }
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(problem: Option<Problem>) -> String {
        problem.map(|problem| problem.message).unwrap_or_default()
    }

    #[test]
    fn names_in_any_case_are_one_name_where_that_is_asked_for() {
        let body = r#"{"status":"a","NickName":"b","IN":{"Deep":"c"}}"#;
        let mut members = Members::parse_any_case(body).expect("an object");
        assert!(members.has("Status") && !members.has("Stat"));
        assert_eq!(members.text("Status", 9).expect("a text").as_deref(), Some("a"));
        assert_eq!(members.text("nickname", 9).expect("a text").as_deref(), Some("b"));
        let mut inner = members.object("In").expect("an object").expect("it is there");
        assert_eq!(inner.text("deep", 9).expect("a text").as_deref(), Some("c"));
        assert!(members.finish().is_ok() && inner.finish().is_ok());
        let mut strict = Members::parse(body).expect("an object");
        assert_eq!(strict.text("Status", 9).expect("a text"), None);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_own_name() {
        let twice = Members::parse_any_case(r#"{"Status":1,"status":1}"#).err();
        assert!(message(twice).contains("is given twice"));
        let mut long = Members::parse_any_case(r#"{"mastERlabel":"abc"}"#).expect("an object");
        assert_eq!(message(long.text("MasterLabel", 2).err()), "MasterLabel: must not be longer than 2 characters");
        let strange = Members::parse_any_case(r#"{"nonSense":1}"#).expect("an object").finish();
        assert_eq!(message(strange.err()), "nonSense: is not a member of this request");
    }

    #[test]
    fn a_member_that_is_there_and_empty_takes_a_value_away() {
        for (body, expected) in [("{}", None), (r#"{"a":null}"#, Some(None)), (r#"{"a":""}"#, Some(None))] {
            let mut members = Members::parse(body).expect("an object");
            assert_eq!(members.edited("a", |members| members.text("a", 9)).expect("a text"), expected, "{body}");
        }
        let mut members = Members::parse(r#"{"a":"b"}"#).expect("an object");
        assert_eq!(members.edited("a", |members| members.text("a", 9)).ok(), Some(Some(Some("b".to_owned()))));
    }

    #[test]
    fn lists_and_spans_of_time_are_read_or_refused() {
        let duration = |body| Members::parse(body).expect("an object").duration("a").ok();
        for (body, seconds) in [(r#"{"a":"P1D"}"#, 86_400), (r#"{"a":60}"#, 60), (r#"{"a":"60"}"#, 60)] {
            assert_eq!(duration(body), Some(Some(Duration::from_secs(seconds))), "{body}");
        }
        assert_eq!((duration("{}"), duration(r#"{"a":null}"#)), (Some(None), Some(None)));
        for body in [r#"{"a":-1}"#, r#"{"a":1.5}"#, r#"{"a":"soon"}"#, r#"{"a":[]}"#] {
            assert_eq!(duration(body), None, "{body}");
        }
        let list = |body| {
            let letter = |text: &str| text.chars().next().filter(|_| text.len() == 1);
            Members::parse(body).expect("an object").list("a", 2, "letters", letter)
        };
        assert_eq!(list(r#"{"a":["x","y"]}"#), Ok(Some(vec!['x', 'y'])));
        assert_eq!((list("{}"), list(r#"{"a":[]}"#)), (Ok(None), Ok(Some(Vec::new()))));
        for body in [r#"{"a":["x","y","z"]}"#, r#"{"a":["xy"]}"#, r#"{"a":"x"}"#, r#"{"a":[1]}"#] {
            assert!(list(body).is_err(), "{body}");
        }
    }
}
