"""Pictures of records: what models answered, and what is right, on a page or at a terminal.

A record becomes a Drawing of a few kinds of blocks, by the module of its task (qa, triples, linking, segmentation,
similarity, generation, training); page and terminal draw blocks and know nothing of tasks.
"""
