//! How one delivery of an operation is treated: what the gateway decides, and what the world does to
//! the answer.

use super::answer::Answer;
use super::behaviour::{Behaviour, Fault};
use super::model::Delivery;
use super::script::Cue;

/// A delivery of an operation, treated.
pub struct Treatment {
    /// What the gateway decides when it acts; a fault here decides nothing.
    pub behaviour: Behaviour,
    pub delay_ms: u64,
    fault: Option<Fault>,
}

impl Treatment {
    /// The world lets this delivery through.
    pub fn unstruck(behaviour: Behaviour) -> Self {
        Self { behaviour, delay_ms: 0, fault: None }
    }

    /// What a card or an amount asks for happens.
    pub fn magic(behaviour: Behaviour) -> Self {
        match behaviour {
            Behaviour::Fault(fault) => Self { behaviour, delay_ms: fault.delay_ms(), fault: Some(fault) },
            Behaviour::Approve
            | Behaviour::Decline(_)
            | Behaviour::Accept(_)
            | Behaviour::AcceptThenFail
            | Behaviour::AcceptToken(_)
            | Behaviour::Challenge
            | Behaviour::Dispute(_) => Self::unstruck(behaviour),
        }
    }

    /// A scripted fault of the world leaves the decision to the card and the amount; any other
    /// scripted behaviour decides in their place.
    pub fn scripted(cue: Cue, magic: Behaviour) -> Self {
        let usual = match Self::magic(cue.behaviour) {
            struck @ Self { fault: Some(_), .. } => Self { behaviour: magic, ..struck },
            decided => decided,
        };
        Self { delay_ms: cue.delay_ms.unwrap_or(usual.delay_ms), ..usual }
    }

    /// Whether the gateway carries the operation out.
    pub fn acts(&self) -> bool {
        self.fault.is_none_or(Fault::acts)
    }

    /// Whether what the gateway tells unasked overtakes its answer.
    pub fn tells_first(&self) -> bool {
        self.fault == Some(Fault::NoticeFirst)
    }

    /// What is left of the answer that was meant.
    pub fn deliver(&self, meant: Answer) -> (Answer, Delivery) {
        match self.fault {
            None | Some(Fault::Slow | Fault::NoticeFirst) => (meant, Delivery::Answered),
            Some(Fault::LostRequest | Fault::LostAnswer) => (meant, Delivery::Closed),
            Some(Fault::ErrorBefore | Fault::ErrorAfter) => (Answer::internal_error(), Delivery::Answered),
            Some(Fault::TooManyRequests) => {
                let answer = Answer::error(429, "too_many_requests", "try again later");
                (answer.with("retry-after", "1"), Delivery::Answered)
            }
            Some(Fault::MalformedBody) => (meant.cut_short(), Delivery::Answered),
            Some(Fault::Silence) => (meant, Delivery::Silent),
        }
    }
}
