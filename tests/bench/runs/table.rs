//! What was measured, in lines.

use kessai_shared::memory::Meter;

use crate::{run, sales};

pub struct Row {
    pub items: u64,
    pub sales: sales::Measured,
    pub run: run::Measured,
}

pub const HEAD: &str = "\
| items | Kessai, µs of processor per item | relative to the first | the world, µs per item | plain sales, Kessai, µs each \
| a run to that | items a second | workers hold at most, KiB | stores hold, MiB | would last |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|";

impl Row {
    /// Of a run, for each item, without the world's part.
    pub fn run_ns(&self) -> u64 {
        self.run.cost.working_ns / self.items
    }

    /// The world's part.
    pub fn world_ns(&self) -> u64 {
        self.run.cost.world_ns / self.items
    }

    /// Of a sale, without the world's part.
    pub fn sale_ns(&self) -> u64 {
        self.sales.cost.working_ns / self.items
    }
}

pub fn line(row: &Row, first: Option<&Row>) -> String {
    format!(
        "| {} | {} | {} × | {} | {} | {} × | {} | {} | {} | {} s |",
        thousands(row.items),
        tenths(row.run_ns(), 1_000),
        hundredths(row.run_ns(), first.unwrap_or(row).run_ns()),
        tenths(row.world_ns(), 1_000),
        tenths(row.sale_ns(), 1_000),
        hundredths(row.run_ns(), row.sale_ns()),
        thousands(1_000_000_000 / (row.run_ns() + row.world_ns()).max(1)),
        thousands(row.run.most_working as u64 / 1024),
        thousands(row.run.resting as u64 >> 20),
        row.run.lasted.as_secs(),
    )
}

/// What is asked of the tables and the queue for each item.
pub fn asked(rows: &[Row]) -> String {
    let mut lines = vec![
        "| items | schedules: reads | writes | write units | payments: reads | writes | write units | vault: reads \
         | messages | a plain sale's reads | writes | write units |"
            .to_owned(),
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|".to_owned(),
    ];
    for Row { items, sales, run } in rows {
        let each = |count: u64| hundredths(count, *items);
        let of = |meter: Meter| [meter.reads, meter.writes, meter.write_units].map(each).join(" | ");
        lines.push(format!(
            "| {} | {} | {} | {} | {} | {} |",
            thousands(*items),
            of(run.schedules),
            of(run.payments),
            each(run.vault.reads),
            each(run.messages),
            of(sales.payments),
        ));
    }
    lines.join("\n")
}

/// With a comma after each three digits.
pub fn thousands(number: u64) -> String {
    match number / 1_000 {
        0 => number.to_string(),
        before => format!("{},{:03}", thousands(before), number % 1_000),
    }
}

/// A ratio with one place.
pub fn tenths(number: u64, of: u64) -> String {
    let tenths = (number * 10 + of / 2) / of.max(1);
    format!("{}.{}", thousands(tenths / 10), tenths % 10)
}

/// A ratio with two places.
fn hundredths(number: u64, of: u64) -> String {
    let hundredths = (number * 100 + of / 2) / of.max(1);
    format!("{}.{:02}", thousands(hundredths / 100), hundredths % 100)
}
