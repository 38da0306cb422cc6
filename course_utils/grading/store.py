"""Results on disk: one signed file per submission, written at once or not at all."""

import hashlib
import json
from pathlib import Path

from course_utils import atomic
from course_utils.grading.secret import Secret
from course_utils.lesson.folder import all_lessons
from course_utils.locations import checkout


def _text(value) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=True).encode("ascii")


def code_fingerprint() -> str:
    """Changes when a lesson's checks, or anything that grades, changes."""
    files = [path for lesson in all_lessons() for path in lesson.path.glob("*.py")]
    package = checkout() / "course_utils"
    files += [*package.glob("lesson/*.py"), *package.glob("grading/**/*.py")]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


class Store:
    """The folder `results` of a grading run. circumstances: all that a result depends on besides
    the submission; a result of other circumstances is not taken over."""

    def __init__(self, folder: Path, secret: Secret, circumstances: dict):
        self.folder, self._secret = folder, secret
        self._circumstances = circumstances | {"code": code_fingerprint()}
        self.forged: list[Path] = []

    def path(self, label: str, learner: str) -> Path:
        """Where the result of a submission lies; no two labels share a file."""
        digest = hashlib.sha256(label.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        return self.folder / f"{learner}.{digest}.json"

    def key(self, data: bytes) -> str:
        """Names a submission's bytes and everything that its result depends on."""
        bytes_key = hashlib.sha256(data).hexdigest()
        return hashlib.sha256(_text([bytes_key, self._circumstances])).hexdigest()

    def load(self, path: Path, key: str) -> dict | None:
        """The result there, if it is of this submission and nobody has changed it."""
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            signature = kept.pop("signature")
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, AttributeError, OSError):
            signature, kept = None, {}
        if not self._secret.signed(_text(kept), signature):
            self.forged.append(path)
            return None
        return kept["result"] if kept["key"] == key else None

    def save(self, path: Path, key: str, result: dict) -> None:
        kept = {"key": key, "result": result}
        atomic.write_json(path, kept | {"signature": self._secret.sign(_text(kept))})
