"""The page: `autotelic dash RUN...` shows runs in a browser while they go, and after.

    journal ──► RunView.refresh() ──► Story and rows ──► HTML, made here ──► browser
                                                              ▲  "message 812 came" (SSE)

Every view is a URL and one HTML page that the server makes; the browser fetches the page again when a message
comes and replaces the parts that changed. The server reads journals and nothing else, holds no key and writes
nothing. Starlette and uvicorn are imported in `server.py` and `serving.py` alone.
"""
