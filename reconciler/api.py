"""A configuration repository for programs: the same steps as the commands `validate` and `plan`, with models as answers.

It reads. What changes the store is the command line's: `reconciler apply`.
"""

import os
from functools import cached_property
from typing import TypeVar

from reconciler.core.model import Key, Resource
from reconciler.core.ports.source import Desired
from reconciler.core.progress import UNTOLD
from reconciler.diagnostics import has_errors, sorted_diagnostics
from reconciler.errors import InvalidDefinitions, UsageError
from reconciler.kinds.merge import document
from reconciler.kinds.registry import API_VERSION
from reconciler.models.access import AccessTest, Group, PermissionPolicy
from reconciler.models.connector import Category, Connector
from reconciler.models.plan import Plan
from reconciler.models.project import Project
from reconciler.models.validation import ValidationResult
from reconciler.settings import Overrides
from reconciler.version import __version__
from reconciler.wiring.plan import PlanFlags, asked_of, found_in, make, run_of, settings_of
from reconciler.wiring.roots import locate_root
from reconciler.wiring.run import default_actor, load_project, open_source, pipeline_actor

Model = TypeVar("Model", Category, Connector, Group, PermissionPolicy, AccessTest)


class Repository:
    """A configuration repository, in its working tree or at a commit.

    What is read is read once; make another one to see what changed since.
    """

    def __init__(self, path: str | os.PathLike[str] = ".", *, ref: str = "") -> None:
        """Find the repository; nothing of it is read yet.

        Args:
            path: its directory, with reconciler.yaml, connectors/ or policies/.
            ref: a commit, a branch or a tag whose definitions are meant; "" for the working tree.

        Raises:
            UsageError: there is no configuration repository.
        """
        self._ref = ref
        try:
            self._root = locate_root(os.fspath(path))
        except UsageError as failure:  # its hint is about the command line's -C
            raise UsageError(failure.message, hint="check `path`, the directory of the repository") from None
        except ValueError as failure:  # a path with a NUL
            raise UsageError(f"{path!r} is no path", hint="check `path`") from failure
        self._source = open_source(self._root, ref)

    @cached_property
    def _desired(self) -> Desired:
        return self._source.load()

    def validate(self, *, target: str | None = None) -> ValidationResult:
        """Check everything, as `reconciler validate` does; offline, and without any secret.

        Args:
            target: name of one whose live store has to be able to hold all of it; the store is not asked.

        Raises:
            InvalidDefinitions: `target` is given, and the settings are wrong.
            UsageError: `ref` or `target` names nothing.
            SourceUnavailable: git or the file system does not give what was asked for.
        """
        from reconciler.render import diagnostics as render

        desired = self._desired
        found = found_in(self._root, self._source, desired, settings=not self._ref)
        if target is not None:
            from reconciler.wiring.limits import held_against_target

            held = held_against_target(self._root, target, desired.resources, self._source.read, os.environ)
            found = sorted_diagnostics([*found, *held.found])
        checked = render.Checked(len(desired.files), desired.documents, desired.files, __version__)
        return ValidationResult.model_validate_json(render.render("json", found, checked=checked))

    @property
    def settings(self) -> Project:
        """The project file, reconciler.yaml, of the working tree; the defaults where there is none.

        Raises:
            InvalidDefinitions: it is wrong.
        """
        nothing = {"apiVersion": API_VERSION, "kind": "Project"}
        return Project.model_validate(load_project(self._root) or nothing)

    @property
    def categories(self) -> list[Category]:
        """The categories, by name; raises as `connectors` does."""
        return self._all(Category)

    @property
    def connectors(self) -> list[Connector]:
        """The connectors, by name, in their canonical form: defaults are left out.

        Raises:
            InvalidDefinitions: there are errors; `validate` tells them.
            UsageError: `ref` names nothing.
            SourceUnavailable: git or the file system does not give what was asked for.
        """
        return self._all(Connector)

    @property
    def groups(self) -> list[Group]:
        """The groups, by name; raises as `connectors` does."""
        return self._all(Group)

    @property
    def policies(self) -> list[PermissionPolicy]:
        """The permission policies, by name; raises as `connectors` does."""
        return self._all(PermissionPolicy)

    @property
    def access_tests(self) -> list[AccessTest]:
        """The access tests, by name; raises as `connectors` does."""
        return self._all(AccessTest)

    def _all(self, model: type[Model]) -> list[Model]:
        found: list[tuple[Key, Resource]] = sorted(
            (key, resource) for key, resource in _valid(self._desired).resources.items() if key.kind == model.__name__
        )
        return [model.model_validate(document(*key, resource.content.value)) for key, resource in found]

    def plan(
        self, *, target: str | None = None, store: str | None = None, prune: bool = True, adopt: bool = False,
        actor: str | None = None,
    ) -> Plan:  # fmt: skip
        """What would change in the live store, as `reconciler plan` tells; the store is only read.

        Args:
            target: name of one in reconciler.yaml; None for the default one.
            store: URL of a live store instead of the target's.
            prune: whether records that are no longer defined are deleted.
            adopt: whether records of other owners may be taken over.
            actor: whose change it is; None for whom the pipeline or the account names.

        Raises:
            InvalidDefinitions: there are errors, in definitions or settings.
            UsageError: the settings, or `ref`, do not fit.
            SourceUnavailable: git or the file system does not give what was asked for.
            StoreUnavailable: the store cannot be read.
            KeyUnavailable: the key of the store's secrets is missing or another.
        """
        from reconciler.render.plan_formats import plan_json

        settings = settings_of(self._root, Overrides(target=target, store=store), reading=True)
        run = run_of(settings, self._ref, UNTOLD, cached=True)
        named = pipeline_actor(os.environ) if actor is None else actor
        flags = PlanFlags(no_prune=not prune, adopt=adopt)
        asked = asked_of(run, flags, named or default_actor(os.environ), named, remember=False)
        try:
            planned = make(run, asked, lambda: _valid(run.source.load()), lambda _: None)
            return Plan.model_validate_json(plan_json(planned.plan))
        finally:
            run.store.close()


def _valid(desired: Desired) -> Desired:
    """What is desired, where it has no errors.

    Raises:
        InvalidDefinitions: it has.
    """
    if has_errors(list(desired.diagnostics)):
        details = tuple(f"{found.span}: {found.message}" for found in desired.diagnostics)
        raise InvalidDefinitions("the definitions are not valid", hint="see: Repository.validate", details=details)
    return desired
