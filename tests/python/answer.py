"""Runs a program at a terminal: `answer.py QUESTION=ANSWER… -- PROGRAM…` types each answer once its question stands there."""

import os
import pty
import sys

at = sys.argv.index("--")
pairs = [pair.partition("=")[::2] for pair in sys.argv[1:at]]
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[at + 1], sys.argv[at + 1 :])
said, heard = "", 0
while True:
    try:
        said += os.read(terminal, 65536).decode("utf-8", "replace")
    except OSError:  # The program has ended.
        break
    if pairs and pairs[0][0] in said[heard:]:
        heard = len(said)
        os.write(terminal, (pairs.pop(0)[1] + "\r").encode())
sys.stdout.write(said)
sys.exit(os.WEXITSTATUS(os.waitpid(child, 0)[1]) if not pairs else "never asked: %s" % pairs)
