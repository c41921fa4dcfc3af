"""The page of the app in a real browser: files, keyboard, corrections, a phone, dark mode, no other host."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app_server import BLUE, GREY, RED, App
from browser import CHROMIUM, Browser, chromium
from darkroom.core.feedback import read_feedback

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed")]
WIDTHS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture
def page(app: App, tmp_path: Path) -> Iterator[Browser]:
    with chromium(tmp_path / "profile") as browser:
        browser.open(f"http://127.0.0.1:{app.port}/")
        yield browser


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    files = {"red.png": RED, "broken.png": b"broken", "grey.png": GREY, "blue.png": BLUE}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return [tmp_path / name for name in files]


def test_pictures_are_answered_and_corrected(page: Browser, app: App, pictures: list[Path]) -> None:
    page.choose("#files", *pictures)
    page.wait("document.querySelectorAll('.seen img').length == 3")
    page.run("document.querySelector('[name=explain]').click()")
    page.wait("document.querySelectorAll('.seen img').length == 6")
    assert page.run("document.querySelectorAll('article').length") == 4
    page.wait("[...document.images].every(image => image.complete && image.naturalWidth)")
    assert "not an image in a known format" in page.run("document.querySelector('.unread').innerText")
    assert "does not look like" in page.run("document.querySelector('[data-summary^=grey]').innerText")
    page.wait("document.getElementById('status').textContent.startsWith('4 of 4')")
    page.run("""(() => {
        const form = document.querySelector("[data-summary^=red] .wrong");
        form.elements.label.value = "green";
        form.querySelector("button").click();
    })()""")
    page.wait("document.querySelector('[data-summary^=red] output').textContent == 'Saved as green.'")
    (row,) = read_feedback(app.folder / "feedback")
    assert row["label"] == "green" and row["predicted"] == "red"
    hosts = {urlsplit(address).netloc for address in page.asked if not address.startswith("data:")}
    assert hosts == {f"127.0.0.1:{app.port}"}


def test_it_works_by_keyboard_and_speaks(page: Browser) -> None:
    reached = []
    for _ in range(3):
        page.press("Tab", 9)
        reached.append(page.run("document.activeElement.name || document.activeElement.textContent"))
    assert reached == ["pictures", "example", "explain"]
    page.run("document.querySelector('[name=example]').focus()")
    page.press("Enter", 13, "\r")
    page.wait("document.getElementById('status').textContent == 'example picture: red, 100 %'")
    assert page.run("document.getElementById('status').getAttribute('role')") == "status"
    unlabelled = "[...document.querySelectorAll('input, select')].filter(field => !field.labels.length).length"
    assert page.run(unlabelled) == 0
    assert page.run("[...document.images].every(image => image.alt)")


def test_it_fits_a_phone_and_the_dark(page: Browser, pictures: list[Path]) -> None:
    page.size(400, 800)
    page.choose("#files", *pictures)
    page.wait("document.querySelectorAll('article').length == 4")
    assert page.run(WIDTHS)
    page.dark(False)
    light = page.run("getComputedStyle(document.body).backgroundColor")
    page.dark()
    assert page.run("getComputedStyle(document.body).backgroundColor") != light


def test_a_picture_can_be_dropped_or_pasted(page: Browser) -> None:
    for kind, field in (("drop", "dataTransfer"), ("paste", "clipboardData")):
        page.run(f"""(async () => {{
            const blob = await new Promise(done => document.createElement("canvas").toBlob(done));
            const given = new DataTransfer();
            given.items.add(new File([blob], "{kind}.png", {{type: "image/png"}}));
            const event = new Event("{kind}", {{cancelable: true}});
            Object.defineProperty(event, "{field}", {{value: given}});
            document.dispatchEvent(event);
        }})()""")
        answered = f"!!document.querySelector('[data-summary^={kind}]')"
        page.wait(answered)
        assert page.run(answered)
