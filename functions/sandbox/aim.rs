//! What a scripted fault of the sandbox is meant for: a class, a kind of operation, or what is sent unasked.

use serde_json::{Map, Value};

use super::behaviour::Behaviour;
use super::order::Order;
use super::route::{Class, Kind};
use super::script::{self, can_strike_notices, choice};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    class: Option<Class>,
    subject: Option<Subject>,
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

impl Aim {
    pub fn is_at(&self, order: &Order) -> bool {
        let subject = Subject::Operation(order.kind);
        self.is_in(order.class) && self.subject.is_none_or(|meant| meant == subject)
    }

    pub fn is_at_notices(&self, class: Class) -> bool {
        self.is_in(class) && self.subject == Some(Subject::Notice)
    }

    fn is_in(&self, class: Class) -> bool {
        self.class.is_none_or(|meant| meant == class)
    }
}

impl script::Aim for Aim {
    const MEMBERS: &'static [&'static str] = &["class", "kind"];

    fn read(entry: &Value, behaviour: Behaviour) -> Result<Self, String> {
        let classes = Class::ALL.map(Class::name).join(", ");
        let kinds = format!("{}, {NOTICE}", Kind::ALL.map(Kind::name).join(", "));
        let subject = choice(entry, "kind", &kinds, Subject::by_name)?;
        if subject == Some(Subject::Notice) {
            can_strike_notices(behaviour)?;
        }
        Ok(Self { class: choice(entry, "class", &classes, Class::by_name)?, subject })
    }

    fn show(&self, shown: &mut Map<String, Value>) {
        shown.insert("class".to_owned(), self.class.map(Class::name).into());
        shown.insert("kind".to_owned(), self.subject.map(Subject::name).into());
    }
}
