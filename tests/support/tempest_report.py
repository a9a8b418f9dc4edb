"""Says how a tempest run ended: tempest_report.py SUBUNIT FAILURES

FAILURES names the tests that may fail: a name a line, after a line `# why`. Ends with 1 when any other
test fails, or one of those passes, or none ran at all.
"""

import collections
import sys

import subunit
from testtools import StreamToDict


def outcomes(path):
    by_status = collections.defaultdict(dict)

    def one(test):
        # `setUpClass (…)` and the like, where a whole class failed or was skipped.
        text = ""
        if test["status"] == "skip":
            reason = test["details"].get("reason")
            text = reason.as_text() if reason else ""
        elif test["status"] == "fail":
            parts = [part.as_text() for name, part in test["details"].items() if name.startswith("traceback")]
            text = ("".join(parts).strip().splitlines() or [""])[-1][:300]
        by_status[test["status"]][test["id"].split("[")[0]] = text

    with open(path, "rb") as stream:
        result = StreamToDict(one)
        result.startTestRun()
        subunit.ByteStreamToStreamResult(stream, non_subunit_name="stdout").run(result)
        result.stopTestRun()
    return by_status


def main(path, known_path):
    by_status = outcomes(path)
    with open(known_path) as file:
        known = {line.strip() for line in file if line.strip() and not line.startswith("#")}
    passed = {**by_status["success"], **by_status["xfail"]}
    failed = {**by_status["fail"], **by_status["uxsuccess"]}
    for name, reason in sorted(failed.items()):
        print(f"{'known' if name in known else 'FAIL'} {name}\n    {reason}")
    better = sorted(known & set(passed))
    for name in better:
        print(f"passes, and is listed as failing: {name}")
    for reason, number in collections.Counter(by_status["skip"].values()).most_common():
        print(f"skipped {number}: {reason}")
    print(f"{len(passed)} passed, {len(failed)} failed, {len(by_status['skip'])} skipped")
    return 0 if passed and not better and set(failed) <= known else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
