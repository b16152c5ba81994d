"""``accord check``: one honest result a line, and no secret on the screen."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from accord.cli.check import BATCH, read_lines
from accord.cli.main import main
from accord.demo import samples

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = Draft202012Validator(json.loads((ROOT / "schemas/cli/check.v1.json").read_text("utf-8")))
BTC = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
WIF = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"
PHRASE = "abandon ability able about above absent absorb abstract absurd abuse access accident"


def run(*args: str, stdin: str | bytes = b"") -> Result:
    return CliRunner().invoke(main, ["check", *args], input=stdin)


def lines(done: Result) -> list[dict[str, object]]:
    results = [json.loads(line) for line in done.stdout.splitlines()]
    for result in results:
        SCHEMA.validate(result)
    return results


def test_a_valid_value_has_kind_network_and_one_form() -> None:
    done = run("hxxps://Evil[.]example/A", "0xdAC17F958D2ee523a2206206994597C13D831ec7", "--json")
    assert done.exit_code == 0
    assert [(r["kind"], r["network"], r["value"]) for r in lines(done)] == [
        ("url", None, "https://evil.example/A"),
        ("wallet", "evm", "0xdac17f958d2ee523a2206206994597c13d831ec7"),
    ]


def test_one_refusal_makes_exit_code_1_and_stops_no_other_value() -> None:
    done = run("example.com", BTC + "x", BTC, "--json")
    assert done.exit_code == 1
    assert [(r["ok"], r["code"]) for r in lines(done)] == [
        (True, None),
        (False, "checksum_wrong"),
        (True, None),
    ]
    assert done.stderr == "3 checked: 2 valid, 1 refused.\n"


def test_lines_of_standard_input_keep_their_order_blank_ones_too() -> None:
    done = run("-", "--json", stdin=f"\ufeff{BTC}\r\n\nexample.com\n \nlast.example".encode())
    assert [(r["input"], r["code"]) for r in lines(done)] == [
        (BTC, None),
        ("", "empty"),
        ("example.com", None),
        (" ", "empty"),
        ("last.example", None),
    ]


def test_an_empty_standard_input_fails_nothing() -> None:
    done = run("-", "--json")
    assert (done.exit_code, done.stdout) == (0, "")


def test_the_network_told_decides() -> None:
    cash = run(BTC, "--network", "bch", "--json")
    assert lines(cash)[0]["value"] == "bitcoincash:qp3wjpa3tjlj042z2wv7hahsldgwhwy0rq9sywjpyy"
    rootstock = "0x5aaEB6053f3e94c9b9a09f33669435E7ef1bEAeD"
    assert lines(run(rootstock, "--json"))[0]["code"] == "checksum_wrong"
    assert lines(run(rootstock, "--network", "eip155:30", "--json"))[0]["network"] == "evm"
    assert lines(run(rootstock, "--network", "eip155:5", "--json"))[0]["code"] == "testnet"


@pytest.mark.parametrize(
    "args", [[], ["-", BTC], [BTC, "-"], [BTC, "--network", "nonsense"], ["--nonsense"]]
)
def test_wrong_usage_is_exit_code_2(args: list[str]) -> None:
    assert run(*args).exit_code == 2


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        (WIF, "private_key"),
        (PHRASE, "seed_phrase"),
        (f"{BTC} ({WIF})", "private_key"),
        ("a1" * 32, "network_needed"),
        ("x " * 5000 + WIF, "too_long"),
    ],
)
@pytest.mark.parametrize("flags", [["--json"], []])
def test_a_secret_is_masked(secret: str, code: str, flags: list[str]) -> None:
    for done in (run(secret, *flags), run("-", *flags, stdin=secret + "\n")):
        assert done.exit_code == 1
        for word in secret.split():
            assert len(word) < 12 or word.strip("()") not in done.output
        assert PHRASE not in done.output
        assert "***" in done.stdout
        assert code in done.stdout


def test_all_lines_of_a_pem_key_are_masked_and_those_after_it_are_not() -> None:
    body = ["MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v", "VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g="]
    pem = ["-----BEGIN PRIVATE KEY-----", *body, "-----END PRIVATE KEY-----"]
    done = run("-", "--json", stdin="\n".join(["first.example", *pem, "after.example"]))
    assert [r["input"] for r in lines(done)] == ["first.example", *["***"] * 4, "after.example"]
    assert not any(line in done.output for line in body)


def test_a_pem_key_without_end_masks_a_limited_number_of_lines() -> None:
    stdin = "-----BEGIN PRIVATE KEY-----\n" + "example.com\n" * 300
    results = lines(run("-", "--json", stdin=stdin))
    assert sum(r["ok"] is True for r in results) == 100


def test_the_human_form_says_what_to_know_and_moves_no_cursor() -> None:
    done = run("rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh tag 7", BTC, "\x1b[2J\u202enonsense")
    assert "memo 7" in done.stdout
    assert "also an address of bch" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "unknown_format" in done.stdout


def test_json_output_is_ascii_safe_for_invalid_bytes() -> None:
    results = lines(run("-", "--json", stdin=b"1\xff\xfe" + BTC.encode() + b"\n\x00\n"))
    assert [r["ok"] for r in results] == [False, False]
    assert "\ufffd" in str(results[0]["input"])


def test_many_lines_are_all_answered() -> None:
    rows = list(samples.generate(BATCH + 5, seed=2))
    done = run("-", "--json", "--quiet", stdin="\n".join(row.value for row in rows))
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(rows)
    for row, result in zip(rows, results, strict=True):
        assert result["ok"] is (row.kind != "transaction")
        assert result["input"] == (row.value if result["ok"] else "***")


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=20)))
def test_lines_arrive_whole_however_they_are_cut(texts: list[str]) -> None:
    data = "".join(text + "\n" for text in texts).encode()

    class Slow(io.BytesIO):
        def read1(self, _size: int | None = -1, /) -> bytes:
            return super().read1(3)

    got = [line for batch in read_lines(Slow(data)) for line in batch]
    assert got == [line.decode() for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:-1]]


def test_an_endless_line_does_not_fill_the_memory() -> None:
    got = [line for batch in read_lines(io.BytesIO(b"x" * 5_000_000 + b"\ny")) for line in batch]
    assert [len(got[0]) < 50_000, got[1]] == [True, "y"]


def test_every_published_secret_is_masked(shared: Path) -> None:
    entries = json.loads((shared / "vectors/addresses/btc.json").read_text("utf-8"))
    secrets = [e["address"] for e in entries if "private" in json.dumps(e).lower()]
    assert secrets
    for flags in ([], ["--network", "btc"]):
        done = run("-", "--json", *flags, stdin="\n".join(secrets))
        assert {r["input"] for r in lines(done)} == {"***"}
        assert not any(secret in done.output for secret in secrets)
