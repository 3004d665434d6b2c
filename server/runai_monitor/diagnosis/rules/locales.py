"""The C library's words for the errors that end programs, in the languages images are built for.

Of tools that print the number too (`[Errno 28]`, `os error 28`) the number is read; coreutils and shells print words only.
The words follow the translations that GNU systems show; they were written from experience, not taken from a file, so one that
a later release words otherwise is missed, never misread.
"""

from __future__ import annotations

import re

_WORDS: dict[str, tuple[str, ...]] = {
    "disk_full": (
        "kein Speicherplatz mehr verfügbar", "Aucun espace disponible sur le périphérique", "No queda espacio en el dispositivo",
        "Spazio esaurito sul d", "Não há espaço disponível no dispositivo", "Não há mais espaço no dispositivo", "На устройстве не осталось свободного места",
        "デバイスに空き領域がありません", "设备上没有空间", "裝置上沒有多餘空間", "設備上沒有空間", "장치에 남은 공간이 없", "Brak miejsca na urządzeniu",
        "Geen ruimte meer over op apparaat", "Aygıtta yer kalmadı",
    ),
    "permission_denied": (
        "Keine Berechtigung", "Permission non accordée", "Permiso denegado", "Permesso negato", "Permissão negada", "Отказано в доступе",
        "許可がありません", "权限不够", "權限不足", "拒絕不符權限的操作", "허가 거부", "Brak dostępu", "Toegang geweigerd", "Erişim engellendi",
        "Die Operation ist nicht erlaubt", "Opération non permise", "Operación no permitida", "不允许的操作", "許可されていない操作です",
    ),
    "missing_file": (
        "Datei oder Verzeichnis nicht gefunden", "Aucun fichier ou dossier de ce", "No existe el fichero o el directorio",
        "No existe el archivo o el directorio", "File o directory non esistente", "Arquivo ou diretório inexistente", "Arquivo ou diretório não encontrado",
        "Нет такого файла или каталога", "そのようなファイルやディレクトリはありません", "没有那个文件或目录", "沒有此一檔案或目錄", "그런 파일이나 디렉터리가 없습니다",
        "Nie ma takiego pliku ani katalogu", "Bestand of map bestaat niet", "Böyle bir dosya ya da dizin yok",
    ),
}  # fmt: skip


def words_of(cause: str) -> str:
    """A pattern of the words for a cause in every language but English."""
    return "|".join(re.escape(words) for words in _WORDS[cause])
