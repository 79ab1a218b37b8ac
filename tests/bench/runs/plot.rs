//! What was measured, as a picture: one panel for what an item costs, without the world's part, one for what those hold who
//! work. Left to right the number of items, each ten times the one before.

use std::fmt::Write;

use crate::table::{Row, tenths, thousands};

const STYLE: &str = "text{font:12px ui-sans-serif,system-ui,Helvetica,Arial,sans-serif;fill:#1f2933}\
.title{font-size:14px;font-weight:600}.axis{fill:#66727f}.x{text-anchor:middle}.y{text-anchor:end}\
.rule{stroke:#e2e7ec}.line{fill:none;stroke-width:2}.of-run{stroke:#2f5f98}.of-sale{stroke:#c77c11}\
.at-run{fill:#2f5f98}.at-sale{fill:#c77c11}";

const WIDTH: u64 = 880;
const HEIGHT: u64 = 330;
const TOP: u64 = 64;
const BOTTOM: u64 = 280;
const PANEL: u64 = 340;

/// A panel's curve: what it is called, its class, its values and how they are written.
struct Curve {
    name: &'static str,
    class: &'static str,
    values: Vec<u64>,
}

pub fn draw(rows: &[Row]) -> String {
    let of = |value: fn(&Row) -> u64| rows.iter().map(value).collect::<Vec<_>>();
    let cost = [
        Curve { name: "charged by a run", class: "run", values: of(Row::run_ns) },
        Curve { name: "a plain sale", class: "sale", values: of(Row::sale_ns) },
    ];
    let held = [Curve { name: "64 lanes together", class: "run", values: of(|row| row.run.most_working as u64) }];
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\">\n<style>{STYLE}</style>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fdfdfb\"/>\n"
    );
    panel(&mut svg, 60, "Kessai's processor time, µs per item", rows, &cost, |ns| tenths(ns, 1_000));
    panel(&mut svg, 500, "memory of those who work, KiB", rows, &held, |bytes| thousands(bytes / 1_024));
    svg.push_str("</svg>\n");
    svg
}

/// From nothing at its bottom to a quarter more than the most at its top.
fn panel(svg: &mut String, left: u64, title: &str, rows: &[Row], curves: &[Curve], written: fn(u64) -> String) {
    let most = curves.iter().flat_map(|curve| &curve.values).max().copied().unwrap_or_default().max(1);
    let top = most + most / 4;
    let x = |place: usize| left + 30 + place as u64 * (PANEL - 80) / (rows.len() as u64 - 1).max(1);
    let y = |value: u64| BOTTOM - value * (BOTTOM - TOP) / top;
    let _ = writeln!(svg, "<text class=\"title\" x=\"{left}\" y=\"28\">{title}</text>");
    for rule in 0..=4_u64 {
        let (value, right) = (most * rule / 4, left + PANEL - 20);
        let at = y(value);
        let _ = writeln!(svg, "<line class=\"rule\" x1=\"{left}\" y1=\"{at}\" x2=\"{right}\" y2=\"{at}\"/>");
        let (x, at) = (left - 6, at + 4);
        let _ = writeln!(svg, "<text class=\"axis y\" x=\"{x}\" y=\"{at}\">{}</text>", written(value));
    }
    for (place, row) in rows.iter().enumerate() {
        let (x, y) = (x(place), BOTTOM + 20);
        let _ = writeln!(svg, "<text class=\"axis x\" x=\"{x}\" y=\"{y}\">{}</text>", thousands(row.items));
    }
    for Curve { name, class, values } in curves {
        let at: Vec<_> = values.iter().enumerate().map(|(place, value)| (x(place), y(*value))).collect();
        let line: Vec<_> = at.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let _ = writeln!(svg, "<polyline class=\"line of-{class}\" points=\"{}\"/>", line.join(" "));
        for ((x, y), value) in at.iter().zip(values) {
            let _ = writeln!(
                svg,
                "<circle class=\"at-{class}\" cx=\"{x}\" cy=\"{y}\" r=\"4\"><title>{}</title></circle>",
                written(*value)
            );
        }
        if let Some((x, y)) = at.first() {
            let _ = writeln!(svg, "<text class=\"at-{class}\" x=\"{}\" y=\"{}\">{name}</text>", x - 4, y - 12);
        }
    }
    let (x, y) = (left + PANEL / 2 - 10, BOTTOM + 38);
    let _ = writeln!(svg, "<text class=\"axis x\" x=\"{x}\" y=\"{y}\">items due at once</text>");
}
