//! Starts the models of payment gateways: beside the local server, or alone.

use std::sync::Arc;

use kessai_shared::card::Secret;
use kessai_shared::ports::Clock;
use tokio::sync::watch;

use super::arguments::Gateways;
use super::identity::{Identity, Told};
use super::start::{ended, fresh_key, hexadecimal, listen, wait};
use crate::lambda::StartError;
use crate::models::catalog::{CATALOG, Line};
use crate::models::{Model, Options, Receivers, serve};

/// The models alone, until the process is told to end.
pub async fn run(arguments: Gateways) -> Result<(), StartError> {
    let receivers = arguments.receivers()?;
    let listener = listen(arguments.port).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let ended = ended()?;
    println!("Gateways at {url}");
    let digits = hexadecimal(&fresh_key());
    let mut models: Vec<Box<dyn Model>> = Vec::new();
    for line in CATALOG {
        let secret = arguments.secret(line.name).unwrap_or_else(|| line.secret(&digits));
        introduce(line, &url, &secret);
        models.push(line.at(&url, &secret));
    }
    Ok(serve(listener, Options::of(models, receivers), wait(ended)).await?)
}

/// What whoever wants to try a model must know.
fn introduce(line: &Line, url: &str, secret: &str) {
    println!("\n{}", line.name);
    for (adapter, path) in line.gateways {
        println!("  {url}/{}{path} (adapter {adapter})", line.name);
    }
    for (member, text) in line.credential {
        println!("  {member}: {text}");
    }
    println!("  notices: {secret}");
}

/// Beside the local server, on its clock; says where they are. What they tell unasked goes to the development merchant's
/// providers.
pub async fn start(
    port: u16,
    identity: &Identity,
    url: &str,
    clock: Arc<dyn Clock>,
    ended: watch::Receiver<bool>,
) -> Result<String, StartError> {
    let listener = listen(port).await?;
    let models_url = format!("http://{}", listener.local_addr()?);
    let mut receivers = Receivers::new();
    let mut models: Vec<Box<dyn Model>> = Vec::new();
    for Told { model, providers, secret } in identity.models()? {
        let hook = |provider| format!("{url}/commerce/payments/notify?provider={provider}");
        receivers.insert(model.name.to_owned(), providers.into_iter().map(hook).collect());
        models.push(model.at(&models_url, Secret::reveal(secret)));
    }
    let options = Options { models, receivers, clock };
    tokio::spawn(async move {
        if let Err(error) = serve(listener, options, wait(ended)).await {
            eprintln!("the models of gateways ended: {error}");
        }
    });
    Ok(models_url)
}
