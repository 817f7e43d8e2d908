"""A plan is carried out: the load flows, faults come and go, and in the end everything comes to rest."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psycopg
from tests.e2e.faults.administrator import Administrator
from tests.e2e.faults.crew import ILL_MAX, Crew
from tests.e2e.faults.expiry import Expiry
from tests.e2e.faults.load import Load
from tests.e2e.faults.observer import Observer
from tests.e2e.faults.plan import Fault, Plan, Step
from tests.e2e.faults.sender import Sender
from tests.e2e.faults.servers import Place, Servers
from tests.e2e.faults.settling import Settling
from tests.proxy import LastRows, Message, Predicate, committed

from ltc_events.bus.records import Outgoing
from ltc_events.store import DatabaseUnreachable

TICK_S = 0.02
LOOK_S = 0.1
BEGUN_S = 1.0
"""The next fault may come when this one has happened, or so long after it was asked for."""
RESERVE_PERCENT = 20
"""The last part of the load is kept back, to flow while some fault still waits for a worker to come to its point."""
TRICKLE = 8
TRICKLE_S = 0.4
REACHED_S = 4.0
SETTLED_S = 120.0
HELD_S = 0.3
LIKE_NO_OTHER = 1 << 30
ALONE = ("restore-backup", "fail-over", "expire-commands")


class Once:
    """Holds for the first message that the predicate holds for."""

    def __init__(self, predicate: Predicate) -> None:
        self._predicate = predicate
        self.happened = False

    def __call__(self, message: Message) -> bool:
        if self.happened or not self._predicate(message):
            return False
        self.happened = True
        return True


class Scene:
    """Plan, load and crew, on the stage of the servers."""

    def __init__(
        self, servers: Servers, place: Place, crew: Crew, observer: Observer, load: Load, plan: Plan, journal: Path, well_s: float
    ) -> None:
        """`well_s`: so long all workers say that they are well, until they leave."""
        self._observer = observer
        self._well_s = well_s
        self._well_since: float | None = None
        self._servers = servers
        self._place = place
        self._crew = crew
        self._load = load
        self._plan = plan
        self._sender = Sender(place.bus_inside)
        self._settling = Settling(place, plan.partitions)
        self._agenda: list[tuple[float, Callable[[], object]]] = []
        self._side = ThreadPoolExecutor(max_workers=2)
        self._repairs: list[Future[object]] = []
        self._down: set[object] = set()
        """A mark for each server that was stopped and is not up again."""
        self._open: dict[Fault, Step] = {}
        """Faults that were asked for and have not happened yet."""
        self._cuts: dict[Fault, Once] = {}
        self._begun = time.monotonic()
        self._journal = journal
        self.administrator = Administrator(place, crew, self._note)
        self.expiry = Expiry(place, crew, self.administrator, self._note)
        self.injected: Counter[Fault] = Counter()
        self.missed: list[Fault] = []
        self.well_until: float | None = None
        """When the workers were told to leave, all of them well."""

    def play(self) -> list[str]:
        """From the first message until all is at rest; what could not come to rest."""
        self._sender.send(self._load.company)
        if wrong := self._await(lambda: "" if self._sender.done() else "nothing is sent", self._settling.unanswered):
            return [f"before the first fault: {wrong}"]
        self._note("the company is at work")
        customers = self._load.customers
        share = len(customers) * (100 - RESERVE_PERCENT) // 100 // max(len(self._plan.steps), 1)
        for number, step in enumerate(self._plan.steps):
            self._step(step, customers[number * share : (number + 1) * share])
        self._let_all_happen(customers[len(self._plan.steps) * share :])
        self._note("no more faults")
        wrong = self._await(self._disorder, self._settling.unfinished)
        wrong = wrong or self._await(partial(self._unwell, time.monotonic()))
        self.well_until = None if wrong else time.monotonic()
        self._note(wrong or "all is at rest")
        self._crew.close()
        self._note("all have left")
        return [wrong] if wrong else []

    def restore(self) -> None:
        """Bring back what is still away."""
        for _, action in list(self._agenda):
            action()
        for repair in self._repairs:
            repair.result()
        for proxy in self._servers.proxies.values():
            proxy.cut_reply = proxy.cut_request = None
        self._side.shutdown()
        self._sender.close()
        self._settling.close()

    def _step(self, step: Step, messages: list[Outgoing]) -> None:
        fault = step.fault
        self._open[fault] = step
        if fault.point:
            self._crew.ask(fault.worker, fault.point, fault.action)
        elif fault.action == "lose-commit-reply":
            self._cut_at(fault, committed)
        elif fault.action == "hold-commit-request":
            self._cut_at(fault, LastRows())
        self._sender.send(messages)
        self._wait(step.delay_ms / 1000)
        deadline = time.monotonic() + BEGUN_S
        while fault in self._open and time.monotonic() < deadline:
            self._tick()

    def _let_all_happen(self, rest: list[Outgoing]) -> None:
        while self._is_a_server_away():
            if self.expiry.waits_for_commands and rest:
                self._sender.send(rest[:TRICKLE])
                del rest[:TRICKLE]
                self._wait(TRICKLE_S)
            self._tick()
        while self._open and rest:
            self._sender.send(rest[:TRICKLE])
            del rest[:TRICKLE]
            self._wait(TRICKLE_S)
        self._note("the rest is sent")
        self._sender.send(rest)
        deadline = time.monotonic() + REACHED_S
        while self._open and time.monotonic() < deadline:
            self._tick()
        self._crew.ask_no_more()
        self._tick()
        self.missed = list(self._open)
        self._open.clear()

    def _tick(self) -> None:
        """A moment passes."""
        time.sleep(TICK_S)
        now = time.monotonic()
        self._crew.tend()
        self.administrator.tend()
        self.expiry.tend()
        for hit in self._crew.hits(lambda worker, point: self._open[Fault("pause", worker, point)].lasts_ms / 1000):
            self._happened(Fault(hit.action, hit.worker, hit.point))
        for fault in [one for one, cut in self._cuts.items() if cut.happened]:
            del self._cuts[fault]
            self._happened(fault)
        for fault, step in [one for one in self._open.items() if self._is_due(one[0])]:
            if self._inject(fault, step):
                self._happened(fault)
        due, self._agenda = (
            [one for one in self._agenda if one[0] <= now],
            [one for one in self._agenda if one[0] > now],
        )
        for _, action in due:
            action()

    def _is_due(self, fault: Fault) -> bool:
        return not fault.point and fault not in self._cuts and fault.action not in ("lose-commit-reply", "hold-commit-request")

    def _note(self, what: str) -> None:
        with self._journal.open("a") as journal:
            journal.write(f"{time.monotonic() - self._begun:6.2f} s  {what}\n")

    def _happened(self, fault: Fault) -> None:
        self._note(str(fault))
        self._open.pop(fault, None)
        self.injected[fault] += 1

    def _inject(self, fault: Fault, step: Step) -> bool:
        """Do what needs no point; whether it could be done now."""
        servers, lasts = self._servers, step.lasts_ms / 1000
        if self.administrator.is_busy or self.expiry.is_busy or (fault.action in ALONE and self._is_a_server_away()):
            return False
        match fault.action:
            case "restore-backup":
                backup = servers.back_up(self._place)
                self._go_back(lasts, lambda: servers.restore(self._place, backup))
            case "expire-commands":
                self.expiry.begin(lasts)
            case "fail-over":
                servers.postgres.keep_a_copy()
                self._go_back(lasts, servers.postgres.fail_over)
            case "add":
                self._crew.add(fault.worker)
            case "kill" | "pause" | "remove" if not self._crew.has(fault.worker):
                return False
            case "kill":
                self._crew.kill(fault.worker)
            case "remove":
                self._crew.remove(fault.worker)
            case "pause":
                self._crew.pause(fault.worker, lasts)
            case "stop-database":
                servers.postgres.stop_immediately()
                self._repair(lasts, servers.postgres.start)
            case "kill-broker":
                servers.broker.kill()
                self._repair(lasts, servers.broker.start)
            case "cut-database":
                return sum([proxy.cut() for proxy in servers.proxies.values()]) > 0
            case "cut-broker":
                return servers.broker.wire.cut() > 0
            case _:
                raise ValueError(fault)
        return True

    def _cut_at(self, fault: Fault, predicate: Predicate) -> None:
        proxy, cut = self._servers.proxies["command"], Once(predicate)
        proxy.times, self._cuts[fault] = LIKE_NO_OTHER, cut
        if fault.action == "lose-commit-reply":
            proxy.cut_reply = cut
        else:
            proxy.cut_request, proxy.hold_s = cut, HELD_S

    def _repair(self, after_s: float, start: Callable[[], object]) -> None:
        """Start a server again, later, without waiting for it."""

        mark = object()
        self._down.add(mark)

        def begin() -> None:
            self._note("a server comes back")
            self._repairs.append(self._side.submit(mend))

        def mend() -> None:
            start()
            self._down.discard(mark)

        self._agenda.append((time.monotonic() + after_s, begin))

    def _go_back(self, after_s: float, go: Callable[[], object]) -> None:
        """Let the store go back, later, while everybody is at work and all servers are up."""

        def begin() -> None:
            if self._down:
                self._agenda.append((time.monotonic() + LOOK_S, begin))
                return
            go()
            self._note("the store has gone back")
            self.administrator.store_went_back()

        self._agenda.append((time.monotonic() + after_s, begin))

    def _is_a_server_away(self) -> bool:
        return (
            self.administrator.is_busy
            or self.expiry.is_busy
            or bool(self._agenda)
            or not all(one.done() for one in self._repairs)
        )

    def _disorder(self) -> str:
        if self._is_a_server_away():
            return "a server is still away"
        if not self._sender.done():
            return "messages are not acknowledged"
        return "" if self._crew.are_all_awake() else "a worker sleeps or does not end"

    def _unwell(self, since: float) -> str:
        """Who, at rest, does not say that it is well."""
        wrong, now = self._observer.unwell(self._crew.at_work(), since), time.monotonic()
        self._well_since = None if wrong else self._well_since or now
        if self._well_since is not None and now - self._well_since < self._well_s:
            return "workers that say they are well, for too short a time"
        return wrong

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._tick()

    def _await(self, *conditions: Callable[[], str]) -> str:
        """Wait until none of the conditions finds anything wrong; otherwise what is wrong."""
        for condition in conditions:
            deadline, known = time.monotonic() + SETTLED_S, ""
            while wrong := _found(condition):
                if wrong[:20] != known[:20]:
                    self._note(wrong)
                known = wrong
                self._wait(LOOK_S)
                if time.monotonic() > deadline or len(self._crew.ill_ends) >= ILL_MAX:
                    return f"at rest with {wrong}"
        return ""


def _found(condition: Callable[[], str]) -> str:
    try:
        return condition()
    except (psycopg.OperationalError, DatabaseUnreachable) as error:
        return f"the database is away: {error}"
