"""A large cloud, made of rows: the same at each run. MariaDB makes the rows itself, of numbers; the ID of a thing
is the MD5 of its kind and number.

| kind | how many, and how they hang together |
| --- | --- |
| domains | 5; all below is spread over them by number |
| users | 10,000, with a password |
| projects | 2,000: each with five below it, down to the fifth level |
| groups | 500, each user in two of them; the first user in 100 |
| roles | `crowd-top` implies five, each of which implies nine: 50 implications |
| idle domains, idle roles | 500 of each, of which nothing else knows, so that lists of them are long |
| services, endpoints, regions | 500, three of each, 100; disabled, so that catalogs, and with them tokens, stay as they are |
| registered limits, limits, policies | one of each service, one of each project, 500 |
| credentials | 2,000 of the first users, ten of each: copies of one that this server has sealed |
| trusts, application credentials | 1,000 that the first user gave, each to another; 1,000 of the first user, for the lowest project |
| assignments | 100,000: each user on nine projects and on its domain; each group on two projects; ten users of a domain inherit on all of it; the first user has `crowd-top` on the top of its domain's tree, inherited |
"""

import dataclasses
import hashlib

from . import Failure
from .client import Client, Request, issue, password, rescope, validate
from .data import ADMIN, ADMIN_PASSWORD, ADMIN_SCOPE
from .database import MariaDb

DOMAINS = 5
USERS = 10_000
PROJECTS = 2_000
GROUPS = 500
# Below each project, until there are all.
CHILDREN = 5
MIDDLE, LEAVES = 5, 9
# Projects on which a user has a role; groups that a user is in; projects of a group.
PROJECTS_OF_USER, GROUPS_OF_USER, PROJECTS_OF_GROUP = 9, 2, 2
GROUPS_OF_FIRST = 100
HEIRS = 10
# What hangs together with nothing of the above.
IDLE = 500
SERVICES, REGIONS, POLICIES = 500, 100, 500
INTERFACES = ("public", "internal", "admin")
CREDENTIALS, CREDENTIALS_OF_USER = 2_000, 10
TRUSTS, APPLICATION_CREDENTIALS = 1_000, 1_000


def identify(kind: str, number: int) -> str:
    return hashlib.md5(f"crowd-{kind}-{number}".encode()).hexdigest()


def _id(kind: str, number: str) -> str:
    """The same in SQL; `number` is an expression."""
    return f"MD5(CONCAT('crowd-{kind}-', {number}))"


def _role(name: str) -> str:
    return f"(SELECT id FROM role WHERE name = '{name}' AND domain_id = '<<null>>')"


def _roles() -> str:
    """All roles and implications: top, middle, leaves."""
    implies = [(0, 1 + middle) for middle in range(MIDDLE)]
    implies += ((1 + middle, 1 + MIDDLE + middle * LEAVES + leaf) for middle in range(MIDDLE) for leaf in range(LEAVES))
    roles = ", ".join(f"('{identify('role', one)}', '{_role_name(one)}', '{{}}')" for one in range(len(implies) + 1))
    pairs = ", ".join(f"('{identify('role', prior)}', '{identify('role', implied)}')" for prior, implied in implies)
    return (
        f"INSERT INTO role (id, name, extra) VALUES {roles};\n"
        f"INSERT INTO implied_role (prior_role_id, implied_role_id) VALUES {pairs};\n"
    )


def _role_name(number: int) -> str:
    return "crowd-top" if number == 0 else f"crowd-role-{number}"


def _domains() -> str:
    domains = ", ".join(
        f"('{identify('domain', one)}', 'crowd-{one}', '{{}}', '', 1, '<<keystone.domain.root>>', NULL, 1)"
        for one in range(DOMAINS)
    )
    columns = "id, name, extra, description, enabled, domain_id, parent_id, is_domain"
    # The admin sees them as operators do, who have a role everywhere.
    admin = "SELECT user_id FROM local_user WHERE name = 'admin' AND domain_id = 'default'"
    return f"INSERT INTO project ({columns}) VALUES {domains};\n" + "".join(
        f"INSERT INTO assignment (type, actor_id, target_id, role_id, inherited)"
        f" VALUES ('UserDomain', ({admin}), '{identify('domain', one)}', {_role('admin')}, 1);\n"
        for one in range(DOMAINS)
    )


