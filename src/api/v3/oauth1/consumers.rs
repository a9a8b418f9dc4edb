//! `/v3/OS-OAUTH1/consumers`: programs that users may authorise. Their bodies are checked after the
//! caller is, in the older way.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use chrono::Utc;
use keystone_actors::ids::ConsumerId;
use keystone_actors::oauth1::{
    Consumer, ConsumerDraft, CreateConsumer, DeleteConsumer, GetConsumer, ListConsumers,
    UpdateConsumer,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::api::call::{self, Call, no_content, seen};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Schema, object};
use crate::api::v3::shapes;
use crate::notify::{Kind, Operation};
use crate::policy::{Rule, Target};

/// Routes them.
pub(super) fn routes(api: &mut Router) {
    Routes::at("/v3/OS-OAUTH1/consumers")
        .get(list)
        .answers(answers::list(Collection::CONSUMERS))
        .post(create)
        .takes(&shapes::CONSUMER)
        .answers(answers::created(Collection::CONSUMERS))
        .register(api);
    Routes::at("/v3/OS-OAUTH1/consumers/{consumer_id}")
        .get(show)
        .answers(answers::one(Collection::CONSUMERS))
        .patch(update)
        .takes(&shapes::CONSUMER)
        .answers(answers::one(Collection::CONSUMERS))
        .delete(delete)
        .register(api);
}

static NEW: LazyLock<Schema> =
    LazyLock::new(|| object().optional("description", schema::description()));

static PATCH: LazyLock<Schema> = LazyLock::new(|| NEW.clone().not_empty());

/// What was checked by then.
static ANY: LazyLock<Schema> = LazyLock::new(object);

/// The consumer in a body, as this schema wants it.
fn draft(call: &Call, schema: &Schema) -> Result<ConsumerDraft, ApiError> {
    let consumer = call.json().get("consumer").cloned();
    let mut consumer = consumer.unwrap_or_else(|| json!({}));
    schema.check_older(&consumer)?;
    if let Value::Object(attributes) = &mut consumer {
        // A new one's is the server's to choose.
        attributes.shift_remove("secret");
    }
    call::new_member(&json!({ "consumer": consumer }), "consumer", &ANY)
}

fn shown(consumer: &Consumer) -> (&str, &Consumer) {
    (consumer.id.as_str(), consumer)
}

/// Lists consumers: `GET /v3/OS-OAUTH1/consumers`.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListConsumers, Target::new())?;
    let found = call.providers().oauth1.read(ListConsumers).await?;
    call.list_whole(Collection::CONSUMERS, found.into_iter(), shown)
}

/// Creates a consumer, and tells its secret: `POST /v3/OS-OAUTH1/consumers`.
async fn create(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateConsumer, Target::new())?;
    let consumer = draft(&call, &NEW)?;
    let create = CreateConsumer { consumer };
    let (consumer, secret) = call.providers().oauth1.send(create).await?;
    call.notify(Kind::Consumer, Operation::Created, consumer.id.as_str());
    let mut shown = seen(&consumer)?;
    if let Value::Object(attributes) = &mut shown {
        attributes.insert("secret".to_owned(), json!(secret.expose_secret()));
    }
    call.created(Collection::CONSUMERS, consumer.id.as_str(), shown)
}

/// Shows a consumer: `GET /v3/OS-OAUTH1/consumers/{consumer_id}`.
async fn show(call: Call, id: web::Path<ConsumerId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetConsumer, Target::new())?;
    let id = id.into_inner();
    let consumer = call.providers().oauth1.read(GetConsumer { id }).await?;
    let (id, shown) = shown(&consumer);
    call.one(Collection::CONSUMERS, id, shown)
}

/// Changes a consumer: `PATCH /v3/OS-OAUTH1/consumers/{consumer_id}`.
async fn update(call: Call, id: web::Path<ConsumerId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::UpdateConsumer, Target::new())?;
    let given = call.json().get("consumer");
    if given.is_some_and(|consumer| consumer.get("secret").is_some()) {
        // Keystone says so by repeating it.
        return Err(ApiError::bad_request("The secret can't be changed."));
    }
    let patch = draft(&call, &PATCH)?;
    call.require_same_id("consumer", id.as_str())?;
    let update = UpdateConsumer {
        id: id.into_inner(),
        patch,
    };
    let consumer = call.providers().oauth1.send(update).await?;
    call.notify(Kind::Consumer, Operation::Updated, consumer.id.as_str());
    let (id, shown) = shown(&consumer);
    call.one(Collection::CONSUMERS, id, shown)
}

/// Deletes a consumer, and with it what users have let it do:
/// `DELETE /v3/OS-OAUTH1/consumers/{consumer_id}`.
async fn delete(call: Call, id: web::Path<ConsumerId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::DeleteConsumer, Target::new())?;
    let delete = DeleteConsumer {
        id: id.clone(),
        now: Utc::now().timestamp(),
    };
    call.providers().oauth1.send(delete).await?;
    call.notify(Kind::Consumer, Operation::Deleted, id.as_str());
    Ok(no_content())
}
