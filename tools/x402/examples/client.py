"""Pays pages by the deferred scheme of x402: python3 client.py KEY AGENT MOST URL

KEY is a file with a private JWK (Ed25519), such as `crawler keygen` makes, AGENT the origin of its directory,
MOST the most that a page may cost, in millionths. Needs python3-cryptography and python3-requests.
"""

import base64
import hashlib
import json
import sys
import time
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Payer(requests.Session):
    """A session that answers a 402 with a signed commitment, once, if the page costs no more than `most`."""

    def __init__(self, key, agent, most, currency="USD", lifetime=60):
        super().__init__()
        # RFC 7638: these members in this order.
        public = {"crv": key["crv"], "kty": key["kty"], "x": key["x"]}
        self.keyid = base64url(hashlib.sha256(compact(public)).digest())
        self.signer = Ed25519PrivateKey.from_private_bytes(unbase64url(key["d"]))
        self.agent, self.most, self.currency, self.lifetime = agent, most, currency, lifetime
        self.headers["User-Agent"] = "GPTBot/1.2 (pays)"

    def commit(self, accepted, url):
        now = int(time.time())
        claims = {name: accepted[name] for name in ("network", "amount", "asset", "scheme")}
        claims |= {"iss": self.agent, "id": accepted["extra"]["id"], "aud": urlsplit(url).netloc}
        claims |= {"resource": url, "iat": now, "exp": now + self.lifetime}
        header = {"alg": "EdDSA", "kid": self.keyid, "typ": "x402-deferred+jws"}
        signed = f"{base64url(compact(header))}.{base64url(compact(claims))}"
        return f"{signed}.{base64url(self.signer.sign(signed.encode()))}"

    def page(self, url):
        """The page's response, and the receipt: None if it was free."""
        answer = self.get(url, allow_redirects=False)
        if answer.status_code != 402 or "PAYMENT-REQUIRED" not in answer.headers:
            return answer, None
        offer = json.loads(base64.b64decode(answer.headers["PAYMENT-REQUIRED"]))
        # Another page's offer would be paid for whoever hands it on.
        if offer["resource"]["url"] != url:
            raise ValueError(f"the offer is for {offer['resource']['url']}: nothing was signed")
        accepted = next(one for one in offer["accepts"] if one["scheme"] == "deferred")
        if accepted["asset"] != self.currency or int(accepted["amount"]) > self.most:
            raise ValueError(f"{url} costs {accepted['amount']} {accepted['asset']}: nothing was signed")
        payload = {"x402Version": 2, "resource": {"url": url}, "accepted": accepted}
        payload["payload"] = {"commitment": self.commit(accepted, url)}
        fields = {"PAYMENT-SIGNATURE": base64.b64encode(compact(payload)).decode()}
        answer = self.get(url, headers=fields, allow_redirects=False)
        receipt = answer.headers.get("PAYMENT-RESPONSE")
        return answer, json.loads(base64.b64decode(receipt)) if receipt else None


def main(key, agent, most, url):
    with open(key, encoding="utf-8") as file:
        payer = Payer(json.load(file), agent, int(most))
    answer, receipt = payer.page(url)
    answer.raise_for_status()
    sys.stdout.write(answer.text)
    if receipt:
        sys.stderr.write(json.dumps(receipt) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
