//! A stored operation as an answer: the same facts, the same bytes, however often they are asked for.

use kessai_shared::card::{CardFacts, CardType};
use kessai_shared::ids::{Id, MethodId, Ordinal, Record, group_id, log_id};
use kessai_shared::money::Money;
use kessai_shared::payment::asked::{AccountId, Details, Group, InstrumentFacts, Membership};
use kessai_shared::payment::sequel::Heard;
use kessai_shared::payment::{
    Answer, Decline, Interaction, Kind, Log, Operation, Payment, Settled, Source, State, Verdict,
};
use kessai_shared::time::Timestamp;
use serde_json::value::RawValue;

use super::envelope::{
    Amount, Entry, Envelope, ErrorMember, Fields, GatewayLog, GatewayResponse, LogMore, MethodDetails, More,
    NextAction, NumberMember, PaymentGroup, PaymentMethod, PendingMember, RecordMember, SequelEntry,
};

/// An operation in its payment, about to be shown.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub payment: &'a Payment,
    pub ordinal: Ordinal,
    pub operation: &'a Operation,
}

impl<'a> View<'a> {
    /// None where the payment has no such operation.
    pub fn of(payment: &'a Payment, ordinal: Ordinal) -> Option<Self> {
        payment.operation(ordinal).map(|operation| Self { payment, ordinal, operation })
    }

    /// The HTTP status of the answer to whoever asked for the operation. None where the gateway was
    /// never asked: that is no answer.
    pub fn http_status(&self) -> Option<u16> {
        match &self.operation.state {
            State::Unsent => None,
            State::Open(_) => Some(202),
            State::Accepted(_) => Some(201),
            State::Settled(settled) if settled.verdict == Verdict::Approved => Some(201),
            State::Settled(_) => Some(402),
        }
    }

    /// The answer to whoever asked for the operation: no record where there is nothing to show for it.
    pub fn answer(&self) -> Envelope {
        let error = self.error();
        let record = error.is_none().then(|| self.record(None));
        Envelope { record, error, ..self.common() }
    }

    /// The answer to whoever asks how the record stands.
    pub fn reading(&self, now: Timestamp) -> Envelope {
        let operations = self.related().map(|view| view.entry()).collect();
        let record = Some(self.record(Some(Box::new(self.more(now)))));
        let common = self.common();
        // A page that is of no use any more is not shown to whoever looks.
        let next_action =
            common.next_action.filter(|_| self.operation.payer_action().is_some_and(|action| now < action.expires_at));
        Envelope { record, error: self.error(), operations: Some(operations), next_action, ..common }
    }

    fn common(&self) -> Envelope {
        let asked = &self.operation.asked;
        Envelope {
            gateway_response: Some(self.gateway_response()),
            is_multi_capture_supported: (asked.kind == Kind::Authorize).then_some(self.payment.multi_capture),
            payment_gateway_logs: self.logs(&self.operation.logs, 0, false),
            payment_group: asked.details.group.as_ref().map(|group| self.group(group)),
            payment_method: asked.instrument.as_ref().map(|facts| self.method(facts)),
            saved_payment_method_status: self.saved(),
            pending: self.pending(),
            next_action: self.next_action(),
            ..Envelope::default()
        }
    }

