//! The table of what happened sometimes: faults, cells of the protocol, ends and deliveries, each with its count.

use std::fmt::Write;

use kessai_functions::sandbox::Class;
use tests::auditor::VERDICTS;
use tests::cells::{Cell, DELIVERED, HAPPENED, STANDS, TOLD_OF};
use tests::chance::Fault;

use crate::figures::short;
use crate::reached::{Gap, Place};
use crate::tally::Tally;

/// How wide a row's name is, and a column.
const NAME: usize = 24;
const COLUMN: usize = 10;

/// What stands in a place of a table.
type Entry = fn(&Tally, Place) -> String;

/// All of it.
pub fn table(tally: &Tally, gaps: &[Gap]) -> String {
    let mut text =
        format!("\n{}\n{}\n{}\n{}", faults(tally, entry), cells(tally, entry), ends(tally), deliveries(tally, entry));
    text.push_str("\n·   cannot be reached\n0   is so rare that a million histories may miss it\n0!  can be reached, and was not\n!   was reached, and cannot be\n");
    let _ = writeln!(text, "{} gaps{}", gaps.len(), if gaps.is_empty() { "" } else { "; --require-all names them" });
    text
}

/// What happened at one gateway's model: nobody has said there what cannot.
pub fn at_model(tally: &Tally) -> String {
    let mut ends = "Ends: how operations ended\n".to_owned();
    for (place, verdict) in VERDICTS.into_iter().enumerate() {
        let count: u64 = tally.ended.iter().map(|ended| ended[place]).sum();
        ends += &row(verdict, [short(count)].into_iter());
    }
    format!("\n{}\n{}\n{ends}\n{}", faults(tally, plain), cells(tally, plain), deliveries(tally, plain))
}

fn plain(tally: &Tally, place: Place) -> String {
    match place.count(tally) {
        0 => "·".to_owned(),
        count => short(count),
    }
}

fn faults(tally: &Tally, entry: Entry) -> String {
    let mut text = "Faults, and how often each struck\n".to_owned();
    let half = Fault::ALL.len().div_ceil(2);
    let (left, right) = Fault::ALL.split_at(half);
    for (row, fault) in left.iter().enumerate() {
        let pair = [Some(fault), right.get(row)].into_iter().flatten();
        let pair = pair.map(|fault| format!("  {:<46}{:>COLUMN$}", fault.name(), entry(tally, Place::Fault(*fault))));
        let _ = writeln!(text, "{}", pair.collect::<String>());
    }
    text
}

fn cells(tally: &Tally, entry: Entry) -> String {
    let mut text = "Cells: what happened (rows) to an operation that stood so (columns)\n".to_owned();
    text += &headings(&STANDS);
    let mut group = "";
    for happened in grouped_rows() {
        let source = source(HAPPENED[happened]);
        if !group.is_empty() && source != group {
            text.push('\n');
        }
        group = source;
        let cells = (0..STANDS.len()).map(|stands| entry(tally, Place::Cell(Cell { stands, happened })));
        text += &row(HAPPENED[happened], cells);
    }
    text
}

/// What was said by the same belongs together.
fn grouped_rows() -> Vec<usize> {
    let mut rows: Vec<usize> = (0..HAPPENED.len()).collect();
    rows.sort_by_key(|row| HAPPENED.iter().position(|known| source(known) == source(HAPPENED[*row])));
    rows
}

/// Who said it; nobody where somebody only asked, or time passed.
fn source(happened: &'static str) -> &'static str {
    happened.split_once(':').map_or("no source", |(source, _)| source)
}

fn ends(tally: &Tally) -> String {
    let mut text = "Ends: how operations ended (rows) at each class of gateway (columns)\n".to_owned();
    text += &headings(&Class::ALL.map(Class::name));
    for verdict in VERDICTS {
        text += &row(verdict, Class::ALL.into_iter().map(|class| entry(tally, Place::Ended(class, verdict))));
    }
    text
}

fn deliveries(tally: &Tally, entry: Entry) -> String {
    let mut text = "Deliveries: what became (rows) of what merchants were to be told (columns)\n".to_owned();
    text += &headings(&TOLD_OF);
    for (became, name) in DELIVERED.into_iter().enumerate() {
        text += &row(name, (0..TOLD_OF.len()).map(|of| entry(tally, Place::Delivered(of, became))));
    }
    text
}

fn entry(tally: &Tally, place: Place) -> String {
    match (place.count(tally), place.cannot()) {
        (0, Some(_)) => "·".to_owned(),
        (0, None) if place.is_rare() => "0".to_owned(),
        (0, None) => "0!".to_owned(),
        (count, None) => short(count),
        (count, Some(_)) => format!("{}!", short(count)),
    }
}

fn row(name: &str, entries: impl Iterator<Item = String>) -> String {
    let entries: String = entries.map(|entry| format!("{entry:>COLUMN$}")).collect();
    format!("  {name:<NAME$}{entries}").trim_end().to_owned() + "\n"
}

/// The names of columns, one word below the other, standing on the table.
fn headings(names: &[&str]) -> String {
    let words = |name: &str| name.split([' ', '-']).map(str::to_owned).collect::<Vec<_>>();
    let columns: Vec<Vec<String>> = names.iter().map(|name| words(name)).collect();
    let height = columns.iter().map(Vec::len).max().unwrap_or_default();
    let word =
        |column: &[String], line: usize| (line + column.len()).checked_sub(height).map(|place| column[place].clone());
    let line = |line| row("", columns.iter().map(|column| word(column, line).unwrap_or_default()));
    (0..height).map(line).collect()
}

#[cfg(test)]
mod test {
    use super::{grouped_rows, headings, table};
    use crate::reached::gaps;
    use crate::tally::Tally;
    use tests::cells::HAPPENED;
    use tests::chance::Fault;

    #[test]
    fn every_count_has_its_place() {
        let mut tally = Tally::default();
        tally.struck[Fault::AnswerLost as usize] = 4_711;
        tally.cells[6][0] = 1_234;
        tally.ended[1][0] = 5_678;
        let text = table(&tally, &gaps(&tally));
        let row = |name: &str, count: &str| {
            let found = text.lines().any(|line| line.contains(name) && line.contains(count));
            assert!(found, "{name} {count} in {text}");
        };
        row("network: answer lost", " 4,711");
        row("asked ", " 1,234");
        row("approved ", " 5,678");
        assert_eq!(text.matches(" 0!").count(), gaps(&tally).len());
    }

    #[test]
    fn each_row_is_there_once_and_beside_its_like() {
        let rows = grouped_rows();
        let mut sorted = rows.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..HAPPENED.len()).collect::<Vec<_>>());
        let mut sources: Vec<&str> = rows.iter().map(|row| super::source(HAPPENED[*row])).collect();
        sources.dedup();
        let mut once = sources.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(sources.len(), once.len(), "{sources:?}");
    }

    #[test]
    fn headings_stand_on_the_table() {
        let lines = headings(&["open, being undone", "voided"]);
        let words: Vec<Vec<&str>> = lines.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words, [vec!["open,"], vec!["being"], vec!["undone", "voided"]]);
    }
}
