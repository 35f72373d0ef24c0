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


def platform_of_wheel() -> str:
    """The platform that the wheel is for."""
    name = os.environ.get("PRISTINE_PLATFORM") or host()
    if name not in TAGS:
        raise SystemExit("Expected PRISTINE_PLATFORM to be one of %s; found %r." % (", ".join(TAGS), name))
    return name


# What a program of each platform begins with: its format, where the number of the processor stands, and that number.
FORMATS = {
    "linux-x64": (b"\x7fELF", 18, b"\x3e\x00"),
    "linux-arm64": (b"\x7fELF", 18, b"\xb7\x00"),
    "osx-arm64": (b"\xcf\xfa\xed\xfe", 4, b"\x0c\x00\x00\x01"),
    "win-x64": (b"MZ", None, b"PE\x00\x00\x64\x86"),
}


def check_program(name: str) -> None:
    """Fails where the program is not one of the platform that the wheel is for."""
    path = os.path.join(PROGRAM, "pristine.exe" if name.startswith("win-") else "pristine")
    if not os.path.exists(path):
        raise SystemExit("Expected %s, the program for %s; there is none. Build the wheel with python/build.sh." % (path, name))
    with open(path, "rb") as file:
        head = file.read(4096)
    magic, at, processor = FORMATS[name]
    if at is None:
        # The address of the header of a Windows program.
        at = int.from_bytes(head[60:64], "little")
    if not head.startswith(magic) or head[at : at + len(processor)] != processor:
        raise SystemExit("Expected a program for %s in %s; it begins with %s." % (name, path, head[:20].hex(" ")))


class ProgramWheel(bdist_wheel):
    """A wheel for any Python 3 on one platform."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.root_is_pure = False
        check_program(platform_of_wheel())

    def get_tag(self):
        return "py3", "none", TAGS[platform_of_wheel()]


class ProgramDistribution(Distribution):
    """Not pure: it is installed where files of one platform go."""

    def has_ext_modules(self) -> bool:
        return True


setup(cmdclass={"bdist_wheel": ProgramWheel}, distclass=ProgramDistribution)
