//! What one invocation leaves in the log, and what it asks of the tables of payments and of what recurs. (Set-up is read
//! at most twice a minute and is not counted; nor are the SDK's retries.)
//!
//! A line of JSON for each request and each call of a gateway, with the invocation's function, request and trace. Its
//! metrics are in the line itself, in CloudWatch's embedded format: no call is made for them. Lines hold ids,
//! outcomes and numbers; never what a caller sent, nor anything of a person. An ordinary payment leaves less than a
//! kilobyte.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kessai_shared::ids::ItemKey;
use kessai_shared::payment::outcome::mask_card_numbers;
use kessai_shared::payment::{Outcome, Source};
use kessai_shared::ports::{
    Agenda, Answered, Called, Clock, Delivered, DeliveryFault, Expected, HttpFault, Journal, Listed, Looked, Note,
    Pending, Span, Store, StoreFault, Written,
};
use kessai_shared::stored::Item;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::time::Timestamp;
use kessai_shared::trace::{TRACE, TraceId};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

/// Where CloudWatch files the metrics.
const NAMESPACE: &str = "Kessai";

/// What a person must look into: a gateway contradicts itself, or is silent, what was paid did not stand, or a merchant's
/// endpoint has been out of reach for days.
const ATTENTION: &str = "Attention";

/// Where lines go.
pub type Out = Arc<dyn Fn(&str) + Send + Sync>;

/// To standard error, whole lines at a time.
pub fn standard_error() -> Out {
    Arc::new(|line| {
        // Who cannot log goes on without.
        drop(std::io::stderr().write_all(line.as_bytes()));
    })
}

/// What the lines of a process have in common.
#[derive(Clone)]
pub struct Log {
    pub function: &'static str,
    /// The dimension of its metrics. None where nobody collects them: then only what is wrong gets a line.
    pub stage: Option<String>,
    pub clock: Arc<dyn Clock>,
    pub out: Out,
}

impl Log {
    /// Something panicked, in this place of the code. What it says of it could be anything, so nobody repeats it.
    pub fn panicked(&self, place: &str) {
        let watch = Watch::new(self, String::new(), None);
        watch.write(watch.line("ERROR", "panicked").with("place", place).counting("Faults", 1));
    }
}

/// One invocation, or one record of a batch.
pub struct Watch {
    log: Log,
    request: String,
    trace: Option<TraceId>,
    began_at: Timestamp,
    spent: Spent,
}

#[derive(Default)]
struct Spent {
    reads: AtomicU64,
    writes: AtomicU64,
    write_units: AtomicU64,
}

impl Watch {
    /// `request`: what the platform calls it.
    pub fn new(log: &Log, request: String, trace: Option<TraceId>) -> Arc<Self> {
        let began_at = log.clock.now();
        Arc::new(Self { log: log.clone(), request, trace, began_at, spent: Spent::default() })
    }

    /// The same store, with what this invocation asks of it counted, and its trace left in what it writes.
    pub fn over<S: ?Sized>(self: &Arc<Self>, store: Arc<S>) -> Watched<S> {
        Watched { store, watch: Arc::clone(self) }
    }

    fn line(&self, level: &'static str, note: &'static str) -> Line {
        let Self { log, request, trace, .. } = self;
        let now = log.clock.now();
        let members = vec![
            ("timestamp", Value::from(now.to_string())),
            ("level", Value::from(level)),
            ("function", Value::from(log.function)),
            ("note", Value::from(note)),
            ("request", Value::from(request.as_str())),
        ];
        let line = Line { now, stage: log.stage.clone(), members, metrics: Vec::new(), is_wrong: level != "INFO" };
        line.maybe("trace", trace.map(|trace| trace.to_string()))
    }

    fn with_spent(&self, line: Line) -> Line {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        line.with("ms", millis(self.log.clock.now().since(self.began_at)))
            .with("reads", count(&self.spent.reads))
            .with("writes", count(&self.spent.writes))
            .with("units", count(&self.spent.write_units))
    }

