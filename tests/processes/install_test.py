"""cmake --install, and a project outside of this one that finds the package and uses it."""

import os
import shutil
import subprocess
import unittest

from cluster import BIN, PATIENCE_SECONDS, ROOT, ClusterTest, die_with_the_test, wait_until

PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(outside LANGUAGES CXX)
find_package(cidbus 0.1 REQUIRED)
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
add_executable(submit submit.cpp)
target_link_libraries(submit PRIVATE cidbus::client)
add_executable(word_count_worker word_count_worker.cpp)
target_link_libraries(word_count_worker PRIVATE cidbus::worker)
add_executable(cluster_management_example cluster_management_example.cpp)
target_link_libraries(cluster_management_example PRIVATE cidbus::cluster)
"""


class Install(ClusterTest):
    def must_run(self, *command, **options):
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=300, **options)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def test_an_outside_project_builds_against_the_installed_package_and_runs(self):
        prefix, project, build = self.folder / "prefix", self.folder / "project", self.folder / "build"
        self.must_run("cmake", "--install", BIN.parent, "--component", "library", "--prefix", prefix)
        self.assertTrue((prefix / "include/cidbus/client.h").exists())
        project.mkdir()
        (project / "CMakeLists.txt").write_text(PROJECT, encoding="utf-8")
        for source in ("submit.cpp", "word_count_worker.cpp", "cluster_management_example.cpp"):
            shutil.copy(ROOT / "examples" / source, project)
        self.must_run("cmake", "-G", "Ninja", "-S", project, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}")
        self.must_run("cmake", "--build", build)

        cluster = self.start_cluster(workers=0)
        place = os.environ | {"CIDBUS_BROKERS": cluster.broker_address, "CIDBUS_CLUSTER": cluster.name}
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        worker = subprocess.Popen([build / "word_count_worker"], env=place, cwd=self.folder,
                                  preexec_fn=die_with_the_test)
        self.addCleanup(lambda: (worker.kill(), worker.wait(PATIENCE_SECONDS)))
        wait_until(lambda: "words" in cluster.members(), "the worker is a member")
        text = self.file("text", b"three small words")
        self.assertEqual(self.must_run(build / "submit", text, env=place), "words 3\n")
        done = subprocess.run([build / "submit", self.folder / "nope"], capture_output=True, text=True, check=False, timeout=300, env=place)
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertIn("nope", done.stderr)

    @unittest.skipIf(not (BIN.parent / "python/cidbus/cluster").is_dir(), "no Python module was built")
    def test_the_python_package_is_found_where_it_was_installed(self):
        prefix = self.folder / "prefix"
        self.must_run("cmake", "--install", BIN.parent, "--component", "python", "--prefix", prefix)
        site, = prefix.glob("lib/python3.*/dist-packages")
        program = "import cidbus.cluster as c; print(c.NodeRole.from_string('Master').value, c.__file__)"
        said = self.must_run("/usr/bin/python3", "-c", program, env=os.environ | {"PYTHONPATH": str(site)}, cwd=self.folder)
        self.assertEqual(said, f"master {site}/cidbus/cluster/__init__.py\n")


if __name__ == "__main__":
    unittest.main()
