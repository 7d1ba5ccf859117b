"""CMeIE, the relations of medical texts in CBLUE: DuIE's form, with "Combined" in each triple.

"Combined" says that a triple's subject and object come from several sentences, and is left out. The object's only slot
is "@value". A predicate may have several pairs of types, so that those of a triple matter.
"""

import re

from kexue_cli.datasets import duie

FIELD = re.compile(r'"Combined"\s*:')

convert = duie.convert


def looks_like(head: str) -> bool:
    """Say whether a file that begins so may be CMeIE."""
    return duie.looks_like(head) and FIELD.search(head) is not None
