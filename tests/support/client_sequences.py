"""What a tool like Terraform does with each kind of thing: make it, read it, find nothing to change, change it, read
it and find nothing to change again, delete it, and find it gone. By openstacksdk; and each kind is shown once by a
command of `openstack`.

    client_sequences.py

The cloud and its admin are named by OS_AUTH_URL and the like, as for `openstack`. Ends with an error at the first
answer that is not as it should be.
"""

import contextlib
import io
import json
import os

import openstack
from keystoneauth1 import exceptions as auth_exceptions
from keystoneauth1 import session as auth_session
from keystoneauth1.identity import v3
from openstackclient import shell

URL = os.environ["OS_AUTH_URL"]
connection = openstack.connect()
identity = connection.identity
ADMIN = connection.current_user_id
# Attributes that are given, and not shown as they were.
UNSEEN = {"password", "secret", "roles", "access_rules", "expires_at"}
PASSWORD = "a password of these tests"


def expect(fine, what, *seen):
    if not fine:
        raise AssertionError(f"{what}: {seen!r:.2000}")


def command(*words):
    """What `openstack WORDS` prints. In this process: to start one for each takes longer than all else."""
    printed, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
        code = shell.main([*words, "--format", "json"])
    expect(code == 0, f"openstack {' '.join(words)}", code, errors.getvalue())
    return json.loads(printed.getvalue())


def request(method, path, *statuses, body=None):
    answer = identity.request(path, method, json=body, raise_exc=False)
    expect(answer.status_code in statuses, f"{method} {path}", answer.status_code, answer.text)
    return answer


def require_as_wanted(what, shown, wanted):
    """Nothing is left to change: each attribute is what it was made or changed to."""
    different = {name: shown[name] for name in wanted.keys() - UNSEEN if shown[name] != wanted[name]}
    expect(not different, f"{what} would be changed again", different, wanted)


def require_gone(what, read):
    try:
        found = read()
    except openstack.exceptions.NotFoundException:
        return
    expect(False, f"{what} is still there", found)


@contextlib.contextmanager
def kept(noun, wanted, change=None, *, of=(), query=None, before_end=None):
    """Makes one of these, changes it, and gives it; at the end deletes it. `of` is what it belongs to, `query` what
    lists are asked for."""

    def call(verb, *arguments, **attributes):
        return getattr(identity, f"{verb}_{noun}")(*of, *arguments, **attributes)

    def read():
        return call("get", made.id)

    def listed():
        plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
        return [one for one in getattr(identity, plural)(*of, **(query or {})) if one.id == made.id]

    def settle():
        first, again, all_of_it = read(), read(), listed()
        require_as_wanted(f"the {noun} that was read", first, wanted)
        expect(first.to_dict() == again.to_dict(), f"the {noun} differs when it is read again", first, again)
        expect(len(all_of_it) == 1, f"the {noun} is in the list", all_of_it)
        require_as_wanted(f"the {noun} of the list", all_of_it[0], wanted)

    made = call("create", **wanted)
    require_as_wanted(f"the new {noun}", made, wanted)
    settle()
    if change:
        wanted = wanted | change
        require_as_wanted(f"the changed {noun}", call("update", made.id, **change), wanted)
        settle()
    shown = command(*noun.split("_"), "show", made.id)
    expect(made.id in shown.values(), f"openstack {noun} show", shown)
    yield made
    if before_end:
        before_end(made)
    call("delete", made.id, ignore_missing=False)
    require_gone(noun, read)
    expect(listed() == [], f"the {noun} is still in the list")
    require_gone(noun, lambda: call("delete", made.id, ignore_missing=False))


def login(plugin):
    """What a token says that is had in this way, and a session with it; nothing where it is refused."""
    session = auth_session.Session(plugin)
    try:
        return plugin.get_access(session), session
    except auth_exceptions.HttpError as refused:
        expect(refused.http_status in (401, 403, 404), "a login is refused otherwise", refused.http_status, refused)
        return None


def roles_of(**query):
    return [one.role["id"] for one in identity.role_assignments(**query)]


def assignments(user, group, project, domain, role):
    """Given, found by checking and by listing, taken away, and gone; to a member by the group."""
    for kind, actor, place, target in (
        ("user", user, "project", project),
        ("user", user, "domain", domain),
        ("group", group, "project", project),
        ("group", group, "domain", domain),
    ):
        what = f"{place}_role_{{}}_{kind}"
        query = {f"{kind}_id": actor.id, f"scope_{place}_id": target.id}

        def held(question=f"validate_{kind}_has_{place}_role", target=target, actor=actor):
            return getattr(identity, question)(target, actor, role)

        expect(not held(), "nothing is assigned yet")
        for _ in range(2):
            # What is assigned already is assigned without complaint.
            getattr(identity, f"assign_{what.format('to')}")(target, actor, role)
            expect(held(), "it is assigned", query)
            expect(roles_of(**query) == [role.id], "it is listed once", query)
        named = command("role", "assignment", "list", f"--{kind}", actor.id, f"--{place}", target.id, "--names")
        expect([one["Role"] for one in named] == [role.name], "openstack role assignment list", named)
        effective = {"user_id": user.id, f"scope_{place}_id": target.id, "effective": True}
        expect(role.id in roles_of(**effective), "the user has it", query)
        getattr(identity, f"unassign_{what.format('from')}")(target, actor, role)
        expect(not held(), "it is gone", query)
        expect(roles_of(**query) == [], "it is listed no more", query)
        expect(role.id not in roles_of(**effective), "the user has it no more", query)


