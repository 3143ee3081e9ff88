"""What the documents say is what the code does."""

import re

from imaging.errors import REFUSALS
from tools.engine.settings import EngineSettings
from tools.errors_page import PAGE, errors_page
from tools.locations import CHECKOUT


def test_the_page_of_codes_is_that_of_the_code():
    assert PAGE.read_text(encoding="utf-8") == errors_page()


def test_every_refusal_is_raised_somewhere_and_no_other_is():
    source = "".join(path.read_text() for path in (CHECKOUT / "imaging").rglob("*.py"))
    raised = set(re.findall(r'InputError\(\s*"(\w+)"', source))

    assert raised == set(REFUSALS)


def test_the_readme_has_the_default_ports():
    settings = EngineSettings()

    readme = (CHECKOUT / "README.md").read_text()
    for port in (settings.http_port, settings.grpc_port):
        assert str(port) in readme
