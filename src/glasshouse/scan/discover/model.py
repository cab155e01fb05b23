"""Value types of discovery: settings with their limits, and the source file that later stages pass around."""

from __future__ import annotations

import msgspec

MEGABYTE = 1_000_000


class SourceFile(msgspec.Struct, frozen=True):
    """One file to analyse.

    ``path`` is the report path (forward slashes, always valid Unicode); ``absolute`` is what to open (undecodable bytes
    of the name are surrogates, as ``os.fsdecode`` makes them).  ``named`` files were given on the command line.
    """

    path: str
    absolute: str
    size: int
    mtime_ns: int
    language: str
    named: bool = False


class SkipDirectory(msgspec.Struct, frozen=True):
    """Directories of one name that hold no source of the project.

    With ``beside`` or ``inside``, the name alone is not enough: the parent must hold one of the files ``beside``, or be
    called one of ``inside``.  A directory that is a Python package (``__init__.py``) is then never skipped.
    ``quiet`` ones (version control, byte code) are not reported.
    """

    name: str
    code: str
    reason: str = ""
    beside: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    quiet: bool = False


_PYTHON_BUILD = ("setup.py", "setup.cfg", "pyproject.toml")
_NODE_BUILD = ("package.json",)
_JAVA_BUILD = ("pom.xml", "build.gradle", "build.gradle.kts", "build.xml", "build.sbt")
_VENDORING = ("composer.json", "go.mod", "Gemfile", "bower.json", "package.json", "modules.txt")
_ASSETS = ("static", "assets", "public", "js", "javascript", "javascripts", "wwwroot", "resources", "lib")

DEFAULT_SKIPS: tuple[SkipDirectory, ...] = (
    *(SkipDirectory(name, "ignored", quiet=True) for name in (".git", ".hg", ".svn", ".bzr", "CVS", "__pycache__")),
    *(
        SkipDirectory(name, "ignored", quiet=True)
        for name in (".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".gradle", ".idea", ".vscode")
    ),
    *(
        SkipDirectory(name, "dependency", "installed dependencies")
        for name in ("node_modules", "bower_components", "jspm_packages", "site-packages", "dist-packages")
    ),
    *(
        SkipDirectory(name, "dependency", "installed dependencies")
        for name in (".tox", ".nox", ".eggs", "__pypackages__", ".yarn", ".pnpm-store")
    ),
    SkipDirectory(".pc", "build-output", "files as they were before the patches of quilt"),
    SkipDirectory("third_party", "vendored", "copies of other projects"),
    SkipDirectory("third-party", "vendored", "copies of other projects"),
    SkipDirectory("_vendor", "vendored", "copies of other projects"),
    SkipDirectory("vendor", "vendored", "copies of other projects", beside=_VENDORING, inside=_ASSETS),
    SkipDirectory("vendors", "vendored", "copies of other projects", inside=_ASSETS),
    SkipDirectory("build", "build-output", "build output", beside=(*_PYTHON_BUILD, *_NODE_BUILD, *_JAVA_BUILD)),
    SkipDirectory("dist", "build-output", "build output", beside=(*_PYTHON_BUILD, *_NODE_BUILD)),
    SkipDirectory("out", "build-output", "build output", beside=(*_NODE_BUILD, *_JAVA_BUILD)),
    SkipDirectory("target", "build-output", "build output", beside=(*_JAVA_BUILD, "Cargo.toml")),
    SkipDirectory("coverage", "build-output", "coverage report", beside=_NODE_BUILD),
    SkipDirectory("htmlcov", "build-output", "coverage report"),
    *(
        SkipDirectory(name, "build-output", "build output")
        for name in (".next", ".nuxt", ".output", ".svelte-kit", ".parcel-cache", ".turbo", ".serverless")
    ),
)


class DiscoverSettings(msgspec.Struct, frozen=True):
    """What to look for and when to stop.

    ``languages`` empty means all.  ``ignore_files`` honours ``.gitignore``, ``.git/info/exclude`` and
    ``.glasshouseignore``.  ``max_entries`` bounds directory entries looked at, ``max_depth`` directories below a named
    path.  ``cwd`` is the directory that report paths are relative to ("" = the current one).
    """

    languages: frozenset[str] = frozenset()
    ignore_files: bool = True
    skips: tuple[SkipDirectory, ...] = DEFAULT_SKIPS
    max_file_bytes: int = 2 * MEGABYTE
    max_files: int = 500_000
    max_entries: int = 5_000_000
    max_depth: int = 64
    cwd: str = ""


class ReadLimits(msgspec.Struct, frozen=True):
    """Bounds and choices for reading one file.  Named files are read even when generated or minified."""

    max_file_bytes: int = 2 * MEGABYTE
    skip_generated: bool = True
    skip_minified: bool = True
