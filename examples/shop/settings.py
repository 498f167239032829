"""Where the shop's data lies and who its neighbours are. Written once by the launcher, read by every process."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_NAME = "settings.json"


@dataclass(frozen=True, kw_only=True)
class Settings:
    data_dir: str
    shop_port: int
    bank_port: int
    sandbox_url: str
    secret_key: str

    @property
    def database(self) -> Path:
        return Path(self.data_dir) / "shop.sqlite"

    @property
    def points_database(self) -> Path:
        return Path(self.data_dir) / "points.sqlite"

    @property
    def sandbox_database(self) -> Path:
        return Path(self.data_dir) / "sandbox.sqlite"

    def save(self) -> None:
        path = Path(self.data_dir) / FILE_NAME
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")

    @classmethod
    def load(cls, data_dir: str | Path) -> "Settings":
        stored = json.loads((Path(data_dir) / FILE_NAME).read_text(encoding="utf-8"))
        return cls(**(stored | {"data_dir": str(data_dir)}))

    @classmethod
    def of_running_shop(cls) -> "Settings":
        """Read SHOP_DATA, as the bank's process and the command line do. Raises RuntimeError: it is not set."""
        data_dir = os.environ.get("SHOP_DATA")
        if not data_dir:
            raise RuntimeError("Set SHOP_DATA to the folder that `python3 examples` printed when it started.")
        return cls.load(data_dir)


def secret_key_for(data_dir: Path) -> str:
    """The key that signs sessions: kept with the data, so that a restart with --data signs nobody out."""
    if (data_dir / FILE_NAME).exists():
        return Settings.load(data_dir).secret_key
    return secrets.token_urlsafe(32)
