#!/usr/bin/python3
"""Stands in for git-xet, the Hub's transfer agent for git-lfs, up to its storage.

Between git-lfs and the Hub it does what git-xet 0.2.1 does, in the same order and with the same
words: how it is installed, where it runs, which places it takes a token from, what it asks git,
and what it asks the Hub with it. Only the upload itself is another one: the object in one piece.
What it did is appended to $XET_LOG, a line of JSON for each object.
"""

import json
import netrc
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


def git(*arguments, stdin="", cwd=None, env=None):
    done = subprocess.run(
        ["git", *arguments], input=stdin, cwd=cwd, env=env, text=True, capture_output=True
    )
    if done.returncode:
        raise RuntimeError(f"err_code = {done.returncode}, stderr = {done.stderr.strip()!r}")
    return done.stdout


def install():
    for key, value in (("path", "git-xet"), ("args", "transfer"), ("concurrent", "true")):
        git("config", "--global", f"lfs.customtransfer.xet.{key}", value)


def as_libgit2(*arguments):
    """What its library reads: it looks for the repository from the working directory, whatever
    GIT_DIR says, and does not see what `git -c` sets."""
    unseen = ("GIT_DIR", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT")
    env = {key: value for key, value in os.environ.items() if key not in unseen}
    return git(*arguments, env=env).strip()


def remote_url(remote):
    try:
        return as_libgit2("remote", "get-url", remote)
    except RuntimeError:
        return remote


def access(url):
    try:
        return as_libgit2("config", f"lfs.{url.removesuffix('.git')}.git/info/lfs.access")
    except RuntimeError:
        return ""


def token_for(url):
    """The token, and where it was found: the first place that has one."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if access(url) == "none":
        return None, "none"
    if parts.username and parts.password:
        return parts.password, "url"
    if "HF_TOKEN" in os.environ:
        return os.environ["HF_TOKEN"], "HF_TOKEN"
    try:
        login = netrc.netrc().hosts.get(host)
    except OSError:
        login = None
    if login:
        return login[2], "netrc"
    answer = git("credential", "fill", stdin=f"url=https://{host}\n\n", cwd=as_libgit2("rev-parse", "--absolute-git-dir"))
    for line in answer.splitlines():
        password = "".join(line.split()).removeprefix("password=")
        if line.startswith("password=") and password:
            return password, "git"
    raise RuntimeError(f"failed to find authentication for https://{host}")


def request(method, url, token, body=None):
    headers = {"User-Agent": "git_xet/0.2.1"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    trust = ssl.create_default_context(cafile=os.environ["GIT_SSL_CAINFO"])
    asked = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(asked, context=trust) as response:
            return response.read()
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{method} {url}: {error.code}") from None


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def upload(event, url):
    token, source = token_for(url)
    with open(os.environ["XET_LOG"], "a", encoding="utf-8") as log:
        log.write(json.dumps({"source": source, "cwd": os.getcwd(), "url": url}) + "\n")
    oid = event["oid"]
    # git-lfs starts its other agents when the first one has got so far.
    say({"event": "progress", "oid": oid, "bytesSoFar": 1, "bytesSinceLast": 1})
    header = event["action"]["header"]
    storage = header["X-Xet-Cas-Url"]
    storage_token = header["X-Xet-Access-Token"]
    if int(header["X-Xet-Token-Expiration"]) - time.time() <= 30:
        answer = json.loads(request("GET", event["action"]["href"], token))
        storage_token = answer["accessToken"]
    with open(event["path"], "rb") as file:
        body = file.read()
    request("PUT", f"{storage}/objs/{oid}", storage_token, body)


def transfer():
    url = None
    for line in sys.stdin:
        event = json.loads(line)
        if event["event"] == "terminate":
            return
        if event["event"] == "init":
            if event["operation"] != "upload":
                say({"error": {"code": 1, "message": "downloads go through git-lfs itself"}})
                continue
            url = remote_url(event["remote"])
            say({})
            continue
        answer = {"event": "complete", "oid": event["oid"]}
        try:
            upload(event, url)
        except RuntimeError as error:
            answer["error"] = {"code": 1, "message": str(error)}
        say(answer)


if __name__ == "__main__":
    {"install": install, "transfer": transfer}[sys.argv[1]]()
