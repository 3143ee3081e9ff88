"""The states of jobs and of their studies."""

RUNNING, ENDED, CANCELLED = "running", "ended", "cancelled"
"""Of a job. A study may be cancelled, too."""

WAITING, NEEDS_FILE = "waiting", "needs_file"
RETRIEVING, RECEIVED, CHECKED = "retrieving", "received", "checked"
DECODED, INFERRED = "decoded", "inferred"
DONE, FAILED = "done", "failed"

AT_WORK = (RETRIEVING, RECEIVED, CHECKED, DECODED, INFERRED)
OPEN = (WAITING, NEEDS_FILE, *AT_WORK)
RETRIABLE = (FAILED, CANCELLED)

OF_A_STUDY = (WAITING, *AT_WORK, DONE, FAILED, CANCELLED, NEEDS_FILE)
"""In the order in which they are counted."""

KHEOPS, DICOMWEB, UPLOADS = "kheops", "dicomweb", "uploads"
"""Where studies of a job come from."""

REFUSED = "source_refused"
"""What a job waits for: its owner's login."""
