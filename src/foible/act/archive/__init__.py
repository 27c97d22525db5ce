"""What is done with an archive as a whole: told of, checked, copied, freed of what nobody needs."""
