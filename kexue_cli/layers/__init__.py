"""Keras layers that several networks share, one a file.

Letters: b batch, t positions, d features. Texts are padded on the right; a mask is (b, t, 1), 1 at real positions.
"""
