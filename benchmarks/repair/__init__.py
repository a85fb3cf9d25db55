"""How many broken snippets and statements run after one repair by a program that reads only the error's own fields."""
