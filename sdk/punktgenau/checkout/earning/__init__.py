"""Earning: what a paid order gives to its member, pending until nothing comes back any more; and what is taken back."""
