"""Secrets that are none, put together only when a test runs, so that no scanner takes this repository for a leak."""

from __future__ import annotations

import base64
import random
import string

__all__ = [
    "BASE_64",
    "HEX",
    "INNOCENT_FILES",
    "REAL_FILES",
    "TOKENS",
    "aws_secret",
    "chance",
    "github",
    "key_body",
    "private_key",
    "wrapped",
]

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
BASE_64 = LETTERS + "+/"


def chance(size: int, seed: int, alphabet: str = LETTERS) -> str:
    """``size`` characters by chance, the same ones for the same seed."""
    chooser = random.Random(seed)
    return "".join(chooser.choice(alphabet) for _ in range(size))


def github(seed: int = 1) -> str:
    return "ghp_" + chance(36, seed)


def aws_id(seed: int = 1) -> str:
    return "AKIA" + chance(16, seed, string.ascii_uppercase + "234567")


def aws_secret(seed: int = 2) -> str:
    return chance(40, seed, BASE_64)


def key_body(seed: int = 3, size: int = 1200) -> str:
    return chance(size, seed, BASE_64)


def armour(kind: str, what: str = "BEGIN") -> str:
    return f"-----{what} {kind}-----"


def private_key(seed: int = 3, end: str = "\n", kind: str = "RSA PRIVATE" + " KEY") -> str:
    """An armoured private key; ``end`` ends its lines."""
    body = key_body(seed)
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return end.join([armour(kind), *lines, armour(kind, "END"), ""])


def wrapped(secret: str) -> str:
    """``secret`` in base 64."""
    return base64.b64encode(secret.encode()).decode()


def _jwt() -> str:
    parts = ('{"alg":"HS256","typ":"JWT"}', '{"sub":"8472","name":"Ana","role":"admin"}')
    head, claims = (wrapped(part).rstrip("=") for part in parts)
    return f"{head}.{claims}.{chance(43, 9)}"


TOKENS = {
    "aws-access-key-id": aws_id(),
    "github-token": github(),
    "gitlab-token": "glpat-" + chance(20, 4),
    "slack-token": "xoxb-" + chance(12, 5, string.digits) + "-" + chance(12, 6, string.digits) + "-" + chance(24, 7),
    "slack-webhook": "hooks.slack.com/services/T"
    + chance(8, 1, HEX.upper())
    + "/B"
    + chance(8, 2, HEX.upper())
    + "/"
    + chance(24, 3),
    "stripe-key": "sk_" + "live_" + chance(24, 8),
    "google-api-key": "AIza" + chance(35, 9),
    "anthropic-key": "sk-ant-" + "api03-" + chance(93, 10) + "AA",
    "openai-key": "sk-" + "proj-" + chance(60, 11),
    "npm-token": "npm_" + chance(36, 12),
    "pypi-token": "pypi-" + "AgEIcHlwaS5vcmc" + chance(120, 13),
    "sendgrid-key": "SG." + chance(22, 14) + "." + chance(43, 15),
    "twilio-key": "SK" + chance(32, 16, HEX),
    "telegram-token": chance(10, 17, "123456789") + ":AA" + chance(33, 18),
    "digitalocean-token": "dop_v1_" + chance(64, 19, HEX),
    "heroku-key": "HRKU-" + "AA" + chance(58, 20),
    "huggingface-token": "hf_" + chance(34, 21),
    "vault-token": "hvs." + chance(90, 22),
    "shopify-token": "shpat_" + chance(32, 23, HEX),
    "azure-client-secret": chance(3, 24) + "8Q~" + chance(34, 25),
    "mailchimp-key": chance(32, 26, HEX) + "-us" + "12",
    "jwt": _jwt(),
}
"""A token of each of some kinds, by the rule that tells it."""

REAL_FILES = {
    "deploy/aws.env": f"AWS_ACCESS_KEY_ID={aws_id(31)}\nAWS_SECRET_ACCESS_KEY={aws_secret(32)}\n",
    "release.py": f'import os\n\nGITHUB = "{github(33)}"\n',
    ".gitlab-ci.yml": f"build:\n  variables:\n    PUSH: {'glpat-' + chance(20, 34)}\n",
    "alerts.json": f'{{"url": "https://{TOKENS["slack-webhook"]}"}}\n',
    "billing.rb": f"Stripe.api_key = '{TOKENS['stripe-key']}'\n",
    "static/map.js": f"loadMap({{ key: '{TOKENS['google-api-key']}' }});\n",
    "id_rsa": private_key(35),
    "service-account.json": f'{{"type": "service_account", "private_key": "{private_key(36, end=chr(92) + "n")}"}}\n',
    "config/database.yml": f"production:\n  url: postgres://app:{chance(14, 37)}@db.corp.net:5432/app\n",
    "settings.py": f'DEBUG = False\nSECRET_KEY = "{chance(50, 38, LETTERS + "!@#$^&*-_=+")}"\n',
    "k8s/secret.yaml": f"kind: Secret\ndata:\n  value: {wrapped(github(39))}\n",
    ".npmrc": f"//registry.npmjs.org/:_authToken={'npm_' + chance(36, 40)}\n",
}
"""Files with a secret each."""

INNOCENT_FILES = {
    "vendor.lock.txt": f"revision = {chance(40, 51, HEX)}\nflask==3.0 --hash=sha256:{chance(64, 52, HEX)}\n",
    "package-lock.json": f'{{"integrity": "sha512-{chance(86, 53, BASE_64)}==", "resolved": "https://r.example/a.tgz"}}\n',
    "id_rsa.pub": f"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ{chance(300, 54, BASE_64)} ana@example.com\n"
    + private_key(55, kind="PUBLIC KEY")
    + private_key(56, kind="CERTIFICATE"),
    "app/config.py": 'import os\nPASSWORD = os.environ["DB_PASSWORD"]\nTOKEN = "<your-token>"\nAPI_KEY = "${API_KEY}"\n'
    'URL = "postgres://user:password@localhost/db"\nSECRET_KEY = "changeme"\n',
}
"""Files with none, however much they look like it."""
