"""Studies for the tests of the page, and what the page says of them."""

import zipfile
from pathlib import Path

from phantoms import file_bytes, slices, thorax, zip_of
from test_regions_objects import rtstruct, square

HTML = "<img src=x onerror=alert(1)>"


def zip_file(folder: Path, name: str, **attributes) -> Path:
    """A zip of a phantom of the chest in a folder, with attributes of one's own."""
    path = folder / name
    path.write_bytes(zip_of(*slices(thorax(), **attributes)))
    return path


def folder_of_files(folder: Path, name: str, **attributes) -> Path:
    """A folder of a phantom's files in folders, one level for each half of them."""
    path = folder / name
    for number, dataset in enumerate(slices(thorax(), **attributes)):
        inner = path / ("a" if number % 2 else "b/c")
        inner.mkdir(parents=True, exist_ok=True)
        (inner / f"DOE^JOHN {number}").write_bytes(file_bytes(dataset))
    (path / ".DS_Store").write_bytes(b"left by a system")
    (path / "READ ME.txt").write_bytes(b"this is not DICOM" * 20)
    return path


def zip_of_regions(folder: Path, names: list[str], **attributes) -> Path:
    """A zip of a phantom with a region of interest of each name."""
    image = slices(thorax(), **attributes)
    regions = [
        (
            name,
            [square((-15 + n / 9, -20, 112 + 4 * k), (15, 20, 112 + 4 * k)) for k in range(4, 9)],
        )
        for n, name in enumerate(names)
    ]
    path = folder / "regions.zip"
    path.write_bytes(zip_of(*image, rtstruct(image, regions)))
    return path


def zipped(folder: Path) -> bytes:
    """The DICOM files of a folder as a zip, in any order."""
    return zip_of(*(path.read_bytes() for path in folder.rglob("DOE*")), method=zipfile.ZIP_STORED)


def line_of(page, name: str):
    """The line of a study in the list."""
    return page.locator("#list .study").filter(has=page.get_by_text(name, exact=True))


def wait_for(page, name: str, state: str) -> None:
    """Wait until the page says that a study is in a state."""
    selector = f"#list .study[data-state={state}]"
    page.locator(selector).filter(has=page.get_by_text(name, exact=True)).wait_for()


def rows_of(page):
    """The rows of features that the table has drawn: those that can be seen, and some around."""
    return page.locator("#results .grid-body .grid-row")


def column_of(page, name: str) -> list[str]:
    """What the table says in one of its columns: patient, modality, region or another one."""
    return rows_of(page).locator(f".of-{name}").all_inner_texts()


def count_of(page) -> int:
    """How many rows the table has, as it tells readers of the screen."""
    return int(page.locator("#results [role=grid]").get_attribute("aria-rowcount")) - 1


def downloaded(page, name: str) -> bytes:
    """The file that a button gives."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    return Path(download.value.path()).read_bytes()
