//! What callers hear, by whichever way they asked.

use kessai_functions::event::HttpAnswer;
use kessai_functions::problem::Problem;
use kessai_functions::wire::view::View;
use kessai_shared::payment::Operation;
use kessai_shared::shell::Reply;

/// What a caller hears.
pub struct Heard {
    pub status: u16,
    /// It says what became of the operation, for good.
    pub is_final: bool,
    /// The record that it shows.
    pub record: Option<String>,
    pub said: Said,
}

/// The answer itself. Asked again, it must be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Text(String),
    Operation(Box<Operation>),
    Problem(Problem),
}

impl Heard {
    pub fn text(kind: &str, answer: HttpAnswer) -> Self {
        let is_pending = answer.body.contains(r#""status":"Pending""#);
        let shows = matches!(answer.status_code, 201 | 202);
        Self {
            status: answer.status_code,
            is_final: answer.status_code == 402 || answer.status_code == 201 && !is_pending,
            record: if shows { record_of(kind, &answer.body) } else { None },
            said: Said::Text(answer.body),
        }
    }

    pub fn reply(reply: Result<Reply, Problem>) -> Self {
        let reply = match reply {
            Ok(reply) => reply,
            Err(problem) => return Self::problem(problem),
        };
        let Some(view) = View::of(&reply.payment, reply.operation) else { return Self::problem(Problem::not_found()) };
        let Some(status) = view.http_status() else { return Self::problem(Problem::not_sent()) };
        let record = view.operation.record().id(reply.payment.id, reply.operation).to_string();
        let mut operation = view.operation.clone();
        // What came after the verdict is no part of an answer.
        operation.contradictions.clear();
        operation.sequels.clear();
        Self {
            status,
            is_final: operation.is_settled(),
            record: Some(record),
            said: Said::Operation(Box::new(operation)),
        }
    }

    fn problem(problem: Problem) -> Self {
        Self { status: problem.status, is_final: false, record: None, said: Said::Problem(problem) }
    }

    /// Why it was refused, if it was.
    pub fn code(&self) -> Option<&str> {
        match &self.said {
            Said::Text(text) => text.split_once(r#""errorCode":""#)?.1.split('"').next(),
            Said::Operation(_) => None,
            Said::Problem(problem) => Some(problem.code),
        }
    }

    /// In a few words.
    pub fn gist(&self) -> String {
        let words = match &self.said {
            Said::Text(text) => {
                let names = [r#""errorCode":""#, r#""message":""#, r#""salesforceResultCode":""#, r#""status":""#];
                let word = |name: &str| Some(text.split_once(name)?.1.split('"').next()?.to_owned());
                names.into_iter().filter_map(word).collect::<Vec<_>>().join(", ")
            }
            Said::Operation(operation) => operation.state.status().to_owned(),
            Said::Problem(problem) => format!("{} {}", problem.code, problem.message),
        };
        format!("{} {words}", self.status)
    }
}

/// The id of the record that an answer shows.
fn record_of(kind: &str, body: &str) -> Option<String> {
    let prefix = match kind {
        "authorize" | "post-authorize" => "0Xc",
        "sale" | "capture" => "0aQ",
        "reverse" => "9tv",
        _ => "0cb",
    };
    let start = body.find(&format!(r#""id":"{prefix}"#))? + r#""id":""#.len();
    body.get(start..start + 18).map(str::to_owned)
}
