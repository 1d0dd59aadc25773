"""What is recorded: changes only, personal data masked, addresses encrypted under keys that can be changed."""

from __future__ import annotations

import base64
import logging
import re
from dataclasses import replace

import pytest
from flask import Flask

from app.audit.models import AuditEntry, PlatformEntry
from app.audit.operations import audit, audit_on_platform
from app.audit.rules import changes, key_ring, spreadsheet_safe
from app.foundation.actor import SYSTEM
from app.foundation.crypto import Unreadable, decrypt, derive_key, encrypt
from app.foundation.db import session
from app.foundation.settings import BadSetting, read_settings
from app.identity.models import Membership, User
from tests.audit.committed import Committed
from tests.cast import ANA, LEO, at_school
from tests.client import LintingClient

KEY_1 = "one:" + base64.b64encode(b"1" * 32).decode()
KEY_2 = "two:" + base64.b64encode(b"2" * 32).decode()


def test_only_what_changed_is_kept_and_personal_data_reads_changed() -> None:
    before, after = changes(
        {"name": "Leo", "zone": "UTC", "phone": None, "people": [{"email": "a@b", "level": 1}]},
        {"name": "Leon", "zone": "UTC", "phone": "123", "people": [{"email": "c@d", "level": 1}]},
    )
    assert before == {"name": "changed", "phone": None, "people": [{"email": "changed", "level": 1}]}
    assert after == {"name": "changed", "phone": "changed", "people": [{"email": "changed", "level": 1}]}
    assert changes({"a": 1}, {"a": 1}) == (None, None)
    with pytest.raises(TypeError):
        changes(None, {"a": object()})


def test_the_demos_trail_names_nobody(app: Flask) -> None:
    """No name, no mail, no phone of anybody, whichever deed wrote it."""
    for slug in ("skyline", "harbour"):
        with at_school(slug):
            told = " ".join(str((entry.before, entry.after)) for entry in session.query(AuditEntry))
            people = session.query(Membership.name).all() + session.query(User.email).all()
            assert told
            assert [word for (word,) in people if word in told] == []


def test_an_address_is_encrypted_for_its_school_and_found_by_its_hash(app: Flask) -> None:
    LintingClient(app).sign_in_by_form(ANA)
    ring = key_ring("", app.config["SETTINGS"].secret_key)
    with at_school("skyline") as skyline:
        entry = session.query(AuditEntry).filter_by(action="session.opened").order_by(AuditEntry.id.desc()).first()
        assert entry is not None
        assert b"127.0.0.1" not in bytes(entry.ip_cipher or b"")
        assert (
            ring.decrypt(bytes(entry.ip_cipher or b""), entry.ip_key_id or "", bound_to=str(skyline.id)) == "127.0.0.1"
        )
        assert bytes(entry.ip_hash or b"") == ring.hash("127.0.0.1", bound_to=str(skyline.id))
        assert ring.hash("127.0.0.1", bound_to="2") != ring.hash("127.0.0.1", bound_to="1")
        with pytest.raises(Unreadable):
            ring.decrypt(bytes(entry.ip_cipher or b""), entry.ip_key_id or "", bound_to="999")


def with_keys(own: Committed, keys: str) -> None:
    own.settings = replace(own.settings, audit_keys=keys)
    own.app.config["SETTINGS"] = own.settings


def keys_in_use(own: Committed) -> set[str]:
    with own.owner.connect() as connection:
        rows = connection.exec_driver_sql(
            "select ip_key_id from audit_entry where ip_key_id is not null"
            " union select ip_key_id from platform_entry where ip_key_id is not null"
        )
        return {key for (key,) in rows}


def addresses(own: Committed) -> set[str]:
    page = LintingClient(own.app).sign_in(ANA).get("/skyline/audit.jsonl?action=session.opened")
    return set(re.findall(r'"address": ("[^"]*"|null)', page.answer.get_data(as_text=True)))


