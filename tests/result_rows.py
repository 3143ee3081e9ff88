"""Cohorts for tests: labels and reports as the engine's own code gives them, features made up."""

import copy
from functools import cache

import numpy as np
from test_network_input import PARAMETERS, inputs_of
from test_pet_rows import features as pet_rows
from test_pet_rows import pet_slices
from test_region_rows import TUMOUR, study_with

from gateway.results.cohort import Cohort, Study

F = 12


@cache
def _rows():
    return inputs_of(study_with(TUMOUR))


@cache
def _pet():
    return pet_rows(*pet_slices())


def answered(patient, *, seed=0, name="", **changes):
    """A CT study of a patient: its whole volume and its tumour, with some labels changed."""
    rows = copy.deepcopy(_rows())
    uid = f"1.2.{patient}" if patient.isascii() and patient.isalnum() else "1.2"
    labels = [
        {**label, "patient_id": patient, "study_uid": uid, **changes} for label in rows.labels
    ]
    return Study(name or f"{patient}.zip", labels, numbers(len(labels), seed), rows.report)


def scanned(patient):
    """A PET study of a patient, in SUVbw, as if it were of the same model."""
    rows = copy.deepcopy(_pet())
    version = {
        name: _rows().labels[0][name]
        for name in ("weights", "weights_sha256", "preprocessing_id", "feature_prefix")
    }
    labels = [{**label, "patient_id": patient, **version} for label in rows.labels]
    return Study(f"{patient}.zip", labels, numbers(len(labels), 9), rows.report)


def numbers(rows, seed):
    """Features of all sizes that float32 has."""
    generator = np.random.default_rng(seed)
    exponents = generator.integers(-30, 30, (rows, F))
    return (generator.normal(size=(rows, F)) * 10.0**exponents).astype(np.float32)


def cohort(*studies, title="Lung 1", parameters=PARAMETERS):
    return Cohort("ct3dcnn", studies or (answered("A", seed=1),), title, parameters)


def document_of(given, **changes):
    """A cohort as the JSON that the API takes."""
    answers = [
        {
            "name": study.name,
            "code": study.code,
            "report": study.report,
            "rows": [
                {**label, "features": [float(value) for value in values]}
                for label, values in zip(study.labels, study.features, strict=True)
            ],
        }
        for study in given.studies
    ]
    return {"title": given.title, "model": given.model, "answers": answers, **changes}
