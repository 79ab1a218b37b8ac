//! The cells of the protocol: how an operation stood, and what happened to it. Each that can be reached
//! must have been, over many histories; what cannot be reached is listed with its reason.

use kessai_functions::sandbox::Class;
use kessai_shared::payment::sequel::{Stage, What};
use kessai_shared::payment::{Action, Event, Operation, Outcome, Source, State, Verdict};
use kessai_shared::ports::Decision;
use kessai_shared::rejection::Rejection;

macro_rules! words {
    ($(#[doc = $doc:literal])* $list:ident of $name:ident { $($word:ident = $text:literal,)* }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum $name { $($word,)* }

        $(#[doc = $doc])*
        pub const $list: [&str; [$($text),*].len()] = [$($text,)*];
    };
}

words! {
    /// How an operation stood.
    STANDS of Stands {
        NotThere = "not there",
        Unsent = "unsent",
        InTime = "open, in time",
        Unknown = "open, unknown",
        Undoing = "open, being undone",
        Accepted = "accepted",
        NeedsPayer = "needs payer",
        Approved = "approved",
        Followed = "approved, followed",
        Declined = "declined",
        Voided = "voided",
        NeverReceived = "never received",
        Lapsed = "lapsed",
    }
}

words! {
    /// What happened.
    HAPPENED of Happened {
        Asked = "asked",
        AskedSomethingElse = "asked, something else",
        Due = "due",
        AnswerApproved = "answer: approved",
        AnswerAccepted = "answer: accepted",
        AnswerNeedsPayer = "answer: needs payer",
        AnswerDeclined = "answer: declined",
        AnswerNotSent = "answer: not sent",
        AnswerUnknown = "answer: unknown",
        LookUpApproved = "look-up: approved",
        LookUpAccepted = "look-up: accepted",
        LookUpNeedsPayer = "look-up: needs payer",
        LookUpDeclined = "look-up: declined",
        LookUpNeverReceived = "look-up: never received",
        LookUpUnknown = "look-up: unknown",
        LookUpNotSent = "look-up: not sent",
        ReversalVoided = "reversal: voided",
        ReversalUnknown = "reversal: unknown",
        ReversalNotSent = "reversal: not sent",
        NoticeApproved = "notice: approved",
        NoticeAccepted = "notice: accepted",
        NoticeNeedsPayer = "notice: needs payer",
        NoticeDeclined = "notice: declined",
        SequelFailed = "sequel: failed",
        SequelOpened = "sequel: disputed",
        SequelChargedBack = "sequel: charged back",
        SequelReversed = "sequel: dispute reversed",
    }
}

/// What merchants are told of.
pub const TOLD_OF: [&str; 4] = ["created", "pending", "verdict", "sequel"];

/// What became of a delivery.
pub const DELIVERED: [&str; 5] = ["taken", "taken again", "refused", "given up", "never told"];

/// Cells that cannot be reached: how it stands, how what happened begins, and why not.
const UNREACHABLE: &[(&str, &str, &str)] = &[
    ("not there", "due", NOT_THERE),
    ("not there", "asked, something else", NOT_THERE),
    ("not there", "answer", NOT_THERE),
    ("not there", "look-up", NOT_THERE),
    ("not there", "reversal", NOT_THERE),
    ("not there", "notice", NOT_THERE),
    ("not there", "sequel", NOT_THERE),
    ("unsent", "due", "nothing is left to do"),
    ("unsent", "answer: a", "the gateway was asked once, and did not hear it"),
    ("unsent", "answer: needs payer", "the gateway was asked once, and did not hear it"),
    ("unsent", "answer: declined", "the gateway was asked once, and did not hear it"),
    ("unsent", "answer: unknown", "the gateway was asked once, and did not hear it"),
    ("unsent", "look-up", "nobody looks for what was not sent"),
    ("unsent", "reversal", "nobody undoes what was not sent"),
    ("unsent", "notice", "the gateway knows nothing of it"),
    ("unsent", "sequel", "the gateway knows nothing of it"),
    ("open, in time", "reversal", UNDOING),
    ("open, unknown", "reversal", UNDOING),
    ("open, being undone", "answer", DEAD),
    ("open, being undone", "look-up", "a gateway that undoes by reference cannot be asked"),
    ("accepted", "answer: approved", "a key that comes again is answered as the first time"),
    ("accepted", "answer: declined", "a key that comes again is answered as the first time"),
    ("accepted", "answer: needs payer", PAYER),
    ("accepted", "look-up: needs payer", PAYER),
    ("accepted", "notice: needs payer", PAYER),
    ("accepted", "reversal", "what the gateway has taken is not undone"),
    ("accepted", "sequel: d", "what is disputed was approved at once"),
    ("accepted", "sequel: charged back", "what is disputed was approved at once"),
    ("needs payer", "answer: a", "a key that comes again is answered as the first time"),
    ("needs payer", "answer: declined", "a key that comes again is answered as the first time"),
    ("needs payer", "look-up: accepted", PAYER),
    ("needs payer", "notice: accepted", PAYER),
    ("needs payer", "reversal", "what the gateway has taken is not undone"),
    ("needs payer", "sequel", NO_SEQUEL),
    ("approved", "due", SETTLED),
    ("approved", "answer: declined", STEADY),
    ("approved", "look-up: declined", STEADY),
    ("approved", "reversal", UNDOING),
    ("approved", "notice: declined", STEADY),
    ("approved, followed", "due", SETTLED),
    ("approved, followed", "answer: needs payer", NO_SEQUEL),
    ("approved, followed", "answer: declined", STEADY),
    ("approved, followed", "look-up: needs payer", NO_SEQUEL),
    ("approved, followed", "look-up: declined", STEADY),
    ("approved, followed", "reversal", UNDOING),
    ("approved, followed", "notice: needs payer", NO_SEQUEL),
    ("approved, followed", "notice: declined", STEADY),
    ("declined", "sequel", "only what was approved has one"),
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
    ("never received", "look-up: needs payer", "the gateway has nothing to tell"),
    ("never received", "look-up: declined", "the gateway has nothing to tell"),
    ("never received", "reversal", "a gateway that can be asked is not asked to undo"),
    ("never received", "notice", "the gateway has nothing to tell"),
    ("never received", "sequel", "the gateway has nothing to tell"),
    ("lapsed", "due", SETTLED),
    ("lapsed", "answer", DEAD),
    ("lapsed", "reversal", "what lapses was not asked to be undone"),
];

/// Cells that a million histories may miss: a hundred million reach them.
const RARELY: &[(&str, &str)] = &[
    ("accepted", "answer: not sent"),
    ("needs payer", "answer: not sent"),
    ("needs payer", "look-up: never received"),
    ("open, in time", "look-up: needs payer"),
    ("open, being undone", "notice: accepted"),
    ("open, being undone", "notice: needs payer"),
    ("open, being undone", "sequel"),
    ("open, in time", "sequel"),
    ("open, unknown", "sequel"),
    ("approved", "answer: needs payer"),
    ("approved", "look-up: needs payer"),
    ("approved, followed", "answer: a"),
    ("approved, followed", "answer: not sent"),
    ("approved, followed", "look-up"),
    ("declined", "answer: needs payer"),
    ("declined", "look-up: needs payer"),
    ("voided", "notice: accepted"),
    ("voided", "notice: needs payer"),
    ("voided", "sequel"),
    ("lapsed", "sequel"),
    ("lapsed", "look-up"),
    ("lapsed", "notice: needs payer"),
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
    ("lapsed", "notice: accepted"),
];

const NOT_THERE: &str = "nothing can be heard of what is not there";
const UNDOING: &str = "who asks to undo it has marked it as being undone";
const DEAD: &str = "whoever asked for it is dead by then";
const SETTLED: &str = "what is settled is not due";
const STEADY: &str = "a gateway does not change its mind";
const PAYER: &str = "what needs its payer is never merely accepted";
const NO_SEQUEL: &str = "what needed its payer is neither disputed nor fails";
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
        _ => None,
    }
}

