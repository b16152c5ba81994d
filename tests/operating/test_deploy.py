"""The set-up files: units that are hardened, a container that is not root, a proxy that breaks no signature."""

import datetime as dt
import re
import secrets
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.docs.pages import ROOT
from tests.support.hub_world import World
from waitress.server import create_server

from accord.hub.app import make_hub
from accord.kernel.markings import OrgKind
from accord.protocol.paths import BUNDLE_TYPE

DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*/*.service"))
ANALYZE = shutil.which("systemd-analyze")
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


def test_each_program_has_its_unit() -> None:
    assert [path.parent.name for path in UNITS] == ["desk", "hub", "witness"]


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_holds_and_exposes_little(unit: Path) -> None:
    assert ANALYZE is not None
    done = subprocess.run([ANALYZE, "verify", unit], capture_output=True, text=True, check=False)
    # The program is not where the unit has it; nothing else may be wrong.
    told = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    assert [line for line in told if unit.name in line] == []
    words = [ANALYZE, "security", "--offline=true", "--threshold=20", str(unit)]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_does_not_start_again_what_refused(unit: Path) -> None:
    text = unit.read_text("utf-8")
    assert "RestartPreventExitStatus=1 2 3 4" in text
    assert f"accord {unit.parent.name} serve" in text
    assert "LoadCredential=passphrase:" in text


def test_the_container_is_not_root_and_copies_what_is_there() -> None:
    text = (DEPLOY / "hub" / "Containerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "VOLUME", "EXPOSE", "STOPSIGNAL"}
    known |= {"HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert {line.split()[0] for line in lines} <= known
    last = lines[max(at for at, line in enumerate(lines) if line.startswith("FROM ")) :]
    (user,) = [line.split()[1] for line in last if line.startswith("USER ")]
    assert int(user) > 0
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            assert all((ROOT / source).exists() for source in line.split()[1:-1]), line
    assert "--require-hashes" in text


def directives(path: Path) -> list[tuple[str, ...]]:
    """Return the lines of a Caddyfile with the words of the blocks around each."""
    found, around = [], []
    for line in path.read_text("utf-8").splitlines():
        words = line.split("#")[0].split()
        if words == ["}"]:
            around.pop()
        elif words and words[-1] == "{":
            around.append(" ".join(words[:-1]))
        elif words:
            found.append((*around, " ".join(words)))
    assert not around, "every block ends"
    return found


def test_the_caddyfiles_pass_requests_on_as_they_came_and_keep_metrics_inside() -> None:
    hub = directives(DEPLOY / "hub" / "Caddyfile")
    proxy = "reverse_proxy 127.0.0.1:8600"
    assert ("hub.example", "request_body", "max_size 280MB") in hub
    assert ("hub.example", "@inside path /metrics") in hub
    assert ("hub.example", "respond @inside 404") in hub
    inside = [line[2:] for line in hub if line[1] == proxy]
    assert ("request_buffers 4MB",) in inside, "slow clients wait at the proxy"
    assert ("transport http", "response_header_timeout 60s") in inside
    witness = directives(DEPLOY / "witness" / "Caddyfile")
    assert ("witness.example", "reverse_proxy 127.0.0.1:8473") in witness
    # Whatever would change path, query, host or body breaks the signature over them.
    changing = {"header_up", "rewrite", "uri", "handle_path", "encode", "redir", "tls"}
    for line in hub + witness:
        assert not changing & {words.split()[0] for words in line}, line


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub.test")])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=9000))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def proxied(world: World, tmp_path: Path) -> Iterator[tuple[World, httpx2.Client, str]]:
    """The world's hub under waitress, behind a real nginx with our example as its settings."""
    if NGINX is None:
        pytest.skip("nginx is not here: the example is not tried")
    port = free_port()
    authority = f"127.0.0.1:{port}"
    world.services = replace(
        world.services,
        config=replace(world.config, authorities=(authority,), https=True),
    )
    app = make_hub(world.services, secret_key=secrets.token_bytes(32), port=1)
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    loop = threading.Thread(target=server.run, daemon=True)
    loop.start()
    certificate, key = self_signed(tmp_path)
    text = (DEPLOY / "hub" / "nginx.conf").read_text("utf-8")
    for old, new in (
        ("127.0.0.1:8600", f"127.0.0.1:{server.effective_port}"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/hub.example.pem", str(certificate)),
        ("/etc/ssl/private/hub.example.key", str(key)),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "site.conf").write_text(text)
    temporary = "".join(
        f"{name}_temp_path {tmp_path / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"daemon off;\npid {tmp_path / 'pid'};\nerror_log {tmp_path / 'errors'};\n"
        f"user {'root' if Path('/root').owner() else 'nobody'};\n"
        "events {}\n"
        f"http {{ access_log off;\n{temporary} include {tmp_path / 'site.conf'}; }}\n"
    )
    words = [NGINX, "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "errors")]
    tried = subprocess.run([*words, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    context = ssl.create_default_context(cafile=str(certificate))
    client = httpx2.Client(base_url=f"https://{authority}", verify=context, trust_env=False)
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(client)
            yield world, client, authority
        finally:
            client.close()
            process.terminate()
            process.wait(10)
            server.close()
            loop.join(5)


def _wait_for(client: httpx2.Client) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            client.get("/healthz")
        except httpx2.ConnectError:
            assert time.monotonic() < end, "nginx does not answer"
            time.sleep(0.05)
        else:
            return


def test_signed_requests_pass_the_proxy_as_they_are(
    proxied: tuple[World, httpx2.Client, str],
) -> None:
    world, client, authority = proxied
    bank = world.enrol("first-bank", OrgKind.FINANCIAL)
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    values = [f"shop{secrets.token_hex(20)}.evil-example.org" for _ in range(2000)]
    bundle_id, raw = bank.seal(police, values=values)
    path = f"/v1/bundles/{bundle_id}"
    headers = bank.headers("PUT", path, body=raw, content_type=BUNDLE_TYPE, authority=authority)
    assert client.put(path, content=raw, headers=headers).status_code == 202
    query = "after=0&limit=10"
    headers = police.headers("GET", "/v1/feed", query=query, authority=authority)
    page = client.get(f"/v1/feed?{query}", headers=headers)
    assert [item["bundle"] for item in page.json()["items"]] == [bundle_id]
    wrong = police.headers("GET", "/v1/feed", query=query, authority="hub.other")
    refused = client.get(f"/v1/feed?{query}", headers=wrong)
    assert refused.status_code in {400, 401}
    spelled = bank.headers("GET", path, authority=authority)
    assert client.get(f"/v1//bundles/{bundle_id}", headers=spelled).status_code in {308, 401, 404}
    assert client.get("/metrics").status_code == 404
    assert re.search("nginx/", client.get("/healthz").headers.get("Server", "")) is None
    answers = [client.get("/sign-in").status_code for _ in range(15)]
    assert answers[0] == 200
    assert 429 in answers