    /// This operation and everything done to what it made.
    fn related(&self) -> impl Iterator<Item = View<'a>> {
        let Self { payment, ordinal, .. } = *self;
        let root = |operation: &Operation| operation.asked.kind.target();
        let belongs = move |view: &View<'a>| {
            let parent = root(view.operation);
            let grandparent = parent.and_then(|parent| payment.operation(parent)).and_then(root);
            view.ordinal == ordinal || parent == Some(ordinal) || grandparent == Some(ordinal)
        };
        payment.numbered().map(move |(ordinal, operation)| View { payment, ordinal, operation }).filter(belongs)
    }

    pub fn id(&self) -> Id {
        self.operation.record().id(self.payment.id, self.ordinal)
    }

    fn record(&self, more: Option<Box<More>>) -> RecordMember {
        let fields = self.fields(more);
        match self.operation.record() {
            Record::Authorization => RecordMember::PaymentAuthorization(fields),
            Record::Payment => RecordMember::Payment(fields),
            Record::Adjustment => RecordMember::PaymentAuthAdjustment(fields),
            Record::Refund => RecordMember::Refund(fields),
        }
    }

    fn fields(&self, more: Option<Box<More>>) -> Fields {
        let Operation { asked, requested_at, amount, .. } = self.operation;
        let number = self.operation.record().number(self.payment.id, self.ordinal);
        Fields {
            account_id: self.account().map(|account| account.as_str().to_owned()),
            amount: raw(*amount),
            currency_iso_code: self.payment.currency.code(),
            effective_date: asked.details.effective_at.unwrap_or(*requested_at).to_string(),
            expiration_date: self.payment.expires_at.filter(|_| asked.kind.holds()).map(|end| end.to_string()),
            id: self.id().to_string(),
            number: match self.operation.record() {
                Record::Authorization => NumberMember::PaymentAuthorizationNumber(number),
                Record::Payment => NumberMember::PaymentNumber(number),
                Record::Adjustment => NumberMember::PaymentAuthAdjustmentNumber(number),
                Record::Refund => NumberMember::RefundNumber(number),
            },
            request_date: requested_at.to_string(),
            status: self.status(),
            more,
        }
    }

    /// The wire's word for how it stands. An adjustment cannot have failed: it is as if never made.
    pub(super) fn status(&self) -> &'static str {
        match (self.operation.record(), self.operation.state.status()) {
            (Record::Adjustment, "Failed") => "Canceled",
            (_, status) => status,
        }
    }

    /// Who pays: said with the operation or, but for an adjustment, when the payment was opened.
    fn account(&self) -> Option<&'a AccountId> {
        let inherited = || match self.operation.record() {
            Record::Adjustment => None,
            Record::Authorization | Record::Payment | Record::Refund => {
                self.payment.operations.first().and_then(|first| first.asked.details.account.as_ref())
            }
        };
        self.operation.asked.details.account.as_ref().or_else(inherited)
    }

    fn more(&self, now: Timestamp) -> More {
        let Self { payment, ordinal, operation } = *self;
        let Details {
            comments,
            client_context,
            email,
            ip_address,
            mac_address,
            phone,
            // Shown in every answer, or sent to the gateway only.
            account: _,
            effective_at: _,
            group: _,
            additional_data: _,
            submitted_by_merchant: _,
        } = operation.asked.details.clone();
        let target = operation.asked.kind.target().and_then(|target| View::of(payment, target));
        let parent = |record| target.filter(|view| view.operation.record() == record).map(|view| view.id().to_string());
        let more = More {
            kind: record_type(&operation.asked.kind),
            payment_gateway_id: payment.gateway.to_string(),
            payment_authorization_id: parent(Record::Authorization),
            payment_id: parent(Record::Payment),
            reason: operation.asked.kind.reason().map(kessai_shared::payment::asked::RefundReason::literal),
            comments,
            client_context,
            email,
            ip_address,
            mac_address,
            phone,
            ..More::default()
        };
        let charged_back = operation.charged_back();
        let approved = operation.amount.with(if operation.stands() { operation.amount.minor } else { 0 });
        let effective = approved.with(approved.minor.saturating_sub(charged_back.minor).max(0));
        let more = More {
            charged_back_amount: (charged_back.minor > 0).then(|| raw(charged_back)),
            failed_after_success: (operation.is_approved() && operation.has_failed_since()).then_some(true),
            ..more
        };
        match operation.record() {
            Record::Authorization => {
                let (captured, reversed) = (payment.captured(ordinal), payment.reversed(ordinal));
                More {
                    balance: Some(raw(approved.with(approved.minor - captured.minor - reversed.minor))),
                    total_payment_capture_amount: Some(raw(captured)),
                    total_auth_reversal_amount: Some(raw(reversed)),
                    available_to_capture_amount: Some(raw(payment.available_to_capture(ordinal, now))),
                    ..more
                }
            }
            Record::Payment => More {
                balance: Some(raw(effective)),
                impact_amount: Some(raw(effective.with(-effective.minor))),
                total_refund_amount: Some(raw(payment.refunded(ordinal))),
                available_to_refund_amount: Some(raw(payment.refundable(ordinal))),
                ..more
            },
            Record::Refund => {
                let canceled = self.status() == "Canceled";
                More { balance: Some(raw(effective)), impact_amount: (!canceled).then(|| raw(effective)), ..more }
            }
            Record::Adjustment => more,
        }
    }

    fn gateway_response(&self) -> GatewayResponse {
        let answer = self.operation.answer().cloned().unwrap_or_default();
        let details = match &self.operation.asked.kind {
            Kind::PostAuthorize => {
                self.operation.asked.instrument.as_ref().and_then(|facts| self.method_details(facts))
            }
            Kind::Authorize | Kind::Sale | Kind::Capture { .. } | Kind::Reverse { .. } | Kind::Refund { .. } => None,
        };
        let result = result_code(&self.operation.state);
        GatewayResponse { payment_method_details: details, ..GatewayResponse::of(answer, result) }
    }

    /// Whether a post-authorization stored what it was made with: the same method is never made twice.
    fn saved(&self) -> Option<&'static str> {
        let asked = &self.operation.asked;
        let Some(InstrumentFacts::Stored(method)) = &asked.instrument else { return None };
        let saved = MethodId::saved_by(method.kind()?, &self.payment.merchant, &asked.key);
        (asked.kind == Kind::PostAuthorize && *method == saved).then_some("Created")
    }

    fn logs(&self, logs: &[Log], first: usize, full: bool) -> Vec<GatewayLog> {
        let show = |(index, log): (usize, &Log)| GatewayLog {
            created_date: log.at.to_string(),
            gateway_result_code: log.code.clone(),
            id: log_id(self.payment.id, self.ordinal, first + index).to_string(),
            interaction_status: interaction_status(log.interaction),
            more: full.then(|| LogMore {
                interaction_type: interaction_type(&self.operation.asked.kind),
                is_notification: if log.source == Source::Notice { "Yes" } else { "No" },
                source: source_name(log.source),
            }),
        };
        logs.iter().enumerate().map(show).collect()
    }

    fn group(&self, group: &Group) -> PaymentGroup {
        let (id, source) = match &group.member {
            Membership::Existing { id } => (id.clone(), None),
            Membership::New { source } => {
                let own = self.id().to_string();
                let key = source.as_deref().unwrap_or(&own);
                (group_id(&self.payment.merchant, key).to_string(), source.clone())
            }
        };
        let currency = group.currency.unwrap_or(self.payment.currency);
        PaymentGroup { currency_iso_code: Some(currency.code()), id, source_object_id: source }
    }

    fn method(&self, facts: &InstrumentFacts) -> PaymentMethod {
        let account_id = self.account().map(|account| account.as_str().to_owned());
        match facts {
            InstrumentFacts::Stored(method) => PaymentMethod {
                account_id,
                id: Some(method.to_string()),
                status: Some("Active"),
                payment_method_details: None,
            },
            InstrumentFacts::Card(_) | InstrumentFacts::Alternative { .. } => {
                PaymentMethod { account_id, id: None, status: None, payment_method_details: self.method_details(facts) }
            }
        }
    }

    fn method_details(&self, facts: &InstrumentFacts) -> Option<MethodDetails> {
        match facts {
            InstrumentFacts::Stored(_) => None,
            InstrumentFacts::Card(CardFacts { bin, last_four, expiry, card_type }) => {
                Some(MethodDetails::CardPaymentMethod {
                    card_bin: Some(bin.clone()),
                    card_category: None,
                    card_last_four: Some(last_four.clone()),
                    card_type: card_type.map(CardType::literal),
                    display_card_number: Some(format!("************{last_four}")),
                    expiry_month: Some(expiry.month),
                    expiry_year: Some(expiry.year),
                })
            }
            InstrumentFacts::Alternative { name, email } => Some(MethodDetails::AlternativePaymentMethod {
                account_id: self.account().map(|account| account.as_str().to_owned()),
                email: email.clone(),
                name: name.clone(),
            }),
        }
    }

    /// What will be done about an outcome that nobody knows, and when.
    fn pending(&self) -> Option<PendingMember> {
        let State::Open(open) = &self.operation.state else { return None };
        let hold_ends = self.payment.expires_at.filter(|_| self.operation.asked.kind.holds());
        let message = match open.due {
            _ if !open.unknown => "The gateway is being asked",
            None => "The gateway cannot be asked what became of it: it stays Pending until a notification comes",
            due if due == hold_ends => {
                "The gateway cannot be asked what became of it: it stays Pending until a notification comes or the hold ends"
            }
            Some(_) => "What became of it is being found out",
        };
        Some(PendingMember { message, next_check_date: open.due.map(|due| due.to_string()) })
    }

    fn next_action(&self) -> Option<NextAction> {
        self.operation.payer_action().map(NextAction::of)
    }

    fn sequels(&self) -> Vec<SequelEntry> {
        let show = |Heard { sequel, at }: &Heard| SequelEntry {
            kind: sequel.what.name(),
            gateway_reference_number: sequel.id.clone(),
            amount: sequel.minor.map(|minor| raw(self.operation.amount.with(minor))),
            gateway_result_code: sequel.code.clone(),
            created_date: at.to_string(),
        };
        self.operation.sequels.iter().map(show).collect()
    }

    /// Why there is no record to show.
    pub(super) fn error(&self) -> Option<ErrorMember> {
        let State::Settled(Settled { verdict, answer, .. }) = &self.operation.state else { return None };
        let (error_code, message) = match verdict {
            Verdict::Approved => return None,
            Verdict::Declined(decline) => return Some(decline_error(*decline, answer)),
            Verdict::Voided => {
                ("VOIDED", "The gateway did not answer and the operation was undone there: nothing is charged")
            }
            Verdict::NeverReceived => {
                ("NEVER_RECEIVED", "The gateway never received the operation: nothing is charged")
            }
            Verdict::Lapsed => {
                ("LAPSED", "Nobody could find out what became of it, and by our clock the hold has ended")
            }
        };
        Some(ErrorMember { error_code, message: message.to_owned() })
    }

    fn entry(&self) -> Entry {
        let Operation { asked, amount, requested_at, state, logs, contradictions, .. } = self.operation;
        Entry {
            id: self.id().to_string(),
            kind: interaction_type(&asked.kind),
            amount: raw(*amount),
            status: self.status(),
            salesforce_result_code: result_code(state),
            gateway_reference_number: self.operation.answer().and_then(|answer| answer.reference.clone()),
            idempotency_key: asked.key.as_str().to_owned(),
            request_date: requested_at.to_string(),
            payment_gateway_logs: self.logs(logs, 0, true),
            contradictions: self.logs(contradictions, logs.len(), true),
            sequels: self.sequels(),
        }
    }
}

