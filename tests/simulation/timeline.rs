//! A history as a picture: time flows down, everybody has a column, and each line of the story is an arrow
//! from who did something to whom it concerned, with its words beside it.
//!
//! Rows are one apart however long it was between them; a dashed rule says where more than a minute
//! passed. Workers come and go, so they share columns: a bar is one invocation, and its number stands at
//! its head. What went wrong is red. The picture brings its background with it, and no fonts.

use std::fmt::Write;

use crate::story::{Lane, Line, moment};

const ROW: usize = 26;
const COLUMN: usize = 92;
/// Where the first column is; left of it are the times.
const FIRST: usize = 170;
/// Where the first row is; above it are the headings.
const TOP: usize = 96;
/// Right of the last column is room for words.
const MARGIN: usize = 640;
/// What is longer is cut; all of it is in the title.
const MOST_CHARACTERS: usize = 84;
/// After so long a rule says that time passed.
const PAUSE_MS: i64 = 60_000;

/// Words by which a line says that something went wrong.
const WRONG: [&str; 14] = [
    "is lost",
    "fails:",
    "the read fails",
    "fails every time",
    "is killed",
    "throttles",
    "breaks",
    "forged",
    "does not answer",
    "is not answered",
    "finds no connection",
    "meets its write",
    "steps",
    "down",
];

const STYLE: &str = "text{font:12px ui-sans-serif,system-ui,Helvetica,Arial,sans-serif;fill:#1f2933}\
.time{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:11px;fill:#66727f;text-anchor:end}\
.head{font-weight:600;text-anchor:middle}.title{font-size:15px;font-weight:600}\
.number{font-size:10px;fill:#66727f;text-anchor:middle}.pause{stroke:#c3ccd5;stroke-dasharray:3 4}\
.life{stroke:#d5dce3}.bar{fill:#dbe7f5;stroke:#9db8d9}.halo{fill:#fdfdfb;fill-opacity:.88}\
.arrow{stroke:#2f5f98;stroke-width:1.4;fill:none}.tip{fill:#2f5f98}\
.wrong .arrow{stroke:#b3261e}.wrong .tip{fill:#b3261e}.wrong text{fill:#8c1d18}";

/// The picture of a history, under a title and over what is said at its end.
pub fn draw(title: &str, lines: &[Line], end: &[String]) -> String {
    let columns = Columns::of(lines);
    let rows = rows(lines);
    let (width, bottom) = (columns.x(columns.count - 1) + MARGIN, rows.last().map_or(TOP, |row| row + ROW));
    let height = bottom + 24 + ROW * end.len();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\">\n<style>{STYLE}</style>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fdfdfb\"/>\n\
         <text class=\"title\" x=\"24\" y=\"34\">{}</text>\n",
        escaped(title)
    );
    columns.draw(&mut svg, &rows, bottom);
    let mut before_ms = 0;
    for (line, y) in lines.iter().zip(&rows) {
        if line.at_ms - before_ms >= PAUSE_MS {
            let (y, end) = (y - ROW * 3 / 4, columns.x(columns.count - 1) + 30);
            let _ = writeln!(svg, "<line class=\"pause\" x1=\"24\" y1=\"{y}\" x2=\"{end}\" y2=\"{y}\"/>");
        }
        before_ms = line.at_ms;
        row(&mut svg, line, columns.place(line), *y);
    }
    columns.number(&mut svg, &rows);
    for (place, text) in end.iter().enumerate() {
        let _ = writeln!(svg, "<text x=\"24\" y=\"{}\">{}</text>", bottom + 20 + ROW * place, escaped(text));
    }
    svg.push_str("</svg>\n");
    svg
}

/// How far down each line is: further where time passed.
fn rows(lines: &[Line]) -> Vec<usize> {
    let (mut y, mut before_ms) = (TOP, 0);
    let place = |line: &Line| {
        y += if line.at_ms - before_ms >= PAUSE_MS { ROW * 3 / 2 } else { ROW };
        before_ms = line.at_ms;
        y
    };
    lines.iter().map(place).collect()
}

