"""Other descriptions of interfaces, read into documents of this product."""
