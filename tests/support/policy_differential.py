#!/usr/bin/env python3
"""Records what oslo.policy decides, for the policy engine to be held against.

    pip install keystone==30.0.0
    python tests/support/policy_differential.py > tests/support/policy_corpus.json
    python tests/support/policy_differential.py SEED RULES

The corpus has callers (bodies of tokens), targets, and for each rule the decisions for every caller with every
target: one bit each, callers outermost, as a hexadecimal number. It has three parts. `defaults` are Keystone's own
rules under three settings, with the caller in Keystone's own request context and the target flattened by Keystone.
`operators` are the same under the files of each folder in `policies/`: those that are decided otherwise than by
the defaults. `language` are rules made at random (of a fixed seed), and beside them the same with a character
changed: those that oslo.policy can make sense of are under `mutants`, the others under `refused`.

With a seed and a number, that many rules of another seed are decided, and instead of the other parts there are
Keystone's `rules` themselves.
"""

import ast
import json
import logging
import random
import pathlib
import re
import sys
import warnings

from oslo_config import cfg
from oslo_policy import _checks, _parser, policy

from keystone.common import context, policies, utils

SEED = 30
RULES = 420
MUTANTS = 420

ROLES = {name: {"id": f"id-of-{name}", "name": name} for name in ("admin", "manager", "member", "reader", "service")}
ROLES["odd"] = {"id": "id-of-odd", "name": "Site Reader"}
ROLES["Admin"] = {"id": "id-of-Admin", "name": "ADMIN"}


def token(user, home, *roles, **scope):
    user = {"id": user, "name": user, "domain": {"id": home, "name": home}, "password_expires_at": None}
    roles = [ROLES[role] for role in roles]
    return {"methods": ["password", "totp"], "user": user, "roles": roles, "audit_ids": ["a1", "a2"], **scope}


def project(name, domain):
    return {"project": {"id": name, "name": name, "domain": {"id": domain, "name": domain}}, "is_domain": False}


def domain(name):
    return {"domain": {"id": name, "name": name}}


SYSTEM = {"system": {"all": True}}
CALLERS = [
    token("admin", "default", "admin", "reader", **SYSTEM),
    token("u1", "d1", "reader", **SYSTEM),
    token("u1", "d1", "admin", "manager", "member", "reader", **domain("d1")),
    token("u1", "d1", "manager", "member", "reader", **domain("d1")),
    token("u2", "d1", "reader", "odd", **domain("d1")),
    token("u3", "d2", "manager", "reader", **domain("d2")),
    token("u3", "d2", "Admin", **project("p2", "d2")),
    token("u1", "d1", "manager", "member", "reader", **project("p1", "d1")),
    token("u2", "d1", "member", **project("p1", "d1")),
    token("nova", "default", "service", **project("service", "default")),
    token("u1", "d1"),
    # A domain that acts as a project.
    token("u1", "d1", "manager", "reader", project={"id": "d1", "name": "d1", "domain": {"id": None, "name": None}}, is_domain=True),
    token("u2", "d1", "reader", **project("p1", "d1"), **{"OS-TRUST:trust": {"id": "t1", "trustor_user": {"id": "u1"}}}),
]

