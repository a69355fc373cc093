"""Training data from Icecore: the order of an epoch, its cursors and its batches."""
