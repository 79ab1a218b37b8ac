//! `POST /commerce/payments/postAuths`: register an authorization that was made client-side.

use kessai_shared::merchant::{Merchant, Scope};
use kessai_shared::payment::Kind;
use kessai_shared::payment::asked::Request;
use kessai_shared::ports::Note;
use kessai_shared::rejection::Refusal;
use kessai_shared::shell::Reply;
use kessai_shared::time::Timestamp;

use crate::authorize;
use crate::door::{App, Asking, Function, Needs, open};
use crate::notice::{register, take_kept};
use crate::problem::{Problem, chain};
use crate::wire::instrument::Saving;
use crate::wire::members::Members;

pub const FUNCTION: Function = Function {
    name: "post-auth",
    scopes: &[Scope::Authorize],
    needs: Needs::TO_TAKE_CARDS,
    answer: |app, function, event, deadline, subject| {
        Box::pin(open(app, function, translate, event, deadline, subject))
    },
};

fn translate(members: &mut Members<'_>, asking: Asking<'_>) -> Result<(Request, Option<Saving>), Problem> {
    authorize::hold(Kind::PostAuthorize, members, asking)
}

/// What was registered, with whatever was told of it before. It is registered, whether that can be had now or not: asked
/// again under the same key, it is looked for again.
pub async fn with_kept(app: &App, merchant: &Merchant, reply: Reply, deadline: Timestamp) -> Reply {
    let key = reply.payment.key();
    let told = async {
        register(app, merchant, &reply.payment, reply.operation, deadline).await?;
        match take_kept(app, merchant, &reply.payment, reply.operation, deadline).await? {
            true => Ok::<_, Refusal>(app.shell.read(key, deadline).await?),
            false => Ok(None),
        }
    };
    match told.await {
        Ok(Some(stored)) => Reply { payment: stored.payment, ..reply },
        Ok(None) => reply,
        Err(refusal) => {
            app.shell.journal.note(&Note::Failed { cause: &chain(&refusal) });
            reply
        }
    }
}
