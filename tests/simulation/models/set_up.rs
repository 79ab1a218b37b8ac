//! What merchants have set up at a model, and the token of their stored method there.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kessai_functions::models::{Model, Request, answered, arriving};
use kessai_functions::sandbox::method_id;
use kessai_shared::card::{Card, Cvv, Expiry, Pan, Secret};
use kessai_shared::gateways::{Account, Credential, News, RawNotice, TokenIntent};
use kessai_shared::ids::{MerchantId, MethodId, ProviderId};
use kessai_shared::memory::Memory;
use kessai_shared::merchant::{
    AUTHORIZATION_LIFETIME, DeveloperName, Gateway, Merchant, Provider, SealedSecret, SharedWith,
};
use kessai_shared::method::{self, Method};
use kessai_shared::payment::asked::Address;
use kessai_shared::payment::{BalanceCheck, Generation, IdempotencyKey, Instrument, Outcome};
use kessai_shared::stored::Item;
use kessai_shared::stored::merchant::{
    api_key_key, encode_api_key, encode_merchant, encode_provider_pointer, merchant_key, provider_key,
};
use kessai_shared::stored::method::StoredMethod;
use kessai_shared::time::Timestamp;

use super::{Facts, Played};
use crate::cast::{Cast, GATEWAY_URL, MERCHANTS, SetUp, cast};
use crate::endpoints::{ENDPOINTS, set_up_for};
use crate::requests::{CARD, CVV};
use crate::world::START_MS;

/// A hold that ends while callers still try.
const SHORT_LIFETIME: Duration = Duration::from_secs(60);

/// All that histories at one gateway have in common: made once.
pub struct SetUps {
    /// With balances checked by the gateway and by Kessai, with these endpoints.
    pub each: [[Arc<SetUp>; ENDPOINTS.len()]; 2],
    pub vault: Arc<Memory>,
    /// By which notices come to each merchant.
    pub providers: [ProviderId; MERCHANTS],
    /// What a new model is asked first, so that it knows the token.
    pub kept: Vec<Request>,
    pub token: String,
}

impl Played {
    pub fn set_ups(self) -> &'static SetUps {
        static ALL: [OnceLock<SetUps>; Played::ALL.len()] = [const { OnceLock::new() }; Played::ALL.len()];
        ALL[self as usize].get_or_init(|| SetUps::of(self))
    }
}

impl SetUps {
    fn of(played: Played) -> Self {
        let providers = [7, 8].map(|provider| ProviderId::from_random([provider; 16]));
        let each = [BalanceCheck::Gateway, BalanceCheck::Strict]
            .map(|check| ENDPOINTS.map(|endpoints| Arc::new(set_up(played, providers, check, endpoints))));
        let facts = played.facts();
        let (kept, token) = match facts.token {
            Some(token) => (Vec::new(), token.to_owned()),
            None => keep(played),
        };
        let vault = Arc::new(vault(cast(), &token));
        Self { each, vault, providers, kept, token }
    }
}

/// Where a merchant's account is.
pub fn url_of(merchant: usize) -> String {
    format!("{GATEWAY_URL}/{merchant}")
}

