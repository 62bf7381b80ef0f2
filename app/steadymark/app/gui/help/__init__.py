"""The manual, the glossary, how to cite, and what the program is made of."""
