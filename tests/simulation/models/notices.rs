//! What a model tells unasked, and what others tell in its name. It comes to the function that is deployed, with the
//! headers and the body that it has.

use kessai_functions::event::{HttpAnswer, HttpEvent};
use kessai_functions::models::Webhook;
use kessai_functions::{door, notify_webhook};
use kessai_shared::card::Secret;
use kessai_shared::gateways::{Items, NoticeCodec, RawNotice};
use kessai_shared::time::Timestamp;

use crate::cast::MERCHANTS;
use crate::chance::Fault;
use crate::platform::{Done, Purpose, Spent, Work};
use crate::story::Lane;
use crate::world::{Happening, START_MS, World};

/// How often a gateway tells something that nobody takes, and how long it waits in between.
const TELLS: u32 = 8;
const TELL_AGAIN_MS: i64 = 60_000;

/// Longer than any signature counts.
const STALE_MS: i64 = 303_000;

/// Something that is posted to a merchant in a gateway's name.
#[derive(Clone)]
pub struct Post {
    merchant: usize,
    webhook: Webhook,
    manner: Manner,
    tries: u32,
    /// What stands in it, and when it came.
    items: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Genuine,
    /// Somebody has changed it on the way.
    Forged,
    /// Somebody repeats what the gateway said a while ago.
    Repeated,
    /// It is signed for another merchant.
    Astray,
}

impl World {
    /// Whatever the model has to tell by now will be told.
    pub(crate) fn foresee_posts(&mut self, merchant: usize) {
        let now_ms = START_MS + self.now_ms;
        let Some(accounts) = &mut self.accounts else { return };
        let webhooks = accounts.webhooks(merchant, now_ms);
        if self.plan.tells && self.played().adapter().notice.is_some() {
            webhooks.into_iter().for_each(|webhook| self.foresee_post(merchant, webhook));
        }
    }

    fn foresee_post(&mut self, merchant: usize, webhook: Webhook) {
        let from_ms = (webhook.at_ms - START_MS).max(self.now_ms);
        let post = |manner| {
            let merchant = if manner == Manner::Astray { (merchant + 1) % MERCHANTS } else { merchant };
            Happening::Posted(Box::new(Post { merchant, webhook: webhook.clone(), manner, tries: 0, items: 0 }))
        };
        if self.chance.strikes(Fault::NoticeForged) {
            let at = from_ms + self.chance.millis(0..60_000);
            self.foresee(at, post(Manner::Forged));
        }
        if self.chance.strikes(Fault::NoticeStale) {
            let at = from_ms + self.chance.millis(STALE_MS..86_400_000);
            self.foresee(at, post(Manner::Repeated));
        }
        if self.chance.strikes(Fault::NoticeAstray) {
            let at = from_ms + self.chance.millis(0..60_000);
            self.foresee(at, post(Manner::Astray));
        }
        if self.chance.strikes(Fault::NoticeLost) {
            self.auditor.books.misses_notices = true;
            return;
        }
        let late = self.chance.strikes(Fault::NoticeLate);
        let delay = if late { self.chance.millis(2_000..8 * 86_400_000) } else { self.chance.millis(0..2_000) };
        self.foresee(from_ms + delay, post(Manner::Genuine));
        if self.chance.strikes(Fault::NoticeDoubled) {
            let again = if self.chance.one_in(2) { 0 } else { self.chance.millis(0..120_000) };
            self.foresee(from_ms + delay + again, post(Manner::Genuine));
        }
    }

