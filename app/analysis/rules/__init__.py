"""One module for each family of findings; each rule takes the analysis and yields findings.

Thresholds and confidences were set by judgement, with the open cases of `evals/cases.py` in view.
The comment beside each says what it separates; after a change run `make evals`.
"""
