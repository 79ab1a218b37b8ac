//! Makes stored methods, changes them, and opens their tokens for whoever asks a gateway.
//!
//! As everywhere, what we intend is written before the gateway hears of it, and what came of it before the caller does
//! ([`crate::method::step`] decides). A token is in the clear between the gateway and its sealing, and between its opening
//! and the request that carries it; nowhere else, and never in an item.

use std::sync::Arc;

use crate::card::Secret;
use crate::event::EventNames;
use crate::gateways::{Credential, Preparation, TokenExchange, TokenIntent};
use crate::ids::{GatewayId, MerchantId, MethodId, method_key, token_key};
use crate::method::step::{Heard, Learned, PENDING, changed, heard};
use crate::method::{Asked, Change, Changes, Method, State, Status, Step, step};
use crate::payment::asked::{AccountId, OnFile};
use crate::payment::outbox::{Entry, Outbox, Round};
use crate::payment::{Answer, Claim, Instrument, Nonce, Outcome, Source};
use crate::ports::{Called, Expected, HttpFault, HttpRequest, HttpResponse, Note, Vault, Written};
use crate::rejection::{Fault, Refusal, Rejection};
use crate::seal::{Sealed, SealingKeys};
use crate::shell::{Pause, Route, Shell};
use crate::stored::method::{StoredMethod, account_key};
use crate::time::Timestamp;

/// What a caller wants stored.
pub struct Asking {
    pub merchant: MerchantId,
    pub id: MethodId,
    pub asked: Asked,
    /// What goes to the gateway, or the token that is already known.
    pub instrument: Instrument,
}

/// Where a method stands after it was asked for.
#[derive(Clone, Debug)]
pub struct Kept {
    pub method: Method,
    /// It was asked for before: nothing was done now.
    pub replayed: bool,
}

/// What a gateway says of a token.
struct Told<'a> {
    /// Whose claim it answers; none where it tells unasked.
    nonce: Option<Nonce>,
    outcome: &'a Outcome,
    token: Option<Secret>,
}

fn token_intent(asking: &Asking, duplicate: bool) -> TokenIntent<'_> {
    TokenIntent {
        reference: asking.id.to_string(),
        key: token_key(&asking.merchant, &asking.id),
        instrument: &asking.instrument,
        details: &asking.asked.details,
        duplicate,
        prepared: None,
    }
}

/// A claim in the vault, or what is there already.
enum Claimed {
    Known(Method),
    Ours { stored: StoredMethod, duplicate: bool },
}

impl Shell {
    /// Asks a gateway for a token, and keeps it.
    pub async fn tokenize(&self, route: Route<'_>, asking: &Asking, deadline: Timestamp) -> Result<Kept, Refusal> {
        let exchange = route.adapter.tokenize.ok_or(Rejection::NoTokens)?;
        // Before there is a token that could not be sealed.
        self.keys()?;
        let (claim, wanted) = (self.claim(deadline), route.wanted);
        let credential = self.credential(route)?;
        (exchange.admits)(&token_intent(asking, false), &self.account(route, &credential))?;
        let fresh = self.fresh(asking, State::Unsent)?;
        let (stored, duplicate) = match self.claim_method(&fresh, claim, wanted, deadline).await? {
            Claimed::Known(method) => return Ok(Kept { method, replayed: true }),
            Claimed::Ours { stored, duplicate } => (stored, duplicate),
        };
        let (outcome, token) = self.ask_for_token(route, &credential, exchange, asking, duplicate, deadline).await;
        let told = Told { nonce: Some(claim.nonce), outcome: &outcome, token };
        match self.learn(stored.clone(), &told, wanted, deadline).await {
            Ok(method) => Ok(Kept { method, replayed: false }),
            // What we heard could not be written, so the caller must not hear of it: the method stays open, and may be
            // asked for again.
            Err(fault) => {
                self.journal.note(&Note::Unwritten { operation: asking.id.id(), heard: &outcome });
                if outcome == Outcome::NotSent {
                    Err(fault.into())
                } else {
                    Ok(Kept { method: stored.method, replayed: false })
                }
            }
        }
    }

