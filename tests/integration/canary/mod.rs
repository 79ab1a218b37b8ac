//! No secret rests, is sent, is printed or is answered: whatever happens.
//!
//! Every flow runs with secrets that are known ([`flows`]): numbers of cards and bank accounts, a CVV, tokens of gateways,
//! API keys, webhook secrets, the key that seals and that of fingerprints. Then whatever was left behind ([`places`]) is
//! searched for each of them in each form that anybody would write it in ([`search`]). Flows are done, declined, refused,
//! struck by each fault of the gateway, broken by a panic and killed ([`worlds`]), and at the end the search itself is
//! proven upon copies of what was collected ([`planted`]).
//!
//! Not covered, and why:
//! - Memory, and with it a core dump: what holds a secret is wiped when dropped, but it must be there while it is used. A
//!   deployed function cannot leave a dump: Lambda has nowhere to put one.
//! - What merchants write into texts that are theirs rests as they write it: comments, names, `additionalData`, an
//!   idempotency key, an account's id. Any number can be an amount. A secret is put everywhere else.
//! - Three digits: a CVV of three stands anywhere by chance, so the one here has four.
//! - A secret cut in two by a page of the embedded database's file; in this process items are searched as they are.

mod flows;
mod places;
mod planted;
mod search;
mod worlds;

use std::fmt::Debug;
use std::path::Path;

use kessai_functions::event::HttpEvent;
use kessai_functions::lambda::on_panic;
use kessai_functions::sandbox::{SIGNATURE_HEADER, envelope};
use kessai_shared::bank::{AccountNumber, BankAccount};
use kessai_shared::card::{Card, Cvv, Pan};
use kessai_shared::fingerprint::FingerprintKey;
use kessai_shared::gateways::{Intent, TokenIntent};
use kessai_shared::merchant::ApiKey;
use kessai_shared::payment::Instrument;
use kessai_shared::ports::{HttpRequest, HttpResponse};
use kessai_shared::seal::SealingKeys;
use serde_json::{Value, json};

use self::flows::{ACCOUNT, CARD, CVV, KEPT_CARD, TOKEN};
use self::places::{DEVELOPMENT_KEY, Kind, Place, files, is_excepted};
use self::search::{Of, Search, Secret};
use self::worlds::{Diary, Served, Way, Within, World};
use crate::harness::{CLASSES, Client, Kessai, Sandbox, Scratch};
use crate::in_process::{FINGERPRINT_KEY, NOTICE_SECRET, SEALING_KEY};

/// Fails where a place holds what it must not.
#[track_caller]
fn check(search: &Search, places: &[Place]) {
    let mut leaks = Vec::new();
    for place in places {
        for (secret, form) in search.find(&place.bytes) {
            let secret = &search.secrets[secret];
            if !is_excepted(secret, place) {
                leaks.push(format!("{} ({form}) is in {:?}: {}", secret.name, place.kind, place.name));
            }
        }
    }
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.into_iter().take(40).collect::<Vec<_>>().join("\n"));
}

/// Fails where the places of a kind hold nothing of this: they were not collected.
#[track_caller]
fn sees(places: &[Place], kind: Kind, text: &str) {
    let holds = |place: &&Place| place.bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(places.iter().filter(|place| place.kind == kind).any(|place| holds(&place)), "{text:?} is in no {kind:?}");
}

/// What a data directory holds of keys.
fn keys_of(data: &Path) -> Vec<Secret> {
    let read = |name: &str| std::fs::read_to_string(data.join(name)).expect("a key");
    vec![
        Secret::hexadecimal(Of::SealingKey, "the key that seals", &read("vault.keys")),
        Secret::hexadecimal(Of::FingerprintKey, "the key of fingerprints", &read("fingerprint.key")),
    ]
}

fn development_key(world: &dyn World) -> Secret {
    Secret::hexadecimal(Of::ApiKey, DEVELOPMENT_KEY, &world.api_key())
}

/// What the gateways of the development merchant sign their notices with.
fn notice_secrets(client: &Client) -> impl Iterator<Item = Secret> {
    CLASSES.into_iter().map(|class| {
        let secret = client.variable(&format!("KESSAI_NOTICE_SECRET_{class}"));
        Secret::hexadecimal(Of::NoticeSecret, &format!("the notice secret of {class}"), secret)
    })
}

/// What a local server printed, its greeting apart.
fn printed(output: &str) -> [Place; 2] {
    let (greeting, rest): (Vec<&str>, Vec<&str>) = output.lines().partition(|line| line.starts_with("API key "));
    assert_eq!(greeting.len(), 1, "{output}");
    [Place::new(Kind::Output, "greeting", greeting.concat()), Place::new(Kind::Output, "the rest", rest.join("\n"))]
}

