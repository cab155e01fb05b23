"""What Java alone has: its collections, streams, text and functional interfaces."""
