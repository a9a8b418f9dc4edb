"""Says how a tempest run ended: tempest_report.py SUBUNIT FAILURES [LEAST]

FAILURES names the tests that may fail: a name a line, after a line `# why`. Ends with 1 when any other
test fails, or one of those passes; when a test has not ended (the run broke off); and when fewer than LEAST
have (1 where it is not said).
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


# How a test ends. Whatever else subunit says of one (`inprogress`, `unknown`, `exists`) is no end.
PASSED, FAILED, SKIPPED = ("success", "xfail"), ("fail", "uxsuccess"), ("skip",)


def main(path, known_path, least=1):
    by_status = outcomes(path)
    with open(known_path) as file:
        known = {line.strip() for line in file if line.strip() and not line.startswith("#")}
    passed, failed, skipped = (
        {name: text for status in ends for name, text in by_status[status].items()}
        for ends in (PASSED, FAILED, SKIPPED)
    )
    broken = {
        name: status
        for status, tests in by_status.items()
        if status not in PASSED + FAILED + SKIPPED
        for name in tests
    }
    for name, reason in sorted(failed.items()):
        print(f"{'known' if name in known else 'FAIL'} {name}\n    {reason}")
    for name, status in sorted(broken.items()):
        print(f"did not end ({status}): {name}")
    better = sorted(known & set(passed))
    for name in better:
        print(f"passes, and is listed as failing: {name}")
    for reason, number in collections.Counter(skipped.values()).most_common():
        print(f"skipped {number}: {reason}")
    print(f"{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped")
    ended = len(passed) + len(failed) + len(skipped)
    if ended < int(least):
        print(f"only {ended} of at least {least} tests have ended: the run broke off, or tests are missing")
    fine = passed and not broken and not better and set(failed) <= known and ended >= int(least)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
