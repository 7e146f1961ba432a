"""The AWS CLI, many commands in one process: starting it costs more than what it does.

Reads a command's arguments as a JSON list from each line of standard input, and answers with a JSON list of the exit
status, what went to standard output, and what went to standard error.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]


def main() -> None:
    for line in sys.stdin:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = create_clidriver().main(json.loads(line))
            except SystemExit as left:  # arguments that are none
                status = left.code
        print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)


if __name__ == "__main__":
    main()
