"""The formats that an auditor's tools read, written with `cryptography` and JSON alone.

DSSE 1.0.0, in-toto Statement v1, OpenSSF Model Signing 1.0 (a Sigstore bundle 0.3 with a public key), CycloneDX 1.6
with `modelCard`, W3C PROV-JSON. The verifier beside this file reads them from their specifications.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from autotelic.errors import OversightError
from autotelic.trace.bundle.evidence import encoded
from autotelic.trace.bundle.verify import STATEMENT_TYPE
from autotelic.trace.graph import Provenance

_AGENTS, _ACTIVITIES = ("rules", "run"), ("update", "exam", "decision", "message", "champion saved")


def signing_key(pem: bytes | None = None) -> EllipticCurvePrivateKey:
    """A P-256 key from an unencrypted PEM, or a new one that nobody keeps.

    Model Signing 1.0 knows no Ed25519, so the keys of a ledger cannot be used. Raises OversightError for another key.
    """
    if pem is None:
        return generate_private_key(SECP256R1())
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise OversightError(
            "the key is no unencrypted PEM of a P-256 private key",
            "make one: openssl ecparam -name prime256v1 -genkey -noout -out bundle.key",
        )
    return key


def public_pem(key: EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def envelope(key: EllipticCurvePrivateKey, media: str, payload: bytes) -> dict[str, Any]:
    """A DSSE envelope; `keyid` is the sha256 of the public key's PEM."""
    signature = key.sign(encoded(media, payload), ECDSA(hashes.SHA256()))
    keyid = hashlib.sha256(public_pem(key).encode()).hexdigest()
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": media,
        "signatures": [{"keyid": keyid, "sig": base64.b64encode(signature).decode()}],
    }


def statement(
    subject: Mapping[str, str], predicate_type: str, predicate: Mapping[str, Any]
) -> dict[str, Any]:
    """An in-toto Statement v1 about things by name and sha256 (64 hexadecimal digits)."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in subject.items()],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }


def model_signature(
    key: EllipticCurvePrivateKey, name: str, files: Mapping[str, bytes], to_bytes: Any
) -> dict[str, Any]:
    """An OpenSSF Model Signing 1.0 bundle of a folder of weights; `files` by their names within it."""
    digests = {one: hashlib.sha256(files[one]).digest() for one in sorted(files)}
    root = hashlib.sha256(b"".join(digests.values())).hexdigest()
    predicate = {
        "serialization": {
            "method": "files",
            "hash_type": "sha256",
            "allow_symlinks": False,
            "ignore_paths": [],
        },
        "resources": [
            {"name": one, "algorithm": "sha256", "digest": digest.hex()} for one, digest in digests.items()
        ],
    }
    payload = to_bytes(statement({name: root}, "https://model_signing/signature/v1.0", predicate))
    signed = envelope(key, STATEMENT_TYPE, payload)
    hint = signed["signatures"][0]["keyid"]
    signed["signatures"][0]["keyid"] = ""
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
        "dsseEnvelope": signed,
    }


# ── CycloneDX ────────────────────────────────────────────────────────────────────────────────────────────


def bill_of_materials(
    name: str,
    model: Mapping[str, bytes],
    run: Mapping[str, Any],
    versions: Mapping[str, str],
    scores: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """A CycloneDX 1.6 bill of a model: its files, its model card, the packages that made it."""
    parts = [
        {
            "type": "file",
            "name": file,
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
        }
        for file, content in sorted(model.items())
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, 'autotelic:' + str(run['run']) + ':' + name)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(float(run["time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {
                "components": [{"type": "application", "name": "autotelic", "version": str(run["version"])}]
            },
            "component": {
                "type": "machine-learning-model",
                "bom-ref": "model",
                "name": name,
                "version": str(run["run"]),
                "components": parts,
                "modelCard": _card(run, scores),
            },
        },
        "components": [
            {
                "type": "library",
                "bom-ref": f"pkg:pypi/{package}@{version}",
                "name": package,
                "version": version,
                "purl": f"pkg:pypi/{package}@{version}",
            }
            for package, version in sorted(versions.items())
        ],
    }


def _card(run: Mapping[str, Any], scores: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """CycloneDX's model card: how the model was made, its scores, its limits."""
    return {
        "modelParameters": {
            "approach": {"type": "reinforcement-learning"},
            "task": "text-generation",
            "architectureFamily": "transformer",
            "inputs": [{"format": "text"}],
            "outputs": [{"format": "text"}],
        },
        "quantitativeAnalysis": {
            "performanceMetrics": [
                {
                    "type": "pass@1",
                    "value": f"{one['pass_at_1']:.4f}",
                    "slice": f"exam {one['exam']}, {one['items']} items, digest {one['digest']}",
                    "confidenceInterval": {
                        "lowerBound": f"{one['interval'][0]:.4f}",
                        "upperBound": f"{one['interval'][1]:.4f}",
                    },
                }
                for one in scores
            ]
        },
        "considerations": {
            "useCases": [str(run["purpose"])],
            "technicalLimitations": ["It was measured on its own domain alone; see model-card.md."],
        },
        "properties": [
            {"name": f"autotelic:{key}", "value": str(run[key])}
            for key in ("run", "charter", "start", "seed", "commit")
        ],
    }


