//! The script of faults: what a test has asked to happen to the next deliveries.
//!
//! A script lives as long as the process. It belongs to the test that is running, not to the
//! ledger, so that a gateway that starts again starts without surprises.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use super::behaviour::{Behaviour, Fault, Row, TABLE, by_name};
use super::order::{Order, object};
use super::route::{Class, Kind};

/// Most faults that can be pending: more than a test can mean.
const PENDING_MAX: u64 = 1_000;

/// Longest delay that a script can ask for: longer than any client or function waits.
const DELAY_MAX_MS: u64 = 3_600_000;

/// The members of a scripted fault. Others are refused: a misspelt one would strike everything.
const MEMBERS: [&str; 5] = ["fault", "class", "kind", "delayMs", "times"];

/// What a script makes of one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cue {
    pub behaviour: Behaviour,
    pub delay_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: &'static str,
    cue: Cue,
    class: Option<Class>,
    subject: Option<Subject>,
    times: u64,
}

/// What a scripted fault waits for. One that does not say waits for any operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Operation(Kind),
    /// A body that the gateway sends unasked.
    Notice,
}

/// How a body that is sent unasked is called among the kinds of operation.
const NOTICE: &str = "notice";

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Operation(kind) => kind.name(),
            Self::Notice => NOTICE,
        }
    }

    fn by_name(name: &str) -> Option<Self> {
        if name == NOTICE { Some(Self::Notice) } else { Kind::by_name(name).map(Self::Operation) }
    }
}

/// What happens to a body that is sent unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mishap {
    pub fault: Fault,
    pub delay_ms: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    entries: VecDeque<Entry>,
}

impl Script {
    /// Adds what the body asks for, all of it or nothing.
    ///
    /// # Errors
    /// A message that names the member that is missing or wrong.
    pub fn add(&mut self, body: &[u8]) -> Result<(), String> {
        let body = object(body)?;
        let next = body.get("next").and_then(Value::as_array);
        let added: Vec<Entry> =
            next.ok_or("next must be an array of faults")?.iter().map(entry).collect::<Result<_, _>>()?;
        let times = added.iter().map(|entry| entry.times).sum::<u64>();
        if self.pending() + times > PENDING_MAX {
            return Err(format!("next: at most {PENDING_MAX} faults can be pending"));
        }
        self.entries.extend(added);
        Ok(())
    }

    /// Takes the oldest cue that is meant for this order.
    pub fn take(&mut self, order: &Order) -> Option<Cue> {
        let subject = Subject::Operation(order.kind);
        self.take_where(order.class, |entry| entry.subject.is_none_or(|meant| meant == subject))
    }

    /// Takes what the oldest cue does to what is sent unasked.
    pub fn take_for_notice(&mut self, class: Class) -> Option<Mishap> {
        let cue = self.take_where(class, |entry| entry.subject == Some(Subject::Notice))?;
        let fault = strikes_notices(cue.behaviour)?;
        Some(Mishap { fault, delay_ms: cue.delay_ms.unwrap_or(fault.delay_ms()) })
    }

    fn take_where(&mut self, class: Class, is_meant: impl Fn(&Entry) -> bool) -> Option<Cue> {
        let fits = |entry: &Entry| entry.class.is_none_or(|meant| meant == class) && is_meant(entry);
        let index = self.entries.iter().position(fits)?;
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
        let next: Vec<Value> = self
            .entries
            .iter()
            .map(|entry| {
                json!({
                    "fault": entry.name,
                    "class": entry.class,
                    "kind": entry.subject.map(Subject::name),
                    "delayMs": entry.cue.delay_ms,
                    "times": entry.times,
                })
            })
            .collect();
        json!({"pending": self.pending(), "next": next})
    }
}

fn entry(value: &Value) -> Result<Entry, String> {
    let row = row(value)?;
    let mut names = value.as_object().into_iter().flat_map(Map::keys);
    if !names.all(|name| MEMBERS.contains(&name.as_str())) {
        return Err(format!("next: the members are {}", MEMBERS.join(", ")));
    }
    let classes = Class::ALL.map(Class::name).join(", ");
    let kinds = format!("{}, {NOTICE}", Kind::ALL.map(Kind::name).join(", "));
    let subject = choice(value, "kind", &kinds, Subject::by_name)?;
    if subject == Some(Subject::Notice) && strikes_notices(row.behaviour).is_none() {
        return Err("next.fault of a notice must be one of slow, lost-request, lost-answer, malformed-body".to_owned());
    }
    Ok(Entry {
        name: row.name,
        cue: Cue { behaviour: row.behaviour, delay_ms: number(value, "delayMs", 0, DELAY_MAX_MS)? },
        class: choice(value, "class", &classes, Class::by_name)?,
        subject,
        times: number(value, "times", 1, PENDING_MAX)?.unwrap_or(1),
    })
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

fn choice<T>(value: &Value, name: &str, names: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, String> {
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
