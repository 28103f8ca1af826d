"""Behavioural tests: what a model must be able to do, whatever its score on a test set.

After Ribeiro et al., "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList" (ACL 2020): minimum
functionality (the right answer to an easy question), invariance (one answer to a question, however put),
direction (a probability that must move one way). The cases are data, in `cases/`; docs/behaviour.md explains.
"""

from training.behaviour.cases import BehaviourError
from training.behaviour.load import load_suite
from training.behaviour.report import BehaviourReport
from training.behaviour.score import run_behaviour
from training.behaviour.subject import Subject

__all__ = ["BehaviourError", "BehaviourReport", "Subject", "load_suite", "run_behaviour"]
