"""The schema of a task file: one run or several, described in YAML, and what is expected of the answers."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import AfterValidator, BaseModel, Field, field_validator, model_validator

from crowquill.tasks.expect_spec import ExpectSpec
from crowquill.tasks.safety import ApprovalSpec
from crowquill.tasks.strict import STRICT

_PROVIDER_NAME = r"(?:tavily|brave|searxng|wikipedia(?::[a-z-]{2,12})?|ddg)"
_PROVIDER = rf"^{_PROVIDER_NAME}(?:\+{_PROVIDER_NAME})*$"
"""A provider, or several that are asked together. Addresses are only for the command line: they open hosts."""
_SITE_NAME = r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+(?:/[\w./~-]*)?"
_SITE = rf"^(?:{_SITE_NAME}|\{{\{{ ?[a-z][a-z0-9_]* ?\}}\}})$"
_NAME = r"^[a-z][a-z0-9_]{0,63}$"

_MODEL = re.compile(r"local(?::.+)?|openai:.+|https?://.+|langchain:[^:]+:.+|scripted:.+")


def _is_model(name: str) -> str:
    if _MODEL.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no model; write local, openai:NAME, http://HOST:PORT/v1#NAME, …")
    return name


Name = Annotated[str, Field(pattern=_NAME)]
ModelName = Annotated[str, AfterValidator(_is_model)]
Scalar = str | int | float | bool
RoleName = Literal["plan", "act", "write", "judge", "gold"]
MAX_VARIANTS = 1000


class Strict(BaseModel):
    """Takes what is described and nothing else."""

    model_config = STRICT


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
    calls: dict[str, Annotated[int, Field(ge=0)]] = {}
    """How often single tools may be called, by their names; `*` stands for all of them together."""


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


class BrowserSpec(Strict):
    """How pages are read."""

    js: bool = False
    """Run the scripts of pages, in the system's Chromium."""
    refresh: bool = False
    """Fetch pages again, also kept ones."""


class ToolsSpec(Strict):
    """Tools that every run has: false takes one away. Databases and searching come with their sources."""

    math: bool = True
    """Exact calculation."""
    wolfram: bool = True
    """WolframAlpha, where there is a key."""
    recall: bool = True
    """Evidence of earlier runs."""
    browser: BrowserSpec = BrowserSpec()

    @property
    def off(self) -> tuple[str, ...]:
        """The names of those that are taken away."""
        return tuple(name for name in ("math", "wolfram", "recall") if not getattr(self, name))


class SelectionSpec(Strict):
    """How the answer is chosen among several candidates."""

    strategy: Literal["single", "best_of_n", "weighted", "majority", "auto", "debate", "beam", "dvts", "tree"] = (
        "single"
    )
    """single: there is one. best_of_n: that with the best score. weighted, majority: what most agree on, by score
    or by count. auto: more candidates only while the first ones disagree. debate: they read each other and answer
    again. beam, dvts, tree: built statement by statement, the best continued."""
    n: Annotated[int, Field(ge=1, le=64)] | None = None
    """The most candidates; 4 when not given."""
    share: Literal["evidence", "plan", "nothing"] = "evidence"
    """What the candidates have in common."""
    threshold: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """No candidate is begun once one has this score."""


class CriticSpec(Strict):
    """How answers are judged."""

    judge: Literal["off", "grade", "pairs", "gold", "grade+gold", "pairs+gold"] = "off"
    """What judging models do. grade: that of the role `judge` grades each candidate, pairs: it compares them; both
    count in the score. gold: that of the role `gold` grades the winner, which changes nothing."""
    closed_book: bool = False
    """Ask the judge once what it knows without evidence; a candidate that says the same scores a little more."""
    weights: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = {}
    """What parts of the score count, such as `receipts: 3`; parts that are not named keep their weight."""


class OutputSpec(Strict):
    """In which form the answer is wanted; `crowquill run --output FILE` writes it to a file."""

    format: Literal["text", "markdown", "json", "csv", "html"] = "text"
    """text: for a terminal. markdown: the answer with its sources. json: data that fit `schema`. csv: a table with
    `columns`, each cell with its receipt. html: one file with everything that supports the answer."""
    schema_: Annotated[dict[str, Any], Field(alias="schema")] = {}
    """JSON Schema (2020-12) of an object, for the format json."""
    columns: list[Annotated[str, Field(min_length=1, max_length=80)]] = []
    """Names of the columns, for the format csv; they also tell the model what belongs in them."""
    max_words: Annotated[int, Field(ge=0)] = 0
    """Most words of the text; 0 sets no limit. A longer answer is not accepted by the critic."""

    @field_validator("schema_")
    @classmethod
    def _is_schema(cls, schema: dict[str, Any]) -> dict[str, Any]:
        if schema and schema.get("type") != "object":
            raise ValueError("the schema has to be that of an object: type: object")
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise ValueError(f"no JSON Schema: {error.message}") from None
        if "$ref" in str(schema):
            raise ValueError("a schema with $ref cannot be used; write its parts where they belong")
        return schema

    @model_validator(mode="after")
    def _fits_together(self) -> "OutputSpec":
        if (self.format == "json") != bool(self.schema_):
            raise ValueError("schema: belongs to format: json, which needs one")
        if (self.format == "csv") != bool(self.columns):
            raise ValueError("columns: belong to format: csv, which needs some")
        if len({name.casefold() for name in self.columns}) < len(self.columns):
            raise ValueError("columns: two have the same name")
        return self


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
    model: ModelName | None = None
    """The model of all roles: local, openai:NAME, http://HOST:PORT/v1#NAME, langchain:P:NAME, scripted:FILE."""
    models: dict[RoleName, ModelName] = {}
    """Other models for single roles."""
    policy: Literal["guided", "json", "tools"] | None = None
    """guided for models of 1–3 billion parameters, json for larger ones; by the model when not given."""
    profile: str | None = None
    """A profile beside this file: who the agent is, its manner, its knowledge and its tools."""
    tools: ToolsSpec = ToolsSpec()
    mode: Literal["auto", "ask", "strict"] | None = None
    """auto only reads, ask asks before anything is written, sent or executed, strict also plans it before reading.
    The tighter of this and what the person has set holds."""
    approvals: list[ApprovalSpec] = []
    """What is refused, or asked about, before anything else is looked at; in order."""
    selection: SelectionSpec = SelectionSpec()
    critic: CriticSpec = CriticSpec()
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
    sites: list[Annotated[str, Field(pattern=_SITE)]] = []
    """The only sites that are searched and fetched: `example.org` with its subdomains, `example.org/docs`. Turns
    `web` on."""
    memory: bool = True
    """Use evidence of earlier runs."""
    similar: Annotated[float, Field(gt=0, le=1)] | None = None
    """Use a model's replies to earlier questions that are at least so much like this one; no threshold is safe."""
    budget: BudgetSpec = BudgetSpec()
    output: OutputSpec = OutputSpec()
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
