"""A question about access, and its answers."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from reconciler.core.access import Access, Decision, Target, decide
from reconciler.core.lookalike import alike, odd_characters
from reconciler.core.model import Key


class Question(Struct, frozen=True):
    """What is asked about.

    Attributes:
        key: None for anything of the permission's area: only a grant that is not narrowed gives that.
        moment: RFC 3339.
    """

    access: Access
    permission: str
    key: Key | None
    target: Target
    moment: str

    def about(self, actor: str) -> Decision:
        """Whether somebody may."""
        return decide(self.access, actor, self.permission, self.target, datetime.fromisoformat(self.moment))

    def everybody(self) -> Iterator[tuple[str, Decision]]:
        """Who may, by name."""
        for user in sorted(self.access.users()):
            decision = self.about(user)
            if decision.allowed:
                yield user, decision

    def stranger(self, actor: str) -> str:
        """That nobody knows the actor, with whom it looks like; "" for somebody who is known."""
        known = self.access.users()
        if actor in known:
            return ""
        odd, other = odd_characters(actor), alike(actor, known)
        strange = f", which holds {odd}" if odd else ""
        near = f"; it looks like '{other}', which is another name" if other else ""
        return f"no policy and no group names '{actor}'{strange}{near}"