def _assign(kind: str, actor: str, target: str, role: str, inherited: int, numbers: str) -> str:
    return (
        "INSERT INTO assignment (type, actor_id, target_id, role_id, inherited)"
        f" SELECT '{kind}', {actor}, {target}, {role}, {inherited} FROM {numbers};\n"
    )


def _range(count: int, before: int, share: int) -> str:
    """Of so many things, the numbers from `before` hundredths to `share` hundredths."""
    return f"seq_{count * before // 100}_to_{count * share // 100 - 1}"


def _things(share: int, before: int) -> str:
    """What is listed without regard to people and projects, and what the first users keep."""

    def rows(table: str, columns: str, values: str, count: int) -> str:
        return f"INSERT INTO `{table}` ({columns}) SELECT {values} FROM {_range(count, before, share)};\n"

    def own(kind: str) -> str:
        return _id(kind, "seq")

    interfaces = ", ".join(f"'{one}'" for one in INTERFACES)
    of_three = f"seq DIV {len(INTERFACES)}"
    first, leaf = f"'{identify('user', 0)}'", f"'{_leaf(share)}'"
    project = "id, name, extra, description, enabled, domain_id, parent_id, is_domain"
    secret = (
        "(SELECT password_hash FROM password JOIN local_user ON local_user.id = local_user_id"
        " WHERE name = 'admin' AND domain_id = 'default' LIMIT 1)"
    )
    endpoint = (
        f"{own('endpoint')}, ELT(1 + seq MOD {len(INTERFACES)}, {interfaces}), {_id('service', of_three)},"
        f" 'http://crowd.example.org/v1', '{{}}', 0, CONCAT('crowd-region-', {of_three} MOD {REGIONS * share // 100})"
    )
    registered = _id("registered", f"seq MOD {SERVICES * share // 100}")
    copies = _range(CREDENTIALS, before, share)
    statements = [
        rows(
            "project",
            project,
            f"{own('idle')}, CONCAT('crowd-idle-', seq), '{{}}', '', 1, '<<keystone.domain.root>>', NULL, 1",
            IDLE,
        ),
        rows("role", "id, name, extra", f"{own('idle-role')}, CONCAT('crowd-idle-', seq), '{{}}'", IDLE),
        rows("region", "id, description, extra", "CONCAT('crowd-region-', seq), 'one of many', '{}'", REGIONS),
        rows(
            "service",
            "id, type, enabled, extra",
            f"{own('service')}, CONCAT('crowd-', seq), 0, CONCAT('{{\"name\": \"crowd-', seq, '\"}}')",
            SERVICES,
        ),
        rows(
            "endpoint",
            "id, interface, service_id, url, extra, enabled, region_id",
            endpoint,
            SERVICES * len(INTERFACES),
        ),
        rows(
            "registered_limit",
            "id, service_id, resource_name, default_limit",
            f"{own('registered')}, {own('service')}, 'cores', 10",
            SERVICES,
        ),
        rows(
            "limit",
            "id, project_id, resource_limit, registered_limit_id",
            f"{own('limit')}, {own('project')}, 20, {registered}",
            PROJECTS,
        ),
        rows(
            "policy",
            "id, type, `blob`, extra",
            f"{own('policy')}, 'application/json', '{{\"a\": []}}', '{{}}'",
            POLICIES,
        ),
        "INSERT INTO credential (id, user_id, type, extra, key_hash, encrypted_blob)"
        f" SELECT {own('credential')}, {_id('user', f'seq DIV {CREDENTIALS_OF_USER}')}, 'crowd-copy', extra, key_hash,"
        f" encrypted_blob FROM credential JOIN {copies} WHERE type = '{SEALED}';\n",
        rows(
            "trust",
            "id, trustor_user_id, trustee_user_id, project_id, impersonation, extra",
            f"{own('trust')}, {first}, {_id('user', 'seq + 1')}, {leaf}, 1, '{{}}'",
            TRUSTS,
        ),
        rows("trust_role", "trust_id, role_id", f"{own('trust')}, {_role('reader')}", TRUSTS),
        rows(
            "application_credential",
            "id, name, secret_hash, user_id, project_id, unrestricted",
            f"{own('application')}, CONCAT('crowd-', seq), {secret}, {first}, {leaf}, 0",
            APPLICATION_CREDENTIALS,
        ),
        "INSERT IGNORE INTO application_credential_role (application_credential_id, role_id)"
        f" SELECT internal_id, {_role('reader')} FROM application_credential WHERE user_id = {first};\n",
    ]
    return "".join(statements)


