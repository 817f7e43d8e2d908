"""`ltc audit`: the commands below it."""

import typer

from ltc_events.cli.audit import keys, proving, signing, verifying

app = typer.Typer(no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Proofs that nothing was changed, for those who need not believe us."""


app.command("checkpoint")(signing.checkpoint)
app.command("verify")(verifying.verify)
app.command("proof")(proving.proof)
app.command("check-proof")(proving.check_proof)
app.command("consistency")(proving.consistency)
app.command("export")(proving.export)
app.command("keys")(keys.keys_)
app.command("init-key")(keys.init_key)
app.command("rotate-key")(keys.rotate_key)
