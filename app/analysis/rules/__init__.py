"""A folder for each kind of findings, a module for each family; what several kinds read is here.

Each rule takes the analysis and yields findings; `analysis/ranking.py` lists all of them.

Thresholds and confidences were set by judgement, with the open cases of `evals/cases.py` in view.
The comment beside each says what it separates; after a change run `make evals`.
"""
