#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::token::format::OpenError;
use crate::token::format::fixtures::{NOW, key_set, seconds, table, tokens, vectors};

fn receipts() -> Receipts {
    Receipts::new(LiveKeys::fixed(key_set()), table(), 300)
}

fn receipt() -> Receipt {
    Receipt {
        user_id: "1".repeat(32),
        methods: ["totp", "password"].into_iter().collect(),
        expires_at: NOW + 300,
    }
}

#[test]
fn every_receipt_of_python_opens_to_what_python_decodes() {
    let vectors = vectors();
    let good = vectors["receipts"].as_array().unwrap();
    assert_eq!(good.len(), 2);
    for vector in good {
        let opened = receipts().open(vector["receipt"].as_str().unwrap(), NOW);

        let decoded = &vector["decoded"];
        let methods = decoded["methods"].as_array().unwrap().iter();
        let due = OpenedReceipt {
            receipt: Receipt {
                user_id: decoded["user_id"].as_str().unwrap().to_owned(),
                methods: methods.map(|m| m.as_str().unwrap()).collect(),
                expires_at: seconds(&decoded["expires_at"]),
            },
            issued_at: seconds(&decoded["issued_at"]),
        };
        assert_eq!(opened, Ok(due));
    }
}

#[test]
fn b7_a_receipt_ends_with_its_time() {
    let receipts = receipts();
    let text = receipts.seal(&receipt(), NOW).unwrap();

    let last = receipts.open(&text, NOW + 299).unwrap();

    assert_eq!((last.receipt, last.issued_at), (receipt(), NOW));
    assert_eq!(receipts.open(&text, NOW + 300), Err(ReceiptError::Expired));
    assert_eq!(
        receipts.open(&text, NOW - 301),
        Err(ReceiptError::IssuedInFuture)
    );
}

#[test]
fn c1_a_changed_receipt_is_refused() {
    let receipts = receipts();
    let text = receipts.seal(&receipt(), NOW).unwrap();
    for i in 0..text.len() {
        let mut changed = text.clone();
        let other = if &text[i..=i] == "A" { "B" } else { "A" };
        changed.replace_range(i..=i, other);
        assert_eq!(
            receipts.open(&changed, NOW),
            Err(ReceiptError::NotRecognised)
        );
    }
    assert_eq!(
        receipts.open(&format!("{text}="), NOW),
        Err(ReceiptError::NotRecognised)
    );
    assert_eq!(receipts.open("", NOW), Err(ReceiptError::NotRecognised));
}

#[test]
fn a_token_is_no_receipt_and_a_receipt_no_token() {
    let vectors = vectors();
    for vector in vectors["tokens"].as_array().unwrap() {
        let opened = receipts().open(vector["token"].as_str().unwrap(), NOW);
        assert_eq!(
            opened,
            Err(ReceiptError::Malformed("user")),
            "{}",
            vector["name"]
        );
    }

    let text = receipts().seal(&receipt(), NOW).unwrap();
    let error = tokens().open(&text, NOW).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "This is not a recognized Fernet payload version: [True, b'{}']",
            r"\x11".repeat(16)
        )
    );
    assert!(matches!(error, OpenError::UnknownVersion(_)));
}