#[test]
fn the_local_server_keeps_no_secret() {
    let scratch = Scratch::new();
    let (log, data) = (scratch.path().join("log"), scratch.path().join("data"));
    let kessai = Kessai::on_file_with_log(&data, &log);
    let client = kessai.client.clone();
    let served = Served(&client);
    let diary = Diary::new(&served, flows::secrets());
    diary.hide(development_key(&served));
    flows::run(&diary);
    let output = kessai.end();
    diary.secrets.borrow_mut().extend(keys_of(&data));
    diary.secrets.borrow_mut().extend(notice_secrets(&client));

    let mut places = diary.places.take();
    places.extend(printed(&output));
    places.extend(files(Kind::File, &data));
    places.push(Place::new(Kind::Log, "the log", std::fs::read(&log).expect("a log")));
    for (kind, text) in [
        (Kind::File, "kessai.db"),
        (Kind::File, "authorize"),
        (Kind::File, "webhook-endpoint.rolled"),
        (Kind::File, "CardPaymentMethod"),
        (Kind::File, "ledger.jsonl"),
        (Kind::Log, "POST /commerce/payments/postAuths 402"),
        (Kind::Log, "DELETE /set-up/api-keys/"),
        (Kind::Answer, "savedPaymentMethodStatus"),
        (Kind::Answer, "whsec_"),
        (Kind::SetUp, "webhook-endpoint.created"),
        (Kind::SetUp, "webhookEndpoints"),
        (Kind::SetUp, "provider.notification-secret-set"),
        (Kind::SetUp, "gateway.credential"),
        (Kind::Output, "Kessai at http://"),
    ] {
        sees(&places, kind, text);
    }
    let search = Search::new(diary.secrets.take());
    check(&search, &places);
    planted::check_exceptions(&search, &places);
    planted::check_texts(&search, &places);
    planted::check_files(&search, &data);
}

#[test]
fn the_functions_keep_no_secret_though_they_panic() {
    let within = Within::new();
    let diary = Diary::new(&within, flows::secrets());
    diary.hide(development_key(&within));
    diary.hide(Secret::hexadecimal(Of::SealingKey, "the key that seals", SEALING_KEY));
    let fingerprint_key = data_encoding::HEXLOWER.encode(&FINGERPRINT_KEY);
    diary.hide(Secret::hexadecimal(Of::FingerprintKey, "the key of fingerprints", &fingerprint_key));
    flows::run(&diary);
    notify(&within, &diary);
    for (way, status) in [(Way::Panics, 500), (Way::Repeats, 402)] {
        within.take_way(way);
        in_flight(&within, &diary, status);
    }
    within.take_way(Way::Passes);
    within.settle(&[]);

    let mut places = diary.places.take();
    let tables = [Kind::Payments, Kind::Vault, Kind::Merchants];
    let items = tables.map(|kind| (kind, within.items(kind)));
    for (kind, items) in &items {
        places.extend(items.iter().map(|item| Place::of_item(*kind, item)));
        places.extend(items.iter().map(Place::of_stream));
    }
    places.extend(within.messages().into_iter().map(|message| Place::new(Kind::Queue, "a message", message)));
    places.extend(within.world().lines().into_iter().map(|line| Place::new(Kind::Log, line.clone(), line)));
    for (kind, text) in [
        (Kind::Payments, "authorize"),
        (Kind::Vault, "CardPaymentMethod"),
        (Kind::Vault, "2070"),
        (Kind::Merchants, "webhook-endpoint.rolled"),
        (Kind::Merchants, "api-key.created"),
        (Kind::Merchants, "provider.notification-secret-removed"),
        (Kind::Merchants, "gateway.credential"),
        (Kind::Stream, "NewImage"),
        (Kind::Queue, "payment"),
        (Kind::Log, "CloudWatchMetrics"),
        (Kind::Log, "panicked"),
        (Kind::Log, "relayed"),
        (Kind::Log, "looked"),
        (Kind::Answer, "UNKNOWN_EXCEPTION"),
        (Kind::Answer, "refused:"),
        (Kind::SetUp, "webhook-endpoint.created"),
    ] {
        sees(&places, kind, text);
    }
    let search = Search::new(diary.secrets.take());
    check(&search, &places);
    planted::check_texts(&search, &places);
    planted::check_items(&search, &items);
}

