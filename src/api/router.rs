//! Which handler a request is for. Paths are kept in a tree, so that finding one takes as long with
//! two hundred of them as with ten; actix tries one pattern after another.

use std::rc::Rc;
use std::sync::LazyLock;

use actix_web::dev::{ResourceDef, Service, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::{Error, HttpMessage, Route, web};
use futures_util::future::{LocalBoxFuture, join_all, ready};

use super::context::{self, Progress};
use super::query::Query;
use super::routes::Operation;
use super::schema::Schema;

type RouteService = <Route as ServiceFactory<ServiceRequest>>::Service;

/// The paths of an API, each with its methods. Where two could be meant, a fixed part of a path goes
/// before a variable.
#[derive(Default)]
pub struct Router(Vec<Path>);

struct Path {
    pattern: String,
    methods: Vec<(Method, Route)>,
    others: Route,
    operations: Vec<Operation>,
}

impl Router {
    /// What this registers.
    pub fn of(register: impl FnOnce(&mut Self)) -> Self {
        let mut router = Self::default();
        register(&mut router);
        router
    }

    /// Adds a path; `others` answers to methods that it does not have.
    pub(super) fn add(
        &mut self,
        pattern: String,
        methods: Vec<(Method, Route)>,
        others: Route,
        operations: Vec<Operation>,
    ) {
        self.0.push(Path {
            pattern,
            methods,
            others,
            operations,
        });
    }

    /// All that can be asked for.
    pub fn operations(self) -> Vec<Operation> {
        let paths = self.0.into_iter();
        paths.flat_map(|path| path.operations).collect()
    }

    /// Has actix find the paths, whatever others there are: for a few.
    #[expect(clippy::disallowed_methods, reason = "paths that are described")]
    pub fn configure(self, app: &mut web::ServiceConfig) {
        for path in self.0 {
            let methods = path.methods.into_iter();
            let resource = methods.fold(
                web::resource(&*path.pattern),
                |resource, (method, route)| resource.route(route.method(method)),
            );
            app.service(resource.default_service(path.others));
        }
    }
}

impl ServiceFactory<ServiceRequest> for Router {
    type Response = ServiceResponse;
    type Error = Error;
    type Config = ();
    type Service = Paths;
    type InitError = ();
    type Future = LocalBoxFuture<'static, Result<Paths, ()>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let mut tree = matchit::Router::new();
        for (place, path) in self.0.iter().enumerate() {
            if let Err(error) = tree.insert(path.pattern.clone(), place) {
                tracing::error!(%error, path = path.pattern, "a path can't be routed");
                return Box::pin(async { Err(()) });
            }
        }
        let paths = join_all(self.0.iter().map(Path::serve));
        let missing = web::to(async || context::not_found_page()).new_service(());
        Box::pin(async move {
            Ok(Paths {
                tree,
                paths: paths.await.into_iter().collect::<Result<_, ()>>()?,
                missing: missing.await?,
            })
        })
    }
}

impl Path {
    fn serve(&self) -> impl Future<Output = Result<Served, ()>> + use<> {
        let pattern: Rc<str> = self.pattern.as_str().into();
        let variables = pattern.contains('{').then(|| ResourceDef::new(&*pattern));
        let services = self.methods.iter().map(|(method, route)| {
            let mut operations = self.operations.iter();
            let operation = operations.find(|one| one.method == method.as_str());
            let query = operation.and_then(|one| one.query);
            let (method, service) = (method.clone(), route.new_service(()));
            async move {
                let service = service.await?;
                Ok(Answering {
                    method,
                    query,
                    service,
                })
            }
        });
        let (services, others) = (join_all(services), self.others.new_service(()));
        async {
            Ok(Served {
                pattern,
                variables,
                methods: services.await.into_iter().collect::<Result<_, ()>>()?,
                others: others.await?,
            })
        }
    }
}

/// A router at work.
pub struct Paths {
    /// Places in `paths`.
    tree: matchit::Router<usize>,
    paths: Vec<Served>,
    missing: RouteService,
}

struct Served {
    pattern: Rc<str>,
    /// What reads them, where there are any.
    variables: Option<ResourceDef>,
    methods: Vec<Answering>,
    others: RouteService,
}

/// What answers to a method.
struct Answering {
    method: Method,
    /// What the query has to look like.
    query: Option<&'static LazyLock<Schema>>,
    service: RouteService,
}

impl Answering {
    fn call(&self, request: ServiceRequest) -> <Paths as Service<ServiceRequest>>::Future {
        // As Keystone: whoever asks for what can't be is told so, with a token or without.
        let checked = match self.query {
            Some(schema) => Query::parse(request.query_string()).check(schema),
            None => Ok(()),
        };
        match checked {
            Ok(()) => self.service.call(request),
            Err(error) => Box::pin(ready(Err(error.into()))),
        }
    }
}

