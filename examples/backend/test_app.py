import unittest

from app import COMMIT, answer


class Answers(unittest.TestCase):
    def test_it_says_hello_to_the_world(self) -> None:
        self.assertEqual(answer("/"), (200, "hello world"))

    def test_it_says_hello_to_who_is_named(self) -> None:
        self.assertEqual(answer("/Zo%C3%AB"), (200, "hello Zoë"))

    def test_it_is_well(self) -> None:
        self.assertEqual(answer("/health"), (200, "well"))

    def test_it_tells_its_commit(self) -> None:
        self.assertEqual(answer("/version"), (200, COMMIT))

    def test_there_is_nothing_below(self) -> None:
        self.assertEqual(answer("/a/b")[0], 404)
