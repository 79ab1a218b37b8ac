//! Stored methods: made, kept, changed and used, over a vault that fails as told.

mod changes;
mod crashes;
mod keep;
mod listed;
mod notices;
mod on_file;
mod resent;
mod secrets;
mod tokenize;

use std::sync::Arc;

use super::fuse::block_on;
use super::world::World;
use crate::card::Secret;
use crate::ids::{MethodId, MethodKind};
use crate::method::tests::fixtures::text;
use crate::method::{Asked, CardOnFile, Details, Facts, Method};
use crate::payment::Instrument;
use crate::payment::asked::Address;
use crate::payment::tests::fixtures::{LIFE, card_of, gateway_id, key, merchant};
use crate::ports::Clock;
use crate::rejection::Refusal;
use crate::seal::SealingKeys;
use crate::stored::method::StoredMethod;
use crate::time::Timestamp;
use crate::vault::{Asking, Kept};

/// The number of the card that is tokenized.
const NUMBER: &str = "4242424242424242";

/// A card to be stored, under this key.
fn asking(name: &str) -> Asking {
    asking_for(name, card_of(NUMBER, "123", Address::default()))
}

fn asking_for(name: &str, instrument: Instrument) -> Asking {
    let (kind, key) = (MethodKind::Card, key(name));
    let id = MethodId::made_by(kind, &merchant(), &key);
    let facts = Facts::Card(CardOnFile { bin: text("424242"), last_four: text("4242"), ..CardOnFile::default() });
    let asked = Asked { kind, key, gateway: Some(gateway_id()), facts, details: Details::default() };
    Asking { merchant: merchant(), id, asked, instrument }
}

/// The keys of these ids, the newest first; `k1` is the one that the world begins with.
fn keys(ids: &[&str]) -> Option<Arc<SealingKeys>> {
    let key = |id: &&str| format!("{id}:{}", if *id == "k1" { "07" } else { "02" }.repeat(32));
    SealingKeys::parse(&ids.iter().map(key).collect::<Vec<_>>().join(",")).map(Arc::new)
}

impl World {
    fn deadline(&self) -> Timestamp {
        self.clock.now().plus(LIFE)
    }

    async fn tokenizing(&self, asking: &Asking) -> Result<Kept, Refusal> {
        self.shell.tokenize(self.route(), asking, self.deadline()).await
    }

    fn tokenize(&self, asking: &Asking) -> Result<Kept, Refusal> {
        block_on(self.tokenizing(asking))
    }

    /// The method as it is stored.
    fn stored(&self, id: &MethodId) -> Option<Method> {
        let methods = self.vault.items().into_iter().map(|item| StoredMethod::from_item(item).expect("ours").method);
        let mut of_id = methods.filter(|method| method.id == *id);
        let found = of_id.next();
        assert!(of_id.next().is_none(), "two methods with one id");
        found
    }

    /// The token that rests there, opened.
    fn token(&self, id: &MethodId) -> Option<String> {
        let method = self.stored(id)?;
        let (keys, sealed) = (self.shell.sealing_keys.as_ref().expect("keys"), method.token.as_ref()?);
        let opened = method.at_its_place(|place| keys.open(place, sealed)).expect("it opens");
        Some(Secret::reveal(&opened).to_owned())
    }
}
