"""Files that Windows and macOS want beside the program: version resource and Info.plist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project_facts import (
    APP_ID,
    CAMERA_REASON,
    NAME,
    SUMMARY,
    VIDEO_ENDINGS,
    numeric_version,
    publisher,
    version,
)

if TYPE_CHECKING:
    from pathlib import Path

_RESOURCE = """\
VSVersionInfo(
  ffi=FixedFileInfo(
    filevers={numbers}, prodvers={numbers}, mask=0x3f, flags=0x0, OS=0x40004, fileType=0x1,
    subtype=0x0, date=(0, 0)
  ),
  kids=[
    StringFileInfo([StringTable('040904B0', [
      StringStruct('CompanyName', {publisher!r}),
      StringStruct('FileDescription', {summary!r}),
      StringStruct('FileVersion', {version!r}),
      StringStruct('InternalName', 'steadymark'),
      StringStruct('LegalCopyright', 'MIT licence; as a whole GPL 3: see the folder licences'),
      StringStruct('OriginalFilename', 'steadymark.exe'),
      StringStruct('ProductName', {name!r}),
      StringStruct('ProductVersion', {version!r}),
    ])]),
    VarFileInfo([VarStruct('Translation', [0x0409, 1200])])
  ]
)
"""


def version_resource(path: Path) -> Path:
    """Write the version resource of the Windows programs, in PyInstaller's form.

    Args:
        path: The file to write.

    Returns:
        The file.
    """
    text = _RESOURCE.format(
        numbers=numeric_version(),
        publisher=publisher(),
        summary=SUMMARY,
        version=version(),
        name=NAME,
    )
    path.write_text(text, encoding="utf-8")
    return path


def mac_info() -> dict[str, Any]:
    """Return the entries of Info.plist: version, file types, and the reason for the camera."""
    return {
        "CFBundleDisplayName": NAME,
        "CFBundleIdentifier": APP_ID,
        "CFBundleShortVersionString": version(),
        "CFBundleVersion": version(),
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": "Video",
                "CFBundleTypeRole": "Viewer",
                "CFBundleTypeExtensions": list(VIDEO_ENDINGS),
                "LSHandlerRank": "Alternate",
            }
        ],
        "LSApplicationCategoryType": "public.app-category.video",
        "LSMinimumSystemVersion": "14.0",
        "NSCameraUsageDescription": CAMERA_REASON,
        "NSHighResolutionCapable": True,
        "NSHumanReadableCopyright": "MIT licence; as a whole, with its libraries, GPL 3",
    }
