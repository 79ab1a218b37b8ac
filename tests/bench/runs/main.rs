//! Everything is due at once: what a payment run of so many items costs each of them.
//!
//! `cargo run --release -p tests --bin runs` fills stores in memory with schedules of one item each, all due the same
//! day, and lets time come to their scheduler. What follows is what is deployed, function by function: the tick finds the
//! scheduler, what the streams show becomes reminders, and whoever is reminded looks, until the run is completed and
//! everything is quiet. Then it counts: each item is charged exactly once, in the store of payments and in the gateway's
//! ledger, or this ends with a panic. Beside each run stand as many plain sales in a world of their own; the ratios are
//! what to compare.
//!
//! Time is [`time`]'s: tables and the gateway take some of it to answer, nobody waits for it, and what is measured is
//! processor time ([`cost`]). One thread is all who work. The world has another ([`across`]), so that what rests there
//! ([`resting`], [`streams`]) shares neither heap nor time with those who work, however much of it there is; [`memory`]
//! tells the one from the other. [`world`] is what the functions see, [`tick`] calls the tick, which knows the tables as
//! [`dynamodb`]. [`fill`] is what is there before; [`run`] and [`sales`] are the two that are compared, [`audit`] counts,
//! [`table`] and [`plot`] show.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a bench stands outside the program: where the world fails, it ends"
)]

// The tick finds its tables here: see `dynamodb`.
extern crate self as kessai_infra;

mod across;
mod audit;
mod cost;
mod dynamodb;
mod fill;
mod memory;
mod plot;
mod resting;
mod run;
mod sales;
mod streams;
mod table;
mod tick;
mod time;
mod world;

use std::error::Error;
use std::path::PathBuf;

use clap::Parser;

use table::Row;

/// What is measured unless something else is said: each ten times the one before.
const ITEMS: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// So few items are measured several times; the best counts, the others had company.
const LITTLE: u64 = 300_000;
const MOST_ROUNDS: u64 = 10;

/// Charges many items that are due at once, and says what each of them costs.
#[derive(Debug, Parser)]
#[command(name = "runs", about)]
struct Arguments {
    /// How many items, at most a million: the sandbox gateway's books take no more.
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = ITEMS,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    items: Vec<u64>,
    /// Draw it.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    println!("{}", table::HEAD);
    let mut rows: Vec<Row> = Vec::new();
    for items in arguments.items {
        let rounds = (LITTLE / items).clamp(1, MOST_ROUNDS);
        let sales = (0..rounds).map(|_| sales::measure(items)).min_by_key(|measured| measured.cost.working_ns);
        let run = (0..rounds).map(|_| run::measure(items)).min_by_key(|measured| measured.cost.working_ns);
        let (sales, run) = sales.zip(run).ok_or("nothing was measured")?;
        let row = Row { items, sales, run };
        println!("{}", table::line(&row, rows.first()));
        rows.push(row);
    }
    println!("\n{}", table::asked(&rows));
    if let Some(path) = arguments.svg {
        std::fs::write(path, plot::draw(&rows))?;
    }
    Ok(())
}
