"""The agenda's rules."""

from hypothesis import given
from hypothesis import strategies as st

from crowquill.tasks.agenda import Agenda, Limits, word_overlap
from crowquill.tasks.task import Task


def goal(text: str, *, name: str = "x", needs: tuple[str, ...] = ()) -> Task:
    return Task(name, text, needs=needs)


def test_tasks_get_their_own_ids_and_needs_are_translated() -> None:
    agenda, refused = Agenda().add(
        [goal("find the director", name="a"), goal("find his birthplace", name="b", needs=("a", "zzz"))]
    )
    assert refused == []
    assert [(task.id, task.needs) for task in agenda.tasks] == [("t1", ()), ("t2", ("t1",))]
    assert [task.id for task in agenda.ready] == ["t1"]


def test_a_finished_need_makes_a_task_ready() -> None:
    agenda, _ = Agenda().add([goal("one thing", name="a"), goal("another matter", name="b", needs=("a",))])
    agenda = agenda.settle(Task("t1", "one thing", status="done", result="found"))
    assert [task.id for task in agenda.ready] == ["t2"]


def test_the_same_task_37_times_is_taken_once() -> None:
    agenda = Agenda()
    for _ in range(37):
        agenda, _ = agenda.add([goal("Find the length of the Danube")])
        agenda = agenda.settle(Task("t1", "Find the length of the Danube", status="done"))
    assert len(agenda.tasks) == 1


def test_near_duplicates_and_empty_goals_are_refused_with_a_reason() -> None:
    agenda, _ = Agenda().add([goal("find the length of the Danube")])
    agenda, refused = agenda.add([goal("find the length of Danube, the"), goal("  ")])
    assert len(agenda.tasks) == 1
    assert [refusal.reason for refusal in refused] == ["it repeats t1", "it has no goal"]


@given(st.lists(st.text(max_size=30), max_size=60))
def test_an_agenda_never_outgrows_its_limits(goals: list[str]) -> None:
    limits = Limits(tasks=5, open=3)
    agenda, refused = Agenda(limits=limits).add([goal(text) for text in goals])
    assert len(agenda.tasks) + len(refused) == len(goals)
    assert len(agenda.tasks) <= 3
    assert len({task.id for task in agenda.tasks}) == len(agenda.tasks)


def test_drop_and_first_touch_only_open_known_tasks() -> None:
    agenda, _ = Agenda().add([goal("alpha"), goal("beta"), goal("gamma")])
    agenda = agenda.settle(Task("t1", "alpha", status="done"))
    agenda = agenda.drop(["t1", "t2", "nope"]).first(["t3"])
    assert [(task.id, task.status) for task in agenda.tasks] == [
        ("t3", "open"),
        ("t1", "done"),
        ("t2", "dropped"),
    ]


def test_word_overlap_is_a_share() -> None:
    assert word_overlap("a b", "a b") == 1.0
    assert word_overlap("a b", "c") == 0.0
    assert word_overlap("a b c", "a b d") == 0.5
