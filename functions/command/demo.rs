//! `kessai demo`: three months of a subscription in a few seconds, on a server that it starts for itself: in memory, on
//! free ports, with a sandbox gateway and a clock of its own. Nothing outlives it, and nothing else hears of it.
//!
//! It asks what anybody could ask, over HTTP, and prints the requests and what came of them. What differs from one time
//! to the next, such as ids, is not printed: so everybody sees what the README shows.

use std::sync::Arc;
use std::time::Duration;

use kessai_infra::http::HttpClient;
use kessai_shared::merchant::ApiKey;
use kessai_shared::ports::Method;
use kessai_shared::recurring::calendar::Zone;
use kessai_shared::time::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::api::Api;
use super::text::at;
use crate::lambda::StartError;
use crate::local::clock::MovableClock;
use crate::local::identity::{Addresses, Identity};
use crate::local::start::{Ground, assemble, listen, receivers, start_sandbox, wait};
use crate::sandbox;

/// When it begins, by the server's clock.
const START: &str = "2027-01-25T00:00:00Z";

const ZONE: &str = "Asia/Tokyo";

const SCHEDULES: &str = "/commerce/payments/payment-schedules";

/// How long an answer is waited for: a month is played in seconds, but on a busy machine it takes its time.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// What happens without a payer or a gateway having done anything is not told.
const TOLD: [&str; 3] = ["schedule.processed", "schedule.failed", "schedule.past_due"];

/// Begins what is said of a request.
const SAID: &str = "    ";

/// Starts a server, and shows what it does.
pub async fn run() -> Result<(), StartError> {
    let (end, ended) = watch::channel(false);
    let told = Demo::start(ended).await?.tell().await;
    // What runs ends with the process, too.
    let _ = end.send(true);
    told
}

/// A server, and whoever asks it.
struct Demo {
    http: HttpClient,
    kessai: Api,
    sandbox: Api,
    gateway: String,
    zone: Zone,
}

impl Demo {
    async fn start(ended: watch::Receiver<bool>) -> Result<Self, StartError> {
        let start = Timestamp::parse(START).ok_or("the start is no time")?;
        let (clock, identity) = (Arc::new(MovableClock::starting_at(start)), Identity::fresh());
        let listener = listen(0).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let options = sandbox::Options { data: None, notify: receivers(&identity, &url)?, clock: clock.clone() };
        let sandbox = start_sandbox(0, options, ended.clone()).await?;
        let addresses = Addresses { server: &url, sandbox: &sandbox, models: None };
        let ground = Ground { resting: None, identity: &identity, addresses, quiet: true };
        let server = assemble(ground, clock).await?;
        tokio::spawn(server.serve(listener, wait(ended)));
        let gateway = identity.gateways.get("KEYED").ok_or("there is no gateway")?.to_string();
        let zone = Zone::parse(ZONE).map_err(|unfit| unfit.to_string())?;
        // The sandbox asks for no key: it gets none that is worth anything.
        let nobody = ApiKey::from_random([0; 16], [0; 16]);
        let (kessai, sandbox) = (Api::at(url, identity.api_key, PATIENCE), Api::at(sandbox, nobody, PATIENCE));
        Ok(Self { http: HttpClient::new()?, kessai, sandbox, gateway, zone })
    }

    async fn tell(&self) -> Result<(), StartError> {
        println!("A server in memory and a sandbox gateway. By their clock it is {START}; days are those of {ZONE}.\n");
        let method = self.keep_a_card().await?;
        self.set_up_retries().await?;
        self.set_up_runs().await?;
        let schedule = self.subscribe(&method).await?;

        let mut last = None;
        self.advance("P1M", &mut last).await?;
        self.run_out_of_money().await?;
        for by in ["P3D", "P1D", "P3D", "P1M"] {
            self.advance(by, &mut last).await?;
        }
        self.sum_up(&schedule).await
    }

    async fn keep_a_card(&self) -> Result<String, StartError> {
        let card = json!({
            "accountId": "001000000000001", "cardNumber": "4242424242424242", "cardType": "Visa",
            "cardCategory": "CreditCard", "expiryMonth": 12, "expiryYear": 2030, "cvv": "123",
            "cardHolderName": "Carol Smith", "cardHolderFirstName": "Carol", "cardHolderLastName": "Smith",
        });
        let body = json!({ "cardPaymentMethod": card, "paymentGatewayId": self.gateway });
        let path = "/commerce/payments/payment-methods";
        let kept = self.post(&self.kessai, path, &body).await?;
        say(path, "a card is kept; here rests no number, but the gateway's token, sealed");
        Ok(at(&kept, "/paymentMethod/id"))
    }

    async fn set_up_retries(&self) -> Result<(), StartError> {
        let body = json!({
            "Name": "Patient", "Status": "Active", "IsDefaultRuleSet": true, "DefaultRetryIntervalType": "Staggered",
            "DefaultIntervalValue": "1,3,5", "DefaultIntervalUnit": "Days", "DefaultMaximumRetryCount": 3,
        });
        let path = "/sobjects/PaymentRetryRuleSet";
        self.post(&self.kessai, path, &body).await?;
        say(path, "what fails and may work later is tried again after 1, 3 and 5 days");
        Ok(())
    }

    async fn set_up_runs(&self) -> Result<(), StartError> {
        let body = json!({
            "schedulerName": "Each morning", "status": "Active", "startDate": "2027-01-25", "preferredTime": "06:00:00.000",
            "timezone": ZONE, "frequencyCadence": "Daily",
        });
        let path = "/commerce/payments/payment-schedulers";
        self.post(&self.kessai, path, &body).await?;
        say(path, "each day at 06:00 a run charges what is due");
        Ok(())
    }

