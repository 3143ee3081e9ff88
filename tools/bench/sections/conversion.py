"""A zip to uncompressed NIfTI, beside unzip and dcm2niix: a CT, an MR and a PT."""

from pathlib import Path
from typing import Any

from tools.bench.peer import peers
from tools.bench.peers.conversions import unpacker
from tools.bench.plan import Workshop
from tools.bench.timing import as_json, interleaved, ratio_of_pairs

OURS = ("nifti_memory", "nifti_files")
PEER = "dcm2niix"


def measure(workshop: Workshop) -> dict[str, Any]:
    """Return the times and ratios for each study."""
    if workshop.zip_file:
        files = {"given": workshop.zip_file}
    else:
        files = {scan.modality: workshop.made_file(scan) for scan in workshop.plan.scans}
    studies = {}
    for name, file in files.items():
        workshop.say(f"conversion: the {name} study, ours and dcm2niix in turns")
        studies[name] = _study(workshop, file)
    unpacked_by = "unzip" if unpacker() != "zipfile" else "Python's zipfile"
    return {"unpacked_by": unpacked_by, "studies": studies}


def _study(workshop: Workshop, file: Path) -> dict[str, Any]:
    contenders = {name: [file] for name in (*OURS, PEER)}
    with peers(contenders, workshop.missing) as ready:
        timings = interleaved({peer.name: peer for peer in ready}, workshop.plan.rounds)
        sizes = {peer.name: peer.result for peer in ready}
    ratios = {
        name: round(ratio_of_pairs(timings[name].seconds, timings[PEER].seconds), 3)
        for name in OURS
        if PEER in timings
    }
    return {
        "zip_bytes": file.stat().st_size,
        "nifti_bytes": sizes,
        "timings": as_json(timings),
        "ratios": ratios,
    }
