//! The scheme's own library is the oracle; then whatever can be changed is.

use super::*;

const ID_OF_EVENT: &str = "evt_2Y3z8w0Q";
const NOW: i64 = 1_700_000_000;
const BODY: &[u8] = "{\"type\":\"payment.succeeded\",\"data\":{\"name\":\"Zoë\"}}".as_bytes();

/// What stands in the specification and in the tests of its libraries.
const PUBLISHED: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn secret(byte: u8) -> Secret {
    Secret::new(format!("{SECRET_PREFIX}{}", BASE64.encode(&[byte; 32])))
}

fn signed(secrets: &[Secret]) -> String {
    sign(ID_OF_EVENT, NOW, BODY, secrets).expect("a signature")
}

fn check(id: &str, timestamp: &str, body: &[u8], signature: &str, secrets: &[Secret]) -> Result<(), Doubt> {
    verify(Headers { id, timestamp, signature }, body, secrets, Timestamp::from_millis(NOW * 1000))
}

/// All texts that differ from this one in one bit and are still texts.
fn flipped(text: &str) -> impl Iterator<Item = String> {
    (0..text.len() * 8).filter_map(|bit| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        String::from_utf8(bytes).ok()
    })
}

#[test]
fn it_signs_as_the_schemes_own_library_does() {
    let longest = "x".repeat(70_000);
    let bodies = ["", "{}", "a.b", longest.as_str(), str::from_utf8(BODY).expect("a text")];
    for (place, body) in bodies.iter().enumerate() {
        for text in [PUBLISHED, secret(7).reveal(), "whsec_AA==", secret(0).reveal()] {
            let theirs = standardwebhooks::Webhook::new(text).expect("a secret");
            let id = format!("evt_{place}");
            let expected = theirs.sign(&id, NOW, body.as_bytes()).expect("a signature");
            assert_eq!(sign(&id, NOW, body.as_bytes(), &[Secret::new(text.to_owned())]), Some(expected));
        }
    }
}

/// The vector of the reference libraries' tests.
#[test]
fn it_signs_as_published() {
    let secrets = [Secret::new(PUBLISHED.to_owned())];
    let header = sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}", &secrets);
    assert_eq!(header.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
}

#[test]
fn while_one_secret_replaces_another_both_sign_and_the_newest_first() {
    let both = signed(&[secret(2), secret(1)]);
    assert_eq!(both, format!("{} {}", signed(&[secret(2)]), signed(&[secret(1)])));
    let now = NOW.to_string();
    for known in [1, 2] {
        assert_eq!(check(ID_OF_EVENT, &now, BODY, &both, &[secret(known)]), Ok(()));
    }
    assert_eq!(check(ID_OF_EVENT, &now, BODY, &both, &[secret(3)]), Err(Doubt::Forged));
    assert_eq!(check(ID_OF_EVENT, &now, BODY, &signed(&[secret(1)]), &[secret(3), secret(1)]), Ok(()));
    let later = format!("v1a,AAAA v2,AAAA {}", signed(&[secret(1)]));
    assert_eq!(check(ID_OF_EVENT, &now, BODY, &later, &[secret(1)]), Ok(()), "versions to come are passed over");
}

#[test]
fn a_delivery_with_one_bit_changed_is_forged() {
    let secrets = [secret(9)];
    let (now, signature) = (NOW.to_string(), signed(&secrets));
    assert_eq!(check(ID_OF_EVENT, &now, BODY, &signature, &secrets), Ok(()));
    let forged = Err(Doubt::Forged);
    for id in flipped(ID_OF_EVENT) {
        assert_eq!(check(&id, &now, BODY, &signature, &secrets), forged, "{id}");
    }
    for timestamp in flipped(&now) {
        assert_eq!(check(ID_OF_EVENT, &timestamp, BODY, &signature, &secrets), forged, "{timestamp}");
    }
    for bit in 0..BODY.len() * 8 {
        let mut body = BODY.to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(check(ID_OF_EVENT, &now, &body, &signature, &secrets), forged, "bit {bit} of the body");
    }
    for signature in flipped(&signature) {
        assert_eq!(check(ID_OF_EVENT, &now, BODY, &signature, &secrets), forged, "{signature}");
    }
    for bit in 0..32 * 8 {
        let mut key = [9; 32];
        key[bit / 8] ^= 1 << (bit % 8);
        let other = Secret::new(format!("{SECRET_PREFIX}{}", BASE64.encode(&key)));
        assert_eq!(check(ID_OF_EVENT, &now, BODY, &signature, &[other]), forged, "bit {bit} of the key");
    }
}

#[test]
fn a_delivery_that_is_moved_or_cut_is_forged() {
    let secrets = [secret(9)];
    let (now, signature) = (NOW.to_string(), signed(&secrets));
    let rows = [
        ("", now.as_str(), BODY, signature.as_str()),
        (ID_OF_EVENT, "", BODY, &signature),
        (ID_OF_EVENT, "0x6553f100", BODY, &signature),
        (ID_OF_EVENT, "+1700000000", BODY, &signature),
        (ID_OF_EVENT, "01700000000", BODY, &signature),
        (ID_OF_EVENT, &now, b"", &signature),
        (ID_OF_EVENT, &now, &BODY[1..], &signature),
        (ID_OF_EVENT, &now, BODY, ""),
        (ID_OF_EVENT, &now, BODY, "v1,"),
        (ID_OF_EVENT, &now, BODY, &signature[3..]),
        (ID_OF_EVENT, &now, BODY, &signature[..20]),
        (ID_OF_EVENT, &now, BODY, &signature.replace("v1,", "v2,")),
    ];
    for (id, timestamp, body, signature) in rows {
        assert_eq!(check(id, timestamp, body, signature, &secrets), Err(Doubt::Forged), "{timestamp} {signature}");
    }
}

#[test]
fn a_delivery_is_taken_for_five_minutes() {
    let secrets = [secret(9)];
    let rows = [(0, Ok(())), (300, Ok(())), (-300, Ok(())), (301, Err(Doubt::Stale)), (-301, Err(Doubt::Stale))];
    for (ahead, expected) in rows {
        let header = sign(ID_OF_EVENT, NOW + ahead, BODY, &secrets).expect("a signature");
        assert_eq!(check(ID_OF_EVENT, &(NOW + ahead).to_string(), BODY, &header, &secrets), expected, "{ahead}");
    }
}

#[test]
fn what_is_no_secret_of_ours_signs_nothing() {
    for text in ["", "whsec_", "whsec_!!!!", "whsec_AAA", "sk_AAAA", "AAAA"] {
        let bad = || Secret::new(text.to_owned());
        assert_eq!(sign(ID_OF_EVENT, NOW, BODY, &[bad()]), None, "{text}");
        assert_eq!(sign(ID_OF_EVENT, NOW, BODY, &[secret(1), bad()]), None, "{text}");
        let anybody = format!("{VERSION}{}", BASE64.encode(&mac(b"", &[b"evt.1700000000.", BODY])));
        assert_eq!(check("evt", &NOW.to_string(), BODY, &anybody, &[bad()]), Err(Doubt::Forged), "{text}");
    }
    assert_eq!(sign(ID_OF_EVENT, NOW, BODY, &[]), None);
}