TARGETS = [
    {},
    {
        "user_id": "u1",
        "target": {
            "user": {"id": "u1", "domain_id": "d1", "enabled": True},
            "credential": {"user_id": "u1"},
            "token": {"user_id": "u1", "user": {"domain": {"id": "d1"}}},
            "trust": {"trustor_user_id": "u1", "trustee_user_id": "u2", "roles": [{"id": "r", "name": "member"}]},
        },
    },
    {
        "user_id": "u2",
        "target": {
            "user": {"id": "u2", "domain_id": "d2", "enabled": False},
            "credential": {"user_id": "u2"},
            "token": {"user_id": "u2"},
            "trust": {"trustor_user_id": "u3", "trustee_user_id": "u1"},
            "group": {"id": "g2", "domain_id": "d2"},
        },
    },
    {
        "project_id": "p1",
        "target": {
            "user": {"id": "u2", "domain_id": "d1"},
            "project": {"id": "p1", "domain_id": "d1", "tags": []},
            "role": {"id": "r", "name": "member", "domain_id": None},
            "domain": {"id": "d1"},
            "domain_id": "d1",
        },
    },
    {
        "target": {
            "group": {"id": "g1", "domain_id": "d1"},
            "user": {"id": "u2", "domain_id": "d1"},
            "domain": {"id": "d1"},
            "role": {"id": "r", "name": "admin", "domain_id": "d1"},
            "limit": {"id": "l", "domain": {"id": "d1"}, "project": {"domain_id": "d1"}, "project_id": None},
        },
    },
    {
        "target": {
            "user": {"id": None, "domain_id": None},
            "group": {"domain_id": None},
            "project": {"id": None, "domain_id": None},
            "domain": {"id": None},
            "role": {"name": "reader", "domain_id": None},
            "limit": {"domain": {"id": None}, "project": {"domain_id": None}, "project_id": None},
            "domain_id": None,
        },
    },
    # What a client sends reaches rules under names of its own.
    {
        "user_id": "u3",
        "request_body": {
            "user_id": "u1",
            "target": {"user": {"id": "u1", "domain_id": "d1"}},
            "user": {"domain_id": "d1", "limit": 1.50, "count": 7, "on": True, "list": ["a", 1, None], "none": None},
            "user.domain_id": "d2",
        },
        "filter_attr": {"name": "reader", "user_id": "u1", "domain_id": "d1"},
    },
    {
        "domain_id": "d1",
        "target": {
            "domain_id": "d1",
            "project": {"id": "p2", "domain_id": "d2", "is_domain": False},
            "limit": {"domain": {"id": None}, "project": {"domain_id": "d2"}, "project_id": "p2"},
            "role": {"name": "manager", "domain_id": "d2"},
            "number": 30,
            "big": 1e16,
            "small": -0.00001,
        },
    },
]

ALIASES = {
    "owner": "user_id:%(target.user.id)s",
    "admins": "role:admin or is_admin:1",
    "own_domain": "domain_id:%(target.user.domain_id)s or domain_id:%(target.group.domain_id)s",
    "nobody": "!",
    "broken": "token.user.id.name:x",
    "nested": "rule:admins or (rule:owner and not rule:nobody)",
}


def credentials(body):
    """The caller as Keystone presents it to oslo.policy."""
    scope, home = body.get("project") or {}, body["user"]["domain"]
    ctx = context.RequestContext(
        user_id=body["user"]["id"],
        user_domain_id=home["id"],
        project_id=scope.get("id"),
        project_domain_id=(scope.get("domain") or {}).get("id"),
        roles=[role["name"] for role in body["roles"]],
        overwrite=False,
    )
    if "system" in body:
        ctx.system_scope = "all"
    if "domain" in body:
        ctx.domain_id = body["domain"]["id"]
        ctx.is_admin_project = False
    ctx.token_reference = {"token": body}
    return ctx


class Understood(logging.Handler):
    """Notices when oslo.policy complains about a rule."""

    def __init__(self):
        super().__init__()
        self.complaints = 0

    def emit(self, record):
        self.complaints += 1


def enforcer(new_defaults=True, file="no-such-file.yaml", dirs=()):
    conf = cfg.ConfigOpts()
    conf([], project="policy-differential", default_config_files=[], default_config_dirs=[])
    made = policy.Enforcer(conf, policy_file=str(file))
    made.suppress_deprecation_warnings = True
    conf.set_override("enforce_new_defaults", new_defaults, "oslo_policy")
    conf.set_override("policy_dirs", [str(one) for one in dirs], "oslo_policy")
    return made


def decisions(made, name):
    """One bit for each caller and target; a check that fails with an error allows nothing."""
    bits = ""
    for body in CALLERS:
        for target in TARGETS:
            flat = utils.flatten_dict(target)
            try:
                bits += "1" if made.enforce(name, flat, credentials(body)) else "0"
            except (TypeError, ValueError, SyntaxError):
                bits += "0"
    return f"{int(bits, 2):0{-(-len(bits) // 4)}x}"


