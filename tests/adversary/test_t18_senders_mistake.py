"""T18: a sender by mistake exports private keys, seed phrases or personal data. They go nowhere."""

import csv
import json

import pytest
from click.testing import CliRunner

from accord.cli.main import main

KEY = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"
SEED = "legal winner thank year wave sausage worth useful legal winner thank yellow"
HEX_KEY = "0c28fca386c7a227600b2fe50b7cae11ec86d3bf1fbe471be89827e19d72aa1d"
PERSON = "jan.jansen@example.com"
IBAN = "NL91ABNA0417164300"
PHONE = "+31 6 12345678"


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All that a dry run says and writes."""
    folder = tmp_path_factory.mktemp("mistakes")
    export = folder / "export.csv"
    with export.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["wallet", "note"])
        writer.writerow(["1BoatSLRHtKNngkdXEeobR76b53LETtpyT", f"{PERSON} {IBAN} {PHONE}"])
        writer.writerows([secret, "seen"] for secret in (KEY, SEED))
        writer.writerow(["0x52908400098527886e0f7030069857d2e4169ee7", f"key {KEY} {SEED}"])
    done = CliRunner().invoke(
        main,
        [
            *("submit", str(export), "--dry-run", "--json", "--home", str(folder / "home")),
            *(
                "--records",
                str(folder / "records.ndjson"),
                "--refused",
                str(folder / "refused.csv"),
            ),
        ],
    )
    assert json.loads(done.stdout)["totals"]["refused"] == 2, done.output
    found = {str(path): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}
    del found[str(export)]
    assert len(found) >= 2
    return found | {"stdout": done.stdout, "stderr": done.stderr}


@pytest.mark.parametrize("secret", [KEY, SEED, SEED.rpartition(" ")[0]])
def test_a_secret_is_refused_and_never_said_or_written(left: dict[str, str], secret: str) -> None:
    assert [place for place, text in left.items() if secret in text] == []


@pytest.mark.parametrize("fact", [PERSON, IBAN, PHONE])
def test_a_persons_data_in_a_note_is_masked(left: dict[str, str], fact: str) -> None:
    assert [place for place, text in left.items() if fact in text] == []


@pytest.mark.parametrize("secret", [KEY, SEED])
def test_a_checked_secret_is_not_echoed(secret: str) -> None:
    for words in (["check", secret], ["check", secret, "--json"]):
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 1
        assert secret not in done.output
