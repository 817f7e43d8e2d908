"""Many callers with one command each, against the same commands in batches: what group commit keeps of the pipeline's speed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles
from time import perf_counter

import orjson

from benchmarks.commands import rate
from benchmarks.figure import Figure, Target, against_peer, within
from benchmarks.place import BATCH, Place, company, in_batches
from ltc_events.application.command_service import CommandService
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bootstrap.services import Services, open_pipeline
from ltc_events.bootstrap.settings import load_settings

CALLERS = 64
P99_MAX_MS = 50.0


def measure(place: Place) -> Iterator[Figure]:
    """A company's year in stretches, on two ledgers in turns: by one pipeline in batches of 500, and by 64 threads that each
    wait for the answer to one command before they send the next. The commands of a customer are one thread's, in order."""
    shared, documents = _divided(company(place.sizes.customers))
    stretches = list(in_batches(documents, -(-len(documents) // (2 * place.sizes.rounds))))
    place.settle()
    batched: list[tuple[int, float]] = []
    single: list[tuple[int, float]] = []
    waits: list[float] = []
    with (
        open_pipeline(place.database()) as pipeline,
        Services(load_settings(), place.database()).command_service() as service,
        ThreadPoolExecutor(CALLERS) as callers,
    ):
        pipeline.submit(shared)
        service.submit(shared)
        for stretch in stretches:
            batched.append((len(stretch), _seconds(pipeline, [one for _, one in stretch])))
            shares = _shares(stretch)
            began = perf_counter()
            waits += [wait for found in callers.map(lambda share: _by_one(service, share), shares) for wait in found]
            single.append((len(stretch), perf_counter() - began))
    name = f"commands, one at a time by {CALLERS} callers"
    yield against_peer(name, "commands/s", rate(single), "the same in batches", rate(batched), Target(ratio_min=0.6))
    yield within(f"{name}: p99 of the answer", "ms", quantiles(waits, n=100)[98] * 1000, P99_MAX_MS)


def _divided(documents: Sequence[bytes]) -> tuple[list[bytes], list[tuple[str, bytes]]]:
    """What belongs to the company, which comes first, and what belongs to a customer, with the customer's id."""
    shared, own = [], []
    for document in documents:
        customer = orjson.loads(document).get("partitionkey")
        if customer:
            own.append((customer, document))
        else:
            shared.append(document)
    return shared, own


def _shares(stretch: Sequence[tuple[str, bytes]]) -> list[list[bytes]]:
    """Each caller's documents: those of its customers."""
    shares: dict[int, list[bytes]] = defaultdict(list)
    callers: dict[str, int] = {}
    for customer, document in stretch:
        shares[callers.setdefault(customer, len(callers) % CALLERS)].append(document)
    return list(shares.values())


def _seconds(pipeline: CommandPipeline, documents: list[bytes]) -> float:
    began = perf_counter()
    for batch in in_batches(documents, BATCH):
        pipeline.submit(batch)
    return perf_counter() - began


def _by_one(service: CommandService, documents: Sequence[bytes]) -> list[float]:
    """How long each answer took, in seconds."""
    waits = []
    for document in documents:
        began = perf_counter()
        service.submit([document])
        waits.append(perf_counter() - began)
    return waits
