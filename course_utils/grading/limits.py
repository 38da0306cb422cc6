"""How much one answer may use."""

from dataclasses import asdict, dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Per exercise of a submission, all its cases together."""

    seconds: float = 30.0  # by the clock, while its answers are waited for; two thirds of it CPU
    memory_bytes: int = 1024 * MIB  # on top of what torch takes by being imported
    file_bytes: int = 16 * MIB
    tmpfs_bytes: int = 64 * MIB

    @property
    def cpu_seconds(self) -> int:
        return max(1, round(self.seconds * 2 / 3))

    def as_dict(self) -> dict:
        return asdict(self)
