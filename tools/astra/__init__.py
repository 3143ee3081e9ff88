"""The image backbone that Merlin published, a 3D ResNet-152: read, and written as a SavedModel.

Nothing here needs PyTorch, and nothing in a checkpoint is ever run.
"""