/// Why what merchants are to be told of cannot become this, if it cannot.
pub fn cannot_become(told_of: &str, became: &str) -> Option<&'static str> {
    match (told_of, became) {
        ("created" | "verdict" | "sequel", "never told") => Some("it stays true"),
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
        let (operation, happened) = match decision.event {
            Event::Requested { request, .. } => {
                let operation = payment.and_then(|payment| match &request.action {
                    Action::Open(_) => payment.operations.first(),
                    Action::Act(kind) => payment.operations.iter().find(|operation| {
                        operation.asked.kind.name() == kind.name() && operation.asked.key == request.key
                    }),
                });
                let differs = matches!(decision.follows, Err(Rejection::Mismatch { .. }));
                (operation, if differs { Happened::AskedSomethingElse } else { Happened::Asked })
            }
            Event::Learned { operation, source, outcome, .. } => {
                (payment.and_then(|payment| payment.operation(*operation)), heard(*source, outcome)?)
            }
            // What merchants are told is nothing that happens to an operation.
            Event::Told { .. } | Event::ToldAgain { .. } => return None,
            Event::Followed { operation, sequel } => {
                (payment.and_then(|payment| payment.operation(*operation)), followed(sequel.what))
            }
            Event::Due { .. } => {
                let operation = decision.follows.ok().and_then(|step| step.operation)?;
                (payment.and_then(|payment| payment.operation(operation)), Happened::Due)
            }
        };
        Some(Self { stands: stands(operation) as usize, happened: happened as usize })
    }
}