def defaults():
    recorded = {}
    for setting, new_defaults, scopes in (("today", True, True), ("lenient", False, True), ("unscoped", False, False)):
        made = enforcer(new_defaults)
        made.register_defaults(policies.list_rules())
        if not scopes:
            for rule in made.registered_rules.values():
                rule.scope_types = None
        recorded[setting] = {rule.name: decisions(made, rule.name) for rule in policies.list_rules()}
    return recorded


def operators(by_default):
    """By folder and setting, what the files in it change."""
    recorded = {}
    for folder in sorted(pathlib.Path(__file__).with_name("policies").iterdir()):
        (file,) = folder.glob("policy.*[ln]")
        for setting, new_defaults in (("today", True), ("lenient", False)):
            made = enforcer(new_defaults, file, folder.glob("policy.d"))
            made.register_defaults(policies.list_rules())
            made.load_rules()
            decided = {name: decisions(made, name) for name in sorted(made.rules)}
            changed = {name: bits for name, bits in decided.items() if by_default[setting].get(name) != bits}
            recorded.setdefault(folder.name, {})[setting] = changed
    return recorded


def rules():
    """Keystone's rules, as far as they say anything. That a predecessor differs in scope types alone has no effect."""

    def operations(rule):
        for operation in rule.operations:
            methods = operation["method"]
            for method in [methods] if isinstance(methods, str) else methods:
                yield f"{method} {operation['path'].strip()}"

    def older(rule):
        old = rule.deprecated_rule
        return old.check_str if old and old.check_str != rule.check_str else None

    return {
        rule.name: {
            "check": rule.check_str,
            "scopes": rule.scope_types or [],
            "operations": sorted(operations(rule)) if hasattr(rule, "operations") else [],
            "older": older(rule),
        }
        for rule in policies.list_rules()
    }


KEYS = """user_id project_id domain_id target.user.id target.user.domain_id target.user.enabled target.user
target.project.domain_id target.project.tags target.project.is_domain target.role.name target.role.domain_id
target.domain.id target.domain_id target.group.domain_id target.limit.project_id target.trust.roles target.number
target.big target.small target.no.such request_body.user_id request_body.user.domain_id request_body.user.limit
request_body.user.count request_body.user.on request_body.user.list request_body.user.none request_body
filter_attr.name filter_attr.domain_id request_body.target.user.id""".split()
LEFT = """user_id user_domain_id project_id project_domain_id domain_id system_scope system roles is_admin_project
token.user.id token.user.domain.id token.domain.id token.project.domain.id token.project.id token.roles.name
token.methods token.audit_ids token.is_domain token.user.password_expires_at token.user.id.name token.methods.x
token.no.such token.OS-TRUST.id""".split()
LITERALS = """'manager' 'member' "reader" 'd1' None True False 1 7 30 1.5 1.50 -1 'None' 'True' '' -0.00001 30.0""".split()
TEXTS = "u1 u2 d1 d2 p1 all None True False admin reader 1 100%% password %(user_id)s-x %(target.role.name)s:%(target.role.domain_id)s".split()


def leaf(rng):
    kind = rng.random()
    right = f"%({rng.choice(KEYS)})s" if rng.random() < 0.7 else rng.choice(TEXTS)
    if kind < 0.2:
        return "role:" + rng.choice(["admin", "Admin", "manager", "READER", "member", "service", "nobody", "%(target.role.name)s", "%(filter_attr.name)s"])
    if kind < 0.35:
        return "rule:" + rng.choice([*ALIASES, "missing"])
    if kind < 0.4:
        return rng.choice("@!")
    if kind < 0.6:
        return f"{rng.choice(LITERALS)}:{right}"
    return f"{rng.choice(LEFT)}:{right}"


