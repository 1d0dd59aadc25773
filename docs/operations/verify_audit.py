"""Check a file of `flask audit export`: python3 verify_audit.py FILE [SEQ:HASH]. Needs Python 3.9, nothing else.

A line is a link: its place (seq), the hash of the link before it (previous), its own (hash), and the entry it seals. The hash is
SHA-256 over the bytes of `previous`, then the entry as JSON: keys sorted, no spaces, UTF-8. SEQ:HASH is a head that was kept.
"""

import hashlib
import json
import sys

kept = sys.argv[2].split(":") if len(sys.argv) > 2 else ("0", "")
seq, end = None, "00" * 32
try:
    with open(sys.argv[1], encoding="utf-8") as file:
        for link in map(json.loads, file):
            spelled = json.dumps(link["entry"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            sealed = hashlib.sha256(bytes.fromhex(link["previous"]) + spelled.encode()).hexdigest()
            begins = not seq and link["seq"] > 1  # an export may begin within the chain
            if not begins and (link["seq"], link["previous"]) != ((seq or 0) + 1, end):
                sys.exit(f"BROKEN at link {link['seq']}: it does not follow {f'link {seq}' if seq else 'nothing'}")
            if sealed != link["hash"]:
                sys.exit(f"BROKEN at link {link['seq']}: its entry is not the one that was sealed")
            seq, end = link["seq"], link["hash"]
            if seq == int(kept[0]) and end != kept[1]:
                sys.exit(f"BROKEN at link {seq}: the head that was kept has another hash")
    if (seq or 0) < int(kept[0]):
        sys.exit(f"BROKEN: the file ends before link {kept[0]}, where the head that was kept stands")
except (ValueError, LookupError, TypeError) as error:
    sys.exit(f"BROKEN: the file is not an export: {error!r}")
sys.stdout.write(f"The chain holds until link {seq}, hash {end}\n" if seq else "The file holds no link.\n")
