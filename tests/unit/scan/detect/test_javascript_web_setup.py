"""Missing middleware, exposed directories, error texts and links given away."""

from __future__ import annotations

import pytest
from tests.unit.scan.detect.javascript_source import hits, lines

SERVER = (
    "const express = require('express'), fs = require('fs'), path = require('path'), os = require('os');\n"
    "const app = express();\n"
)
SESSION = SERVER + "app.use(require('cookie-parser')());\n"


def test_state_changing_routes_on_a_cookie_need_a_token_check() -> None:
    route = "app.post('/a', (req, res) => { save(req.cookies.id); });"
    assert lines("missing-csrf", SESSION + route) == [3]
    assert hits("missing-csrf", SESSION + "app.use(require('lusca').csrf());\n" + route) == []
    assert hits("missing-csrf", SESSION + route.replace("post", "get")) == []
    assert hits("missing-csrf", SERVER + route) == []


def test_a_named_handler_that_uses_the_session_counts() -> None:
    text = SESSION + "function save(req, res) { req.session.x = 1; }\napp.put('/a', save);"
    assert lines("missing-csrf", text) == [3]


@pytest.mark.parametrize(
    "work",
    [
        "fs.readFile('a', done)",
        "res.sendFile('a')",
        "pool.query('SELECT 1')",
        "bcrypt.compare(a, b)",
        "User.findOne({})",
    ],
)
def test_an_expensive_route_needs_a_limiter_before_it(work: str) -> None:
    route = f"app.get('/a', (req, res) => {{ {work}; }});\n"
    assert lines("missing-rate-limit", SERVER + "const bcrypt = require('bcrypt');\n" + route) == [4]
    limiter = "app.use(require('express-rate-limit')({ max: 9 }));\n"
    assert hits("missing-rate-limit", SERVER + "const bcrypt = require('bcrypt');\n" + limiter + route) == []


def test_a_limiter_of_the_route_counts_and_one_after_it_does_not() -> None:
    head = SERVER + "const limiter = require('express-rate-limit')({ max: 9 });\n"
    assert hits("missing-rate-limit", head + "app.get('/a', limiter, (req, res) => fs.readFile('a', done));") == []
    late = "app.get('/a', (req, res) => fs.readFile('a', done));\napp.use(limiter);"
    assert lines("missing-rate-limit", head + late) == [4]


@pytest.mark.parametrize(
    "folder",
    [
        "__dirname",
        "'.'",
        "path.join(__dirname, '..')",
        "'node_modules'",
        "__dirname + '/node_modules'",
        "os.homedir()",
        "`${__dirname}/`",
    ],
)
def test_private_directories_must_not_be_served(folder: str) -> None:
    assert lines("exposed-directory", SERVER + f"app.use(express.static({folder}));") == [3]


@pytest.mark.parametrize(
    "folder", ["'public'", "path.join(__dirname, 'dist')", "somewhere", "'node_modules/jquery/dist'"]
)
def test_public_directories_may_be_served(folder: str) -> None:
    assert hits("exposed-directory", SERVER + f"app.use(express.static({folder}));") == []


def test_a_stack_must_not_be_sent_but_may_be_logged_or_sent_in_development() -> None:
    text = "app.use((err, req, res, next) => {{ {body} }});"
    assert len(hits("stack-trace-exposure", text.format(body="res.status(500).send(err.stack);"))) == 1
    assert len(hits("stack-trace-exposure", text.format(body="const s = 'E ' + err.stack; res.json({ s });"))) == 1
    assert hits("stack-trace-exposure", text.format(body="log(err.stack); res.send('failed');")) == []
    guarded = "if (process.env.NODE_ENV === 'dev') res.send(err.stack);"
    assert hits("stack-trace-exposure", text.format(body=guarded)) == []


def test_a_mail_must_not_link_to_the_host_header() -> None:
    text = (
        "app.post('/a', (req, res) => {{ const link = 'https://' + {host};"
        " mailer.sendMail({{ html: `<a href=${{link}}>` }}); }});"
    )
    for host in ("req.host", "req.hostname", "req.headers.host", "req.get('host')", "req.headers['host']"):
        assert len(hits("host-header-link", text.format(host=host))) == 1
    assert hits("host-header-link", text.format(host="config.host")) == []
