"""Settings: read from the environment, checked once, frozen. Every setting has a row in docs/operations.md.

A value that cannot be used stops the start with a sentence. `python config.py` checks the settings and shows them, secrets hidden.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Final, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

ROOT: Final = Path(__file__).resolve().parent
SETTINGS: Final = (
    "APP_ENV",
    "DATABASE_URL",
    "DATABASE_ADMIN_URL",
    "SECRET_KEY",
    "AUDIT_KEY",
    "INSTANCE_PATH",
    "PORT",
    "MAIL_URL",
    "TRUSTED_PROXIES",
    "FILE_QUOTA_MB",
)
SECRET_LENGTH: Final = 32
DATABASE_FILE: Final = "throughline.sqlite3"
_PLACEHOLDERS: Final = ("change", "secret", "example", "password", "placeholder")
_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SMTP_PORTS: Final = MappingProxyType({"smtp": 587, "smtps": 465})
_DISTINCT_CHARACTERS: Final = 8
_HIGHEST_PORT: Final = 65535
_MOST_PROXIES: Final = 9
_MOST_QUOTA: Final = 10_000_000
_LIKE: Final = 0.9
T = TypeVar("T")


class ConfigError(Exception):
    """The settings cannot be used; `str(error)` is one sentence a line, one for each setting that is wrong."""


class _Unusable(Exception):
    """One setting cannot be used: a sentence on its way to ConfigError, never seen outside."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Where e-mail goes: an SMTP server, or a folder where each message becomes a file."""

    sender: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    is_tls: bool = False
    is_starttls: bool = False
    folder: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The settings in force. Made by `load()`; the subclass says what the environment demands."""

    environment: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ()
    keeps_made_secrets: ClassVar[bool] = False
    has_secure_cookies: ClassVar[bool] = False

    instance_path: Path
    database_url: str = field(repr=False)
    database_admin_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    audit_key: str = field(repr=False)
    port: int = 8000
    mail: Mail | None = None
    trusted_proxies: int = 0
    file_quota_mb: int = 10_000

    @property
    def documents_path(self) -> Path:
        """Where built documents are kept."""
        return self.instance_path / "documents"

    @property
    def audit_key_bytes(self) -> bytes:
        """The key of the audit chain's keyed hashes."""
        return self.audit_key.encode()

    def flask(self) -> dict[str, object]:
        """What `app.config` is given; the whole object is there too, as THROUGHLINE."""
        return {
            "THROUGHLINE": self,
            "APP_ENV": self.environment,
            "TESTING": self.environment == "testing",
            "SECRET_KEY": self.secret_key,
            "AUDIT_KEY": self.audit_key_bytes,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "DATABASE_ADMIN_URL": self.database_admin_url,
            "TRUSTED_PROXIES": self.trusted_proxies,
            "FILE_QUOTA_BYTES": self.file_quota_mb * 1_000_000,
            "PREFERRED_URL_SCHEME": "https" if self.has_secure_cookies else "http",
            # `__Host-` cookies are refused by browsers without TLS, so only where TLS is sure.
            "SESSION_COOKIE_NAME": "__Host-throughline" if self.has_secure_cookies else "throughline",
            "SESSION_COOKIE_SECURE": self.has_secure_cookies,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_PATH": "/",
            "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
            "MAX_CONTENT_LENGTH": 30_500_000,  # a file of 30 MB and what a form sends with it
            "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
            "MAX_FORM_PARTS": 2000,
            "TEMPLATES_AUTO_RELOAD": False,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Development(Base):
    """One person's machine: SQLite in the instance folder, secrets made at the first start and kept there."""

    environment: ClassVar[str] = "development"
    keeps_made_secrets: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Testing(Base):
    """Tests: as development, but secrets that were not given are forgotten with the process."""

    environment: ClassVar[str] = "testing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Production(Base):
    """People work here: nothing is made up, cookies travel over TLS only."""

    environment: ClassVar[str] = "production"
    needs: ClassVar[tuple[str, ...]] = ("DATABASE_URL", "SECRET_KEY", "AUDIT_KEY")
    has_secure_cookies: ClassVar[bool] = True


Config = Base
ENVIRONMENTS: Final[Mapping[str, type[Base]]] = MappingProxyType({kind.environment: kind for kind in (Development, Testing, Production)})


def load(environ: Mapping[str, str] | None = None, *, root: Path = ROOT) -> Config:
    """Read and check every setting; an empty value counts as none. Raises ConfigError naming every setting that is wrong."""
    source = os.environ if environ is None else environ
    given = {name: value.strip() for name in SETTINGS if (value := source.get(name, "")).strip()}
    problems = _unknown(source)

    def read(reader: Callable[[], T], otherwise: T) -> T:
        try:
            return reader()
        except _Unusable as error:
            problems.append(str(error))
            return otherwise

    kind = read(lambda: _environment(given.get("APP_ENV", "")), ENVIRONMENTS["development"])
    problems += [f"{name} is not set; {kind.environment} does not start without it." for name in kind.needs if name not in given]
    fallback = (root / "instance").resolve()
    instance = read(lambda: _instance_path(given.get("INSTANCE_PATH", ""), fallback), fallback)
    database = read(lambda: _database_url("DATABASE_URL", given.get("DATABASE_URL", ""), instance, kind), "")
    admin = read(lambda: _admin_url(given.get("DATABASE_ADMIN_URL", ""), database, instance, kind), "")
    port = read(lambda: _whole_number("PORT", given.get("PORT", "8000"), 1, _HIGHEST_PORT, "a port number"), 0)
    mail = read(lambda: _mail(given.get("MAIL_URL", ""), instance), None)
    proxies = read(
        lambda: _whole_number(
            "TRUSTED_PROXIES", given.get("TRUSTED_PROXIES", "0"), 0, _MOST_PROXIES, "how many reverse proxies stand in front"
        ),
        0,
    )
    quota = read(
        lambda: _whole_number(
            "FILE_QUOTA_MB", given.get("FILE_QUOTA_MB", "10000"), 1, _MOST_QUOTA, "how many megabytes of files an office may keep"
        ),
        0,
    )
    read(lambda: _strong("SECRET_KEY", given), None)
    read(lambda: _strong("AUDIT_KEY", given), None)
    if given.get("SECRET_KEY") and given.get("SECRET_KEY") == given.get("AUDIT_KEY"):
        problems.append("AUDIT_KEY is the same as SECRET_KEY; who holds the one must not hold the other.")
    if problems:
        raise ConfigError("\n".join(problems))
    # Only now, when everything else is right, is anything written.
    secret, audit = _secret("SECRET_KEY", given, instance, kind), _secret("AUDIT_KEY", given, instance, kind)
    return kind(
        instance_path=instance,
        database_url=database,
        database_admin_url=admin,
        secret_key=secret,
        audit_key=audit,
        port=port,
        mail=mail,
        trusted_proxies=proxies,
        file_quota_mb=quota,
    )


def load_or_stop(environ: Mapping[str, str] | None = None) -> Config:
    """As `load()`, for the start of a process: settings that cannot be used end it with their sentences, not a traceback."""
    try:
        return load(environ)
    except ConfigError as error:
        sys.exit(f"Throughline did not start:\n{error}")


def _unknown(environ: Mapping[str, str]) -> list[str]:
    """Names that are surely meant for us but do not exist: a wrong prefix, wrong case, or a slip of the pen."""
    problems = []
    for name in sorted(environ):
        if name in SETTINGS:
            continue
        upper = name.upper()
        bare = upper.removeprefix("THROUGHLINE_")
        long_names = [known for known in SETTINGS if "_" in known]
        meant = difflib.get_close_matches(bare, long_names, n=1, cutoff=_LIKE)
        if bare != upper:
            hint = f" Did you mean {meant[0] if meant else bare}?" if meant or bare in SETTINGS else " Settings have no prefix."
            problems.append(f"{name} is not a setting of Throughline.{hint}")
        elif meant and abs(len(meant[0]) - len(upper)) <= 1 and meant[0][0] == upper[0]:
            problems.append(f"{name} is not a setting of Throughline. Did you mean {meant[0]}?")
    return problems


def _environment(value: str) -> type[Base]:
    value = value or Development.environment
    if value not in ENVIRONMENTS:
        message = f"APP_ENV is {value!r}; it is one of {', '.join(ENVIRONMENTS)}."
        raise _Unusable(message)
    return ENVIRONMENTS[value]


def _whole_number(name: str, value: str, lowest: int, highest: int, meaning: str) -> int:
    if not (value.isascii() and value.isdigit() and lowest <= int(value) <= highest):
        message = f"{name} is {value!r}; it is {meaning}, a whole number from {lowest} to {highest}."
        raise _Unusable(message)
    return int(value)


def _instance_path(value: str, fallback: Path) -> Path:
    path = Path(value).expanduser() if value else fallback
    if not path.is_absolute():
        message = f"INSTANCE_PATH is {value!r}; it is an absolute path."
        raise _Unusable(message)
    nearest = next(folder for folder in (path, *path.parents) if folder.exists())
    if not nearest.is_dir():
        message = f"INSTANCE_PATH is {str(path)!r}; {nearest} is not a folder."
        raise _Unusable(message)
    if not os.access(nearest, os.W_OK | os.X_OK):
        message = f"INSTANCE_PATH is {str(path)!r}; this process may not write there."
        raise _Unusable(message)
    return path


def _database_url(name: str, value: str, instance: Path, kind: type[Base]) -> str:
    if not value:
        return URL.create("sqlite", database=str(instance / DATABASE_FILE)).render_as_string(hide_password=False)
    # The value may hold a password: no sentence repeats it.
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        message = f"{name} is not a database address; it reads sqlite:////path/file or postgresql://user:password@host:port/database."
        raise _Unusable(message) from None
    backend, _, driver = url.drivername.partition("+")
    if backend in {"postgres", "postgresql"}:
        if driver not in {"", "psycopg"}:
            message = f"{name} asks for the driver {driver!r}; PostgreSQL is reached with psycopg (postgresql://…)."
            raise _Unusable(message)
        if not url.database:
            message = f"{name} names no database; it reads postgresql://user:password@host:port/database."
            raise _Unusable(message)
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if backend == "sqlite" and driver in {"", "pysqlite"}:
        return _sqlite_url(name, url, instance, kind)
    message = f"{name} begins with {url.drivername!r}; Throughline works with sqlite and postgresql."
    raise _Unusable(message)


def _sqlite_url(name: str, url: URL, instance: Path, kind: type[Base]) -> str:
    if url.host:
        message = f"{name} names a host for SQLite; an absolute path takes four slashes: sqlite:////path/file."
        raise _Unusable(message)
    database = url.database or ":memory:"
    if database == ":memory:" or database.startswith("file:"):
        if kind is Testing:
            return url.set(drivername="sqlite").render_as_string(hide_password=False)
        message = f"{name} is not a plain SQLite file; every process would see a database of its own."
        raise _Unusable(message)
    path = instance / Path(database).expanduser()  # a relative path is below the instance folder
    if path.is_dir() or not (path.parent.is_dir() or path.parent == instance):
        message = f"{name} is the SQLite file {str(path)!r}, which cannot be: {'it is' if path.is_dir() else 'there is no'} such folder."
        raise _Unusable(message)
    return url.set(drivername="sqlite", database=str(path)).render_as_string(hide_password=False)


def _admin_url(value: str, database_url: str, instance: Path, kind: type[Base]) -> str:
    if not value or not database_url:
        return database_url
    result = _database_url("DATABASE_ADMIN_URL", value, instance, kind)
    admin, application = make_url(result), make_url(database_url)
    if (admin.drivername, admin.database) != (application.drivername, application.database):
        message = "DATABASE_ADMIN_URL leads to another database than DATABASE_URL; only the user, the host and the port may differ."
        raise _Unusable(message)
    return result


def _mail(value: str, instance: Path) -> Mail | None:
    """`smtp://user:password@host:587?from=a@b` (STARTTLS), `smtps://…:465` or `file:///folder`; none = no e-mail is sent."""
    if not value:
        return None
    try:
        parts = urlsplit(value)
        query = parse_qs(parts.query, strict_parsing=bool(parts.query), keep_blank_values=True)
        port = parts.port
    except ValueError:
        message = "MAIL_URL is not an address; it reads smtp://user:password@host:587?from=name@host."
        raise _Unusable(message) from None
    if extra := sorted(set(query) - {"from"}):
        message = f"MAIL_URL holds {extra[0]!r} behind the question mark; only from=name@host belongs there."
        raise _Unusable(message)
    sender = query.get("from", [""])[-1]
    if parts.scheme == "file":
        folder = instance / Path(unquote(parts.path))
        if parts.netloc or not parts.path:
            message = "MAIL_URL is not a folder; it reads file:///path/to/folder."
            raise _Unusable(message)
        return Mail(sender=sender or "throughline@localhost", folder=folder)
    if parts.scheme not in _SMTP_PORTS:
        message = f"MAIL_URL begins with {parts.scheme!r}; it is smtp, smtps or file."
        raise _Unusable(message)
    if not parts.hostname or parts.path not in {"", "/"}:
        message = "MAIL_URL names no mail server; it reads smtp://user:password@host:587?from=name@host."
        raise _Unusable(message)
    if "@" not in sender.strip("@"):
        message = "MAIL_URL does not say whom e-mail comes from; add ?from=name@host."
        raise _Unusable(message)
    is_tls = parts.scheme == "smtps"
    return Mail(
        sender=sender,
        host=parts.hostname,
        port=port or _SMTP_PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        is_tls=is_tls,
        # Passwords and letters cross a network encrypted or not at all; only the machine itself may speak plainly.
        is_starttls=not is_tls and parts.hostname not in _LOCAL_HOSTS,
    )


def _strong(name: str, given: Mapping[str, str]) -> None:
    value = given.get(name)
    if value is None:
        return
    advice = 'make one with: python3 -c "import secrets; print(secrets.token_hex(32))"'
    if len(value) < SECRET_LENGTH or len(set(value)) < _DISTINCT_CHARACTERS:
        message = f"{name} is too weak: it needs at least {SECRET_LENGTH} characters made at random; {advice}."
        raise _Unusable(message)
    if any(word in value.casefold() for word in _PLACEHOLDERS):
        message = f"{name} looks like a placeholder; {advice}."
        raise _Unusable(message)


def _secret(name: str, given: Mapping[str, str], instance: Path, kind: type[Base]) -> str:
    if name in given:
        return given[name]
    if not kind.keeps_made_secrets:
        return secrets.token_hex(SECRET_LENGTH)
    path = instance / name.lower().replace("_", "-")
    try:
        return _kept_secret(path)
    except _Unusable as error:
        raise ConfigError(str(error)) from None
    except OSError as error:
        message = f"{name} is not set and could not be kept in {path}: {error.strerror}."
        raise ConfigError(message) from error


def _kept_secret(path: Path) -> str:
    """The secret in `path`, made if absent. Two processes that start together agree: whoever links first wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 600
        try:
            with os.fdopen(handle, "w") as stream:
                stream.write(secrets.token_hex(SECRET_LENGTH) + "\n")
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            Path(draft).unlink()
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    value = path.read_text().strip()
    if len(value) < SECRET_LENGTH:
        message = f"{path} holds no usable secret; put back the one that was there (the audit chain cannot be checked without it)."
        raise _Unusable(message)
    return value


def _show(config: Config) -> str:
    lines = {
        "APP_ENV": config.environment,
        "DATABASE_URL": make_url(config.database_url).render_as_string(hide_password=True),
        "DATABASE_ADMIN_URL": make_url(config.database_admin_url).render_as_string(hide_password=True),
        "SECRET_KEY": "(set)",
        "AUDIT_KEY": "(set)",
        "INSTANCE_PATH": str(config.instance_path),
        "PORT": str(config.port),
        "MAIL_URL": "(no e-mail is sent)" if config.mail is None else str(config.mail.folder or f"{config.mail.host}:{config.mail.port}"),
        "TRUSTED_PROXIES": str(config.trusted_proxies),
        "FILE_QUOTA_MB": str(config.file_quota_mb),
    }
    return "\n".join(f"{name:<19} {value}" for name, value in lines.items())


if __name__ == "__main__":
    sys.stdout.write(_show(load_or_stop()) + "\n")
