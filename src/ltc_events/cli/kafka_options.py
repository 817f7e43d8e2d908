"""The options that say where Kafka is and how it lets us in: each is a setting of the same name."""

from pathlib import Path
from typing import Annotated

import typer

Bootstrap = Annotated[
    str | None,
    typer.Option(envvar="LTC_KAFKA_BOOTSTRAP", help="Kafka, as host:port,...; without it, no bus.", show_default=False),
]
Prefix = Annotated[
    str | None,
    typer.Option(
        envvar="LTC_KAFKA_PREFIX",
        help="What names of topics and groups begin with; one per ledger on a cluster.",
        show_default="ltc",
    ),
]
SecurityProtocol = Annotated[
    str | None,
    typer.Option(
        envvar="LTC_KAFKA_SECURITY_PROTOCOL", help="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.", show_default="PLAINTEXT"
    ),
]
CaFile = Annotated[
    Path | None,
    typer.Option(
        envvar="LTC_KAFKA_CA_FILE",
        help="Certificates of the authorities to believe, PEM; default: the system's.",
        show_default=False,
    ),
]
CertificateFile = Annotated[
    Path | None,
    typer.Option(envvar="LTC_KAFKA_CERTIFICATE_FILE", help="Our certificate, PEM, with its chain.", show_default=False),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(envvar="LTC_KAFKA_KEY_FILE", help="Its key, PEM; default: the file of the certificate.", show_default=False),
]
KeyPasswordFile = Annotated[
    Path | None,
    typer.Option(envvar="LTC_KAFKA_KEY_PASSWORD_FILE", help="A file with the password of the key.", show_default=False),
]
SaslMechanism = Annotated[
    str | None,
    typer.Option(
        envvar="LTC_KAFKA_SASL_MECHANISM",
        help="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.",
        show_default="SCRAM-SHA-512",
    ),
]
Username = Annotated[
    str | None,
    typer.Option(envvar="LTC_KAFKA_USERNAME", help="Who we are there; with OAUTHBEARER the client's id.", show_default=False),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        envvar="LTC_KAFKA_PASSWORD_FILE",
        help="A file with the password; with OAUTHBEARER the client's secret.",
        show_default=False,
    ),
]
TokenUrl = Annotated[
    str | None,
    typer.Option(envvar="LTC_KAFKA_TOKEN_URL", help="Where OAUTHBEARER's tokens come from (https).", show_default=False),
]
TokenScope = Annotated[
    str | None, typer.Option(envvar="LTC_KAFKA_TOKEN_SCOPE", help="The scope that tokens are asked for.", show_default=False)
]
