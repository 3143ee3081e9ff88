"""The gateway's own codes, with cause and remedy: for the list of codes, and for the page.

The engine's refusals, which the gateway hands on, are in imaging/errors.py.
"""

from collections.abc import Mapping
from types import MappingProxyType

LATER = "Wait a moment and try again. If it stays so, tell whoever runs this service."

GATEWAY_CODES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ambiguous_region": (
            "Several regions of interest have one name.",
            "Rename them, or send the object that is meant.",
        ),
        "bad_form": ("A form is not one file with short fields.", "Send one file, named file."),
        "bad_job": ("A job is stated wrongly.", "Correct what the sentence names."),
        "bad_query": ("A search is not understood, or finds too much.", "Change the search."),
        "bad_request": ("A request is not understood.", "Correct what the sentence names."),
        "bad_token": ("What was given is no token of Kheops.", "Copy the token again, whole."),
        "content_encoding": ("The body is encoded.", "Send the body as it is."),
        "cross_site": (
            "Another site sent the request.",
            "Open this page by its own address, and try again.",
        ),
        "database_away": ("What is kept of jobs cannot be reached.", LATER),
        "demonstration_weights": (
            "The weights are for demonstration, or untrained, and rows of this form cannot say so.",
            "Allow it, if nothing is concluded from them.",
        ),
        "foreign_host": (
            "The request came under a name that is not the service's.",
            "Open the address that the service printed when it started.",
        ),
        "headers_too_large": ("The headers of the request are too long.", "Send shorter ones."),
        "internal_error": (
            "The service failed; its log says where.",
            "Try again. If it stays so, tell whoever runs this service.",
        ),
        "invalid_token": (
            "A token is not known, was revoked, or has ended.",
            "Log in again, or make a new token.",
        ),
        "login_failed": ("The login service did not complete the login.", "Log in again."),
        "login_refused": (
            "The login service does not let you in.",
            "Ask whoever runs it for access.",
        ),
        "login_unknown": ("The login was not begun here, or took too long.", "Log in again."),
        "method_not_allowed": (
            "The address does not take this method.",
            "See the list of addresses at /docs.",
        ),
        "mixed_versions": (
            "Rows are of different weights or preprocessing.",
            "Extract the studies of the older version again.",
        ),
        "no_jobs": (
            "This service keeps no jobs.",
            "Extract studies of your own at once, or ask whoever runs it for a database.",
        ),
        "no_room": ("More is held at once than the service takes.", "Wait a moment and try again."),
        "no_session": ("There is no login to end.", "Log in again."),
        "no_source": (
            "The service is not connected to such a source.",
            "Choose another source of studies.",
        ),
        "no_studies": ("There are no studies in the album.", "Put studies into it in Kheops."),
        "not_acceptable": ("There is no such form of answer.", "Ask for one that is listed."),
        "not_finite": ("A feature is not a finite number.", "Tell whoever published the model."),
        "not_found": ("There is nothing at this address.", "Go back, and choose again."),
        "not_kept": (
            "Files that were uploaded for a job are not kept.",
            "Choose the file again as a study of your own.",
        ),
        "not_logged_in": ("Nobody is logged in.", "Log in, and try again."),
        "not_registered": (
            "Kheops does not know you yet.",
            "Open Kheops in your browser and log in there once, then try again.",
        ),
        "not_waiting": (
            "The study waits for no file: it is done, at work or cancelled.",
            "Try the study again first.",
        ),
        "out_of_reach": ("A token of Kheops does not open this.", "Log in, and try again."),
        "picture_differs": (
            "The study, or the network, is not as it was when the row was computed.",
            "Extract it again.",
        ),
        "provider_unreachable": ("The login service cannot be reached.", LATER),
        "queue_full": (
            "As many studies are here as the service takes.",
            "Wait a moment and try again.",
        ),
        "repeated_study": ("A study is in the job twice.", "Start a job that has each study once."),
        "retry": (
            "No engine answers now, or the study was interrupted.",
            "Wait a moment and try again.",
        ),
        "service_error": (
            "The engine failed over this study; its log says why.",
            "Try again. If it stays so, tell whoever runs this service.",
        ),
        "several_studies": (
            "The zip has several studies, and this form keeps one at a time.",
            "Send each study alone.",
        ),
        "source_empty": (
            "There is no such album or study, or it is not shared with you any more.",
            "The study is not there any more, or is not shared with you: choose the studies again.",
        ),
        "source_failed": ("The source of studies failed.", LATER),
        "source_refused": (
            "The source of studies does not accept the login.",
            "Log in again. If it stays so, you may not see these studies any more: ask who shared "
            "them.",
        ),
        "source_unreachable": ("The source of studies cannot be reached.", LATER),
        "too_many_jobs": (
            "You have as many jobs as one person may have.",
            "Wait for one of your jobs to end, or delete one.",
        ),
        "too_many_of_yours": (
            "As many of your studies are here as one person may have.",
            "Wait for one of them to be done.",
        ),
        "too_many_requests": ("More requests came than are allowed.", "Wait a minute."),
        "too_many_studies": (
            "The job has more studies than a job may have.",
            "Choose fewer studies, and start several jobs.",
        ),
        "too_slow": (
            "The study was not answered in time.",
            "Send fewer series, or send it again when less is going on.",
        ),
        "truncated_zip": (
            "The source stopped in the middle of a study.",
            "The study came incomplete several times. Try again later.",
        ),
        "unknown_job": (
            "There is no such job.",
            "It may have been deleted, or its time was over.",
        ),
        "unknown_model": ("There is no such network.", "Choose one that is listed."),
        "unknown_option": ("There is no such option.", "Leave out what the sentence names."),
        "unknown_row": ("The study has no such row.", "Load the page anew."),
        "unknown_study": ("The job has no study at this place.", "Load the page anew."),
        "unstorable_modality": (
            "A row is of a modality that QuantImage-V2 does not know.",
            "Send CT, MR or PET.",
        ),
        "unstorable_name": (
            "QuantImage-V2 cannot store the name of a region as it is.",
            "Rename the region.",
        ),
        "unsupported_media_type": (
            "The body is of another kind than is taken.",
            "Send a zip, or a document as JSON.",
        ),
        "upload_too_slow": (
            "The study came too slowly, and the service did not wait.",
            "Send it again by a faster line, or fewer series at once.",
        ),
    }
)
"""Code → cause and remedy, each a sentence. Codes may be added, and are never renamed."""
