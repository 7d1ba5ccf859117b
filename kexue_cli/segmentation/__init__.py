"""Word discovery and segmentation by minimum entropy.

Articles: https://kexue.fm/archives/5476 (minimum entropy), 6920 and 4256 (word discovery).
"""
