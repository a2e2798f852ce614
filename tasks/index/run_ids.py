"""What the ids of runs begin with that change what is stored. Such a run lets no other of its kind work beside it. Pure."""

REPLAY, MEND, BACKFILL = "replay-", "mend-", "backfill-"
