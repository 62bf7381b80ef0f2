"""The language of the window: the system's, or the one that the user chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator

from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtCore import QCoreApplication

SYSTEM = ""
LANGUAGES = {"en": "English", "de": "Deutsch", "zh_CN": "简体中文"}
_OURS = "language"


def translations_folder() -> Path:
    """Where steadymark_LANGUAGE.ts and .qm lie."""
    return assets_root() / "translations"


def speak(application: QCoreApplication, language: str = SYSTEM) -> None:
    """From now on; windows that are there already change theirs.

    language: one of LANGUAGES. SYSTEM takes the first that the user's system wants and we have.
    """
    system = QLocale.system()
    chosen = QLocale(language) if language in LANGUAGES else system
    same = chosen.language() == system.language()
    QLocale.setDefault(system if same else chosen)  # German numbers also for Austria's German
    for old in application.findChildren(QTranslator, _OURS):
        application.removeTranslator(old)
        old.deleteLater()
    qts = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    for name, folder in (("qtbase", qts), ("steadymark", str(translations_folder()))):
        translator = QTranslator(application)
        translator.setObjectName(_OURS)
        # texts are English; only their plurals come from a file
        if translator.load(chosen, name, "_", folder) or translator.load(f"{name}_en", folder):
            application.installTranslator(translator)
