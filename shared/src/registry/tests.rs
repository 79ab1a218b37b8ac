//! Whoever changes a merchant may be killed at any call, fail, or be overtaken: afterwards each version has its entry in
//! the trail, in order, and it is the one that made it.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::ids::ProviderId;
use crate::memory::Memory;
use crate::merchant::set_up::{Change, MerchantEdit, Who};
use crate::merchant::tests::{BY, key_id, listed, made, provider, provider_id, shop};
use crate::merchant::{Provider, Scope};
use crate::payment::tests::fixtures::START;
use crate::stored::merchant::provider_key;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Whoever asked dies before it took effect, or after.
    DiesBefore,
    DiesAfter,
    /// It fails and has no effect, or has one.
    Fails,
    FailsAfter,
    /// Somebody else renames the merchant first.
    Overtaken,
}

const FATES: [Fate; 5] = [Fate::DiesBefore, Fate::DiesAfter, Fate::Fails, Fate::FailsAfter, Fate::Overtaken];

/// A store that does what is foreseen at one call, and remembers every version of the merchant.
struct Shelf {
    memory: Memory,
    calls: Mutex<usize>,
    foreseen: Mutex<Option<(usize, Fate)>>,
    versions: Mutex<BTreeMap<u64, Merchant>>,
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        START
    }

    fn sleep(&self, _: Duration) -> Pending<'_, ()> {
        Box::pin(async {})
    }
}

impl Shelf {
    fn with(merchant: &Merchant) -> Self {
        let shelf = Self {
            memory: Memory::default(),
            calls: Mutex::default(),
            foreseen: Mutex::default(),
            versions: Mutex::default(),
        };
        block_on(shelf.put(encode_merchant(merchant), Expected::Absent)).expect("memory");
        shelf
    }

    fn foresee(&self, fate: Option<(usize, Fate)>) {
        *self.calls.lock().expect("calls") = 0;
        *self.foreseen.lock().expect("fate") = fate;
    }

    fn fate(&self) -> Option<Fate> {
        let mut calls = self.calls.lock().expect("calls");
        let fate = self.foreseen.lock().expect("fate").filter(|(call, _)| call == &*calls).map(|(_, fate)| fate);
        *calls += 1;
        fate
    }

    fn calls(&self) -> usize {
        *self.calls.lock().expect("calls")
    }

    fn registry(&self) -> Registry<'_> {
        Registry { store: self, clock: &Still, deadline: START.plus(Duration::from_secs(25)) }
    }

    fn merchant(&self) -> Merchant {
        self.versions.lock().expect("versions").last_key_value().expect("a merchant").1.clone()
    }

    async fn put(&self, item: Item, expected: Expected) -> Result<Written, StoreFault> {
        let written = self.memory.write(item.clone(), expected).await?;
        if let (Written::Done, Ok(merchant)) = (&written, decode_merchant(item)) {
            self.versions.lock().expect("versions").insert(merchant.version, merchant);
        }
        Ok(written)
    }

    async fn overtake(&self) {
        let before = self.merchant();
        let name = Some(format!("Renamed {}", before.version));
        let change = Change::EditMerchant(MerchantEdit { name, ..MerchantEdit::default() });
        let next = before.after(&change, START, Who::Key(key_id(9))).expect("a name");
        // As whoever overtakes has to: the entry of what it found comes first.
        if let Some(entry) = encode_audit(&before) {
            self.put(entry, Expected::Absent).await.expect("memory");
        }
        self.put(encode_merchant(&next), Expected::Version(before.version)).await.expect("memory");
    }

    async fn meet<T>(&self, call: impl Future<Output = Result<T, StoreFault>>) -> Result<T, StoreFault> {
        match self.fate() {
            None => call.await,
            Some(Fate::DiesBefore) => pending().await,
            Some(Fate::DiesAfter) => {
                drop(call.await);
                pending().await
            }
            Some(Fate::Fails) => Err(StoreFault("down".into())),
            Some(Fate::FailsAfter) => {
                drop(call.await);
                Err(StoreFault("down".into()))
            }
            Some(Fate::Overtaken) => {
                self.overtake().await;
                call.await
            }
        }
    }

    /// Each version after the first has its entry, and it is what made the version.
    fn check_trail(&self, history: &dyn std::fmt::Debug) {
        self.foresee(None);
        let mut trail = Vec::new();
        let mut before = None;
        loop {
            let page = block_on(self.registry().trail(&self.merchant(), before, 2)).expect("a trail");
            assert!(page.entries.len() <= 2);
            trail.extend(page.entries);
            before = page.before;
            if before.is_none() {
                break;
            }
        }
        let versions = self.versions.lock().expect("versions");
        let made = versions
            .values()
            .rev()
            .filter_map(|merchant| Some(Entry { version: merchant.version, change: merchant.last_change.clone()? }));
        assert_eq!(trail, made.collect::<Vec<_>>(), "{history:?}");
        let last = versions.last_key_value().map_or(0, |(last, _)| *last);
        assert_eq!(versions.keys().copied().collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>(), "{history:?}");
    }
}

