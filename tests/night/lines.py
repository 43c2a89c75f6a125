"""The lines that the stories are told on: one each, with people of its own."""

from tests.night.owners_file import OwnersFile

FILE = OwnersFile()
MAIN = FILE.line("main", [["ana"], ["ben"], ["cleo"], ["dee"], ["eli"]], wait_s=4)
SMS = FILE.line("sms", [["ana"], ["ben"]], wait_s=20)
LINK = FILE.line("link", [["ana"], ["ben"]], wait_s=20)
ALERT = FILE.line("alert", [["ana"], ["ben"]], wait_s=20)
GONE = FILE.line("gone", [["ana"], ["ben"]], wait_s=4)
MESSAGE = FILE.line("message", [["ana"]])
SILENT = FILE.line("silent", [["ana"]], more={"menu": {"prompt_wait_s": 1}})
RUDE = FILE.line("rude", [["ana"]], more={"menu": {"prompt_wait_s": 1, "silence": "abandon"}})
FORGED = FILE.line("forged", [["ana"]])
REFUSED = FILE.line("refused", [["ana"], ["ben"]], wait_s=6, push=False)
TWO = FILE.line("two", [["ana"], ["ben"]], wait_s=6)
DOWN = FILE.line("down", [["ana"], ["ben"]])
SPOOL = FILE.line("spool", [["ana"], ["ben"]], wait_s=60)
STATIC = FILE.line("static", [["ana"], ["ben"]])
FAULTS = [FILE.line(f"faults{seed}", [["ana"], ["ben"]], wait_s=6) for seed in range(3)]
