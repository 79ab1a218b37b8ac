//! Requests at a model, and what a world makes of its answers.

use std::collections::BTreeMap;

use kessai_functions::models::{self, answered};
use kessai_functions::sandbox::Request;
use kessai_shared::ports::HttpResponse;

use crate::chance::Fault;
use crate::requests::{CARD, OTHER_CARD};
use crate::story::Lane;
use crate::world::{START_MS, World};

/// What somebody between us and the gateway says in its stead.
const REFUSED_ON_THE_WAY: &str = "<html><head><title>403 Forbidden</title></head><body></body></html>";
const BROKEN_ON_THE_WAY: &str = "<html><head><title>502 Bad Gateway</title></head><body></body></html>";

/// What was answered to something else: by whom, to which reference, and what.
pub struct Earlier {
    merchant: usize,
    reference: String,
    response: HttpResponse,
}

impl World {
    /// A request is at a model; which status and body leave it.
    pub(crate) fn ask_model(
        &mut self,
        task: usize,
        call: u32,
        request: &Request,
        headers: BTreeMap<String, String>,
        is_doubled: bool,
    ) -> HttpResponse {
        let Some(facts) = self.accounts.as_ref().map(super::Accounts::facts) else { unreachable!("a model is there") };
        let (merchant, request) = addressed(request, headers);
        let said = (request.method != "GET").then(|| self.auditor.sent_to_model(&request, &self.table, (task, call)));
        let (reference, known) = said.unwrap_or_default();
        let has_key = request.headers.keys().any(|name| is_key(name));
        let respond = |(status, body): (u16, &str)| HttpResponse { status, body: body.as_bytes().to_vec() };
        if !is_doubled && self.chance.strikes_call(Fault::TooManyRequests, task, call) {
            self.tasks[task].spent.disturbances += 1;
            return respond(facts.throttled);
        }
        if known && has_key && self.chance.strikes_call(Fault::InProgress, task, call) {
            return respond(facts.in_progress);
        }
        if known && !is_doubled && self.chance.strikes_call(Fault::RefusesAgain, task, call) {
            // Whoever believes it of a request that nobody took before says that nothing was done.
            self.tasks[task].spent.disturbances += 1;
            return respond((403, REFUSED_ON_THE_WAY));
        }
        if self.chance.strikes_call(Fault::ErrorBefore, task, call) {
            return respond((502, BROKEN_ON_THE_WAY));
        }
        let response = self.let_act(merchant, &request, &reference);
        self.spoil(task, call, merchant, &request, reference, response)
    }

    /// The model does what it is asked, and the auditor looks at its ledger before and after.
    pub(crate) fn let_act(&mut self, merchant: usize, request: &models::Request, reference: &str) -> HttpResponse {
        let now_ms = START_MS + self.now_ms;
        self.look_at_ledgers();
        let Some(accounts) = &mut self.accounts else { unreachable!("a model is there") };
        let response = answered(accounts.handle(merchant, request, now_ms));
        let effects = accounts.effects(merchant, now_ms);
        let before = self.auditor.books.effects.len();
        self.auditor.entered(merchant, effects, Some(reference), &self.table);
        for place in before..self.auditor.books.effects.len() {
            let line = self.auditor.books.line(place);
            self.tell(Lane::Gateway, Lane::Gateway, || format!("enters {line}"));
        }
        self.foresee_posts(merchant);
        response
    }

    /// What time has done to the ledgers.
    pub(crate) fn look_at_ledgers(&mut self) {
        let now_ms = START_MS + self.now_ms;
        let Some(accounts) = &self.accounts else { return };
        for merchant in 0..crate::cast::MERCHANTS {
            let effects = accounts.effects(merchant, now_ms);
            self.auditor.entered(merchant, effects, None, &self.table);
        }
    }

    fn spoil(
        &mut self,
        task: usize,
        call: u32,
        merchant: usize,
        request: &models::Request,
        reference: String,
        mut response: HttpResponse,
    ) -> HttpResponse {
        let text = String::from_utf8_lossy(&request.body);
        if let Some(card) = [CARD, OTHER_CARD].into_iter().find(|card| text.contains(card))
            && self.chance.strikes_call(Fault::EchoesCard, task, call)
        {
            let said = String::from_utf8_lossy(&response.body);
            response.body = said.replace(r#""message":""#, &format!(r#""message":"{card} "#)).into_bytes();
        }
        if self.chance.strikes_call(Fault::ErrorAfter, task, call) {
            self.tell(Lane::Gateway, Lane::Worker(task), || "breaks after it acted".to_owned());
            return HttpResponse { status: 500, body: b"{}".to_vec() };
        }
        if self.chance.strikes_call(Fault::Malformed, task, call) {
            response.body.truncate(response.body.len() / 2);
        }
        // Only where the gateway names what it answers of can anybody see that it is something else.
        let names = !reference.is_empty() && String::from_utf8_lossy(&response.body).contains(&reference);
        if !names {
            return response;
        }
        let is_other = |earlier: &Earlier| earlier.merchant == merchant && earlier.reference != reference;
        let earlier = self.earlier.take().filter(is_other);
        let was = HttpResponse { status: response.status, body: response.body.clone() };
        self.earlier = Some(Earlier { merchant, reference, response: was });
        match earlier {
            Some(Earlier { response: other, .. }) if self.chance.strikes_call(Fault::ForeignAnswer, task, call) => {
                other
            }
            Some(_) | None => response,
        }
    }
}

/// Whose account it is, and the request as its model sees it.
pub(crate) fn addressed(request: &Request, headers: BTreeMap<String, String>) -> (usize, models::Request) {
    let path = request.path.trim_start_matches('/');
    let (merchant, path) = path.split_once('/').unwrap_or((path, ""));
    let request = models::Request {
        method: request.method.clone(),
        path: format!("/{path}"),
        query: request.query.clone(),
        headers,
        body: request.body.clone(),
    };
    (merchant.parse().expect("an account"), request)
}

/// Whether a header of this name bears a key.
pub fn is_key(name: &str) -> bool {
    ["idempotency-key", "x-komoju-idempotency"].iter().any(|known| name.eq_ignore_ascii_case(known))
}
