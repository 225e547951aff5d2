"""The plan of a save as a table, and its promises as properties over all situations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_agent.plan.save import (
    SaveFailure,
    SaveOptions,
    SaveRecord,
    SaveSituation,
    SaveStep,
    Stage,
    decide_save,
    find_revert_tag,
    has_tag_conflict,
)
from anka_agent.plan.situation import JobState, ObservedVm
from anka_crds.api.conditions import SaveReason
from anka_crds.api.states import Phase

RUNS = ObservedVm("running", "192.168.64.2", ever_started=True)
SUSPENDED = ObservedVm("suspended", ever_started=True)
STOPPED = ObservedVm("stopped", ever_started=True)
NEW = SaveSituation(Phase.STARTED, RUNS)
CHECKED = SaveRecord(checked=True)
BEGUN = SaveSituation(Phase.PUSHING, RUNS, record=CHECKED)
HALTING = replace(BEGUN, record=replace(CHECKED, stage=Stage.HALTING))
HALTED = replace(HALTING, vm=SUSPENDED)
SCRIPT = replace(BEGUN, options=SaveOptions(script=True))
CAREFUL = replace(BEGUN, options=SaveOptions(script=True, cancel_on_script_failure=True))
TEST = SaveOptions(sanity_test=True)
NO = SaveFailure(SaveReason.PUSH_FAILED, "no luck")
FAILED = replace(HALTED, record=replace(HALTED.record, failure=NO))
PUSHED = replace(HALTED, push=JobState.SUCCEEDED, record=replace(HALTED.record, pushed=True))


def stage(now: SaveSituation, name: Stage) -> SaveSituation:
    return replace(now, record=replace(now.record, stage=name))


TABLE = {
    "new": (NEW, SaveStep.REPORT_PUSHING),
    "told": (SaveSituation(Phase.PUSHING, RUNS), SaveStep.CHECK),
    "checked": (BEGUN, SaveStep.HALT),
    "script": (SCRIPT, SaveStep.RUN_SCRIPT),
    "script runs": (replace(SCRIPT, script=JobState.RUNNING), SaveStep.AWAIT_SCRIPT),
    "script done": (replace(SCRIPT, script=JobState.SUCCEEDED), SaveStep.HALT),
    "script failed, never mind": (replace(SCRIPT, script=JobState.FAILED), SaveStep.HALT),
    "script failed, cancel": (replace(CAREFUL, script=JobState.FAILED), SaveStep.GIVE_UP),
    "script timed out, cancel": (replace(CAREFUL, script=JobState.TIMED_OUT), SaveStep.GIVE_UP),
    "script lost, cancel": (replace(CAREFUL, script=JobState.LOST), SaveStep.GIVE_UP),
    "script done, careful": (replace(CAREFUL, script=JobState.SUCCEEDED), SaveStep.HALT),
    "crashed before the suspend": (HALTING, SaveStep.HALT),
    "suspended": (HALTED, SaveStep.PUSH),
    "stopped": (replace(HALTING, vm=STOPPED, options=SaveOptions(suspend=False)), SaveStep.PUSH),
    "stopped where it was to be suspended": (replace(HALTING, vm=STOPPED), SaveStep.GIVE_UP),
    "test": (replace(HALTED, options=TEST), SaveStep.TEST),
    "test of a stopped VM": (
        replace(HALTED, vm=STOPPED, options=SaveOptions(suspend=False, sanity_test=True)),
        SaveStep.PUSH,
    ),
    "crashed before the resume": (stage(replace(HALTED, options=TEST), Stage.TESTING), SaveStep.TEST),
    "crashed after the resume": (stage(replace(BEGUN, options=TEST), Stage.TESTING), SaveStep.TEST),
    "power went during the test": (stage(replace(HALTED, vm=STOPPED, options=TEST), Stage.TESTING), SaveStep.GIVE_UP),
    "tested": (stage(replace(BEGUN, options=TEST), Stage.TESTED), SaveStep.HALT),
    "tested and suspended": (stage(replace(HALTED, options=TEST), Stage.TESTED), SaveStep.PUSH),
    "revert": (replace(HALTED, options=SaveOptions(revert=True)), SaveStep.REVERT),
    "reverted": (
        replace(HALTED, options=SaveOptions(revert=True), record=replace(HALTED.record, reverted=True)),
        SaveStep.PUSH,
    ),
    "new template": (replace(HALTED, options=SaveOptions(new_template=True)), SaveStep.RENAME),
    "new template, renamed": (replace(HALTED, options=SaveOptions(new_template=True), renamed=True), SaveStep.PUSH),
    "pushes": (replace(HALTED, push=JobState.RUNNING), SaveStep.AWAIT_PUSH),
    "push ended": (replace(HALTED, push=JobState.SUCCEEDED), SaveStep.CONFIRM),
    "push failed": (replace(HALTED, push=JobState.FAILED), SaveStep.CONFIRM),
    "push cut off": (replace(HALTED, push=JobState.LOST), SaveStep.CONFIRM),
    "pushed": (PUSHED, SaveStep.REPORT_DONE),
    "pushed, renamed": (replace(PUSHED, renamed=True), SaveStep.RENAME_BACK),
    "pushed, nobody asks any more": (replace(PUSHED, abandoned=True), SaveStep.FORGET),
    "pushed, VM gone": (replace(PUSHED, vm=None), SaveStep.REPORT_DONE),
    "VM gone": (replace(BEGUN, vm=None), SaveStep.GIVE_UP),
    "VM died by itself": (replace(BEGUN, vm=STOPPED), SaveStep.GIVE_UP),
    "VM died before it began": (replace(NEW, vm=STOPPED), SaveStep.GIVE_UP),
    "instance failed meanwhile": (replace(HALTED, phase=Phase.ERROR), SaveStep.GIVE_UP),
    "failed: back to work": (FAILED, SaveStep.RESUME),
    "failed: runs again, Started is not told yet": (replace(FAILED, vm=RUNS), None),
    "failed: Started again": (replace(FAILED, vm=RUNS, phase=Phase.STARTED), SaveStep.REPORT_ERROR),
    "failed: could not be started": (replace(FAILED, phase=Phase.ERROR), SaveStep.REPORT_ERROR),
    "failed: VM gone": (replace(FAILED, vm=None), None),
    "failed: VM died by itself": (
        replace(BEGUN, vm=STOPPED, record=replace(CHECKED, failure=NO)),
        None,
    ),
    "failed: with the template's name": (replace(FAILED, renamed=True), SaveStep.RENAME_BACK),
    "failed before it began": (replace(NEW, record=SaveRecord(failure=NO)), SaveStep.REPORT_ERROR),
    "deleted before it began": (replace(NEW, abandoned=True), SaveStep.FORGET),
    "deleted while it pushes": (replace(HALTED, push=JobState.RUNNING, abandoned=True), SaveStep.CANCEL),
    "deleted while the script runs": (replace(SCRIPT, script=JobState.RUNNING, abandoned=True), SaveStep.CANCEL),
    "deleted, cancelled": (replace(HALTED, push=JobState.LOST, abandoned=True), SaveStep.RESUME),
    "deleted, resumed": (replace(BEGUN, abandoned=True), None),
    "deleted, Started again": (replace(BEGUN, phase=Phase.STARTED, abandoned=True), SaveStep.FORGET),
}


@pytest.mark.parametrize("name", TABLE)
def test_step(name: str) -> None:
    now, step = TABLE[name]
    decision = decide_save(now)
    assert (None if decision is None else decision.step) is step


def test_a_failed_script_is_told_in_the_old_words() -> None:
    decision = decide_save(replace(CAREFUL, script=JobState.FAILED))
    assert decision is not None
    assert decision.failure == SaveFailure(SaveReason.SCRIPT_FAILED, "Script execution failed", None, 0)


@pytest.mark.parametrize(
    ("tags", "wanted", "first"),
    [
        (["a", "b"], None, "b"),
        (["a", "b"], "a", "a"),
        (["a", "b"], "c", None),
        ([], None, None),
        ([], "a", None),
    ],
)
def test_what_a_revert_begins_with(tags: list[str], wanted: str | None, first: str | None) -> None:
    assert find_revert_tag(tags, wanted) == first


@pytest.mark.parametrize(
    ("tag", "revert", "wanted", "refused"),
    [
        ("new", False, None, False),
        ("b", False, None, True),
        ("b", True, None, True),
        ("c", True, None, False),
        ("b", True, "b", False),
        ("c", True, "b", False),
        ("a", True, "b", True),
        ("c", True, "none", True),
        ("new", True, "none", False),
    ],
)
def test_tag_in_the_way(tag: str, revert: bool, wanted: str | None, refused: bool) -> None:
    assert has_tag_conflict(["a", "b", "c"], tag, revert=revert, wanted=wanted) is refused


records = st.builds(
    SaveRecord,
    stage=st.sampled_from(Stage),
    checked=st.booleans(),
    reverted=st.booleans(),
    pushed=st.booleans(),
    failure=st.sampled_from([None, NO]),
)
wishes = st.builds(SaveOptions, *[st.booleans()] * 6)
situations = st.builds(
    SaveSituation,
    phase=st.sampled_from(Phase),
    vm=st.sampled_from([None, RUNS, SUSPENDED, STOPPED]),
    options=wishes,
    record=records,
    script=st.sampled_from(JobState),
    push=st.sampled_from(JobState),
    renamed=st.booleans(),
    abandoned=st.booleans(),
)


@given(situations)
def test_neither_script_nor_push_begins_twice(now: SaveSituation) -> None:
    decision = decide_save(now)
    step = None if decision is None else decision.step
    if now.push is not JobState.NONE or now.record.pushed:
        assert step not in (SaveStep.PUSH, SaveStep.HALT, SaveStep.TEST, SaveStep.REVERT, SaveStep.RUN_SCRIPT)
    if now.script is not JobState.NONE:
        assert step is not SaveStep.RUN_SCRIPT
    if step is SaveStep.PUSH:
        assert now.record.checked
        assert now.vm is not None
        assert now.vm.status == now.options.halt_status
        assert now.options.new_template <= now.renamed
        assert now.options.revert <= now.record.reverted


@given(situations)
def test_an_end_is_told_only_once_the_instance_is_settled(now: SaveSituation) -> None:
    decision = decide_save(now)
    step = None if decision is None else decision.step
    if step in (SaveStep.REPORT_DONE, SaveStep.REPORT_ERROR):
        assert not now.renamed
        assert not now.abandoned
        assert (step is SaveStep.REPORT_DONE) == now.record.pushed
    if step is SaveStep.REPORT_ERROR:
        assert now.phase is not Phase.PUSHING
        assert JobState.RUNNING not in (now.script, now.push)
    assert (step is SaveStep.GIVE_UP) == (decision is not None and decision.failure is not None)


@given(situations)
def test_it_ends(now: SaveSituation) -> None:
    """Every step done leads on: after at most 30 of them there is an end, whatever it began with."""
    for _ in range(30):
        decision = decide_save(now)
        if decision is None:
            # The instance's own plan: it tells Started, Stopped or Error.
            now = replace(now, phase=Phase.STARTED if now.vm and now.vm.running else Phase.ERROR)
            continue
        if decision.step in (SaveStep.REPORT_DONE, SaveStep.REPORT_ERROR, SaveStep.FORGET):
            return
        now = done(now, decision.step)
    raise AssertionError(f"no end in sight: {now}")


def done(now: SaveSituation, step: SaveStep) -> SaveSituation:
    halt_status = None if now.vm is None else replace(now.vm, status=now.options.halt_status)
    record = now.record
    effects = {
        SaveStep.REPORT_PUSHING: replace(now, phase=Phase.PUSHING),
        SaveStep.CHECK: replace(now, record=replace(record, checked=True)),
        SaveStep.RUN_SCRIPT: replace(now, script=JobState.RUNNING),
        SaveStep.AWAIT_SCRIPT: replace(now, script=JobState.FAILED),
        SaveStep.HALT: replace(
            now,
            vm=halt_status,
            record=replace(record, stage=Stage.HALTING if record.stage is Stage.BEGUN else record.stage),
        ),
        SaveStep.TEST: replace(now, vm=RUNS, record=replace(record, stage=Stage.TESTED)),
        SaveStep.REVERT: replace(now, record=replace(record, reverted=True)),
        SaveStep.RENAME: replace(now, renamed=True),
        SaveStep.RENAME_BACK: replace(now, renamed=False),
        SaveStep.PUSH: replace(now, push=JobState.RUNNING),
        SaveStep.AWAIT_PUSH: replace(now, push=JobState.SUCCEEDED),
        SaveStep.CONFIRM: replace(now, record=replace(record, pushed=True)),
        SaveStep.GIVE_UP: replace(now, record=replace(record, failure=NO)),
        SaveStep.CANCEL: replace(now, script=JobState.LOST, push=JobState.LOST),
        SaveStep.RESUME: replace(now, vm=RUNS),
    }
    return effects[step]