impl Store for Shelf {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(self.meet(self.memory.read(key)))
    }

    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        Box::pin(self.meet(self.put(item, expected)))
    }
}

fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    poll_once(future).expect("nothing waits for ever")
}

fn adding(seed: u8) -> Change {
    Change::AddProvider(provider_id(seed), provider(&format!("P{seed}")))
}

async fn make(shelf: &Shelf, change: &Change) -> Result<Merchant, Hindered> {
    let merchant = shelf.registry().merchant(&shop().id).await?.ok_or(Refused::NotFound)?;
    shelf.registry().change(merchant, |merchant, now| merchant.after(change, now, BY)).await
}

#[test]
fn the_trail_is_complete_and_in_order_whatever_happens_at_any_call() {
    let mut histories = 0;
    for fate in FATES {
        for second in [None, Some(Fate::DiesAfter), Some(Fate::FailsAfter)] {
            for call in 0.. {
                let shelf = Shelf::with(&shop());
                block_on(make(&shelf, &adding(10))).expect("an undisturbed change");
                let history = (fate, second, call);
                shelf.foresee(Some((call, fate)));
                let first = poll_once(make(&shelf, &adding(11)));
                let is_over = shelf.calls() <= call;
                let dies = matches!(fate, Fate::DiesBefore | Fate::DiesAfter) && !is_over;
                assert_eq!(first.is_none(), dies, "{history:?}");
                if let Some(answer) = &first {
                    assert!(answer.is_ok(), "{history:?}: {answer:?}");
                    assert!(shelf.merchant().providers.contains_key(&provider_id(11)), "{history:?}");
                }
                shelf.foresee(second.map(|fate| (2, fate)));
                let _ = poll_once(make(&shelf, &adding(12)));
                shelf.check_trail(&history);
                block_on(make(&shelf, &adding(13))).expect("an undisturbed change");
                shelf.check_trail(&history);
                histories += 1;
                if is_over {
                    break;
                }
            }
        }
    }
    assert!(histories > FATES.len() * 3 * 4, "{histories} histories");
}

#[test]
fn what_was_written_and_not_acknowledged_is_done_once_even_if_others_went_on() {
    let change = Change::AddKey(key_id(5), listed(5, &[Scope::Read]));
    // Read, the entry of what was found, the merchant: this is the call that fails.
    let shelf = Shelf::with(&shop());
    shelf.foresee(Some((1, Fate::FailsAfter)));
    let after = block_on(make(&shelf, &change)).expect("it is done");
    assert_eq!(after.version, 2);
    assert_eq!(shelf.merchant(), after);
    // As if others had written upon what is not known to have been written.
    let again = block_on(async {
        shelf.overtake().await;
        shelf.registry().change(shop(), |merchant, now| merchant.after(&change, now, BY)).await
    });
    assert_eq!(again.expect("it is there").version, 3, "nothing was added");
}

#[test]
fn a_change_is_put_to_what_others_wrote_and_refused_where_that_forbids_it() {
    let shelf = Shelf::with(&shop());
    let stale = shop();
    block_on(make(&shelf, &adding(11))).expect("a change");
    let same_name = Change::AddProvider(provider_id(12), provider("p11"));
    let late = block_on(shelf.registry().change(stale, |merchant, now| merchant.after(&same_name, now, BY)));
    assert!(matches!(late, Err(Hindered::Refused(Refused::Taken(_)))), "{late:?}");
    shelf.check_trail(&"refused");
}

#[test]
fn whoever_is_always_overtaken_gives_up() {
    struct Rival<'a>(&'a Shelf);
    impl Store for Rival<'_> {
        fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
            self.0.read(key)
        }
        fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
            Box::pin(async move {
                if let Expected::Version(_) = expected {
                    self.0.overtake().await;
                }
                self.0.write(item, expected).await
            })
        }
    }
    let shelf = Shelf::with(&shop());
    let rival = Rival(&shelf);
    let registry = Registry { store: &rival, ..shelf.registry() };
    let change = adding(11);
    let tried = block_on(registry.change(shop(), |merchant, now| merchant.after(&change, now, BY)));
    assert!(matches!(tried, Err(Hindered::Fault(Fault::Busy))), "{tried:?}");
    assert_eq!(shelf.merchant().version, 1 + u64::try_from(ATTEMPTS).expect("few"));
    shelf.check_trail(&"busy");
}

