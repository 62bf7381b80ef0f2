"""The language of the window: the system's or the one that the user chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator

from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtCore import QCoreApplication

SYSTEM = ""
LANGUAGES = {"en": "English", "de": "Deutsch", "zh_CN": "简体中文"}
_TRANSLATOR_NAME = "language"


def translations_folder() -> Path:
    """Return the folder that contains steadymark_LANGUAGE.ts and .qm."""
    return assets_root() / "translations"


def apply_language(application: QCoreApplication, language: str = SYSTEM) -> None:
    """Change the language of the application, including the windows that are already open.

    Args:
        application: The running application.
        language: A key of LANGUAGES. SYSTEM selects the first language that the user's system
            prefers and that is available.
    """
    system = QLocale.system()
    chosen = QLocale(language) if language in LANGUAGES else system
    same = chosen.language() == system.language()
    # If the language is the system's, the number format of the user's country is kept.
    QLocale.setDefault(system if same else chosen)
    for old in application.findChildren(QTranslator, _TRANSLATOR_NAME):
        application.removeTranslator(old)
        old.deleteLater()
    qt_folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    for name, folder in (("qtbase", qt_folder), ("steadymark", str(translations_folder()))):
        translator = QTranslator(application)
        translator.setObjectName(_TRANSLATOR_NAME)
        # The texts are English, so the English file contains only plural forms.
        if translator.load(chosen, name, "_", folder) or translator.load(f"{name}_en", folder):
            application.installTranslator(translator)