    fn print(&self, note: &Note<'_>) -> Line {
        match *note {
            Note::Called(called) => self.called(&called),
            Note::Answered(answered) => self.answered(&answered),
            Note::Looked(looked) => self.looked(&looked),
            Note::Contradiction { operation, settled, heard } => self
                .line("ERROR", "contradiction")
                .with("operation", operation.to_string())
                .with("settled", settled)
                .heard(heard)
                .counting(ATTENTION, 1),
            Note::Followed { operation, what, is_strange } => self
                .line("ERROR", "followed")
                .with("operation", operation.to_string())
                .with("what", what)
                .maybe("strange", is_strange.then_some(true))
                .counting(ATTENTION, 1),
            Note::Overdue { operation, since } => self
                .line("ERROR", "overdue")
                .with("operation", operation.to_string())
                .with("hours", since.as_secs() / 3600)
                .counting(ATTENTION, 1),
            Note::Unwritten { operation, heard } => self
                .line("ERROR", "unwritten")
                .with("operation", operation.to_string())
                .heard(heard)
                .counting("Faults", 1),
            Note::Locked { method, cause } => self
                .line("ERROR", "locked")
                .with("method", method.to_string())
                .with("cause", cause)
                .counting("Faults", 1),
            Note::Relayed { images, reminders } => {
                self.line("INFO", "relayed").with("images", images).with("reminders", reminders)
            }
            Note::Ticked { reminders, overdue } => {
                self.line("INFO", "ticked").with("reminders", reminders).lasting("Overdue", overdue)
            }
            Note::Delivered(delivered) => self.delivered(&delivered),
            Note::Unsigned { endpoint, cause } => self
                .line("ERROR", "unsigned")
                .with("endpoint", endpoint.to_string())
                .with("cause", cause)
                .counting("Faults", 1),
            Note::Disabled { merchant, endpoint, since } => self
                .line("ERROR", "disabled")
                .with("merchant", merchant.to_string())
                .with("endpoint", endpoint.to_string())
                .with("hours", since.as_secs() / 3600)
                .counting(ATTENTION, 1),
            Note::Untold { event } => self.line("ERROR", "untold").with("event", event).counting(ATTENTION, 1),
            Note::Unreadable { what } => self.line("ERROR", "unreadable").with("what", what).counting("Faults", 1),
            Note::Failed { cause } => {
                self.with_spent(self.line("ERROR", "failed").with("cause", cause)).counting("Faults", 1)
            }
        }
    }

    fn called(&self, called: &Called<'_>) -> Line {
        let Called { gateway, source, operation, outcome, fault, took } = *called;
        let level = if fault.is_some() { "WARN" } else { "INFO" };
        let fault = fault.map(|fault| match fault {
            HttpFault::NotSent(why) => format!("not sent: {why}"),
            HttpFault::Lost(why) => format!("lost: {why}"),
        });
        self.line(level, "called")
            .with("operation", operation.to_string())
            .with("gateway", gateway.to_string())
            .with("source", source_name(source))
            .heard(outcome)
            .maybe("fault", fault)
            .lasting("GatewayLatency", took)
    }

    fn answered(&self, answered: &Answered<'_>) -> Line {
        let Answered { status, code, cause, merchant, operation, state, replayed, opened } = *answered;
        let is_fault = status >= 500;
        let line = self
            .line(if is_fault { "ERROR" } else { "INFO" }, "answered")
            .with("status", status)
            .maybe("code", code)
            .maybe("cause", cause)
            .maybe("merchant", merchant.map(|merchant| merchant.to_string()))
            .maybe("operation", operation.map(|operation| operation.to_string()))
            .maybe("state", state)
            .maybe("replayed", replayed.then_some(true));
        let line = self.with_spent(line);
        // How what opened a payment came out; and of everything, what nobody knows.
        match (status, state) {
            // What the world did is the API's to count.
            (503, _) => line,
            (500.., _) => line.counting("Faults", 1),
            (202, _) if !replayed => line.counting("Unknown", 1),
            (201, Some("Processed")) if opened => line.counting("Approved", 1),
            (201, _) if opened => line.counting("Accepted", 1),
            (402, _) if opened => line.counting("Declined", 1),
            _ => line,
        }
    }

