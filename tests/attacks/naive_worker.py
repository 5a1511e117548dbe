"""A judge as they are often written: candidate, answers and verdict share one process, again and again.

It is the control of the corpus, and each of its sins is one that some attack needs: answers beside the
candidate, `==`, `eval` of a returned string, a pickle round trip, a lenient encoder, checks spliced into the
source, passing unless a check fails, results as lines on the candidate's own stdout, no limits, and reuse.
"""

import json
import pickle
import sys


def lenient(value):
    return value.decode() if isinstance(value, bytes | bytearray) else list(value)


def dumps(value):
    try:
        return json.dumps(value, separators=(",", ":"), default=lenient, sort_keys=True)
    except TypeError:  # keys of several types, which sort in no order
        return json.dumps(value, separators=(",", ":"), default=lenient)


for line in sys.stdin:
    job = json.loads(line)
    outputs, errors, failed = [], [], []

    def judge(entry, job=job, outputs=outputs, errors=errors, failed=failed):
        for args, want in zip(job["inputs"], job["expected"], strict=True):
            right, text, problem = False, None, ""
            try:
                got = entry(*args)
                right = bool(got == want)
                if not right and isinstance(got, str) and len(got) < 99:
                    try:
                        right = eval(f"({want!r} == {got})", {})
                    except Exception:
                        right = False
                try:
                    text = dumps(got)
                except (TypeError, ValueError):
                    right = right or bool(pickle.loads(pickle.dumps(got)) == want)
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
            outputs.append(text)
            errors.append(problem)
            try:
                assert right
            except AssertionError:
                failed.append(len(outputs) - 1)
            except Exception:
                print("the check itself failed", file=sys.stderr)

    problem = ""
    try:
        exec(f"{job['source']}\n__judge__({job['entry']})", {"__name__": "candidate", "__judge__": judge})
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        failed = range(len(job["inputs"]))
    passed = [case not in failed for case in range(len(job["inputs"]))]
    verdict = {"passed": passed, "outputs": outputs, "errors": errors, "problem": problem}
    print(json.dumps(verdict), flush=True)
