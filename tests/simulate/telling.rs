//! A plan in sentences: where it plays, who wants what, and what may go wrong.

use kessai_functions::sandbox::{Class, Kind, TABLE};
use tests::chance::Fault;
use tests::endpoints::ENDPOINTS;
use tests::plan::{Errand, Pays, Plan};

/// The plan, with how often each fault struck.
pub fn sentences(plan: &Plan, struck: &[u32; Fault::ALL.len()]) -> Vec<String> {
    let Plan { seed, class, model, by_door, strict, tells, endpoints, faults, errands } = plan;
    let can = match class {
        Class::Keyed => "which honours idempotency keys and can be asked what became of a request",
        Class::LookUp => "which ignores idempotency keys, and can be asked what became of a request",
        Class::TimeoutReversal => "which cannot be asked, and undoes what has a reference",
        Class::None => "which can neither be asked nor undo",
    };
    let gateway = match model {
        None => format!("a gateway of class {}, {can}", class.name()),
        Some(played) => format!("the model of {}", played.facts().name),
    };
    let mut said = vec![format!("Seed {seed}, at {gateway}.")];
    let callers = if *by_door { "Callers speak HTTP" } else { "Requests are put behind the door" };
    let checks = if *strict { "Kessai checks reversals" } else { "reversals are left to the gateway" };
    let notices = if *tells { "the gateway sends notices" } else { "the gateway sends no notices" };
    said.push(format!("{callers}, {checks}, {notices}. Amounts are in cents."));
    let filters: Vec<String> = ENDPOINTS[*endpoints].iter().map(|filters| filters.join(" and ")).collect();
    if !filters.is_empty() {
        said.push(format!("Each merchant has endpoints for {}.", filters.join("; for ")));
    }
    said.extend(errands.iter().enumerate().map(|(place, errand)| wanted(place, errand)));
    let on = faults.iter().map(|fault| match struck[fault as usize] {
        0 => format!("{} (never did)", fault.name()),
        1 => format!("{} (once)", fault.name()),
        times => format!("{} ({times} times)", fault.name()),
    });
    let on = on.collect::<Vec<_>>().join("; ");
    said.push(if on.is_empty() { "No fault is on.".to_owned() } else { format!("May strike: {on}.") });
    said
}

fn wanted(place: usize, errand: &Errand) -> String {
    let Errand { merchant, kind, on, key, amount, is_final, pays, after_ms } = errand;
    let verb = match kind {
        Kind::Authorize => "authorize",
        Kind::Capture if *is_final => "capture, for the last time,",
        Kind::Capture => "capture",
        Kind::Reverse => "reverse",
        Kind::Sale => "sell for",
        Kind::Refund => "refund",
        Kind::PostAuthorize => "register a browser's authorization of",
        Kind::Tokenize => "keep a card for",
    };
    let amount = amount.map_or_else(|| "all that is left".to_owned(), |minor| minor.to_string());
    let (what, since) = match on {
        Some(on) => (format!(" of errand {on}"), "after that is known"),
        None if *kind == Kind::PostAuthorize => (String::new(), "after the start"),
        None => (format!(" with {}", means(*pays)), "after the start"),
    };
    format!(
        "Errand {place}: merchant {merchant} wants to {verb} {amount}{what} under key-{key}, {after_ms} ms {since}."
    )
}

/// A card or a stored method, and what the gateway makes of it.
fn means(pays: Pays) -> String {
    let (means, code) = match pays {
        Pays::Card(code) => ("a card", code),
        Pays::OtherCard => ("another card", 0),
        Pays::Method(code) => ("a stored method", code),
    };
    let name = TABLE.iter().find(|row| row.code == code).map_or("unknown", |row| row.name);
    format!("{means} ({name})")
}

#[cfg(test)]
mod test {
    use super::sentences;
    use kessai_functions::sandbox::{Class, Kind};
    use tests::chance::{Fault, Faults};
    use tests::plan::{Errand, Pays, Plan};

    #[test]
    fn a_plan_is_told_in_sentences() {
        let sale = Errand {
            merchant: 1,
            kind: Kind::Sale,
            on: None,
            key: 0,
            amount: Some(10_000),
            is_final: false,
            pays: Pays::Method(0),
            after_ms: 40,
        };
        let refund = Errand { kind: Kind::Refund, on: Some(0), key: 1, amount: None, after_ms: 3, ..sale.clone() };
        let plan = Plan {
            seed: 7,
            class: Class::None,
            model: None,
            by_door: false,
            strict: true,
            endpoints: 0,
            tells: false,
            faults: Faults::NONE.with(Fault::Killed).with(Fault::AnswerLost),
            errands: vec![sale, refund],
        };
        let mut struck = [0; Fault::ALL.len()];
        struck[Fault::AnswerLost as usize] = 2;
        let expected = [
            "Seed 7, at a gateway of class none, which can neither be asked nor undo.",
            "Requests are put behind the door, Kessai checks reversals, the gateway sends no notices. \
             Amounts are in cents.",
            "Errand 0: merchant 1 wants to sell for 10000 with a stored method (approve) under key-0, \
             40 ms after the start.",
            "Errand 1: merchant 1 wants to refund all that is left of errand 0 under key-1, 3 ms after that is known.",
            "May strike: worker: killed at an await (never did); network: answer lost (2 times).",
        ];
        assert_eq!(sentences(&plan, &struck), expected);
    }
}
