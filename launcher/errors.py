"""The one error of the launcher."""


class LauncherError(Exception):
    """A start cannot go on. The message is one sentence for the person at the terminal, with the remedy in it."""
