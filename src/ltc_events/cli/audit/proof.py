"""`ltc audit proof|check-proof|consistency|export`: proofs in files, which other people's tools read."""

from pathlib import Path
from typing import Annotated

import typer

from ltc_events.cli.audit.checkpoint import Log, LogOption
from ltc_events.cli.context import services_of
from ltc_events.cli.output import err
from ltc_events.cli.terminal import for_programs
from ltc_events.querying.whole_file import whole_file

SIZE_MAX = (1 << 63) - 1


def proof(
    context: typer.Context,
    position: Annotated[int, typer.Argument(min=1, max=SIZE_MAX, help="Of the event.")],
    name: Annotated[Path, typer.Option("--output", "-o", help="Write NAME.leaf and NAME.tlog-proof.", metavar="NAME")],
) -> None:
    """Write the proof that an event is in the log: its leaf, and the path from there to the checkpoint."""
    from ltc_events.audit.keys import read_keys
    from ltc_events.audit.proof_files import prove_event
    from ltc_events.bootstrap.services import open_store
    from ltc_events.store import Role
    from ltc_events.store.transparency import TransparencyStore

    services = services_of(context)
    keys = read_keys(services.settings.notary_key)
    with open_store(services.database, Role.NOTARY) as events, TransparencyStore(services.database) as store:
        leaf, proved = prove_event(events, store, keys, position)
    for path, data in ((beside(name, "leaf"), leaf), (beside(name, "tlog-proof"), bytes(proved))):
        with whole_file(path) as part:
            part.write_bytes(data)
    err.print(f"{beside(name, 'leaf')} and {beside(name, 'tlog-proof')} are written.", soft_wrap=True, markup=False)


def check_proof(
    name: Annotated[Path, typer.Argument(help="As given to `proof`; reads NAME.leaf and NAME.tlog-proof.")],
    vkey: Annotated[
        Path | None, typer.Option("--vkey", help="A file with the log's public key, as `ltc audit keys` prints it.", exists=True)
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="A C2SP tlog-policy file: keys of logs and witnesses, and a quorum.", exists=True),
    ] = None,
) -> None:
    """Verify a proof with the log's public key alone, without a ledger. Exit 1 if it does not."""
    from ltc_events.proofs.checkpoint import Checkpoint
    from ltc_events.proofs.hashing import leaf_hash
    from ltc_events.proofs.note import Note, Verifier
    from ltc_events.proofs.policy import Policy, parse_policy
    from ltc_events.proofs.proof import check_inclusion
    from ltc_events.proofs.tlog_proof import TlogProof

    if (vkey is None) == (policy is None):
        raise typer.BadParameter("give either the log's key or a policy: by what should it be believed?", param_hint="--vkey")
    leaf_file, proof_file = beside(name, "leaf"), beside(name, "tlog-proof")
    for path in (leaf_file, proof_file):
        if not path.is_file():
            raise typer.BadParameter(f"there is no file {path}", param_hint="NAME")
    if policy is not None:
        believed = parse_policy(policy.read_text(encoding="utf-8"))
    else:
        lines = vkey.read_text(encoding="utf-8").split() if vkey is not None else []
        believed = Policy(tuple(map(Verifier.parse, lines)), {}, {})
    proved, leaf = TlogProof.parse(proof_file.read_bytes()), leaf_file.read_bytes()
    note = Note.parse(proved.checkpoint)
    believed.require(note)
    checkpoint = Checkpoint.parse(note.text)
    check_inclusion(leaf_hash(leaf), proved.index, checkpoint.size, checkpoint.root, proved.hashes)
    err.print(f"It holds: leaf {proved.index} of {checkpoint.size} of {checkpoint.origin}.", soft_wrap=True, markup=False)


def consistency(
    context: typer.Context,
    old: Annotated[int, typer.Argument(min=1, max=SIZE_MAX, help="The size of the checkpoint that you have.")],
    new: Annotated[
        int | None, typer.Argument(min=1, max=SIZE_MAX, help="The size of a later checkpoint; default: the last signed one.")
    ] = None,
    log: LogOption = Log.EVENTS,
) -> None:
    """Print the proof that the log only grew between two sizes: one hash per line, in the format of witnesses."""
    from ltc_events.audit.keys import read_keys
    from ltc_events.audit.proof_files import prove_consistency
    from ltc_events.proofs.tlog_proof import consistency_text
    from ltc_events.store.transparency import TransparencyStore

    services = services_of(context)
    origin = read_keys(services.settings.notary_key).origin(log.value)
    with TransparencyStore(services.database) as store:
        hashes = prove_consistency(store, origin, old, new)
    for_programs().write(consistency_text(hashes))


def export(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder; created if missing, and extended by what is new.", file_okay=False)
    ],
    log: LogOption = Log.EVENTS,
) -> None:
    """Write a log as files for a web server: checkpoint, tiles, entries, public key.

    They are laid out as C2SP tlog-tiles has it.
    """
    from ltc_events.audit.keys import read_keys
    from ltc_events.audit.proof_files import export_log
    from ltc_events.bootstrap.services import open_store
    from ltc_events.store import Role
    from ltc_events.store.transparency import TransparencyStore

    services = services_of(context)
    keys = read_keys(services.settings.notary_key)
    with open_store(services.database, Role.NOTARY) as events, TransparencyStore(services.database) as store:
        signed = export_log(events, store, keys, log.value, folder)
    err.print(f"{folder} has the {signed.size} leaves of {signed.log}.", soft_wrap=True, markup=False)


def beside(name: Path, suffix: str) -> Path:
    """NAME.suffix, whatever dots the name has."""
    return name.with_name(f"{name.name}.{suffix}")
