//! The cells of the protocol: how an operation stood, and what happened to it. Each that can be reached
//! must have been, over many histories; what cannot be reached is listed with its reason.

use kessai_shared::payment::{Action, Event, Operation, Outcome, Source, State, Verdict};
use kessai_shared::ports::Decision;
use kessai_shared::rejection::Rejection;

/// How an operation stood.
pub const STANDS: [&str; 11] = [
    "not there",
    "unsent",
    "open, in time",
    "open, unknown",
    "open, being undone",
    "accepted",
    "approved",
    "declined",
    "voided",
    "never received",
    "lapsed",
];

/// What happened.
pub const HAPPENED: [&str; 21] = [
    "asked",
    "asked, something else",
    "due",
    "answer: approved",
    "answer: accepted",
    "answer: declined",
    "answer: not sent",
    "answer: unknown",
    "look-up: approved",
    "look-up: accepted",
    "look-up: declined",
    "look-up: never received",
    "look-up: unknown",
    "reversal: voided",
    "reversal: unknown",
    "notice: approved",
    "notice: accepted",
    "notice: declined",
    "answer: never received",
    "look-up: not sent",
    "reversal: not sent",
];

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub stands: usize,
    pub happened: usize,
}

impl Cell {
    /// None where the decision was about no operation.
    pub fn of(decision: &Decision<'_>) -> Option<Self> {
        let payment = decision.before;
        match decision.event {
            Event::Requested { request, .. } => {
                let operation = payment.and_then(|payment| match &request.action {
                    Action::Open(_) => payment.operations.first(),
                    Action::Act(kind) => payment.operations.iter().find(|operation| {
                        operation.asked.kind.name() == kind.name() && operation.asked.key == request.key
                    }),
                });
                let differs = matches!(decision.follows, Err(Rejection::Mismatch { .. }));
                Some(Self { stands: stands(operation), happened: usize::from(differs) })
            }
            Event::Learned { operation, source, outcome, .. } => {
                let operation = payment.and_then(|payment| payment.operation(*operation));
                Some(Self { stands: stands(operation), happened: heard(*source, outcome)? })
            }
            Event::Due { .. } => {
                let operation = decision.follows.ok().and_then(|step| step.operation);
                let operation = operation.and_then(|operation| payment?.operation(operation));
                operation.map(|operation| Self { stands: stands(Some(operation)), happened: 2 })
            }
        }
    }
}

fn stands(operation: Option<&Operation>) -> usize {
    match operation.map(|operation| &operation.state) {
        None => 0,
        Some(State::Unsent) => 1,
        Some(State::Open(open)) if open.undoing => 4,
        Some(State::Open(open)) if open.unknown => 3,
        Some(State::Open(_)) => 2,
        Some(State::Accepted(_)) => 5,
        Some(State::Settled(settled)) => match settled.verdict {
            Verdict::Approved => 6,
            Verdict::Declined(_) => 7,
            Verdict::Voided => 8,
            Verdict::NeverReceived => 9,
            Verdict::Lapsed => 10,
        },
    }
}

fn heard(source: Source, outcome: &Outcome) -> Option<usize> {
    let name = match source {
        Source::Answer => "answer",
        Source::LookUp => "look-up",
        Source::TimeoutReversal => "reversal",
        Source::Notice => "notice",
        Source::Time => return None,
    };
    HAPPENED.iter().position(|known| known.strip_prefix(name).is_some_and(|rest| rest[2..] == *outcome.name()))
}
