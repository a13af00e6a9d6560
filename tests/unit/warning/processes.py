"""Workers over one Kafka in memory, step by step: what is written, told, answered and committed is watched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from uuid import UUID

from aiokafka.errors import KafkaError

from services.contracts.packed import CipherOf
from services.contracts.risk import ThresholdSet, WeekCounted
from services.contracts.sealed import unseal
from services.contracts.topics import ALERTS, MARKS, PROGRESS
from services.platform.erasure.confirming import Erasure
from services.platform.testing.kafka import LogPlace, MemoryKafka, MemoryProducer, Receipt, Request
from services.platform.testing.table import MemoryTable
from services.warning import records
from services.warning.changelog import Changelog, FencedError
from services.warning.keys import FeedKeys
from services.warning.table import WindowTable
from services.warning.worker import Worker
from tests.unit.warning.keys import CIPHERS, FakeKeys

CHANGELOG = "windows"
STATE = b"0|state"
PUPIL = "pupil"
ZED, ZED_SAID = "zed", "z"
ERASURE = Erasure(UUID(int=2), ZED, 0)
UNTIL_QUIET = 12
"""So many turns of the loop are more than any step takes that waits for nothing but the loop."""


@dataclass
class Said:
    """An alert; its id is the letter that caused it."""

    letter: str
    type: str = "AlertRaised"
    student: str = PUPIL

    def model_dump_json(self) -> str:
        return json.dumps(self.letter)


@dataclass(eq=False)
class Pupil:
    pending: list[Said] = field(default_factory=list)
    pseudonym: str = PUPIL


class Notebook:
    """A partition's state whose facts are letters: an upper case one is an alert, a `d` must be evaluated at once.

    Evaluating a letter takes a slice. All is stored in one value, as a student's year is; with an `m` there is more,
    which goes ahead in a batch of its own. A `z` is of the pupil `ZED`, who may be erased.
    """

    def __init__(self, items: Mapping[str, bytes], cipher_of: CipherOf = CIPHERS.__getitem__) -> None:
        self.known, pending = json.loads(items["state"]) if items else ("", "")
        self.pupil = Pupil([Said(letter) for letter in pending])
        self.outbox: list[WeekCounted | ThresholdSet] = []
        self.students: dict[str, Pupil] = {}
        self.removals: dict[str, dict[str, int]] = {}
        self.unreadable: dict[str, bytes] = {}
        self._undecided: list[str] = []
        self._changed = False
        if cipher_of(ZED) is None:
            self.remove(ZED)

    @property
    def emitting(self) -> list[Pupil]:
        return [self.pupil] if self.pupil.pending else []

    @property
    def due(self) -> bool:
        return "d" in self._undecided

    @property
    def touched(self) -> bool:
        return bool(self._undecided)

    def apply(self, letter: str) -> None:
        assert not self.due
        if letter not in self.known:
            self.known += letter
            self._undecided.append(letter)
            self._changed = True

    def caused(self, _: datetime) -> None:
        """Nothing is told of an erasure."""

    def remove(self, pseudonym: str) -> None:
        if ZED_SAID in self.known:
            self.known = self.known.replace(ZED_SAID, "")
            self.removals[pseudonym] = {"letters": 1}
            self._changed = True

    def evaluate(self) -> bool:
        if self._undecided:
            letter = self._undecided.pop(0)
            if letter.isupper():
                self.pupil.pending.append(Said(letter))
        return bool(self._undecided)

    def emitted(self, pupil: Pupil, events: int) -> None:
        pupil.pending = pupil.pending[events:]
        self._changed = True

    def take_changes(self) -> list[tuple[str, bytes | None]]:
        assert not self._undecided
        changed, self._changed = self._changed, False
        value = json.dumps([self.known, "".join(said.letter for said in self.pupil.pending)])
        more: list[tuple[str, bytes | None]] = [("more", b"")] if "m" in self.known else []
        return [*more, ("state", value.encode())] if changed else []


def token_of(letter: str) -> UUID | None:
    """A `t` is a close: whoever sent it waits for an answer."""
    return UUID(int=1) if letter == "t" else None


def apply(
    state: Notebook,
    _place: records.Place,
    _topic: str,
    _key: bytes | None,
    value: bytes | None,
    _at: float,
    keys: FeedKeys,
) -> UUID | None:
    """In place of `records.take`."""
    letter = (value or b"").decode()
    if letter == ZED_SAID and keys.cipher(ZED) is None:
        return None
    if letter == "?":
        raise ValueError
    state.apply(letter)
    return token_of(letter)


class WatchedKafka(MemoryKafka):
    """Sees to it that nothing is said before what it stands on is written."""

    def __init__(self, letters: str) -> None:
        super().__init__(holds=True)
        self._letters = letters

    @property
    def known(self) -> str:
        """The letters in the changelog's latest value."""
        value = self.latest(CHANGELOG, 0).get(STATE)
        return json.loads(value)[0] if value else ""

    @property
    def emitted(self) -> list[str]:
        return [_letter(record.value) for record in self.logs[LogPlace(ALERTS.name, 0)]]

    @property
    def answers(self) -> int:
        return len(self.logs[LogPlace(PROGRESS.name, 0)])

    def take(self, request: Request) -> Receipt:
        receipt = super().take(request)
        if request.place.topic == ALERTS.name:
            assert {_letter(record.value) for record in request.records} <= set(self.known)
        if request.place.topic == PROGRESS.name:
            before = self._letters[: self._letters.index("t")]
            assert {letter for letter in before if letter.isupper()} <= set(self.emitted)
        return receipt


