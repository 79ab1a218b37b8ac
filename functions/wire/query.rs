//! What the queries of lists have in common.

use crate::problem::Problem;

/// How many are asked for: from 1 to so many.
pub fn count(name: &str, text: &str, most: u16) -> Result<u16, Problem> {
    let count = text.parse().ok().filter(|count| (1..=most).contains(count));
    count.ok_or_else(|| Problem::invalid(name, format!("must be a whole number from 1 to {most}")))
}
