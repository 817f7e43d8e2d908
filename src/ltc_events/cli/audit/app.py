"""`ltc audit`: the commands below it."""

import typer

from ltc_events.cli.audit import checkpoint, keys, proof, verify

app = typer.Typer(no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Proofs that the log was not changed, verifiable by third parties."""


app.command("checkpoint")(checkpoint.checkpoint)
app.command("verify")(verify.verify)
app.command("proof")(proof.proof)
app.command("check-proof")(proof.check_proof)
app.command("consistency")(proof.consistency)
app.command("export")(proof.export)
app.command("keys")(keys.keys_)
app.command("init-key")(keys.init_key)
app.command("rotate-key")(keys.rotate_key)
