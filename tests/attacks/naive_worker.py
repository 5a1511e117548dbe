"""A judge as they are often written: candidate, answers and verdict share one process, again and again.

It is the control of the corpus, and each of its sins is one that some attack needs: answers beside the
candidate, `==`, `eval` of a returned string, a pickle round trip, checks spliced into the source, passing
unless a check fails, results as lines on the candidate's own stdout, no limits, and reuse.
"""

import json
import pickle
import sys

for line in sys.stdin:
    job = json.loads(line)
    outputs, errors, failed = [], [], []

    def judge(entry, job=job, outputs=outputs, errors=errors, failed=failed):
        for args, want in zip(job["inputs"], job["expected"]):
            right, text, problem = False, None, ""
            try:
                got = entry(*args)
                try:
                    text = json.dumps(got, sort_keys=True, separators=(",", ":"))
                except (TypeError, ValueError):
                    got = pickle.loads(pickle.dumps(got))
                right = bool(got == want)
                if not right and isinstance(got, str) and len(got) < 99:
                    right = eval(f"({got}) == ({want!r})", {})
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
            outputs.append(text)
            errors.append(problem)
            try:
                if not right:
                    raise AssertionError("wrong answer")
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
    print(json.dumps({"passed": passed, "outputs": outputs, "errors": errors, "problem": problem}), flush=True)
