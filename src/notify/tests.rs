use chrono::DateTime;
use serde_json::json;

use super::*;

fn event(subject: Subject) -> Event {
    Event {
        subject,
        initiator: Initiator {
            user_id: Some("admin".to_owned()),
            project_id: Some("p".to_owned()),
            address: Some("127.0.0.1".to_owned()),
            agent: Some("curl".to_owned()),
            request_id: Some("req-1".to_owned()),
            global_request_id: Some("req-0".to_owned()),
            ..Initiator::default()
        },
        outcome: Outcome::Success,
        reason: None,
    }
}

fn user(operation: Operation) -> Subject {
    Subject::Resource {
        kind: Kind::User,
        operation,
        id: "u".to_owned(),
        actor: None,
    }
}

/// Compared with what pycadf makes of the same, random IDs aside.
#[test]
fn a_change_has_the_shape_of_keystones() {
    let event = event(user(Operation::Created));
    assert_eq!(event.event_type(), "identity.user.created");
    let time = DateTime::from_timestamp(1_795_000_000, 5000).unwrap();
    let mut cadf = event.cadf(time, Some("root"), Some("service"));
    cadf["id"] = json!(null);
    assert_eq!(
        cadf,
        json!({
            "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event",
            "eventType": "activity",
            "id": null,
            "eventTime": "2026-11-18T11:06:40.000005+0000",
            "action": "created.user",
            "outcome": "success",
            "observer": {"id": "service", "typeURI": "service/security"},
            "initiator": {
                // Keystone's `resource_uuid("admin")`.
                "id": "db03747ae9c554d097b5e8c328115940",
                "typeURI": "service/security/account/user",
                "host": {"address": "127.0.0.1", "agent": "curl"},
                "user_id": "admin",
                "project_id": "p",
                "request_id": "req-1",
                "global_request_id": "req-0",
                "name": "root",
                "username": "root",
            },
            "target": {"id": "u", "typeURI": "data/security/account/user"},
            "resource_info": "u",
        })
    );
    assert_eq!(
        event.basic(),
        Some(json!({
            "resource_info": "u", "request_id": "req-1", "global_request_id": "req-0",
        }))
    );
}

#[test]
fn of_what_followed_from_something_else_nobody_is_said_to_have_done_it() {
    let mut followed = event(user(Operation::Deleted));
    followed.initiator = Initiator::default();
    let cadf = followed.cadf(Utc::now(), None, None);
    assert_eq!(cadf.get("initiator"), None);
    assert_eq!(cadf["resource_info"], "u");
    assert_eq!(followed.basic(), Some(json!({"resource_info": "u"})));
}

/// One that wants to hear of no updates, with so much room, and what it was told.
fn notifier(room: usize) -> (Notifier, mpsc::Receiver<(Event, DateTime<Utc>)>) {
    let (sender, receiver) = mpsc::channel(room);
    let notifier = Notifier {
        settings: Arc::new(Settings {
            format: NotificationFormat::Cadf,
            opt_out: vec!["identity.user.updated".to_owned()],
            publisher: String::new(),
        }),
        queue: Some(sender),
        file: None,
        dropped: Arc::default(),
    };
    (notifier, receiver)
}

/// What one request gives: four that are wanted.
fn many() -> impl Iterator<Item = Event> {
    let operations = [
        Operation::Created,
        Operation::Updated,
        Operation::Disabled,
        Operation::Deleted,
        Operation::Created,
    ];
    operations.into_iter().map(|one| event(user(one)))
}

fn told(mut queue: mpsc::Receiver<(Event, DateTime<Utc>)>) -> Vec<&'static str> {
    let told = std::iter::from_fn(|| queue.try_recv().ok());
    told.map(|(event, _)| match event.subject {
        Subject::Resource { operation, .. } => match operation {
            Operation::Created => "created",
            Operation::Updated => "updated",
            Operation::Deleted => "deleted",
            Operation::Disabled => "disabled",
        },
        _ => "login",
    })
    .collect()
}

