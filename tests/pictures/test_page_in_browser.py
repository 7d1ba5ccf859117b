"""A page in a real browser: what is drawn, what clicks and keys do, that nothing is requested and no text is run."""

import json

import pytest
from browsers import open_browser
from pictured import DRAWINGS, HOSTILE, MENTIONS, QUESTION, RECORDS, TRIPLES

import kexue_cli

PHONE, DESKTOP = 390, 1100  # CSS pixels
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3, level AA

CONTRASTS = """
const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
const isClear = (color) => color === 'none' || (numbers(color)[3] ?? 1) === 0;
function ground(element) {
  const box = element.closest('g.edge')?.querySelector('rect');
  if (box && !isClear(getComputedStyle(box).fill)) return getComputedStyle(box).fill;
  for (let one = element; one; one = one.parentElement) {
    const color = getComputedStyle(one).backgroundColor;
    if (!isClear(color)) return color;
  }
  return 'rgb(255, 255, 255)';
}
const found = [];
for (const element of document.body.querySelectorAll('*')) {
  const texts = [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
  if (!texts.length || !element.getClientRects().length) continue;
  const style = getComputedStyle(element);
  const color = element.ownerSVGElement ? style.fill : style.color;
  const [front, back] = [color, ground(element)].map((one) => light(numbers(one)));
  const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
  found.push([contrast, element.outerHTML.slice(0, 80)]);
}
return found.sort((one, other) => one[0] - other[0]);
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def show(browser, tmp_path):
    """Open the page of some records; the width is that of a phone or of a desktop."""

    def run(records, *, width=DESKTOP, scheme="light"):
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width == PHONE}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        page = tmp_path / "page.html"
        kexue_cli.view(records).save(page)
        browser.get_log("browser"), browser.get_log("performance")  # what came before
        browser.get(page.as_uri())
        return browser

    return run


def press(browser, *keys):
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def wait_until(browser, condition):
    """Wait until a JavaScript expression is true."""
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(browser, 30, poll_frequency=0.05).until(lambda one: one.execute_script(f"return {condition}"))


def focused(browser):
    return browser.execute_script("return document.activeElement.querySelector('h2')?.textContent")


def titles(browser):
    return [element.text for element in browser.find_elements("css selector", "article h2")]


def requests(browser):
    """What the page that is open asked for, itself included; the browser's own first page is another."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [one["params"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    return {one["request"]["url"] for one in asked if one["documentURL"] == browser.current_url}


def test_every_task_is_drawn_without_an_error_and_without_a_request(show):
    browser = show(RECORDS)

    wait_until(browser, "document.querySelectorAll('svg.arcs, svg.lattice').length >= 2")
    assert len(titles(browser)) == DRAWINGS
    assert browser.get_log("browser") == []
    assert requests(browser) - {"data:,"} == {browser.current_url}


def test_text_is_shown_and_never_run(show):
    browser = show([HOSTILE, {"<b>": "</script><script>window.hacked = 4</script>"}])

    assert browser.execute_script("return window.hacked") is None
    assert browser.find_elements("css selector", "main img, main script, main b") == []
    text = browser.find_element("css selector", "main").get_attribute("textContent")
    assert "<script>window.hacked = 1</script> </script><!-- \\u202e反写\\u202c" in text
    assert "<img src=x onerror='window.hacked = 2'>" in text
    assert "\\u2066\\u200b" in text
    assert browser.find_element("css selector", ".escape").get_attribute("title") == "RIGHT-TO-LEFT OVERRIDE"


def test_what_comes_into_the_page_in_spite_of_all_is_not_run(show):
    browser = show(QUESTION)

    browser.execute_script(
        "const image = document.createElement('img'); image.setAttribute('onerror', 'window.hacked = 1');"
        "image.src = 'https://example.com/x.png'; document.body.append(image);"
        "const script = document.createElement('script'); script.textContent = 'window.hacked = 2';"
        "document.body.append(script);"
    )

    wait_until(browser, "document.images[0].complete")
    assert browser.execute_script("return window.hacked") is None
    refused = [entry["message"] for entry in browser.get_log("browser")]
    assert len(refused) == 3  # the handler, the image and the script
    assert all("violates the following Content Security Policy" in message for message in refused), refused


def test_arcs_go_from_the_subject_to_the_object(show):
    browser = show(TRIPLES)

    wait_until(browser, "document.querySelector('svg.arcs')")
    labels = {one.text for one in browser.find_elements("css selector", ".arc .label")}
    assert labels == {"✓ 作者", "✗ 作者", "○ 出生地"}
    head, texts = browser.execute_script(
        "const x = (one) => one.getBoundingClientRect(); const pieces = [...document.querySelectorAll('.line tspan')];"
        "const head = x(document.querySelector('.arc.missed .head'));"
        "return [(head.left + head.right) / 2, pieces.map((one) => [one.textContent, x(one).left, x(one).right])];"
    )
    assert [text for text, left, right in texts if left <= head <= right] == ["绍兴"]


