"""The registry of table formats: the files of landmarks that tracking and exports can write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError
from steadymark.engine.output.csv.native_csv import NativeCsvSink
from steadymark.models.choice_registry import Registry
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.engine.core.protocols import Sink
    from steadymark.engine.output.csv.landmark_table import LandmarkTable
    from steadymark.engine.output.csv.native_csv import Header
    from steadymark.models.face.schema import LandmarkSchema


@dataclass(frozen=True, slots=True)
class TableFormat:
    """A format of landmark tables.

    Attributes:
        name: Name on the command line and in Python, such as `openface`.
        label: What the file is, for the window.
        help: What the file is for, in one sentence.
        make: Creates the sink from the path, the header and the landmark schema of the table.
        suffix: Suffix of the file.
        export_ending: Ending of the file name that the window suggests; empty takes `suffix`.
        schemas: Names of the landmark schemas that the format can hold; empty if it can hold any.
        has_header: Whether the file begins with the lines of Steadymark's header, from which
            `--resume` knows how it was made.
        animation: Whether the file animates a character: expression settings (`Header.expressions`)
            apply to it.
        one_per_face: Whether each face after the first has a file of its own, see `face_file`.
        read: Reads a file, and returns None if it is of another format. None if the format is only
            written, or is a CSV file that `read_landmarks` reads.
    """

    name: str
    label: UserText
    help: UserText
    make: Callable[[Path, Header, LandmarkSchema], Sink]
    suffix: str = ".csv"
    export_ending: str = ""
    schemas: tuple[str, ...] = ()
    has_header: bool = False
    animation: bool = False
    one_per_face: bool = False
    read: Callable[[Path], LandmarkTable | None] | None = None

    @property
    def is_readable(self) -> bool:
        """Whether the program can read what it has written."""
        return self.read is not None or self.suffix == ".csv"

    def sink(self, path: Path, header: Header, schema: LandmarkSchema) -> Sink:
        """Create the sink that writes a table; it does not touch the disk before it is opened.

        Args:
            path: Path of the table when it is complete.
            header: How the table is made.
            schema: Schema of the landmarks.

        Returns:
            The sink.

        Raises:
            SinkError: The format cannot hold landmarks of this schema.
        """
        if self.schemas and schema.name not in self.schemas:
            raise SinkError(
                "the format {name} holds landmarks of {wanted}, and these are of {found}: choose "
                "--format native",
                name=self.name,
                wanted=", ".join(self.schemas),
                found=schema.name or "?",
            )
        return self.make(path, header, schema)


TABLE_FORMATS = Registry[TableFormat](
    "table format",
    "steadymark.engine.output.csv",
    first=("native", "openface"),
    others=("steadymark.engine.output.motion",),
)

TABLE_FORMATS.add(
    TableFormat(
        "native",
        UserText("Steadymark's table (CSV)"),
        UserText("All values of each face in each frame."),
        NativeCsvSink,
        has_header=True,
    )
)
