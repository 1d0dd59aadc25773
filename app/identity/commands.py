"""`flask tenant …` and `flask user …`: what has to be possible before anybody can sign in, and where there is no mail."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from app.foundation import tenancy
from app.foundation.actor import SYSTEM
from app.foundation.db import unit_of_work
from app.foundation.mail import absolute_url, can_send_mail
from app.foundation.refusals import Refusal
from app.identity.operations.accounts import (
    add_user,
    dismiss_operator,
    end_second_factor,
    found_school,
    name_operator,
    reset_by_hand,
    set_up_token,
)
from app.identity.operations.links import issue_link
from app.identity.queries import find_user_by_email
from app.identity.rules import Purpose, address_problem

tenant_group = AppGroup("tenant", help="Schools.")
user_group = AppGroup("user", help="People.")


@tenant_group.command("create")
@click.argument("slug")
@click.option("--name", required=True, help="What the school is called.")
@click.option("--zone", required=True, help="Its home's time zone: America/Los_Angeles.")
@click.option("--admin", "email", required=True, help="The e-mail of its first admin.")
def create(slug: str, name: str, zone: str, email: str) -> None:
    """Make the school at /SLUG/ and invite its first admin: by mail, or by a link printed here where there is no mail."""
    try:
        with tenancy.tenant_scope(None), unit_of_work():
            school, admin = found_school(slug=slug, name=name, zone=zone, admin_email=email, actor=SYSTEM)
            token = None
            if not can_send_mail():
                with tenancy.tenant_scope(school):
                    token = issue_link(Purpose.INVITATION, user_id=admin.user_id, membership_id=admin.id)
    except Refusal as refusal:
        raise click.ClickException(refusal.sentence) from refusal
    click.echo(f"{name} is at /{slug}/.")
    if token:
        click.echo(f"Its admin comes in by this link, which works once, for 14 days:\n{_invitation(slug, token)}")
    else:
        click.echo(f"An invitation is on its way to {email}.")


@tenant_group.command("set-up-link")
@click.option("--if-empty", is_flag=True, help="Say nothing where there is a school already.")
def set_up_link(if_empty: bool) -> None:
    """Print the one-use address by which the first school of an empty instance is made; the one before is void."""
    with tenancy.tenant_scope(None), unit_of_work():
        token = set_up_token()
    if token:
        click.echo(f"There is no school yet. Make the first one at {absolute_url('identity.set_up_new', token=token)}")
    elif not if_empty:
        raise click.ClickException("There is a school already; make another by `flask tenant create`.")


@user_group.command("password")
@click.argument("email")
def password(email: str) -> None:
    """Print a one-use link by which the person of EMAIL chooses a new password."""
    with tenancy.tenant_scope(None), unit_of_work():
        user = find_user_by_email(email)
        token = reset_by_hand(user) if user else None
    if token is None:
        raise click.ClickException(f"Nobody signs in as {email}.")
    click.echo(f"This link works once, for two hours:\n{_reset(token)}")


@user_group.command("second-factor")
@click.argument("email")
@click.option(
    "--remove", is_flag=True, required=True, help="Take it away; their sessions end and they are told by mail."
)
def second_factor(email: str, remove: bool) -> None:
    """Take the second factor from the person of EMAIL, who lost both phone and recovery codes. Be sure that it is they who ask."""
    with tenancy.tenant_scope(None), unit_of_work():
        user = find_user_by_email(email)
        removed = user is not None and remove and end_second_factor(user)
    if user is None:
        raise click.ClickException(f"Nobody signs in as {email}.")
    click.echo(
        f"{user.email} signs in by the password alone now." if removed else f"{user.email} has no second factor."
    )


@user_group.command("operator")
@click.argument("email")
@click.option("--revoke", is_flag=True, help="They are no operator any more.")
@click.option(
    "--create", is_flag=True, help="Make an account for EMAIL, which belongs to no school, and print its link."
)
def operator(email: str, revoke: bool, create: bool) -> None:
    """Let the person of EMAIL run this Groundschool: open and suspend schools, and act as people with a reason."""
    if revoke and create:
        raise click.UsageError("--revoke and --create do not go together.")
    token, cost = None, current_app.config["SETTINGS"].bcrypt_cost
    with tenancy.tenant_scope(None), unit_of_work():
        user = find_user_by_email(email)
        if user is None and create and not address_problem(email):
            user = add_user(email, password=None, cost=cost)
            token = issue_link(Purpose.RESET_PASSWORD, user_id=user.id)
        changed = user is not None and (dismiss_operator(user) if revoke else name_operator(user))
    if user is None:
        raise click.ClickException(f"Nobody signs in as {email}." if not create else f"{email} is no e-mail address.")
    click.echo(_OPERATOR_WORDS[revoke, changed].format(email=user.email))
    if token:
        click.echo(f"By this link, which works once, they choose a password within two hours:\n{_reset(token)}")


_OPERATOR_WORDS = {
    (False, True): "{email} is an operator now: their pages are at /operator.",
    (False, False): "{email} is an operator already.",
    (True, True): "{email} is no operator any more.",
    (True, False): "{email} was no operator.",
}
"""By whether the flag was to be taken away, and whether that changed anything."""


def _reset(token: str) -> str:
    return absolute_url("identity.reset_new", token=token)


def _invitation(slug: str, token: str) -> str:
    return absolute_url("identity.invitation_new", tenant=slug, token=token)
