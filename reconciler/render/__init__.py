"""Records to text, JSON, Markdown and the formats of other tools. Prints nothing, decides nothing."""
