"""Two names that nobody can tell apart are one person: who asks for a discount does not approve it as somebody else."""

import pytest

from ltc_events.kernel.person_names import same_person


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bob", "bob"),
        ("Bob", "  BOB "),
        ("Bob", "B\u200bob"),  # a space of no width
        ("Bob", "\u0412ob"),  # the Cyrillic letter that looks like a B
        ("Bob", "\u0392\u03bfb"),  # Greek letters that look like B and o
        ("Bob", "\uff22\uff4f\uff42"),  # letters of full width
        ("Ren\u00e9", "Rene\u0301"),
        ("Ren\u00e9", "Rene"),
        ("Bob Smith", "Bob\u00a0Smith"),
        ("Bob Smith", "BobSmith"),
        ("Bob", " "),
        ("Bob", "\u200b"),
        ("Stra\u00dfe", "STRASSE"),
    ],
)
def test_what_looks_the_same_is_the_same(one: str, other: str) -> None:
    assert same_person(one, other)
    assert same_person(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Bob", "Rob"), ("Bob", "Bobby"), ("Anna", "Hanna"), ("\u738b\u4f1f", "\u674e\u4f1f"), ("bob@a.example", "bob@b.example")],
)
def test_what_differs_to_the_eye_differs(one: str, other: str) -> None:
    assert not same_person(one, other)
