"""What bin/run and bin/test are made of: the embedded servers, the supervisor and the steps of a start.

Everything here imports with the standard library alone, because the first start runs before anything is installed.
"""
