"""Tests against a running copy, whose address is in $URL."""

import os
import unittest
from http.client import HTTPConnection
from urllib.parse import urlsplit


def get(path: str) -> tuple[int, str]:
    connection = HTTPConnection(urlsplit(os.environ["URL"]).netloc, timeout=5)
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read().decode().strip()


class Running(unittest.TestCase):
    def test_it_is_well(self) -> None:
        self.assertEqual(get("/health"), (200, "well"))

    def test_it_is_this_commit(self) -> None:
        self.assertEqual(get("/version"), (200, os.environ["HOOKCI_COMMIT"]))

    def test_it_says_hello(self) -> None:
        self.assertEqual(get("/Ana"), (200, "hello Ana"))

    def test_it_says_that_there_is_nothing(self) -> None:
        self.assertEqual(get("/a/b")[0], 404)
