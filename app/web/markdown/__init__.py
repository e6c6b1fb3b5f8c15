"""Markdown of models and of errors, made safe before a browser renders it.

The panel renders what it gets as Markdown. Rendered, an image loads by being shown and a link
leads away by a click; either can carry what a trace holds to a stranger, and the model may have
been talked into writing it by the trace itself. The panel is not ours to change, so the text is
changed before it is sent: `filter.MarkdownFilter` shows everything that was written, but nothing of
it loads, and it links only to what `AllowedLinks` allows.

What is allowed
    Pages of Opik's UI (not its API, and not this service, which are served beside it), URLs that
    stood in the user's own question, and the spans and traces that are cited. `ui_urls.TurnLinks`
    follows the events of a conversation and knows what this is right now.

How a text is changed
    Nothing is taken away. What may begin an image, raw HTML, a link, a definition of a link or a
    character reference is broken by a zero-width space (`BREAK`), which every parser sees and no
    reader does: `!` before `[`, `<` before a letter, `]` before `:`, `@` within an address, and
    `##` before `>`, a heading that the panel shows closed with all that follows inside. The
    destination of a foreign link is set apart (`[x] (...)`), a bare foreign URL becomes code.
    A citation becomes a link of our own whose text is the name with every character of punctuation
    escaped; one that names nothing known vanishes.

What stays as it is
    Code, since parsers show it as it is: fenced code (`code_blocks.CodeBlocks`, line by line) and
    code within a line (`inline_code`). But parsers differ: about where a list item ends, what a
    tab is worth, which backticks belong together. Only what is code by every reading is left
    alone. From the first place on where readings differ, the more dangerous one is assumed, so that
    at worst a harmless text shows a URL as code or an invisible space.

Text that comes in pieces
    A reply is filtered while it streams. A character is held back as long as what follows it may
    change what it means, some 600 characters at most, and any split gives the same whole. In the
    filter's buffer a citation has the place of one character; its position distinguishes it from a
    character of the text. A frame never ends within a piece of code
    or a URL (`split_unbreakable`): half of it would not be code, and the panel may lose the frame
    with the other half. What is too long for a frame is broken.

How this is tested
    `tests/web/test_markdown.py` has a table of attacks and a table of ordinary answers. A real
    parser judges what an image, HTML or a link is, in whole texts, at every split, and in random
    mixtures of both tables.
"""
