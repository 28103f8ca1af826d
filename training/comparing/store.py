"""MLflow's runs and registry, as far as comparing and promoting need them; opening it creates nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from stancewire.errors import InputError, StancewireError
from stancewire.location import without_password
from stancewire.section import listed
from training.tracking_store import DEFAULT_URI, FAILURES, TrackingError, connect, locked, sqlite_file

CHAMPION = "champion"
ARTEFACT_TAG, FAMILY_TAG = "stancewire.artefact", "stancewire.family"


class MovedError(StancewireError):
    """The champion changed while another version was judged against it."""

    exit_code = 3


@dataclass(frozen=True)
class Version:
    """One version of a registered model.

    Attributes:
        name: of the registered model.
        number: its version.
        run_id: of the run that made it, or "".
        tags: as they were when it was read.
    """

    name: str
    number: int
    run_id: str
    tags: Mapping[str, str]

    @property
    def uri(self) -> str:
        """What `stancewire.load` takes."""
        return f"models:/{self.name}/{self.number}"

    def __str__(self) -> str:
        return f"version {self.number}"


class Store:
    """The tracking server or database of MLFLOW_TRACKING_URI."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._client = MlflowClient()

    @classmethod
    def open(cls) -> Store:
        """Connect to what is there.

        Raises:
            TrackingError: if there is no such database, or the server does not answer.
        """
        uri = os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
        database = sqlite_file(uri)
        if database is not None and not database.is_file():
            raise TrackingError.of(uri, f"there is no database {database}")
        return cls(connect())

    def model_of_run(self, run_id: str) -> str:
        """Return the URI of the one model that a run logged.

        Raises:
            InputError: if there is no such run, or it logged no model, or several.
        """
        with self._asking():
            try:
                run = self._client.get_run(run_id)
            except MlflowException as error:
                if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    raise
                raise InputError(
                    f"wanted the id of a run, there is none {listed([run_id])} in MLflow at "
                    f"{without_password(self._uri)}; "
                    "set MLFLOW_TRACKING_URI, or name a folder"
                ) from None
        outputs = run.outputs.model_outputs if run.outputs else []
        if len(outputs) != 1:
            raise InputError(
                f"run {run_id} ({run.info.status}): wanted a run that logged one model, it logged "
                f"{len(outputs)}; name one as runs:/{run_id}/NAME"
            )
        return f"models:/{outputs[0].model_id}"

    def version(self, name: str, number: int | None, alias: str) -> Version:
        """Return a version by its number, or by an alias where no number is given.

        Raises:
            InputError: if there is none; the text lists what there is.
        """
        versions = self.versions(name)
        if not versions:
            with self._asking():
                names = [model.name for model in self._client.search_registered_models()]
            raise InputError(f"no model is registered as {listed([name])}; there are {listed(names)}")
        wanted = number if number is not None else self._number_at(name, alias)
        found = [version for version in versions if version.number == wanted]
        if not found:
            what = f"alias {alias!r}" if number is None else f"version {number}"
            have = ", ".join(str(version.number) for version in versions)
            raise InputError(f"{name} has no {what}; its versions are {have}; name one with --version")
        return found[0]

    def versions(self, name: str) -> list[Version]:
        """Return every version of a name, the oldest first."""
        with self._asking():
            quoted = name.replace("'", "''")
            found = self._client.search_model_versions(f"name='{quoted}'")
        return sorted(map(_version, found), key=lambda version: version.number)

    def champion(self, name: str) -> Version | None:
        """Return the version that is champion, or None."""
        number = self._number_at(name, CHAMPION)
        return next((version for version in self.versions(name) if version.number == number), None)

    def family_of(self, version: Version) -> str | None:
        """Return the family that the run of a version trained, where the run is still known."""
        if not version.run_id:
            return None
        with self._asking():
            try:
                return self._client.get_run(version.run_id).data.tags.get(FAMILY_TAG)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                return None

    def tag(self, version: Version, tags: Mapping[str, str | None]) -> None:
        """Set tags on a version; None takes one away."""
        with self._asking():
            for key, value in tags.items():
                if value is not None:
                    self._client.set_model_version_tag(version.name, str(version.number), key, value)
                elif key in version.tags:
                    self._client.delete_model_version_tag(version.name, str(version.number), key)

    def promote(self, version: Version, over: Version | None, tags: Mapping[str, str | None]) -> None:
        """Make a version champion, if the champion is still the one that it was judged against.

        In an SQLite database one process at a time does so. A server has no such lock; there the champion is
        looked at again right before, and two moves within that moment leave the later one.

        Raises:
            MovedError: if another version became champion meanwhile; nothing is changed.
        """
        database = sqlite_file(self._uri)
        with locked(database) if database else nullcontext():
            now = self.champion(version.name)
            if (now and now.number) != (over and over.number):
                raise MovedError(
                    f"{version.name}: the champion was {over or 'none'} when {version} was judged and is "
                    f"{now or 'none'} now; nothing was changed: run again, to be judged against that one"
                )
            self.tag(version, tags)
            with self._asking():
                self._client.set_registered_model_alias(version.name, CHAMPION, str(version.number))

    def _number_at(self, name: str, alias: str) -> int | None:
        with self._asking():
            aliases = self._client.get_registered_model(name).aliases
        return int(aliases[alias]) if alias in aliases else None

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turn what MLflow raises into one error of ours."""
        try:
            yield
        except FAILURES as error:
            raise TrackingError.of(self._uri, error) from error


def _version(found: ModelVersion) -> Version:
    return Version(found.name, int(found.version), found.run_id or "", dict(found.tags or {}))
