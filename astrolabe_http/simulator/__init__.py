"""A provider that speaks OpenRouter's API, or OpenAI's alone, over real HTTP and fails on demand.

`create_simulator(models, settings)` is the ASGI app, `RunningSimulator` the same on a port of its
own. Answers, token counts and prices are a function of the request. docs/simulator.md describes it
all.
"""

from astrolabe_http.simulator.app import create_simulator
from astrolabe_http.simulator.models import PriceOverride, SimulatedModel
from astrolabe_http.simulator.server import RunningSimulator, serve
from astrolabe_http.simulator.settings import SimulatorSettings

__all__ = [
    "PriceOverride",
    "RunningSimulator",
    "SimulatedModel",
    "SimulatorSettings",
    "create_simulator",
    "serve",
]
