; Installer for Windows, made by Inno Setup 6 from dist\steadymark:
;   iscc /DAppVersion=VERSION /DAppPublisher=NAME [/DAppURL=PAGE] packaging\windows\steadymark.iss
; All three are those of pyproject.toml; packaging/release passes them.
#ifndef AppVersion
  #error Pass the version: /DAppVersion=VERSION
#endif
#ifndef AppPublisher
  #error Pass the publisher: /DAppPublisher=NAME
#endif

[Setup]
AppId={{5C1B4B0E-6C0B-4E0C-9C0C-5E2A6D1B7F43}
AppName=Steadymark
AppVersion={#AppVersion}
AppPublisher={#AppPublisher}
#ifdef AppURL
AppPublisherURL={#AppURL}
AppSupportURL={#AppURL}
#endif
DefaultDirName={autopf}\Steadymark
DefaultGroupName=Steadymark
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
LicenseFile=..\..\dist\steadymark\licences\README.txt
OutputDir=..\..\dist
OutputBaseFilename=steadymark-{#AppVersion}-windows
SetupIconFile=..\..\build\bundle\steadymark.ico
UninstallDisplayIcon={app}\steadymark-window.exe
Compression=lzma2
SolidCompression=yes
WizardStyle=modern
ChangesEnvironment=yes
ChangesAssociations=yes

[Languages]
Name: "en"; MessagesFile: "compiler:Default.isl"
Name: "de"; MessagesFile: "compiler:Languages\German.isl"

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked

[Files]
Source: "..\..\dist\steadymark\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs

[Icons]
Name: "{group}\Steadymark"; Filename: "{app}\steadymark-window.exe"
Name: "{autodesktop}\Steadymark"; Filename: "{app}\steadymark-window.exe"; Tasks: desktopicon

[Registry]
; "Open with" offers Steadymark for videos; it does not become the default.
Root: HKA; Subkey: "Software\Classes\Steadymark.Video"; ValueType: string; ValueData: "Video"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\Steadymark.Video\shell\open\command"; ValueType: string; ValueData: """{app}\steadymark-window.exe"" open ""%1"""
Root: HKA; Subkey: "Software\Classes\.mp4\OpenWithProgids"; ValueType: string; ValueName: "Steadymark.Video"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.mov\OpenWithProgids"; ValueType: string; ValueName: "Steadymark.Video"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.mkv\OpenWithProgids"; ValueType: string; ValueName: "Steadymark.Video"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.avi\OpenWithProgids"; ValueType: string; ValueName: "Steadymark.Video"; Flags: uninsdeletevalue