#[test]
fn after_as_much_as_one_request_may_give_what_else_happens_is_told() {
    let (notifier, queue) = notifier(KEPT + 4);
    notifier.send_all(many());
    notifier.send(event(Subject::Authentication));
    notifier.send(event(user(Operation::Deleted)));
    assert_eq!(notifier.dropped(), 0);
    let wanted = [
        "created", "disabled", "deleted", "created", "login", "deleted",
    ];
    assert_eq!(told(queue), wanted);
}

#[test]
fn what_is_too_much_of_one_request_is_dropped_and_counted() {
    let (notifier, queue) = notifier(KEPT + 2);
    notifier.send_all(many());
    assert_eq!(notifier.dropped(), 2);
    notifier.send_all(many());
    assert_eq!(notifier.dropped(), 6);
    // All the room that is left is for these.
    for _ in 0..KEPT {
        notifier.send(event(Subject::Authentication));
    }
    assert_eq!(notifier.dropped(), 6);
    notifier.send(event(Subject::Authentication));
    assert_eq!(notifier.dropped(), 7);
    let told = told(queue);
    assert_eq!(told[..3], ["created", "disabled", "login"]);
    assert_eq!(told.len(), KEPT + 2);
}

#[test]
fn what_comes_once_nothing_is_written_any_more_is_counted_as_dropped() {
    let (notifier, queue) = notifier(KEPT + 10);
    drop(queue);
    notifier.send_all(many());
    notifier.send(event(Subject::Authentication));
    assert_eq!(notifier.dropped(), 5);
}

#[test]
fn where_nobody_listens_nothing_is_made_to_be_told() {
    let (mut notifier, _queue) = notifier(KEPT + 10);
    let mut made = 0;
    notifier.send_all(many().inspect(|_| made += 1));
    assert_eq!(made, 5);
    notifier.queue = None;
    notifier.send_all(many().inspect(|_| made += 1));
    assert_eq!(made, 5);
    assert_eq!(notifier.dropped(), 0);
}

#[test]
fn an_assignment_is_told_as_cadf_whatever_the_format() {
    let event = event(Subject::Assignment {
        operation: Operation::Deleted,
        role: "r".to_owned(),
        actor: ("group", "g".to_owned()),
        target: ("domain", "d".to_owned()),
        inherited: true,
    });
    assert_eq!(event.basic(), None);
    let cadf = event.cadf(Utc::now(), None, None);
    assert_eq!(cadf["action"], "deleted.role_assignment");
    assert_eq!(
        (&cadf["group"], &cadf["domain"], &cadf["role"]),
        (&json!("g"), &json!("d"), &json!("r"))
    );
    assert_eq!(cadf["inherited_to_projects"], true);
}

#[test]
fn what_failed_is_told_as_cadf_whatever_the_format() {
    let mut failed = event(user(Operation::Created));
    failed.outcome = Outcome::Failure;
    failed.reason = Some(Reason {
        code: 400,
        text: "BadSignature".to_owned(),
    });
    assert_eq!(failed.basic(), None);
    let cadf = failed.cadf(Utc::now(), None, None);
    assert_eq!(cadf["outcome"], "failure");
    let reason = json!({"reasonType": "BadSignature", "reasonCode": "400"});
    assert_eq!(cadf["reason"], reason);
}

#[test]
fn an_operator_may_not_want_to_hear_of_logins() {
    let opt_out = ["identity.authenticate.success", "identity.user.updated"].map(str::to_owned);
    let mut login = event(Subject::Authentication);
    assert!(login.is_in(&opt_out));
    login.outcome = Outcome::Failure;
    assert!(!login.is_in(&opt_out));
    assert!(event(user(Operation::Updated)).is_in(&opt_out));
    assert!(!event(user(Operation::Deleted)).is_in(&opt_out));
}
