//! Notes for a person, one line each on standard error, where the platform collects them.

use kessai_shared::payment::Outcome;
use kessai_shared::ports::{HttpFault, Journal, Note};

/// Writes notes to standard error.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandardErrorJournal;

impl Journal for StandardErrorJournal {
    fn note(&self, note: &Note<'_>) {
        eprintln!("{}", line(note));
    }
}

fn line(note: &Note<'_>) -> String {
    match note {
        Note::Contradiction { operation, settled, heard } => {
            format!("contradiction operation={operation} settled={settled} {}", words(heard))
        }
        Note::Unwritten { operation, heard } => format!("unwritten operation={operation} {}", words(heard)),
        Note::Unanswered { operation, fault } => {
            let (kind, why) = match fault {
                HttpFault::NotSent(why) => ("not sent", why),
                HttpFault::Lost(why) => ("lost", why),
            };
            format!("unanswered operation={operation} kind={kind:?} why={why:?}")
        }
        Note::Failed { function, status, code, cause } => {
            format!("failed function={function} status={status} code={code} cause={cause:?}")
        }
    }
}

/// A gateway's words are quoted, so that they cannot make lines of their own.
fn words(heard: &Outcome) -> String {
    let answer = heard.answer();
    let reference = answer.and_then(|answer| answer.reference.as_deref()).unwrap_or_default();
    let code = answer.and_then(|answer| answer.code.as_deref()).unwrap_or_default();
    format!("heard={:?} reference={reference:?} code={code:?}", heard.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kessai_shared::payment::Answer;

    #[test]
    fn a_note_is_one_line_that_says_what_is_known() {
        let answer = Answer { reference: Some("1\n2".to_owned()), code: Some("00".to_owned()), ..Answer::default() };
        let heard = Outcome::Approved(answer);
        let fault = HttpFault::Lost("closed".to_owned());
        let rows = [
            (
                Note::Contradiction { operation: "0Xc1", settled: "Failed", heard: &heard },
                r#"contradiction operation=0Xc1 settled=Failed heard="approved" reference="1\n2" code="00""#,
            ),
            (
                Note::Unwritten { operation: "0Xc1", heard: &heard },
                r#"unwritten operation=0Xc1 heard="approved" reference="1\n2" code="00""#,
            ),
            (
                Note::Unanswered { operation: "0Xc1", fault: &fault },
                r#"unanswered operation=0Xc1 kind="lost" why="closed""#,
            ),
            (
                Note::Failed { function: "sale", status: 503, code: "SERVICE_UNAVAILABLE", cause: "a: b\nc" },
                r#"failed function=sale status=503 code=SERVICE_UNAVAILABLE cause="a: b\nc""#,
            ),
        ];
        for (note, expected) in rows {
            assert_eq!(line(&note), expected);
        }
    }
}
