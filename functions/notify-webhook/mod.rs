//! `POST /commerce/payments/notify?provider={id}`: what a gateway tells unasked. Anybody may come here.
//!
//! Who comes has no API key: a notice is believed for its signature, which the provider's adapter verifies before
//! anything in it is read. The gateway hears that it was taken only once all of it is written, and tells again where it
//! does not hear that; so whatever hinders us is answered as a fault, and telling twice is harmless.

use std::time::Duration;

use kessai_shared::gateways::{
    Adapter, Answered, Items, NotTaken, NoticeAnswer, NoticeCodec, Question, RawNotice, Told, Unreadable,
};
use kessai_shared::ids::{Id, ProviderId};
use kessai_shared::merchant::Merchant;
use kessai_shared::payment::Generation;
use kessai_shared::ports::Note;
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::time::Timestamp;

use crate::access::{merchant_of, provider_of};
use crate::door::{App, Function, Needs, Subject, route};
use crate::event::{HttpAnswer, HttpEvent, MAX_NOTICE};
use crate::notice::{Taken, take};
use crate::problem::Problem;

/// Characters of a gateway's own name for something that are noted at most.
const MOST_OF_A_NAME: usize = 64;

/// Less than this is too little to read a payment and write it.
const LEAST_TIME: Duration = Duration::from_secs(3);

pub const FUNCTION: Function = Function {
    name: "notify-webhook",
    scopes: &[],
    needs: Needs::TO_HEAR,
    answer: |app, _, event, deadline, subject| Box::pin(hear(app, event, deadline, subject)),
};

/// Somebody who says to be a gateway of this provider's.
struct Teller {
    merchant: Merchant,
    provider: ProviderId,
    codec: NoticeCodec,
}

async fn hear(app: &App, event: &HttpEvent, deadline: Timestamp, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let provider = event.parameter("provider").ok_or_else(|| Problem::missing("provider"))?;
    let provider = ProviderId::parse(provider).ok_or_else(Problem::not_found)?;
    let body = event.raw_body(MAX_NOTICE)?;
    let mut teller = Teller::find(app, provider, deadline).await?;
    subject.merchant = Some(teller.merchant.id);
    let mut read = teller.read(app, event, &body)?;
    // A secret that was set just now counts at once.
    if read.as_ref().is_err_and(|not_taken| *not_taken == NotTaken::Forged) && teller.is_renewed(app, deadline).await? {
        read = teller.read(app, event, &body)?;
    }
    let refused = |code| (teller.codec.forged, Some(code));
    let (answer, code) = match read {
        Ok(items) if items.is_empty() => (teller.codec.irrelevant, None),
        // A later version may be able to.
        Ok(items) if items.iter().all(Result::is_err) => return Err(unreadable()),
        Ok(items) => {
            let items = readable(app, items);
            subject.operation = take_all(app, &teller, items, deadline).await?;
            (teller.codec.taken, None)
        }
        Err(NotTaken::Forged) => refused("FORGED"),
        Err(NotTaken::Stale) => refused("STALE"),
        Err(NotTaken::Malformed) => return Err(unreadable()),
    };
    subject.code = code;
    let NoticeAnswer { status, body } = answer;
    Ok(HttpAnswer::text(status, body))
}

fn unreadable() -> Problem {
    Problem::unreadable("body: is signed well, and cannot be read")
}

/// What somebody can read of it: the rest is noted, and told no better by telling it again.
fn readable(app: &App, items: Items) -> Vec<Told> {
    let note = |_: &Unreadable| app.shell.journal.note(&Note::Unreadable { what: "an item of a notice" });
    items.into_iter().filter_map(|item| item.inspect_err(note).ok()).collect()
}

/// Takes in all of them, in whatever order they stand there: one that cannot be written hinders no other. The first
/// operation that they are about.
async fn take_all(app: &App, teller: &Teller, items: Vec<Told>, deadline: Timestamp) -> Result<Option<Id>, Refusal> {
    let (mut first, mut hindered) = (None, None);
    for item in items {
        // So many that the time does not suffice come again, and those that were written cost nothing then.
        if app.shell.clock.now().plus(LEAST_TIME) > deadline {
            return Err(hindered.unwrap_or(Fault::NoTime.into()));
        }
        let taken = match item {
            Told::Notice(notice) => take(app, &teller.merchant, teller.provider, notice, deadline).await,
            Told::Question(question) => teller.ask(app, &question, deadline).await,
        };
        match taken {
            Ok(Taken::Heard(operation)) => first = first.or(Some(operation)),
            Ok(Taken::Unmatched) => {}
            Err(refusal) => hindered = hindered.or(Some(refusal)),
        }
    }
    hindered.map_or(Ok(first), Err)
}

