"""A school's system posts marks: TOKEN=… python examples/post_marks.py URL

The URL is ingest's, as `firstbell up` prints it; a token is what `firstbell token --role district` prints.
"""

import json
import os
import sys
from datetime import date
from urllib.request import Request, urlopen

INGEST = sys.argv[1].rstrip("/")
TODAY = date.today().isoformat()  # noqa: DTZ011 - the school's own day
CONSENT = {
    "student_id": "604821",
    "agreement_id": "DSA-2016",
    "signed_by": "A Guardian",
    "relationship": "guardian",
    "signed_on": "2016-09-01",
    "method": "paper",
    "records": ["attendance"],
    "purpose": "homelessness-prevention",
    "recipients": ["project-hope"],
}
MARK = {"student_id": "604821", "school_id": "dearborn", "date": TODAY, "status": "absent", "excused": False}


def post(path, *entries):
    """Hand entries in; each is answered: accepted, duplicate, rejected with the field, or not_consented."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ['TOKEN']}"}
    with urlopen(Request(f"{INGEST}/v1/{path}", json.dumps(entries).encode(), headers), timeout=60) as answer:  # noqa: S310 - as it was given
        return json.load(answer)["results"]


post("consents", CONSENT)
post("enrollments", {"student_id": "604821", "school_id": "dearborn", "entry_date": "2016-09-08"})
post("school-days", {"school_id": "dearborn", "date": TODAY, "instructional": True})
for mark, result in zip([MARK], post("attendance", MARK), strict=True):
    sys.stdout.write(f"{mark['date']} {mark['status']}: {result['status']}\n")
