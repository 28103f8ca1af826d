"""Write and read artefacts: folders of a manifest and weights, the one thing training hands to stancewire.

Reading runs no code from the folder, and succeeds whole or raises one ArtefactError. Digests prove that the
folder is as it was written, not who wrote it. docs/artefact.md describes the format.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from stancewire.atomic import interrupted, new_folder, write_file
from stancewire.errors import ArtefactError
from stancewire.manifest import (
    FORMAT,
    FORMAT_VERSION,
    MANIFEST,
    MAX_BYTES,
    MAX_MANIFEST_BYTES,
    CodebookRef,
    FileRef,
    Manifest,
    is_file_name,
    parse_manifest,
)
from stancewire.safefiles import names_in, open_file, open_folder, read_file
from stancewire.section import listed
from stancewire.strictjson import StrictJsonError, loads
from stancewire.tensors import Array, parse_tensors

__all__ = [
    "CARD",
    "FORMAT_VERSION",
    "Artefact",
    "CodebookRef",
    "FileRef",
    "Manifest",
    "read_artefact",
    "write_artefact",
]

# The model card, where there is one: Markdown for people, which no runtime reads.
CARD = "card.md"
_ATTEMPTS = 5
_CHUNK_BYTES = 2**20
# What people pass by mistake, told by a file that lies there.
_STRANGERS = {
    "MLmodel": "an MLflow model; load it with mlflow.pyfunc.load_model, or name the folder under its data/",
    "reader.json": "a reader of two artefacts; name its topics/ or stance/, or use stancewire serve",
    "config.json": "a transformers checkpoint; train or export it with stancewire first",
    "model.pkl": "a pickled model, which stancewire never opens; export it with stancewire",
}
_PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin", ".skops")


@dataclass(frozen=True, slots=True)
class Artefact:
    """A whole, checked artefact in memory; the folder is not looked at again.

    Attributes:
        path: the folder that it was read from.
        manifest: what it says about itself.
        digest: sha256 of manifest.json, which names the digest of every other file: the model's identity.
    """

    path: Path
    manifest: Manifest
    digest: str
    _bytes: Mapping[str, bytes]
    _tensors: Mapping[str, Mapping[str, Array]]

    def read_bytes(self, name: str) -> bytes:
        """Return a file's content: the very bytes whose digest was checked.

        Raises:
            ArtefactError: if the manifest names no such file.
        """
        self._known(name)
        return self._bytes[name]

    def tensors(self, name: str) -> dict[str, Array]:
        """Return the tensors of a `.safetensors` file by name: read-only views, all floats finite.

        Raises:
            ArtefactError: if the manifest names no such file, or it is of another kind.
        """
        self._known(name)
        if name not in self._tensors:
            raise ArtefactError(f"{self.path / name}: expected a .safetensors file; read its bytes instead")
        return dict(self._tensors[name])

    def _known(self, name: str) -> None:
        if name not in self._bytes:
            raise ArtefactError(
                f"{self.path}: expected a file {name!r}, found {listed(self._bytes)}; export again"
            )


def read_artefact(path: str | Path) -> Artefact:
    """Read and check a whole artefact: every file, every digest, every tensor.

    Args:
        path: its folder.

    Raises:
        ArtefactError: if anything is missing, extra, damaged, unsafe or of a newer version.
    """
    path = Path(path)
    attempts = _ATTEMPTS
    while True:
        attempts -= 1
        try:
            with open_folder(path) as folder:
                try:
                    return _read(path, folder)
                except ArtefactError:
                    if attempts == 0 or not _was_replaced(path, folder):
                        raise
        except OSError as error:
            raise _no_folder(path, error) from None
        except MemoryError:
            raise ArtefactError(f"{path}: the artefact does not fit into memory; free some") from None


def write_artefact(destination: str | Path, manifest: Manifest, staging: str | Path) -> Artefact:
    """Write an artefact so that `destination` is, at every instant, the former one or the new one, whole.

    Args:
        destination: its folder; an artefact there is replaced, anything else there is refused.
        manifest: what to say about the model; its `files` are filled in here.
        staging: a folder that holds the weight files, and nothing else.

    Returns:
        The artefact, read back from disk.

    Raises:
        ArtefactError: if it could not be read back, or the file system refuses; the destination is as before.
    """
    destination, staging = Path(destination), Path(staging)
    try:
        destination = Path(os.path.realpath(destination))  # a link to an artefact stays a link
        with new_folder(destination, _check_replaceable) as building:
            files = _copy(staging, building)
            data = replace(manifest, files=files).to_bytes()
            write_file(building / MANIFEST, [data])
            artefact = _read_back(building, staging)
    except MemoryError:
        raise ArtefactError(f"{staging}: does not fit into memory, nothing was written; free some") from None
    except (OSError, ValueError) as error:
        raise _cannot_write(destination, error) from error
    return replace(artefact, path=destination)


def _read(path: Path, folder: int) -> Artefact:
    """Read everything through the open folder."""
    found = names_in(folder)
    if MANIFEST not in found:
        raise _not_an_artefact(path, found)
    data = read_file(folder, MANIFEST, str(path / MANIFEST), at_most=MAX_MANIFEST_BYTES)
    manifest = parse_manifest(data, str(path / MANIFEST))
    _check_names(path, manifest, found)
    files = {name: _read_checked(path, folder, name, ref) for name, ref in manifest.files.items()}
    tensors = {
        name: parse_tensors(content, str(path / name))
        for name, content in files.items()
        if name.endswith(".safetensors")
    }
    return Artefact(path, manifest, hashlib.sha256(data).hexdigest(), files, tensors)


def _read_checked(path: Path, folder: int, name: str, ref: FileRef) -> bytes:
    where = str(path / name)
    content = read_file(folder, name, where, size=ref.bytes)
    digest = hashlib.sha256(content).hexdigest()
    if digest != ref.sha256:
        raise ArtefactError(
            f"{where}: digest mismatch: expected sha256 {ref.sha256[:12]}, found {digest[:12]}; "
            "get an intact copy"
        )
    return content


def _check_names(path: Path, manifest: Manifest, found: list[str]) -> None:
    expected = {MANIFEST, *manifest.files}
    if missing := sorted(expected - set(found)):
        raise ArtefactError(
            f"{path}: expected the files {listed(sorted(expected))}; missing {listed(missing)}"
        )
    if extra := sorted(set(found) - expected):
        raise ArtefactError(f"{path}: files that the manifest does not name: {listed(extra)}; remove them")


def _was_replaced(path: Path, folder: int) -> bool:
    """Tell whether a writer put another folder in place since this one was opened."""
    try:
        return not os.path.samestat(path.stat(), os.fstat(folder))
    except OSError:
        return True


def _not_an_artefact(path: Path, found: list[str]) -> ArtefactError:
    wanted = f"{path}: expected a stancewire artefact (a folder with {MANIFEST})"
    for name, what in _STRANGERS.items():
        if name in found:
            return ArtefactError(f"{wanted}, found {what}")
    if pickles := [name for name in found if name.endswith(_PICKLES)]:
        return ArtefactError(
            f"{wanted}, found {listed(pickles)}, which are never opened; export with stancewire"
        )
    content = f"a folder with {listed(found)}" if found else "an empty folder"
    return ArtefactError(f"{wanted}, found {content}; name the folder that training wrote")


def _no_folder(path: Path, error: OSError) -> ArtefactError:
    wanted = f"{path}: expected a stancewire artefact (a folder with {MANIFEST})"
    if isinstance(error, NotADirectoryError) and path.suffix in _PICKLES:
        return ArtefactError(
            f"{wanted}, found a {path.suffix} file, which is never opened; export with stancewire"
        )
    if isinstance(error, NotADirectoryError):
        return ArtefactError(f"{wanted}, found a file; name the folder that training wrote")
    if isinstance(error, FileNotFoundError) and (kept := interrupted(path)):
        return ArtefactError(
            f"{wanted}, found that a writer was killed while replacing it; rename {kept} to {path}"
        )
    return ArtefactError(f"{wanted}, found none: {error.strerror}; name the folder that training wrote")


def _check_replaceable(destination: Path) -> None:
    """Refuse to replace a folder that holds anything but an artefact, or is not a folder."""
    if not destination.exists():
        return
    refused = f"{destination}: exists and is not a stancewire artefact"
    advice = "choose another folder, or remove it first"
    try:
        with open_folder(destination) as folder:
            found = set(names_in(folder))
            if not found:
                return
            data = read_file(folder, MANIFEST, str(destination / MANIFEST), at_most=MAX_MANIFEST_BYTES)
        content = loads(data, max_bytes=MAX_MANIFEST_BYTES)
    except (NotADirectoryError, ArtefactError, StrictJsonError) as error:
        raise ArtefactError(f"{refused} ({error}); {advice}") from None
    # A damaged artefact may be replaced; a user's own file beside it must not vanish with it.
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ArtefactError(f"{refused}; {advice}")
    files = content.get("files")
    if extra := sorted(found - {MANIFEST} - set(files if isinstance(files, dict) else ())):
        raise ArtefactError(
            f"{destination}: files beside the artefact would be lost: {listed(extra)}; move them first"
        )


def _copy(staging: Path, building: Path) -> dict[str, FileRef]:
    """Copy every staged file and return what was copied, by name."""
    files: dict[str, FileRef] = {}
    with open_folder(staging) as folder:
        for name in names_in(folder):
            if not is_file_name(name):
                raise ArtefactError(
                    f"{staging}: expected flat lower-case file names, found {listed([name])}; rename it"
                )
            digest = hashlib.sha256()
            descriptor = open_file(folder, name, str(staging / name), at_most=MAX_BYTES)
            write_file(building / name, _hashed_chunks(descriptor, digest))
            files[name] = FileRef(digest.hexdigest(), (building / name).stat().st_size)
    return files


def _read_back(building: Path, staging: Path) -> Artefact:
    """Read what was just written; a fault is reported under the name that it came from."""
    try:
        with open_folder(building) as folder:
            return _read(staging, folder)
    except ArtefactError as error:
        raise ArtefactError(f"{error}; nothing was written") from None


def _hashed_chunks(descriptor: int, digest: hashlib._Hash) -> Iterator[bytes]:
    with os.fdopen(descriptor, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            yield chunk


def _cannot_write(destination: Path, error: OSError | ValueError) -> ArtefactError:
    if not isinstance(error, OSError):
        return ArtefactError(f"{destination}: cannot be written: {error}; choose another folder")
    where = error.filename or destination
    return ArtefactError(
        f"{destination}: cannot be written: {where}: {error.strerror} (errno {error.errno}); "
        "what was there before is untouched; free space or choose another folder"
    )
