//! A payment schedule is made: of items, or of what recurs.
//!
//! Under a key it is made once. Whoever asks for the same again is answered with the schedule as it stands by then,
//! whatever has become of its method or its gateway since.

use std::collections::BTreeMap;

use kessai_shared::ids::{GatewayId, MethodId, hash, short_form};
use kessai_shared::money::Currency;
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::payment::asked::AccountId;
use kessai_shared::ports::Written;
use kessai_shared::recurring::ids::ScheduleId;
use kessai_shared::recurring::schedule::making::{Asked, Charges};
use kessai_shared::recurring::schedule::refused::Refused;
use kessai_shared::recurring::schedule::{MAX_WAITING, Schedule};
use kessai_shared::rejection::Fault;
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use serde_json::json;

use super::runs::Runs;
use super::{Desk, asked, method, refuse, shown};
use crate::door::{Subject, fresh_key};
use crate::event::HttpAnswer;
use crate::key;
use crate::paying::is_active;
use crate::problem::Problem;
use crate::wire::body::{self, COMMENTS, ID};
use crate::wire::members::Members;

const METHOD: &str = "defaultPaymentMethodId";
const ACCOUNT: &str = "defaultPaymentAccountId";
const TOTAL: &str = "totalRequestedAmount";

const STATUS: [(&str, bool); 2] = [("Draft", true), ("Open", false)];

/// What is asked for, before anything is looked up.
struct Given {
    is_draft: bool,
    account: Option<AccountId>,
    gateway: Option<GatewayId>,
    method: MethodId,
    currency: Currency,
    total: Option<i64>,
    reference: Option<String>,
    comments: Option<String>,
    charges: Charges,
    /// The methods of items, and what names them first.
    methods: BTreeMap<MethodId, String>,
}

pub(super) async fn serve(desk: &Desk<'_>, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let text = desk.event.json_body()?;
    let mut members = Members::parse(&text)?;
    let key = key::given(desk.event, &mut members)?.unwrap_or_else(|| fresh_key(desk.app));
    let given = Given::read(&mut members, desk)?;
    members.finish()?;
    let hash = given.hash();
    if let Some(known) = desk.find(ScheduleId::made_under(&desk.merchant.id, &key)).await? {
        return again(desk, &known.schedule, &key, hash, subject).await;
    }
    let asked = given.looked_up(desk, key.clone(), hash).await?;
    let schedule = Schedule::make(asked, desk.now()).map_err(refuse)?;
    match desk.write(None, schedule.clone(), true).await? {
        Written::Done => Ok(shown(desk, 201, &schedule, Runs::if_known(desk).await.as_ref(), subject)),
        Written::Conflict(found) => {
            let found = found.map(StoredSchedule::from_item).transpose().map_err(Fault::from)?.ok_or(Fault::Busy)?;
            again(desk, &found.schedule, &key, hash, subject).await
        }
    }
}

/// It was made before.
async fn again(
    desk: &Desk<'_>,
    known: &Schedule,
    key: &IdempotencyKey,
    hash: [u8; 16],
    subject: &mut Subject,
) -> Result<HttpAnswer, Problem> {
    if known.key != *key || known.asked != hash {
        return Err(refuse(Refused::Reused));
    }
    subject.replayed = true;
    let answer = shown(desk, 201, known, Runs::if_known(desk).await.as_ref(), subject);
    Ok(answer.with_header("idempotent-replayed", "true"))
}

impl Given {
    fn read(members: &mut Members<'_>, desk: &Desk<'_>) -> Result<Self, Problem> {
        let currency = body::currency(members, &desk.merchant)?;
        let (items, recurrence) = (members.objects("items", MAX_WAITING)?, members.object("recurrence")?);
        let total = asked::amount(members, TOTAL, currency)?;
        let mut methods = BTreeMap::new();
        let charges = match (items, recurrence) {
            (Some(_), Some(_)) => {
                return Err(Problem::invalid("recurrence", "must not be given together with items"));
            }
            (None, Some(_)) if total.is_some() => {
                return Err(Problem::invalid(TOTAL, "must not be given together with recurrence"));
            }
            (None, Some(recurrence)) => Charges::Recurrence(asked::recurrence(recurrence, currency)?),
            (items, None) => {
                let mut read = Vec::new();
                for item in items.unwrap_or_default() {
                    let (item, name) = asked::item(item, currency)?;
                    if let Some(method) = item.method {
                        methods.entry(method).or_insert(name);
                    }
                    read.push(item);
                }
                Charges::Items(read)
            }
        };
        Ok(Self {
            is_draft: members.literal("status", &STATUS)?.unwrap_or(true),
            account: body::account_named(members, ACCOUNT)?,
            gateway: body::own_gateway(members, "paymentGatewayId", &desk.merchant)?,
            method: asked::needed(members, METHOD, asked::method)?,
            currency,
            total,
            reference: members.text("referenceEntityId", ID)?,
            comments: members.text("comments", COMMENTS)?,
            charges,
            methods,
        })
    }

    /// Of all that was said, in one way, however it was written.
    fn hash(&self) -> [u8; 16] {
        let charges = match &self.charges {
            Charges::Items(items) => json!(["items", items.iter().map(asked::canonical_item).collect::<Vec<_>>()]),
            Charges::Recurrence(recurrence) => json!(["recurrence", asked::canonical_recurrence(recurrence)]),
        };
        let said = json!([
            self.is_draft,
            self.account.as_ref().map(|account| short_form(account.as_str())),
            self.gateway.map(|gateway| gateway.to_string()),
            self.method.to_string(),
            self.currency.code(),
            self.total,
            self.reference,
            self.comments,
            charges,
        ]);
        hash("schedule asked", &[said.to_string().as_bytes()]).to_be_bytes()
    }

    /// With what follows from the method: its gateway, and whose it is.
    async fn looked_up(self, desk: &Desk<'_>, key: IdempotencyKey, hash: [u8; 16]) -> Result<Asked, Problem> {
        let default = method::usable(desk, self.method, METHOD).await?;
        let gateway = self.gateway.or(default.asked.gateway).ok_or_else(|| Problem::missing("paymentGatewayId"))?;
        method::is_at(&default, gateway, METHOD)?;
        is_active(&desk.merchant, gateway)?;
        for (id, name) in self.methods.iter().filter(|(id, _)| **id != self.method) {
            method::usable_at(desk, *id, gateway, name).await?;
        }
        let account = self.account.or(default.asked.details.account).ok_or_else(|| Problem::missing(ACCOUNT))?;
        Ok(Asked {
            merchant: desk.merchant.id,
            key,
            hash,
            is_draft: self.is_draft,
            account: Some(account),
            gateway,
            method: self.method,
            currency: self.currency,
            total_requested: self.total,
            reference: self.reference,
            comments: self.comments,
            charges: self.charges,
        })
    }
}
