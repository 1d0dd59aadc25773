"""Check a file that `flask audit export` wrote: python3 verify_audit.py FILE [SEQ:HASH]. Needs Python 3.9, nothing else.

Each line is a link: its place (seq), the hash of the link before it (previous), its own (hash), and the entry it seals. Its
hash is SHA-256 over the bytes of `previous` followed by the entry as JSON with sorted keys and without spaces, in UTF-8. With
SEQ:HASH, a head that was kept (the school's log has one a day), the chain must also run through it.
"""

import hashlib
import json
import sys


def check(lines, kept_seq, kept_hash):
    """Returns the last link; raises SystemExit with a sentence at the first that is broken."""
    last = None
    for number, line in enumerate(lines, 1):
        link = json.loads(line)
        where = f"line {number}, link {link['seq']}"
        spelled = json.dumps(link["entry"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        expected = hashlib.sha256(bytes.fromhex(link["previous"]) + spelled.encode()).hexdigest()
        if last and (link["seq"] != last["seq"] + 1 or link["previous"] != last["hash"]):
            raise SystemExit(f"BROKEN at {where}: it does not follow link {last['seq']}")
        if not last and link["seq"] == 1 and link["previous"] != "00" * 32:
            raise SystemExit(f"BROKEN at {where}: the first link must follow 32 zero bytes")
        if expected != link["hash"]:
            raise SystemExit(f"BROKEN at {where}: its entry is not the one that was sealed")
        if link["seq"] == kept_seq and link["hash"] != kept_hash:
            raise SystemExit(f"BROKEN at {where}: the head that was kept has another hash")
        last = link
    if kept_seq and (not last or last["seq"] < kept_seq):
        raise SystemExit(f"BROKEN: the file ends before link {kept_seq}, where the head that was kept stands")
    return last


if __name__ == "__main__":
    seq, _, kept = sys.argv[2].partition(":") if len(sys.argv) > 2 else ("0", "", "")
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            end = check(file, int(seq), kept)
    except (ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"BROKEN: the file is not an export: {error!r}") from None
    said = f"The chain holds until link {end['seq']}, hash {end['hash']}" if end else "The file holds no link."
    sys.stdout.write(f"{said}\n")