#[test]
fn a_store_that_stays_down_is_a_fault_and_not_a_refusal() {
    let shelf = Shelf::with(&shop());
    shelf.foresee(Some((0, Fate::Fails)));
    let registry = Registry { deadline: START, ..shelf.registry() };
    let read = block_on(registry.merchant(&shop().id));
    assert!(matches!(read, Err(Fault::Store(_))), "{read:?}");
}

#[test]
fn a_merchant_that_is_made_twice_is_made_once() {
    let shelf = Shelf::with(&shop());
    let id = MerchantId::from_random([9; 16]);
    let change = LastChange {
        at: START,
        by: BY,
        action: "merchant.created".to_owned(),
        subject: id.into(),
        description: String::new(),
    };
    let merchant = Merchant::new(id, "New").signed(0, change);
    for made in [true, true] {
        assert_eq!(block_on(shelf.registry().make(&merchant)).expect("a store"), made);
    }
    let other = Merchant { name: "Other".to_owned(), ..merchant.clone() };
    assert!(!block_on(shelf.registry().make(&other)).expect("a store"));
    let trail = block_on(shelf.registry().trail(&merchant, None, 10)).expect("a trail");
    assert_eq!((trail.entries.len(), trail.before), (1, None));
}

#[test]
fn versions_of_which_nobody_said_anything_are_passed_over() {
    let shelf = Shelf::with(&Merchant { version: 40, ..shop() });
    block_on(make(&shelf, &adding(11))).expect("a change");
    let merchant = shelf.merchant();
    assert_eq!(merchant.version, 41);
    let before = shelf.memory.meter().reads;
    let page = block_on(shelf.registry().trail(&merchant, None, 10)).expect("a trail");
    assert_eq!(shelf.memory.meter().reads - before, 10, "never more than was asked for");
    assert_eq!((page.entries.len(), page.before), (1, Some(32)));
    let rest = block_on(shelf.registry().trail(&merchant, Some(32), 50)).expect("a trail");
    assert_eq!((rest.entries.len(), rest.before), (0, None));
    for beyond in [0, 1] {
        let nothing = block_on(shelf.registry().trail(&merchant, Some(beyond), 50)).expect("a trail");
        assert_eq!((nothing.entries.len(), nothing.before), (0, None));
    }
}

#[test]
fn what_a_merchant_has_in_all_is_limited() {
    let shelf = Shelf::with(&shop());
    let mut large = shop();
    for seed in 2..=255_u8 {
        let comments = Some("x".repeat(1_000));
        large.providers.insert(ProviderId::from_random([seed; 16]), Provider { comments, ..provider("P") });
    }
    large.version = 2;
    let tried = block_on(shelf.registry().change(shop(), |_, _| Ok(large.clone())));
    assert!(matches!(tried, Err(Hindered::Refused(Refused::TooLarge { .. }))), "{tried:?}");
}

#[test]
fn where_gateways_listen_is_remembered_once() {
    let shelf = Shelf::with(&shop());
    let urls = || {
        let item = block_on(shelf.registry().read(ORIGINS_KEY)).expect("a store").expect("an item");
        (item.number(VERSION), crate::stored::merchant::decode_origins(item).expect("origins"))
    };
    for (origin, version) in [("https://a", 1), ("https://b", 2), ("https://b", 2), ("https://a", 3)] {
        block_on(shelf.registry().remember_origin(origin)).expect("a store");
        assert_eq!(urls().0, Some(version), "{origin}");
    }
    assert_eq!(urls().1, ["https://b", "https://a"]);
}

#[test]
fn the_same_key_again_makes_no_entry() {
    let shelf = Shelf::with(&shop());
    let change = Change::AddProvider(provider_id(5), Provider { made: made("a", "1"), ..provider("P") });
    for _ in 0..3 {
        assert_eq!(block_on(make(&shelf, &change)).expect("it is there").version, 2);
    }
    shelf.check_trail(&"again");
}

#[test]
fn a_provider_leads_to_the_merchant_that_pointed_it_first_and_to_no_other() {
    let shelf = Shelf::with(&shop());
    let point = |merchant| block_on(shelf.registry().point_provider(provider_id(1), merchant));
    assert!(point(shop().id).is_ok());
    assert!(point(shop().id).is_ok(), "it is there already");
    let other = MerchantId::from_random([9; 16]);
    assert!(point(other).is_err_and(|fault| matches!(fault, Fault::SetUp(_))));
    let found = block_on(shelf.registry().read(&provider_key(&provider_id(1)))).expect("memory").expect("a pointer");
    assert_eq!(decode_provider_pointer(found), Ok(shop().id));
}