/// A gateway tells unasked of an operation that it accepted; and somebody else pretends to.
fn notify(within: &Within, diary: &Diary<'_>) {
    diary.hide(Secret::new(Of::WebhookSecret, "the secret of a gateway's notices", NOTICE_SECRET));
    diary.script(&json!({ "fault": "accepted-then-approved" }));
    let sale = diary.post("sales", Some("told"), &flows::card_opening(diary, "KEYED"));
    let id = sale.id();
    diary.script(&json!({ "fault": "token-accepted" }));
    let method = diary.post("payment-methods", Some("told"), &flows::card_to_keep(diary, "KEYED")).expect(201);
    let method = method.at("/paymentMethod/id").as_str().expect("a method").to_owned();
    let said = |reference: &str| {
        json!({
            "event": "operation", "id": "n", "reference": reference, "status": "approved", "code": "00",
            "message": format!("card {CARD}"), "token": TOKEN, "note": format!("{TOKEN} of {CARD}"),
        })
    };
    let now_ms = within.world().now().as_millis();
    // Of two that are known, of which one is a method, and of what nobody knows.
    let strange = [said("nobody knows it"), said("03O0000000000AA")];
    let mut of_method = said(&method);
    of_method["message"] = json!(format!("card {CARD} is kept as {TOKEN}"));
    let told = envelope([said(&id), of_method].iter().chain(&strange), &[NOTICE_SECRET], now_ms);
    let tell = |signature: &str| {
        diary.ask_with("POST", &within.notify_path("KEYED"), &[(SIGNATURE_HEADER, signature)], told.body.as_bytes())
    };
    tell(&envelope(&[], &["another"], now_ms).signature).expect(403);
    tell(&told.signature).expect(200);
    let read = diary.ask("GET", &format!("/commerce/payments/payments/{id}"), None, &Value::Null).expect(200);
    assert_eq!(read.record_status(), "Processed", "{}", read.text);
    let read =
        diary.ask("GET", &format!("/commerce/payments/payment-methods/{method}"), None, &Value::Null).expect(200);
    assert_eq!(read.at("/paymentMethod/status"), "Active", "{}", read.text);
    // What was told otherwise before is noted, and nothing of it kept.
    let again = envelope(
        [&json!({ "event": "operation", "id": "n", "reference": method, "status": "approved",
        "code": "00", "token": KEPT_CARD })],
        &[NOTICE_SECRET],
        now_ms,
    );
    diary
        .ask_with("POST", &within.notify_path("KEYED"), &[(SIGNATURE_HEADER, &again.signature)], again.body.as_bytes())
        .expect(200);
}

/// What carries a secret to a gateway, while the way there is what it is.
fn in_flight(within: &Within, diary: &Diary<'_>, status: u16) {
    let ours = std::thread::current().id();
    let (log, before) = (on_panic(within.world().log.clone()), std::panic::take_hook());
    let before = std::sync::Arc::new(before);
    let others = std::sync::Arc::clone(&before);
    // Other tests panic as they like.
    std::panic::set_hook(Box::new(
        move |panic| {
            if std::thread::current().id() == ours { log(panic) } else { others(panic) }
        },
    ));
    for class in CLASSES {
        let keeping = |path: &str| {
            let mut body = flows::card_opening(diary, class);
            body["paymentMethod"]["saveForFuture"] = json!(true);
            diary.post(path, None, &body)
        };
        let heard = [
            diary.post("authorizations", None, &flows::card_opening(diary, class)),
            diary.post("sales", None, &flows::card_opening(diary, class)),
            keeping("authorizations"),
            keeping("sales"),
            diary.post("payment-methods", None, &flows::card_to_keep(diary, class)),
            diary.post("payment-methods", None, &flows::account_to_keep(diary, class, "ACH", ACCOUNT)),
            pay_with_token(diary, class),
        ];
        for reply in heard {
            assert_eq!(reply.status, status, "{}", reply.text);
        }
    }
    drop(std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| before(panic)));
}

/// With one that is opened for it.
fn pay_with_token(diary: &Diary<'_>, class: &str) -> crate::harness::Reply {
    let brought = json!({ "GatewayToken": TOKEN, "PaymentGatewayId": diary.world.gateway(class) });
    let made = diary.ask("POST", "/sobjects/SavedPaymentMethod", None, &brought).expect(201);
    diary.post("sales", None, &flows::opening(diary, class, json!({ "id": made.at("/id") })))
}

