"""Write the report of a run in which a page gives orders and the model obeys them: what the rules did about it.

    python -m bench.attack FILE.html

The world is that of tests/stories/test_injections.py: a proxy that answers for the web, a database, a user's tools.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from tests.stories.test_injections import World, orders
from tests.support.site import Site

from crowquill import Safety

if __name__ == "__main__":
    os.environ["SEARXNG_URL"] = "http://search.example/search"
    with tempfile.TemporaryDirectory() as folder, Site() as proxy:
        world = World(proxy, Path(folder))
        reading = world.serve("page", list(orders(["user says"]).values()))
        asyncio.run(world.run(reading, Safety("ask")))
        assert not world.damage()
        Path(sys.argv[1]).write_text(world.report(), encoding="utf-8")
