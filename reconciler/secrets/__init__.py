"""Secret references to values, and values to ciphertext."""