def _grow(share: int, before: int) -> str:
    """From `before` hundredths of all to `share` hundredths."""

    def numbers(count: int) -> str:
        return _range(count, before, share)

    domain = _id("domain", f"seq MOD {DOMAINS}")
    # Within a domain projects are numbered by `seq DIV DOMAINS`; the first is the top.
    place = f"seq DIV {DOMAINS}"
    above = f"(GREATEST({place}, 1) - 1) DIV {CHILDREN}"
    parent = _id("project", f"{above} * {DOMAINS} + seq MOD {DOMAINS}")
    groups, projects = GROUPS * share // 100, PROJECTS * share // 100
    statements = [
        "INSERT INTO project (id, name, extra, description, enabled, domain_id, parent_id, is_domain)"
        f" SELECT {_id('project', 'seq')}, CONCAT('crowd-project-', seq), '{{}}', 'one of many', 1, {domain},"
        f" IF({place} = 0, {domain}, {parent}), 0 FROM {numbers(PROJECTS)} ORDER BY seq;\n",
        "INSERT INTO user (id, extra, enabled, created_at, domain_id)"
        f" SELECT {_id('user', 'seq')}, CONCAT('{{\"email\": \"', seq, '@example.org\"}}'), 1, '2026-01-01', {domain}"
        f" FROM {numbers(USERS)};\n",
        "INSERT INTO local_user (user_id, domain_id, name)"
        f" SELECT {_id('user', 'seq')}, {domain}, CONCAT('crowd-user-', seq) FROM {numbers(USERS)};\n",
        "INSERT INTO password (local_user_id, self_service, password_hash, created_at_int, created_at)"
        " SELECT new.id, 0, old.password_hash, old.created_at_int, old.created_at FROM local_user new"
        " JOIN local_user admin ON admin.name = 'admin' AND admin.domain_id = 'default'"
        " JOIN password old ON old.local_user_id = admin.id"
        " WHERE new.name LIKE 'crowd-user-%' AND NOT EXISTS (SELECT 1 FROM password WHERE local_user_id = new.id);\n",
        "INSERT INTO `group` (id, domain_id, name, description, extra)"
        f" SELECT {_id('group', 'seq')}, {domain}, CONCAT('crowd-group-', seq), '', '{{}}' FROM {numbers(GROUPS)};\n",
    ]
    member = "INSERT IGNORE INTO user_group_membership (user_id, group_id) SELECT "
    for way in range(GROUPS_OF_USER):
        group = _id("group", f"seq * {1 + 6 * way} MOD {groups}")
        statements.append(f"{member}{_id('user', 'seq')}, {group} FROM {numbers(USERS)};\n")
    first = f"'{identify('user', 0)}', {_id('group', 'seq')}"
    statements.append(f"{member}{first} FROM {numbers(GROUPS_OF_FIRST)};\n")
    for way in range(PROJECTS_OF_USER):
        project = _id("project", f"(seq * 13 + {way} * 101) MOD {projects}")
        role = f"IF((seq + {way}) MOD 2, {_role('reader')}, {_role('member')})"
        statements.append(_assign("UserProject", _id("user", "seq"), project, role, 0, numbers(USERS)))
    statements.append(_assign("UserDomain", _id("user", "seq"), domain, _role("reader"), 0, numbers(USERS)))
    for way in range(PROJECTS_OF_GROUP):
        project = _id("project", f"(seq * 7 + {way} * 11) MOD {projects}")
        statements.append(_assign("GroupProject", _id("group", "seq"), project, _role("reader"), 0, numbers(GROUPS)))
    heirs = numbers(DOMAINS * HEIRS)
    statements.append(_assign("UserDomain", _id("user", "seq"), domain, _role("reader"), 1, heirs))
    if before == 0:
        top = f"'{identify('user', 0)}', '{identify('project', 0)}', '{identify('role', 0)}'"
        statements.append(
            "INSERT INTO assignment (type, actor_id, target_id, role_id, inherited)"
            f" VALUES ('UserProject', {top}, 1);\n"
        )
    return "".join(statements)