    /// Takes in what a gateway tells unasked of a method that it was asked to keep. Harmless at any time, any number of
    /// times.
    pub async fn hear_token(
        &self,
        stored: StoredMethod,
        outcome: Outcome,
        token: Option<Secret>,
        wanted: EventNames,
        deadline: Timestamp,
    ) -> Result<(), Fault> {
        let (outcome, token) = without_token(outcome, token);
        let told = Told { nonce: None, outcome: &outcome.within_limits(), token };
        self.learn(stored, &told, wanted, deadline).await.map(drop)
    }

    /// Writes down what came of telling a method's merchant.
    pub async fn told_of_method(
        &self,
        stored: StoredMethod,
        round: &Round,
        deadline: Timestamp,
    ) -> Result<Method, Fault> {
        let now = self.clock.now();
        self.write_outbox(stored, |outbox| outbox.learn(round, now), deadline).await
    }

    /// Sees to it that merchants are told something of a method once more.
    pub async fn tell_of_method_again(
        &self,
        stored: StoredMethod,
        entry: &Entry,
        deadline: Timestamp,
    ) -> Result<(), Fault> {
        let Entry { operation, news, at, .. } = *entry;
        self.write_outbox(stored, |outbox| outbox.tell_again(operation, news, at), deadline).await.map(drop)
    }

    async fn write_outbox(
        &self,
        mut stored: StoredMethod,
        change: impl Fn(&mut Outbox),
        deadline: Timestamp,
    ) -> Result<Method, Fault> {
        let mut pause = Pause::default();
        loop {
            let mut method = stored.method.clone();
            change(&mut method.outbox);
            if method == stored.method {
                return Ok(method);
            }
            method.version = method.version.saturating_add(1);
            let expected = Expected::Version(stored.method.version);
            let next = StoredMethod::following(Some(&stored), method);
            match self.vault()?.write(next.to_item(), expected).await {
                Ok(Written::Done) => return Ok(next.method),
                Ok(Written::Conflict(found)) => {
                    stored = found.map(StoredMethod::from_item).transpose()?.ok_or(Fault::Busy)?;
                    if !self.pause(&mut pause, deadline).await {
                        return Err(Fault::Busy);
                    }
                }
                Err(fault) => self.pause_after(fault, &mut pause, deadline).await?,
            }
        }
    }

    /// The method that takes the place of what was read before, with what merchants are to be told of that.
    fn following(&self, before: Option<&StoredMethod>, mut method: Method, wanted: EventNames) -> StoredMethod {
        method.tell(before.map(|before| &before.method), wanted, self.clock.now());
        StoredMethod::following(before, method)
    }

    /// Keeps a method whose token the caller brings, or that has none.
    pub async fn keep(
        &self,
        asking: &Asking,
        status: Status,
        wanted: EventNames,
        deadline: Timestamp,
    ) -> Result<Kept, Refusal> {
        let at = self.clock.now();
        let mut method = self.fresh(asking, State::Kept { status, answer: Answer::default(), at })?;
        if let Instrument::Alternative { token, .. } = &asking.instrument {
            method.token = Some(self.seal(&method, token)?).filter(|_| status != Status::Canceled);
        }
        method.version = 1;
        let stored = self.following(None, method, wanted);
        let mut pause = Pause::default();
        loop {
            match self.vault()?.write(stored.to_item(), Expected::Absent).await {
                Ok(Written::Done) => return Ok(Kept { method: stored.method, replayed: false }),
                Ok(Written::Conflict(found)) => {
                    let found = found.map(StoredMethod::from_item).transpose().map_err(Fault::from)?;
                    let found = found.ok_or(Fault::Busy)?.method;
                    return match step(Some(found), &stored.method, self.claim(deadline), at)? {
                        // What is there may be ours, written and not acknowledged.
                        Step::Known(method) => Ok(Kept { replayed: method != stored.method, method }),
                        Step::Ask { .. } | Step::Asking { .. } => Err(Fault::Busy.into()),
                    };
                }
                Err(fault) => self.pause_after(fault, &mut pause, deadline).await?,
            }
        }
    }

    /// Reads a method as it is now.
    pub async fn method(
        &self,
        merchant: &MerchantId,
        id: &MethodId,
        deadline: Timestamp,
    ) -> Result<Option<StoredMethod>, Fault> {
        let (vault, key) = (self.vault()?, method_key(merchant, id));
        let item = self.patiently(deadline, || vault.read(&key)).await?;
        Ok(item.map(StoredMethod::from_item).transpose()?)
    }

