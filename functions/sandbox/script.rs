//! The script of faults: what a test has asked to happen to the next deliveries.
//!
//! A script lives as long as the process. It belongs to the test that is running, not to the
//! ledger, so that a gateway that starts again starts without surprises.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use super::behaviour::{Behaviour, Fault, Row, TABLE, by_name};
use super::order::object;

/// Most faults that can be pending: more than a test can mean.
const PENDING_MAX: u64 = 1_000;

/// Longest delay that a script can ask for: longer than any client or function waits.
const DELAY_MAX_MS: u64 = 3_600_000;

/// The members of a scripted fault, beside those of its aim. Others are refused: a misspelt one would strike everything.
const MEMBERS: [&str; 3] = ["fault", "delayMs", "times"];

/// What a scripted fault is meant for. One that says nothing of it is meant for everything.
pub trait Aim: Sized {
    /// Its members in a script.
    const MEMBERS: &'static [&'static str];

    /// Reads it from beside the fault.
    ///
    /// # Errors
    /// A message that names the member that is wrong, or says that this fault cannot strike that.
    fn read(entry: &Value, behaviour: Behaviour) -> Result<Self, String>;

    /// Adds it to what is shown of a scripted fault.
    fn show(&self, shown: &mut Map<String, Value>);
}

/// What a script makes of one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cue {
    pub behaviour: Behaviour,
    pub delay_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry<A> {
    name: &'static str,
    cue: Cue,
    aim: A,
    times: u64,
}

/// What happens to a body that is sent unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mishap {
    pub fault: Fault,
    pub delay_ms: u64,
}

impl Mishap {
    /// What the cue does to such a body, if anything.
    pub fn of(cue: Cue) -> Option<Self> {
        let fault = strikes_notices(cue.behaviour)?;
        Some(Self { fault, delay_ms: cue.delay_ms.unwrap_or(fault.delay_ms()) })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script<A> {
    entries: VecDeque<Entry<A>>,
}

impl<A> Default for Script<A> {
    fn default() -> Self {
        Self { entries: VecDeque::new() }
    }
}

impl<A: Aim> Script<A> {
    /// Adds what the body asks for, all of it or nothing.
    ///
    /// # Errors
    /// A message that names the member that is missing or wrong.
    pub fn add(&mut self, body: &[u8]) -> Result<(), String> {
        let body = object(body)?;
        let next = body.get("next").and_then(Value::as_array);
        let added: Vec<Entry<A>> =
            next.ok_or("next must be an array of faults")?.iter().map(entry).collect::<Result<_, _>>()?;
        let times = added.iter().map(|entry| entry.times).sum::<u64>();
        if self.pending() + times > PENDING_MAX {
            return Err(format!("next: at most {PENDING_MAX} faults can be pending"));
        }
        self.entries.extend(added);
        Ok(())
    }

    /// Takes the oldest cue whose aim this is.
    pub fn take_where(&mut self, is_meant: impl Fn(&A) -> bool) -> Option<Cue> {
        let index = self.entries.iter().position(|entry| is_meant(&entry.aim))?;
        let entry = self.entries.get_mut(index)?;
        let cue = entry.cue;
        entry.times -= 1;
        if entry.times == 0 {
            self.entries.remove(index);
        }
        Some(cue)
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    pub fn pending(&self) -> u64 {
        self.entries.iter().map(|entry| entry.times).sum()
    }

    /// What is pending, in the shape in which it was asked for.
    pub fn describe(&self) -> Value {
        let next: Vec<Value> = self.entries.iter().map(Entry::describe).collect();
        json!({"pending": self.pending(), "next": next})
    }
}

impl<A: Aim> Entry<A> {
    fn describe(&self) -> Value {
        let mut shown = Map::new();
        shown.insert("fault".to_owned(), self.name.into());
        self.aim.show(&mut shown);
        shown.insert("delayMs".to_owned(), self.cue.delay_ms.into());
        shown.insert("times".to_owned(), self.times.into());
        shown.into()
    }
}

fn entry<A: Aim>(value: &Value) -> Result<Entry<A>, String> {
    let row = row(value)?;
    let is_known = |name: &String| MEMBERS.contains(&name.as_str()) || A::MEMBERS.contains(&name.as_str());
    if !value.as_object().into_iter().flat_map(Map::keys).all(is_known) {
        let known = [&MEMBERS[..1], A::MEMBERS, &MEMBERS[1..]].concat();
        return Err(format!("next: the members are {}", known.join(", ")));
    }
    Ok(Entry {
        name: row.name,
        cue: Cue { behaviour: row.behaviour, delay_ms: number(value, "delayMs", 0, DELAY_MAX_MS)? },
        aim: A::read(value, row.behaviour)?,
        times: number(value, "times", 1, PENDING_MAX)?.unwrap_or(1),
    })
}

/// An aim at what is sent unasked says so.
///
/// # Errors
/// This fault cannot strike it.
pub fn can_strike_notices(behaviour: Behaviour) -> Result<(), String> {
    let why = "next.fault of a notice must be one of slow, lost-request, lost-answer, malformed-body";
    strikes_notices(behaviour).map(drop).ok_or_else(|| why.to_owned())
}

/// The fault, if it can strike what is sent unasked, too.
fn strikes_notices(behaviour: Behaviour) -> Option<Fault> {
    match behaviour {
        Behaviour::Fault(fault) => match fault {
            Fault::Slow | Fault::LostRequest | Fault::LostAnswer | Fault::MalformedBody => Some(fault),
            Fault::ErrorBefore | Fault::ErrorAfter | Fault::TooManyRequests | Fault::Silence | Fault::NoticeFirst => {
                None
            }
        },
        Behaviour::Approve
        | Behaviour::Decline(_)
        | Behaviour::Accept(_)
        | Behaviour::AcceptThenFail
        | Behaviour::AcceptToken(_)
        | Behaviour::Challenge
        | Behaviour::Dispute(_) => None,
    }
}

fn row(value: &Value) -> Result<&'static Row, String> {
    let name = value.get("fault").and_then(Value::as_str);
    name.and_then(by_name).ok_or_else(|| {
        let names = TABLE.each_ref().map(|row| row.name).join(", ");
        format!("next.fault must be one of {names}")
    })
}

/// A member of an aim, if it is there.
///
/// # Errors
/// A message that names the member and what it can be.
pub fn choice<T>(
    value: &Value,
    name: &str,
    names: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, String> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(given) => match given.as_str().and_then(parse) {
            Some(known) => Ok(Some(known)),
            None => Err(format!("next.{name} must be one of {names}")),
        },
    }
}

fn number(value: &Value, name: &str, least: u64, most: u64) -> Result<Option<u64>, String> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(given) => match given.as_u64() {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            Some(_) | None => Err(format!("next.{name} must be from {least} to {most}")),
        },
    }
}