def members(user, group):
    """A group's, by both ways to list them."""

    def seen():
        return (
            identity.check_user_in_group(user, group),
            [one.id for one in identity.group_users(group)],
            [one.id for one in identity.user_groups(user)],
        )

    expect(seen() == (False, [], []), "nobody is a member", seen())
    for _ in range(2):
        identity.add_user_to_group(user, group)
        expect(seen() == (True, [user.id], [group.id]), "the user is a member", seen())
    identity.remove_user_from_group(user, group)
    expect(seen() == (False, [], []), "the user is a member no more", seen())
    identity.add_user_to_group(user, group)


def implied(role):
    """A role that another implies."""
    made = {"name": "seq-implied", "description": "implied"}
    with kept("role", made) as other:
        path = f"/roles/{role.id}/implies"
        request("GET", f"{path}/{other.id}", 404)
        for status in (201, 409):
            request("PUT", f"{path}/{other.id}", status)
            found = request("GET", path, 200).json()["role_inference"]["implies"]
            expect([one["id"] for one in found] == [other.id], "the implied role is listed once", found)
            request("GET", f"{path}/{other.id}", 200)
        pairs = [(one["Prior Role ID"], one["Implied Role ID"]) for one in command("implied", "role", "list")]
        expect((role.id, other.id) in pairs, "openstack implied role list", pairs)
        request("DELETE", f"{path}/{other.id}", 204)
        request("GET", f"{path}/{other.id}", 404)
        request("DELETE", f"{path}/{other.id}", 404)


def application_credentials():
    """Of the admin, by which it logs in; one may do what its access rules say."""
    wanted = {"name": "seq-plain", "description": "plain", "roles": [{"name": "reader"}], "unrestricted": False}
    rule = {"service": "compute", "method": "GET", "path": "/v2.1/servers"}
    ruled = {"name": "seq-ruled", "description": "ruled", "expires_at": "2099-01-01T00:00:00", "access_rules": [rule]}
    rules = {}

    def used(made):
        return login(
            v3.ApplicationCredential(URL, application_credential_id=made.id, application_credential_secret=made.secret)
        )

    with kept("application_credential", wanted, of=[ADMIN]) as made:
        access, session = used(made)
        expect(access.role_names == ["reader"], "it has the role that it was given", access.role_names)
        expect(access.project_id == connection.current_project_id, "it is for the project", access.project_id)
        own = session.get(f"{URL}/users/{ADMIN}", raise_exc=False)
        expect(own.status_code == 200, "its token is good", own.text)
    expect(used(made) is None, "nobody logs in by what is gone")

    with kept("application_credential", ruled, of=[ADMIN]) as made:
        (shown,) = identity.get_application_credential(ADMIN, made.id).access_rules
        expect({name: shown[name] for name in rule} == rule, "it has the rule", shown)
        rules[shown["id"]] = rule
        access, session = used(made)
        own = session.get(f"{URL}/users/{ADMIN}", raise_exc=False)
        expect(own.status_code == 401, "its rule says nothing of users", own.status_code, own.text)
        one = command("access", "rule", "show", shown["id"])
        expect(one["Path"] == rule["path"], "openstack access rule show", one)
        request("DELETE", f"/users/{ADMIN}/access_rules/{shown['id']}", 403)
    # A rule outlives what it was made for, and may be used again.
    for one in rules:
        listed = [rule.id for rule in identity.access_rules(ADMIN)]
        expect(listed == [one], "the rule is listed", listed)
        require_as_wanted("the access rule", identity.get_access_rule(ADMIN, one), rules[one])
        identity.delete_access_rule(ADMIN, one, ignore_missing=False)
        require_gone("access rule", lambda one=one: identity.get_access_rule(ADMIN, one))