/// The exact decimal, as a JSON number.
pub(super) fn raw(money: Money) -> Amount {
    // What money prints is a JSON number.
    RawValue::from_string(money.to_string()).unwrap_or_default()
}

/// The wire's word for what came of it. An ambiguous outcome is `Indeterminate`; `SystemError` promises
/// that the gateway never saw it.
pub fn result_code(state: &State) -> &'static str {
    match state {
        State::Open(_) => "Indeterminate",
        State::Unsent => "SystemError",
        State::Accepted(accepted) if accepted.action.is_some() => "RequiresReview",
        State::Accepted(_) => "Success",
        State::Settled(settled) => match settled.verdict {
            Verdict::Approved => "Success",
            Verdict::Declined(decline) => decline_code(decline),
            Verdict::Voided => "Decline",
            Verdict::NeverReceived => "SystemError",
            Verdict::Lapsed => "Indeterminate",
        },
    }
}

/// The same for a refusal.
pub(super) fn decline_code(decline: Decline) -> &'static str {
    match decline {
        Decline::Soft => "Decline",
        Decline::Permanent => "PermanentFail",
        Decline::RequiresReview => "RequiresReview",
        Decline::InvalidData => "ValidationError",
    }
}

/// Why there is nothing to show for what a gateway refused.
pub(super) fn decline_error(decline: Decline, answer: &Answer) -> ErrorMember {
    let (error_code, meaning) = match decline {
        Decline::Soft => ("DECLINED", "The gateway declined"),
        Decline::Permanent => ("PERMANENT_FAIL", "The gateway declined for good"),
        Decline::RequiresReview => ("REQUIRES_REVIEW", "The bank must review it"),
        Decline::InvalidData => ("VALIDATION_ERROR", "The gateway refused the data"),
    };
    let said = answer.description.as_deref().or(answer.message.as_deref());
    let message = said.map_or_else(|| meaning.to_owned(), |said| format!("{meaning}: {said}"));
    ErrorMember { error_code, message }
}

