"""The settings: which source goes before which, what is refused, and what is never shown."""

import os
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from ltc_events.bootstrap.services import NoBus, Services
from ltc_events.bootstrap.settings import (
    ENV_FILE,
    PREFIX,
    SettingInvalid,
    Settings,
    SettingsUnreadable,
    load_settings,
    login,
    variable,
)
from ltc_events.cli.main import app
from ltc_events.store.confidential import MASK, without_secrets

TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working directory and an environment without settings."""
    for name in [one for one in os.environ if one.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_flag_goes_before_the_environment_before_the_file_before_the_default(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().kafka_prefix == "ltc"
    (folder / ENV_FILE).write_text("LTC_KAFKA_PREFIX=file\nLTC_METRICS_HOST=file\nOTHER=x\n")
    assert load_settings().kafka_prefix == "file"
    monkeypatch.setenv("LTC_KAFKA_PREFIX", "environment")
    assert load_settings().kafka_prefix == "environment"
    flagged = load_settings(kafka_prefix="flag", log_format=None)
    assert (flagged.kafka_prefix, flagged.metrics_host, flagged.log_format) == ("flag", "file", "auto")
    assert flagged.given(metrics_host="flag", metrics_port=None).metrics_host == "flag"


def test_an_empty_variable_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LTC_METRICS_PORT", "")
    monkeypatch.setenv("LTC_KAFKA_BOOTSTRAP", "")
    assert load_settings().metrics_port is None
    services = Services(load_settings())
    assert services.is_embedded
    assert not services.has_bus
    with pytest.raises(NoBus):
        assert services.bus


@pytest.mark.parametrize(
    ("name", "value"),
    [("LTC_LOG_FORMAT", "xml"), ("LTC_METRICS_PORT", "CANARYbird"), ("LTC_METRICS_PORT", "65536"), ("LTC_UNHEALTHY_AFTER", "0")],
)
def test_a_wrong_setting_is_named_and_not_shown(name: str, value: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ENV_FILE).write_text(f"{name}={value}\n")
    with pytest.raises(SettingInvalid, match=name) as told:
        load_settings()
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingInvalid, match=name):
        load_settings()
    assert value == "0" or value not in told.value.message + told.value.fix
    assert told.value.__suppress_context__, "the trace of its cause would show what was given"


def test_a_file_that_is_no_text_is_named(folder: Path) -> None:
    (folder / ENV_FILE).write_bytes(b"LTC_KAFKA_PREFIX=\xff\n")
    with pytest.raises(SettingsUnreadable, match="UTF-8"):
        load_settings()


def test_no_setting_shows_a_secret() -> None:
    settings = load_settings(
        database_url="postgresql://login:CANARYbird@host/ledger", kafka_bootstrap="CANARYuser:CANARYfish@k:1"
    )
    assert "CANARY" not in f"{settings!r} {settings} {settings.model_dump_json(exclude={'kafka_bootstrap'})}"
    assert without_secrets("told CANARYuser:CANARYfish, told CANARYfish") == f"told {MASK}, told {MASK}"


@given(url=TEXTS, prefix=TEXTS, port=st.integers(1, 65_535), patience=st.floats(0.1, 1e6), actor=TEXTS)
def test_another_process_in_its_environment_has_the_same_settings(
    url: str, prefix: str, port: int, patience: float, actor: str
) -> None:
    settings = load_settings(
        database_url=url, home=Path("/x y"), kafka_prefix=prefix, metrics_port=port, unhealthy_after=patience, actor=actor
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.environment().items():
            patch.setenv(name, value)
        assert load_settings() == settings


HALF_A_LOGIN = [
    ({"kafka_security_protocol": "SASL_SSL"}, "LTC_KAFKA_USERNAME"),
    ({"kafka_security_protocol": "SASL_SSL", "kafka_username": "relay"}, "LTC_KAFKA_PASSWORD_FILE"),
    (
        {
            "kafka_security_protocol": "SASL_SSL",
            "kafka_username": "relay",
            "kafka_password_file": "x",
            "kafka_sasl_mechanism": "OAUTHBEARER",
        },
        "LTC_KAFKA_TOKEN_URL",
    ),
    ({"kafka_username": "relay"}, "LTC_KAFKA_USERNAME"),
    ({"kafka_security_protocol": "SSL", "kafka_password_file": "x"}, "LTC_KAFKA_PASSWORD_FILE"),
    ({"kafka_certificate_file": "x"}, "LTC_KAFKA_CERTIFICATE_FILE"),
    ({"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_username": "x", "kafka_password_file": "x", "kafka_ca_file": "x"},
     "LTC_KAFKA_CA_FILE"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "named"), HALF_A_LOGIN, ids=[named for _, named in HALF_A_LOGIN])
def test_half_a_login_is_refused_and_so_is_what_would_protect_nothing(given: dict[str, str], named: str) -> None:
    with pytest.raises(SettingInvalid, match=named):
        assert Services(load_settings(kafka_bootstrap="k:1", **given)).bus


def test_the_workers_of_one_tree_have_the_same_way_into_kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ltc worker all` hands its settings on by the environment, secrets only as names of files."""
    (tmp_path / "word").write_text("CANARYword")
    flags = {
        "kafka_bootstrap": "k:1",
        "kafka_security_protocol": "SASL_SSL",
        "kafka_ca_file": tmp_path / "ca",
        "kafka_username": "all",
        "kafka_password_file": tmp_path / "word",
        "kafka_sasl_mechanism": "OAUTHBEARER",
        "kafka_token_url": "https://tokens.example.com",
        "kafka_token_scope": "kafka",
    }
    given = load_settings(**flags)
    assert Services(given).bus.security.password() == "CANARYword"  # type: ignore[misc]
    for name, value in given.environment().items():
        assert "CANARY" not in value
        monkeypatch.setenv(name, value)
    assert load_settings() == given
    assert without_secrets("told CANARYword") == f"told {MASK}"


def test_what_is_not_given_is_left_to_the_other_process() -> None:
    assert load_settings().environment() == {}
    assert load_settings().actor == login()


def test_the_flags_of_the_command_line_are_the_settings() -> None:
    """Each variable that a flag reads is a setting, and each setting is the flag of a command."""
    found: dict[str, str] = {}

    def look(command: Any) -> None:
        found.update({str(one.envvar): str(one.name) for one in command.params if one.envvar})
        for name in getattr(command, "commands", {}):
            look(command.commands[name])

    look(typer.main.get_command(app))
    assert set(found) == {variable(name) for name in Settings.model_fields}
    assert all(variable(option) == name for name, option in found.items() if name != "LTC_ACTOR")
