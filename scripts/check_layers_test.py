#!/usr/bin/env python3
"""Proves that scripts/check-layers sees what it is for: each test is a small tree with one thing wrong in it."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent / "check-layers"


def check(files):
    """Runs the check on a tree of {path: text}; gives (exit code, what it printed)."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            file = Path(root, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, SCRIPT, root], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


class CheckLayers(unittest.TestCase):
    def assert_clean(self, files):
        code, output = check(files)
        self.assertEqual((code, "no violations" in output), (0, True), output)

    def assert_found(self, files, words):
        code, output = check(files)
        self.assertEqual(code, 1, output)
        self.assertIn(words, output)
        self.assertIn(": 1 violation\n", output)

    def test_downward_includes_are_allowed(self):
        self.assert_clean({"broker/broker.cpp": '#include "broker/tasks/table.h"\n#include "shared/base/ids.h"\n',
                           "shared/store/store.cpp": '#include "shared/io/file.h"\n#include "rocksdb/db.h"\n'})

    def test_an_upward_include_is_found(self):
        self.assert_found({"shared/base/ids.h": '#include "shared/io/file.h"\n'}, "ids.h:1: shared/base may not include")

    def test_an_include_of_a_sibling_role_is_found(self):
        self.assert_found({"worker/worker.cpp": '\n#include "broker/broker.h"\n'}, "worker.cpp:2: worker may not include")

    def test_a_room_inside_an_allowed_room_may_be_included_and_no_other(self):
        self.assert_clean({"tests/sim/sim_test.cpp": '#include "broker/tasks/table.h"\n'})
        self.assert_found({"broker/tasks/table.cpp": '#include "broker/broker.h"\n'}, "no arrow from broker/tasks to broker")

    def test_each_kind_of_impurity_in_a_pure_room_is_found(self):
        for line in ["#include <thread>", "#include <mutex>", "#include <fstream>", "#include <filesystem>",
                     "#include <iostream>", "#include <sys/socket.h>", "#include <unistd.h>",
                     "#include <spdlog/spdlog.h>", "#include <boost/asio.hpp>",
                     "std::puts(text);", "std::FILE* file = std::fopen(name, mode);", "#include <sqlite3.h>", "#include <curl/curl.h>", "#include <syslog.h>",
                     "auto now = time(nullptr);", "auto home = std::getenv(\"HOME\");", "using C = std::chrono::steady_clock;",
                     "auto now = std::chrono::steady_clock::now();", "auto now = std::chrono::system_clock :: now();",
                     "std::random_device device;", "throw 1;", "void f() { try { g(); }", "} catch (int) {"]:
            with self.subTest(line):
                self.assert_found({"broker/consensus/election.cpp": line + "\n"}, "broker/consensus is pure")

    def test_comments_strings_tests_and_other_rooms_may_speak_of_what_is_impure(self):
        self.assert_clean({"broker/tasks/table.cpp": '// throw, catch, steady_clock::now()\n/* try\n*/ auto a = "throw";\n',
                           "broker/tasks/table_test.cpp": "#include <thread>\nauto n = std::chrono::steady_clock::now();\n",
                           "shared/io/clock.cpp": "#include <thread>\nauto n = std::chrono::steady_clock::now();\n",
                           "gateway/routes_table.cpp": "#include <thread>\n"})

    def test_a_public_header_that_includes_more_than_the_standard_library_is_found(self):
        self.assert_clean({"client/include/cidbus/client.h": '#include <vector>\n#include "cidbus/task.h"\n',
                           "examples/submit.cpp": "#include <cidbus/client.h>\n#include <iostream>\n",
                           "client/library/client.cpp": '#include "cidbus/client.h"\n'})
        for header in ['"shared/base/result.h"', "<tl/expected.hpp>", "<unistd.h>", "<sys/poll.h>"]:
            with self.subTest(header):
                self.assert_found({"client/include/cidbus/client.h": f"#include {header}\n"}, "only public headers")

    def test_generated_schema_outside_wire_is_found(self):
        self.assert_clean({"shared/wire/decode.cpp": '#include "schema/task.capnp.h"\n'})
        self.assert_found({"broker/broker.cpp": '#include "schema/task.capnp.h"\n'}, "is included only by shared/wire")

    def test_a_library_outside_the_room_that_owns_it_is_found(self):
        self.assert_found({"worker/worker.cpp": "#include <zmq.hpp>\n"}, "is included only by shared/io")
        self.assert_found({"broker/broker.cpp": "#include <rocksdb/db.h>\n"}, "is included only by shared/store")

    def test_a_heavy_header_may_be_used_in_its_room_and_not_from_another(self):
        inside = {"shared/io/http.h": "#include <boost/beast.hpp>\n", "shared/io/http.cpp": '#include "shared/io/http.h"\n'}
        self.assert_clean(inside)
        self.assert_found(inside | {"gateway/server.cpp": '#include "shared/io/http.h"\n'}, "brings in boost/beast.hpp")

    def test_a_heavy_header_is_found_through_another_header(self):
        self.assert_found({"shared/io/http.h": "#include <boost/beast.hpp>\n",
                           "shared/io/server.h": '#include "shared/io/http.h"\n',
                           "gateway/server.cpp": '#include "shared/io/server.h"\n'}, "server.h, which brings in boost/beast")

    def test_files_and_lines_are_allowed_up_to_their_limit_and_not_past_it(self):
        self.assert_clean({"shared/base/a.h": "\n" * 200, "shared/base/a.cpp": "\n" * 500, "shared/io/b.h": "é" * 110 + "\n"})
        self.assert_found({"shared/base/a.h": "\n" * 201}, "a.h: 201 lines, at most 200")
        self.assert_found({"shared/base/a.cpp": "\n" * 501}, "a.cpp: 501 lines, at most 500")
        self.assert_clean({"broker/main.cpp": "\n" * 60, "broker/domain.cpp": "\n" * 61})
        self.assert_found({"broker/main.cpp": "\n" * 61}, "main.cpp: 61 lines, at most 60")
        self.assert_found({"shared/base/a.h": "x" * 111 + "\n"}, "a.h:1: 111 characters, at most 110")

    def test_a_file_in_no_known_room_is_found(self):
        self.assert_found({"attic/old.cpp": "\n"}, "belongs to no room")

    def test_what_is_built_is_not_looked_at(self):
        self.assert_clean({"build/release/schema/a.capnp.h": "\n" * 9999, "shared/base/a.h": "\n"})

    def test_an_empty_tree_is_an_error_and_not_a_success(self):
        self.assertEqual(check({})[0], 2)


if __name__ == "__main__":
    unittest.main()
