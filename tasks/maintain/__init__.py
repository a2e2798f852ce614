"""Maintain: what lake and index gather is put in order: clusters told anew, files packed, what is over taken out."""
