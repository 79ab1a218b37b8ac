//! The cells of the protocol: how an operation stood, and what happened to it. Each that can be reached
//! must have been, over many histories; what cannot be reached is listed with its reason.

use kessai_functions::sandbox::Class;
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
pub const HAPPENED: [&str; 20] = [
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
    "look-up: not sent",
    "reversal: not sent",
];

/// Cells that cannot be reached: how it stands, how what happened begins, and why not.
const UNREACHABLE: &[(&str, &str, &str)] = &[
    ("not there", "due", NOT_THERE),
    ("not there", "asked, something else", NOT_THERE),
    ("not there", "answer", NOT_THERE),
    ("not there", "look-up", NOT_THERE),
    ("not there", "reversal", NOT_THERE),
    ("not there", "notice", NOT_THERE),
    ("unsent", "due", "nothing is left to do"),
    ("unsent", "answer: a", "the gateway was asked once, and did not hear it"),
    ("unsent", "answer: declined", "the gateway was asked once, and did not hear it"),
    ("unsent", "answer: unknown", "the gateway was asked once, and did not hear it"),
    ("unsent", "look-up", "nobody looks for what was not sent"),
    ("unsent", "reversal", "nobody undoes what was not sent"),
    ("unsent", "notice", "the gateway knows nothing of it"),
    ("open, in time", "reversal", UNDOING),
    ("open, unknown", "reversal", UNDOING),
    ("open, being undone", "answer", DEAD),
    ("open, being undone", "look-up", "a gateway that undoes by reference cannot be asked"),
    ("accepted", "answer: approved", "a key that comes again is answered as the first time"),
    ("accepted", "answer: declined", "a key that comes again is answered as the first time"),
    ("accepted", "reversal", "what the gateway has taken is not undone"),
    ("approved", "due", SETTLED),
    ("approved", "answer: declined", STEADY),
    ("approved", "look-up: declined", STEADY),
    ("approved", "reversal", UNDOING),
    ("approved", "notice: declined", STEADY),
    ("declined", "due", SETTLED),
    ("declined", "answer: approved", STEADY),
    ("declined", "look-up: approved", STEADY),
    ("declined", "notice: approved", STEADY),
    ("voided", "due", SETTLED),
    ("voided", "answer", DEAD),
    ("voided", "look-up", "a gateway that undoes by reference cannot be asked"),
    ("voided", "reversal: not sent", RARE),
    ("voided", "reversal: unknown", RARE),
    ("never received", "due", SETTLED),
    ("never received", "answer", DEAD),
    ("never received", "look-up: a", "the gateway has nothing to tell"),
    ("never received", "look-up: declined", "the gateway has nothing to tell"),
    ("never received", "reversal", "a gateway that can be asked is not asked to undo"),
    ("never received", "notice", "the gateway has nothing to tell"),
    ("lapsed", "due", SETTLED),
    ("lapsed", "answer", DEAD),
    ("lapsed", "look-up", "a gateway that can be asked leaves nothing to lapse"),
    ("lapsed", "reversal", "what lapses was not asked to be undone"),
    ("lapsed", "notice: accepted", "it is told at once, or never"),
];

/// Cells that a million histories may miss: a hundred million reach them.
const RARELY: &[(&str, &str)] = &[
    ("accepted", "answer: not sent"),
    ("open, in time", "look-up: accepted"),
    ("open, unknown", "look-up: accepted"),
    ("approved", "look-up: accepted"),
    ("approved", "look-up: never received"),
    ("approved", "answer: not sent"),
    ("declined", "look-up: accepted"),
    ("declined", "look-up: never received"),
    ("declined", "answer: not sent"),
    ("declined", "reversal"),
    ("accepted", "look-up: never received"),
    ("lapsed", "asked, something else"),
];

const NOT_THERE: &str = "nothing can be heard of what is not there";
const UNDOING: &str = "who asks to undo it has marked it as being undone";
const DEAD: &str = "whoever asked for it is dead by then";
const SETTLED: &str = "what is settled is not due";
const STEADY: &str = "a gateway does not change its mind";
const RARE: &str = "two workers would have to undo it side by side";

/// Why a cell cannot be reached, if it cannot.
pub fn unreachable(cell: Cell) -> Option<&'static str> {
    let (stands, happened) = (STANDS[cell.stands], HAPPENED[cell.happened]);
    let row = UNREACHABLE.iter().find(|(how, what, _)| *how == stands && happened.starts_with(what));
    row.map(|(_, _, why)| *why)
}

/// Whether a million histories may miss it.
pub fn is_rare(cell: Cell) -> bool {
    let (stands, happened) = (STANDS[cell.stands], HAPPENED[cell.happened]);
    RARELY.iter().any(|(how, what)| *how == stands && happened.starts_with(what))
}

/// Why an operation at this class of gateway cannot end so, if it cannot.
pub fn cannot_end(class: Class, verdict: &str) -> Option<&'static str> {
    match (class, verdict) {
        (Class::Keyed | Class::LookUp | Class::None, "voided") => Some("it cannot undo by reference"),
        (Class::TimeoutReversal | Class::None, "never received") => Some("it cannot be asked"),
        (Class::Keyed | Class::LookUp, "lapsed" | "still open") => Some("it can be asked"),
        _ => None,
    }
}

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
