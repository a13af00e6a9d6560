"""The Data Sharing Agreement: the document, what is wrong with a file of it, and what it comes to for one recipient."""