#[test]
fn a_server_that_is_killed_leaves_no_secret() {
    let scratch = Scratch::new();
    let (log, data) = (scratch.path().join("log"), scratch.path().join("data"));
    let sandbox = Sandbox::start(&scratch.path().join("sandbox"));
    let mut kessai = Kessai::over_with_log(&data, &sandbox, &log);
    let (mut places, mut secrets) = (Vec::new(), flows::secrets());
    let flights = ["a sale", "a sale that keeps", "a card to keep", "an account to keep", "a token that pays"];
    for flight in flights {
        let client = kessai.client.clone();
        let served = Served(&client);
        let diary = Diary::new(&served, Vec::new());
        let brought = json!({ "GatewayToken": TOKEN, "PaymentGatewayId": served.gateway("KEYED") });
        let made = diary.ask("POST", "/sobjects/SavedPaymentMethod", None, &brought).expect(201);
        let mut keeping = flows::card_opening(&diary, "KEYED");
        keeping["paymentMethod"]["saveForFuture"] = json!(true);
        let (path, body) = match flight {
            "a sale" => ("sales", flows::card_opening(&diary, "KEYED")),
            "a sale that keeps" => ("sales", keeping),
            "a card to keep" => ("payment-methods", flows::card_to_keep(&diary, "KEYED")),
            "an account to keep" => ("payment-methods", flows::account_to_keep(&diary, "KEYED", "ACH", ACCOUNT)),
            _ => ("sales", flows::opening(&diary, "KEYED", json!({ "id": made.at("/id") }))),
        };
        diary.script(&json!({ "fault": "silence" }));
        std::thread::scope(|scope| {
            let in_flight = scope.spawn(|| client.try_post(path, Some(flight), &body));
            // The gateway has it, and says nothing.
            while served.sandbox("GET", "/faults", &Value::Null)["pending"] != 0 && !in_flight.is_finished() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            places.extend(printed(&kessai.kill()));
            assert_eq!(in_flight.join().expect("no panic"), None, "{flight}: nobody heard of it");
        });
        places.extend(files(Kind::Wreck, &data));
        places.append(&mut diary.places.take());
        kessai.restart();
        let client = kessai.client.clone();
        let served = Served(&client);
        let diary = Diary::new(&served, Vec::new());
        served.settle(&[]);
        diary.post(path, Some(flight), &body);
        places.append(&mut diary.places.take());
        secrets.push(development_key(&served));
    }
    let kept = kessai.client.clone();
    places.extend(printed(&kessai.end()));
    places.extend(files(Kind::File, &data));
    places.push(Place::new(Kind::Log, "the log", std::fs::read(&log).expect("a log")));
    secrets.extend(keys_of(&data));
    secrets.extend(notice_secrets(&kept));
    sees(&places, Kind::Wreck, "kessai.db");
    sees(&places, Kind::Wreck, "CardPaymentMethod");
    sees(&places, Kind::Log, "POST /commerce/payments/payment-methods");
    let search = Search::new(secrets);
    check(&search, &places);
    planted::check_texts(&search, &places);
    planted::check_files(&search, &data);
}

/// Whether a type can be printed would be decided here in two ways if it could, so that nothing below would compile.
trait Prints<Way> {
    const NEVER: () = ();
}

impl<T: ?Sized> Prints<()> for T {}

impl<T: ?Sized + Debug> Prints<u8> for T {}

macro_rules! never_printed {
    ($($type:ty),+ $(,)?) => { $(const _: () = <$type as Prints<_>>::NEVER;)+ };
}

never_printed!(Card, BankAccount, Instrument, HttpRequest, HttpEvent, Intent<'static>, TokenIntent<'static>);

#[test]
fn what_is_printed_of_a_value_is_masked() {
    let token = || kessai_shared::card::Secret::new(TOKEN.to_owned());
    let (first, second) = ([0x5e; 16], [0xa7; 16]);
    let api_key = ApiKey::from_random(first, second);
    let answer = HttpResponse { status: 200, body: format!("{{\"token\":\"{TOKEN}\"}}").into_bytes() };
    let sealing = SealingKeys::parse(&format!("k1:{SEALING_KEY}")).expect("a key");
    let values: [&dyn Debug; 8] = [
        &Pan::parse(CARD).expect("a card"),
        &Cvv::parse(CVV).expect("a CVV"),
        &AccountNumber::parse(ACCOUNT).expect("an account"),
        &token(),
        &api_key,
        &answer,
        &sealing,
        &FingerprintKey::new(FINGERPRINT_KEY),
    ];
    let places: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(place, value)| Place::new(Kind::Debug, format!("value {place}"), format!("{value:?} {value:#?}")))
        .collect();
    let mut secrets = flows::secrets();
    secrets.push(Secret::hexadecimal(Of::ApiKey, "an API key", api_key.reveal()));
    secrets.push(Secret::hexadecimal(Of::SealingKey, "the key that seals", SEALING_KEY));
    let fingerprint_key = data_encoding::HEXLOWER.encode(&FINGERPRINT_KEY);
    secrets.push(Secret::hexadecimal(Of::FingerprintKey, "the key of fingerprints", &fingerprint_key));
    sees(&places, Kind::Debug, "****1231");
    let search = Search::new(secrets);
    check(&search, &places);
    planted::check_texts(&search, &places);
}
