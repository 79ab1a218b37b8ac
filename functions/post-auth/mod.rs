//! `POST /commerce/payments/postAuths`: register an authorization that was made client-side.

use kessai_shared::merchant::Scope;
use kessai_shared::payment::Kind;
use kessai_shared::payment::asked::Request;

use crate::authorize;
use crate::door::{Asking, Function, Needs, open};
use crate::problem::Problem;
use crate::wire::instrument::{Saving, Ways};
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
    authorize::hold(Kind::PostAuthorize, Ways::PostAuthorization, members, asking)
}
