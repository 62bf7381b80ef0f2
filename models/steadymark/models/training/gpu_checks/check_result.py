"""Results of the checks of a device."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check.

    Attributes:
        name: Name of the check.
        difference: Largest difference between CPU and device; None if nothing was compared.
        tolerance: Largest allowed difference.
        unit: Unit of both, such as `px`.
        figures: Measured figures by name; the name ends with the unit.
        lines: Lines of text that another program has printed.
        error: Message of the error that ended the check on the device, such as too little memory;
            empty if there was none.
    """

    name: str
    difference: float | None = None
    tolerance: float = 0.0
    unit: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    error: str = ""

    @property
    def is_passed(self) -> bool:
        """Whether there was no error, and the difference is a number within the tolerance."""
        if self.error:
            return False
        return self.difference is None or self.difference <= self.tolerance

    def __str__(self) -> str:
        if self.error:
            return f"{self.name}: FAILED ({self.error})"
        parts = [f"{name} {value:.4g}" for name, value in self.figures.items()]
        if self.difference is not None:
            verdict = "equal" if self.is_passed else "NOT EQUAL"
            compared = f"{verdict} ({self.difference:.2g}, allowed {self.tolerance:g} {self.unit})"
            parts.insert(0, compared.replace(" )", ")"))
        return f"{self.name}: {', '.join(parts) or 'see the file'}"
