"""What every task knows about characters; no Keras."""
