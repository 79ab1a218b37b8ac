//! `POST /commerce/payments/postAuths`: register an authorization that was made client-side.

use kessai_shared::merchant::Scope;
use kessai_shared::payment::Kind;

use crate::authorize;
use crate::door::{Ask, Asking, Does, Function};
use crate::problem::Problem;
use crate::wire::instrument::Ways;
use crate::wire::members::Members;

pub const FUNCTION: Function = Function { name: "post-auth", scopes: &[Scope::Authorize], does: Does::Open(translate) };

fn translate(members: &mut Members<'_>, asking: Asking<'_>) -> Result<Ask, Problem> {
    authorize::open(Kind::PostAuthorize, Ways::PostAuthorization, members, asking)
}
