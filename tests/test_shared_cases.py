"""Real series are converted as reference converters do; those that cannot be are refused."""

import gzip
import hashlib
import json

import nibabel as nib
import numpy as np
import pytest

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.options import Options
from imaging.preprocess import nifti_files

READ = {
    "ct-chest-lidc-16": 1,
    "ct-chest-rtstruct-lung1": 1,
    "ct-duplicates-sts008": 1,
    "ct-liver-seg-3slice": 1,
    "ct-orientation-phantom": 1,
    "ct-study-localizer-dicomdir": 1,
    "mr-sagittal-decubitus-left": 1,
    "multi-sts002-flat-junk": 3,
    "pet-wholebody-rtstruct": 1,
    "ts-ct-bigendian": 1,
}
"""Cases that are read now, with their number of volumes."""

REFUSED = {
    "ct-head-tilt-variable-ge": "uneven_spacing",
    "ct-missing-slice-4": "uneven_spacing",
    "ct-missing-slices-sts003": "uneven_spacing",
    "ct-same-position-4": "same_position",
    "ct-tilt-nodeclared-4slice": "gantry_tilt",
    "mr-enhanced-t1-xa30": "unsupported_object",
    "mr-fmri-4d-ge": "same_position",
    "mr-localizer-3plane": "mixed_geometry",
    "mr-mosaic-4d-siemens": "unsupported_object",
    "ts-ct-deflated": "unsupported_transfer_syntax",
    "ts-ct-j2k90": "unsupported_transfer_syntax",
}


def converted(shared_data, case):
    study = (shared_data / "dicom" / f"{case}.zip").read_bytes()
    answer = nifti_files(memoryview(study), options=Options(), limits=Limits())
    return [nib.Nifti1Image.from_bytes(gzip.decompress(file)) for file in answer.files]


def references(shared_data, case):
    manifest = json.loads((shared_data / "reference" / case / "manifest.json").read_text())
    return manifest["volumes"]


@pytest.mark.parametrize("case", READ)
def test_a_real_series_equals_the_reference_conversion(shared_data, case):
    volumes = converted(shared_data, case)

    assert len(volumes) == READ[case]
    for volume in volumes:
        canonical = nib.as_closest_canonical(volume)
        found = [
            reference
            for reference in references(shared_data, case)
            if len(reference["affine"]) == 4
            and sorted(reference["shape"]) == sorted(volume.shape)
            and np.allclose(canonical_affine(reference), canonical.affine, atol=1e-4)
        ]
        assert found, "no reference volume lies at this place"
        if hashes := {each.get(HASH) for each in found} - {None}:
            assert hash_of(canonical) in hashes
        else:
            assert any(same_statistics(canonical, reference) for reference in found)


HASH = "sha256_canonical_ras_values_int32_c_order"


def hash_of(canonical):
    values = np.rint(np.asarray(canonical.dataobj)).astype("<i4")
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


def same_statistics(canonical, reference):
    values = np.asarray(canonical.dataobj, float)
    found = (values.min(), values.max(), values.mean())
    return np.allclose(found, [reference[name] for name in ("min", "max", "mean")], rtol=1e-6)


def canonical_affine(reference):
    empty = nib.Nifti1Image(np.empty(reference["shape"], np.uint8), np.array(reference["affine"]))
    return nib.as_closest_canonical(empty).affine


@pytest.mark.parametrize("case", REFUSED)
def test_a_series_that_is_no_plain_volume_is_refused_by_name(shared_data, case):
    with pytest.raises(InputError, match=f"^{REFUSED[case]}: "):
        converted(shared_data, case)
