"""The canonical form of a YAML file, reached by moving and trimming the author's own lines.

Nothing is emitted anew. Emitters re-wrap, re-quote and re-space: ruamel.yaml's round trip alters most
files that people wrote. Here PyYAML's marks say where everything stands, a few steps edit the text,
and a step that would alter what the file means is not taken. Before a file is given back, ruamel.yaml,
which shares no code with the parser that the steps rely on, must read the same from it as from the
original.
"""

from reconciler.source.roundtrip.formatting import Formatted, format_document_text

__all__ = ["Formatted", "format_document_text"]
