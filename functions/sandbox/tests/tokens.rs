//! Tokens: who is given one, what it carries, and where it is known.

use super::super::{SETTLEMENT_MS, SLOW_MS, TABLE, card_number};
use super::*;

const TOKENS: &str = "/keyed/tokens";

/// A card that is to be tokenized.
fn of_card(reference: &str, number: &str) -> Value {
    json!({"reference": reference, "card": card(number)})
}

/// A bank account that is to be tokenized.
fn of_account(reference: &str, number: &str) -> Value {
    let account = json!({"number": number, "bankCode": "021000021", "type": "Checking", "holder": "A B"});
    json!({"reference": reference, "bankAccount": account})
}

/// A sale of 10.00 with a method.
fn by_method(reference: &str, method: &str) -> Value {
    with(part(reference, 1000), "method", json!(method))
}

fn token(reaction: &Reaction) -> String {
    body(reaction)["token"].as_str().expect("a token").to_owned()
}

/// Tokenizes something that must be approved.
fn tokenized(world: &mut World, path: &str, order: &Value) -> String {
    let reaction = world.post(path, order);
    assert_eq!(seen(&reaction), says("approved", "00"), "POST {path}");
    token(&reaction)
}

#[test]
fn a_token_is_answered_like_an_operation_and_looked_up_with_who_saved_it() {
    let mut world = World::new();
    // Of `printf 'keyed/SF1000001' | sha256sum` and `look-up/SF1000002`.
    let rows = [
        (TOKENS, of_card("t", CARD), "SF1000001", "tok_0000_a88cf39670e8452d9d5c09d4715f85f4"),
        ("/look-up/tokens", of_account("t", "DE9013"), "SF1000002", "tok_9013_4fc5ca9d2e411864d1b1b9975672d099"),
    ];
    for (path, order, id, token) in rows {
        let answered = world.post(path, &order);
        let told = json!({
            "id": id,
            "reference": "t",
            "status": "approved",
            "code": "00",
            "message": "Transaction Normal",
            "date": "2026-08-01T00:00:00.000Z",
            "token": token,
        });
        assert_eq!(body(&answered), told);
        let look_up = path.replace("tokens", "operations?reference=t");
        assert_eq!(world.get(&look_up), json!({"operations": [told]}));
    }
    world.post(TOKENS, &with(of_card("s", CARD), "savedByMerchant", json!(true)));
    world.post(TOKENS, &with(of_card("s", CARD), "savedByMerchant", json!(false)));
    let found = world.get("/keyed/operations?reference=s");
    assert_eq!(found["operations"][0]["savedByMerchant"], json!(true));
    assert_eq!(found["operations"][1]["savedByMerchant"], Value::Null);
}

#[test]
fn a_wrong_member_of_a_token_is_named() {
    let of_number = |number: Value| with(json!({"reference": "t"}), "bankAccount", json!({"number": number}));
    let rows = [
        (json!({"card": card(CARD)}), "reference is missing"),
        (json!({"reference": "t"}), "exactly one of card and bankAccount"),
        (json!({"reference": "t", "method": "03O000000000000"}), "exactly one of card and bankAccount"),
        (with(of_card("t", CARD), "bankAccount", json!({"number": "1234"})), "exactly one of card and bankAccount"),
        (with(of_card("t", CARD), "savedByMerchant", json!("true")), "savedByMerchant must be"),
        (json!({"reference": "t", "card": {"number": CARD}}), "card.expiryMonth is missing"),
        (json!({"reference": "t", "bankAccount": "1234"}), "bankAccount must be an object"),
        (of_number(Value::Null), "bankAccount.number is missing"),
        (of_number(json!(1234)), "bankAccount.number must be a string"),
        (of_number(json!("123")), "bankAccount.number must have"),
        (of_number(json!("A".repeat(35))), "bankAccount.number must have"),
        (of_number(json!("DE 1234")), "bankAccount.number must have"),
        (of_number(json!("de1234")), "bankAccount.number must have"),
        (with(of_card("t", CARD), "card", json!([])), "card must be an object"),
    ];
    for (order, says) in rows {
        let mut world = World::new();
        let reaction = world.post(TOKENS, &order);
        assert_eq!(seen(&reaction), error(400, "invalid_request"), "{says}");
        let message = body(&reaction)["message"].to_string();
        assert!(message.contains(says), "{message} should say {says}");
        assert_eq!(world.records, []);
    }
    for name in ["bankCode", "type", "holder"] {
        let mut order = of_account("t", "1234");
        order["bankAccount"][name] = json!(1);
        let message = body(&World::new().post(TOKENS, &order))["message"].to_string();
        assert!(message.contains(&format!("bankAccount.{name} must be a string")), "{message}");
    }
    for length in [4, 34] {
        tokenized(&mut World::new(), TOKENS, &of_number(json!("A".repeat(length))));
    }
}

