"""Who asks: everyone whom the matrix has a column for, seen from the organization `one`."""

from __future__ import annotations

from dataclasses import dataclass

# Inside `one`: people by role, its programs, and keys of the program alpha with one verb each.
# The private memories are about ann; vic is the viewer.
INSIDE = (
    "owner",
    "admin",
    "ann",
    "member",
    "vic",
    "alpha",
    "beta",
    "key_recall",
    "key_remember",
    "key_forget",
)
# Members of `two`; dual belongs to both and names `two`.
FOREIGN = ("other_owner", "other_program", "dual")
# Nobody's members: several belongs to both and names none; a stranger claims `one`.
UNKNOWN = (
    "several",
    "stranger",
    "revoked",
    "revoked_key",
    "expired_key",
    "no_claims",
    "malformed",
)
OUTSIDE = (*FOREIGN, *UNKNOWN, "not_json", "anon", "service_role")
NAMES = (*INSIDE, *OUTSIDE)

MEANING = {
    "owner": "owner of the organization",
    "admin": "admin of it",
    "ann": "member, whom the private memories are about",
    "member": "another member",
    "vic": "viewer, whom one memory is about",
    "alpha": "program that holds most of the memories",
    "beta": "another program of the organization",
    "key_recall": "API key of alpha with the one verb recall",
    "key_remember": "API key of alpha with the one verb remember",
    "key_forget": "API key of alpha with the one verb forget",
    "other_owner": "owner of another organization",
    "other_program": "program of another organization, of the same name",
    "dual": "member of both, whose claims name the other one",
    "several": "member of both, whose claims name none (but in user_metadata)",
    "stranger": "no membership, claims the organization",
    "revoked": "membership revoked, claims the organization",
    "revoked_key": "API key of alpha that was revoked",
    "expired_key": "API key of alpha that has expired",
    "no_claims": "role authenticated, no claims",
    "malformed": "claims of a wrong shape, each of nine",
    "not_json": "claims that are no JSON",
    "anon": "role anon, with the owner's claims",
    "service_role": "role service_role, no claims",
}


@dataclass(frozen=True)
class Principal:
    """A database role and the settings of `request.jwt.claims` that it is tried with, each."""

    name: str
    role: str
    claims: tuple[str, ...]
