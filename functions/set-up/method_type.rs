//! `GtwyProvPaymentMethodType`: how a provider calls one way to pay.

use kessai_shared::ids::{MethodKind, MethodTypeId, ProviderId};
use kessai_shared::merchant::MethodType;
use kessai_shared::merchant::set_up::Change;

use super::provider::developer_name;
use super::{COMMENTS, Desk, ID, LABEL, Making, created};
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::wire::members::Members;

/// What a provider's types may be of.
const KINDS: [MethodKind; 3] = [MethodKind::Alternative, MethodKind::Card, MethodKind::DigitalWallet];

/// Characters of the gateway's own name.
const GATEWAY_NAME: usize = 60;

pub(super) async fn create(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let text = desk.body()?;
    let mut members = Members::parse_any_case(&text)?;
    let making = Making::of(desk, &mut members, &text)?;
    let missing = |member| move || Problem::missing(member);
    let provider = members.parsed("PaymentGatewayProviderId", ID, "an id of 15 or 18 characters", ProviderId::parse)?;
    let kinds = KINDS.map(|kind| (kind.object(), kind));
    let gateway_name = members.text("GtwyProviderPaymentMethodType", GATEWAY_NAME)?;
    let kind = MethodType {
        provider: provider.ok_or_else(missing("PaymentGatewayProviderId"))?,
        kind: members.literal("PaymentMethodType", &kinds)?.ok_or_else(missing("PaymentMethodType"))?,
        gateway_name: gateway_name.ok_or_else(missing("GtwyProviderPaymentMethodType"))?,
        developer_name: developer_name(&mut members)?.ok_or_else(missing("DeveloperName"))?,
        master_label: members.text("MasterLabel", LABEL)?.ok_or_else(missing("MasterLabel"))?,
        record_type: members.text("RecordTypeId", ID)?,
        comments: members.text("Comments", COMMENTS)?,
        made: making.made,
    };
    members.finish()?;
    let id = making.id(desk, MethodTypeId::made_under, MethodTypeId::from_random);
    desk.change(Change::AddMethodType(id, kind)).await?;
    Ok(created(id))
}