#[test]
fn only_wrong_data_are_declined_at_once_and_every_other_code_is_carried() {
    for row in &TABLE {
        for order in [of_card("t", &card_number(row.code)), of_account("t", &format!("DE00{:04}", row.code))] {
            let mut world = World::new();
            let reaction = world.post("/none/tokens", &order);
            assert_eq!((reaction.delivery, reaction.delay_ms), (Delivery::Answered, 0), "{}", row.code);
            match row.code {
                9004 => assert_eq!(seen(&reaction), says("declined", "54")),
                9007 => assert_eq!(seen(&reaction), says("declined", "14")),
                9026 | 9027 => assert_eq!(seen(&reaction), says("accepted", "09")),
                code => {
                    assert_eq!(seen(&reaction), says("approved", "00"), "{code}");
                    assert!(token(&reaction).starts_with(&format!("tok_{code:04}_")), "{code}");
                    continue;
                }
            }
            assert_eq!(body(&reaction)["token"], Value::Null, "{}", row.code);
        }
    }
}

#[test]
fn a_number_without_a_code_is_carried_as_no_magic() {
    let no_card = World::new().post(TOKENS, &of_card("t", "4242424242424241"));
    assert_eq!(seen(&no_card), says("declined", "14"));
    for order in [of_card("t", CARD), of_account("t", "1234"), of_account("t", "9008"), of_account("t", "9013A")] {
        let mut world = World::new();
        let token = tokenized(&mut world, TOKENS, &order);
        assert!(token.starts_with("tok_0000_"), "{token}");
        // Then it is the amount's turn.
        let sale = with(by_method("s", &token), "amount", json!(9001));
        assert_eq!(seen(&world.post("/keyed/sales", &sale)), says("declined", "05"));
    }
}

#[test]
fn what_a_token_carries_strikes_when_it_is_used_as_its_card_does() {
    for row in TABLE.iter().filter(|row| ![9004, 9007, 9026, 9027].contains(&row.code)) {
        for path in ["/none/authorizations", "/none/sales"] {
            let (mut tokens, mut cards) = (World::new(), World::new());
            let number = card_number(row.code);
            let token = tokenized(&mut tokens, "/none/tokens", &of_card("t", &number));
            for delivery in 1..=2 {
                let by_token = tokens.post(path, &by_method("s", &token));
                let by_card = cards.post(path, &with(order("s"), "card", card(&number)));
                let place = format!("delivery {delivery} of {} by {path}", row.name);
                assert_eq!(seen(&by_token), seen(&by_card), "{place}");
                assert_eq!(by_token.delay_ms, by_card.delay_ms, "{place}");
                assert_eq!(tokens.moved(), cards.moved(), "{place}");
            }
        }
    }
}

#[test]
fn a_token_is_known_in_its_class_alone() {
    let mut world = World::new();
    let known = tokenized(&mut world, TOKENS, &of_card("t", CARD));
    let hash = known.rsplit('_').next().expect("a hash");
    let rows = [
        ("/keyed/sales", known.clone(), "00"),
        ("/keyed/authorizations", known.clone(), "00"),
        ("/look-up/sales", known.clone(), "14"),
        ("/none/authorizations", known.clone(), "14"),
        ("/keyed/sales", format!("tok_9001_{hash}"), "14"),
        ("/keyed/sales", format!("tok_0000_{}", "0".repeat(32)), "14"),
        ("/keyed/sales", known.to_uppercase(), "14"),
        ("/keyed/sales", known.clone() + "AAA", "14"),
        ("/keyed/sales", "tok_".to_owned(), "14"),
    ];
    for (path, method, code) in rows {
        let reaction = world.post(path, &by_method("s", &method));
        assert_eq!(body(&reaction)["code"], json!(code), "{path} {method}");
        let message = if code == "14" { "Unknown Payment Method" } else { "Transaction Normal" };
        assert_eq!(body(&reaction)["message"], json!(message), "{path} {method}");
    }
}

