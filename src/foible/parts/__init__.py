"""Who is asked: what each kind of part can do, where parts come from, how they are asked and checked."""
