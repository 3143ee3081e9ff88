"""Tables that the browser writes are those of the service, to the letter."""

import csv
import io
import json

import numpy as np


def texts_in_browser(page, values) -> list[str]:
    script = """async (values) => {
        const { featureText } = await import("/static/numbers.js");
        return values.map(featureText);
    }"""
    return page.evaluate(script, values)


def float32s() -> np.ndarray:
    bits = np.random.default_rng(7).integers(0, 1 << 32, 20_000, dtype=np.uint32)
    anywhere = bits.view(np.float32)
    usual = np.random.default_rng(8).normal(0, 3, 20_000).astype(np.float32)
    edges = np.float32(
        [
            0.0,
            -0.0,
            1,
            -1,
            0.5,
            1e-4,
            1.0001e-4,
            9.99e-5,
            1e15,
            1e16,
            123456789,
            2**24,
            3.4e38,
            1e-45,
        ]
    )
    return np.concatenate([anywhere[np.isfinite(anywhere)], usual, edges])


def test_numbers_are_written_as_numpy_writes_them(page):
    values = float32s()
    sent = [float(str(value)) for value in values]

    assert texts_in_browser(page, sent) == [str(value) for value in values]


def test_a_table_is_quoted_as_python_quotes_it(page):
    keys = ['A, "B"', "line\r\nbreak", "=1+1", "plain", " blank ", "ä;\t'"]
    answer = {
        "feature_names": ["f_0"],
        "rows": [
            {"patient_id": key, "modality": "CT", "roi": key, "features": [0.5]} for key in keys
        ],
    }
    script = """async (answer) => (await import("/static/csv.js")).csvOf([answer])"""
    expected = io.StringIO(newline="")
    csv.writer(expected).writerows(
        [["PatientID", "Modality", "ROI", "f_0"], *([key, "CT", key, "0.5"] for key in keys)]
    )

    assert page.evaluate(script, json.loads(json.dumps(answer))) == expected.getvalue()
