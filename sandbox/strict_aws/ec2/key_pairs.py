"""Key pairs."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from moto.ec2.utils import public_key_parse

from ..call import Call, operation
from ..errors import AwsError
from ..wire import Params
from . import tagging
from .listing import Listing, describe, path


def _view(call: Call, item: Params, pair: Any) -> Params:
    if call.params.get("IncludePublicKey") and pair.material_public:
        # AWS does not keep the comment of the line, but ends it with the name of the pair.
        item["PublicKey"] = " ".join(pair.public_key.split()[:2]) + f" {pair.key_name}"
    else:
        item.pop("PublicKey", None)
    return item


class _Pairs(Listing):
    """Names and ids, each with its own error."""

    def __call__(self, call: Call) -> Params:
        names = call.params.get("KeyNames") or []
        pairs = call.ec2.key_pairs
        for name in names:
            if name not in pairs:
                raise AwsError("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")
        result = super().__call__(call)
        if names:
            result["KeyPairs"] = [p for p in result["KeyPairs"] if p["KeyName"] in names]
        return result


describe(
    _Pairs(
        name="DescribeKeyPairs",
        member="KeyPairs",
        objects=lambda call: call.ec2.key_pairs.values(),
        ids="KeyPairIds",
        id_of="KeyPairId",
        kind="InvalidKeyPair",
        unknown=("InvalidKeyPair.NotFound", "The key pair ID '{}' does not exist"),
        view=_view,
        maximum=None,
        filters={"key-name": path("KeyName"), "key-pair-id": path("KeyPairId"), "fingerprint": path("KeyFingerprint")},
    )
)


def _fingerprint(pair: Any) -> str:
    """AWS's form for ed25519: SHA-256 of the key blob in base64. For RSA moto is right."""
    if pair.key_type != "ed25519":
        return str(pair.key_fingerprint)
    blob = base64.b64decode(pair.public_key.split()[1])
    return base64.b64encode(hashlib.sha256(blob).digest()).decode()


@operation("ec2", "ImportKeyPair")
def import_pair(call: Call) -> Params:
    tags = tagging.of(call, "key-pair")["key-pair"]
    name, material = call.params["KeyName"], call.params["PublicKeyMaterial"]
    if not 1 <= len(name) <= 255 or not name.isascii():
        raise AwsError("InvalidParameterValue", f"Value ({name}) for parameter keyName is invalid.")
    if name in call.ec2.key_pairs:
        raise AwsError("InvalidKeyPair.Duplicate", f"The keypair already exists: {name}")
    try:
        public_key_parse(material.strip())
    except Exception as error:
        raise AwsError("InvalidKey.Format", "Key is not in valid OpenSSH public key format") from error
    pair = call.ec2.import_key_pair(name, material.strip(), {})
    pair.key_fingerprint = _fingerprint(pair)
    tagging.put(call, pair.id, tags)
    return _made(call, pair)


@operation("ec2", "CreateKeyPair")
def create(call: Call) -> Params:
    tags = tagging.of(call, "key-pair")["key-pair"]
    name = call.params["KeyName"]
    if name in call.ec2.key_pairs:
        raise AwsError("InvalidKeyPair.Duplicate", f"The keypair already exists: {name}")
    pair = call.ec2.create_key_pair(name, call.params.get("KeyType", "rsa"), {})
    if pair.key_type is None:
        pair.key_type = "rsa"
    pair.key_fingerprint = _fingerprint(pair)
    tagging.put(call, pair.id, tags)
    return _made(call, pair) | {"KeyMaterial": pair.key_material}


def _made(call: Call, pair: Any) -> Params:
    return {
        "KeyName": pair.key_name,
        "KeyPairId": pair.id,
        "KeyFingerprint": pair.key_fingerprint,
        "Tags": tagging.listed(call, pair.id),
    }


@operation("ec2", "DeleteKeyPair")
def delete(call: Call) -> Params:
    name, pair_id = call.params.get("KeyName"), call.params.get("KeyPairId")
    if name is None and pair_id is None:
        raise AwsError("MissingParameter", "The request must contain the parameter KeyName or KeyPairId")
    for pair in list(call.ec2.key_pairs.values()):
        if pair_id == pair.id or (pair_id is None and name == pair.key_name):
            del call.ec2.key_pairs[pair.key_name]
            call.ec2.tags.pop(pair.id, None)
            return {"Return": True, "KeyPairId": pair.id}
    if pair_id is not None:
        raise AwsError("InvalidKeyPair.NotFound", f"The key pair ID '{pair_id}' does not exist")
    return {"Return": True}
