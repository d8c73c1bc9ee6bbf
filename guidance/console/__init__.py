"""The local web page of a treatment: served, guarded, paired."""
