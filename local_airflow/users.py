"""Users to run programs as: some servers refuse to run as root."""

from __future__ import annotations

import os
import pwd
from typing import Any


def unprivileged_user(*names: str) -> pwd.struct_passwd | None:
    """
    Return the user to run a server as; None for the current one, unless that is root.

    :param names: users to prefer; else it is nobody
    """
    if os.geteuid():
        return None
    known = {user.pw_name: user for user in pwd.getpwall()}
    return next(known[name] for name in (*names, "nobody") if name in known)


def identity(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Return the arguments by which ``subprocess`` runs a program as another user; none for the current one."""
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
