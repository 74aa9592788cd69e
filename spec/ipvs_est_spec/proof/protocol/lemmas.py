"""What every reachable state fulfils, and why nothing bad is reachable."""

from ipvs_est_spec.proof.protocol.expression import Condition, both, either, flag, negated, unset
from ipvs_est_spec.proof.protocol.lemma import Lemma, implies, owners
from ipvs_est_spec.proof.protocol.programs import kthread0
from ipvs_est_spec.proof.protocol.programs.other_tasks import ENDED, IDLE, NOT_BEGUN
from ipvs_est_spec.proof.protocol.programs.parts import CTL, EXIT, KT0, KTN, SYSCTL, WORK
from ipvs_est_spec.proof.protocol.programs.step import EXITED, FREED, NONE, at
from ipvs_est_spec.proof.protocol.system import ProtocolSystem

BEFORE = (NOT_BEGUN, "disabling")
"""Where netns exit has not yet cleared enable."""


def following(
    one: ProtocolSystem, actor: str, *roots: str, until: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The places that the actor's own steps lead to from `roots`, which count, not going on
    from `until`, which do not count."""
    found = dict.fromkeys(roots)
    todo = list(roots)
    while todo:
        place = todo.pop()
        for step in one.steps:
            leads = step.actor == actor and step.source == place
            if leads and step.target not in found and step.target not in until:
                found[step.target] = None
                todo.append(step.target)
    return tuple(found)


def _after_cancel(one: ProtocolSystem) -> tuple[str, ...]:
    return following(one, EXIT, "cancelled")


def _after_kt0(one: ProtocolSystem) -> tuple[str, ...]:
    return ("free 0, freeing", *following(one, EXIT, "freed 0"))


def _calculating(one: ProtocolSystem) -> tuple[str, ...]:
    """The calc phase up to the test of genid."""
    return following(
        one, KT0, "calc", until=("calc over", "not relinked", "not stopped", "cleared")
    )


def _freeing(one: ProtocolSystem, slot: str) -> Condition:
    """Somebody has joined the task of a context and frees it next."""
    return either(
        *(at(step.actor, step.source) for step in one.steps if (f"kd{slot}", "0") in step.updates)
    )


def no_control() -> Lemma:
    """Of the environment."""
    return Lemma(
        "no-control",
        "No control process is at work in a netns that exits: it would hold a reference.",
        either(at(EXIT, NOT_BEGUN), at(CTL, IDLE)),
    )


def disabled() -> Lemma:
    """enable is 0 for the rest of exit."""
    return Lemma(
        "disabled",
        "Once netns exit has cleared it, enable is 0.",
        implies(negated(at(EXIT, *BEFORE)), unset("enable")),
    )


def work_harmless(one: ProtocolSystem) -> Lemma:
    """After the cancel the work sees enable 0."""
    return Lemma(
        "work-harmless",
        "A reload work that runs after exit has cancelled it has seen enable 0 at slot 0, or will.",
        implies(
            at(EXIT, *_after_cancel(one)),
            at(WORK, IDLE, "queued", "locked", "slot 0", "all done", "over", "left", "unlocking"),
        ),
    )


def without_context(one: ProtocolSystem) -> Lemma:
    """No context, no task."""
    publishing_0 = [p for a in (CTL,) for p in one.variables[a] if p.endswith("starting, started")]
    publishing_n = [p for p in one.variables[KT0] if p.endswith("starting, started")]
    return Lemma(
        "no-context-no-task",
        "An empty slot has no task, but between the start of its task and its publication; and a"
        " context that is about to be freed has none.",
        both(
            implies(both(unset("kd0"), negated(at(CTL, *publishing_0))), at(KT0, NONE)),
            implies(both(unset("kdn"), negated(at(KT0, *publishing_n))), at(KTN, NONE)),
            implies(_freeing(one, "0"), at(KT0, NONE)),
            implies(_freeing(one, "n"), at(KTN, NONE)),
        ),
    )


def kthread0_gone(one: ProtocolSystem) -> Lemma:
    """After exit has joined kthread 0."""
    return Lemma(
        "kthread-0-gone",
        "After exit has joined kthread 0, it and its context are gone.",
        both(
            implies(at(EXIT, *_after_kt0(one)), at(KT0, NONE)),
            implies(at(EXIT, *following(one, EXIT, "freed 0")), unset("kd0")),
            implies(at(EXIT, "freed n", ENDED), unset("kdn")),
            implies(at(EXIT, "freed n", ENDED, "free n, freeing"), at(KTN, NONE)),
        ),
    )


def phase_is_marked(one: ProtocolSystem) -> Lemma:
    """est_calc_phase is 1 in the calc phase."""
    return Lemma(
        "phase-marked",
        "est_calc_phase is 1 from the beginning of the calc phase to its test of genid.",
        implies(at(KT0, *_calculating(one)), flag("calc_phase")),
    )


def others_stopped(one: ProtocolSystem) -> Lemma:
    """No kthread above 0 while relinking."""
    zone = following(
        one, KT0, "stopped", until=("calc over", "not relinked", "not stopped", "cleared")
    )
    return Lemma(
        "others-stopped",
        "From the join of kthread n to the end of relinking it has not been started again, and the"
        " reload work is not about to.",
        implies(
            at(KT0, *zone), both(at(KTN, NONE, EXITED, FREED), negated(at(WORK, "starting n")))
        ),
    )


def work_in_hand() -> Lemma:
    """kd 0 of the reload work."""
    return Lemma(
        "work-in-hand",
        "The kd 0 that the reload work stops is not freed.",
        implies(at(WORK, "stop 0", "stop 0, unlocked"), flag("work_ref")),
    )


def context_in_hand(one: ProtocolSystem) -> Lemma:
    """The contexts that the reload work looks at."""
    of_0 = following(one, WORK, "stop 0", "start 0", until=("other slots", "over", "left"))
    of_n = following(one, WORK, "slot n", until=("more slots",))
    return Lemma(
        "context-in-hand",
        "The context whose task the reload work stops and starts is in its slot.",
        both(implies(at(WORK, *of_0), flag("kd0")), implies(at(WORK, *of_n), flag("kdn"))),
    )


def stopped_in_hand() -> Lemma:
    """kd n of those who stop it."""
    return Lemma(
        "stopped-in-hand",
        "The kd n whose task kthread 0 or netns exit stops is in its slot.",
        both(implies(at(KT0, "stopping n"), flag("kdn")), implies(at(EXIT, "free n"), flag("kdn"))),
    )


def relinked_in_hand(one: ProtocolSystem) -> Lemma:
    """kd n of kthread 0."""
    places = (
        kthread0.RELINK_N,
        *following(one, KT0, "last of kd n", until=("last of kd n, gone", "kd n gone")),
    )
    return Lemma(
        "relinked-in-hand",
        "The kd n whose estimators kthread 0 relinks is in its slot, but during a break.",
        both(
            implies(at(KT0, *places), flag("kt0_ref")),
            implies(flag("kt0_ref"), flag("kdn")),
        ),
    )


def _standing(one: ProtocolSystem, *stages: str) -> Condition:
    """Somebody stands in a request that ends in queueing the work, or is about to start a task."""
    return either(
        *(
            at(actor, *(place for place in one.variables[actor] if place.endswith(stages)))
            for actor in (KT0, CTL, SYSCTL, EXIT)
        )
    )


def not_yet_enabled(one: ProtocolSystem) -> Lemma:
    """Before the first service."""
    nothing = both(
        at(KT0, NONE),
        at(KTN, NONE),
        at(WORK, IDLE),
        unset("work_pending"),
        unset("genid_new"),
        negated(_standing(one, ", enabled", ", decided", ", queueing", ", starting", ", started")),
    )
    return Lemma(
        "not-yet-enabled",
        "Before the first service there is no task, and nobody asks for one.",
        implies(both(unset("enable"), at(EXIT, *BEFORE)), nothing),
    )


def context_before_enable(one: ProtocolSystem) -> Lemma:
    """Where kd 0 lives until exit."""
    started = following(one, CTL, "start, kd 0, done", "start, not needed", until=("control done",))
    adding = following(one, CTL, "start, kd 0", until=("control done", "start, kd 0, done"))
    return Lemma(
        "context-before-enable",
        "While enable is 1, and when it is about to be, kd 0 is there; it is added only where there"
        " is none.",
        both(
            implies(both(at(EXIT, *BEFORE), flag("enable")), flag("kd0")),
            implies(both(at(EXIT, *BEFORE), at(CTL, *started)), flag("kd0")),
            implies(at(CTL, *adding), unset("kd0")),
        ),
    )


def work_leaves_disabled() -> Lemma:
    """Where the reload work ends without recording genid."""
    return Lemma(
        "left-disabled",
        "A reload work that leaves because it has seen enable 0 still sees it.",
        implies(at(WORK, "left"), unset("enable")),
    )


def stop_comes_from_work() -> Lemma:
    """Who stops kthread 0."""
    return Lemma(
        "stopped-by-work",
        "Before exit only the reload work stops kthread 0, and it waits for that.",
        implies(
            both(at(EXIT, *BEFORE), flag("stop_KT0"), negated(at(KT0, NONE))),
            at(WORK, "stop 0, unlocked, joining"),
        ),
    )


def _passing(one: ProtocolSystem) -> Condition:
    """The reload work has read genid and has not yet recorded it."""
    return at(WORK, *following(one, WORK, "slot 0", until=("unlocking", "over", "left")))


def _fresh(one: ProtocolSystem) -> Condition:
    """genid is newer than what the reload work is at or has done."""
    passing = _passing(one)
    return either(both(passing, flag("work_genid_old")), both(negated(passing), flag("genid_new")))


def _work_comes(one: ProtocolSystem) -> Condition:
    """The reload work will read genid, whatever else happens."""
    return either(flag("work_pending"), _standing(one, ", queueing"), at(WORK, "queued", "locked"))


_STOPPING_0 = ("slot 0", "stop 0", "stop 0, unlocked", "stop 0, unlocked, joining")


def _restart_comes(one: ProtocolSystem) -> Condition:
    """The reload work will stop kthread 0, or waits for its exit."""
    return either(_fresh(one), both(at(WORK, *_STOPPING_0), flag("work_restarts")))


def genid_is_noticed(one: ProtocolSystem) -> Lemma:
    """A changed genid brings the work."""
    passing = _passing(one)
    return Lemma(
        "genid-noticed",
        "While enable is 1, a new genid brings the reload work, or it is at work with it.",
        implies(
            flag("enable"),
            both(
                implies(_fresh(one), _work_comes(one)),
                implies(
                    both(passing, flag("genid_new"), unset("work_genid_old")), flag("work_restarts")
                ),
                implies(at(WORK, *_STOPPING_0[1:]), flag("work_restarts")),
            ),
        ),
    )


def memory_is_noticed(one: ProtocolSystem) -> Lemma:
    """Kthread 0 with an old genid is stopped."""
    return Lemma(
        "memory-noticed",
        "While enable is 1, a kthread 0 whose calc phase remembers an old genid is about to be"
        " stopped.",
        implies(
            both(flag("enable"), at(KT0, *_calculating(one)[1:]), flag("kt0_genid_old")),
            _restart_comes(one),
        ),
    )


def request_is_served(one: ProtocolSystem) -> Lemma:
    """A request that no calc phase serves brings a new one."""
    after = following(one, KT0, "calc over", "not relinked", "not stopped", "cleared")
    writing = at(SYSCTL, "written", "written, enabled", "written, decided")
    later = following(one, WORK, "other slots", until=("unlocking",))
    starts = either(
        _work_comes(one),
        _standing(one, ", decided"),
        at(
            WORK, *following(one, WORK, "slot 0", until=("other slots", "over", "left", "all done"))
        ),
        both(flag("work_failed"), at(WORK, *later)),
        at(CTL, *(place for place in one.variables[CTL] if ", marked" in place)),
        at(CTL, "enabled", "enabled, enabled", "enabled, decided"),
    )
    wanted = both(flag("kd0"), flag("needed"), unset("est_stopped"))
    return Lemma(
        "request-served",
        "While enable is 1, a recalculation that is requested and not under way brings the stop of"
        " kthread 0, and where it has no task, its start.",
        implies(
            flag("enable"),
            both(
                implies(
                    both(flag("calc_phase"), at(KT0, *after)), either(_restart_comes(one), writing)
                ),
                implies(both(at(KT0, NONE), wanted), starts),
            ),
        ),
    )


def request_is_remembered(one: ProtocolSystem) -> Lemma:
    """A request that came in the calc phase has changed genid, or is about to."""
    places = following(one, KT0, "limits", until=("calc over", "not relinked", "not stopped"))
    writing = at(SYSCTL, "written", "written, enabled", "written, decided")
    return Lemma(
        "request-remembered",
        "A request that came since the calc phase began has changed genid, or its writer still"
        " holds est_mutex.",
        implies(
            both(flag("requested"), flag("enable"), at(KT0, *places)),
            either(flag("kt0_genid_old"), writing),
        ),
    )


def exit_order(one: ProtocolSystem) -> tuple[Lemma, ...]:
    """What the order of netns exit brings about."""
    return (
        owners(one),
        disabled(),
        work_harmless(one),
        kthread0_gone(one),
        without_context(one),
        context_in_hand(one),
    )


def relinking(one: ProtocolSystem) -> tuple[Lemma, ...]:
    """No kthread above 0 is alive while estimators are relinked."""
    return (*exit_order(one), phase_is_marked(one), others_stopped(one))


def memory(one: ProtocolSystem) -> tuple[Lemma, ...]:
    """Nothing freed is touched."""
    return (*exit_order(one), work_in_hand(), stopped_in_hand(), relinked_in_hand(one))


def remembered(one: ProtocolSystem) -> tuple[Lemma, ...]:
    """A request is not taken for served."""
    return owners(one), disabled(), not_yet_enabled(one), request_is_remembered(one)


def served(one: ProtocolSystem) -> tuple[Lemma, ...]:
    """A request is served."""
    return (
        *exit_order(one),
        not_yet_enabled(one),
        context_before_enable(one),
        stop_comes_from_work(),
        work_leaves_disabled(),
        genid_is_noticed(one),
        memory_is_noticed(one),
        request_is_served(one),
    )


def tested(one: ProtocolSystem) -> Lemma:
    """Between the test of enable and the start est_mutex is held."""
    places = ("start 0", *following(one, WORK, "slot n", until=("more slots",)))
    return Lemma(
        "tested",
        "Where the reload work is about to start a task, it has seen enable set under est_mutex.",
        implies(at(WORK, *places), flag("enable")),
    )


def starts(one: ProtocolSystem) -> tuple[Lemma, ...]:
    """No task is started while enable is 0."""
    return owners(one), disabled(), tested(one)
