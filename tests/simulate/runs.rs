//! What is said of the world of payment runs: of many histories, or of one.

use tests::auditor::Violation;
use tests::runs::{Happened, Plan, Totals, run};
use tests::story::caught;

use crate::Said;
use crate::arguments::Arguments;
use crate::figures::grouped;
use crate::hunt::Counted;
use crate::many::{hunted, said_of};
use crate::one::{REPLAY, verdict};

/// What many histories came to.
#[derive(Default)]
struct Sum {
    histories: u64,
    totals: Totals,
}

impl Counted for Sum {
    fn merge(&mut self, other: &Self) {
        self.histories += other.histories;
        self.totals.merge(&other.totals);
    }
}

/// Looks at a range of seeds.
pub fn look_at_many(arguments: &Arguments) -> Said {
    let hunted = hunted(arguments, happen)?;
    if arguments.until_violation {
        return Ok(hunted.first());
    }
    let Sum { histories, totals } = &hunted.tally;
    let mut text = said_of(&hunted.found, |seed| format!("{REPLAY} --world runs --seed {seed}"));
    text += &hunted.summary(*histories);
    text += &format!("\n{}", table(totals));
    let never = never(totals);
    if arguments.require_all {
        text += &never.iter().map(|name| format!("never: {name}\n")).collect::<String>();
    }
    Ok((text, hunted.found.is_empty() && (never.is_empty() || !arguments.require_all)))
}

/// Looks at one history.
pub fn look_at_one(seed: u64) -> Said {
    let plan = Plan::of(seed);
    let (totals, violation) = match caught(|| run(plan)).unwrap_or_else(Err) {
        Ok(totals) => (table(&totals), None),
        Err(violation) => (String::new(), Some(violation)),
    };
    let text = format!("{plan:?}\n{totals}verdict: {}\n", verdict(violation.as_ref()));
    Ok((text, violation.is_none()))
}

fn happen(seed: u64, sum: &mut Sum) -> Option<Violation> {
    sum.histories += 1;
    match run(Plan::of(seed)) {
        Ok(totals) => {
            sum.totals.merge(&totals);
            None
        }
        Err(violation) => Some(violation),
    }
}

fn table(totals: &Totals) -> String {
    let row = |happened: &Happened| format!("  {:<40}{:>14}\n", happened.name(), grouped(totals.of(*happened)));
    Happened::ALL.iter().map(row).collect()
}

fn never(totals: &Totals) -> Vec<&'static str> {
    let never = Happened::ALL.iter().filter(|happened| totals.of(**happened) == 0);
    never.map(|happened| happened.name()).collect()
}

#[cfg(test)]
mod test {
    use super::{Sum, happen, look_at_one, never, table};
    use tests::runs::{Happened, Totals};

    #[test]
    fn one_history_is_told_with_its_verdict() {
        let (text, is_well) = look_at_one(3).expect("no error");
        assert!(
            is_well && text.starts_with("Plan { seed: 3,") && text.ends_with("verdict: nothing is wrong\n"),
            "{text}"
        );
        let mut sum = Sum::default();
        assert_eq!(happen(3, &mut sum), None);
        assert!(sum.histories == 1 && text.contains(&table(&sum.totals)), "the same, counted: {text}");
    }

    #[test]
    fn what_never_happened_is_named() {
        let mut totals = Totals::default();
        Happened::ALL[1..].iter().for_each(|happened| totals.add(*happened, 1_234));
        assert_eq!(never(&totals), [Happened::ALL[0].name()]);
        assert_eq!(table(&totals).matches("1,234\n").count(), Happened::ALL.len() - 1);
    }
}