/// One line of the story, from one column to another.
fn row(svg: &mut String, line: &Line, (from, to): (usize, usize), y: usize) {
    let wrong = if WRONG.iter().any(|word| line.what.contains(word)) { " class=\"wrong\"" } else { "" };
    let _ = writeln!(svg, "<g{wrong}><title>{}</title>", escaped(&line.to_string()));
    let _ = writeln!(svg, "<text class=\"time\" x=\"{}\" y=\"{}\">{}</text>", FIRST - 60, y + 4, moment(line.at_ms));
    if from == to {
        let _ = writeln!(svg, "<circle class=\"tip\" cx=\"{from}\" cy=\"{y}\" r=\"4\"/>");
    } else {
        let (end, tip) = if from < to { (to - 7, to - 8) } else { (to + 7, to + 8) };
        let _ = writeln!(svg, "<path class=\"arrow\" d=\"M{from} {y}H{end}\"/>");
        let _ = writeln!(svg, "<path class=\"tip\" d=\"M{to} {y}L{tip} {}V{}Z\"/>", y - 4, y + 4);
    }
    let text = shortened(&line.what);
    let (x, wide) = (from.max(to) + 10, text.chars().count() * 7 + 4);
    let _ = writeln!(svg, "<rect class=\"halo\" x=\"{}\" y=\"{}\" width=\"{wide}\" height=\"14\"/>", x - 3, y - 7);
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{}\">{}</text>\n</g>", y + 4, escaped(&text));
}

/// One invocation: which column it has, and its first and last line.
struct Bar {
    worker: usize,
    column: usize,
    first: usize,
    last: usize,
}

/// Who stands where: callers, then workers, then the rest.
struct Columns {
    callers: usize,
    bars: Vec<Bar>,
    count: usize,
}

/// Those who are there throughout, behind the workers.
const OTHERS: [Lane; 3] = [Lane::Store, Lane::Queue, Lane::Gateway];

impl Columns {
    fn of(lines: &[Line]) -> Self {
        let lanes = || lines.iter().flat_map(|line| [line.from, line.to]);
        let callers = lanes().filter_map(|lane| if let Lane::Caller(caller) = lane { Some(caller + 1) } else { None });
        let callers = callers.max().unwrap_or(1);
        let mut bars: Vec<Bar> = Vec::new();
        for (place, lane) in lines.iter().enumerate().flat_map(|(place, line)| [(place, line.from), (place, line.to)]) {
            let Lane::Worker(worker) = lane else { continue };
            match bars.iter_mut().find(|bar| bar.worker == worker) {
                Some(bar) => bar.last = place,
                None => bars.push(Bar { worker, column: callers, first: place, last: place }),
            }
        }
        for place in 0..bars.len() {
            let (before, bar) = bars.split_at_mut(place);
            // A row between two invocations lets their numbers be read.
            let is_free =
                |column: &usize| before.iter().all(|other| other.column != *column || other.last + 1 < bar[0].first);
            bar[0].column = (callers..).find(is_free).unwrap_or(callers);
        }
        let workers = bars.iter().map(|bar| bar.column + 1).max().unwrap_or(callers + 1);
        Self { callers, bars, count: workers + OTHERS.len() }
    }

    fn x(&self, column: usize) -> usize {
        FIRST + COLUMN * column
    }

    fn column(&self, lane: Lane) -> usize {
        let other = |other: usize| self.count - OTHERS.len() + other;
        match lane {
            Lane::Caller(caller) => caller,
            Lane::Worker(worker) => {
                self.bars.iter().find(|bar| bar.worker == worker).map_or(self.callers, |bar| bar.column)
            }
            Lane::Store => other(0),
            Lane::Queue => other(1),
            Lane::Gateway => other(2),
        }
    }

    fn place(&self, line: &Line) -> (usize, usize) {
        (self.x(self.column(line.from)), self.x(self.column(line.to)))
    }

