"""What the relay does to packets, by itself: without a network, at times that are made up."""

import unittest

from relay import QUEUE_BYTES, Switch, network

ONE, OTHER = network("10.77.1"), network("10.77.2")
PACKET_BYTES = 1000


def packet(sender=ONE, receiver=OTHER):
    """IPv4, as far as the relay looks."""
    return (bytes(12) + sender + b"\2" + receiver + b"\2").ljust(PACKET_BYTES, b"x")


class Relay(unittest.TestCase):
    def setUp(self):
        self.switch = Switch()

    def change(self, now=0.0, **link):
        self.switch.change(ONE, OTHER, link, now)

    def send(self, count, now=0.0, **ends):
        for _ in range(count):
            self.switch.take(packet(**ends), now)

    def arrived(self, now):
        return len(list(self.switch.arrived(now)))

    def counts(self):
        return self.switch.way(ONE, OTHER).counts

    def test_a_link_with_nothing_wrong_passes_everything_at_once(self):
        self.send(3)
        self.assertEqual(self.arrived(0.0), 3)
        self.assertEqual(self.counts(), {"came": 3, "lost": 0, "bytes": 3 * PACKET_BYTES})
        self.assertIsNone(self.switch.until_next(0.0))

    def test_a_delay_is_of_one_direction(self):
        self.change(delay=0.5)
        self.send(1)
        self.send(1, sender=OTHER, receiver=ONE)
        self.assertEqual(self.arrived(0.4), 1)
        self.assertEqual(self.switch.until_next(0.25), 0.25)
        self.assertEqual(self.arrived(0.5), 1)

    def test_chance_loses_the_share_it_is_given_and_doubles_another(self):
        self.change(loss=0.25, twice=0.5)
        self.send(4000)
        self.assertAlmostEqual(self.counts()["lost"], 1000, delta=150)
        self.assertAlmostEqual(self.arrived(0.0), 4500, delta=300)

    def test_jitter_lets_packets_overtake_each_other(self):
        self.change(jitter=1.0)
        sent = [packet() + bytes([number]) for number in range(100)]
        for one in sent:
            self.switch.take(one, 0.0)
        arrived = list(self.switch.arrived(1.0))
        self.assertEqual(sorted(arrived), sent)
        self.assertNotEqual(arrived, sent)

    def test_a_slow_link_passes_so_many_bytes_a_second_and_loses_what_finds_its_queue_full(self):
        self.change(rate=10 * PACKET_BYTES)
        self.send(100)
        self.assertEqual(self.arrived(1.05), 10)
        waiting = QUEUE_BYTES // PACKET_BYTES + 1  # the last of them finds room for a byte
        self.assertEqual(self.arrived(60.0), waiting - 10)
        self.assertEqual(self.counts()["lost"], 100 - waiting)
        self.send(1, now=60.0)
        self.assertEqual(self.arrived(60.15), 1, "what was lost takes no time")

    def test_what_a_link_holds_goes_on_in_order_when_it_moves_again(self):
        self.change(held=True)
        sent = [packet() + bytes([number]) for number in range(10)]
        for one in sent:
            self.switch.take(one, 0.0)
        self.assertEqual(self.arrived(60.0), 0)
        self.change(now=60.0)
        self.assertEqual(list(self.switch.arrived(60.0)), sent)

    def test_a_link_holds_no_more_than_its_queue(self):
        self.change(held=True)
        self.send(100)
        self.assertGreater(self.counts()["lost"], 0)
        self.change(now=1.0)
        self.assertEqual(self.arrived(1.0) + self.counts()["lost"], 100)


if __name__ == "__main__":
    unittest.main()
