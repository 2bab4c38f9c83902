"""Columns of the data set, and how they are normalised within a day."""

import ast
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from gogooku.errors import UserError
from gogooku.families import FAMILIES
from gogooku.features import studies
from gogooku.section import Section


class Features(Section):
    """Which columns a day has, and in which scale."""

    families: list[str] = Field(
        min_length=1, json_schema_extra={"items": {"type": "string", "enum": list(FAMILIES)}}
    )
    pandas_ta: list[str]
    user: str | None = Field(max_length=1000)
    clip: float = Field(ge=0, lt=0.5)
    method: Literal["zscore", "robust", "rank", "rank_normal"]
    within_sector: bool
    min_stocks: int = Field(ge=1, le=10000)

    @field_validator("families")
    @classmethod
    def _exist(cls, names: list[str]) -> list[str]:
        if strangers := sorted(set(names) - set(FAMILIES)):
            raise ValueError(
                f"features.families names {strangers}, which do not exist: choose from "
                f"{list(FAMILIES)}"
            )
        if len(set(names)) < len(names):
            raise ValueError(f"features.families {names} names one twice: name each once")
        return names

    @field_validator("pandas_ta")
    @classmethod
    def _are_studies(cls, names: list[str]) -> list[str]:
        try:
            studies.refuse_strangers(names)
        except UserError as error:
            raise ValueError(str(error)) from None
        return names

    @field_validator("user")
    @classmethod
    def _is_a_module(cls, path: str | None) -> str | None:
        """Give the module's whole path, which holds wherever a job runs."""
        if path is None:
            return None
        if Path(path).suffix != ".py" or not Path(path).is_file():
            raise ValueError(f"features.user {path} is no .py file: name one that exists")
        try:
            body = ast.parse(Path(path).read_text(encoding="utf-8")).body
        except SyntaxError as error:
            raise ValueError(f"features.user {path} is no Python: {error}") from None
        if not any(isinstance(x, ast.FunctionDef) and x.name == "columns" for x in body):
            raise ValueError(f"features.user {path} lacks columns(panel): define it")
        return str(Path(path).resolve())

    @model_validator(mode="before")
    @classmethod
    def _own_columns_have_their_family(cls, section: Any) -> Any:
        """Add the family `user` where it has columns, so that overlays need not list all others."""
        if not isinstance(section, dict) or not isinstance(section.get("families"), list):
            return section
        own = bool(section.get("pandas_ta") or section.get("user"))
        if own and "user" not in section["families"]:
            return {**section, "families": [*section["families"], "user"]}
        if not own and "user" in section["families"]:
            raise ValueError(
                "features.families names user, which is empty: fill features.pandas_ta or "
                "features.user, or drop it"
            )
        return section
