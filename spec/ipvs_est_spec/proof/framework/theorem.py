"""What a theorem is."""

from collections.abc import Callable
from dataclasses import dataclass

from ipvs_est_spec.algebra.z3_names import z3


@dataclass(frozen=True, slots=True)
class Assumption:
    """A premise that can be left out; each goal needs each of its own."""

    id: str
    sentence: str
    term: z3.BoolRef


@dataclass(frozen=True, slots=True)
class Goal:
    """One formula: the definitions and the assumptions imply the conclusion."""

    name: str
    """Tells the goals of one theorem apart: a step, a geometry, a revision; '' if there is one."""
    assumptions: tuple[Assumption, ...]
    conclusion: z3.BoolRef
    definitions: tuple[z3.BoolRef, ...] = ()
    """What the symbols mean and which values their C types can hold. Never left out, and
    satisfiable for every value of the inputs."""
    shown: tuple[tuple[str, z3.ExprRef], ...] = ()
    """Named values of a counterexample, in the order in which they are printed."""


@dataclass(frozen=True, slots=True)
class Twin:
    """A mutated theorem that must be refuted, so that the theorem is seen to say something."""

    sentence: str
    """What was changed."""
    obligation: Callable[[], Goal]


@dataclass(frozen=True, slots=True)
class Theorem:
    """A statement that z3 proves, or refutes where a finding says so."""

    id: str
    group: str
    sentence: str
    """One plain sentence."""
    scope: str
    """For all of what."""
    source: str
    """Section of the semantics, row of the known defects, properties of the catalogue."""
    obligations: Callable[[], tuple[Goal, ...]]
    """Built on demand; all have to be proved, or all to be refuted."""
    twin: Twin
    revision: str = ""
    """The revision that it is about, or several with commas between them; '' = all alike."""
    properties: tuple[str, ...] = ()
    """Ids of the catalogue's properties whose predicates are used."""
    refuted_by: tuple[str, ...] = ()
    """Findings or known defects for which it does not hold; () = it has to hold."""
    statement: str = ""
    """The theorem whose statement this one is about, where a finding refutes it; '' = its own."""
    bound: str = ""
    """Up to what it is proved; '' = without a bound."""
    second_solver: bool = False
    """Also to be checked with another solver, by SMT-LIB."""
    over_functions: bool = False
    """Its goals are made of linear integers and of functions of which nothing is known: z3 decides
    such ones sooner if it does not look first which of its strategies fits."""
