"""Why a confirmed finding fails: which of its words carry it."""
