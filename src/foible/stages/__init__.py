"""The stages of a hunt, each a small file over frozen records: draw, classify, judge, group, describe, confirm, …."""
