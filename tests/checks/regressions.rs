//! The failures of others, replayed. Each bears the number of the public issue that tells of it.

use kessai_functions::sandbox::{Class, Kind};
use tests::chance::Fault;
use tests::plan::Pays;

use super::scenario::{Scenario, deeds, last_heard, standing};

/// What the sandbox accepts first and declines later.
const ACCEPTED_THEN_DECLINED: Pays = Pays::Method(9019);
const ACCEPTED_THEN_APPROVED: Pays = Pays::Method(9018);

/// Two refunds, both of which read before either wrote: only one fits.
#[test]
fn hyperswitch_13182_concurrent_refunds_never_exceed_the_capture() {
    for class in Class::ALL {
        let report = Scenario::at(class)
            .opens(Kind::Sale)
            .acts(Kind::Refund, 0, 6_000)
            .acts(Kind::Refund, 0, 6_000)
            .served(1_000, &[(1, 1), (2, 1), (1, 2), (2, 2), (1, 3), (1, 4)])
            .happens();
        assert_eq!(standing(&report, Kind::Refund), [6_000], "{class:?}");
        assert_eq!((last_heard(&report, 1), last_heard(&report, 2)), (201, 422), "{class:?}");
    }
}

/// The same while the gateway's answer to the first is lost: it may have acted, so it still counts.
#[test]
fn hyperswitch_13182_a_refund_that_may_have_happened_counts() {
    for class in Class::ALL {
        let report = Scenario::at(class)
            .opens(Kind::Sale)
            .acts(Kind::Refund, 0, 6_000)
            .acts(Kind::Refund, 0, 6_000)
            .after(20_000)
            .suffers(1, 3, Fault::AnswerLost)
            .happens();
        assert_eq!((deeds(&report, Kind::Refund), report.heard[2][0]), (1, 422), "{class:?}");
    }
}

/// The same notice twice at once: both see that it is not there yet, one writes, and the other has no cause to
/// fail over it.
#[test]
fn hyperswitch_14003_a_notice_that_comes_twice_is_taken_twice_and_counts_once() {
    for class in Class::ALL {
        let mut races = 0;
        for seed in 0..20 {
            let mut scenario = Scenario::at(class)
                .opens_with(Kind::Sale, ACCEPTED_THEN_APPROVED)
                .tells()
                .always(Fault::NoticeDoubled)
                .always(Fault::MessageLate);
            scenario.plan.seed = seed;
            let report = scenario.happens();
            assert_eq!(standing(&report, Kind::Sale), [10_000], "{class:?}");
            assert_eq!(report.auditor.ended[0], 1, "approved, {class:?}");
            races += report.story.lines().iter().filter(|line| line.what.contains("is refused")).count();
        }
        assert!(races > 0, "two of them read before either wrote, {class:?}");
    }
}

/// The worker is killed while the gateway acts; the caller asks again, in time and after the deadline.
#[test]
fn powertools_8049_what_timed_out_is_not_run_again() {
    for (class, heard) in [(Class::Keyed, 201), (Class::LookUp, 201), (Class::TimeoutReversal, 402), (Class::None, 202)]
    {
        let report = Scenario::at(class)
            .opens(Kind::Sale)
            .again()
            .after(1_000)
            .again()
            .after(50_000)
            .again()
            .after(200_000)
            .suffers(0, 2, Fault::Killed)
            .suffers(0, 2, Fault::DyingWish)
            .happens();
        assert_eq!(deeds(&report, Kind::Sale), 1, "{class:?}");
        assert_eq!((report.heard[1][0], last_heard(&report, 3)), (409, heard), "{class:?}");
    }
}

/// A capture whose answer was lost is asked for again: the same key is the same capture.
#[test]
fn medusa_16292_a_capture_that_is_asked_for_again_is_the_same_capture() {
    for class in Class::ALL {
        let report = Scenario::at(class)
            .opens(Kind::Authorize)
            .acts(Kind::Capture, 0, 4_000)
            .suffers(1, 3, Fault::AnswerLost)
            .happens();
        assert_eq!(deeds(&report, Kind::Capture), 1, "{class:?}");
        assert!(report.heard[1].len() > 1, "it asked again");
    }
}