    /// Some methods of an account, without their tokens, in the order of their ids; and whether there are more.
    pub async fn methods_of(
        &self,
        merchant: &MerchantId,
        account: &AccountId,
        after: Option<&MethodId>,
        limit: u16,
        deadline: Timestamp,
    ) -> Result<(Vec<Method>, bool), Fault> {
        let (vault, account) = (self.vault()?, account_key(merchant, account));
        let after = after.map(|after| method_key(merchant, after));
        let (items, more) = self.patiently(deadline, || vault.of_account(&account, after.as_deref(), limit)).await?;
        let methods: Result<Vec<_>, _> =
            items.into_iter().map(|item| Ok(StoredMethod::from_item(item)?.method)).collect();
        Ok((methods.map_err(Fault::Stored)?, more))
    }

    /// Changes a method. Asking again changes nothing.
    pub async fn change_method(
        &self,
        merchant: &MerchantId,
        id: &MethodId,
        change: &Change,
        wanted: EventNames,
        deadline: Timestamp,
    ) -> Result<Method, Refusal> {
        let mut pause = Pause::default();
        loop {
            let stored = self.method(merchant, id, deadline).await?.ok_or(Rejection::NotFound)?;
            let next = changed(stored.method.clone(), change)?;
            if next.version == stored.method.version {
                return Ok(next);
            }
            let expected = Expected::Version(stored.method.version);
            let next = self.following(Some(&stored), next, wanted);
            match self.vault()?.write(next.to_item(), expected).await {
                Ok(Written::Done) => return Ok(next.method),
                Ok(Written::Conflict(_)) if self.pause(&mut pause, deadline).await => {}
                Ok(Written::Conflict(_)) => return Err(Fault::Busy.into()),
                Err(fault) => self.pause_after(fault, &mut pause, deadline).await?,
            }
        }
    }

    /// What a payment through `gateway` needs of a stored method. Seals the token anew where that was done under an
    /// older key.
    pub async fn on_file(
        &self,
        merchant: &MerchantId,
        id: &MethodId,
        gateway: GatewayId,
        deadline: Timestamp,
    ) -> Result<OnFile, Refusal> {
        let stored = self.method(merchant, id, deadline).await?.ok_or(Rejection::NotFound)?;
        let method = &stored.method;
        match (&method.state, method.status()) {
            (_, Some(Status::Active)) => {}
            (_, Some(status @ (Status::Inactive | Status::Canceled))) => {
                return Err(Rejection::MethodUnusable { status: status.literal() }.into());
            }
            (State::Accepted { .. }, None) => return Err(Rejection::MethodUnusable { status: PENDING }.into()),
            (State::Open(_) | State::Unsent | State::Refused { .. } | State::Kept { .. }, None) => {
                return Err(Rejection::NotFound.into());
            }
        }
        if method.asked.gateway.is_some_and(|own| own != gateway) {
            return Err(Rejection::MethodElsewhere.into());
        }
        let sealed = method.token.as_ref().ok_or(Rejection::MethodWithoutToken)?;
        let token = self.open(method, sealed)?;
        if !self.keys()?.is_current(sealed) {
            self.seal_anew(&stored, &token).await;
        }
        Ok(OnFile { method: *id, token: Some(token), gateway_type: method.asked.details.gateway_type.clone() })
    }

    /// The same for a request that is sent again, whatever became of the method since: none where it cannot be had.
    pub(crate) async fn on_file_again(
        &self,
        merchant: &MerchantId,
        id: &MethodId,
        deadline: Timestamp,
    ) -> Result<OnFile, Fault> {
        let gone = || Fault::SetUp(format!("the payment method {id} is gone"));
        let method = self.method(merchant, id, deadline).await?.ok_or_else(gone)?.method;
        let token = self.open(&method, method.token.as_ref().ok_or_else(gone)?)?;
        Ok(OnFile { method: *id, token: Some(token), gateway_type: method.asked.details.gateway_type })
    }

    fn vault(&self) -> Result<&Arc<dyn Vault>, Fault> {
        self.vault.as_ref().ok_or_else(|| Fault::SetUp("this function has no vault".to_owned()))
    }

