"""The page: what a researcher opens in a browser. No build step, nothing from other servers."""