/// The same of a refund, whose answer is lost twice.
#[test]
fn medusa_16681_a_refund_that_is_asked_for_again_is_the_same_refund() {
    for class in Class::ALL {
        let report = Scenario::at(class)
            .opens(Kind::Sale)
            .acts(Kind::Refund, 0, 6_000)
            .acts(Kind::Refund, 0, 4_000)
            .after(300_000)
            .suffers(1, 3, Fault::AnswerLost);
        // What follow-up asks is lost too, where it asks: to send it again, to find it, to undo it. Before that it looks
        // for what was told too early.
        let report = match class {
            Class::Keyed => report.suffers(2, 4, Fault::AnswerLost).happens(),
            Class::TimeoutReversal => report.suffers(3, 4, Fault::AnswerLost).happens(),
            Class::LookUp => report.suffers(3, 3, Fault::AnswerLost).happens(),
            Class::None => report.happens(),
        };
        assert!(standing(&report, Kind::Refund).iter().sum::<u64>() <= 10_000, "{class:?}");
        assert_eq!(deeds(&report, Kind::Refund), 2, "one each, {class:?}");
        assert_eq!(last_heard(&report, 2), 201, "{class:?}");
    }
}

/// The checkout and the handler of a webhook both capture all, and the gateway tells in between.
#[test]
fn medusa_13301_two_captures_at_once_are_one() {
    for class in Class::ALL {
        let report = Scenario::at(class)
            .opens(Kind::Authorize)
            .acts(Kind::Capture, 0, 10_000)
            .again()
            .acts(Kind::Capture, 0, 10_000)
            .tells()
            .happens();
        assert_eq!(standing(&report, Kind::Capture), [10_000], "{class:?}");
        let mut heard = [last_heard(&report, 1), last_heard(&report, 3)];
        heard.sort_unstable();
        assert_eq!(heard, [201, 422], "{class:?}");
    }
}

/// A refund delivered again and again is one; two refunds of the same amount under two keys are two.
#[test]
fn saleor_2446_a_refund_is_as_often_as_its_keys() {
    for class in Class::ALL {
        let report = Scenario::at(class)
            .opens(Kind::Sale)
            .acts(Kind::Refund, 0, 3_000)
            .again()
            .again()
            .after(60_000)
            .acts(Kind::Refund, 0, 3_000)
            .after(120_000)
            .happens();
        assert_eq!(standing(&report, Kind::Refund), [3_000, 3_000], "{class:?}");
        for errand in 1..=4 {
            assert_eq!(last_heard(&report, errand), 201, "{class:?}, errand {errand}");
        }
    }
}

/// What is unknown still counts, so nothing can be taken beside it; what it turns out to be counts then.
#[test]
fn killbill_1015_nothing_is_charged_beside_an_unknown() {
    for class in Class::ALL {
        let report = Scenario::at(class)
            .opens(Kind::Authorize)
            .acts(Kind::Capture, 0, 10_000)
            .acts(Kind::Capture, 0, 10_000)
            .after(20_000)
            .suffers(1, 3, Fault::AnswerLost)
            .happens();
        assert_eq!(report.heard[2], [422], "{class:?}");
        assert_eq!(deeds(&report, Kind::Capture), 1, "{class:?}");
    }
    // The request never arrived: once that is known, the amount is free.
    let report = Scenario::at(Class::LookUp)
        .opens(Kind::Authorize)
        .acts(Kind::Capture, 0, 10_000)
        .acts(Kind::Capture, 0, 10_000)
        .after(120_000)
        .suffers(1, 3, Fault::RequestLost)
        .happens();
    assert_eq!((last_heard(&report, 1), last_heard(&report, 2)), (402, 201));
    assert_eq!(standing(&report, Kind::Capture), [10_000]);
}

/// However it is learned that a gateway declined in the end, it is learned: by looking, by being told, by both.
#[test]
fn killbill_1832_a_late_decline_is_learned_by_whatever_way() {
    let sale = |class| Scenario::at(class).opens_with(Kind::Sale, ACCEPTED_THEN_DECLINED);
    let both = |scenario: Scenario| scenario.tells().always(Fault::NoticeDoubled);
    for scenario in [sale(Class::Keyed), sale(Class::LookUp).tells(), both(sale(Class::None)), both(sale(Class::Keyed))]
    {
        let report = scenario.happens();
        assert_eq!(last_heard(&report, 0), 402, "{:?}", scenario.plan);
        assert_eq!(report.auditor.ended[1], 1, "declined, {:?}", scenario.plan);
        assert!(standing(&report, Kind::Sale).is_empty());
    }
}

/// The same request in another text, with another spelling of the amount, is the same request.
#[test]
fn adyen_commercetools_1305_the_key_does_not_depend_on_the_text() {
    for class in Class::ALL {
        let scenario = Scenario::at(class).opens_with(Kind::Authorize, Pays::Card(0)).suffers(0, 2, Fault::AnswerLost);
        let report = scenario.happens();
        assert_eq!(deeds(&report, Kind::Authorize), 1, "{class:?}");
        assert!(report.heard[0].len() > 1 && !report.heard[0].contains(&422), "{class:?}: {:?}", report.heard);
    }
}
