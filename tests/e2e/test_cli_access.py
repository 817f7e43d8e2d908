"""`ltc access` and the first administrator, as one uses them."""

from tests.commands import register
from tests.e2e.test_cli import Ltc, lines

from ltc_events.scheduling.duties import CLOCK_COMMANDS
from ltc_events.store import Database, Role


def login_of(database: Database) -> str:
    with database.connect(Role.WRITER) as connection:
        return connection.info.user


def test_a_ledger_begins_open_and_its_first_administrator_closes_it(bare_database: Database) -> None:
    me = login_of_owner(bare_database)
    ltc = Ltc(LTC_DATABASE_URL=bare_database.conninfo)
    ltc("init", "--administrator", me)
    ltc("init", "--administrator", me)  # again: what is there stays
    assert "already" in ltc("init", "--administrator", "somebody", exits=1).stderr.decode()
    shown = ltc.json("access", "show")
    assert (shown["version"], shown["content"]["mode"]) == (1, "enforced")
    assert shown["content"]["people"] == {me: ["administrator"]}

    refused = lines(register(actor="somebody"))
    assert b"not_authorised" in ltc("submit", "-", stdin=refused, exits=1).stdout
    assert b'"accepted"' in ltc("submit", "-", stdin=lines(register(actor=me))).stdout


def test_with_kafka_the_clock_is_let_in_as_what_comes_on_the_topic_of_all(bare_database: Database) -> None:
    ltc = Ltc(LTC_DATABASE_URL=bare_database.conninfo, LTC_KAFKA_BOOTSTRAP="localhost:1", LTC_KAFKA_PREFIX="ours")
    ltc("init", "--administrator", login_of_owner(bare_database))
    for name in CLOCK_COMMANDS:
        assert ltc.json("access", "check", "source:kafka:ours.commands", name, "--actor", "ltc-clock")["allowed"]
    assert not ltc.json("access", "check", "source:kafka:ours.commands", "order.place", exits=1)["allowed"]


def login_of_owner(database: Database) -> str:
    with database.connect(Role.OWNER) as connection:
        return connection.info.user


def test_who_closes_the_door_is_inside_unless_he_hands_over(bare_database: Database) -> None:
    ltc, me = Ltc(LTC_DATABASE_URL=bare_database.conninfo), login_of_owner(bare_database)
    error = ltc("init", "--administrator", "nobodyhere", exits=1).stderr.decode()
    assert f"user:{me} could not publish policy access again" in error
    assert "--hand-over" in error
    assert ltc.json("access", "show")["content"]["mode"] == "open"
    ltc("init", "--hand-over", exits=2)

    ltc("init", "--administrator", me)
    ltc("access", "person", "zed", "--role", "administrator")
    for attempt in (["person", me, "--remove"], ["revoke", "administrator", "*"], ["person", me, "--role", "clerk"]):
        assert "again" in ltc("access", *attempt, exits=1).stderr.decode()
    assert me in ltc.json("access", "show")["content"]["people"]
    ltc("access", "open")
    assert "is open" in ltc("init", "--administrator", me, exits=1).stderr.decode()  # not closed: so it does not say that it is
    ltc("access", "enforce")
    ltc("access", "person", me, "--remove", "--hand-over")
    assert "may not send" in ltc("access", "open", exits=1).stderr.decode()


def test_what_matches_nothing_or_has_no_form_is_said_and_not_taken_for_done(database: Database) -> None:
    ltc = Ltc(LTC_DATABASE_URL=database.conninfo)
    ltc("access", "allow", "shop", "order.*", "customer.register")
    ltc("access", "principal", "source:webshop", "--role", "shop")
    before = ltc.json("access", "show")
    for words, told in (
        (["revoke", "shop", "order.place"], "revoke what gives it: order.*"),
        (["revoke", "shop", "customer.register", "order.place"], "order.*"),
        (["revoke", "shopp"], "no rule that gives anything to shopp"),
        (["person", "nobody", "--remove"], "no person nobody"),
        (["principal", "source:webshopp", "--remove"], "no principal source:webshopp"),
        (["four-eyes", "credit_note.issue", "--remove"], "no four eyes for credit_note.issue"),
        (["four-eyes", "order.place", "--role", "manager"], "names no second person"),
    ):
        assert told in " ".join(ltc("access", *words, exits=1).stderr.decode().split())
    for words, told in (
        (["check", "source:webshop", "order.fly"], "invoice.issue"),
        (["check", "webshop", "order.place"], "source:webshop"),
        (["principal", "webshop", "--role", "shop"], "source:webshop"),
        (["allow", "shop", "Order"], "invoice.issue"),
        (["person", "anna"], "--remove"),
        (["four-eyes", "credit_note.issue"], "--remove"),
        (["four-eyes", "credit_note.issue", "--role", "manager", "--remove"], "--remove"),
        (["four-eyes", "Credit", "--role", "manager"], "invoice.issue"),
        (["person", "anna", "--role", "shop", "--remove"], "--remove"),
        (["principal", "source:webshop", "--role", "shop", "--remove"], "--remove"),
        (["allow", "shop", "payment.receive", "--limit", "EUR=1_0"], "EUR=5000"),
        (["allow", "shop", "payment.receive", "--limit", "EUR=NaN"], "EUR=5000"),
    ):
        error = " ".join(ltc("access", *words, exits=2).stderr.decode().split())
        assert told in error
        assert "pattern" not in error
    assert ltc.json("access", "show") == before


