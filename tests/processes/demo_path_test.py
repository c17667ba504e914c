"""The path of scripts/demo on a real photograph: add, resize, fetch from the gateway; pixels and CIDs are checked."""

import io
import unittest
import urllib.error
import urllib.request

from PIL import Image, ImageChops, ImageStat

import cids
from cluster import PHOTOGRAPH, ClusterTest


def fetch(url, method="GET", headers=None):
    """(status, headers, body) of a request; an error's answer is an answer too."""
    request = urllib.request.Request(url, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read()


def difference(picture, other):
    """The mean difference of two pictures of one size, of 255, over all pixels and channels."""
    difference_of = ImageChops.difference(picture.convert("RGB"), other.convert("RGB"))
    return sum(ImageStat.Stat(difference_of).mean) / 3


class DemoPath(ClusterTest):
    def test_a_photograph_is_resized_by_a_worker_and_served_by_the_gateway(self):
        cluster = self.start_cluster(workers=2, gateways=1, observers=1)
        photograph = PHOTOGRAPH.read_bytes()

        cid = cluster.add(PHOTOGRAPH)
        self.assertEqual(cid, cids.cid_of_file(photograph))

        task = cluster.ask("submit", "process_content", "--input", cid, "--param", "transform=resize",
                           "--param", "width=320", "--wait")
        self.assertEqual(task["type"], "process_content")
        self.assertEqual(task["state"], "completed")
        self.assertEqual(task["inputs"], [cid])
        self.assertEqual(task["attempts"], 1)
        self.assertIn(task["worker"], ["w1", "w2"])
        self.assertLessEqual(task["submitted_at"], task["started_at"])
        self.assertLessEqual(task["started_at"], task["finished_at"])
        (result,) = task["result"]["cids"]

        status, headers, body = fetch(f"{cluster.gateway_url}/ipfs/{result}")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "image/jpeg")
        self.assertEqual(headers["Etag"], f'"{result}"')
        self.assertEqual(cids.cid_of_file(body), result)

        resized, original = Image.open(io.BytesIO(body)), Image.open(PHOTOGRAPH)
        self.assertEqual(resized.size, (320, 180))
        expected = original.resize((320, 180), Image.Resampling.LANCZOS)
        self.assertLess(difference(resized, expected), 4, "the picture should show what the photograph shows")
        self.assertGreater(difference(resized, expected.transpose(Image.Transpose.FLIP_LEFT_RIGHT)), 20)

        # The original comes back too, whole, by the gateway and by the command.
        self.assertEqual(fetch(f"{cluster.gateway_url}/ipfs/{cid}")[2], photograph)
        copy = self.folder / "copy.jpg"
        self.assertEqual(cluster.cidbus("get", cid, "-o", copy).code, 0)
        self.assertEqual(copy.read_bytes(), photograph)

        # The task is known afterwards, and the observer has seen it.
        self.assertEqual(cluster.ask("task", "show", task["id"])["result"]["cids"], [result])
        self.assertIn(task["id"], cluster.log("o1"))

    def test_the_same_task_gives_the_same_cid_and_a_path_may_be_its_input(self):
        cluster = self.start_cluster(workers=2)
        results = [cluster.ask("submit", "process_content", "--input", PHOTOGRAPH, "--param", "transform=thumbnail",
                               "--param", "size=64", "--wait")["result"]["cids"]
                   for _ in range(2)]
        self.assertEqual(results[0], results[1])

    def test_a_part_and_the_head_of_a_file_are_served(self):
        cluster = self.start_cluster(workers=1, gateways=1)
        content = bytes(range(256)) * 8192  # two blocks
        url = f"{cluster.gateway_url}/ipfs/{cluster.add(self.file('numbers', content))}"
        status, headers, body = fetch(url, headers={"Range": "bytes=1048570-1048585"})
        self.assertEqual((status, body), (206, content[1048570:1048586]))
        self.assertEqual(headers["Content-Range"], f"bytes 1048570-1048585/{len(content)}")
        status, headers, body = fetch(url, method="HEAD")
        self.assertEqual((status, headers["Content-Length"], body), (200, str(len(content)), b""))


if __name__ == "__main__":
    unittest.main()
