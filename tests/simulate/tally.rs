//! What many histories reached. Each thread has its own, so that counting costs nothing.

use kessai_functions::sandbox::Class;
use tests::Report;
use tests::auditor::VERDICTS;
use tests::cells::{DELIVERED, HAPPENED, STANDS, TOLD_OF};
use tests::chance::Fault;
use tests::plan::Plan;

use crate::hunt::Counted;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    pub histories: u64,
    pub requests: u64,
    /// How often each fault struck.
    pub struck: [u64; Fault::ALL.len()],
    /// How often each cell of the protocol was reached.
    pub cells: [[u64; HAPPENED.len()]; STANDS.len()],
    /// How operations ended, for each class of gateway.
    pub ended: [[u64; VERDICTS.len()]; Class::ALL.len()],
    /// What became of deliveries, by what they told of.
    pub deliveries: [[u64; DELIVERED.len()]; TOLD_OF.len()],
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            histories: 0,
            requests: 0,
            struck: [0; Fault::ALL.len()],
            cells: [[0; HAPPENED.len()]; STANDS.len()],
            ended: [[0; VERDICTS.len()]; Class::ALL.len()],
            deliveries: [[0; DELIVERED.len()]; TOLD_OF.len()],
        }
    }
}

impl Tally {
    /// Counts one history.
    pub fn count(&mut self, plan: &Plan, report: &Report) {
        self.histories += 1;
        self.requests += u64::from(report.auditor.requests);
        add(&mut self.struck, &report.struck);
        add(self.cells.as_flattened_mut(), report.auditor.cells.as_flattened());
        add(&mut self.ended[plan.class as usize], &report.auditor.ended);
        add(self.deliveries.as_flattened_mut(), report.auditor.deliveries.as_flattened());
    }
}

impl Counted for Tally {
    fn merge(&mut self, other: &Self) {
        self.histories += other.histories;
        self.requests += other.requests;
        add(&mut self.struck, &other.struck);
        add(self.cells.as_flattened_mut(), other.cells.as_flattened());
        add(self.ended.as_flattened_mut(), other.ended.as_flattened());
        add(self.deliveries.as_flattened_mut(), other.deliveries.as_flattened());
    }
}

fn add<N: Copy + Into<u64>>(counts: &mut [u64], more: &[N]) {
    for (count, more) in counts.iter_mut().zip(more) {
        *count += (*more).into();
    }
}

#[cfg(test)]
mod test {
    use super::Tally;
    use crate::hunt::Counted;
    use tests::plan::Plan;
    use tests::story::Story;

    #[test]
    fn what_two_threads_count_is_what_one_would() {
        let counted = |seeds: std::ops::Range<u64>| {
            let mut tally = Tally::default();
            for plan in seeds.map(Plan::of) {
                tally.count(&plan, &tests::run(&plan, Story::default()));
            }
            tally
        };
        let mut both = counted(0..100);
        both.merge(&counted(100..300));
        assert_eq!(both, counted(0..300));
        assert!(both.histories == 300 && both.requests > 300, "{} requests", both.requests);
    }
}
