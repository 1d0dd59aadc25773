"""Analytics: what happened, counted per day and school, so that a dashboard reads a few rows and says "as of".

Nouns: Rollup. An hourly job counts; running it twice changes nothing.
"""
