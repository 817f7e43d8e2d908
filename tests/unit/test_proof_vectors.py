"""transparency-dev's proofs, right and wrong ones: each is answered as they say."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from tests.unit.shared_data import SHARED_DATA, need

from ltc_events.proofs.errors import ProofError
from ltc_events.proofs.proof import check_consistency, check_inclusion

VECTORS = SHARED_DATA / "tlog"


def vectors(kind: str) -> list[Path]:
    return sorted((VECTORS / kind).rglob("*.json"))


def hashes(texts: list[str] | None) -> list[bytes]:
    return [b64decode(text) for text in texts or []]


def said(vector: dict[str, Any], check: Any, *arguments: Any) -> bool:
    try:
        check(*arguments)
    except ProofError:
        return False
    return True


@need("tlog")
def test_all_of_them_are_there() -> None:
    assert (len(vectors("inclusion")), len(vectors("consistency"))) == (98, 98)


@need("tlog")
@pytest.mark.parametrize("path", vectors("inclusion"), ids=str)
def test_inclusion(path: Path) -> None:
    one = json.loads(path.read_text())
    leaf, root = b64decode(one["leafHash"]), b64decode(one["root"] or "")
    holds = said(one, check_inclusion, leaf, one["leafIdx"], one["treeSize"], root, hashes(one["proof"]))
    assert holds is not one["wantErr"], one["desc"]


@need("tlog")
@pytest.mark.parametrize("path", vectors("consistency"), ids=str)
def test_consistency(path: Path) -> None:
    one = json.loads(path.read_text())
    roots = b64decode(one["root1"] or ""), b64decode(one["root2"] or "")
    holds = said(one, check_consistency, one["size1"], one["size2"], *roots, hashes(one["proof"]))
    assert holds is not one["wantErr"], one["desc"]
