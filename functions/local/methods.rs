//! The stored methods that the development merchant has from the start: one for each code of the sandbox's magic, by the
//! id and the token that the sandbox knows them by.

use kessai_infra::dynamodb::DynamoDb;
use kessai_shared::card::Secret;
use kessai_shared::ids::{MerchantId, MethodId};
use kessai_shared::method::Method;
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::ports::{Entropy, Expected, Store};
use kessai_shared::seal::SealingKeys;
use kessai_shared::stored::method::StoredMethod;
use kessai_shared::time::Timestamp;

use crate::lambda::StartError;
use crate::sandbox::{TABLE, method_id};

/// Puts those into the vault that are not there.
pub async fn seed(
    vault: &DynamoDb,
    merchant: MerchantId,
    keys: &SealingKeys,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<(), StartError> {
    for row in &TABLE {
        let id = method_id(row.code);
        let (Some(method), Some(key)) = (MethodId::parse(&id), IdempotencyKey::parse(row.name)) else { continue };
        let mut method = Method::of_token(merchant, method, key, now);
        let token = Secret::new(id);
        let sealed = method.at_its_place(|place| keys.seal(place, &token, entropy.bytes()))?;
        method.token = Some(sealed);
        // One that is there stays as it is.
        vault.write(StoredMethod::following(None, method).to_item(), Expected::Absent).await?;
    }
    Ok(())
}
