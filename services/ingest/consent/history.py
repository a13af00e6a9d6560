"""What was said of one student's consents, as far as one feed has something by them: pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from services.ingest.agreement.document import Agreement, Feed, FeedId
from services.ingest.consent.in_force import ConsentPolicy, Run, current_run
from services.ingest.consent.stored import ConsentKey, StoredConsent, merged, stored
from services.ingest.consent.withdrawals import Withdrawal, of_row
from services.ingest.rows.parse import ConsentRow


class ConsentHistory:
    """Consents that are kept, and the withdrawals of which it is known: brought up to date row by row."""

    def __init__(
        self,
        feed: FeedId,
        kept: Mapping[ConsentKey, StoredConsent] | None = None,
        withdrawals: Iterable[Withdrawal] = (),
    ) -> None:
        self.kept = dict(kept or {})
        self.changed: set[ConsentKey] = set()
        self._feed = feed
        self._withdrawals = list(withdrawals)

    def take(self, row: ConsentRow) -> bool:
        """Whether the row's own consent is news. A withdrawal that was known before ends nothing again."""
        for withdrawal in of_row(row):
            if withdrawal not in self._withdrawals:
                self._withdrawals.append(withdrawal)
                for key, one in self.kept.items():
                    self._keep(key, one.after(withdrawal, self._feed))
        given = stored(row)
        if given is None:
            return False
        left = given.before(self._withdrawals, self._feed)
        return self._keep(given.key, merged(self.kept.get(given.key), left))

    def _keep(self, key: ConsentKey, consent: StoredConsent) -> bool:
        if self.kept.get(key) == consent:
            return False
        self.kept[key] = consent
        self.changed.add(key)
        return True


def runs_on(agreement: Agreement, feed: Feed, rows: Iterable[ConsentRow], day: date) -> dict[str, Run]:
    """By the district's id: the run of consent to the feed that holds on the day; the rows are in order."""
    policy = ConsentPolicy.of(agreement, feed)
    said: defaultdict[str, ConsentHistory] = defaultdict(lambda: ConsentHistory(feed.id))
    for row in rows:
        said[row.student_id].take(row)
    found = ((one, current_run((of.term(policy) for of in had.kept.values()), day)) for one, had in said.items())
    return {student: run for student, run in found if run is not None}
