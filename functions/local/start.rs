//! Starts the local server, the sandbox gateways alone, or a command.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use kessai_infra::directory::Cached;
use kessai_infra::dynamodb::DynamoDb;
use kessai_infra::http::HttpClient;
use kessai_infra::system::{SystemClock, SystemEntropy};
use kessai_infra::watch::{Log, Watch, standard_error};
use kessai_infra::webhook::WebhookClient;
use kessai_shared::card::Secret;
use kessai_shared::fingerprint::FingerprintKey;
use kessai_shared::merchant::address::Plain;
use kessai_shared::ports::{Clock, Entropy, Store};
use kessai_shared::seal::SealingKeys;
use kessai_shared::shell::Shell;
use kessai_shared::time::Timestamp;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, watch};
use zeroize::Zeroizing;

use super::arguments::{Arguments, Command, Sandbox, Serve};
use super::clock::MovableClock;
use super::embedded;
use super::files::{claim_directory, write_whole};
use super::follow_up::{Reminders, RemindingStore, UsedLists, Worker};
use super::identity::{Addresses, Identity, Notices};
use super::methods;
use super::models;
use super::routes::routes;
use super::server::Server;
use crate::command;
use crate::door::App;
use crate::lambda::{StartError, on_panic, read_fingerprint_key};
use crate::rates::{GatewayRates, Rates};
use crate::sandbox;

/// Does what is asked for: a command until it is done, a server until the process is told to end.
pub fn start(arguments: Arguments) -> Result<(), StartError> {
    let log = Log { function: "local", stage: None, clock: Arc::new(SystemClock), out: standard_error() };
    std::panic::set_hook(Box::new(on_panic(log)));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.command {
            Some(Command::Sandbox(sandbox)) => run_sandbox(sandbox).await,
            Some(Command::Gateways(gateways)) => models::run(gateways).await,
            Some(Command::Demo) => command::demo::run().await,
            Some(Command::SetUp(command)) => command::run(*command).await,
            None => run_server(arguments.serve).await,
        }
    })
}

async fn run_sandbox(arguments: Sandbox) -> Result<(), StartError> {
    let listener = listen(arguments.port).await?;
    println!("Sandbox gateways at http://{}", listener.local_addr()?);
    let ended = ended()?;
    let options = sandbox::Options { notify: arguments.receivers()?, data: arguments.data, ..Default::default() };
    Ok(sandbox::serve(listener, options, wait(ended)).await?)
}

async fn run_server(arguments: Serve) -> Result<(), StartError> {
    let _claim = claim_directory(&arguments.data)?;
    let ended = ended()?;
    let listener = listen(arguments.port).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let resting = (!arguments.memory).then_some(arguments.data.as_path());
    // Ends after us: what we have asked it is still answered.
    let (end_gateways, gateways_ended) = watch::channel(false);
    let clock = Arc::new(MovableClock::open(resting.map(|data| data.join("clock")))?);
    let identity_file = arguments.data.join("local.env");
    let identity = Identity::load(&identity_file);
    let sandbox_url = match arguments.sandbox_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => {
            let data = resting.map(|data| data.join("sandbox"));
            let options = sandbox::Options { data, notify: receivers(&identity, &url)?, clock: clock.clone() };
            start_sandbox(arguments.sandbox_port, options, gateways_ended.clone()).await?
        }
    };
    let models_url = match arguments.models_url {
        _ if arguments.no_models => None,
        Some(url) => Some(url.trim_end_matches('/').to_owned()),
        None => Some(models::start(arguments.models_port, &identity, &url, clock.clone(), gateways_ended).await?),
    };
    let addresses = Addresses { server: &url, sandbox: &sandbox_url, models: models_url.as_deref() };
    let ground = Ground { resting, identity: &identity, addresses, quiet: arguments.quiet };
    let server = assemble(ground, clock).await?;
    identity.save(&identity_file, addresses)?;
    greet(addresses, &identity_file, &identity);
    server.serve(listener, wait(ended)).await;
    // Nobody listens where the sandbox runs elsewhere, and no models.
    let _ = end_gateways.send(true);
    Ok(())
}

