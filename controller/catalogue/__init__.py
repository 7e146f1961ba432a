"""Facts about AWS that ship with the program: looked up, never fetched. Nothing here calls AWS."""
