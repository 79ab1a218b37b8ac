//! A shorter history that fails too. Whoever reads a failure wants to read only what it takes: few errands,
//! few faults, few lines.
//!
//! What is taken away shifts every draw that comes after it, and a failure rarely survives that with the
//! same seed. So every shorter plan is tried with [`OTHER_SEEDS`] other seeds as well: the plan stays as it
//! is, only chance is drawn anew. A plan is taken if it breaks the same rule and is smaller. Nothing here is
//! left to chance, and [`MOST_TRIES`] bounds it.

use std::fmt::Write;

use crate::chance::Faults;
use crate::models::Played;
use crate::plan::{Errand, Plan};
use crate::story::{Story, caught};
use crate::world::World;

/// How many other seeds are tried with each plan.
const OTHER_SEEDS: u64 = 200;

/// About a minute of histories.
const MOST_TRIES: u32 = 1_000_000;

/// What is left of a plan.
#[derive(Debug, PartialEq, Eq)]
pub struct Shrunk {
    pub plan: Plan,
    /// The rule that both break.
    pub rule: String,
    /// How many histories were tried.
    pub tries: u32,
}

/// Fewer errands count more than fewer faults, and those more than a shorter story.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Size {
    errands: usize,
    faults: usize,
    tells: bool,
    endpoints: bool,
    lines: usize,
}

/// The smallest plan that was found to break the same rule; none where this one breaks none. What fails
/// says which rule.
pub fn shrink(plan: &Plan, fails: impl Fn(&Plan) -> Option<String>) -> Option<Shrunk> {
    let rule = fails(plan)?;
    let mut search = Search { fails, rule, tries: 1 };
    let (mut plan, mut size) = (plan.clone(), size_of(plan));
    while let Some((smaller, its_size)) = search.smaller(&plan, size) {
        (plan, size) = (smaller, its_size);
    }
    Some(Shrunk { plan, rule: search.rule, tries: search.tries })
}

struct Search<F> {
    fails: F,
    rule: String,
    tries: u32,
}

impl<F: Fn(&Plan) -> Option<String>> Search<F> {
    /// The first variation that has a smaller plan.
    fn smaller(&mut self, plan: &Plan, size: Size) -> Option<(Plan, Size)> {
        variations(plan).into_iter().find_map(|variation| self.smallest(&variation).filter(|(_, found)| *found < size))
    }

    /// Of one plan under many seeds, the shortest story that fails.
    fn smallest(&mut self, plan: &Plan) -> Option<(Plan, Size)> {
        let seeds = std::iter::once(plan.seed).chain(0..OTHER_SEEDS);
        let plans = seeds.map(|seed| Plan { seed, ..plan.clone() });
        let failing = plans.filter(|plan| self.still_fails(plan)).map(|plan| (size_of(&plan), plan));
        failing.min_by_key(|(size, _)| *size).map(|(size, plan)| (plan, size))
    }

    fn still_fails(&mut self, plan: &Plan) -> bool {
        self.tries += 1;
        self.tries <= MOST_TRIES && (self.fails)(plan).is_some_and(|rule| rule == self.rule)
    }
}

/// Everything that can be taken away, one at a time; then the same plan another way.
fn variations(plan: &Plan) -> Vec<Plan> {
    let fewer_errands = (0..plan.errands.len()).rev().map(|errand| plan.without(errand));
    let fewer_faults = plan.faults.iter().map(|fault| Plan { faults: plan.faults.without(fault), ..plan.clone() });
    let silent = Plan { tells: false, ..plan.clone() };
    let untold = Plan { endpoints: 0, ..plan.clone() };
    let otherwise = Plan { by_door: !plan.by_door, ..plan.clone() };
    fewer_errands.chain(fewer_faults).chain([silent, untold, otherwise, plan.clone()]).collect()
}

fn size_of(plan: &Plan) -> Size {
    let mut world = World::new(plan.clone(), Story::told());
    // It may end in a panic: its story is as long as it came.
    let _ = caught(|| {
        world.begin();
        world.go_on();
    });
    let Plan { errands, faults, tells, endpoints, .. } = plan;
    let (errands, faults, lines) = (errands.len(), faults.iter().count(), world.story.lines().len());
    Size { errands, faults, tells: *tells, endpoints: *endpoints > 0, lines }
}

/// The plan as a test would write it.
pub fn as_rust(plan: &Plan) -> String {
    let Plan { seed, class, model, by_door, strict, tells, endpoints, faults, errands } = plan;
    let mut text = format!(
        "Plan {{\n    seed: {seed},\n    class: Class::{class:?},\n    model: {},\n    by_door: {by_door},\n",
        model_as_rust(*model)
    );
    let _ = writeln!(text, "    strict: {strict},\n    tells: {tells},\n    endpoints: {endpoints},");
    let _ = writeln!(text, "    faults: {},", faults_as_rust(*faults));
    text.push_str("    errands: vec![\n");
    for Errand { merchant, kind, on, key, amount, is_final, pays, after_ms } in errands {
        let _ = writeln!(
            text,
            "        Errand {{ merchant: {merchant}, kind: Kind::{kind:?}, on: {on:?}, key: {key}, amount: {amount:?}, \
             is_final: {is_final}, pays: Pays::{pays:?}, after_ms: {after_ms} }},"
        );
    }
    text.push_str("    ],\n}\n");
    text
}

fn model_as_rust(model: Option<Played>) -> String {
    model.map_or("None".to_owned(), |played| format!("Some(Played::{played:?})"))
}