fn stands(operation: Option<&Operation>) -> Stands {
    let is_followed = operation.is_some_and(|operation| !operation.sequels.is_empty());
    match operation.map(|operation| &operation.state) {
        None => Stands::NotThere,
        Some(State::Unsent) => Stands::Unsent,
        Some(State::Open(open)) if open.undoing => Stands::Undoing,
        Some(State::Open(open)) if open.unknown => Stands::Unknown,
        Some(State::Open(_)) => Stands::InTime,
        Some(State::Accepted(accepted)) if accepted.action.is_some() => Stands::NeedsPayer,
        Some(State::Accepted(_)) => Stands::Accepted,
        Some(State::Settled(settled)) => match settled.verdict {
            Verdict::Approved if is_followed => Stands::Followed,
            Verdict::Approved => Stands::Approved,
            Verdict::Declined(_) => Stands::Declined,
            Verdict::Voided => Stands::Voided,
            Verdict::NeverReceived => Stands::NeverReceived,
            Verdict::Lapsed => Stands::Lapsed,
        },
    }
}

fn followed(what: What) -> Happened {
    match what {
        What::Failed => Happened::SequelFailed,
        What::Dispute(Stage::Opened) => Happened::SequelOpened,
        What::Dispute(Stage::ChargedBack) => Happened::SequelChargedBack,
        What::Dispute(Stage::Reversed | Stage::Lost) => Happened::SequelReversed,
    }
}

/// None where nobody in this world can say so.
fn heard(source: Source, outcome: &Outcome) -> Option<Happened> {
    match (source, outcome) {
        (Source::Answer, Outcome::Approved(_)) => Some(Happened::AnswerApproved),
        (Source::Answer, Outcome::Accepted(_)) => Some(Happened::AnswerAccepted),
        (Source::Answer, Outcome::ActionRequired(..)) => Some(Happened::AnswerNeedsPayer),
        (Source::Answer, Outcome::Declined(..)) => Some(Happened::AnswerDeclined),
        (Source::Answer, Outcome::NotSent) => Some(Happened::AnswerNotSent),
        (Source::Answer, Outcome::Unknown) => Some(Happened::AnswerUnknown),
        (Source::LookUp, Outcome::Approved(_)) => Some(Happened::LookUpApproved),
        (Source::LookUp, Outcome::Accepted(_)) => Some(Happened::LookUpAccepted),
        (Source::LookUp, Outcome::ActionRequired(..)) => Some(Happened::LookUpNeedsPayer),
        (Source::LookUp, Outcome::Declined(..)) => Some(Happened::LookUpDeclined),
        (Source::LookUp, Outcome::NeverReceived) => Some(Happened::LookUpNeverReceived),
        (Source::LookUp, Outcome::Unknown) => Some(Happened::LookUpUnknown),
        (Source::LookUp, Outcome::NotSent) => Some(Happened::LookUpNotSent),
        (Source::TimeoutReversal, Outcome::Voided(_)) => Some(Happened::ReversalVoided),
        (Source::TimeoutReversal, Outcome::Unknown) => Some(Happened::ReversalUnknown),
        (Source::TimeoutReversal, Outcome::NotSent) => Some(Happened::ReversalNotSent),
        (Source::Notice, Outcome::Approved(_)) => Some(Happened::NoticeApproved),
        (Source::Notice, Outcome::Accepted(_)) => Some(Happened::NoticeAccepted),
        (Source::Notice, Outcome::ActionRequired(..)) => Some(Happened::NoticeNeedsPayer),
        (Source::Notice, Outcome::Declined(..)) => Some(Happened::NoticeDeclined),
        (Source::Answer | Source::LookUp | Source::TimeoutReversal | Source::Notice | Source::Time, _) => None,
    }
}
