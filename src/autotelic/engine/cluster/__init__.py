"""Where stages run when they do not run in this process: workers on a Ray cluster.

    loop: journal, state, ledger ──► sampler, domain, learner ──► pool ──► workers: samplers, judges, a learner

What travels are the values of the seams: requests and turns, episodes and verdicts, batches and reports. Only the
loop records them, and only the loop applies them (docs/adr/0015).
"""
