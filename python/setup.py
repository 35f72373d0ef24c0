"""Names the platform of the program that the wheel carries. Everything else stands in pyproject.toml."""

import os
import platform
import sys

from setuptools import setup
from setuptools.dist import Distribution

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:
    from wheel.bdist_wheel import bdist_wheel

# The oldest systems that .NET and the native libraries in the wheel run on: they ask for glibc 2.28, and .NET 10 for macOS 14.
TAGS = {
    "linux-x64": "manylinux_2_28_x86_64",
    "linux-arm64": "manylinux_2_28_aarch64",
    "osx-arm64": "macosx_14_0_arm64",
    "win-x64": "win_amd64",
}
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "src", "pristine_iqa", "program")


def host() -> str:
    """This machine's platform, as .NET names it."""
    system = {"linux": "linux", "darwin": "osx", "win32": "win"}.get(sys.platform, sys.platform)
    machine = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), platform.machine())
    return system + "-" + machine


class ProgramWheel(bdist_wheel):
    """A wheel for any Python 3 on one platform."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.root_is_pure = False
        if not any(os.path.exists(os.path.join(PROGRAM, name)) for name in ("pristine", "pristine.exe")):
            raise SystemExit("Expected the program in %s; there is none. Build the wheel with python/build.sh." % PROGRAM)

    def get_tag(self):
        name = os.environ.get("PRISTINE_PLATFORM") or host()
        if name not in TAGS:
            raise SystemExit("Expected PRISTINE_PLATFORM to be one of %s; found %r." % (", ".join(TAGS), name))
        return "py3", "none", TAGS[name]


class ProgramDistribution(Distribution):
    """Not pure: it is installed where files of one platform go."""

    def has_ext_modules(self) -> bool:
        return True


setup(cmdclass={"bdist_wheel": ProgramWheel}, distclass=ProgramDistribution)