    /// It is there.
    pub(crate) fn take_post(&mut self, mut post: Post) {
        let played = self.played();
        let (facts, now_ms) = (played.facts(), START_MS + self.now_ms);
        let mut webhook = post.webhook.clone();
        match (post.manner, facts.signed_anew) {
            (Manner::Genuine, Some(sign)) => sign(&mut webhook, facts.notice_secrets[post.merchant], now_ms),
            (Manner::Forged, _) => webhook.body = otherwise(&webhook.body),
            (Manner::Genuine | Manner::Repeated | Manner::Astray, _) => {}
        }
        if post.manner == Manner::Forged && webhook.body == post.webhook.body {
            return;
        }
        let provider = played.set_ups().providers[post.merchant];
        let headers = webhook.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
        let event = HttpEvent {
            headers,
            raw_query_string: format!("provider={provider}"),
            body: Some(webhook.body.clone().into()),
            ..HttpEvent::default()
        };
        let codec = played.adapter().notice.expect("a gateway that tells");
        let items = read(codec, &event, &webhook.body, facts.notice_secrets[post.merchant], now_ms);
        post.items = items.map_or(0, |items| u32::try_from(items.len()).unwrap_or(u32::MAX));
        post.tries += 1;
        self.tell(Lane::Gateway, Lane::Worker(self.tasks.len()), || {
            format!("{} to merchant {}: {}", post.manner.said(), post.merchant, webhook.body)
        });
        self.start(Purpose::Post(Box::new(post)), move |Work { app, .. }, deadline| {
            Box::pin(async move { Done::Posted(door::answer(&app, &notify_webhook::FUNCTION, &event, deadline).await) })
        });
    }

    /// What became of it.
    pub(crate) fn posted(&mut self, post: Post, answer: &HttpAnswer, spent: Spent) {
        let codec = self.played().adapter().notice.expect("a gateway that tells");
        let status = answer.status_code;
        self.auditor.took_post(post.items, spent);
        let is_taken = [codec.taken.status, codec.irrelevant.status].contains(&status);
        // A token in a header proves who speaks, but not what was said: then the gateway is asked.
        let is_asked = codec.ask.is_some();
        match post.manner {
            Manner::Genuine if is_taken => {
                let facts = self.played().facts();
                let event = HttpEvent {
                    headers: post
                        .webhook
                        .headers
                        .iter()
                        .map(|(name, text)| (name.to_lowercase(), text.clone()))
                        .collect(),
                    ..HttpEvent::default()
                };
                let secret = facts.notice_secrets[post.merchant];
                let at_ms = post.webhook.at_ms;
                let items = read(codec, &event, &post.webhook.body, secret, at_ms).unwrap_or_default();
                self.auditor.kept_of_model(items, &self.table);
            }
            Manner::Genuine if (400..500).contains(&status) => {
                self.auditor.object("forged", || format!("a genuine notice was answered {status}: {}", answer.body));
            }
            Manner::Genuine => self.post_again(post),
            Manner::Forged if is_taken && !is_asked => {
                self.auditor.object("forged", || format!("{} was taken: {}", post.manner.said(), post.webhook.body));
            }
            Manner::Astray if is_taken => {
                self.auditor.object("forged", || format!("{} was taken: {}", post.manner.said(), post.webhook.body));
            }
            Manner::Forged | Manner::Astray | Manner::Repeated => {}
        }
    }

    /// Nobody took it: it is told again, for a while.
    pub(crate) fn post_again(&mut self, post: Post) {
        if post.manner == Manner::Genuine {
            if post.tries < TELLS {
                self.foresee_in(TELL_AGAIN_MS, Happening::Posted(Box::new(post)));
            } else {
                self.auditor.books.misses_notices = true;
            }
        }
    }
}

fn read(codec: NoticeCodec, event: &HttpEvent, body: &str, secret: &str, now_ms: i64) -> Option<Items> {
    let header = |name: &str| event.header(name);
    let raw = RawNotice { body: body.as_bytes(), header: &header, now: Timestamp::from_millis(now_ms) };
    (codec.read)(&raw, &[Secret::new(secret.to_owned())]).ok()
}

impl Manner {
    fn said(self) -> &'static str {
        match self {
            Self::Genuine => "a notice",
            Self::Forged => "a forged notice",
            Self::Repeated => "repeats an old notice",
            Self::Astray => "a notice that goes astray",
        }
    }
}

/// What a forger would have us believe.
fn otherwise(said: &str) -> String {
    const SWAPS: [(&str, &str); 7] = [
        (r#""success":"true""#, r#""success":"false""#),
        (r#""success":"false""#, r#""success":"true""#),
        (r#""succeeded""#, r#""failed""#),
        (r#""captured""#, r#""failed""#),
        (r#""approved""#, r#""declined""#),
        (r#""failed""#, r#""succeeded""#),
        (r#""declined""#, r#""approved""#),
    ];
    match SWAPS.iter().find(|(from, _)| said.contains(from)) {
        Some((from, to)) => said.replace(from, to),
        None => said.to_owned(),
    }
}
