"""Access keys: which account they select, and their secrets."""

from __future__ import annotations

DEFAULT_ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"

# Keys of the sandbox itself, with their secrets.
SECRETS: dict[str, str] = {"AKIAMUSTERSANDBOX": "sandbox-secret", "AKIAMUSTEROTHER": "sandbox-secret"}


def account_of(access_key: str) -> str:
    """The account a key works in."""
    if access_key.startswith("AKIAMUSTEROTHER"):
        return OTHER_ACCOUNT
    from moto.iam.models import get_account_id_from

    return str(get_account_id_from(access_key))


def secret_of(access_key: str) -> tuple[str, str | None] | None:
    """The secret and the session token of a key; nothing if there is no such key."""
    if access_key in SECRETS:
        return SECRETS[access_key], None
    if access_key.startswith("AKIADENIED"):
        return "sandbox-secret", None
    from moto.iam.models import iam_backends
    from moto.sts.models import sts_backends

    for account in list(iam_backends):
        for backend in list(iam_backends[account].values()):
            for user in backend.users.values():
                for key in user.access_keys:
                    if key.access_key_id == access_key:
                        return str(key.secret_access_key), None
    for account in list(sts_backends):
        for tokens in list(sts_backends[account].values()):
            role = tokens.get_assumed_role_from_access_key(access_key)
            if role is not None:
                return str(role.secret_access_key), str(role.session_token)
    return None
