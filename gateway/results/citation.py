"""What to cite: the software that made the rows, and the two checklists, as BibTeX."""

import re

from gateway.results.cohort import Cohort
from gateway.results.methods import software_of

VERSION = re.compile(r"triton-deep-features (\S+)")

SOFTWARE = """\
@software{{triton-deep-features,
  title = {{triton-deep-features: deep features of a DICOM zip}},
  version = {{{version}}},
  note = {{Model {model}; weights SHA-256 {weights}; preprocessing {preprocessing}}}
}}
"""

CHECKLISTS = """\
@article{clear2023,
  author = {Kocak, Burak and Baessler, Bettina and Bakas, Spyridon and others},
  title = {{CheckList for EvaluAtion of Radiomics research (CLEAR)}: a step-by-step reporting
    guideline for authors and reviewers endorsed by {ESR} and {EuSoMII}},
  journal = {Insights into Imaging},
  year = {2023},
  volume = {14},
  pages = {75},
  doi = {10.1186/s13244-023-01415-8}
}

@article{metrics2024,
  author = {Kocak, Burak and Akinci D'Antonoli, Tugba and Mercaldo, Nathaniel and others},
  title = {{METhodological RadiomICs Score (METRICS)}: a quality scoring tool for radiomics research
    endorsed by {EuSoMII}},
  journal = {Insights into Imaging},
  year = {2024},
  volume = {15},
  pages = {8},
  doi = {10.1186/s13244-023-01572-w}
}
"""


def bibtex(cohort: Cohort) -> str:
    """Return the entries; the version is that of the software of the rows."""
    versions = VERSION.findall(software_of(cohort.labels))
    software = SOFTWARE.format(
        version=", ".join(versions) or "not stated",
        model=_escaped(cohort.model),
        weights=_escaped(str(cohort.version.get("weights_sha256", "not stated"))),
        preprocessing=_escaped(str(cohort.version.get("preprocessing_id", "not stated"))),
    )
    return f"{software}\n{CHECKLISTS}"


def _escaped(text: str) -> str:
    """Return a text without what ends a field, or is special to LaTeX."""
    return re.sub(r"([_%&#$])", r"\\\1", re.sub(r"[{}\\\s]+", " ", text))