    pub(crate) fn keys(&self) -> Result<&SealingKeys, Fault> {
        self.sealing_keys.as_deref().ok_or_else(|| Fault::SetUp("this function has no sealing keys".to_owned()))
    }

    fn seal(&self, method: &Method, token: &Secret) -> Result<Sealed, Fault> {
        let (keys, random) = (self.keys()?, self.entropy.bytes());
        method.at_its_place(|place| keys.seal(place, token, random)).map_err(Fault::Sealed)
    }

    fn open(&self, method: &Method, sealed: &Sealed) -> Result<Secret, Fault> {
        let keys = self.keys()?;
        method.at_its_place(|place| keys.open(place, sealed)).map_err(Fault::Sealed)
    }

    /// As it is before anybody asked for it.
    fn fresh(&self, asking: &Asking, state: State) -> Result<Method, Fault> {
        Ok(Method {
            merchant: asking.merchant,
            id: asking.id,
            version: 0,
            asked: asking.asked.clone(),
            fingerprint: self.fingerprint(Some(&asking.instrument))?,
            requested_at: self.clock.now(),
            state,
            changes: Changes::default(),
            token: None,
            outbox: Outbox::default(),
        })
    }

    async fn claim_method(
        &self,
        fresh: &Method,
        claim: Claim,
        wanted: EventNames,
        deadline: Timestamp,
    ) -> Result<Claimed, Refusal> {
        let mut found: Option<StoredMethod> = None;
        let mut pause = Pause::default();
        let mut may_be_written = false;
        loop {
            let before = found.as_ref().map(|found| found.method.clone());
            let (method, duplicate) = match step(before, fresh, claim, self.clock.now())? {
                Step::Known(method) => return Ok(Claimed::Known(method)),
                Step::Asking { method, duplicate } => {
                    let stored = StoredMethod::following(found.as_ref(), method);
                    return Ok(Claimed::Ours { stored, duplicate });
                }
                Step::Ask { method, duplicate } => (method, duplicate),
            };
            // A claim that leaves no time to use it would only be in the way, unless it already is: then it is taken
            // up, to be given back.
            if !may_be_written {
                self.time_to_call(deadline).ok_or(Fault::NoTime)?;
            }
            let expected = found.as_ref().map_or(Expected::Absent, |found| Expected::Version(found.method.version));
            let stored = self.following(found.as_ref(), method, wanted);
            match self.vault()?.write(stored.to_item(), expected).await {
                Ok(Written::Done) => return Ok(Claimed::Ours { stored, duplicate }),
                Ok(Written::Conflict(item)) => {
                    found = item.map(StoredMethod::from_item).transpose().map_err(Fault::from)?;
                }
                Err(fault) => {
                    may_be_written = true;
                    self.pause_after(fault, &mut pause, deadline).await?;
                }
            }
        }
    }

    /// Sends what must go before, where anything must, and then the request for the token.
    async fn ask_in_turn(
        &self,
        route: Route<'_>,
        credential: &Credential,
        exchange: TokenExchange,
        intent: &mut TokenIntent<'_>,
        deadline: Timestamp,
    ) -> Result<(Outcome, Option<Secret>), (Outcome, Option<HttpFault>)> {
        if let Some(Preparation { encode, decode }) = exchange.prepare
            && let Some(request) = encode(intent, &self.account(route, credential))
        {
            let answer = self.ask(route, request, deadline).await?;
            intent.prepared = Some(decode(intent, &answer).map_err(|outcome| (outcome, None))?);
        }
        let request = (exchange.encode)(intent, &self.account(route, credential));
        let answer = self.ask(route, request, deadline).await?;
        Ok((exchange.decode)(intent, &answer))
    }

    async fn ask(
        &self,
        route: Route<'_>,
        request: HttpRequest,
        deadline: Timestamp,
    ) -> Result<HttpResponse, (Outcome, Option<HttpFault>)> {
        if !self.is_within_rate(route).await {
            return Err((Outcome::NotSent, None));
        }
        let timeout = self.time_to_call(deadline).ok_or((Outcome::NotSent, None))?;
        self.http.send(request, timeout).await.map_err(|fault| match &fault {
            HttpFault::NotSent(_) => (Outcome::NotSent, Some(fault)),
            HttpFault::Lost(_) => (Outcome::Unknown, Some(fault)),
        })
    }