fn set_up(
    played: Played,
    providers: [ProviderId; MERCHANTS],
    balance_check: BalanceCheck,
    endpoints: &'static [&'static [&'static str]],
) -> SetUp {
    let cast = cast();
    let facts = played.facts();
    let merchants: Vec<Merchant> = (0..MERCHANTS)
        .map(|place| {
            let (id, provider) = (cast.merchants[place], providers[place]);
            let account = Gateway {
                balance_check,
                // Short enough that captures meet its end, in a part of the histories.
                authorization_lifetime: match balance_check {
                    BalanceCheck::Strict => AUTHORIZATION_LIFETIME,
                    BalanceCheck::Gateway => SHORT_LIFETIME,
                },
                ..account(cast, facts, place, &id, provider)
            };
            Merchant {
                gateways: [(cast.gateway, account)].into(),
                providers: [(provider, provided(cast, facts, place, &id, provider))].into(),
                endpoints: set_up_for(&id, endpoints, &cast.sealing_keys),
                ..Merchant::new(id, "M")
            }
        })
        .collect();
    let items = merchants.iter().zip(&cast.api_keys).zip(providers).flat_map(|((merchant, key), provider)| {
        [
            (api_key_key(&key.hash()), encode_api_key(&key.hash(), &merchant.id)),
            (merchant_key(&merchant.id), encode_merchant(merchant)),
            (provider_key(&provider), encode_provider_pointer(&provider, &merchant.id)),
        ]
    });
    let items: BTreeMap<String, Item> = items.collect();
    SetUp { items, generation: Generation::FIRST, merchants }
}

fn account(cast: &Cast, facts: &Facts, place: usize, id: &MerchantId, provider: ProviderId) -> Gateway {
    let credential = credential(facts);
    let shared = SharedWith::Gateway(cast.gateway);
    let sealed = shared.seal(id, &cast.sealing_keys, &credential.to_secret(), [9; 16]).expect("sealed");
    Gateway {
        provider: Some(provider),
        sealed_credential: (!facts.credential.is_empty()).then_some(sealed),
        ..Gateway::at(facts.name, url_of(place))
    }
}

fn provided(cast: &Cast, facts: &Facts, place: usize, id: &MerchantId, provider: ProviderId) -> Provider {
    let secret = Secret::new(facts.notice_secrets[place].to_owned());
    let sealed = SharedWith::Provider(provider).seal(id, &cast.sealing_keys, &secret, [9; 16]).expect("sealed");
    Provider {
        developer_name: DeveloperName::parse("P").expect("a name"),
        master_label: "P".to_owned(),
        idempotency_supported: true,
        adapter: facts.name.to_owned(),
        comments: None,
        notice_secrets: vec![SealedSecret { sealed, created_at: None, until: None, made: None }],
        made: None,
    }
}

fn credential(facts: &Facts) -> Credential {
    let members = facts.credential.iter();
    let members = members.map(|(name, text)| ((*name).to_owned(), Secret::new((*text).to_owned())));
    let table = Played::named(facts.name).expect("a gateway").adapter().credential;
    Credential::of(members.collect(), table).expect("a credential")
}

/// Has the gateway keep the card: what it was asked, and the token.
fn keep(played: Played) -> (Vec<Request>, String) {
    let facts = played.facts();
    let mut model = (facts.model)(facts.notice_secrets[0]);
    let (mut kept, gateway, credential) = (Vec::new(), Gateway::at(facts.name, url_of(0)), credential(facts));
    let account =
        Account { gateway: &gateway, credential: &credential, now: Timestamp::from_millis(START_MS), nonce: 1 };
    let exchange = played.adapter().tokenize.expect("a gateway that keeps cards");
    let details = method::Details { email: Some("payer@example.org".to_owned()), ..method::Details::default() };
    let instrument = card();
    let mut intent = TokenIntent {
        reference: MethodId::parse(&method_id(0)).expect("an id").id().to_string(),
        key: "0123456789abcdef0123456789abcdef".to_owned(),
        instrument: &instrument,
        details: &details,
        duplicate: false,
        prepared: None,
    };
    let mut ask = |model: &mut dyn Model, request| {
        let request = arriving(&request, &gateway.base_url);
        let answer = answered(model.handle(&request, START_MS));
        kept.push(request);
        answer
    };
    if let Some(preparation) = exchange.prepare
        && let Some(request) = (preparation.encode)(&intent, &account)
    {
        let answer = ask(model.as_mut(), request);
        intent.prepared = Some((preparation.decode)(&intent, &answer).expect("what comes first"));
    }
    let answer = ask(model.as_mut(), (exchange.encode)(&intent, &account));
    match (exchange.decode)(&intent, &answer) {
        (Outcome::Approved(_), Some(token)) => (kept, token.reveal().to_owned()),
        (Outcome::Accepted(_), _) => {
            let token = told(model.as_mut(), played, facts).expect("a token that is told");
            (kept, token)
        }
        (outcome, _) => unreachable!("{} keeps no card: {outcome:?}", facts.name),
    }
}

/// The token, of what is told later.
fn told(model: &mut dyn Model, played: Played, facts: &Facts) -> Option<String> {
    let codec = played.adapter().notice?;
    let secrets = [Secret::new(facts.notice_secrets[0].to_owned())];
    model.webhooks(START_MS).into_iter().find_map(|webhook| {
        let header = |name: &str| {
            let found = webhook.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, text)| text.as_str())
        };
        let now = Timestamp::from_millis(START_MS);
        let raw = RawNotice { body: webhook.body.as_bytes(), header: &header, now };
        let items = (codec.read)(&raw, &secrets).ok()?;
        items.into_iter().flatten().find_map(|item| match item.notice()?.news {
            News::Token(_, Some(token)) => Some(token.reveal().to_owned()),
            News::Token(_, None) | News::Outcome(_) | News::Sequel(_) => None,
        })
    })
}

fn card() -> Instrument {
    let card = Card {
        number: Pan::parse(CARD).expect("a card number"),
        expiry: Expiry { month: 12, year: 2030 },
        cvv: Cvv::parse(CVV),
        holder: Some("A PAYER".to_owned()),
        card_type: None,
    };
    Instrument::Card { card: Box::new(card), address: Address::default() }
}

fn vault(cast: &Cast, token: &str) -> Memory {
    let vault = Memory::default();
    for merchant in &cast.merchants {
        let id = MethodId::parse(&method_id(0)).expect("an id");
        let key = IdempotencyKey::parse("approve").expect("a key");
        let mut method = Method::of_token(*merchant, id, key, Timestamp::from_millis(START_MS));
        let token = Secret::new(token.to_owned());
        method.token =
            Some(method.at_its_place(|place| cast.sealing_keys.seal(place, &token, [9; 16])).expect("sealed"));
        vault.put(StoredMethod::following(None, method).to_item());
    }
    vault
}
