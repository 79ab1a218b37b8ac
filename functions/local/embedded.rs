//! The embedded DynamoDB, spoken to over loopback by the client that speaks to AWS.

use std::path::Path;
use std::thread;

use dynoxide::Database;
use dynoxide::server::serve_with_shutdown;
use kessai_infra::aws::Account;
use kessai_infra::dynamodb::DynamoDb;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::lambda::StartError;

/// A running database. It ends with the process; every acknowledged write is on disk by then.
pub struct Embedded {
    /// Where it listens.
    pub url: String,
    pub payments: DynamoDb,
    pub merchants: DynamoDb,
    pub vault: DynamoDb,
    pub schedules: DynamoDb,
    pub events: DynamoDb,
}

/// Starts a database over the file, or in memory where there is none, and makes the tables.
pub async fn start(file: Option<&Path>) -> Result<Embedded, StartError> {
    let database = match file {
        Some(path) => Database::new(&path.to_string_lossy())?,
        None => Database::memory()?,
    };
    let (started, address) = oneshot::channel();
    // Its calls block, so it has a runtime of its own.
    thread::Builder::new().name("dynamodb".to_owned()).spawn(move || serve(database, started))?;
    let address = address.await??;
    let url = format!("http://{address}");
    // It is this process that answers: on a busy machine it takes what it takes, and nothing is lost by then.
    let account = Account::at(&url).patient();
    let [payments, merchants, vault, schedules, events] =
        ["payments", "merchants", "vault", "schedules", "events"].map(|name| account.table(name));
    payments.create_table().await?;
    merchants.create_table().await?;
    vault.create_vault_table().await?;
    schedules.create_schedules_table().await?;
    events.create_events_table().await?;
    Ok(Embedded { url, payments, merchants, vault: vault.with_lists(), schedules, events })
}

fn serve(database: Database, started: oneshot::Sender<std::io::Result<std::net::SocketAddr>>) {
    let run = || {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        Ok((runtime, listener.local_addr()?, listener))
    };
    match run() {
        Ok((runtime, address, listener)) => {
            // Nobody waits for it where the server gave up meanwhile.
            let _ = started.send(Ok(address));
            let _ = runtime.block_on(serve_with_shutdown(listener, database, std::future::pending()));
        }
        Err(error) => {
            let _ = started.send(Err(error));
        }
    }
}
