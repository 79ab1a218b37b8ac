//! Nick name, auto-pay and status of a stored method change; its answer is the method as it stands then.

use kessai_shared::ids::MethodId;
use kessai_shared::method::{Change, Status};

use super::{Call, see};
use crate::door::Subject;
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::wire::body;
use crate::wire::members::Members;
use crate::wire::method::Reading;

pub(super) async fn serve(call: &Call<'_>, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let id = call.event.path_parameter("paymentMethodId").and_then(MethodId::parse).ok_or_else(Problem::not_found)?;
    let text = call.event.json_body()?;
    let change = read(Members::parse(&text)?)?;
    let method =
        call.app.shell.change_method(&call.merchant.id, &id, &change, call.merchant.wanted(), call.deadline).await?;
    see(subject, &method, false);
    let reading = Reading::of(&method, call.app.shell.clock.now()).ok_or_else(Problem::not_found)?;
    Ok(HttpAnswer::json(200, serde_json::to_string(&reading).unwrap_or_default()))
}

fn read(mut members: Members<'_>) -> Result<Change, Problem> {
    let names_nick = members.has("nickName");
    let nick_name = body::nick_name(&mut members)?;
    let statuses: Vec<_> = Status::ALL.into_iter().map(|status| (status.literal(), status)).collect();
    let change = Change {
        // An empty name takes the name away.
        nick_name: names_nick.then_some(nick_name),
        auto_pay: members.flag("autoPay")?,
        status: members.literal("status", &statuses)?,
    };
    members.finish()?;
    if change == Change::default() {
        return Err(Problem::missing("nickName, autoPay or status"));
    }
    Ok(change)
}
