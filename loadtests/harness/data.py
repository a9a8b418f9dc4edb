"""What the rows work on, made once: a catalog of ten services, and a user with three roles in a
project."""

import dataclasses
import itertools
import json
import time
import uuid

from . import Failure
from .client import Client, Request, issue, password, rescope, validate

ADMIN = {"name": "admin", "domain": {"id": "default"}}
ADMIN_PASSWORD = "admin-secret"
ADMIN_SCOPE = {"project": {"name": "admin", "domain": {"id": "default"}}}
# Tokens that are validated in turn.
SUBJECTS = 50
# What stands in the catalog beside the identity service, which is there from the beginning.
SERVICES = {
    "compute": "/v2.1",
    "dns": "",
    "image": "",
    "key-manager": "",
    "load-balancer": "",
    "network": "",
    "object-store": "/v1/AUTH_$(project_id)s",
    "placement": "",
    "volumev3": "/v3/$(project_id)s",
}
ROLES = ("member", "reader", "load-balancer_member")


@dataclasses.dataclass(frozen=True)
class Data:
    user: str
    project: str
    admin: str
    unscoped: str
    subjects: tuple[str, ...]

    @property
    def scope(self) -> dict:
        return {"project": {"id": self.project}}

    @property
    def login(self) -> Request:
        return issue(password({"id": self.user}, ADMIN_PASSWORD, self.scope))

    @property
    def rescoping(self) -> Request:
        return issue(rescope(self.unscoped, self.scope))

    def requests(self, load: str) -> list[Request]:
        """What a row sends."""
        match load:
            case "validate":
                return [validate(self.admin, subject) for subject in self.subjects]
            case "rescope":
                return [self.rescoping]
            case "password":
                return [self.login]
        raise Failure(f"no load is called {load}")


def first_login() -> Request:
    """What the admin of an empty cloud sends."""
    return issue(password(ADMIN, ADMIN_PASSWORD, ADMIN_SCOPE))


def _token(client: Client, request: Request) -> str:
    answer = client.send(request)
    if answer.status != 201:
        raise Failure(f"{client.address} issues no token: {answer.status} {answer.body[:300]!r}")
    return answer.header("X-Subject-Token")


def _endpoints(number: int, path: str):
    """Interface and URL of each endpoint of a service."""
    for interface in ("public", "internal", "admin"):
        yield interface, f"http://{interface}.cloud.example.org:{9000 + number}{path}"


@dataclasses.dataclass(frozen=True)
class Rows:
    """What stands in the database: the IDs of the user and the project."""

    user: str
    project: str


def by_api(client: Client) -> Rows:
    """Makes it in an empty cloud, through its API."""
    api = client.with_token(_token(client, first_login()))

    def create(kind: str, collection: str, **attributes) -> str:
        return api.call("POST", f"/v3/{collection}", {kind: attributes}).json()[kind]["id"]

    def named(collection: str, name: str) -> str | None:
        found = api.call("GET", f"/v3/{collection}?name={name}").json()[collection]
        return found[0]["id"] if found else None

    for number, (kind, path) in enumerate(SERVICES.items()):
        service = create("service", "services", type=kind, name=kind)
        for interface, url in _endpoints(number, path):
            attributes = {"service_id": service, "interface": interface, "region_id": "RegionOne", "url": url}
            create("endpoint", "endpoints", **attributes)
    project = create("project", "projects", name="load", domain_id="default")
    user = create("user", "users", name="load", domain_id="default", password=ADMIN_PASSWORD)
    for name in ROLES:
        role = named("roles", name) or create("role", "roles", name=name)
        api.call("PUT", f"/v3/projects/{project}/users/{user}/roles/{role}")
    return Rows(user, project)


def by_sql(database) -> Rows:
    """Makes it in an empty cloud, as rows: for a server whose API does not write yet, before it
    starts. The user's password is the admin's, whose hash is copied."""
    ids = (uuid.uuid4().hex for _ in itertools.count())
    project, user = next(ids), next(ids)
    now = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime())
    statements = [
        "INSERT INTO project (id, name, extra, description, enabled, domain_id, parent_id, is_domain)"
        f" VALUES ('{project}', 'load', '{{}}', '', 1, 'default', 'default', 0)",
        "INSERT INTO user (id, extra, enabled, created_at, domain_id)"
        f" VALUES ('{user}', '{{}}', 1, '{now}', 'default')",
        f"INSERT INTO local_user (user_id, domain_id, name) VALUES ('{user}', 'default', 'load')",
        "INSERT INTO password (local_user_id, self_service, password_hash, created_at_int, created_at)"
        " SELECT new.id, 0, password_hash, created_at_int, created_at FROM local_user new, local_user admin"
        " JOIN password ON local_user_id = admin.id WHERE new.name = 'load' AND admin.name = 'admin'",
    ]
    for number, (kind, path) in enumerate(SERVICES.items()):
        service, extra = next(ids), json.dumps({"name": kind})
        statements.append(
            f"INSERT INTO service (id, type, enabled, extra) VALUES ('{service}', '{kind}', 1, '{extra}')"
        )
        statements += (
            "INSERT INTO endpoint (id, interface, service_id, url, extra, enabled, region_id)"
            f" VALUES ('{next(ids)}', '{interface}', '{service}', '{url}', '{{}}', 1, 'RegionOne')"
            for interface, url in _endpoints(number, path)
        )
    for name in ROLES:
        statements += (
            f"INSERT INTO role (id, name, extra) SELECT '{next(ids)}', '{name}', '{{}}' FROM project"
            f" WHERE id = '{project}' AND NOT EXISTS (SELECT 1 FROM role WHERE name = '{name}')",
            "INSERT INTO assignment (type, actor_id, target_id, role_id, inherited)"
            f" SELECT 'UserProject', '{user}', '{project}', id, 0 FROM role WHERE name = '{name}'",
        )
    database.execute(";\n".join([*statements, ""]))
    return Rows(user, project)


def with_tokens(client: Client, rows: Rows) -> Data:
    """Completes it with tokens, and checks that it is what was meant."""
    admin = _token(client, first_login())
    scope = {"project": {"id": rows.project}}
    unscoped = _token(client, issue(password({"id": rows.user}, ADMIN_PASSWORD, {"unscoped": {}})))
    subjects = tuple(_token(client, issue(rescope(unscoped, scope))) for _ in range(SUBJECTS))
    token = client.send(validate(admin, subjects[0])).json()["token"]
    if len(token["catalog"]) != len(SERVICES) + 1 or len(token["roles"]) != len(ROLES):
        raise Failure(f"not the data that was meant: {json.dumps(token)[:2000]}")
    return Data(rows.user, rows.project, admin, unscoped, subjects)
