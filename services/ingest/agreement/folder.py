"""The agreement under which a folder's files are read by themselves, as when a history is replayed."""

from __future__ import annotations

from typing import Final, NamedTuple

from services.ingest.agreement.document import Agreement, assumed
from services.ingest.agreement.reading import FILE, AgreementError, AgreementFault, load_agreement
from services.ingest.formats import Source

AGENCY: Final = "project-hope"
PURPOSE: Final = "homelessness-prevention"


class FolderAgreement(NamedTuple):
    """An agreement, and what the user should know of it."""

    agreement: Agreement
    note: str


def agreement_of(source: Source) -> FolderAgreement:
    """The agreement in the files' folder, else what is assumed without one.

    Raises `AgreementError` when it cannot be used, or when several folders have different ones, and `OSError`.
    """
    found = {path: load_agreement(path) for path in source.readers.agreements}
    if not found:
        return FolderAgreement(
            assumed(AGENCY, PURPOSE),
            f"There is no {FILE}: assumed are all schools and dates of the files, and consents under any agreement, "
            f"for attendance and what caseworkers learn of housing, live to {AGENCY} for {PURPOSE}.",
        )
    (first, agreement), *others = found.items()
    for path, other in others:
        if other != agreement:
            raise AgreementError(path, (AgreementFault(1, "", f"expected the same agreement as in {first}"),))
    return FolderAgreement(agreement, f"The agreement is {agreement.id}, version {agreement.version}, of {first.name}.")
