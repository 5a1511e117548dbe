"""vLLM's side of bench/step.py, run by the python of an environment that has vLLM: its pins conflict with everyone's.

    {"model": ..., "prompts": [[ids], ...], ...}  ──► loads ──► "ready"
    an empty line                                ──► every prompt sampled ──► {"tokens": ..., "wall": ..., "cpu": ...}

Nothing of autotelic is imported here, and nothing of vLLM there. The engine is run in this process, so that its CPU
seconds are this process's.
"""

import json
import os
import sys
import time


def main() -> None:
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what vLLM prints is no answer
    work = json.loads(sys.stdin.readline())
    from vllm import LLM, SamplingParams

    engine = LLM(
        model=work["model"],
        dtype="float32",
        skip_tokenizer_init=True,
        enforce_eager=True,
        max_model_len=work["longest"],
        max_num_seqs=work["rows"],
        seed=0,
    )
    how = SamplingParams(
        n=work["group"],
        temperature=1.0,
        top_p=1.0,
        top_k=0,
        max_tokens=work["max_tokens"],
        stop_token_ids=[work["end"]],
        ignore_eos=True,  # of the model's config; the end token is the one above
        detokenize=False,
    )
    prompts = [{"prompt_token_ids": ids} for ids in work["prompts"]]
    print(json.dumps("ready"), file=told, flush=True)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        found = engine.generate(prompts, how, use_tqdm=False)
        tokens = sum(len(one.token_ids) for answer in found for one in answer.outputs)
        took = {"tokens": tokens, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        print(json.dumps(took), file=told, flush=True)


if __name__ == "__main__":
    main()
