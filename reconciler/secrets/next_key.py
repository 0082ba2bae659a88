"""The key that a store is to change to."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from reconciler.core.care import KeyMove
from reconciler.core.ports.source import Sealer
from reconciler.core.secret import Secret
from reconciler.errors import KeyUnavailable, UsageError
from reconciler.secrets import keys
from reconciler.secrets.sealing import AesSealer, sealer_of


class NewKey(Struct, frozen=True):
    """A key, and the place where the one before it is."""

    place: keys.KeyPlace
    key: Secret
    sealer: Sealer

    def draft(self) -> None:
        """Write it beside the key file; what a variable holds nobody but the user can change.

        Raises:
            KeyUnavailable: it cannot be written.
        """
        if self.place.file is not None:
            keys.draft_key(self.place, self.key, self.sealer.key_check())

    def put_in_place(self, old_check: str) -> KeyMove:
        """Replace the key file.

        Args:
            old_check: key check of the key before.
        """
        if self.place.file is None:
            return KeyMove(keys.KEY_VARIABLE, in_file=False)
        check, old = self.sealer.key_check(), self.place.beside(old_check, "old")
        try:
            there = AesSealer(keys.read_key(self.place.file)).key_check()  # of another store's, where they share a file
            if there != check:  # else another process has done it
                keys.put_in_place(self.place, check, there)
        except (OSError, KeyUnavailable) as failure:
            return KeyMove(str(self.place.beside(check, "new")), in_file=True, problem=str(failure))
        return KeyMove(str(self.place.file), in_file=True, old=str(old) if old.exists() else "")


def make_next_key(environment: Mapping[str, str], key_file: Path | None, embedded_key: Path | None) -> NewKey:
    """The key in `RECONCILER_NEW_STORE_KEY`; where the present one is in a file, else a random one. Nothing is written.

    Raises:
        UsageError: there is none.
        KeyUnavailable: it is too short, or no text.
    """
    place = keys.find_place(environment, key_file, embedded_key)
    if environment.get(keys.NEW_KEY_VARIABLE):
        key = keys.key_in_variable(environment, keys.NEW_KEY_VARIABLE)
    elif place.file is None:
        raise UsageError(
            f"the store's key is in {keys.KEY_VARIABLE}, so the new one has to be given in {keys.NEW_KEY_VARIABLE}",
            hint=keys.RANDOM_HINT,
        )
    else:
        key = keys.random_key()
    return NewKey(place, key, sealer_of(key, keys.NEW_KEY_VARIABLE))
