"""The language of the window: the system's, or the one that the user chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from steadymark.models.schema import assets_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

SYSTEM = ""
LANGUAGES = {"en": "English", "de": "Deutsch", "zh_CN": "简体中文"}
_OURS = "language"


def translations_folder() -> Path:
    """Where steadymark_LANGUAGE.ts and .qm lie."""
    return assets_root() / "translations"


def speak(application: QCoreApplication, language: str = SYSTEM) -> None:
    """From now on; windows that are there already keep theirs.

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
        if translator.load(chosen, name, "_", folder):
            application.installTranslator(translator)


def language_menu(parent: QWidget, chosen: str, choose: Callable[[str], object]) -> QMenu:
    """choose: called with one of LANGUAGES, or SYSTEM."""
    menu = QMenu(QCoreApplication.translate("language", "Lan&guage"), parent)
    group = QActionGroup(menu)
    names = {SYSTEM: QCoreApplication.translate("language", "As the system"), **LANGUAGES}
    for language, name in names.items():
        action = menu.addAction(name)
        action.setCheckable(True)
        action.setChecked(language == chosen)
        group.addAction(action)
        action.triggered.connect(lambda _=False, language=language: choose(language))
    return menu
