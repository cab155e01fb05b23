"""HTTP/1.1 on both sides of the relay: connections around llhttp's parser (httptools), with nothing in between."""
