"""A provider of OAuth 1.0a (RFC 5849) on loopback, on python3-oauthlib, that asks the person by a page.

Arguments: consumer key, redirect URI without query. The consumer secret is in CONSUMER_SECRET. Writes its port in one line
when it listens. It ends with its standard input, so with whoever started it, and forgets everything.
"""
import html
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from oauthlib.oauth1 import OAuth1Error, RequestValidator, WebApplicationServer

CONSUMER_KEY, CALLBACK = sys.argv[1:3]
CONSUMER_SECRET = os.environ["CONSUMER_SECRET"]

PEOPLE = {
    "alice": {"id": 1001, "screen_name": "alice", "name": "Alice Example", "contact": {"mail": "alice@example.com"}},
    "bob": {"id": 1002, "screen_name": "bob", "name": "Bob Example", "contact": {"mail": "bob@example.com"}},
}

request_tokens = {}
access_tokens = {}
nonces = set()


class Validator(RequestValidator):
    """What the library wants to know. Lengths are ours: hexadecimal nonces, its own tokens of 30 characters."""

    enforce_ssl = False
    client_key_length = request_token_length = access_token_length = nonce_length = verifier_length = (8, 64)
    dummy_client = dummy_request_token = dummy_access_token = "nobody-nobody"

    def check_client_key(self, client_key):
        return True

    def get_client_secret(self, client_key, request):
        return CONSUMER_SECRET if client_key == CONSUMER_KEY else "no secret"

    def validate_client_key(self, client_key, request):
        return client_key == CONSUMER_KEY

    def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request, request_token=None, access_token=None):
        used = (client_key, timestamp, nonce)
        if used in nonces or abs(time.time() - int(timestamp)) > 300:
            return False
        nonces.add(used)
        return True

    # First leg.
    def get_default_realms(self, client_key, request):
        return []

    def validate_requested_realms(self, client_key, realms, request):
        return True

    def validate_redirect_uri(self, client_key, redirect_uri, request):
        return redirect_uri == "oob" or urlunsplit(urlsplit(redirect_uri)._replace(query="")) == CALLBACK

    def save_request_token(self, token, request):
        token_secret = token["oauth_token_secret"]
        request_tokens[token["oauth_token"]] = {"secret": token_secret, "callback": request.redirect_uri}

    # Second leg.
    def verify_request_token(self, token, request):
        return token in request_tokens

    def get_realms(self, token, request):
        return []

    def verify_realms(self, token, realms, request):
        return True

    def get_redirect_uri(self, token, request):
        return request_tokens[token]["callback"]

    def save_verifier(self, token, verifier, request):
        request_tokens[token]["verifier"] = verifier["oauth_verifier"]

    # Third leg.
    def validate_request_token(self, client_key, token, request):
        return token in request_tokens

    def get_request_token_secret(self, client_key, token, request):
        return request_tokens.get(token, {}).get("secret", "no secret")

    def validate_verifier(self, client_key, token, verifier, request):
        return request_tokens.get(token, {}).get("verifier") == verifier

    def save_access_token(self, token, request):
        person = request_tokens[request.resource_owner_key]["person"]
        access_tokens[token["oauth_token"]] = {"secret": token["oauth_token_secret"], "person": person}

    def invalidate_request_token(self, client_key, request_token, request):
        request_tokens.pop(request_token, None)

    # The profile.
    def validate_access_token(self, client_key, token, request):
        return token in access_tokens

    def get_access_token_secret(self, client_key, token, request):
        return access_tokens.get(token, {}).get("secret", "no secret")

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return True


server = WebApplicationServer(Validator())

PAGE = """<!doctype html>
<title>OAuth 1 provider of the lab</title>
<h1>OAuth 1 provider of the lab</h1>
<p role="alert">{alert}</p>
<form method="post" action="/authorize">
<input type="hidden" name="oauth_token" value="{token}">
<label>Name <input name="login" autofocus></label>
<button name="answer" value="approve">Approve</button>
<button name="answer" value="deny">Deny</button>
</form>"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def reply(self, headers, body, status):
        payload = (body or "").encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def page(self, token, alert="", status=200):
        body = PAGE.format(token=html.escape(token), alert=html.escape(alert))
        self.reply({"Content-Type": "text/html; charset=utf-8"}, body, status)

    def do_GET(self):
        path, token = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query).get("oauth_token", [""])[0]
        if path == "/authorize":
            return self.page(token, *(() if token in request_tokens else ("There is no such request.", 400)))
        if path == "/profile.json":
            return self.profile()
        self.reply({}, "", 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path = urlsplit(self.path).path
        if path == "/authorize":
            return self.authorize(dict(parse_qsl(body)))
        create = {
            "/request_token": server.create_request_token_response,
            "/access_token": server.create_access_token_response,
        }.get(path)
        if create is None:
            return self.reply({}, "", 404)
        self.reply(*create(self.url(), "POST", body, self.signed_headers()))

    def authorize(self, form):
        token, login = form.get("oauth_token", ""), form.get("login", "")
        if token not in request_tokens:
            return self.page(token, "There is no such request.", 400)
        if form.get("answer") == "deny":
            callback = urlsplit(request_tokens.pop(token)["callback"])
            query = urlencode([*parse_qsl(callback.query), ("denied", token)])
            return self.reply({"Location": urlunsplit(callback._replace(query=query))}, "", 302)
        if login not in PEOPLE:
            return self.page(token, "Nobody of that name.", 401)
        request_tokens[token]["person"] = login
        uri = f"{self.url()}?{urlencode({'oauth_token': token})}"
        self.reply(*server.create_authorization_response(uri, "GET", None, {}, []))

    def profile(self):
        try:
            valid, request = server.validate_protected_resource_request(self.url(), "GET", None, self.signed_headers(), [])
        except OAuth1Error:
            valid = False
        if not valid:
            return self.reply({"Content-Type": "application/json"}, '{"error":"not signed well"}', 401)
        person = PEOPLE[access_tokens[request.resource_owner_key]["person"]]
        self.reply({"Content-Type": "application/json; charset=utf-8"}, json.dumps(person), 200)

    def url(self):
        return f"http://{self.headers['Host']}{self.path}"

    def signed_headers(self):
        # The library does not take an empty header.
        return {"Authorization": self.headers["Authorization"]} if self.headers.get("Authorization") else {}


def end_with_input():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
httpd = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Handler)
print(httpd.server_address[1], flush=True)
httpd.serve_forever()
