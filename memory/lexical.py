"""Full-text search with English and Russian stemming: the only module that knows tantivy.

A query is plain words, never a query language, so no query can be malformed. Writing takes the lock of the
directory until `commit`; reading does not.
"""

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from crowquill.errors import StorageError
from crowquill.memory.owned import own_folder
from crowquill.memory.words import STOP_WORDS

if TYPE_CHECKING:
    import tantivy

TITLE_BOOST = 2.0
"""Weight of a word that stands in the title, relative to one in the body."""

_ANALYZER = "words"
_TOKEN = r"\d+(?:[.,]\d+)*|\w+(?:\+\+|#)?"  # noqa: S105 - "3.14", "C++" and "C#" stay what they are
_HEAP = 20_000_000  # bytes; tantivy's least is 15 MB


class LexicalIndex:
    """Documents of id, title and body, ranked by BM25; in memory, or in a directory of its own."""

    def __init__(self, directory: Path | None = None) -> None:
        """Open or make the index.

        Raises:
            StorageError: the directory holds something else or cannot be written; it can be rebuilt.
        """
        import tantivy  # not at start-up

        builder = tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw")
        builder.add_text_field("title", tokenizer_name=_ANALYZER)
        builder.add_text_field("body", tokenizer_name=_ANALYZER)
        self._schema = builder.build()
        self._where = "memory" if directory is None else str(directory)
        try:
            if directory is None:
                self._index = tantivy.Index(self._schema)
            else:
                own_folder(directory)
                self._index = tantivy.Index(self._schema, str(directory))
        except (ValueError, OSError) as error:
            raise StorageError(f"cannot open the text index in {self._where}: {error}") from error
        self._analyzer = (
            tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(_TOKEN))
            .filter(tantivy.Filter.lowercase())
            .filter(tantivy.Filter.remove_long(80))
            .filter(tantivy.Filter.stemmer("english"))
            .filter(tantivy.Filter.stemmer("russian"))
            .build()
        )
        self._index.register_tokenizer(_ANALYZER, self._analyzer)  # an index on disk does not remember it
        self._writer: tantivy.IndexWriter | None = None

    def __len__(self) -> int:
        return self._index.searcher().num_docs

    def add(self, id_: str, *, title: str = "", body: str) -> None:
        """Add a document, in place of one with the same id; seen by searches after `commit`.

        Raises:
            StorageError: another process is writing.
        """
        import tantivy

        writer = self._writing()
        writer.delete_documents_by_term("id", id_)
        document = tantivy.Document()
        document.add_text("id", id_)
        document.add_text("title", title)
        document.add_text("body", body)
        writer.add_document(document)

    def delete(self, id_: str) -> None:
        """Take a document out; one that is not there is no error. Raises StorageError as `add`."""
        self._writing().delete_documents_by_term("id", id_)

    def commit(self) -> None:
        """Make the changes durable and visible, and let other processes write."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        try:
            writer.commit()
            writer.wait_merging_threads()
        except (ValueError, OSError) as error:
            raise StorageError(f"cannot write the text index in {self._where}: {error}") from error
        self._index.reload()

    def ids(self) -> list[str]:
        """Return the ids of all documents."""
        import tantivy

        searcher = self._index.searcher()
        found = searcher.search(tantivy.Query.all_query(), max(1, searcher.num_docs))
        return [str(searcher.doc(address).get_first("id")) for _, address in found.hits]

    def words(self, text: str) -> list[str]:
        """Return the stems under which `text` is found, in order, with repetitions."""
        return self._analyzer.analyze(text)

    def search(self, query: str, limit: int) -> list[tuple[str, float]]:
        """Return (id, BM25 score) of the best documents, best first, for any of the query's words."""
        import tantivy

        parts: list[tuple[tantivy.Occur, tantivy.Query]] = []
        for word in dict.fromkeys(self.meaningful(query)):
            title = tantivy.Query.term_query(self._schema, "title", word)
            body = tantivy.Query.term_query(self._schema, "body", word)
            parts.append((tantivy.Occur.Should, tantivy.Query.boost_query(title, TITLE_BOOST)))
            parts.append((tantivy.Occur.Should, body))
        if not parts or limit < 1:
            return []
        searcher = self._index.searcher()
        found = searcher.search(tantivy.Query.boolean_query(parts), limit)
        return [(str(searcher.doc(address).get_first("id")), float(score)) for score, address in found.hits]

    def rarity(self, word: str) -> float:
        """Return the inverse document frequency of a stem, as in BM25: above 0, the higher the rarer."""
        searcher = self._index.searcher()
        held = max(searcher.doc_freq("body", word), searcher.doc_freq("title", word))
        return math.log(1 + (searcher.num_docs - held + 0.5) / (held + 0.5))

    def meaningful(self, query: str) -> list[str]:
        """Return the stems of a query without those of stop words, unless there are no others."""
        kept = " ".join(word for word in re.findall(r"\S+", query) if _bare(word) not in STOP_WORDS)
        return self.words(kept if kept else query)

    def _writing(self) -> "tantivy.IndexWriter":
        if self._writer is None:
            try:
                self._writer = self._index.writer(_HEAP, 1)
            except (ValueError, OSError) as error:
                raise StorageError(f"another process is writing the text index in {self._where}") from error
        return self._writer


def _bare(word: str) -> str:
    return re.sub(r"\W+\Z|\A\W+", "", word).lower()