def test_addresses_decrypt_after_rotation_and_the_chain_holds(own: Committed) -> None:
    client = LintingClient(own.app)
    for _ in range(3):
        client.sign_in(ANA)
    with own.app.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.7"}):
        audit_on_platform("session.refused", email="Nobody@Example.org")
        session.commit()
    (old,) = keys_in_use(own)
    assert old.startswith("secret-")
    with_keys(own, KEY_1)
    LintingClient(own.app).sign_in(LEO)
    assert keys_in_use(own) == {old, "one"}
    assert addresses(own) == {'"127.0.0.1"'}
    result = own.run("audit", "rotate-keys", "--batch", "2")
    assert result.exit_code == 0, result.output
    assert re.search(r"^\d+ addresses are now under the key one", result.output)
    assert keys_in_use(own) == {"one"}
    with_keys(own, f"{KEY_2},{KEY_1}")
    assert own.run("audit", "rotate-keys").exit_code == 0
    with_keys(own, KEY_2)
    assert addresses(own) == {'"127.0.0.1"'}
    assert own.run("audit", "verify").exit_code == 0
    assert "0 addresses are now under the key two" in own.run("audit", "rotate-keys").output


def test_a_key_that_was_dropped_too_early_is_named(own: Committed) -> None:
    with_keys(own, KEY_1)
    LintingClient(own.app).sign_in(ANA)
    with_keys(own, KEY_2)
    result = own.run("audit", "rotate-keys")
    assert result.exit_code == 1
    assert "addresses stay under one, which is not in AUDIT_KEYS." in result.output
    assert "null" in addresses(own)


def test_a_failed_sign_in_of_nobody_goes_to_the_platforms_trail(app: Flask) -> None:
    with app.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.7"}, headers={"User-Agent": "Old phone"}):
        audit_on_platform("session.refused", email=" Nobody@Example.ORG ")
        session.flush()
        entry = session.query(PlatformEntry).filter_by(action="session.refused").one()
    ring = key_ring("", app.config["SETTINGS"].secret_key)
    assert bytes(entry.email_hash or b"") == ring.hash("nobody@example.org", bound_to="email")
    assert ring.decrypt(bytes(entry.ip_cipher or b""), entry.ip_key_id or "", bound_to="platform") == "192.0.2.7"
    assert entry.user_agent == "Old phone"
    assert b"nobody" not in repr(vars(entry)).lower().encode()


def test_signing_in_as_nobody_is_recorded(app: Flask) -> None:
    client = LintingClient(app)
    form = client.get("/login").form("/login").fill(email="nobody@example.org", password="not it")
    before = {entry.id for entry in session.query(PlatformEntry)}
    assert form.submit().status == 422
    assert [entry.action for entry in session.query(PlatformEntry) if entry.id not in before] == ["session.refused"]


@pytest.mark.parametrize(
    "keys",
    ["one", "one:xyz", f"{KEY_1},{KEY_1}", "one:" + base64.b64encode(b"short").decode(), f"{'x' * 41}:{KEY_1[4:]}"],
)
def test_keys_that_are_none_stop_the_start(keys: str) -> None:
    given = {"DATABASE_URL": "postgresql://x", "SECRET_KEY": "s", "DEMO": "1", "AUDIT_KEYS": keys}
    with pytest.raises(BadSetting, match="AUDIT_KEYS"):
        read_settings(given)
    assert read_settings({**given, "AUDIT_KEYS": f"{KEY_2}, {KEY_1}"})


def test_a_value_is_read_with_its_own_key_in_its_own_place_only() -> None:
    key, other = derive_key("secret", "a"), derive_key("secret", "b")
    cipher = encrypt(b"x", key, bound_to="1")
    assert decrypt(cipher, key, bound_to="1") == b"x"
    assert cipher != encrypt(b"x", key, bound_to="1")
    for bad in ((cipher, other, "1"), (cipher, key, "2"), (cipher[:-1] + b"\0", key, "1"), (b"", key, "1")):
        with pytest.raises(Unreadable):
            decrypt(bad[0], bad[1], bound_to=bad[2])


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "＝1"])
def test_a_formula_becomes_text(text: str) -> None:
    assert spreadsheet_safe(text) == f"'{text}"
    assert spreadsheet_safe(f"a{text}") == f"a{text}"
    assert spreadsheet_safe("") == ""


def test_the_daily_job_logs_each_schools_head(own: Committed, caplog: pytest.LogCaptureFixture) -> None:
    from jobs.audit import log_heads

    with own.at("skyline"):
        audit("x.done", actor=SYSTEM, subject=object())
    with caplog.at_level(logging.INFO, logger="jobs.audit"):
        log_heads()
    heads = {record.school: record.head for record in caplog.records if record.message == "audit head"}
    assert set(heads) == {"harbour", "skyline"}
    assert own.run("audit", "verify", "--tenant", "skyline", "--head", heads["skyline"]).exit_code == 0
    assert heads["skyline"] in own.run("audit", "verify").output
