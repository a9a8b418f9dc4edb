//! Signatures computed by python-keystoneclient 5.8, whose verifier Python Keystone uses.

use serde_json::{Value, json};

use super::*;

const SECRET: &str = "1ebf51ebf09a45bd8a11e9ac39b8ea13";

/// 2033-05-18T03:33:20Z.
const NOW: i64 = 2_000_000_000;

fn check(mut request: Value, signature: &str, now: i64) -> Result<(), Fault> {
    request["signature"] = signature.into();
    let Value::Object(shown) = request else {
        panic!("no object")
    };
    verify(&shown, &SECRET.into(), now, 900)
}

/// That the signature is the request's, and no longer when the request or its time is another.
fn holds(request: &Value, signature: &str, changed: &str) {
    assert_eq!(check(request.clone(), signature, NOW), Ok(()));
    assert_eq!(
        check(request.clone(), signature, NOW + 901),
        Err(Fault::OutOfTime)
    );
    assert_eq!(
        check(request.clone(), signature, NOW - 901),
        Err(Fault::OutOfTime)
    );
    assert_eq!(
        check(
            request.clone(),
            &signature.to_lowercase().replace('a', "b"),
            NOW
        ),
        Err(Fault::Mismatch)
    );
    let mut other = request.clone();
    *other.pointer_mut(changed).unwrap() = "another".into();
    assert_ne!(check(other, signature, NOW), Ok(()));
}

fn version_4() -> Value {
    json!({
        "params": {"Action": "ListUsers", "Version": "2010-05-08"},
        "verb": "post", "host": "ec2.example:8773", "path": "/",
        "headers": {
            "Host": "ec2.example:8773",
            "X-Amz-Date": "20330518T033320Z",
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": "aws",
            "Authorization": "AWS4-HMAC-SHA256 Credential=k/20330518/us-east-1/ec2/aws4_request,\
                              SignedHeaders=content-type;host;x-amz-date;absent,Signature=x",
        },
        "body_hash": "b6359072c78d70ebee1e81adcbab4f01bf2c23245fa365ef83fe8f1f955085e2",
    })
}

#[test]
fn version_0_signs_action_and_time() {
    let request = json!({"params": {
        "SignatureVersion": "0", "Action": "DescribeInstances", "Timestamp": "2033-05-18T03:33:20Z",
    }});
    holds(&request, "vJwOvLigooyvPkte9thpvB6Qn2E=", "/params/Action");
}

#[test]
fn version_1_signs_all_parameters_in_the_order_of_their_names() {
    let request = json!({"params": {
        "SignatureVersion": "1", "Timestamp": "2033-05-18T03:33:20Z", "action": "x y", "Zeta": 7, "beta": "é",
        "AWSAccessKeyId": "k",
    }});
    holds(&request, "EzOSIg3H/5I9RJN5IvWeJK5K10s=", "/params/beta");
}

#[test]
fn version_2_signs_the_request_and_the_host_with_or_without_its_port() {
    let request = json!({
        "params": {
            "SignatureVersion": "2", "Timestamp": "2033-05-18T03:33:20Z", "Action": "a b/c~d*",
            "SignatureMethod": "HmacSHA1", "Empty": "", "Uni": "é",
        },
        "verb": "GET", "host": "Cloud.example:8773", "path": "/services/Cloud/",
    });
    holds(
        &request,
        "1bhetwOLh5VEpWXqh4XeKbxTUV9B/52a49P+zX/S/TU=",
        "/path",
    );
    holds(
        &request,
        "X9PvKr2GXEDmRUqcF1vTSaNYhruoca++pt7ihk9Wm10=",
        "/verb",
    );
}

#[test]
fn version_4_signs_headers_and_body_and_for_get_the_query() {
    holds(
        &version_4(),
        "9068ac15c437342fb3d377b17e48e3fa05ba972a1a8eb824e39db30030fe8848",
        "/body_hash",
    );
    let mut get = version_4();
    get["verb"] = "GET".into();
    holds(
        &get,
        "e113cb2824989c891600de99efdf4979e9c02cc95e7fafe1de4f04407f89143e",
        "/params/Action",
    );
    let mut boto = version_4();
    boto["headers"]["User-Agent"] = "Boto/2.9.2 (x)".into();
    holds(
        &boto,
        "1fc289a5cd6126657f21ac160bc5c529888235c14d5b49339a9a9ec58cd2ca14",
        "/headers/Host",
    );
    let query = json!({
        "params": {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Date": "20330518T033320Z", "X-Amz-SignedHeaders": "host",
            "X-Amz-Credential": "k/20330518/us-east-1/ec2/aws4_request", "Action": "D",
        },
        "verb": "GET", "host": "h", "path": "/", "headers": {"Host": "h"},
        "body_hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    });
    holds(
        &query,
        "a4f7c93657777c86645abb317d8a45790cf8c3041e035f5e3bab759fbd75d332",
        "/params/X-Amz-Date",
    );
}

/// A time that was not signed, and that Keystone would go by, does not make an old request young.
#[test]
fn only_a_time_that_was_signed_counts() {
    let signature = "9068ac15c437342fb3d377b17e48e3fa05ba972a1a8eb824e39db30030fe8848";
    let mut request = version_4();
    request["params"]["Timestamp"] = "2033-06-18T03:33:20Z".into();
    assert_eq!(check(request.clone(), signature, NOW), Ok(()));
    assert_eq!(
        check(request, signature, NOW + 31 * 86_400),
        Err(Fault::OutOfTime)
    );

    let timeless = json!({"params": {"SignatureVersion": "1", "Action": "x"}});
    let good = Request {
        shown: &Shown::new(),
        params: timeless["params"].as_object().unwrap(),
        host: None,
    };
    let signature = good.version_1(&SECRET.into());
    assert_eq!(check(timeless, &signature, NOW), Err(Fault::Timeless));
}

#[test]
fn a_request_that_does_not_say_what_was_signed_is_refused() {
    for request in [
        json!({}),
        json!({"params": {}}),
        json!({"params": {"SignatureVersion": "2"}}),
        json!({"params": {"SignatureVersion": "3", "Timestamp": "2033-05-18T03:33:20Z"}}),
        json!({"params": {}, "headers": {"Authorization": "AWS4-HMAC-SHA256"}, "verb": "GET", "path": "/", "body_hash": ""}),
        json!({"params": [], "headers": 7}),
    ] {
        assert!(check(request.clone(), "", NOW).is_err(), "{request}");
        assert!(check(request.clone(), "x", NOW).is_err(), "{request}");
    }
}
