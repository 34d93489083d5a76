"""The connections page of Airflow's web UI, in the words of somebody who uses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

TYPE_SHOWN = "Twilio Comms"


class ConnectionsPage:
    """
    :param page: the browser's page.
    :param url: of the web UI.
    :param pictures: folder for screenshots.
    """

    def __init__(self, page: Page, url: str, pictures: Path) -> None:
        self._page = page
        self._url = url
        self._pictures = pictures

    def open(self) -> ConnectionsPage:
        self._page.goto(f"{self._url}/connections")
        expect(self._page.get_by_role("button", name="Add Connection")).to_be_visible()
        return self

    def add(self, conn_id: str) -> ConnectionsPage:
        """Open the form for a new connection of our type."""
        self._page.get_by_role("button", name="Add Connection").click()
        self.dialog.get_by_label("Connection ID").fill(conn_id)
        self.dialog.get_by_role("combobox").last.fill(TYPE_SHOWN)
        self._page.get_by_role("option", name=TYPE_SHOWN).click()
        expect(self.field("login")).to_be_visible()
        return self

    @property
    def dialog(self) -> Locator:
        return self._page.get_by_role("dialog")

    def field(self, name: str) -> Locator:
        """One of Airflow's own fields."""
        return self.dialog.locator(f"[name={name}]")

    def fill(self, **fields: str) -> ConnectionsPage:
        for name, value in fields.items():
            self.field(name).fill(value)
        return self

    def show_extra(self) -> ConnectionsPage:
        self.dialog.get_by_role("button", name="Extra Fields", exact=True).click()
        expect(self.extra("attempts")).to_be_visible()
        return self

    def extra(self, name: str) -> Locator:
        """One of our fields, in the section of extra fields."""
        return self.dialog.locator(f"[name=element_{name}]")

    def save(self) -> ConnectionsPage:
        self.dialog.get_by_role("button", name="Save").click()
        expect(self.dialog).to_be_hidden()
        return self

    def row(self, conn_id: str) -> Locator:
        return self._page.get_by_role("row").filter(has=self._page.get_by_text(conn_id, exact=True))

    def test(self, conn_id: str) -> Locator:
        """Press the Test button of a connection; return the message that pops up."""
        self.row(conn_id).get_by_role("button", name="Test Connection").click()
        message = self._page.locator("[data-part=root]").filter(has_text=re.compile("Test Connection (Success|Failed)"))
        expect(message).to_be_visible(timeout=20_000)
        return message

    def edit(self, conn_id: str) -> ConnectionsPage:
        self.row(conn_id).get_by_role("button", name="Edit Connection").click()
        expect(self.field("login")).to_be_visible()
        return self

    def picture(self, name: str, height: int) -> None:
        """Take a screenshot, once nothing moves any more."""
        self._page.set_viewport_size({"width": 1100, "height": height})
        self._page.mouse.move(0, 0)
        self._page.wait_for_timeout(600)
        self._page.screenshot(path=self._pictures / f"{name}.png", animations="disabled")