impl Teller {
    /// Asks the provider's gateways what a notice has left open, one after the other, until one of them knows.
    async fn ask(&self, app: &App, question: &Question, deadline: Timestamp) -> Result<Taken, Refusal> {
        let Some(inquiry) = self.codec.ask else { return Ok(Taken::Unmatched) };
        let of_provider = self.merchant.gateways.iter().filter(|(_, gateway)| gateway.provider == Some(self.provider));
        let (mut hindered, mut was_another) = (None, false);
        for (id, gateway) in of_provider {
            was_another |= gateway.generation != Generation::FIRST;
            match app.shell.inquire(route(app, &self.merchant, *id)?, inquiry, question, deadline).await {
                Ok(Answered::Told(notice)) => return take(app, &self.merchant, self.provider, notice, deadline).await,
                Ok(Answered::Nothing) => {}
                Ok(Answered::Unreadable) => {
                    app.shell.journal.note(&Note::Unreadable { what: "what a gateway was asked for a notice" });
                    return Ok(Taken::Unmatched);
                }
                // One that does not answer hinders no other. The gateway tells it again, and then it is asked again.
                Ok(Answered::NoAnswer) => hindered = hindered.or(Some(Fault::NoAnswer.into())),
                Err(refusal) => hindered = hindered.or(Some(refusal)),
            }
        }
        if hindered.is_none() && was_another {
            // It may be about an account that was replaced, where nobody can ask any more.
            let about: String = question.about.chars().take(MOST_OF_A_NAME).collect();
            let cause = format!("a notice about {about}, which no gateway knows as they are set up now");
            app.shell.journal.note(&Note::Failed { cause: &cause });
        }
        hindered.map_or(Ok(Taken::Unmatched), Err)
    }

    async fn find(app: &App, provider: ProviderId, deadline: Timestamp) -> Result<Self, Problem> {
        let known = provider_of(app, provider, deadline).await?;
        let (merchant, provider) = known.ok_or_else(Problem::not_found)?;
        let adapter = merchant.providers.get(&provider).and_then(|known| Adapter::named(&known.adapter));
        let unknown = || Fault::SetUp(format!("this version has no adapter for provider {provider}"));
        let codec = adapter.ok_or_else(unknown)?.notice.ok_or_else(Problem::not_found)?;
        Ok(Self { merchant, provider, codec })
    }

    /// What is told, if one of the provider's secrets signed it.
    fn read(&self, app: &App, event: &HttpEvent, body: &[u8]) -> Result<Result<Items, NotTaken>, Fault> {
        let now = app.shell.clock.now();
        let no_keys = || Fault::SetUp("this function has no keys of secrets".to_owned());
        let keys = app.shell.sealing_keys.as_ref().ok_or_else(no_keys)?;
        let provider = self.merchant.providers.get(&self.provider);
        let secrets = provider.map(|known| known.opened_notice_secrets(&self.merchant.id, self.provider, keys, now));
        let locked =
            |fault| Fault::SetUp(format!("a notice secret of provider {} does not open: {fault}", self.provider));
        let secrets = secrets.transpose().map_err(locked)?.unwrap_or_default();
        let header = |name: &str| event.header(name);
        Ok((self.codec.read)(&RawNotice { body, header: &header, now }, &secrets))
    }

    /// Whether the merchant has changed since it was remembered; then it is known anew.
    async fn is_renewed(&mut self, app: &App, deadline: Timestamp) -> Result<bool, Fault> {
        let Some(merchant) = merchant_of(app, true, &self.merchant.id, deadline).await? else { return Ok(false) };
        let is_newer = merchant.version > self.merchant.version;
        self.merchant = merchant;
        Ok(is_newer)
    }
}
