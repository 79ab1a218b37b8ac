//! The table of [`step`]: every state of an operation × every event × every way a gateway resolves.
//!
//! A row names values of each column, or a group of them, or `any`. Each cell of the product must be
//! told by exactly one row, and each word of each row must be needed: nothing is forgotten, nothing is
//! told twice, nothing is told in vain.

mod cell;
mod follows;
mod rows;

use cell::Cell;
use follows::told;
use rows::ROWS;

use crate::payment::step;

/// What stands in the columns of a row, and what follows.
struct Row {
    line: &'static str,
    columns: Vec<Vec<&'static str>>,
    follows: &'static str,
}

impl Row {
    fn read(line: &'static str) -> Self {
        let (columns, follows) = line.rsplit_once('|').expect("a row with columns");
        let columns: Vec<Vec<_>> = columns.split('|').map(|column| column.split_whitespace().collect()).collect();
        assert_eq!(columns.len(), cell::COLUMNS, "the columns of {line:?}");
        Self { line, columns, follows: follows.trim() }
    }

    fn tells_of(&self, words: &[Vec<&str>]) -> bool {
        self.columns.iter().zip(words).all(|(column, value)| column.iter().any(|word| fits(word, value)))
    }
}

fn rows() -> Vec<Row> {
    ROWS.trim().lines().skip(1).map(Row::read).collect()
}

fn fits(word: &str, value: &[&str]) -> bool {
    word == "any" || value.contains(&word)
}

fn check(cell: &Cell, row: &Row) {
    let (before, now) = cell.payment();
    let request = cell.request();
    let result = step(before.as_ref(), &cell.event(&request), &cell.terms(), now);
    let told = told(before.as_ref(), &result, now);
    assert_eq!(told, row.follows, "{cell:?}\nrow: {}", row.line);
}

#[test]
fn every_cell_follows_the_one_row_that_tells_of_it() {
    let rows = rows();
    for cell in Cell::all() {
        let words = cell.words();
        let telling: Vec<&Row> = rows.iter().filter(|row| row.tells_of(&words)).collect();
        match telling.as_slice() {
            [row] => check(&cell, row),
            [] => panic!("no row tells of {cell:?}: {words:?}"),
            several => panic!("{cell:?} is told by {:?}", several.iter().map(|row| row.line).collect::<Vec<_>>()),
        }
    }
}

#[test]
fn every_word_of_every_row_is_needed() {
    let cells: Vec<_> = Cell::all().map(|cell| cell.words()).collect();
    for row in rows() {
        let told: Vec<_> = cells.iter().filter(|words| row.tells_of(*words)).collect();
        assert!(!told.is_empty(), "no cell for {:?}", row.line);
        for (place, column) in row.columns.iter().enumerate() {
            for word in column {
                assert!(told.iter().any(|words| fits(word, &words[place])), "{word:?} tells nothing in {:?}", row.line);
            }
        }
    }
}