def test_a_source_is_let_in_checked_and_locked_out(database: Database) -> None:
    ltc, me = Ltc(LTC_DATABASE_URL=database.conninfo), login_of(database)
    assert "nobody could publish" in ltc("access", "enforce", exits=1).stderr.decode()
    ltc("access", "allow", "administrator", "*")
    ltc("access", "person", me, "--role", "administrator")
    ltc("access", "enforce")
    ltc("access", "allow", "shop", "order.*", "customer.register")
    ltc("access", "allow", "shop", "payment.receive", "--limit", "EUR=5000")
    ltc("access", "principal", "source:webshop", "--role", "shop")

    assert ltc.json("access", "check", "source:webshop", "order.place")["allowed"]
    assert ltc.json("access", "check", "source:webshop", "invoice.issue", exits=1)["why"].startswith("no rule gives")
    as_other = ltc.json("access", "check", "source:webshop", "order.place", "--actor", "ada", exits=1)
    assert as_other["why"] == "source:webshop may not speak for ada"

    before = ltc.json("access", "show")["version"]
    ltc("access", "principal", "source:webshop", "--role", "shop")  # changes nothing
    assert ltc.json("access", "show")["version"] == before
    ltc("access", "revoke", "shop", "customer.register")
    assert not ltc.json("access", "check", "source:webshop", "customer.register", exits=1)["allowed"]
    ltc("access", "principal", "source:webshop", "--remove")
    assert not ltc.json("access", "check", "source:webshop", "order.place", exits=1)["allowed"]
    assert "nobody could publish" in ltc("access", "revoke", "administrator", exits=1).stderr.decode()
    assert "ordr" in ltc("access", "allow", "shop", "ordr.place", exits=1).stderr.decode()
    ltc("access", "open")
    assert ltc.json("access", "check", "source:anybody", "order.place")["allowed"]


def test_commands_take_the_approval_of_another_person_until_they_no_longer_do(database: Database) -> None:
    ltc, me = Ltc(LTC_DATABASE_URL=database.conninfo), login_of(database)
    ltc("access", "allow", "administrator", "*")
    ltc("access", "person", me, "--role", "administrator")
    ltc("access", "person", "otto", "--role", "manager")
    ltc("access", "principal", f"user:{me}", "--speaks-for", "otto")
    ltc("access", "enforce")

    def asked() -> list[tuple[list[str], list[str]]]:
        return [(one["commands"], one["roles"]) for one in ltc.json("access", "show")["content"]["four_eyes"]]

    ltc("access", "four-eyes", "credit_note.issue", "policy.publish.billing", "--role", "manager")
    ltc("access", "four-eyes", "policy.publish.access", "--role", "manager")  # to those that managers approve
    assert asked() == [(["credit_note.issue", "policy.publish.billing", "policy.publish.access"], ["manager"])]
    assert "manager" in ltc("access", "show").stdout.decode()
    assert "four eyes" in ltc.json("access", "check", f"user:{me}", "credit_note.issue", exits=1)["why"]
    assert ltc.json("access", "check", f"user:{me}", "credit_note.issue", "--approver", "otto")["allowed"]

    more = ["four-eyes", "credit_note.issue", "--role", "director", "--role", "manager"]
    assert "names no approver" in ltc("access", *more, exits=1).stderr.decode()
    assert "himself" in ltc("access", *more, "--approver", me, exits=1).stderr.decode()
    ltc("access", *more, "--approver", "otto")  # in place of the managers alone
    by_managers = (["policy.publish.billing", "policy.publish.access"], ["manager"])
    assert asked() == [by_managers, (["credit_note.issue"], ["director", "manager"])]
    error = ltc("access", "four-eyes", "policy.publish", "--remove", "--approver", "otto", exits=1).stderr.decode()
    assert "no four eyes for policy.publish" in error
    ltc("access", "four-eyes", "credit_note.issue", "policy.publish.access", "--remove", "--approver", "otto")
    assert asked() == [(["policy.publish.billing"], ["manager"])]
    ltc("access", "four-eyes", "policy.publish.billing", "--remove")
    assert asked() == []
