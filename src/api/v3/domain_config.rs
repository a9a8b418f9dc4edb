//! `/v3/domains/{domain_id}/config`: the configuration of single domains, and what holds without
//! one.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use keystone_actors::domain_config::{
    ConfigPlace, DeleteDomainConfig, Error, GetDefaultConfig, GetDomainConfig, SetDomainConfig,
    UpdateDomainConfig,
};
use keystone_actors::ids::DomainId;
use keystone_actors::resource::GetDomain;
use serde_json::{Map, Value, json};

use super::shapes;
use crate::api::call::{Call, answer, no_content};
use crate::api::error::{ApiError, MALFORMED};
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::policy::{Rule, Target};

/// Routes it.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/domains/config/default")
        .get(default_whole)
        .answers(answers::json(shapes::config))
        .register(api);
    Routes::at("/v3/domains/config/{group}/default")
        .get(default_group)
        .answers(answers::json(shapes::config))
        .register(api);
    Routes::at("/v3/domains/config/{group}/{option}/default")
        .get(default_option)
        .answers(answers::json(shapes::config))
        .register(api);
    Routes::at("/v3/domains/{domain_id}/config")
        .get(show_whole)
        .answers(answers::json(shapes::config))
        .put(set)
        .takes(&shapes::CONFIG)
        .answers(answers::json(shapes::config))
        .answers(answers::json(shapes::config).with_status(201))
        .patch(update_whole)
        .takes(&shapes::CONFIG)
        .answers(answers::json(shapes::config))
        .delete(delete_whole)
        .register(api);
    Routes::at("/v3/domains/{domain_id}/config/{group}")
        .get(show_group)
        .answers(answers::json(shapes::config))
        .patch(update_group)
        .takes(&shapes::CONFIG)
        .answers(answers::json(shapes::config))
        .delete(delete_group)
        .register(api);
    Routes::at("/v3/domains/{domain_id}/config/{group}/{option}")
        .get(show_option)
        .answers(answers::json(shapes::config))
        .patch(update_option)
        .takes(&shapes::CONFIG)
        .answers(answers::json(shapes::config))
        .delete(delete_option)
        .register(api);
}

type OfGroup = web::Path<(DomainId, String)>;
type OfOption = web::Path<(DomainId, String, String)>;

fn group(path: OfGroup) -> (DomainId, ConfigPlace) {
    let (domain, group) = path.into_inner();
    let place = ConfigPlace {
        group: Some(group),
        option: None,
    };
    (domain, place)
}

fn option(path: OfOption) -> (DomainId, ConfigPlace) {
    let (domain, group, option) = path.into_inner();
    let place = ConfigPlace {
        group: Some(group),
        option: Some(option),
    };
    (domain, place)
}

/// What the older Keystones allowed everybody to know, and therefore this one.
const COMPLIANCE: &str = "security_compliance";

/// Shows what a domain has. What it has is looked up before the domain is, as in Keystone.
async fn show(call: &Call, domain: DomainId, place: ConfigPlace) -> Result<HttpResponse, ApiError> {
    let config = if place.group.as_deref() == Some(COMPLIANCE) {
        call.enforce(Rule::GetSecurityComplianceDomainConfig, Target::new())?;
        compliance(call, &domain, place.option.as_deref())?
    } else {
        call.enforce(Rule::GetDomainConfig, Target::new())?;
        let get = GetDomainConfig {
            domain: domain.clone(),
            place,
        };
        call.providers().domain_config.read(get).await?
    };
    require_domain(call, &domain).await?;
    shown(StatusCode::OK, config)
}

fn shown(status: StatusCode, config: Value) -> Result<HttpResponse, ApiError> {
    answer(status, &json!({ "config": config }))
}

/// The rules of passwords that users may know: of the default domain.
fn compliance(call: &Call, domain: &DomainId, option: Option<&str>) -> Result<Value, ApiError> {
    let refused = |text: &str| Err(Error::Invalid(text.to_owned()).into());
    let config = &call.node().config;
    if domain.as_str() != config.identity.default_domain_id {
        return refused(
            "Reading security compliance information for any domain other than the default domain \
             is not allowed or supported.",
        );
    }
    let rules = &config.security_compliance;
    let (regex, description) = (&rules.password_regex, &rules.password_regex_description);
    match option {
        None => Ok(json!({COMPLIANCE: {
            "password_regex": regex, "password_regex_description": description,
        }})),
        Some("password_regex") => Ok(json!({ "password_regex": regex })),
        Some("password_regex_description") => {
            Ok(json!({ "password_regex_description": description }))
        }
        Some(_) => refused(
            "Reading security compliance values other than password_regex and \
             password_regex_description is not allowed.",
        ),
    }
}

async fn require_domain(call: &Call, id: &DomainId) -> Result<(), ApiError> {
    call.providers()
        .resource
        .read(GetDomain { id: id.clone() })
        .await?;
    Ok(())
}

