"""The nearest valid word for a value that is none of a closed list."""

import pytest

from ltc_events.importing.nearest_words import nearest_word, words_of

STAGES = ("open", "closed_won", "closed_lost")


@pytest.mark.parametrize(
    ("value", "nearest"),
    [("Closed wun", "closed_won"), ("CLOSED-LOST", "closed_lost"), ("opn", "open"), ("shipped", ""), ("", "")],
)
def test_the_most_similar_word_is_found_whatever_its_case(value: str, nearest: str) -> None:
    assert nearest_word(value, STAGES) == nearest


@pytest.mark.parametrize(
    ("type", "path", "word"),
    [
        ("lead.capture.v1", "channel", "exhibition"),
        ("policy.publish.v1", "content.basis", "delivered"),
        ("credit_note.issue.v1", "reason", "cancellation"),
        ("opportunity.lose.v1", "reason", "other"),
    ],
)
def test_a_fields_words_are_those_of_the_commands_schema(type: str, path: str, word: str) -> None:
    assert word in words_of(type, path)


@pytest.mark.parametrize(
    ("type", "path"), [("lead.capture.v1", "company"), ("lead.capture.v1", "nothing.at.all"), ("lead.capture.v1", ""), ("", "a")]
)
def test_a_field_that_takes_any_text_has_none(type: str, path: str) -> None:
    assert words_of(type, path) == ()