#[test]
fn a_token_moves_no_money_and_nothing_acts_on_it() {
    for (class, key) in [("keyed", "k"), ("look-up", "k"), ("timeout-reversal", "k"), ("none", "k")] {
        let mut world = World::new();
        let reaction = world.post_under_key(key, &format!("/{class}/tokens"), &of_card("t", CARD));
        let id = id(&reaction);
        assert_eq!(world.moved(), [""; 0], "{class}");
        assert_eq!(world.get("/ledger?reference=t"), json!({"effects": []}), "{class}");
        for path in [format!("authorizations/{id}/captures"), format!("payments/{id}/refunds")] {
            let acted = world.post(&format!("/{class}/{path}"), &part("p", 1));
            assert_eq!(seen(&acted), error(404, "unknown_id"), "{class} {path}");
        }
        world.approved(&format!("/{class}/sales"), &by_method("s", &token(&reaction)));
        assert_eq!(world.moved(), ["sale s"], "{class}");
    }
}

#[test]
fn the_same_key_is_given_the_same_token_once_and_nothing_else() {
    let order = || of_card("t", CARD);
    let another_account = with(of_account("t", "1234"), "bankAccount", json!({"number": "1235"}));
    let same_last_four = with(of_account("t", "1234"), "bankAccount", {
        json!({"number": "991234", "bankCode": "021000021", "type": "Checking", "holder": "A B"})
    });
    let another_holder = with(of_account("t", "1234"), "bankAccount", {
        json!({"number": "1234", "bankCode": "021000021", "type": "Checking", "holder": "C D"})
    });
    let rows = [
        (order(), TOKENS, order(), true),
        (of_account("t", "1234"), TOKENS, of_account("t", "1234"), true),
        (of_account("t", "1234"), TOKENS, same_last_four, true),
        (of_account("t", "1234"), TOKENS, another_account, false),
        (of_account("t", "1234"), TOKENS, another_holder, false),
        (order(), TOKENS, of_account("t", "4242"), false),
        (order(), TOKENS, of_card("t", "4111111111111111"), false),
        (order(), TOKENS, of_card("u", CARD), false),
        (order(), TOKENS, with(order(), "savedByMerchant", json!(true)), false),
        (order(), "/keyed/sales", super::order("t"), false),
    ];
    for (first, path, second, same) in rows {
        let mut world = World::new();
        let given = world.post_under_key("k", TOKENS, &first);
        let again = world.post_under_key("k", path, &second);
        if same {
            assert_eq!(again.answer, given.answer, "{second}");
        } else {
            assert_eq!(seen(&again), error(422, "key_reused"), "{second}");
        }
        assert_eq!(world.records.len(), 1, "{second}");
    }
    let mut world = World::new();
    let mut unkeyed = || tokenized(&mut world, "/none/tokens", &order());
    assert_ne!(unkeyed(), unkeyed());
}

#[test]
fn how_a_sale_was_asked_for_belongs_to_its_key() {
    let plain = order("s");
    for (name, value) in [("methodType", json!("Visa")), ("merchantInitiated", json!(true))] {
        let mut world = World::new();
        world.post_under_key("k", "/keyed/sales", &plain);
        let other = world.post_under_key("k", "/keyed/sales", &with(plain.clone(), name, value));
        assert_eq!(seen(&other), error(422, "key_reused"), "{name}");
    }
}

#[test]
fn scripted_faults_strike_tokenizations_and_their_keys_heal_them() {
    let rows = [
        ("lost-request", Seen::Closed),
        ("lost-answer", Seen::Closed),
        ("error-before", error(500, "internal_error")),
        ("error-after", error(500, "internal_error")),
        ("too-many-requests", error(429, "too_many_requests")),
        ("malformed-body", Seen::Garbled),
        ("silence", Seen::Silent),
    ];
    for (fault, expected) in rows {
        let mut world = World::new();
        world.post("/faults", &json!({"next": [{"fault": fault, "kind": "tokenize"}]}));
        world.approved("/keyed/sales", &order("s"));
        let mut send = || world.post_under_key("k", TOKENS, &of_card("t", CARD));
        assert_eq!(seen(&send()), expected, "{fault}");
        let healed = send();
        assert_eq!(seen(&healed), says("approved", "00"), "{fault}");
        assert_eq!(send().answer, healed.answer, "{fault}");
        world.approved("/keyed/sales", &by_method("u", &token(&healed)));
    }
    let mut world = World::new();
    world.post("/faults", &json!({"next": [{"fault": "decline", "kind": "tokenize"}, {"fault": "approve"}]}));
    let declined = world.post(TOKENS, &of_card("t", CARD));
    assert_eq!((seen(&declined), &body(&declined)["token"]), (says("declined", "05"), &Value::Null));
    let approved = tokenized(&mut world, TOKENS, &of_card("u", &card_number(9004)));
    let used = world.post("/keyed/sales", &by_method("s", &approved));
    assert_eq!(seen(&used), says("declined", "54"));
}

