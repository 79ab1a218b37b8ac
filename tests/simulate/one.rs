//! One history: how it went, told, shortened, drawn.

use std::fs;
use std::iter::once;
use std::panic::{set_hook, take_hook};

use tests::auditor::Violation;
use tests::plan::Plan;
use tests::shrink::{Shrunk, as_rust, shrink};
use tests::story::{Story, Told, caught, tell};
use tests::timeline::draw;

use crate::Said;
use crate::arguments::Arguments;
use crate::figures::grouped;
use crate::telling::sentences;

/// How this command is called.
pub const REPLAY: &str = "cargo run --release -p tests --bin simulate --";

/// Looks at one history, in every way that was asked for.
pub fn look_at(seed: u64, arguments: &Arguments) -> Said {
    let plan = Arguments::plan(arguments.gateway, seed);
    let told = tell(&plan);
    let mut text = String::new();
    if arguments.trace {
        text += &story(&plan, &told);
    } else {
        text += &format!("seed {seed}: {}\n", verdict(told.violation.as_ref()));
    }
    if let Some(path) = &arguments.timeline {
        let title = format!("Seed {seed}, at a gateway of class {}", plan.class.name());
        fs::write(path, draw(&title, &told.lines, &end(&told)))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if arguments.shrink {
        text += &shortened(&plan);
    }
    Ok((text, told.violation.is_none()))
}

/// What was wanted, what happened, what rests, and whether all is well.
fn story(plan: &Plan, told: &Told) -> String {
    let lines = told.lines.iter().map(ToString::to_string);
    let blank = || once(String::new());
    let all = sentences(plan, &told.struck).into_iter().chain(blank()).chain(lines).chain(blank()).chain(end(told));
    all.map(|line| line + "\n").collect()
}

/// What rests, and whether all is well.
fn end(told: &Told) -> Vec<String> {
    let verdict = format!("verdict: {}", verdict(told.violation.as_ref()));
    told.rests.iter().cloned().chain(once(verdict)).collect()
}

pub fn verdict(violation: Option<&Violation>) -> String {
    match violation {
        None => "nothing is wrong".to_owned(),
        Some(Violation { rule, what }) => format!("violates \"{rule}\": {what}"),
    }
}

/// A shorter plan, and its story.
fn shortened(plan: &Plan) -> String {
    let usual = take_hook();
    set_hook(Box::new(|_| {}));
    let shrunk = shrink(plan, broken_rule);
    let Some(Shrunk { plan: shorter, tries, .. }) = shrunk else {
        set_hook(usual);
        return "there is nothing to shorten: it breaks no rule\n".to_owned();
    };
    let told = tell(&shorter);
    set_hook(usual);
    let Plan { errands, faults, .. } = plan;
    format!(
        "\nAfter {} histories, of {} errands and {} faults these are left:\n\n{}\n{}",
        grouped(tries.into()),
        errands.len(),
        faults.iter().count(),
        as_rust(&shorter),
        story(&shorter, &told)
    )
}

fn broken_rule(plan: &Plan) -> Option<String> {
    let ended = caught(|| tests::run(plan, Story::default()).violation).unwrap_or_else(Some);
    ended.map(|violation| violation.rule.to_owned())
}

#[cfg(test)]
mod test {
    use super::{shortened, story};
    use tests::plan::Plan;
    use tests::story::tell;

    #[test]
    fn a_story_says_what_was_wanted_what_happened_and_what_rests() {
        let plan = Plan::of(7);
        let told = tell(&plan);
        let text = story(&plan, &told);
        let parts = [
            "Seed 7, ",
            "Errand 0: ",
            "\n\n",
            "writes version 1",
            "\n\ntable: payment 0",
            "verdict: nothing is wrong\n",
        ];
        let mut rest = text.as_str();
        for part in parts {
            rest = rest.split_once(part).unwrap_or_else(|| panic!("{part} in {text}")).1;
        }
        assert_eq!(rest, "");
    }

    #[test]
    fn the_same_seed_is_the_same_story() {
        let text = || story(&Plan::of(11), &tell(&Plan::of(11)));
        assert_eq!(text(), text());
    }

    #[test]
    fn what_breaks_no_rule_is_not_shortened() {
        assert_eq!(shortened(&Plan::of(7)), "there is nothing to shorten: it breaks no rule\n");
    }
}
