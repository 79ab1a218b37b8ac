//! Changes of what a provider's gateways sign their notices with.

use std::time::Duration;

use super::{Noted, Refused, noted, old_ends};
use crate::ids::ProviderId;
use crate::merchant::secret::replace;
use crate::merchant::{Merchant, SealedSecret};
use crate::time::Timestamp;

/// The old secret counts beside the new one for a while: notices that are signed with it may be under way.
pub(super) fn set(
    merchant: &mut Merchant,
    id: ProviderId,
    secret: &SealedSecret,
    overlap: Duration,
    now: Timestamp,
) -> Result<Noted, Refused> {
    let provider = merchant.providers.get_mut(&id).ok_or(Refused::NotFound)?;
    // Written by us and not acknowledged.
    if provider.notice_secrets.iter().any(|known| known.sealed == secret.sealed) {
        return Ok(None);
    }
    let ends = replace(&mut provider.notice_secrets, secret.clone(), overlap, now);
    Ok(noted("provider.notification-secret-set", id, old_ends(ends)))
}

/// Where there is none there is nothing to do.
pub(super) fn remove(merchant: &mut Merchant, id: ProviderId) -> Result<Noted, Refused> {
    let provider = merchant.providers.get_mut(&id).ok_or(Refused::NotFound)?;
    if provider.notice_secrets.is_empty() {
        return Ok(None);
    }
    provider.notice_secrets.clear();
    Ok(noted("provider.notification-secret-removed", id, "no notice is believed any more"))
}