/// The body's `config`; an empty one is refused by what it is for.
fn config_of(call: &Call) -> Result<Map<String, Value>, ApiError> {
    match call.json().get("config") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(config)) => Ok(config.clone()),
        Some(_) => Err(ApiError::bad_request(MALFORMED)),
    }
}

/// Changes what a domain has at a place.
async fn update(
    call: &Call,
    domain: DomainId,
    place: ConfigPlace,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::UpdateDomainConfig, Target::new())?;
    require_domain(call, &domain).await?;
    let update = UpdateDomainConfig {
        domain,
        place,
        config: config_of(call)?,
    };
    let config = call.providers().domain_config.send(update).await?;
    shown(StatusCode::OK, config)
}

/// Deletes what a domain has at a place.
async fn delete(
    call: &Call,
    domain: DomainId,
    place: ConfigPlace,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::DeleteDomainConfig, Target::new())?;
    require_domain(call, &domain).await?;
    let delete = DeleteDomainConfig { domain, place };
    call.providers().domain_config.send(delete).await?;
    Ok(no_content())
}

/// `PUT /v3/domains/{domain_id}/config`: 201 where the domain had none.
async fn set(call: Call, domain: web::Path<DomainId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateDomainConfig, Target::new())?;
    let domain = domain.into_inner();
    require_domain(&call, &domain).await?;
    let config = config_of(&call)?;
    let set = SetDomainConfig { domain, config };
    let (config, is_new) = call.providers().domain_config.send(set).await?;
    match is_new {
        true => shown(StatusCode::CREATED, config),
        false => shown(StatusCode::OK, config),
    }
}

/// `GET /v3/domains/{domain_id}/config`.
async fn show_whole(call: Call, domain: web::Path<DomainId>) -> Result<HttpResponse, ApiError> {
    show(&call, domain.into_inner(), ConfigPlace::default()).await
}

/// `GET /v3/domains/{domain_id}/config/{group}`.
async fn show_group(call: Call, path: OfGroup) -> Result<HttpResponse, ApiError> {
    let (domain, place) = group(path);
    show(&call, domain, place).await
}

/// `GET /v3/domains/{domain_id}/config/{group}/{option}`.
async fn show_option(call: Call, path: OfOption) -> Result<HttpResponse, ApiError> {
    let (domain, place) = option(path);
    show(&call, domain, place).await
}

/// `PATCH /v3/domains/{domain_id}/config`.
async fn update_whole(call: Call, domain: web::Path<DomainId>) -> Result<HttpResponse, ApiError> {
    update(&call, domain.into_inner(), ConfigPlace::default()).await
}

/// `PATCH /v3/domains/{domain_id}/config/{group}`.
async fn update_group(call: Call, path: OfGroup) -> Result<HttpResponse, ApiError> {
    let (domain, place) = group(path);
    update(&call, domain, place).await
}

/// `PATCH /v3/domains/{domain_id}/config/{group}/{option}`.
async fn update_option(call: Call, path: OfOption) -> Result<HttpResponse, ApiError> {
    let (domain, place) = option(path);
    update(&call, domain, place).await
}

/// `DELETE /v3/domains/{domain_id}/config`.
async fn delete_whole(call: Call, domain: web::Path<DomainId>) -> Result<HttpResponse, ApiError> {
    delete(&call, domain.into_inner(), ConfigPlace::default()).await
}

/// `DELETE /v3/domains/{domain_id}/config/{group}`.
async fn delete_group(call: Call, path: OfGroup) -> Result<HttpResponse, ApiError> {
    let (domain, place) = group(path);
    delete(&call, domain, place).await
}

/// `DELETE /v3/domains/{domain_id}/config/{group}/{option}`.
async fn delete_option(call: Call, path: OfOption) -> Result<HttpResponse, ApiError> {
    let (domain, place) = option(path);
    delete(&call, domain, place).await
}

/// What holds where a domain has nothing.
async fn default(call: &Call, place: ConfigPlace) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetDomainConfigDefault, Target::new())?;
    let get = GetDefaultConfig { place };
    let config = call.providers().domain_config.read(get).await?;
    shown(StatusCode::OK, config)
}

/// `GET /v3/domains/config/default`.
async fn default_whole(call: Call) -> Result<HttpResponse, ApiError> {
    default(&call, ConfigPlace::default()).await
}

/// `GET /v3/domains/config/{group}/default`.
async fn default_group(call: Call, group: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let place = ConfigPlace {
        group: Some(group.into_inner()),
        option: None,
    };
    default(&call, place).await
}

/// `GET /v3/domains/config/{group}/{option}/default`.
async fn default_option(
    call: Call,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (group, option) = path.into_inner();
    let place = ConfigPlace {
        group: Some(group),
        option: Some(option),
    };
    default(&call, place).await
}