    async fn subscribe(&self, method: &str) -> Result<String, StartError> {
        let body = json!({
            "status": "Open", "defaultPaymentMethodId": method, "paymentGatewayId": self.gateway,
            "currencyIsoCode": "JPY", "recurrence": {
                "amount": 1200, "frequency": "Month", "onDay": "28", "startDate": "2027-01-25", "trialDays": 3,
            },
        });
        let made = self.post(&self.kessai, SCHEDULES, &body).await?;
        let recurs = at(&made, "/paymentSchedule/recurrence/description");
        let first = at(&made, "/paymentSchedule/items/0/targetPaymentProcessingDate");
        let price = yen(&made, "/paymentSchedule/recurrence/amount");
        say(SCHEDULES, &format!("{price} {recurs}, 3 days free: the first charge is on {first}"));
        Ok(at(&made, "/paymentSchedule/id"))
    }

    async fn run_out_of_money(&self) -> Result<(), StartError> {
        let next = json!([{ "fault": "insufficient-funds", "class": "keyed", "kind": "sale", "times": 2 }]);
        self.post(&self.sandbox, "/faults", &json!({ "next": next })).await?;
        println!("\nAt the gateway:");
        say("/faults", "the next 2 sales find too little money on the card");
        Ok(())
    }

    /// Moves the clock, and prints what happened since the event that was the last.
    async fn advance(&self, by: &str, last: &mut Option<String>) -> Result<(), StartError> {
        println!("\nPOST /local/clock {{\"advance\": \"{by}\"}}");
        self.post(&self.kessai, "/local/clock", &json!({ "advance": by })).await?;
        loop {
            let since = last.as_ref().map(|last| format!("&after={last}")).unwrap_or_default();
            let page = self.get(&self.kessai, &format!("/commerce/payments/events?type=schedule.*{since}")).await?;
            let mut events: Vec<_> = page["events"].as_array().into_iter().flatten().collect();
            // Without an event to go on from the newest is the first.
            if last.is_none() {
                events.reverse();
            }
            let Some(newest) = events.last() else { return Ok(()) };
            *last = Some(at(newest, "/id"));
            for event in events.into_iter().filter(|event| TOLD.contains(&at(event, "/type").as_str())) {
                println!("{SAID}{}", self.told(event));
            }
        }
    }

    /// What an event tells.
    fn told(&self, event: &Value) -> String {
        let item = "/data/paymentScheduleItem";
        let of = |member: &str| at(event, &format!("{item}/{member}"));
        let (day, amount) = (self.day(&at(event, "/timestamp")), yen(event, &format!("{item}/requestedAmount")));
        let came = match (of("status").as_str(), of("paymentRetryCount").as_str()) {
            ("Failed", _) => {
                let why = of("paymentProcessingMessage");
                format!(
                    "Failed: {why} ({}), again on {}",
                    of("paymentGatewayErrorCategory"),
                    self.day(&of("nextPaymentRetryTime"))
                )
            }
            (status, "0") => status.to_owned(),
            (status, retries) => format!("{status}, tried again {retries} times"),
        };
        format!("{day}  {:18}  {amount}  {came}", at(event, "/type"))
    }

    async fn sum_up(&self, id: &str) -> Result<(), StartError> {
        let shown = self.get(&self.kessai, &format!("{SCHEDULES}/{id}")).await?;
        let schedule = &shown["paymentSchedule"];
        let (status, charged) = (at(schedule, "/status"), yen(schedule, "/totalProcessedAmount"));
        let next = self.day(&at(schedule, "/nextRunTime"));
        println!(
            "\nGET {SCHEDULES}/{{paymentScheduleId}}\n{SAID}{status}: {charged} were paid, the next run that charges is on {next}"
        );
        let ledger = self.get(&self.sandbox, "/ledger").await?;
        let sales: Vec<_> =
            ledger["effects"].as_array().into_iter().flatten().filter(|effect| effect["kind"] == "sale").collect();
        let taken: u64 = sales.iter().filter_map(|sale| sale["amount"].as_u64()).sum();
        let taken = yen(&json!(taken), "");
        println!("\nGET /ledger of the gateway\n{SAID}charged exactly {} times, {taken} in all", sales.len());
        if taken == charged {
            Ok(())
        } else {
            Err(format!("the gateway took {taken}, and the schedule has {charged}").into())
        }
    }

    /// The day of a moment, in the zone.
    fn day(&self, moment: &str) -> String {
        Timestamp::parse(moment).map_or_else(|| moment.to_owned(), |moment| self.zone.date(moment).to_string())
    }

    async fn post(&self, api: &Api, path: &str, body: &Value) -> Result<Value, StartError> {
        let headers = vec![("content-type", "application/json".to_owned())];
        let body = Zeroizing::new(serde_json::to_vec(body)?);
        Ok(serde_json::from_str(&api.send(&self.http, Method::Post, path, headers, body).await?)?)
    }

    async fn get(&self, api: &Api, path: &str) -> Result<Value, StartError> {
        Ok(serde_json::from_str(&api.get(&self.http, path).await?)?)
    }
}

fn say(path: &str, what: &str) {
    println!("POST {path}\n{SAID}{what}");
}

/// An amount of an answer, in yen.
fn yen(thing: &Value, pointer: &str) -> String {
    let number = at(thing, pointer);
    let whole = number.strip_suffix(".0").unwrap_or(&number);
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && whole.len().saturating_sub(place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("¥{grouped}")
}
