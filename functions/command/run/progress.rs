//! How far a run has come, as a line.

use serde_json::Value;
use tokio::time::Instant;

use super::super::text::cell;

/// Characters of the bar.
const WIDTH: u64 = 30;

/// What had been done when somebody began to watch.
pub struct Pace {
    done: u64,
    since: Instant,
}

impl Pace {
    pub fn begin(run: &Value, now: Instant) -> Self {
        Self { done: done(run), since: now }
    }

    /// Items in ten seconds since; none before there is anything to go by.
    fn in_ten_seconds(&self, run: &Value, now: Instant) -> Option<u128> {
        let done = u128::from(done(run).saturating_sub(self.done));
        let millis = now.saturating_duration_since(self.since).as_millis();
        done.saturating_mul(10_000).checked_div(millis).filter(|_| done > 0)
    }
}

/// Whether nothing of it is left to do. What is stopped still finishes what it has begun.
pub fn has_ended(run: &Value) -> bool {
    run.get("completionTime").is_some() || run.get("status").is_some_and(|status| status == "Failed")
}

/// What was asked of a gateway, however that came out.
fn done(run: &Value) -> u64 {
    count(run, "totalFilteredScheduleItems")
}

fn count(run: &Value, member: &str) -> u64 {
    run.get(member).and_then(Value::as_u64).unwrap_or_default()
}

pub fn line(run: &Value, pace: &Pace, now: Instant) -> String {
    let (listed, seen) = (count(run, "listedSchedules"), count(run, "seenSchedules"));
    let seen = if has_ended(run) && listed == 0 { 1 } else { seen.min(listed) };
    let of = |whole: u64| seen.saturating_mul(whole).checked_div(listed.max(1)).unwrap_or_default();
    let filled = usize::try_from(of(WIDTH)).unwrap_or_default();
    let width = usize::try_from(WIDTH).unwrap_or_default();
    let bar = format!("{:.<width$}", "#".repeat(filled));
    let [processed, failed, pending] =
        ["totalProcessedScheduleItems", "totalFailedScheduleItems", "pendingScheduleItems"]
            .map(|member| count(run, member));
    let status = cell(run, &["/status"]);
    let mut said =
        format!("[{bar}] {:>3}%  {status}  {processed} processed  {failed} failed  {pending} pending", of(100));
    if let Some(tenths) = pace.in_ten_seconds(run, now) {
        said.push_str(&format!("  {}.{}/s", tenths / 10, tenths % 10));
    }
    if let Some(most) = run.get("requestsPerSecond").and_then(Value::as_u64) {
        said.push_str(&format!("  at most {most}/s"));
    }
    let ends = [("ended", "/completionTime"), ("ends about", "/expectedEndTime")];
    if let Some((word, place)) = ends.into_iter().find(|(_, place)| run.pointer(place).is_some()) {
        said.push_str(&format!("  {word} {}", cell(run, &[place])));
    }
    said
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn run(listed: u64, seen: u64, processed: u64, failed: u64) -> Value {
        json!({
            "status": "Started", "listedSchedules": listed, "seenSchedules": seen, "pendingScheduleItems": 1,
            "totalFilteredScheduleItems": processed + failed + 1, "totalProcessedScheduleItems": processed,
            "totalFailedScheduleItems": failed,
        })
    }

    #[test]
    fn a_line_says_how_far_it_has_come_how_fast_and_until_when() {
        let now = Instant::now();
        let pace = Pace::begin(&run(300, 10, 9, 0), now);
        let half = run(300, 150, 130, 19);
        let expected = "[###############...............]  50%  Started  130 processed  19 failed  1 pending";
        assert_eq!(line(&half, &pace, now), expected, "nothing to go by");
        let later = now + Duration::from_secs(4);
        assert_eq!(line(&half, &pace, later), format!("{expected}  35.0/s"));
        let mut known = half;
        known["requestsPerSecond"] = json!(2);
        assert_eq!(line(&known, &pace, later), format!("{expected}  35.0/s  at most 2/s"));
        known["expectedEndTime"] = json!("2026-11-23T00:00:00.000Z");
        assert!(line(&known, &pace, now).ends_with("  ends about 2026-11-23T00:00:00.000Z"));
        known["completionTime"] = json!("2026-11-22T00:00:00.000Z");
        assert!(line(&known, &pace, now).ends_with("  ended 2026-11-22T00:00:00.000Z"));
    }

    #[test]
    fn a_run_has_ended_when_nothing_of_it_is_left() {
        let ended = "2026-11-22T00:00:00.000Z";
        let rows = [
            (json!({ "status": "New" }), false, "[..............................]   0%"),
            (json!({ "status": "Stopped" }), false, "[..............................]   0%"),
            (json!({ "status": "Failed" }), true, "[##############################] 100%"),
            (json!({ "status": "Completed", "completionTime": ended }), true, "[##############################] 100%"),
        ];
        let now = Instant::now();
        for (run, expected, bar) in rows {
            assert_eq!(has_ended(&run), expected, "{run}");
            let line = line(&run, &Pace::begin(&run, now), now);
            assert!(line.starts_with(bar), "{line}");
        }
    }
}
