"""Quix Streams as its documentation writes it: a stateful function a mark, RocksDB and a changelog, no rules.

Runs in an environment of its own. Quix writes state, changelog and offsets at each checkpoint (every 5 s by default)
and once more before `run` returns; the clock runs from the first mark until then. Every setting is Quix's default, but
for where it begins to read. The count is kept without collecting the results.
"""

from __future__ import annotations

from quixstreams import Application, State  # type: ignore[import-not-found]  # only in its own environment

from benchmarks.engines.job import Job, Stopwatch

Mark = dict[str, str]


def run(job: Job) -> None:
    """Keep every student's days in Quix's state."""
    app = Application(
        broker_address=job.kafka,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        state_dir=job.folder,
        loglevel="WARNING",
    )
    stopwatch, seen = Stopwatch(job), 0

    def keep_window(mark: Mark, state: State) -> Mark:
        nonlocal seen
        stopwatch.start()
        days = state.get("days", {})
        days[mark["date"]] = mark["status"]
        state.set("days", days)
        seen += 1
        return mark

    marks = app.dataframe(app.topic(job.topic, key_deserializer="str", value_deserializer="json"))
    marks.apply(keep_window, stateful=True)
    app.run(count=job.marks, collect=False)
    stopwatch.stop(seen)


if __name__ == "__main__":
    run(Job.from_command_line())