def trusts(user, project):
    """Of the admin to the user, who acts by it."""
    member = next(identity.roles(name="member"))
    identity.assign_project_role_to_user(project, ADMIN, member)
    wanted = {
        "trustor_user_id": ADMIN,
        "trustee_user_id": user.id,
        "project_id": project.id,
        "is_impersonation": True,
        "roles": [{"name": "member"}],
        "expires_at": "2099-01-01T00:00:00.000000Z",
    }

    def used(made):
        return login(v3.Password(URL, user_id=user.id, password=PASSWORD, trust_id=made.id))

    with kept("trust", wanted) as made:
        expect([one["id"] for one in made.roles] == [member.id], "it has the role that it was given", made.roles)
        access, _ = used(made)
        expect(access.trustor_user_id == ADMIN, "the trustee acts for the trustor", access.trustor_user_id)
        expect("member" in access.role_names, "it has the role", access.role_names)
    expect(used(made) is None, "nobody logs in by what is gone")
    identity.unassign_project_role_from_user(project, ADMIN, member)


def ec2_credentials(user, project):
    path = f"/users/{user.id}/credentials/OS-EC2"
    made = request("POST", path, 201, body={"tenant_id": project.id}).json()["credential"]
    one = f"{path}/{made['access']}"
    for _ in range(2):
        expect(request("GET", one, 200).json()["credential"] == made, "it is read as it was made")
        listed = request("GET", path, 200).json()["credentials"]
        expect([key["access"] for key in listed] == [made["access"]], "it is listed once", listed)
    shown = command("ec2", "credentials", "show", "--user", user.id, made["access"])
    expect(made["access"] in shown.values(), "openstack ec2 credentials show", shown)
    request("DELETE", one, 204)
    request("GET", one, 404)
    expect(request("GET", path, 200).json()["credentials"] == [], "it is listed no more")
    request("DELETE", one, 404)


def catalog(domain, project):
    """A region within another, a service, its endpoint; and what may be used of the service."""
    with contextlib.ExitStack() as stack:

        def keep(noun, wanted, change):
            return stack.enter_context(kept(noun, wanted, change))

        above = keep("region", {"id": "seq-region", "description": "above"}, {"description": "changed"})
        below = {"id": "seq-region-below", "parent_region_id": above.id}
        region = keep("region", below | {"description": "below"}, {"description": ""})
        service = keep(
            "service",
            {"name": "seq-service", "type": "seq", "description": "one"},
            {"name": "seq-renamed", "description": "two", "is_enabled": False},
        )
        endpoint = {"interface": "public", "service_id": service.id, "region_id": region.id}
        keep(
            "endpoint",
            endpoint | {"url": "http://seq.example.org/v1"},
            {"url": "http://seq.example.org/v2/%(project_id)s", "interface": "internal", "is_enabled": False},
        )
        usage = {"service_id": service.id, "resource_name": "cores"}
        keep(
            "registered_limit",
            usage | {"default_limit": 10, "description": "all"},
            {"default_limit": 20, "description": "all of them"},
        )
        for owner in ({"project_id": project.id}, {"domain_id": domain.id}):
            keep(
                "limit",
                usage | owner | {"resource_limit": 5, "description": "one"},
                {"resource_limit": 7, "description": "the one"},
            )


def everything():
    with contextlib.ExitStack() as stack:

        def keep(noun, wanted, change, **more):
            return stack.enter_context(kept(noun, wanted, change, **more))

        domain = keep(
            "domain",
            {"name": "seq-domain", "description": "one", "is_enabled": True},
            {"name": "seq-domain-renamed", "description": ""},
            before_end=lambda domain: identity.update_domain(domain, is_enabled=False),
        )
        of = {"domain_id": domain.id}
        project = keep(
            "project",
            of | {"name": "seq-project", "description": "one", "is_enabled": True, "tags": ["blue", "red"]},
            {"name": "seq-project-renamed", "description": "two", "tags": ["blue"]},
        )
        for tags, found in (("blue", [project.id]), ("red", [])):
            listed = [one.id for one in identity.projects(tags=tags)]
            expect(listed == found, f"projects with the tag {tags}", listed)
        keep("project", of | {"name": "seq-below", "parent_id": project.id}, {"is_enabled": False})
        user = keep(
            "user",
            of | {"name": "seq-user", "email": "one@example.org", "description": "one", "password": PASSWORD + "1"},
            {"name": "seq-user-renamed", "email": "two@example.org", "password": PASSWORD},
        )
        group = keep("group", of | {"name": "seq-group", "description": "one"}, {"description": "two"})
        role = keep("role", {"name": "seq-role", "description": "one"}, {"description": "two"})
        # As it is now called.
        user, group, role = identity.get_user(user), identity.get_group(group), identity.get_role(role)
        keep("role", of | {"name": "seq-role-of-domain"}, {"name": "seq-role-of-domain-renamed"}, query=of)
        members(user, group)
        assignments(user, group, project, domain, role)
        implied(role)
        keep(
            "credential",
            {"type": "cert", "blob": "one", "user_id": user.id, "project_id": project.id},
            {"blob": "two"},
        )
        ec2_credentials(user, project)
        trusts(user, project)
        application_credentials()
        catalog(domain, project)


everything()