def _letter(value: bytes | None) -> str:
    """Of the alert that travels so."""
    found: str = json.loads(unseal(CIPHERS[PUPIL], ALERTS.name, value or b""))
    return found


class Process:
    """One worker process; it begins when it was given the partition."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.table = MemoryTable(world.kafka, CHANGELOG)
        self.changelog = Changelog(world.open)
        self.keys = FakeKeys()
        if world.erased:
            self.keys.drop([ZED])
        self.worker = Worker(WindowTable(self.table, self.changelog), 1, Notebook, self.keys, apply)
        self.worker.connect(world.kafka.producer())
        self.fenced = False
        self.position = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._feeding: asyncio.Task[None] | None = None
        self._erasing: asyncio.Task[None] | None = None
        self.ready = False

    def start(self, work: object) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        return task

    async def begin(self) -> None:
        """As Faust does: fence, recover, load, go on behind what was committed."""
        await self.changelog.take_over(CHANGELOG, [0])
        self.table.recover([0])
        self.worker.begin([0])
        await self.worker.load()
        self.position = self._world.committed
        self.ready = True

    def end(self) -> None:
        """As SIGKILL would."""
        self.ready = False
        for task in self._tasks:
            task.cancel()

    def look(self) -> None:
        """When it was fenced off, or Kafka refused something, the process ends; raise whatever else went wrong."""
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            try:
                if not task.cancelled():
                    task.result()
            except (FencedError, KafkaError) as error:
                self.fenced = isinstance(error, FencedError)
                self.end()

    @property
    def can_take(self) -> bool:
        feeding = self._feeding is not None and not self._feeding.done()
        return self.ready and not feeding and self.position < len(self._world.letters)

    @property
    def can_save(self) -> bool:
        owned = self.worker._owned.values()
        return self.ready and any(each.waits and not each.saving for each in owned)

    @property
    def can_erase(self) -> bool:
        """When it would come to something."""
        state = self.worker.partition(0)
        waits = state is None or ZED in state.removals or (self._erasing is not None and not self._erasing.done())
        return self.ready and self._world.erased and not (waits or self._world.confirmed)

    def erase(self) -> None:
        """Look for erasures, as each second."""
        self._erasing = self.start(self._erase())

    async def _erase(self) -> None:
        if await self.worker.erase(None, ERASURE) is not None:
            assert ZED_SAID not in self._world.kafka.known
            self._world.confirmed = True

    def take(self) -> None:
        offset, self.position = self.position, self.position + 1
        self._feeding = self.start(self.worker.take(self._world.event(offset)))

    def save(self) -> None:
        for checkpoint in self.worker.checkpoints():
            self.start(checkpoint)

    def requests(self) -> list[Request]:
        """Of its own, those that Kafka may answer."""
        mine = {self.worker._checkpoint._emitter._producer}
        mine |= {producer for producer in self._world.opened if self._world.opened[producer] is self}
        return [request for request in self._world.kafka.answerable() if request.producer in mine]


class World:
    """A partition's records, its changelog, what is committed, and who owns it."""

    def __init__(self, letters: str, *, fences: bool = True) -> None:
        self.letters = letters
        self.kafka = WatchedKafka(letters)
        self.committed = 0
        self.erased = self.confirmed = False
        self.opened: dict[MemoryProducer, Process] = {}
        self.processes: list[Process] = []
        self._fences = fences
        self._acked: set[int] = set()
        self._term = 0
        """Faust counts nothing for an assignment that has ended."""
        self.owner: Process

    async def open(self, name: str) -> MemoryProducer:
        producer = await self.kafka.open(name) if self._fences else self.kafka.producer()
        producer.batch_size = 1
        self.opened[producer] = self.owner
        return producer

    async def begin(self) -> Process:
        """Another process is given the partition."""
        process = self.owner = Process(self)
        self.processes.append(process)
        self._acked = set()
        self._term += 1
        process.start(process.begin())
        await self.quiet()
        return process

    async def begin_again(self) -> None:
        """The same process is given the partition anew; what it still had in hand is not the new term's."""
        self._acked = set()
        self._term += 1
        self.owner.ready = False
        self.owner.start(self.owner.begin())
        await self.quiet()

    async def quiet(self) -> None:
        """Let everything run that waits for nothing but the loop."""
        for _ in range(UNTIL_QUIET):
            await asyncio.sleep(0)
        for process in self.processes:
            process.look()

    def event(self, offset: int) -> SimpleNamespace:
        """A record as Faust would hand it over."""
        value, term = self.letters[offset].encode(), self._term
        message = SimpleNamespace(
            topic=MARKS.name, partition=0, offset=offset, key=None, value=value, timestamp=1480000000.0, headers=[]
        )
        return SimpleNamespace(message=message, ack=lambda: self._ack(term, offset))

    def _ack(self, term: int, offset: int) -> bool:
        letter = self.letters[offset]
        if letter != "?" and not (letter == ZED_SAID and self.erased):
            assert letter in self.kafka.known
        if letter.isupper():
            assert letter in self.kafka.emitted
        if token_of(letter) is not None:
            assert self.kafka.answers
        if term == self._term:  # else Faust passes it over, or Kafka refuses what a former member commits
            self._acked.add(offset)
            while self.committed in self._acked:
                self.committed += 1
        return True

    async def finish(self) -> None:
        """Let the owner work to the end, and Kafka answer it at once."""
        owner = self.owner
        while True:
            await self.quiet()
            if requests := owner.requests():
                requests[0].acknowledge()
            elif owner.can_take:
                owner.take()
            elif owner.can_save:
                owner.save()
            elif owner.can_erase:
                owner.erase()
            else:
                break

    def check_end(self) -> None:
        """It has come to what it comes to when nothing goes wrong."""
        kafka, letters = self.kafka, self.letters.replace("?", "")
        if self.erased:
            assert self.confirmed
            letters = letters.replace(ZED_SAID, "")
        state = json.loads(kafka.latest(CHANGELOG, 0).get(STATE, b'["", ""]'))
        assert sorted(state[0]) == sorted(letters)
        assert state[1] == ""
        assert set(kafka.emitted) == {letter for letter in letters if letter.isupper()}
        assert bool(kafka.answers) == ("t" in letters)
        assert self.committed == len(self.letters)

    def end(self) -> None:
        for process in self.processes:
            process.end()
