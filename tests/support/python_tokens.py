"""Python Keystone's view of fernet tokens, for the tests that compare it with ours.

    python_tokens.py KEY_REPOSITORY < request.json > answer.json

The request is {"methods": [configured methods], "open": {name: token}}. The answer has for each
token what Keystone's own TokenFormatter decodes ("opened", named as in the test vectors, with the
payload's version), and a token that the same formatter makes of the same content ("resealed"),
with the payload class that Keystone's token provider chooses.
"""

import json
import sys

import keystone.conf
import msgpack
from keystone.server import backends  # noqa: F401  (registers what the formatter needs)
from keystone.token import token_formatters
from keystone.token.providers.fernet import core as provider

FIELDS = (
    "user_id",
    "methods",
    "audit_ids",
    "system",
    "domain_id",
    "project_id",
    "trust_id",
    "federated_group_ids",
    "identity_provider_id",
    "protocol_id",
    "access_token_id",
    "app_cred_id",
    "thumbprint",
    "issued_at",
    "expires_at",
)


class Content:
    """What the provider looks at when it chooses a payload class."""

    def __init__(self, said):
        self.access_token_id = said["access_token_id"]
        self.oauth_scoped = self.access_token_id is not None
        self.trust_id = said["trust_id"]
        self.trust_scoped = self.trust_id is not None
        self.is_federated = said["identity_provider_id"] is not None
        self.federated_groups = said["federated_group_ids"]
        self.identity_provider_id = said["identity_provider_id"]
        self.protocol_id = said["protocol_id"]
        self.application_credential_id = said["app_cred_id"]
        self.oauth2_thumbprint = said["thumbprint"]
        self.project_scoped = self.project_id = said["project_id"]
        self.domain_scoped = self.domain_id = said["domain_id"]
        self.system_scoped = self.system = said["system"]
        self.unscoped = not (self.project_id or self.domain_id or self.system)


def main():
    request = json.load(sys.stdin)
    conf = keystone.conf.CONF
    keystone.conf.configure(conf)
    conf([], project="keystone", default_config_files=[])
    conf.set_override("key_repository", sys.argv[1], "fernet_tokens")
    conf.set_override("methods", request["methods"], "auth")

    formatter = token_formatters.TokenFormatter()
    choose = provider.Provider.__new__(provider.Provider)
    opened, resealed = {}, {}
    for name, token in request["open"].items():
        said = dict(zip(FIELDS, formatter.validate_token(token), strict=True))
        version = msgpack.unpackb(formatter.unpack(token))[0]
        opened[name] = dict(said, version=version)
        payload_class = choose._determine_payload_class_from_token(Content(said))
        content = {k: v for k, v in said.items() if k != "issued_at"}
        resealed[name] = formatter.create_token(payload_class=payload_class, **content)
    json.dump({"opened": opened, "resealed": resealed}, sys.stdout)


if __name__ == "__main__":
    main()