    /// The headings, and what runs down under them.
    fn draw(&self, svg: &mut String, rows: &[usize], bottom: usize) {
        let workers = self.callers..self.count - OTHERS.len();
        let callers = (0..self.callers).map(Lane::Caller);
        for (column, name) in callers.chain(OTHERS).map(|lane| (self.column(lane), lane.to_string())) {
            let x = self.x(column);
            let _ = writeln!(svg, "<text class=\"head\" x=\"{x}\" y=\"{}\">{name}</text>", TOP - 20);
            let _ = writeln!(svg, "<line class=\"life\" x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{bottom}\"/>", TOP - 10);
        }
        let middle = (self.x(workers.start) + self.x(workers.end - 1)) / 2;
        let _ = writeln!(svg, "<text class=\"head\" x=\"{middle}\" y=\"{}\">workers</text>", TOP - 20);
        for Bar { column, first, last, .. } in &self.bars {
            let (x, top, tall) = (self.x(*column) - 5, rows[*first] - 9, rows[*last] - rows[*first] + 18);
            let _ =
                writeln!(svg, "<rect class=\"bar\" x=\"{x}\" y=\"{top}\" width=\"10\" height=\"{tall}\" rx=\"3\"/>");
        }
    }

    /// Each invocation's number at its head, above whatever else is there.
    fn number(&self, svg: &mut String, rows: &[usize]) {
        for Bar { worker, column, first, .. } in &self.bars {
            let (x, y) = (self.x(*column), rows[*first] - 12);
            let _ = writeln!(svg, "<text class=\"number\" x=\"{x}\" y=\"{y}\">{worker}</text>");
        }
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MOST_CHARACTERS {
        return text.to_owned();
    }
    text.chars().take(MOST_CHARACTERS - 1).chain(['…']).collect()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // XML has no place for the others, not even escaped.
            _ if character.is_control() => safe.push(' '),
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::plan::Plan;
    use crate::story::{Lane, Line, tell};

    /// The elements that were opened and not closed; panics where one is closed that was not opened.
    fn left_open(svg: &str) -> Vec<String> {
        let mut open = Vec::new();
        for tag in svg.split('<').skip(1) {
            let (tag, text) = tag.split_once('>').expect("a tag has an end");
            assert!(!text.contains('>'), "not escaped: {text}");
            assert!(tag.matches('"').count() % 2 == 0, "quotes of {tag}");
            let stands_alone =
                |reference: &str| ["amp;", "lt;", "gt;", "quot;"].iter().any(|known| reference.starts_with(known));
            assert!(text.split('&').skip(1).all(stands_alone), "not escaped: {text}");
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop().as_deref(), Some(name)),
                None if tag.ends_with('/') => {}
                None => open.push(tag.split(' ').next().unwrap_or_default().to_owned()),
            }
        }
        open
    }

    #[test]
    fn pictures_are_well_formed() {
        for plan in (0..200).map(Plan::of) {
            let svg = draw("a < b & \"c\"", &tell(&plan).lines, &["nothing > wrong".to_owned()]);
            assert_eq!(left_open(&svg), Vec::<String>::new());
            assert!(svg.contains("a &lt; b &amp; &quot;c&quot;</text>") && svg.contains("nothing &gt; wrong</text>"));
        }
    }

    #[test]
    fn a_long_line_is_cut_and_its_title_says_it_all() {
        let what = format!("says <{}>\u{7}", "o".repeat(200));
        let line = Line { at_ms: 5, from: Lane::Worker(3), to: Lane::Gateway, what };
        let svg = draw("one", &[line], &[]);
        assert_eq!(left_open(&svg), Vec::<String>::new());
        assert_eq!(svg.matches(&"o".repeat(200)).count(), 1, "in the title alone");
        assert!(svg.contains("says &lt;ooo") && svg.contains("ooo…</text>") && !svg.contains('\u{7}'));
    }

    #[test]
    fn nothing_happened_is_a_picture_too() {
        assert_eq!(left_open(&draw("", &[], &[])), Vec::<String>::new());
    }

    #[test]
    fn invocations_share_a_column_one_after_the_other() {
        let line = |at_ms, worker| Line { at_ms, from: Lane::Worker(worker), to: Lane::Store, what: String::new() };
        let columns = |workers: &[usize]| {
            let lines: Vec<Line> = workers.iter().map(|worker| line(0, *worker)).collect();
            super::Columns::of(&lines).bars.iter().map(|bar| bar.column).collect::<Vec<_>>()
        };
        assert_eq!(columns(&[0, 1, 0, 1]), [1, 2]);
        assert_eq!(columns(&[0, 0, 1, 1, 2]), [1, 2, 1]);
    }
}
