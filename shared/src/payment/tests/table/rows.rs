//! The rows of the table.

/// The first line names the columns. `open` stands for all four states of an open operation that nobody
/// undoes and `undone` for both of one that is being undone, `settled` for every verdict, `heard` for every
/// way of hearing, `asked` for all but the notice. `late` is past the deadline and the margin.
pub(super) const ROWS: &str = "
gateway                | paid  | before                       | event                   | heard                        | under   | what follows
any                    | any   | absent                       | again otherwise own-claim | -                          | -       | claims and sends
any                    | any   | absent                       | heard early due         | any                          | any     | not found
any                    | any   | open undone unsent accepted settled | otherwise        | -                            | -       | mismatch
any                    | any   | in-time late                 | own-claim               | -                            | -       | sends
keyed                  | any   | unknown-in-time unknown-late | own-claim               | -                            | -       | resends
look-up reversal plain | any   | unknown-in-time unknown-late | own-claim               | -                            | -       | nothing
any                    | any   | undone                       | own-claim               | -                            | -       | nothing
any                    | any   | in-time                      | again                   | -                            | -       | in progress
any                    | any   | unknown-in-time undone       | again                   | -                            | -       | nothing
any                    | whole | late unknown-late            | again                   | -                            | -       | nothing
look-up reversal plain | card  | late unknown-late            | again                   | -                            | -       | nothing
keyed                  | card  | late unknown-late            | again                   | -                            | -       | claims and resends
any                    | any   | unsent                       | again own-claim         | -                            | -       | claims and sends
any                    | any   | accepted settled             | again own-claim         | -                            | -       | nothing
any                    | any   | open undone accepted unsent settled | early            | -                            | -       | nothing
any                    | any   | unsent settled               | due                     | -                            | -       | nothing
keyed                  | whole | open                         | due                     | -                            | -       | claims and resends
keyed                  | card  | in-time unknown-in-time      | due                     | -                            | -       | postpones
look-up reversal plain | any   | in-time unknown-in-time      | due                     | -                            | -       | postpones
keyed                  | card  | late unknown-late            | due                     | -                            | -       | looks up
any                    | any   | undone-in-time               | due                     | -                            | -       | postpones
keyed look-up          | any   | undone-late                  | due                     | -                            | -       | looks up
look-up                | any   | late unknown-late            | due                     | -                            | -       | looks up
reversal               | any   | late unknown-late undone-late | due                    | -                            | -       | claims and undoes
plain                  | any   | late unknown-late undone-late | due                    | -                            | -       | waits for the end
keyed look-up          | any   | accepted                     | due                     | -                            | -       | looks up
reversal plain         | any   | accepted                     | due                     | -                            | -       | waits for the end
any                    | any   | open unsent accepted         | heard                   | approved                     | any     | settles Approved
any                    | any   | undone                       | heard                   | approved accepted action-required | any     | is logged
any                    | any   | open undone unsent accepted  | heard                   | soft                         | any     | settles Declined(Soft)
any                    | any   | open undone unsent accepted  | heard                   | permanent                    | any     | settles Declined(Permanent)
any                    | any   | open undone unsent accepted  | heard                   | review                       | any     | settles Declined(RequiresReview)
any                    | any   | open undone unsent accepted  | heard                   | invalid                      | any     | settles Declined(InvalidData)
any                    | any   | open undone                  | heard                   | voided                       | current | settles Voided
any                    | any   | open undone                  | heard                   | voided                       | foreign | nothing
any                    | any   | unsent accepted              | heard                   | voided                       | any     | nothing
any                    | any   | open unsent                  | heard                   | accepted action-required     | any     | awaits the verdict
any                    | any   | accepted                     | asked                   | accepted action-required     | any     | awaits the verdict
any                    | any   | accepted                     | notice                  | accepted action-required     | any     | nothing
any                    | any   | in-time late                 | answer                  | not-sent                     | current | frees
any                    | any   | in-time late                 | look-up reversal        | not-sent                     | current | stays unknown
any                    | any   | unknown-in-time unknown-late undone | asked            | not-sent                     | current | stays unknown
any                    | any   | in-time unknown-in-time undone-in-time | asked         | never-received               | current | stays unknown
any                    | any   | late unknown-late undone-late | asked                  | never-received               | current | settles NeverReceived
any                    | any   | open undone                  | asked                   | unknown                      | current | stays unknown
any                    | any   | open undone                  | asked                   | not-sent never-received unknown | foreign | nothing
any                    | any   | open undone accepted         | notice                  | not-sent never-received unknown | any  | nothing
any                    | any   | unsent                       | heard                   | not-sent never-received unknown | any  | nothing
keyed look-up          | any   | accepted                     | asked                   | not-sent never-received unknown | any  | awaits the verdict
reversal plain         | any   | accepted                     | asked                   | not-sent never-received unknown | any  | nothing
any                    | any   | approved                     | heard                   | approved accepted not-sent unknown action-required | any | nothing
any                    | any   | approved                     | heard                   | declined voided never-received | any   | contradicts
any                    | any   | declined voided never-received lapsed | heard          | declined voided never-received not-sent unknown | any | nothing
any                    | any   | declined voided never-received lapsed | heard          | approved                     | any     | contradicts
any                    | any   | declined voided lapsed       | heard                   | accepted action-required     | any     | nothing
any                    | any   | never-received               | heard                   | accepted action-required     | any     | contradicts
";
