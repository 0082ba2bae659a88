"""Real servers for the tests. Each starts when a test first asks for it; `fixtures` lists them."""
