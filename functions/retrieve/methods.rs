//! `GET` of stored payment methods: one by its id, or those of an account, page by page.

use kessai_shared::ids::MethodId;
use kessai_shared::merchant::Merchant;
use kessai_shared::payment::asked::AccountId;
use kessai_shared::time::Timestamp;
use serde::Serialize;

use crate::door::App;
use crate::event::{HttpAnswer, HttpEvent};
use crate::problem::Problem;
use crate::wire::method::{MOST_METHODS, Page, Reading};
use crate::wire::query::count;

/// Methods of a page where nothing else is asked for.
const USUAL_PAGE: u16 = 20;

pub(super) async fn show(
    app: &App,
    merchant: &Merchant,
    event: &HttpEvent,
    deadline: Timestamp,
) -> Result<HttpAnswer, Problem> {
    match event.path_parameter("paymentMethodId") {
        Some(id) => one(app, merchant, id, deadline).await,
        None => of_account(app, merchant, event, deadline).await,
    }
}

async fn one(app: &App, merchant: &Merchant, id: &str, deadline: Timestamp) -> Result<HttpAnswer, Problem> {
    let id = MethodId::parse(id).ok_or_else(Problem::not_found)?;
    let stored = app.shell.method(&merchant.id, &id, deadline).await?.ok_or_else(Problem::not_found)?;
    Ok(shown(&Reading::of(&stored.method, app.shell.clock.now()).ok_or_else(Problem::not_found)?))
}

async fn of_account(
    app: &App,
    merchant: &Merchant,
    event: &HttpEvent,
    deadline: Timestamp,
) -> Result<HttpAnswer, Problem> {
    let account = event.parameter("accountId").ok_or_else(|| Problem::missing("accountId"))?;
    let account = AccountId::parse(account).ok_or_else(|| Problem::invalid("accountId", "is no account id"))?;
    let after = event.parameter("pageToken").map(|token| MethodId::parse(token).ok_or(()));
    let after = after.transpose().map_err(|()| Problem::invalid("pageToken", "must be the nextPageToken of a page"))?;
    let limit = match event.parameter("pageSize") {
        Some(text) => count("pageSize", text, MOST_METHODS)?,
        None => USUAL_PAGE,
    };
    let (methods, more) = app.shell.methods_of(&merchant.id, &account, after.as_ref(), limit, deadline).await?;
    Ok(shown(&Page::of(&methods, more)))
}

fn shown(body: &impl Serialize) -> HttpAnswer {
    HttpAnswer::json(200, serde_json::to_string(body).unwrap_or_default())
}
