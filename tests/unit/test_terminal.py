"""Terminals that know fewer characters than we use: nothing breaks, and documents lose nothing."""

import csv
import io
import json
import sys

import pytest

from ltc_events.cli.terminal import for_programs, prepare_streams

ORDERS = "\x1b[31mred\x07\u202eexe.gnp\x9b2J"
TEXT = "Müller – “Ünal” × 3 … € 😀 ✗\n"


def terminal(monkeypatch: pytest.MonkeyPatch, encoding: str) -> io.BytesIO:
    """What is written to stdout from now on."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding, write_through=True))
    prepare_streams()
    return written


def test_typography_has_its_plain_form_and_letters_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    written = terminal(monkeypatch, "ascii")
    sys.stdout.write(TEXT)
    assert written.getvalue() == b'M\\u00fcller - "\\u00dcnal" x 3 ... \\u20ac \\ud83d\\ude00 x\n'


def test_a_document_says_the_same_on_every_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    written = terminal(monkeypatch, "ascii")
    for_programs().write(json.dumps(TEXT, ensure_ascii=False))
    assert json.loads(written.getvalue().decode("ascii")) == TEXT


def test_a_terminal_that_knows_them_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    written = terminal(monkeypatch, "utf-8")
    for_programs().write(TEXT)
    assert written.getvalue().decode() == TEXT


def test_a_document_gives_a_terminal_no_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    written = terminal(monkeypatch, "utf-8")
    for_programs().write(ORDERS)
    assert written.getvalue().decode() == ORDERS, "in a pipe or a file it is as it is"
    written = terminal(monkeypatch, "utf-8")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    rows = csv.writer(for_programs(), lineterminator="\n")
    rows.writerow([ORDERS, "Müller"])
    assert written.getvalue().decode() == "\\u001b[31mred\\u0007\\u202eexe.gnp\\u009b2J,Müller\n"
    written = terminal(monkeypatch, "utf-8")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    for_programs().write(json.dumps({"name": ORDERS}, ensure_ascii=False, indent=2))
    assert json.loads(written.getvalue()) == {"name": ORDERS}
    assert not set(written.getvalue().decode()) & set(ORDERS) - set("[31mredexe.gnp2J")
