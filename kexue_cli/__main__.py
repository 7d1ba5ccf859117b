"""``python -m kexue_cli`` is ``kexue``."""

from kexue_cli.main import main

main()