impl GatewayResponse {
    /// What the gateway said, and the wire's word for it.
    pub(super) fn of(answer: Answer, result: &'static str) -> Self {
        let Answer { reference, reference_details, code, description, message, authorization_code, avs_code, date } =
            answer;
        Self {
            gateway_authorization_code: authorization_code,
            gateway_avs_code: avs_code,
            gateway_date: date.map(|date| date.to_string()),
            gateway_message: message,
            gateway_reference_details: reference_details,
            gateway_reference_number: reference,
            gateway_result_code: code,
            gateway_result_code_description: description,
            gateway_token_encrypted: None,
            salesforce_result_code: result,
            payment_method_details: None,
        }
    }
}

fn interaction_status(interaction: Interaction) -> &'static str {
    match interaction {
        Interaction::Success => "Success",
        Interaction::Failed => "Failed",
        Interaction::Timeout => "Timeout",
        Interaction::NoOp => "NoOp",
    }
}

fn interaction_type(kind: &Kind) -> &'static str {
    match kind {
        Kind::Authorize => "Authorization",
        Kind::PostAuthorize => "PostAuth",
        Kind::Sale => "Sale",
        Kind::Capture { .. } => "Capture",
        Kind::Reverse { .. } => "AuthorizationReversal",
        Kind::Refund { .. } => "ReferencedRefund",
    }
}

/// The record's own type, where its kind has several.
pub(super) fn record_type(kind: &Kind) -> &'static str {
    match kind {
        Kind::Authorize => "Authorization",
        Kind::PostAuthorize => "PostAuth",
        Kind::Sale => "Sale",
        Kind::Capture { .. } => "Capture",
        Kind::Reverse { .. } => "Reversal",
        Kind::Refund { .. } => "Referenced",
    }
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::Answer => "answer",
        Source::LookUp => "look-up",
        Source::TimeoutReversal => "timeout reversal",
        Source::Notice => "notification",
        Source::Time => "time",
    }
}
