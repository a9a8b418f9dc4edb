use tracing_subscriber::layer::SubscriberExt;

use super::collect::Content;
use super::parent::{Sampler, random};
use super::*;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The spans that `work` leaves behind.
fn spans_of(ratio: f64, queue: usize, work: impl FnOnce()) -> (Vec<collect::Finished>, Arc<Stats>) {
    let (sender, mut receiver) = mpsc::channel(queue);
    let stats = Arc::new(Stats::default());
    let collect = Collect::new(ratio, sender, Arc::clone(&stats));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(collect), work);
    let spans = std::iter::from_fn(|| receiver.try_recv().ok()).collect();
    (spans, stats)
}

#[test]
fn a_traceparent_is_read_as_the_w3c_says() {
    let parent = Parent::parse(PARENT).unwrap();

    assert_eq!(parent.trace, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
    assert_eq!(parent.span, 0xb7ad_6b71_6920_3331);
    assert!(parent.sampled);
    assert!(
        !Parent::parse(&PARENT.replace("-01", "-00"))
            .unwrap()
            .sampled
    );
    assert!(
        Parent::parse(&PARENT.replacen("00", "cc", 1)).is_some(),
        "a later version"
    );
}

#[test]
fn a_traceparent_that_is_none_is_ignored() {
    for wrong in [
        "",
        "00",
        &PARENT.to_uppercase(),
        &PARENT.replacen("00", "ff", 1),
        &format!("{PARENT}-more"),
        &format!(" {PARENT}"),
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
    ] {
        assert_eq!(Parent::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_message_is_a_span_below_that_of_its_request() {
    let (spans, _) = spans_of(1.0, 8, || {
        let request = tracing::info_span!("request", request.id = "req-1", trace.parent = PARENT);
        let _entered = request.enter();
        drop(tracing::debug_span!(
            "message",
            provider = "role",
            message = "GetRole"
        ));
    });

    let [message, request] = &spans[..] else {
        panic!("{spans:?}")
    };
    assert_eq!(request.parent, Some(0xb7ad_6b71_6920_3331));
    assert_eq!(message.parent, Some(request.span));
    assert_eq!(message.trace, request.trace);
    assert!(request.is_root && !message.is_root);
    assert_eq!(message.text("keystone.message"), Some("GetRole"));
}

#[test]
fn only_listed_fields_become_attributes() {
    let (spans, _) = spans_of(1.0, 8, || {
        let span = tracing::info_span!(
            "request",
            password = "s3cret",
            token = "gAAAA",
            http.status = tracing::field::Empty
        );
        span.record("http.status", 503);
    });

    let expected = ("http.response.status_code", Content::Number(503));
    assert_eq!(spans[0].attributes, [expected]);
    assert!(spans[0].failed());
}

#[test]
fn what_its_author_does_not_trace_is_not_traced() {
    let unsampled = PARENT.replace("-01", "-00");
    let (spans, _) = spans_of(1.0, 8, || {
        drop(tracing::info_span!("request", trace.parent = unsampled));
        drop(tracing::info_span!("something else"));
    });

    assert!(spans.is_empty(), "{spans:?}");
}

#[test]
fn a_full_queue_drops_spans_and_counts_them() {
    let (spans, stats) = spans_of(1.0, 2, || {
        for _ in 0..5 {
            drop(tracing::info_span!("request"));
        }
    });

    assert_eq!(spans.len(), 2);
    assert_eq!(stats.dropped.load(Ordering::Relaxed), 3);
}

#[test]
fn the_ratio_is_kept_and_all_services_choose_the_same_traces() {
    let (tenth, half) = (Sampler::new(0.1), Sampler::new(0.5));
    let ids: Vec<u128> = (0..10_000)
        .map(|_| (u128::from(random()) << 64) | u128::from(random()))
        .collect();
    let taken = |sampler: &Sampler| ids.iter().filter(|id| sampler.takes(**id)).count();

    assert!((800..1200).contains(&taken(&tenth)), "{}", taken(&tenth));
    assert!((4700..5300).contains(&taken(&half)), "{}", taken(&half));
    assert!(ids.iter().all(|id| !tenth.takes(*id) || half.takes(*id)));
    assert_eq!(taken(&Sampler::new(0.0)), 0);
    assert_eq!(taken(&Sampler::new(1.0)), ids.len());
}
