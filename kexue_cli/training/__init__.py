"""What every ``kexue train`` of a network shares, and the training of word vectors."""
