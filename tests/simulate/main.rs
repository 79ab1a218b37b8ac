//! Runs histories, tells one, shortens one, draws one.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::Instant;
use tests::plan::Plan;
use tests::story::Story;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str| arguments.iter().position(|a| a == name).map(|i| arguments[i + 1].parse::<u64>().expect("n"));
    if let Some(seed) = number("--seed") {
        let plan = Plan::of(seed);
        println!("{plan:#?}");
        let report = tests::run(&plan, Story::told());
        for line in report.story.lines() { println!("{line}"); }
        println!("{:?}", report.violation);
        return;
    }
    let seeds = number("--seeds").unwrap_or(10_000);
    let from = number("--from").unwrap_or(0);
    let threads = number("--threads").unwrap_or(2);
    let next = AtomicU64::new(from);
    let failures = Mutex::new(Vec::new());
    let t = Instant::now();
    let entries = AtomicU64::new(0);
    let requests = AtomicU64::new(0);
    std::thread::scope(|scope| for _ in 0..threads { scope.spawn(|| {
        loop {
            let start = next.fetch_add(256, Ordering::Relaxed);
            if start >= from + seeds || failures.lock().expect("l").len() >= 20 { break }
            for seed in start..(start + 256).min(from + seeds) {
                let plan = Plan::of(seed);
                match catch_unwind(|| tests::run(&plan, Story::default())) {
                    Ok(report) => {
                        entries.fetch_add(u64::from(report.entries), Ordering::Relaxed);
                        requests.fetch_add(u64::from(report.auditor.requests), Ordering::Relaxed);
                        if let Some(v) = report.violation { failures.lock().expect("l").push((seed, format!("{v:?}"))); }
                    }
                    Err(_) => failures.lock().expect("l").push((seed, "panic".to_owned())),
                }
            }
        }
    }); });
    let e = t.elapsed().as_secs_f64();
    for f in failures.lock().expect("l").iter() { println!("{f:?}"); }
    println!("{seeds} histories {:.0}/s, {:.2} entries, {:.2} requests each", seeds as f64 / e, entries.load(Ordering::Relaxed) as f64 / seeds as f64, requests.load(Ordering::Relaxed) as f64 / seeds as f64);
}