def expression(rng, depth, negated=False):
    kind = rng.random()
    if depth == 0 or kind < 0.25:
        check = leaf(rng)
        # A negated reference to nowhere is refused here, on purpose.
        return "!" if negated and check == "rule:missing" else check
    if kind < 0.4:
        return rng.choice(["not ", "NOT  "]) + enclosed(rng, depth - 1, not negated or True)
    word = rng.choice([" and ", " or ", " AND ", "\tor\n"])
    parts = [expression(rng, depth - 1, negated) for _ in range(rng.randint(2, 4))]
    text = word.join(parts)
    return f"({text})" if rng.random() < 0.5 else text


def enclosed(rng, depth, negated):
    inner = expression(rng, depth, negated)
    return f"({inner})" if re.search(r"\s", inner) else inner


def leaves(check):
    below = [check.rule] if isinstance(check, _checks.NotCheck) else getattr(check, "rules", [])
    yield check
    for part in below:
        yield from leaves(part)


def makes_sense(rule, understood):
    """Whether oslo.policy finds nothing wrong with a rule, at load or when it checks."""
    before = understood.complaints
    tree = _parser.parse_rule(rule)
    if understood.complaints > before:
        return False
    for check in leaves(tree):
        if not isinstance(check, _checks.Check) or isinstance(check, _checks.RuleCheck):
            continue
        try:
            check.match % {}
        except KeyError:
            pass
        except (TypeError, ValueError):
            return False
        if type(check) is _checks.GenericCheck:
            try:
                ast.literal_eval(check.kind)
            except ValueError:
                pass
            except SyntaxError:
                return False
    return True


def mutant(rng, rule):
    at = rng.randrange(len(rule))
    return rule[:at] + rng.choice(["", "(", ")", "'", '"', "%", ":", " ", "@", "x", "not ", "\\", "%d"]) + rule[at + rng.randint(0, 1) :]


def language(rng, understood, count=RULES, changes=MUTANTS):
    made = enforcer()
    texts, mutants, refused = [], [], []
    for _ in range(count):
        texts.append(expression(rng, rng.randint(0, 3)))
    for _ in range(count * 2 // 21):
        texts.append([[leaf(rng) for _ in range(rng.randint(0, 3))] if rng.random() < 0.7 else leaf(rng) for _ in range(rng.randint(0, 3))])
    for _ in range(changes):
        changed = mutant(rng, rng.choice([text for text in texts if isinstance(text, str)][:count]))
        if not changed:
            continue
        (mutants if makes_sense(changed, understood) else refused).append(changed)

    def record(texts):
        texts = [text for index, text in enumerate(texts) if text not in texts[:index]]
        rules = {**ALIASES, **{f"r{index}": text for index, text in enumerate(texts)}}
        made.set_rules(policy.Rules.from_dict(rules), use_conf=False)
        return [[text, decisions(made, f"r{index}")] for index, text in enumerate(texts)]

    return {"language": record(texts), "mutants": record(mutants), "refused": sorted(set(refused))}


def main():
    warnings.simplefilter("ignore")
    understood = Understood()
    for name in ("oslo_policy._parser", "oslo_policy.policy"):
        logging.getLogger(name).addHandler(understood)
        logging.getLogger(name).propagate = False
    corpus = {"callers": CALLERS, "targets": TARGETS, "aliases": ALIASES}
    if len(sys.argv) > 1:
        seed, count = map(int, sys.argv[1:])
        corpus |= {"rules": rules(), **language(random.Random(seed), understood, count, count // 2)}
    else:
        by_default = defaults()
        corpus |= {"defaults": by_default, "operators": operators(by_default)}
        corpus |= language(random.Random(SEED), understood)
    # One line an entry, so that a change can be reviewed.
    text = json.dumps(corpus, separators=(",", ":"))
    text = re.sub(r'(?<=["\]}]),(?=\[?"[^"]*",?"[0-9a-f]{20,}"|\["|\[\[|"identity:)', ",\n", text)
    json.loads(text)
    sys.stdout.write(text + "\n")


main()
