"""One mistake in the owner's file: where it is, what it is, and what to write instead."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Mistake:
    """An error keeps the file from being used; a warning does not."""

    file: str
    line: int
    where: str
    what: str
    instead: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        warning = "warning: " if self.severity == "warning" else ""
        where = f"{self.where}: " if self.where else ""
        return f"{self.file}:{self.line}: {warning}{where}{self.what}. Write: {self.instead}"
