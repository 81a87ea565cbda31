"""Names that a kernel's module imports; nothing is called before the double gives its file."""
