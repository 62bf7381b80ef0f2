"""Annotations for ELAN: its .eaf files, and tables with tabs, which most programs read."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import LandmarkFileError
from steadymark.engine.output.output_paths import replacing
from steadymark.engine.review.edits import add_lane, annotate
from steadymark.models.errors import ContentError
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from steadymark.engine.review.project import Annotation, Project

ELAN = ".eaf"
_OF = "@"  # between the name of a lane and that of a person, as is usual in ELAN
_EVENT_MS = 1  # ELAN knows no events: the shortest interval
_TABLE = ("lane", "start_s", "end_s", "duration_s", "label", "note", "person")
_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"


@dataclass(frozen=True, slots=True)
class ImportedAnnotations:
    """A project with the annotations of a file.

    Attributes:
        project: The project.
        unknown: Names of persons in the file that the project does not know.
    """

    project: Project
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    """An annotation of a file; `person` is a name or number, and empty for everybody."""

    lane: str
    start_s: float
    end_s: float
    label: str = ""
    note: str = ""
    person: str = ""


def write_annotations(path: Path, project: Project) -> None:
    """Write the annotations of a project.

    Args:
        path: The file; `.eaf` for ELAN, otherwise a table with tabs.
        project: The project.

    Raises:
        SinkError: The file cannot be written.
    """
    with replacing(path) as new:
        if path.suffix.lower() == ELAN:
            tree = ET.ElementTree(_document(project))
            ET.indent(tree)
            tree.write(new, encoding="utf-8", xml_declaration=True)
        else:
            _write_table(new, project)


def read_annotations(path: Path, project: Project) -> ImportedAnnotations:
    """Add the annotations of a file to a project; lanes that it lacks are added.

    Persons are found by their names or numbers. Annotations of a person that the project does not
    know are about everybody, in a lane of their own such as `speech@Ada`.

    Args:
        path: A file of ELAN (`.eaf`), or a table with tabs as `write_annotations` writes it.
        project: The project.

    Returns:
        The project with the annotations, and the persons that it does not know.

    Raises:
        LandmarkFileError: The file cannot be read.
        UsageError: An annotation ends before it starts.
    """
    try:
        rows = list(_elan_rows(path) if path.suffix.lower() == ELAN else _table_rows(path))
    except (OSError, ContentError) as error:
        raise LandmarkFileError(
            "cannot read the annotations in {path}: {error}", path=path, error=_reason(error)
        ) from error
    unknown: list[str] = []
    for row in rows:
        project = _added(project, row, unknown)
    return ImportedAnnotations(project, tuple(dict.fromkeys(unknown)))


def _added(project: Project, row: _Row, unknown: list[str]) -> Project:
    """Add an annotation, and the name of its person to `unknown` if nobody has it."""
    lane, called = row.lane, row.person
    person = next((one.number for one in project.people if called and one.name == called), None)
    if called and person is None:
        if called.isdecimal():
            person = int(called)
        else:
            lane = f"{lane}{_OF}{called}"
            unknown.append(called)
    if all(one.name != lane for one in project.lanes):
        project = add_lane(project, lane)
    times = row.start_s, row.end_s
    return annotate(project, lane, *times, label=row.label, note=row.note, person=person)


def _document(project: Project) -> ET.Element:
    root = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "Steadymark",
            "DATE": datetime.now(UTC).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": _SCHEMA,
        },
    )
    header = ET.SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    video = project.video.path
    ET.SubElement(header, "MEDIA_DESCRIPTOR", {"MEDIA_URL": video, "MIME_TYPE": "video/*"})
    order = ET.SubElement(root, "TIME_ORDER")
    _add_tiers(root, order, project)
    ET.SubElement(
        root,
        "LINGUISTIC_TYPE",
        {
            "GRAPHIC_REFERENCES": "false",
            "LINGUISTIC_TYPE_ID": "default-lt",
            "TIME_ALIGNABLE": "true",
        },
    )
    return root


def _add_tiers(root: ET.Element, order: ET.Element, project: Project) -> None:
    """Add the tiers to a document, and their times to its time order."""
    number = 0
    for lane, person in _tiers(project):
        tier = ET.SubElement(root, "TIER", {"LINGUISTIC_TYPE_REF": "default-lt"})
        tier.set("TIER_ID", f"{lane}{_OF}{person}" if person else lane)
        if person:
            tier.set("PARTICIPANT", person)
        for one in _in_order(project, lane):
            if _person_name(project, one) != person:
                continue
            slots = []
            for time_s in (one.start_s, one.end_s):
                number += 1
                slots.append(f"ts{number}")
                value = round(1000 * time_s)
                if one.is_event and len(slots) == 2:
                    value += _EVENT_MS
                slot = {"TIME_SLOT_ID": slots[-1], "TIME_VALUE": str(value)}
                ET.SubElement(order, "TIME_SLOT", slot)
            _add_annotation(tier, one, slots)


def _tiers(project: Project) -> list[tuple[str, str]]:
    """Return each lane, and each lane with a person that it has annotations of."""
    tiers = []
    for lane in project.lanes:
        names = {_person_name(project, one) for one in _in_order(project, lane.name)}
        tiers += [(lane.name, name) for name in ("", *sorted(names - {""}))]
    return tiers


def _person_name(project: Project, one: Annotation) -> str:
    """Return the name or number of the person that an annotation is about; empty for everybody."""
    return "" if one.person is None else project.name_of(one.person)


def _add_annotation(tier: ET.Element, one: Annotation, slots: list[str]) -> None:
    outer = ET.SubElement(tier, "ANNOTATION")
    inner = ET.SubElement(
        outer,
        "ALIGNABLE_ANNOTATION",
        {
            "ANNOTATION_ID": f"a{one.number}",
            "TIME_SLOT_REF1": slots[0],
            "TIME_SLOT_REF2": slots[1],
        },
    )
    text = one.label if not one.note else f"{one.label}: {one.note}" if one.label else one.note
    ET.SubElement(inner, "ANNOTATION_VALUE").text = text


def _reason(error: OSError | ContentError) -> UserText | str:
    return error.sentence if isinstance(error, ContentError) else (error.strerror or str(error))


def _elan_rows(path: Path) -> Iterable[_Row]:
    try:
        root = ET.parse(path).getroot()
    except ET.ParseError as error:
        line = error.position[0]
        raise ContentError("line {line}: it is not a file of ELAN", line=line) from error
    if root.tag != "ANNOTATION_DOCUMENT":
        raise ContentError("it is not a file of ELAN")
    times = {
        _attribute(slot, "TIME_SLOT_ID"): _seconds(slot.attrib["TIME_VALUE"], "TIME_SLOT") / 1000
        for slot in root.iter("TIME_SLOT")
        if "TIME_VALUE" in slot.attrib
    }
    for tier in root.iter("TIER"):
        person = tier.get("PARTICIPANT", "").strip()
        tier_id = _attribute(tier, "TIER_ID")
        lane = tier_id.removesuffix(f"{_OF}{person}" if person else "") or tier_id
        for one in tier.iter("ALIGNABLE_ANNOTATION"):
            start, end = (_attribute(one, f"TIME_SLOT_REF{i}") for i in (1, 2))
            if start not in times or end not in times:
                continue  # a time that ELAN interpolates from its neighbours
            text = (one.findtext("ANNOTATION_VALUE") or "").strip()
            first, last = times[start], times[end]
            is_event = round(1000 * (last - first)) <= _EVENT_MS
            yield _Row(lane, first, first if is_event else last, text, person=person)


def _attribute(element: ET.Element, name: str) -> str:
    if name not in element.attrib:
        raise ContentError("{element} lacks {name}", element=element.tag, name=name)
    return element.attrib[name]


def _seconds(text: str, place: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ContentError("{place}: '{text}' is not a time", place=place, text=text) from error


def _write_table(path: Path, project: Project) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(_TABLE)
        for lane in project.lanes:
            for one in _in_order(project, lane.name):
                person = _person_name(project, one)
                length = one.end_s - one.start_s
                times = [f"{value:.3f}" for value in (one.start_s, one.end_s, length)]
                writer.writerow([lane.name, *times, one.label, one.note, person])


def _table_rows(path: Path) -> Iterable[_Row]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContentError("it is not text in UTF-8") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t", restval="")
    try:
        missing = {"lane", "start_s", "end_s"} - set(reader.fieldnames or ())
        if missing:
            raise ContentError("the first line lacks {columns}", columns=", ".join(sorted(missing)))
        for row in reader:
            place = UserText("line {line}", line=reader.line_num)
            times = _seconds(row["start_s"], place), _seconds(row["end_s"], place)
            texts = (row.get(name) or "" for name in ("label", "note", "person"))
            yield _Row(row["lane"], *times, *texts)
    except csv.Error as error:
        raise ContentError("it is not a table with tabs") from error


def _in_order(project: Project, lane: str) -> list[Annotation]:
    return sorted(
        (one for one in project.annotations if one.lane == lane),
        key=lambda one: (one.start_s, one.number),
    )
