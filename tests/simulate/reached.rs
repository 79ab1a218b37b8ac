//! What was not reached, and could have been. A rule that nothing ever puts to the test proves nothing.

use kessai_functions::sandbox::Class;
use tests::auditor::VERDICTS;
use tests::cells::{Cell, DELIVERED, HAPPENED, STANDS, TOLD_OF, cannot_become, cannot_end, is_rare, unreachable};
use tests::chance::Fault;

use crate::tally::Tally;

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Fault(Fault),
    Cell(Cell),
    Ended(Class, &'static str),
    /// By the places of what was told and what became of it.
    Delivered(usize, usize),
}

/// A place, and what is wrong with its count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// It was never reached, and no reason for that is known.
    Never(Place),
    /// There is a reason why it cannot be reached, and it was.
    Against(Place, &'static str),
}

impl Place {
    pub fn all() -> impl Iterator<Item = Self> {
        let faults = Fault::ALL.iter().copied().map(Self::Fault);
        let cells = (0..STANDS.len()).flat_map(|stands| (0..HAPPENED.len()).map(move |happened| (stands, happened)));
        let cells = cells.map(|(stands, happened)| Self::Cell(Cell { stands, happened }));
        let ended = Class::ALL.into_iter().flat_map(|class| VERDICTS.map(|verdict| Self::Ended(class, verdict)));
        let delivered = (0..TOLD_OF.len()).flat_map(|of| (0..DELIVERED.len()).map(move |became| (of, became)));
        faults.chain(cells).chain(ended).chain(delivered.map(|(of, became)| Self::Delivered(of, became)))
    }

    pub fn count(self, tally: &Tally) -> u64 {
        match self {
            Self::Fault(fault) => tally.struck[fault as usize],
            Self::Cell(cell) => tally.cells[cell.stands][cell.happened],
            Self::Delivered(of, became) => tally.deliveries[of][became],
            Self::Ended(class, verdict) => {
                let verdict = VERDICTS.iter().position(|known| *known == verdict);
                verdict.map_or(0, |verdict| tally.ended[class as usize][verdict])
            }
        }
    }

    /// Why it cannot be reached, if it cannot.
    pub fn cannot(self) -> Option<&'static str> {
        match self {
            Self::Fault(_) => None,
            Self::Cell(cell) => unreachable(cell),
            Self::Ended(class, verdict) => cannot_end(class, verdict),
            Self::Delivered(of, became) => cannot_become(TOLD_OF[of], DELIVERED[became]),
        }
    }

    /// Whether a million histories may miss it.
    pub fn is_rare(self) -> bool {
        match self {
            Self::Cell(cell) => is_rare(cell),
            Self::Fault(_) | Self::Ended(..) | Self::Delivered(..) => false,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Fault(fault) => format!("fault: {}", fault.name()),
            Self::Cell(cell) => format!("cell: {} × {}", STANDS[cell.stands], HAPPENED[cell.happened]),
            Self::Delivered(of, became) => format!("delivery: {}, {}", TOLD_OF[of], DELIVERED[became]),
            Self::Ended(class, verdict) => format!("end: {verdict}, at a gateway of class {}", class.name()),
        }
    }
}

/// Everything that is wrong with the counts.
pub fn gaps(tally: &Tally) -> Vec<Gap> {
    let gap = |place: Place| match (place.count(tally), place.cannot()) {
        (0, None) if !place.is_rare() => Some(Gap::Never(place)),
        (0, _) | (_, None) => None,
        (_, Some(why)) => Some(Gap::Against(place, why)),
    };
    Place::all().filter_map(gap).collect()
}

impl Gap {
    pub fn said(&self) -> String {
        match self {
            Self::Never(place) => format!("never reached: {}", place.name()),
            Self::Against(place, why) => format!("reached, although it cannot be ({why}): {}", place.name()),
        }
    }
}

#[cfg(test)]
mod test {
    use super::{Cell, Gap, Place, gaps};
    use crate::tally::Tally;
    use tests::chance::Fault;

    #[test]
    fn what_never_happened_is_a_gap_unless_it_cannot_or_rarely_does() {
        let can = Place::all().filter(|place| place.cannot().is_none() && !place.is_rare());
        assert_eq!(gaps(&Tally::default()), can.map(Gap::Never).collect::<Vec<_>>());
    }

    #[test]
    fn what_cannot_happen_and_did_is_a_gap() {
        let mut tally = Tally::default();
        let not_there_and_due = Place::Cell(Cell { stands: 0, happened: 2 });
        tally.cells[0][2] = 1;
        let why = not_there_and_due.cannot().expect("a reason");
        assert!(gaps(&tally).contains(&Gap::Against(not_there_and_due, why)));
    }

    #[test]
    fn what_happened_once_is_none() {
        let mut tally = Tally::default();
        tally.struck[Fault::Killed as usize] = 1;
        assert!(!gaps(&tally).contains(&Gap::Never(Place::Fault(Fault::Killed))));
        assert!(gaps(&tally).contains(&Gap::Never(Place::Fault(Fault::DyingWish))));
    }
}