    async fn ask_for_token(
        &self,
        route: Route<'_>,
        credential: &Credential,
        exchange: TokenExchange,
        asking: &Asking,
        duplicate: bool,
        deadline: Timestamp,
    ) -> (Outcome, Option<Secret>) {
        let mut intent = token_intent(asking, duplicate);
        let asked_at = self.clock.now();
        let told = self.ask_in_turn(route, credential, exchange, &mut intent, deadline).await;
        let ((outcome, token), fault) = match told {
            Ok(told) => (told, None),
            Err((outcome, fault)) => ((outcome, None), fault),
        };
        let (outcome, token) = without_token(outcome, token);
        let outcome = credential.secrets().fold(outcome.without_instrument(&asking.instrument), Outcome::without);
        let outcome = outcome.within_limits();
        if let Some(gateway) = asking.asked.gateway {
            self.journal.note(&Note::Called(Called {
                gateway,
                source: Source::Answer,
                operation: asking.id.id(),
                outcome: &outcome,
                fault: fault.as_ref(),
                took: self.clock.now().since(asked_at),
            }));
        }
        (outcome, token)
    }

    /// Writes what follows from what a gateway says, against whoever else is writing; as it stands then.
    async fn learn(
        &self,
        mut stored: StoredMethod,
        told: &Told<'_>,
        wanted: EventNames,
        deadline: Timestamp,
    ) -> Result<Method, Fault> {
        let token = told.token.as_ref();
        let sealed = token.map(|token| self.seal(&stored.method, token)).transpose()?;
        let mut pause = Pause::default();
        loop {
            let is_another = self.is_another(&stored.method, token, sealed.as_ref())?;
            let news = Heard { nonce: told.nonce, outcome: told.outcome, token: sealed.as_ref(), is_another };
            let Learned { method, contradiction } = heard(&stored.method, &news, self.clock.now());
            if contradiction {
                let settled = method.status().map_or("Refused", Status::literal);
                let operation = method.id.id();
                self.journal.note(&Note::Contradiction { operation, settled, heard: told.outcome });
            }
            if method.version == stored.method.version {
                return Ok(method);
            }
            let expected = Expected::Version(stored.method.version);
            let next = self.following(Some(&stored), method, wanted);
            match self.vault()?.write(next.to_item(), expected).await {
                Ok(Written::Done) => return Ok(next.method),
                Ok(Written::Conflict(found)) => {
                    stored = found.map(StoredMethod::from_item).transpose()?.ok_or(Fault::Busy)?;
                    if !self.pause(&mut pause, deadline).await {
                        return Err(Fault::Busy);
                    }
                }
                Err(fault) => self.pause_after(fault, &mut pause, deadline).await?,
            }
        }
    }

    /// Whether a gateway now says another token than the one that is kept.
    fn is_another(&self, method: &Method, token: Option<&Secret>, sealed: Option<&Sealed>) -> Result<bool, Fault> {
        match (token, &method.token) {
            // As sealed by ourselves: it was written, and the acknowledgement lost.
            (Some(_), Some(kept)) if sealed == Some(kept) => Ok(false),
            (Some(token), Some(kept)) => Ok(!self.open(method, kept)?.is_same(token)),
            (None, _) | (_, None) => Ok(false),
        }
    }

    /// Under the newest key. Whoever uses the method next tries again where this fails.
    async fn seal_anew(&self, stored: &StoredMethod, token: &Secret) {
        let mut method = stored.method.clone();
        let (Ok(sealed), Ok(vault)) = (self.seal(&method, token), self.vault()) else { return };
        method.token = Some(sealed);
        method.version = method.version.saturating_add(1);
        let next = StoredMethod::following(Some(stored), method);
        drop(vault.write(next.to_item(), Expected::Version(stored.method.version)).await);
    }
}

/// What is said, without the token that comes with it; an empty one is none.
fn without_token(outcome: Outcome, token: Option<Secret>) -> (Outcome, Option<Secret>) {
    let token = token.filter(|token| !token.reveal().is_empty());
    // Before it is cut: what is left of a token would not be found.
    (token.iter().fold(outcome, Outcome::without), token)
}
