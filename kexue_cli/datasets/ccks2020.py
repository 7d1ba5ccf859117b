"""CCKS2020 task 3, entity linking of short texts: CCKS2019's form, where NIL is written with a type, as in NIL_Work.

Texts of which none begins with such a mention are taken for CCKS2019 and read in the same way.
"""

import re

from kexue_cli.datasets import ccks2019

TYPED_NIL = re.compile(r'"kb_id"\s*:\s*"NIL_')

convert = ccks2019.convert


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be CCKS2020."""
    return ccks2019.looks_like(head) and TYPED_NIL.search(head) is not None