# ── PROV ─────────────────────────────────────────────────────────────────────────────────────────────────

_RELATIONS: Mapping[str, tuple[str, str, str]] = {
    "made by": ("wasGeneratedBy", "entity", "activity"),
    "learned on top of": ("used", "activity", "entity"),
    "consisted of": ("used", "activity", "entity"),
    "is": ("wasDerivedFrom", "generatedEntity", "usedEntity"),
    "shows": ("wasDerivedFrom", "generatedEntity", "usedEntity"),
    "answers": ("wasDerivedFrom", "generatedEntity", "usedEntity"),
    "sampled from": ("wasDerivedFrom", "generatedEntity", "usedEntity"),
    "was proposed as": ("wasDerivedFrom", "generatedEntity", "usedEntity"),
    "its writer was shown": ("wasDerivedFrom", "generatedEntity", "usedEntity"),
    "repairs an answer to": ("wasDerivedFrom", "generatedEntity", "usedEntity"),
    "begun by": ("wasAttributedTo", "entity", "agent"),
    "examined in": ("used", "activity", "entity"),
    "judged in": ("used", "activity", "entity"),
    "signed in": ("wasGeneratedBy", "entity", "activity"),
}
"""Our relations as those of PROV, with the roles of source and target."""
_TURNED = ("examined in", "judged in", "signed in")
"""Relations whose source is the second role in PROV."""


def provenance(lineage: Provenance) -> dict[str, Any]:
    """A lineage as W3C PROV-JSON."""
    found: dict[str, Any] = {
        "prefix": {"at": "https://autotelic.invalid/lineage#"},
        "entity": {},
        "activity": {},
        "agent": {},
    }
    kinds = {id_: _kind(facts["kind"]) for id_, facts in lineage.nodes.items()}
    for id_, facts in lineage.nodes.items():
        about = {f"at:{key}": _flat(value) for key, value in facts.items() if value is not None}
        found[kinds[id_]][_name(id_)] = {"prov:label": id_, **about}
    for number, edge in enumerate(lineage.edges):
        relation, first, second = _RELATIONS.get(
            edge.relation, ("wasInfluencedBy", "influencee", "influencer")
        )
        source, target = _name(edge.source), _name(edge.target)
        if edge.relation in _TURNED:
            source, target = target, source
        elif edge.relation == "written by":
            agent = kinds[edge.target] == "agent"
            relation, first, second = (
                ("wasAttributedTo", "entity", "agent")
                if agent
                else ("wasDerivedFrom", "generatedEntity", "usedEntity")
            )
        record = {f"prov:{first}": source, f"prov:{second}": target}
        found.setdefault(relation, {})[f"_:r{number}"] = record
    return found


def _kind(kind: str) -> str:
    return "agent" if kind in _AGENTS else "activity" if kind in _ACTIVITIES else "entity"


def _name(id_: str) -> str:
    return "at:" + id_.replace(":", "-").replace("/", ".")


def _flat(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) else str(value)
