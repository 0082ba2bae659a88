"""Groups, permission policies and access tests; and the model of each kind of document."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, StrictBool, Tag, model_validator

from reconciler.models.common import (
    Description,
    DisplayName,
    Distinct,
    Document,
    Labels,
    Lifecycle,
    Model,
    Name,
    Names,
    User,
    Whole,
    text,
)
from reconciler.models.connector import Category, Connector


class Members(Model):
    """Who belongs to a group, directly."""

    mode: Literal["authoritative", "additive"]
    users: Annotated[list[User], Field(max_length=10000), Distinct] = []
    groups: Annotated[Names, Field(max_length=1000)] = []


class GroupSpec(Model):
    """What a group is called and who belongs to it."""

    display_name: DisplayName
    description: Description = ""
    members: Members | None = None
    lifecycle: Lifecycle = Lifecycle()


class Group(Document):
    """A set of user accounts and of other groups."""

    kind: Literal["Group"]
    spec: GroupSpec


class GroupSubject(Model):
    """The members of a group."""

    group: Name


class UserSubject(Model):
    """One user account."""

    user: User


def _subject_kind(value: Any) -> str:
    found = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    return "group" if "group" in found else "user"


Subject = Annotated[
    Annotated[GroupSubject, Tag("group")] | Annotated[UserSubject, Tag("user")], Discriminator(_subject_kind)
]
Permission = Literal[
    "connectors:view", "connectors:create", "connectors:edit", "connectors:delete", "connectors:call",
    "categories:view", "categories:create", "categories:edit", "categories:delete",
    "groups:view", "groups:create", "groups:edit", "groups:delete",
    "policies:view", "policies:create", "policies:edit", "policies:delete",
]  # fmt: skip


_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"


class Scope(Model):
    """Narrows a grant: the resource must match everything given here."""

    connectors: Annotated[Names, Field(min_length=1, max_length=100)] = []
    categories: Annotated[Names, Field(min_length=1, max_length=100)] = []
    labels: Annotated[Labels, Field(min_length=1)] = {}

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("give connectors, categories or labels")
        return self


class Grant(Model):
    """Permissions, where they hold and until when."""

    permissions: Annotated[list[Permission], Field(min_length=1), Distinct]
    on: Scope | None = None
    expires: Annotated[str, text(pattern=_MOMENT)] | None = None


class PermissionPolicySpec(Model):
    """Who is granted what."""

    description: Description = ""
    subjects: Annotated[list[Subject], Field(min_length=1, max_length=1000), Distinct]
    super_admin: StrictBool = False
    grants: Annotated[list[Grant], Field(max_length=200)] = []
    lifecycle: Lifecycle = Lifecycle()


class PermissionPolicy(Document):
    """What groups and users may do."""

    kind: Literal["PermissionPolicy"]
    spec: PermissionPolicySpec


class Expectation(Model):
    """What access has to be like; `kinds.access_test.rules` says which keys go together."""

    user: User | None = None
    group: Name | None = None
    can: Permission | None = None
    cannot: Permission | None = None
    at_most: Annotated[Whole, Field(ge=0, le=1_000_000)] | None = None
    separation_of_duty: Annotated[list[Permission], Field(min_length=2, max_length=17), Distinct] | None = None
    except_: Annotated[list[User], Field(min_length=1, max_length=1000), Distinct] | None = Field(None, alias="except")
    on: (
        Annotated[str, text(pattern=r"^(connector|category|group|policy)/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")] | None
    ) = None
    at: Annotated[str, text(pattern=_MOMENT)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _something(cls, value: Any) -> Any:
        if value == {}:
            raise ValueError("nothing is expected")
        return value


class AccessTestSpec(Model):
    """What is expected."""

    description: Description = ""
    expect: Annotated[list[Expectation], Field(min_length=1, max_length=1000)]
    lifecycle: Lifecycle = Lifecycle()


class AccessTest(Document):
    """What policies have to give and must not give."""

    kind: Literal["AccessTest"]
    spec: AccessTestSpec


MODELS: dict[str, type[Document]] = {
    "Category": Category,
    "Connector": Connector,
    "Group": Group,
    "PermissionPolicy": PermissionPolicy,
    "AccessTest": AccessTest,
}
