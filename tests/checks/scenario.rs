//! A history to order, in the simulator's words.

use kessai_functions::sandbox::{Class, Kind};
use tests::chance::{Fault, Faults, Script};
use tests::plan::{AMOUNT, Errand, Pays, Plan};
use tests::story::Story;
use tests::{Report, run_scripted};

#[derive(Clone)]
pub struct Scenario {
    pub plan: Plan,
    pub script: Script,
}

impl Scenario {
    /// Nothing fails but what is said, and nobody wants anything yet.
    pub fn at(class: Class) -> Self {
        let (faults, errands) = (Faults::NONE, Vec::new());
        let plan = Plan {
            seed: 1,
            class,
            model: None,
            by_door: true,
            strict: true,
            tells: false,
            endpoints: 0,
            faults,
            errands,
        };
        Self { plan, script: Script::default() }
    }

    /// Somebody opens a payment, and pays with the stored method that approves.
    pub fn opens(self, kind: Kind) -> Self {
        let pays = if kind == Kind::PostAuthorize { Pays::Card(0) } else { Pays::Method(0) };
        self.wants(kind, None, Some(AMOUNT), pays)
    }

    /// Somebody opens a payment with this.
    pub fn opens_with(self, kind: Kind, pays: Pays) -> Self {
        self.wants(kind, None, Some(AMOUNT), pays)
    }

    /// Somebody acts on what an earlier errand made, as soon as it is known.
    pub fn acts(self, kind: Kind, on: usize, amount: i64) -> Self {
        self.wants(kind, Some(on), Some(amount), Pays::Method(0))
    }

    fn wants(mut self, kind: Kind, on: Option<usize>, amount: Option<i64>, pays: Pays) -> Self {
        let (key, merchant) = (self.plan.errands.len(), 0);
        self.plan.errands.push(Errand { merchant, kind, on, key, amount, is_final: false, pays, after_ms: 0 });
        self
    }

    /// The last errand begins so much later.
    pub fn after(mut self, millis: i64) -> Self {
        self.last().after_ms = millis;
        self
    }

    /// The last errand is another process's try at what the one before wants: the same key.
    pub fn again(mut self) -> Self {
        let last = self.last().clone();
        self.plan.errands.push(last);
        self
    }

    fn last(&mut self) -> &mut Errand {
        self.plan.errands.last_mut().expect("an errand")
    }

    /// The gateway tells unasked.
    pub fn tells(mut self) -> Self {
        self.plan.tells = true;
        self
    }

    /// This call of this invocation meets a fault.
    pub fn suffers(mut self, task: usize, call: u32, fault: Fault) -> Self {
        self.script.faults.push((task, call, fault));
        self
    }

    pub fn always(mut self, fault: Fault) -> Self {
        self.script.always.push(fault);
        self
    }

    /// Calls of invocations are served in this order, one each 20 ms from then on.
    pub fn served(mut self, from_ms: i64, order: &[(usize, u32)]) -> Self {
        let moments = order.iter().zip(0..).map(|((task, call), place)| (*task, *call, from_ms + 20 * place));
        self.script.moments.extend(moments);
        self
    }

    /// Lets it happen as it was ordered: each fault must strike.
    pub fn happens(&self) -> Report {
        let report = self.happens_if_it_can();
        assert!(report.missed.is_empty(), "never struck: {:?}\n{}", report.missed, told(&report));
        report
    }

    /// Lets it happen, though what was ordered may not come to be; the auditor must have nothing to object to.
    pub fn happens_if_it_can(&self) -> Report {
        let report = run_scripted(&self.plan, self.script.clone(), Story::told());
        if let Some(violation) = &report.violation {
            panic!("{violation:?}\n{:?}\n{:?}\n{}", self.plan, self.script, told(&report));
        }
        report
    }
}

fn told(report: &Report) -> String {
    report.story.lines().iter().map(|line| format!("{line}\n")).collect()
}

/// What stands at the gateway of this kind, in minor units.
pub fn standing(report: &Report, kind: Kind) -> Vec<u64> {
    let stands = |(other, _, stands): &&(Kind, u64, bool)| *other == kind && *stands;
    report.ledger.iter().filter(stands).map(|(_, amount, _)| *amount).collect()
}

/// How often the gateway acted at all.
pub fn deeds(report: &Report, kind: Kind) -> usize {
    report.ledger.iter().filter(|(other, ..)| *other == kind).count()
}

/// What an errand heard last.
pub fn last_heard(report: &Report, errand: usize) -> u16 {
    report.heard[errand].last().copied().unwrap_or_default()
}
