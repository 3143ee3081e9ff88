"""What QuantImage-V2 does with rows, written from its source; none of its code is here.

medgift/quantimage2_backend at a2f5da3 and medgift/quantimage2-frontend at 9c97f8a; each function
says which of theirs it follows. The database is one that does what their MySQL 5.7 does where it
matters: region names in latin1_bin, values in FLOAT, which is read with six digits.
"""

import csv
import io
import re
import zipfile
from dataclasses import dataclass, field

import numpy as np
import pandas

SEPARATOR = "\u2011"
"""shared/quantimage2_backend_common/const.py, FEATURE_ID_SEPARATOR; src/Visualisation.js."""

PREFIXES = (
    *("tex", "zrad", "original", "log", "wavelet", "gradient"),
    *("square", "squareroot", "exponential", "logarithm"),
)
"""const.py, prefixes; src/config/constants.js."""

FEATURE_ID = re.compile(
    rf"(?P<modality>.*?){SEPARATOR}(?P<roi>.*?){SEPARATOR}(?P<feature>(?:{'|'.join(PREFIXES)}).*)"
)
"""const.py, featureIDMatcher; src/Visualisation.js, featureIDPattern, is the same."""

RIESZ = re.compile(r"(?P<category>.*?)_(?P<name>.*)")
"""src/utils/feature-naming.js, RIESZ_PATTERN: of names that begin with tex."""


class DatabaseError(Exception):
    """What MySQL refuses."""


@dataclass
class Table:
    """Names and their numbers: models.py, BaseModel.get_or_create, with a column of 255."""

    charset: str
    is_binary: bool
    numbers: dict = field(default_factory=dict)

    def get_or_create(self, name):
        """The stored name and its number, for one that MySQL's collation takes for the same."""
        try:
            name.encode(self.charset)
        except UnicodeEncodeError:
            raise DatabaseError("illegal mix of collations") from None
        for stored, number in self.numbers.items():
            if self._compared(stored) == self._compared(name):
                return stored, number
        if len(name) > 255:
            raise DatabaseError("data too long for column 'name'")
        self.numbers[name] = len(self.numbers) + 1
        return name, self.numbers[name]

    def _compared(self, name):
        """latin1_bin and latin1_swedish_ci both pad with spaces; the second ignores case."""
        padded = name.rstrip(" ")
        return padded if self.is_binary else padded.casefold()


@dataclass
class Store:
    """Their tables of features."""

    modalities: Table = field(default_factory=lambda: Table("cp1252", is_binary=False))
    rois: Table = field(default_factory=lambda: Table("cp1252", is_binary=True))
    definitions: Table = field(default_factory=lambda: Table("cp1252", is_binary=False))
    values: list = field(default_factory=list)

    def store_features(self, study_uid, features):
        """feature_storage.py, store_features: each row under the numbers of its three names."""
        modalities = _stored(self.modalities, features["modality"].unique())
        rois = _stored(self.rois, features["VOI"].unique())
        definitions = _stored(self.definitions, features["feature_name"].unique())
        for _, row in features.iterrows():
            key = modalities[row["modality"]], rois[row["VOI"]], definitions[row["feature_name"]]
            self.values.append((study_uid, *key, _as_float(row["feature_value"])))

    def formatted(self):
        """models.py, FeatureValue.get_for_extraction: names in place of numbers."""
        tables = (self.modalities, self.rois, self.definitions)
        names = [{number: name for name, number in table.numbers.items()} for table in tables]
        return [
            (uid, names[0][modality], names[1][roi], names[2][definition], value)
            for uid, modality, roi, definition, value in self.values
        ]

    def of_collection(self, feature_ids):
        """models.py, FeatureValue.fetch_feature_collection_values; other ids are left out."""
        matches = filter(None, map(FEATURE_ID.match, feature_ids))
        wanted = {match.groups() for match in matches}
        return [row for row in self.formatted() if row[1:4] in wanted]


def download(values, patients, album):
    """The zip of routes/features.py, download_extraction_by_id, as {member: lines}.

    values: of Store.formatted. patients: by StudyInstanceUID, as Kheops lists them.
    """
    table = _tabular(values, patients)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as file:
        for group, lines in table.groupby(["Modality", "ROI"]):
            name = f"features_album_{album.replace(' ', '-')}_{'-'.join(group)}.csv"
            file.writestr(name, lines.to_csv(index=False))
    with zipfile.ZipFile(content) as file:
        return {
            name: list(csv.reader(io.StringIO(file.read(name).decode(), newline="")))
            for name in file.namelist()
        }


def _tabular(values, patients):
    """service/feature_transformation.py, transform_feature_values_to_tabular."""
    frame = pandas.DataFrame(values, columns=["study_uid", "modality", "roi", "name", "value"])
    table = frame.pivot_table("value", ["study_uid", "modality", "roi"], "name").reset_index()
    table["study_uid"] = table["study_uid"].replace(patients)
    names = {"study_uid": "PatientID", "modality": "Modality", "roi": "ROI"}
    return table.rename(columns=names).sort_values(by=[*names.values()])


def _stored(table, names):
    """feature_storage.py, store_extraction_associations: by the names as they are stored."""
    return dict(table.get_or_create(name) for name in names)


def _as_float(value):
    """A Python float into MySQL's FLOAT and out of it: models.py, FeatureValue.value."""
    if type(value) is not float:
        raise DatabaseError("the driver takes no such type")
    if not np.isfinite(value) or abs(value) > float(np.finfo(np.float32).max):
        raise DatabaseError("no value of the column")
    return float(f"{np.float32(value):.6g}")