fn faults_as_rust(faults: Faults) -> String {
    faults.iter().fold("Faults::NONE".to_owned(), |text, fault| format!("{text}.with(Fault::{fault:?})"))
}

#[cfg(test)]
mod tests {
    use kessai_functions::sandbox::{Class, Kind};

    use super::{Shrunk, as_rust, shrink};
    use crate::chance::{Fault, Faults};
    use crate::plan::{Errand, Pays, Plan};
    use crate::story::{Told, caught, tell};

    /// Not wrong at all, but rare: it takes two errands and one fault.
    fn refunds_while_answers_are_lost(plan: &Plan) -> Option<String> {
        let can = plan.faults.has(Fault::AnswerLost) && plan.errands.iter().any(|errand| errand.kind == Kind::Refund);
        let Told { lines, struck, .. } = can.then(|| tell(plan))?;
        let refunds = lines.iter().any(|line| line.what.starts_with("enters refund"));
        (refunds && struck[Fault::AnswerLost as usize] > 0).then(|| "refunds while answers are lost".to_owned())
    }

    fn errand(kind: Kind, on: Option<usize>, key: usize) -> Errand {
        let (amount, pays) = (Some(10_000), Pays::Method(0));
        Errand { merchant: 0, kind, on, key, amount, is_final: false, pays, after_ms: 40 }
    }

    /// A plan of many errands and faults, with the first seed under which it fails.
    fn long(fails: impl Fn(&Plan) -> Option<String>) -> Plan {
        let faults =
            [Fault::Killed, Fault::AnswerLost, Fault::ClockDiffers].into_iter().fold(Faults::NONE, Faults::with);
        let errands = vec![
            errand(Kind::Authorize, None, 0),
            errand(Kind::Sale, None, 1),
            errand(Kind::Capture, Some(0), 2),
            errand(Kind::Refund, Some(1), 3),
        ];
        let plan = Plan {
            seed: 0,
            class: Class::LookUp,
            model: None,
            by_door: false,
            strict: true,
            tells: true,
            endpoints: 0,
            faults,
            errands,
        };
        let mut plans = (0..1_000).map(|seed| Plan { seed, ..plan.clone() });
        plans.find(|plan| fails(plan).is_some()).expect("a history that fails")
    }

    #[test]
    fn what_it_does_not_take_is_gone() {
        let plan = long(refunds_while_answers_are_lost);
        let Shrunk { plan: shorter, rule, .. } = shrink(&plan, refunds_while_answers_are_lost).expect("it fails");
        let kinds: Vec<Kind> = shorter.errands.iter().map(|errand| errand.kind).collect();
        assert_eq!(rule, "refunds while answers are lost");
        assert_eq!(kinds, [Kind::Sale, Kind::Refund]);
        assert_eq!(shorter.faults, Faults::NONE.with(Fault::AnswerLost));
        assert!(!shorter.tells);
        assert!(tell(&shorter).lines.len() < tell(&plan).lines.len());
        assert_eq!(refunds_while_answers_are_lost(&shorter), Some(rule));
    }

    #[test]
    fn the_same_plan_is_shrunk_to_the_same_plan() {
        let kills = |plan: &Plan| {
            let kills =
                plan.seed < 20 && plan.faults.has(Fault::Killed) && tell(plan).struck[Fault::Killed as usize] > 1;
            kills.then(|| "kills twice".to_owned())
        };
        let plan = long(kills);
        let (once, again) = (shrink(&plan, kills), shrink(&plan, kills));
        assert_eq!(once, again);
        assert!(once.is_some_and(|shrunk| shrunk.plan != plan));
    }

    #[test]
    fn a_plan_that_breaks_another_rule_is_not_taken() {
        let by_length = |plan: &Plan| {
            let rule = if plan.errands.len() > 3 { "many" } else { "few" };
            (plan.seed < 2).then(|| rule.to_owned())
        };
        let shorter = shrink(&long(by_length), by_length).expect("it fails");
        assert_eq!((shorter.rule.as_str(), shorter.plan.errands.len()), ("many", 4));
    }

    #[test]
    fn what_holds_is_not_shrunk() {
        assert_eq!(shrink(&Plan::of(0), |_| None), None);
    }

    #[test]
    fn a_panic_is_a_rule_like_others() {
        let violation = caught(|| assert!(Plan::of(0).errands.is_empty(), "errands")).expect_err("a panic");
        assert_eq!((violation.rule, violation.what.as_str()), ("panic", "errands"));
    }

    #[test]
    fn a_plan_is_written_as_a_test_would() {
        let plan = Plan {
            seed: 7,
            class: Class::LookUp,
            model: None,
            by_door: false,
            strict: true,
            tells: false,
            endpoints: 0,
            faults: Faults::NONE.with(Fault::Killed).with(Fault::AnswerLost),
            errands: vec![Errand { pays: Pays::Card(9001), merchant: 1, ..errand(Kind::Sale, None, 0) }],
        };
        let text = as_rust(&plan);
        assert!(
            text.starts_with(
                "Plan {\n    seed: 7,\n    class: Class::LookUp,\n    model: None,\n    by_door: false,\n"
            ),
            "{text}"
        );
        assert!(text.contains("    faults: Faults::NONE.with(Fault::Killed).with(Fault::AnswerLost),\n"), "{text}");
        let errand = "Errand { merchant: 1, kind: Kind::Sale, on: None, key: 0, amount: Some(10000), \
                      is_final: false, pays: Pays::Card(9001), after_ms: 40 },";
        assert!(text.contains(errand), "{text}");
    }
}
