"""The model of each kind of document."""

from reconciler.models.access import AccessTest, Group, PermissionPolicy
from reconciler.models.common import Document
from reconciler.models.connector import Category, Connector

MODELS: dict[str, type[Document]] = {
    "Category": Category,
    "Connector": Connector,
    "Group": Group,
    "PermissionPolicy": PermissionPolicy,
    "AccessTest": AccessTest,
}