#[test]
fn a_token_is_in_progress_until_its_slow_answer_leaves() {
    let mut world = World::new();
    world.post("/faults", &json!({"next": [{"fault": "slow"}]}));
    let mut send = |after_ms: u64| {
        world.now_ms = START_MS.saturating_add_unsigned(after_ms);
        seen(&world.post_under_key("k", TOKENS, &of_card("t", CARD)))
    };
    assert_eq!(send(0), says("approved", "00"));
    assert_eq!(send(SLOW_MS - 1), error(409, "in_progress"));
    assert_eq!(send(SLOW_MS), says("approved", "00"));
}

#[test]
fn an_accepted_token_is_given_out_when_it_is_approved() {
    let scripted = |fault: &str| json!({"next": [{"fault": fault}]});
    let rows = [
        (scripted("accepted-then-approved"), of_card("t", CARD), true, 0),
        (scripted("accepted-then-declined"), of_card("t", CARD), false, 0),
        (scripted("accepted-then-failed"), of_card("t", CARD), true, 0),
        (scripted("token-accepted"), of_account("t", "1234"), true, 0),
        (scripted("token-refused"), of_account("t", "1234"), false, 0),
        (json!({"next": []}), of_card("t", &card_number(9026)), true, 9026),
        (json!({"next": []}), of_account("t", "DE009026"), true, 9026),
        (json!({"next": []}), of_card("t", &card_number(9027)), false, 9027),
    ];
    for (fault, order, is_given, carried) in rows {
        let mut world = World::new();
        world.post("/faults", &fault);
        let accepted = world.post(TOKENS, &order);
        assert_eq!((seen(&accepted), &body(&accepted)["token"]), (says("accepted", "09"), &Value::Null));
        let mut token_at = |now_ms: i64| {
            world.now_ms = now_ms;
            world.get("/keyed/operations?reference=t")["operations"][0]["token"].clone()
        };
        let settled_ms = START_MS.saturating_add_unsigned(SETTLEMENT_MS);
        assert_eq!(token_at(settled_ms - 1), Value::Null, "{fault}");
        let token = token_at(settled_ms);
        assert_eq!(token.is_string(), is_given, "{fault}");
        let known = format!("tok_{carried:04}_a88cf39670e8452d9d5c09d4715f85f4");
        for (now_ms, is_known) in [(settled_ms - 1, false), (settled_ms, is_given)] {
            world.now_ms = now_ms;
            let sale = world.post("/keyed/sales", &by_method("s", &known));
            let code = if is_known { "00" } else { "14" };
            assert_eq!(body(&sale)["code"], json!(code), "{fault} {now_ms}");
        }
    }
}

#[test]
fn a_timeout_reversal_undoes_a_token() {
    let (tokens, sales) = ("/timeout-reversal/tokens", "/timeout-reversal/sales");
    let reversal = |reference: &str| json!({"reference": reference});
    let mut world = World::new();
    let token = tokenized(&mut world, tokens, &of_card("t", CARD));
    world.approved(sales, &by_method("before", &token));
    let reversed = world.post("/timeout-reversal/timeout-reversals", &reversal("t"));
    assert_eq!(seen(&reversed), says("reversed", "00"));
    let after = world.post(sales, &by_method("after", &token));
    assert_eq!(seen(&after), says("declined", "14"));
    let late = world.post(tokens, &of_card("t", CARD));
    assert_eq!((seen(&late), &body(&late)["token"]), (says("declined", "12"), &Value::Null));
    let voided: Vec<bool> = world.effects().iter().map(|effect| effect["voided"] == json!(true)).collect();
    assert_eq!(voided, [false], "what was sold with the token stands");
}