/// What a server stands on.
pub(crate) struct Ground<'a> {
    /// Where its data rest; in memory only where there is none.
    pub resting: Option<&'a Path>,
    pub identity: &'a Identity,
    pub addresses: Addresses<'a>,
    pub quiet: bool,
}

/// Puts a server together; from then on what is due is looked at.
pub(crate) async fn assemble(ground: Ground<'_>, clock: Arc<MovableClock>) -> Result<Arc<Server>, StartError> {
    let Ground { resting, identity, addresses, quiet } = ground;
    let database = embedded::start(resting.map(|data| data.join("kessai.db")).as_deref()).await?;
    let sealing_keys = sealing_keys(resting)?;
    identity.register(&database.merchants, addresses, &sealing_keys).await?;

    let reminders = Arc::new(Reminders::default());
    remember(&reminders, &database.payments).await?;
    remember(&reminders, &database.vault).await?;
    remember(&reminders, &database.schedules).await?;
    let reminding = |table: DynamoDb| RemindingStore {
        store: table.with_clock(clock.clone()),
        reminders: Arc::clone(&reminders),
        clock: Arc::clone(&clock),
        used: resting.is_none().then(UsedLists::default),
    };
    // The server itself says what was asked; here only what is wrong.
    let log = Log { function: "local", stage: None, clock: clock.clone(), out: standard_error() };
    methods::seed(&database.vault, identity.merchant, &sealing_keys, &SystemEntropy, clock.now()).await?;
    let (rates, merchants): (Arc<Rates>, Arc<dyn Store>) = (Arc::default(), Arc::new(database.merchants.clone()));
    let limiter = GatewayRates { rates: Arc::clone(&rates), store: Arc::clone(&merchants) };
    let shell = Shell {
        store: Arc::new(reminding(database.payments)),
        http: Arc::new(HttpClient::new()?),
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
        journal: Watch::new(&log, String::new(), None),
        fingerprint_key: Some(Arc::new(fingerprint_key(resting)?)),
        vault: Some(Arc::new(reminding(database.vault))),
        sealing_keys: Some(Arc::new(sealing_keys)),
        limiter: Some(Arc::new(limiter)),
    };
    let app = App {
        shell,
        directory: Arc::new(Cached::new(database.merchants, clock.clone())),
        merchants,
        rates,
        archive: Some(Arc::new(database.events)),
        schedules: Some(Arc::new(reminding(database.schedules))),
        tells_bus: false,
        takes_loopback: true,
    };
    let deliveries = Arc::new(WebhookClient::new(Plain::Loopback)?);
    let playing = Mutex::default();
    let worker = Arc::new(Worker { app: app.clone(), deliveries, reminders, clock: Arc::clone(&clock), playing });
    tokio::spawn(Arc::clone(&worker).run());
    Ok(Arc::new(Server { app, routes: routes()?, clock, worker, quiet }))
}

/// Whatever was left open before.
async fn remember(reminders: &Reminders, table: &DynamoDb) -> Result<(), StartError> {
    let end_of_time = Timestamp::from_millis(i64::MAX);
    let mut place = None;
    loop {
        let page = table.due(end_of_time, place).await?;
        if let Some(unreadable) = page.unreadable.into_iter().next() {
            return Err(unreadable.into());
        }
        reminders.remember(page.images);
        place = page.next;
        if place.is_none() {
            return Ok(());
        }
    }
}

pub(crate) async fn listen(port: u16) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    listener.map_err(|error| {
        format!("port {port}: {error}; choose another with --port, --sandbox-port or --models-port, or 0").into()
    })
}

