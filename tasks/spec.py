"""The schema of a task file: one run or several, described in YAML, and what is expected of the answers."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crowquill.tasks.expect_spec import ExpectSpec

_PROVIDER_NAME = r"(?:tavily|brave|searxng|wikipedia(?::[a-z-]{2,12})?|ddg)"
_PROVIDER = rf"^{_PROVIDER_NAME}(?:\+{_PROVIDER_NAME})*$"
"""A provider, or several that are asked together. Addresses are only for the command line: they open hosts."""
_NAME = r"^[a-z][a-z0-9_]{0,63}$"

Name = Annotated[str, Field(pattern=_NAME)]
Scalar = str | int | float | bool
RoleName = Literal["plan", "act", "write", "judge"]
MAX_VARIANTS = 1000


class Strict(BaseModel):
    """Takes what is described and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


class BudgetSpec(Strict):
    """Limits of the run; a missing one keeps its default."""

    steps: Annotated[int, Field(gt=0)] | None = 40
    """Actions of all tasks together."""
    tokens: Annotated[int, Field(gt=0)] | None = None
    """Tokens of all model calls, prompt and completion."""
    usd: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Dollars, for models whose price is known."""
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Wall-clock time."""


class InputSpec(Strict):
    """A value that the objective leaves open, as `{{name}}`; without a default it has to be given."""

    description: str = ""
    """What it is, for the person who has to give it."""
    type: Literal["text", "number", "path"] = "text"
    """A path that is the default is looked up beside the task file, one that is given in the current folder."""
    default: Scalar | None = None
    """The value when none is given."""
    choices: list[Scalar] = []
    """The only values that are taken."""


class RunSpec(Strict):
    """A task file. Sources and limits are the user's: nothing that is read during a run can change them."""

    extends: str | None = None
    """A shipped task, or a file beside this one, whose keys hold where this file says nothing else."""
    description: str = ""
    """What the task is for, for people."""
    objective: Annotated[str, Field(min_length=1)]
    """The question or objective; `{{name}}` stands for an input."""
    inputs: dict[Name, InputSpec | Scalar | None] = {}
    """Values for `{{name}}`: a default, null when one has to be given, or a description of the input."""
    model: str | None = None
    """The model of all roles: local, openai:NAME, http://HOST:PORT/v1#NAME, langchain:P:NAME, scripted:FILE."""
    models: dict[RoleName, str] = {}
    """Other models for single roles."""
    policy: Literal["guided", "json"] | None = None
    """guided for models of 1–3 billion parameters, json for larger ones; by the model when not given."""
    corpus: list[str] = []
    """Indexed folders (`crowquill index`), or `pocket`."""
    db: list[str] = []
    """Databases: files beside this one, URLs, `NAME=` and one of them, `${env:NAME_DATABASE_URL}`, or `pocket`."""
    data: list[str] = []
    """CSV, TSV, Parquet, JSON and Excel files beside this one, or folders of them."""
    web: bool = False
    """Live search and fetching."""
    search: list[Annotated[str, Field(pattern=_PROVIDER)]] = []
    """Web search providers in order: tavily, brave, searxng, wikipedia, ddg; a+b asks both. Turns `web` on."""
    memory: bool = True
    """Use evidence of earlier runs."""
    budget: BudgetSpec = BudgetSpec()
    since_last: bool = False
    """Ask everything again, and say what has changed since the last run of this objective."""
    expect: ExpectSpec | None = None
    """What must hold of the answer: it makes the file a test."""
    matrix: dict[Name, list[Scalar]] | list[dict[Name, Scalar]] = {}
    """Runs for all combinations of values of inputs (or of `model`), or for the listed ones."""

    @field_validator("objective")
    @classmethod
    def _says_something(cls, objective: str) -> str:
        if not objective.strip():
            raise ValueError("it says nothing")
        return objective

    @model_validator(mode="after")
    def _varies_inputs(self) -> "RunSpec":
        names = set(self.matrix) if isinstance(self.matrix, dict) else {name for row in self.matrix for name in row}
        unknown = sorted(names - {*self.inputs, "model"})
        if unknown:
            raise ValueError(f"matrix: {unknown[0]!r} is no input; declare it under inputs:")
        if len(self.variants()) > MAX_VARIANTS:
            raise ValueError(f"matrix: more than {MAX_VARIANTS} combinations")
        return self

    def variants(self) -> list[dict[str, Scalar]]:
        """Return the combinations of the matrix; one empty one when there is none."""
        if isinstance(self.matrix, list):
            return self.matrix if self.matrix else [{}]
        rows: list[dict[str, Scalar]] = [{}]
        for name, values in self.matrix.items():
            if len(rows) * len(values) > MAX_VARIANTS:
                raise ValueError(f"matrix: more than {MAX_VARIANTS} combinations")
            rows = [{**row, name: value} for row in rows for value in values]
        return rows

    def declared(self) -> Mapping[str, InputSpec]:
        """Return the inputs, each with all that is known of it."""
        return {
            name: given if isinstance(given, InputSpec) else InputSpec(default=given)
            for name, given in self.inputs.items()
        }