    fn delivered(&self, delivered: &Delivered<'_>) -> Line {
        let Delivered { event, endpoint, status, fault, took } = *delivered;
        let fault = fault.map(|fault| match fault {
            DeliveryFault::Refused(address) => format!("refused: {address}"),
            DeliveryFault::NotSent(_)
            | DeliveryFault::Lost(_)
            | DeliveryFault::Status(_)
            | DeliveryFault::NotTaken(_) => fault.to_string(),
        });
        // What one merchant's endpoint does is nothing that we could mend.
        self.line(if fault.is_some() { "WARN" } else { "INFO" }, "delivered")
            .with("event", event)
            .with("endpoint", endpoint.to_string())
            .maybe("status", status)
            .maybe("fault", fault)
            .with("ms", millis(took))
    }

    fn looked(&self, looked: &Looked<'_>) -> Line {
        let Looked { item, late, settled, fault } = *looked;
        let operations: Vec<_> = settled.iter().map(|(operation, _)| Value::from(operation.to_string())).collect();
        let kind = match item {
            ItemKey::Payment(_) => "payment",
            ItemKey::Method(..) => "method",
            ItemKey::Recurring(..) => "recurring",
        };
        let line = self
            .line(if fault.is_some() { "ERROR" } else { "INFO" }, "looked")
            .with(kind, item.to_string())
            .maybe("settled", (!operations.is_empty()).then_some(operations))
            .maybe("fault", fault);
        let line = self.with_spent(line);
        let line = late.into_iter().fold(line, |line, late| line.lasting("Overdue", late));
        let oldest = settled.iter().map(|(_, age)| *age).max();
        match oldest {
            Some(age) => line.counting("Settled", settled.len()).lasting("Age", age),
            None => line,
        }
    }
}

impl Journal for Watch {
    fn note(&self, note: &Note<'_>) {
        self.write(self.print(note));
    }
}

impl Watch {
    fn write(&self, line: Line) {
        if line.stage.is_some() || line.is_wrong {
            let mut text = serde_json::to_string(&line).unwrap_or_default();
            text.push('\n');
            (self.log.out)(&text);
        }
    }
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::Answer => "send",
        Source::LookUp => "look-up",
        Source::TimeoutReversal => "timeout reversal",
        Source::Notice => "notice",
        Source::Time => "time",
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Members by which something is found: others' ids, which look like anything.
const EXACT: [&str; 4] = ["event", "reference", "request", "trace"];

/// How keys and secrets of ours begin.
const OURS: [&str; 2] = ["kessai_", "whsec_"];

/// The second line of defence. What is logged holds no secret by its types; should one ever slip into a text all the
/// same, whatever looks like a card number or begins like a key of ours is masked here.
fn redact(text: String) -> String {
    let mut text = mask_card_numbers(text);
    for beginning in OURS {
        let mut from = 0;
        while let Some(place) = text.get(from..).and_then(|rest| rest.find(beginning)) {
            let start = from + place + beginning.len();
            let goes_on = |character: char| character.is_ascii_alphanumeric() || "+/=_-".contains(character);
            let end = text[start..].find(|character| !goes_on(character)).map_or(text.len(), |length| start + length);
            text.replace_range(start..end, "***");
            from = start + "***".len();
        }
    }
    text
}

/// A line on its way out.
struct Line {
    now: Timestamp,
    stage: Option<String>,
    is_wrong: bool,
    members: Vec<(&'static str, Value)>,
    metrics: Vec<(&'static str, &'static str, Value)>,
}

impl Line {
    fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        let value = match value.into() {
            Value::String(text) if !EXACT.contains(&name) => Value::String(redact(text)),
            value => value,
        };
        self.members.push((name, value));
        self
    }