pub(crate) async fn start_sandbox(
    port: u16,
    options: sandbox::Options,
    ended: watch::Receiver<bool>,
) -> Result<String, StartError> {
    let listener = listen(port).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        if let Err(error) = sandbox::serve(listener, options, wait(ended)).await {
            eprintln!("the sandbox gateways ended: {error}");
        }
    });
    Ok(url)
}

/// Where the sandbox gateways tell us what their answers could not say. What an answer says is not told again: a lost one
/// is for us to find out.
pub(crate) fn receivers(identity: &Identity, url: &str) -> Result<sandbox::Receivers, StartError> {
    let receiver = |Notices { class, provider, secret }: Notices<'_>| {
        let url = format!("{url}/commerce/payments/notify?provider={provider}");
        let secrets = vec![Secret::new(secret.reveal().to_owned())];
        Some((sandbox::Class::by_name(class)?, sandbox::Notify { url, secrets, only_later: true }))
    };
    Ok(identity.notices()?.into_iter().filter_map(receiver).collect())
}

/// The key of request fingerprints, made at the first start.
fn fingerprint_key(data: Option<&Path>) -> Result<FingerprintKey, StartError> {
    let text = kept(data, "fingerprint.key", || hexadecimal(&fresh_key()))?;
    read_fingerprint_key(text.trim()).ok_or_else(|| "fingerprint.key: must be 64 hexadecimal digits".into())
}

/// The keys of the vault, made at the first start.
fn sealing_keys(data: Option<&Path>) -> Result<SealingKeys, StartError> {
    let text = kept(data, "vault.keys", || format!("k1:{}", *hexadecimal(&fresh_key())).into())?;
    SealingKeys::parse(&text).ok_or_else(|| "vault.keys: must be keys as id:64 hexadecimal digits".into())
}

/// A file's text, made where there is none yet; where nothing rests, made each time.
fn kept(
    data: Option<&Path>,
    name: &str,
    make: impl FnOnce() -> Zeroizing<String>,
) -> Result<Zeroizing<String>, StartError> {
    let Some(file) = data.map(|data| data.join(name)) else { return Ok(make()) };
    if file.exists() {
        return Ok(fs::read_to_string(&file)?.into());
    }
    let text = make();
    write_whole(&file, text.as_bytes())?;
    Ok(text)
}

pub(super) fn hexadecimal(key: &[u8; 32]) -> Zeroizing<String> {
    HEXLOWER.encode(key).into()
}

pub(super) fn fresh_key() -> [u8; 32] {
    let mut key = [0; 32];
    key[..16].copy_from_slice(&SystemEntropy.bytes());
    key[16..].copy_from_slice(&SystemEntropy.bytes());
    key
}

/// Turns true when the process is told to end.
pub(super) fn ended() -> Result<watch::Receiver<bool>, StartError> {
    let (sender, receiver) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        // Whoever no longer listens has ended already.
        let _ = sender.send(true);
    });
    Ok(receiver)
}

pub(crate) async fn wait(mut ended: watch::Receiver<bool>) {
    // An error means that nobody will ever tell: then it is over, too.
    let _ = ended.wait_for(|ended| *ended).await;
}

fn greet(addresses: Addresses<'_>, file: &Path, identity: &Identity) {
    let file = file.display();
    let models = addresses.models.map(|url| format!(", models of gateways at {url}"));
    println!("Kessai at {}, sandbox gateways at {}{}", addresses.server, addresses.sandbox, models.unwrap_or_default());
    println!("API key {} (also in {file})", identity.api_key.reveal());
    println!(
        r#"
  source {file}
  curl -s "$KESSAI_URL/commerce/payments/authorizations" \
    -H "Authorization: Bearer $KESSAI_API_KEY" -H 'Content-Type: application/json' \
    -d '{{"accountId":"001000000000001","amount":50,"currencyIsoCode":"USD","paymentGatewayId":"'$KESSAI_GATEWAY_ID'",
         "paymentMethod":{{"cardPaymentMethod":{{"cardNumber":"4242424242424242","expiryMonth":12,"expiryYear":2030}}}}}}'
"#
    );
}
