//! Merchants: they ask, hear nothing, ask again under the same key, race each other, mistype, use a key
//! twice, give up and come back days later. They know only what an answer told them.

use kessai_functions::sandbox::{self, Kind};
use serde_json::Value;

use crate::chance::Fault;
use crate::heard::Heard;
use crate::plan::{Errand, Pays};
use crate::requests::{Asking, CARD, How, Place};
use crate::story::Lane;
use crate::world::{Happening, START_MS, World};

/// How often a caller asks before it gives up for now.
const ASKS: u32 = 4;

/// How an errand goes, from its caller's side.
#[derive(Default)]
pub struct Caller {
    pub asks: u32,
    /// Requests of which nothing is known yet.
    running: u32,
    /// The id of the record, once an answer told it.
    pub record: Option<String>,
    is_final: bool,
    has_returned: bool,
    /// The status of each answer that it heard.
    pub heard: Vec<u16>,
    /// Of an authorization that a browser made: its id at the gateway.
    pub browser: Option<String>,
}

impl World {
    pub(crate) fn set_callers_going(&mut self) {
        for errand in 0..self.plan.errands.len() {
            if self.plan.errands[errand].kind == Kind::PostAuthorize {
                self.callers[errand].browser = Some(self.authorize_by_browser(errand));
            }
            if self.plan.errands[errand].on.is_none() {
                self.set_going(errand);
            }
        }
    }

    /// The buyer's browser obtains an authorization; the same for whoever registers it under the same key.
    fn authorize_by_browser(&mut self, errand: usize) -> String {
        let Errand { merchant, key, amount, .. } = self.plan.errands[errand];
        let twin = self.plan.errands[..errand]
            .iter()
            .position(|other| other.kind == Kind::PostAuthorize && (other.merchant, other.key) == (merchant, key));
        if let Some(id) = twin.and_then(|twin| self.callers[twin].browser.clone()) {
            return id;
        }
        let amount = amount.unwrap_or_default();
        let card = format!(r#"{{"number":"{CARD}","expiryMonth":12,"expiryYear":2030}}"#);
        let request = sandbox::Request {
            method: "POST".to_owned(),
            path: format!("/{}/client-authorizations", self.plan.class.name()),
            query: String::new(),
            idempotency_key: None,
            body: format!(r#"{{"amount":{amount},"currency":"USD","card":{card}}}"#).into_bytes(),
        };
        let reaction = self.gateway.handle(&request, START_MS);
        self.enter(&reaction.records);
        let body: Value = serde_json::from_str(&reaction.answer.body).expect("the gateway's JSON");
        body["id"].as_str().expect("an id").to_owned()
    }

    fn set_going(&mut self, errand: usize) {
        let after = self.plan.errands[errand].after_ms;
        let mut at = after;
        if self.chance.strikes(Fault::CallerMistypes) {
            self.foresee_in(at, Happening::Asks { errand, how: How::Mistyped });
            at += 1_000;
        }
        self.foresee_in(at, Happening::Asks { errand, how: How::AsMeant });
        if self.chance.strikes(Fault::CallerImpatient) {
            let again = self.chance.millis(0..2_000);
            self.foresee_in(at + again, Happening::Asks { errand, how: How::AsMeant });
        }
        if self.chance.strikes(Fault::CallerReusesKey) {
            let when = self.chance.millis(0..60_000);
            self.foresee_in(after + when, Happening::Asks { errand, how: How::Otherwise });
        }
        let has_card = self.plan.errands[errand].on.is_none() && self.plan.errands[errand].pays == Pays::Card(0);
        if has_card && self.chance.strikes(Fault::CallerTakesOtherCard) {
            let when = self.chance.millis(0..60_000);
            self.foresee_in(after + when, Happening::Asks { errand, how: How::OtherCard });
        }
    }

    /// When all is over, everybody asks once more, and must be told what became of it.
    pub(crate) fn ask_all_again(&mut self) {
        self.is_over = true;
        for errand in 0..self.callers.len() {
            if self.callers[errand].asks > 0 {
                self.foresee_in(1_000, Happening::Asks { errand, how: How::AsMeant });
            }
        }
    }

    /// A caller sends its request.
    pub(crate) fn ask(&mut self, errand: usize, how: How) {
        if how == How::Mistyped && !self.plan.by_door {
            return;
        }
        let Some(asking) = self.asking(errand, how) else { return };
        self.callers[errand].asks += 1;
        self.callers[errand].running += 1;
        let letter = self.letter(&asking);
        let task = self.tasks.len();
        self.tell(Lane::Caller(errand), Lane::Worker(task), || {
            let Place { amount, key, pays, on, .. } = &asking.place;
            let amount = amount.map_or("all that is left".to_owned(), |minor| format!("{minor}"));
            let pays = pays.map_or(String::new(), |pays| format!(", {pays:?}"));
            let on = on.map_or(String::new(), |on| format!(" of operation {}", on.index()));
            format!("{}{on}: {amount} under {key}{pays}", asking.function.name)
        });
        self.start_asking(Box::new(asking), letter);
    }

    /// An answer, or none where it never came.
    pub(crate) fn hear(&mut self, asking: &Asking, heard: Option<Heard>) {
        let errand = asking.errand;
        self.callers[errand].running -= 1;
        self.callers[errand].heard.extend(heard.as_ref().map(|heard| heard.status));
        if asking.how != How::AsMeant {
            return;
        }
        let Some(heard) = heard else { return self.try_again(errand, 30_000) };
        if let (Some(record), None) = (heard.record, &self.callers[errand].record) {
            self.callers[errand].record = Some(record);
            let depends = |other: &usize| self.plan.errands[*other].on == Some(errand);
            let depending: Vec<usize> = (0..self.plan.errands.len()).filter(depends).collect();
            depending.into_iter().for_each(|other| self.set_going(other));
        }
        match heard.status {
            _ if heard.is_final => {
                self.callers[errand].is_final = true;
                if self.callers[errand].asks < ASKS && self.chance.strikes(Fault::CallerAsksAgain) {
                    let when = if self.chance.one_in(4) { 2 * 86_400_000 } else { self.chance.millis(0..600_000) };
                    self.foresee_in(when, Happening::Asks { errand, how: How::AsMeant });
                }
            }
            201 | 202 => self.try_again(errand, 120_000),
            409 | 429 | 500..=599 => self.try_again(errand, 5_000),
            _ => {}
        }
    }

    /// Patience has an end; some come back to it days later.
    fn try_again(&mut self, errand: usize, within_ms: i64) {
        let Caller { asks, running, is_final, has_returned, .. } = self.callers[errand];
        if is_final
            || running > 0
            || self.is_over && self.is_calm && asks > ASKS
            || self.chance.strikes(Fault::CallerGivesUp)
        {
            return;
        }
        if asks < ASKS {
            let when = self.chance.millis(1_000..within_ms);
            return self.foresee_in(when, Happening::Asks { errand, how: How::AsMeant });
        }
        if !has_returned && self.chance.strikes(Fault::CallerReturns) {
            self.callers[errand].has_returned = true;
            let when = self.chance.millis(3_600_000..9 * 86_400_000);
            self.foresee_in(when, Happening::Asks { errand, how: How::AsMeant });
        }
    }
}