def test_arrow_keys_go_from_record_to_record_and_over_the_ends_of_pages(show):
    from selenium.webdriver.common.keys import Keys

    browser = show([{"title": f"第{number}条"} for number in range(1, 46)])

    press(browser, Keys.ARROW_RIGHT)
    assert focused(browser) == "Record 1"
    press(browser, *[Keys.ARROW_RIGHT] * 20)
    assert focused(browser) == "Record 21"
    assert browser.find_element("id", "place").text == "21–40 of 45"
    press(browser, Keys.ARROW_LEFT)
    assert focused(browser) == "Record 20"
    outline = browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"  # one sees where one is


def test_buttons_turn_pages(show):
    browser = show([{"title": f"第{number}条"} for number in range(1, 46)])
    earlier, later = browser.find_elements("css selector", ".pager:first-of-type button")

    assert not earlier.is_enabled()
    later.click()
    later.click()

    assert titles(browser) == [f"Record {number}" for number in range(41, 46)]
    assert not later.is_enabled()


def test_a_search_is_begun_and_left_with_keys(show):
    from selenium.webdriver.common.keys import Keys

    browser = show(RECORDS)

    press(browser, "/", "小米")
    wait_until(browser, "document.querySelectorAll('article').length === 1")
    assert "小米" in browser.find_element("css selector", "article").text
    press(browser, Keys.ESCAPE, Keys.ARROW_RIGHT)
    assert focused(browser) == titles(browser)[0]
    press(browser, "/", "没有这样的")
    wait_until(browser, "document.querySelectorAll('article').length === 0")
    assert browser.find_element("id", "place").text == "No record is like that."


def test_records_are_chosen_by_task_and_by_answer(show):
    from selenium.webdriver.support.select import Select

    right = {**QUESTION, "answer": "鲁迅"}
    browser = show([QUESTION, right, TRIPLES])

    Select(browser.find_element("id", "task")).select_by_value("qa")
    assert titles(browser) == ["Record 1", "Record 2"]
    Select(browser.find_element("id", "verdict")).select_by_value("right")
    assert titles(browser) == ["Record 2"]


def test_a_mention_that_has_the_focus_or_the_mouse_shows_its_card(show):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser = show(MENTIONS)
    card = browser.find_element("id", "card")

    press(browser, Keys.ARROW_RIGHT, Keys.TAB)
    assert card.is_displayed()
    assert card.text.split("\n")[1:] == [
        "Linked to", "小米（粮食） K2", "Score", "0.6", "1. 小米（粮食） K2", "0.6", "2. 小米公司 K1", "0.4",
        "Right", "K1",
    ]  # fmt: skip
    press(browser, Keys.ESCAPE)
    assert not card.is_displayed()
    ActionChains(browser).move_to_element(browser.find_elements("css selector", "article mark")[1]).perform()
    assert "not in the base" in card.text
    ActionChains(browser).move_to_element(browser.find_element("css selector", "h1")).perform()
    wait_until(browser, "document.getElementById('card').hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_told_from_what_is_behind_it(show, scheme):
    browser = show(RECORDS, scheme=scheme)

    wait_until(browser, "document.querySelectorAll('svg.arcs, svg.lattice').length >= 2")
    contrast, element = browser.execute_script(CONTRASTS)[0]
    assert contrast >= LEAST_CONTRAST, element


def test_on_a_phone_nothing_stands_out_of_the_screen(show):
    long = {"text": "很长的文本，" * 30, "triples": [{"subject": "很长", "predicate": "是", "object": "文本"}]}
    browser = show([*RECORDS, long], width=PHONE)

    wait_until(browser, "document.querySelectorAll('svg.arcs, svg.lattice').length >= 3")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE
    widths = browser.execute_script("return [...document.querySelectorAll('svg')].map((one) => one.clientWidth)")
    assert max(widths) <= PHONE


def test_printing_unfolds_what_is_folded(show):
    passages = [{"text": "这里没有。"}, *QUESTION["passages"]]
    browser = show({**QUESTION, "passages": passages, "passage": 2, "candidates": []})
    folded = browser.find_element("css selector", "details.aside")

    assert folded.get_attribute("open") is None
    pdf = browser.execute_cdp_cmd("Page.printToPDF", {})["data"]
    assert len(pdf) > 1000
    assert folded.get_attribute("open") is not None


def test_ten_thousand_records_are_paged(show):
    browser = show({"title": f"第{number}条"} for number in range(10_000))

    assert browser.find_element("id", "place").text == "1–20 of 10000"
    assert len(titles(browser)) == 20


def test_a_notebook_shows_the_page_in_its_frame(browser, tmp_path):
    (tmp_path / "notebook.html").write_text(f"<meta charset=utf-8>{kexue_cli.view(MENTIONS)._repr_html_()}", "utf-8")

    browser.get((tmp_path / "notebook.html").as_uri())
    browser.switch_to.frame(0)

    wait_until(browser, "document.querySelectorAll('article mark').length === 2")
    with pytest.raises(Exception, match="cross-origin"):
        browser.execute_script("return window.parent.document.title")
    browser.switch_to.default_content()
