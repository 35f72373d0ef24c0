"""Ready operations for the libraries that datasets live in.

================================  ==================================================================================
:mod:`.paddlemix`                 ``iqa_brisque``, ``iqa_arniqa``, ``tag_brisque``, ``tag_arniqa``, ``ensemble``
:mod:`.huggingface`               functions for ``Dataset.map(batched=True)`` and ``Dataset.filter(batched=True)``
:mod:`.pytorch`                   scores of a ``Dataset``, and the ``Subset`` that passes
:mod:`.webdataset`                functions for ``WebDataset.map``, ``.select`` and ``.compose``
:mod:`.pandas`, :mod:`.dask`      scores as new columns
:mod:`.spark`                     functions for ``DataFrame.mapInPandas`` and ``RDD.pipe``
================================  ==================================================================================

None of these libraries is imported before it is needed. What the functions need to score is started once in each process that calls them, also in
those of ``num_proc``, of a ``DataLoader`` or of a cluster, and ends with it or with :func:`close`.
"""

from ..scorer import close_shared as close

__all__ = ["close"]
