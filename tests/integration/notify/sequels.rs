//! What comes after a verdict changes what is left and what is shown, once, in whatever order it comes.

use serde_json::{Value, json};

use super::{TAKEN, Told, dispute, failed, operation};

/// What a refund of everything would give, and how it is shown.
async fn shown(told: &Told, id: &str) -> Value {
    let read = told.payment(id).await;
    let names = |sequels: &Value| {
        let sequels = sequels.as_array().cloned().unwrap_or_default();
        sequels.iter().map(|sequel| sequel["type"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    json!({
        "status": read["payment"]["status"],
        "refundable": read["payment"]["availableToRefundAmount"],
        "chargedBack": read["payment"]["chargedBackAmount"],
        "failed": read["payment"]["failedAfterSuccess"],
        "sequels": names(&read["operations"][0]["sequels"]),
    })
}

#[tokio::test]
async fn what_did_not_stand_and_what_was_charged_back_cannot_be_refunded() {
    let told = Told::new().await;
    let rows = [
        (vec![vec![]], json!({ "refundable": 100.0, "chargedBack": null, "failed": null, "sequels": [] })),
        (
            vec![vec!["failed"]],
            json!({ "refundable": 0.0, "chargedBack": null, "failed": true, "sequels": ["failed"] }),
        ),
        (
            vec![vec!["opened"]],
            json!({ "refundable": 100.0, "chargedBack": null, "failed": null, "sequels": ["dispute.opened"] }),
        ),
        (
            vec![vec!["opened"], vec!["charged_back"], vec!["charged_back"]],
            json!({
                "refundable": 70.0, "chargedBack": 30.0, "failed": null,
                "sequels": ["dispute.opened", "dispute.charged_back"],
            }),
        ),
        (
            vec![vec!["reversed", "charged_back", "opened"]],
            json!({
                "refundable": 100.0, "chargedBack": null, "failed": null,
                "sequels": ["dispute.reversed", "dispute.charged_back", "dispute.opened"],
            }),
        ),
        (
            vec![vec!["lost", "opened"], vec!["reversed"]],
            json!({
                "refundable": 70.0, "chargedBack": 30.0, "failed": null,
                "sequels": ["dispute.lost", "dispute.opened", "dispute.reversed"],
            }),
        ),
    ];
    for (bodies, mut expected) in rows {
        let sale = told.sale("KEYED", "100").await;
        for stages in &bodies {
            let sequel = |stage: &&str| if *stage == "failed" { failed(&sale) } else { dispute(&sale, stage, 3_000) };
            let items: Vec<Value> = stages.iter().map(sequel).collect();
            let (answer, spent) = told.tell(&items).await;
            assert_eq!(answer.status_code, 200, "{bodies:?}: {}", answer.body);
            assert!(spent.payments.write_units <= 2 * items.len() as u64, "{bodies:?}: {spent:?}");
        }
        expected["status"] = json!("Processed");
        assert_eq!(shown(&told, &sale).await, expected, "{bodies:?}");
        let refund = json!({ "amount": expected["refundable"].as_f64().map(|amount| format!("{}", amount + 0.01)) });
        let (status, heard) = told.ask("POST", &format!("payments/{sale}/refunds"), &refund).await;
        assert_eq!(status, 422, "{bodies:?}: {heard}");
    }
}

#[tokio::test]
async fn a_sequel_before_the_verdict_tells_the_verdict() {
    let told = Told::new().await;
    let sale = told.sale("KEYED", "90.18").await;
    let (answer, _) = told.tell(&[dispute(&sale, "opened", 9_018)]).await;
    Told::hears(&answer, TAKEN, "before the verdict");
    assert_eq!(told.status(&sale).await, "Processed");
    let before = told.payment(&sale).await;
    let (answer, _) = told.tell(&[operation(&sale, "approved")]).await;
    Told::hears(&answer, TAKEN, "the verdict");
    let after = told.payment(&sale).await;
    assert_eq!(
        (&after["payment"]["status"], &after["operations"][0]["sequels"]),
        (&before["payment"]["status"], &before["operations"][0]["sequels"])
    );
}

/// juspay/hyperswitch#14003: the second of two equal notices of a dispute that came at the same moment was answered 500.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hyperswitch_14003_equal_notices_of_a_dispute_at_the_same_moment_are_all_taken_and_are_one_fact() {
    let told = std::sync::Arc::new(Told::new().await);
    for count in [2, 50] {
        let sale = told.sale("KEYED", "100").await;
        let notice = told.signed(&[dispute(&sale, "charged_back", 3_000)]);
        let tellers: Vec<_> = (0..count)
            .map(|_| {
                let (told, notice) = (std::sync::Arc::clone(&told), notice.clone());
                tokio::spawn(async move {
                    told.send(&told.path("KEYED"), notice.body.as_bytes(), &notice.signature).await.0
                })
            })
            .collect();
        for teller in tellers {
            Told::hears(&teller.await.expect("no panic"), TAKEN, &format!("one of {count}"));
        }
        let shown = shown(&told, &sale).await;
        assert_eq!((&shown["sequels"], &shown["chargedBack"]), (&json!(["dispute.charged_back"]), &json!(30.0)));
    }
}