    fn maybe(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn heard(self, outcome: &Outcome) -> Self {
        let answer = outcome.answer();
        self.with("outcome", outcome.name())
            .maybe("reference", answer.and_then(|answer| answer.reference.as_deref()))
            .maybe("code", answer.and_then(|answer| answer.code.as_deref()))
    }

    fn counting(mut self, metric: &'static str, count: impl Into<Value>) -> Self {
        self.metrics.push((metric, "Count", count.into()));
        self
    }

    fn lasting(mut self, metric: &'static str, duration: Duration) -> Self {
        self.metrics.push((metric, "Milliseconds", millis(duration).into()));
        self
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { now, stage, members, metrics, .. } = self;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in members {
            map.serialize_entry(name, value)?;
        }
        if let (Some(stage), false) = (stage, metrics.is_empty()) {
            let described: Vec<_> =
                metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
            for (name, _, value) in metrics {
                map.serialize_entry(name, value)?;
            }
            map.serialize_entry("stage", stage)?;
            let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [["stage"]], "Metrics": described });
            map.serialize_entry("_aws", &json!({ "Timestamp": now.as_millis(), "CloudWatchMetrics": [directive] }))?;
        }
        map.end()
    }
}

/// A store under a [`Watch`].
pub struct Watched<S: ?Sized> {
    store: Arc<S>,
    watch: Arc<Watch>,
}

impl<S: Store + ?Sized> Store for Watched<S> {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        self.watch.spent.reads.fetch_add(1, Ordering::Relaxed);
        self.store.read(key)
    }

    fn write(&self, mut item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        match self.watch.trace {
            Some(trace) => item.insert(TRACE, trace.as_bytes().to_vec()),
            // Whoever wrote before is not who writes now.
            None => drop(item.remove(TRACE)),
        }
        self.watch.spent.writes.fetch_add(1, Ordering::Relaxed);
        self.watch.spent.write_units.fetch_add(item.write_units(), Ordering::Relaxed);
        self.store.write(item, expected)
    }
}

impl<S: Agenda + ?Sized> Agenda for Watched<S> {
    fn listed<'a>(
        &'a self,
        list: &'a List,
        until: Option<&'a str>,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Listed>, bool), StoreFault>> {
        self.watch.spent.reads.fetch_add(1, Ordering::Relaxed);
        self.store.listed(list, until, after, limit)
    }

    fn of<'a>(
        &'a self,
        list: &'a List,
        span: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        self.watch.spent.reads.fetch_add(1, Ordering::Relaxed);
        self.store.of(list, span, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_should_not_be_in_a_line_is_masked_in_it() {
        let rows = [
            ("card 4242424242424242 refused", "card **** refused"),
            ("4242 4242 4242 4242", "****"),
            ("key kessai_0a1b2c, and more", "key kessai_***, and more"),
            ("kessai_", "kessai_***"),
            ("whsec_QUJD/+== kessai_00", "whsec_*** kessai_***"),
            ("2026-08-01T00:00:00.000Z", "2026-08-01T00:00:00.000Z"),
            ("the store failed: timeout", "the store failed: timeout"),
        ];
        for (text, masked) in rows {
            assert_eq!(redact(text.to_owned()), masked, "{text}");
        }
    }

    #[test]
    fn ids_of_others_are_left_as_they_are() {
        let line =
            Line { now: Timestamp::from_millis(0), stage: None, is_wrong: true, members: vec![], metrics: vec![] };
        let line = line.with("reference", "4242424242424242").with("cause", "4242424242424242");
        let text = serde_json::to_string(&line).expect("a line");
        assert_eq!(text, r#"{"reference":"4242424242424242","cause":"****"}"#);
    }
}