impl Paths {
    fn find(&self, path: &str) -> Option<&Served> {
        self.paths.get(*self.tree.at(path).ok()?.value)
    }
}

impl Service<ServiceRequest> for Paths {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

    actix_web::dev::always_ready!();

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let Some(path) = self.find(request.match_info().unprocessed()) else {
            return self.missing.call(request);
        };
        if let Some(variables) = &path.variables {
            variables.capture_match_info(request.match_info_mut());
        }
        if let Some(progress) = request.extensions().get::<Progress>() {
            progress.set_route(&path.pattern);
        }
        let mut methods = path.methods.iter();
        match methods.find(|one| one.method == *request.method()) {
            Some(found) => found.call(request),
            None => path.others.call(request),
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::test::{TestRequest, init_service, read_body};
    use actix_web::{App, HttpResponse};

    use super::super::routes::Routes;
    use super::super::schema;
    use super::*;

    /// Has more than one path where a variable could be a fixed part.
    fn routes(api: &mut Router) {
        async fn one(path: web::Path<String>) -> HttpResponse {
            HttpResponse::Ok().body(format!("one {path}"))
        }
        async fn two(path: web::Path<(String, String)>) -> HttpResponse {
            HttpResponse::Ok().body(format!("two {} {}", path.0, path.1))
        }
        async fn fixed() -> HttpResponse {
            HttpResponse::Ok().body("fixed")
        }
        Routes::at("/things/{thing_id}").get(one).register(api);
        Routes::at("/things/{id}/config/{group}")
            .get(two)
            .register(api);
        Routes::at("/things/config/default")
            .get(fixed)
            .register(api);
        Routes::at("/things").post(fixed).register(api);
        Routes::at("/lists").get(fixed).asks(&NAMED).register(api);
    }

    static NAMED: LazyLock<Schema> =
        LazyLock::new(|| schema::object().optional("name", schema::name()));

    async fn ask(method: Method, path: &str) -> (StatusCode, String) {
        let scope = web::scope("").default_service(Router::of(routes));
        let app = init_service(App::new().service(scope)).await;
        let request = TestRequest::with_uri(path).method(method).to_request();
        let answer = match app.call(request).await {
            Ok(answer) => answer.map_into_boxed_body(),
            Err(error) => return (error.as_response_error().status_code(), String::new()),
        };
        let status = answer.status();
        let body = String::from_utf8(read_body(answer).await.to_vec()).unwrap();
        (status, body)
    }

    #[actix_web::test]
    async fn a_query_is_compared_before_anything_else() {
        for (method, path, status) in [
            (Method::GET, "/lists?name=a", StatusCode::OK),
            (Method::GET, "/lists?name=", StatusCode::BAD_REQUEST),
            (Method::HEAD, "/lists?name=", StatusCode::BAD_REQUEST),
            (Method::POST, "/lists?name=", StatusCode::METHOD_NOT_ALLOWED),
            (Method::GET, "/things/a?name=", StatusCode::OK),
        ] {
            assert_eq!(ask(method, path).await.0, status, "{path}");
        }
    }

    #[actix_web::test]
    async fn a_path_leads_to_its_handler_with_its_variables() {
        for (path, body) in [
            ("/things/a", "one a"),
            ("/things/config", "one config"),
            ("/things/a%20b", "one a b"),
            ("/things/a%2Fb", "one a/b"),
            ("/th%69ngs/a", "one a"),
            ("/things/config/default", "fixed"),
            ("/things/a/config/b", "two a b"),
            ("/things/config/config/b", "two config b"),
        ] {
            let answer = ask(Method::GET, path).await;
            assert_eq!(answer, (StatusCode::OK, body.to_owned()), "{path}");
        }
    }

    #[actix_web::test]
    async fn what_is_no_path_is_404_and_what_is_no_method_405() {
        for path in [
            "/",
            "/thing",
            "/things/",
            "/things/a/",
            "/things/a/b",
            "/things/a/config",
        ] {
            let (status, body) = ask(Method::GET, path).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
            assert!(body.contains("404"), "{path}: {body}");
        }
        let (status, _) = ask(Method::GET, "/things").await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        let (status, _) = ask(Method::HEAD, "/things/a").await;
        assert_eq!(status, StatusCode::OK);
    }

    #[actix_web::test]
    async fn all_paths_of_the_api_are_routed_and_each_to_itself() {
        let router = Router::of(super::super::routes(true));
        let patterns: Vec<String> = router.0.iter().map(|path| path.pattern.clone()).collect();
        let paths = router.new_service(()).await.unwrap();
        assert!(patterns.len() > 100);
        for pattern in patterns {
            let path = pattern.replace(['{', '}'], "");
            let found = paths.find(&path).map(|found| &*found.pattern);
            assert_eq!(found, Some(&*pattern), "{path}");
        }
    }
}