@dataclasses.dataclass(frozen=True)
class Crowd:
    """What of it the rows ask for. `first` is the first user, `leaf` a project of the lowest level of the tree below
    `top`, which inherits what `first` has."""

    admin: str
    unscoped: str
    subjects: tuple[str, ...]
    member: str
    leaf: str
    first = identify("user", 0)
    group = identify("group", 0)
    domain = identify("domain", 0)
    top = identify("project", 0)
    role = identify("role", 0)
    service = identify("service", 0)

    @property
    def scope(self) -> dict:
        return {"project": {"id": self.leaf}}

    @property
    def rescoping(self) -> Request:
        return issue(rescope(self.unscoped, self.scope))

    def get(self, path: str, token: str | None = None, method: str = "GET") -> Request:
        return Request(method, f"/v3/{path}", {"X-Auth-Token": token or self.admin})


# Tokens that are validated in turn.
SUBJECTS = 50


def _leaf(share: int) -> str:
    """What is furthest below the top: of each level the first."""
    place, deeper = 0, 1
    while deeper * DOMAINS < PROJECTS * share // 100:
        place, deeper = deeper, deeper * CHILDREN + 1
    return identify("project", place * DOMAINS)


# The type of the credential that the others are copies of.
SEALED = "crowd-sealed"


def _seal(client: Client) -> None:
    """Makes the one credential that has to be made by a server, which has the keys."""
    answer = client.send(issue(password(ADMIN, ADMIN_PASSWORD, ADMIN_SCOPE)))
    if answer.status != 201:
        raise Failure(f"{client.address} issues no token: {answer.status} {answer.body[:300]!r}")
    admin = client.with_token(answer.header("X-Subject-Token"))
    credential = {"type": SEALED, "blob": "one of many secrets", "user_id": identify("user", 0)}
    admin.call("POST", "/v3/credentials", {"credential": credential})


def grow(database: MariaDb, client: Client, before: int, share: int) -> None:
    """Adds rows until there are `share` hundredths of all; `before` hundredths are there."""
    if not before:
        _seal(client)
    statements = "" if before else _domains() + _roles()
    statements += _grow(share, before) + _things(share, before)
    database.execute(f"SET autocommit = 0;\n{statements}COMMIT;\nANALYZE TABLE assignment;\n")


def counted(database: MariaDb) -> str:
    """How many of each there are, for people."""
    tables = ("user", "project", "`group`", "user_group_membership", "assignment", "implied_role", "role", "service")
    tables += ("endpoint", "`limit`", "policy", "credential", "trust", "application_credential")
    counts = database.execute("".join(f"SELECT COUNT(*) FROM {table};\n" for table in tables)).split()
    return ", ".join(f"{count} {table.strip('`')}s" for count, table in zip(counts, tables))


def with_tokens(client: Client, share: int) -> Crowd:
    """Gets the tokens that it takes to ask."""

    def token(body: dict) -> str:
        answer = client.send(issue(body))
        if answer.status != 201:
            raise Failure(f"{client.address} issues no token: {answer.status} {answer.body[:300]!r}")
        return answer.header("X-Subject-Token")

    admin = token(password(ADMIN, ADMIN_PASSWORD, ADMIN_SCOPE))
    unscoped = token(password({"id": Crowd.first}, ADMIN_PASSWORD, {"unscoped": {}}))
    found = client.with_token(admin).call("GET", "/v3/roles?name=member").json()["roles"]
    crowd = Crowd(admin, unscoped, (), found[0]["id"], _leaf(share))
    subjects = tuple(token(rescope(unscoped, crowd.scope)) for _ in range(SUBJECTS))
    roles = client.send(validate(admin, subjects[0])).json()["token"]["roles"]
    # What `first` has on `top`, and as an heir of the domain `reader`.
    if len(roles) != 1 + MIDDLE + MIDDLE * LEAVES + 1:
        raise Failure(f"not the roles that were meant, but {len(roles)}: {roles!r:.1000}")
    return dataclasses.replace(crowd, subjects=subjects)
